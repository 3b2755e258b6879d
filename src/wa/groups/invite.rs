//! Ways into a group: invite links, and the wishes of those who want to come in.

use super::{Groups, convert, patience};
use crate::clock::Millis;
use crate::error::Error;
use crate::model::group::Group;
use crate::model::jid::Jid;
use crate::store::groups;
use crate::wa::outcome::SendFailure;
use crate::wa::receive::address;
use crate::wa::send::wire_jid;
use whatsapp_rust::features::JoinGroupResult;

/// What came of following an invite link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvitedTo {
    /// The account is in the group.
    Joined(Jid),
    /// An admin has to let the account in.
    Pending(Jid),
}

/// A group as its invite link shows it to those outside.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The group, with as many of its people as the network shows.
    pub group: Group,
    /// How many people are in it.
    pub size: u32,
}

impl Groups {
    /// Returns the code of the group's invite link; `reset` makes a new one and the old one void.
    pub async fn invite_code(&self, group: &Jid, reset: bool) -> Result<String, SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(group)?);
        let link =
            patience::ask(&self.seat, || async { client.groups().get_invite_link(&wire, reset).await })
                .await?;
        Ok(link.rsplit('/').next().unwrap_or_default().to_owned())
    }

    /// Follows an invite link.
    pub async fn join(&self, code: &str) -> Result<InvitedTo, SendFailure> {
        let client = self.client()?;
        let joined =
            patience::ask(&self.seat, || async { client.groups().join_with_invite_code(code).await }).await?;
        let group = address(joined.group_jid()).filter(Jid::is_group);
        let group = group
            .ok_or_else(|| SendFailure::Broken(Error::broken("an invite led to nothing that is a group")))?;
        match joined {
            JoinGroupResult::PendingApproval(_) => Ok(InvitedTo::Pending(group)),
            JoinGroupResult::Joined(_) => {
                let (no, known) = (self.seat.no, group.clone());
                let doubted = self.seat.parts.store.write(move |t| groups::doubt(t, no, &known)).await;
                doubted.map_err(SendFailure::Broken)?;
                // The account is in, whether or not the question about the group is answered now.
                if let Err(failure) = self.ask(&group).await {
                    tracing::debug!(device = %self.seat.no, ?failure, "a joined group could not be asked for yet");
                }
                Ok(InvitedTo::Joined(group))
            }
        }
    }

    /// Shows the group behind an invite link.
    pub async fn preview(&self, code: &str) -> Result<Preview, SendFailure> {
        let client = self.client()?;
        let told =
            patience::ask(&self.seat, || async { client.groups().get_invite_info(code).await }).await?;
        let size = told.size;
        let group = convert::group(told, self.seat.parts.clock.now());
        let group = group.ok_or(SendFailure::Refused { code: convert::UNREADABLE })?;
        let size = size.unwrap_or(u32::try_from(group.members.len()).unwrap_or(u32::MAX));
        Ok(Preview { group, size })
    }

    /// Returns who wants to come in, each with when they asked (milliseconds since 1970).
    pub async fn requests(&self, group: &Jid) -> Result<Vec<(Jid, Option<Millis>)>, SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(group)?);
        let told =
            patience::ask(&self.seat, || async { client.groups().get_membership_requests(&wire).await })
                .await?;
        let one = |request: &whatsapp_rust::features::MembershipRequest| {
            let at = request.request_time.and_then(|seconds| i64::try_from(seconds).ok()?.checked_mul(1000));
            Some((address(&request.jid)?, at))
        };
        Ok(told.iter().filter_map(one).collect())
    }
}
