//! Changes of groups: who is in them, what they are called, what is set. What the network accepted is in the store before
//! anybody is told.

use super::{Groups, patience};
use crate::error::Error;
use crate::model::group::{Group, GroupChange, Member, MemberRole};
use crate::model::jid::Jid;
use crate::store::groups;
use crate::wa::outcome::SendFailure;
use crate::wa::receive::address;
use crate::wa::send::wire_jid;
use wacore_binary::Jid as WireJid;
use whatsapp_rust::features::{
    GroupCreateOptions, GroupDescription, GroupParticipantOptions, GroupSubject, MembershipApprovalMode,
    ParticipantChangeResponse, PreviousDescription,
};

/// What is done with people of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberVerb {
    /// They are taken in.
    Add,
    /// They are sent away.
    Remove,
    /// They become admins.
    Promote,
    /// They are no admins any more.
    Demote,
    /// Their wish to come in is granted.
    Approve,
    /// Their wish to come in is refused.
    Reject,
}

/// What came of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOutcome {
    /// The person.
    pub jid: Jid,
    /// The network's number when it refused.
    pub refused: Option<i32>,
}

/// One setting of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingChange {
    /// Only admins may write.
    Announce(bool),
    /// Only admins may change subject, description and picture.
    Locked(bool),
    /// An admin has to let new members in.
    Approval(bool),
    /// Seconds after which messages disappear; 0 when they stay.
    Ephemeral(u32),
}

impl Groups {
    /// Makes a group and returns it as the network has it: who could not be taken in is not in it, unless the network does not
    /// answer any more after it made the group.
    pub async fn create(&self, subject: &str, people: &[Jid]) -> Result<Group, SendFailure> {
        let client = self.client()?;
        let people = people.iter().map(|person| Ok(GroupParticipantOptions::new(wire_jid(person)?)));
        let people: Vec<_> = people.collect::<Result<_, SendFailure>>()?;
        let options = GroupCreateOptions::new(subject).with_participants(people);
        let created =
            patience::ask(&self.seat, || async { client.groups().create_group(options.clone()).await })
                .await?;
        let told = super::convert::group(created.metadata, self.seat.parts.clock.now());
        let told = told.ok_or_else(|| broken("the network made a group without an address"))?;
        // The answer lists everybody who was asked for, those who were refused included.
        match self.ask(&told.jid).await {
            Ok(group) => Ok(group),
            Err(why) => {
                tracing::warn!(device = %self.seat.no, ?why, "a new group could not be asked for");
                // It is there all the same; who asks for it next asks the network.
                self.keep(Group { stale: true, ..told }, self.seen()?).await
            }
        }
    }

    /// Changes who is in a group or what they may do; returns what came of each person.
    pub async fn change_members(
        &self,
        group: &Jid,
        verb: MemberVerb,
        people: &[Jid],
    ) -> Result<Vec<MemberOutcome>, SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(group)?);
        let people: Vec<WireJid> = people.iter().map(wire_jid).collect::<Result<_, _>>()?;
        let answer = patience::ask(&self.seat, || async {
            let groups = client.groups();
            match verb {
                MemberVerb::Add => groups.add_participants(&wire, &people).await,
                MemberVerb::Remove => groups.remove_participants(&wire, &people).await,
                MemberVerb::Promote => groups.promote_participants(&wire, &people).await,
                MemberVerb::Demote => groups.demote_participants(&wire, &people).await,
                MemberVerb::Approve => groups.approve_membership_requests(&wire, &people).await,
                MemberVerb::Reject => groups.reject_membership_requests(&wire, &people).await,
            }
        });
        let answer = answer.await?;
        if let Some(change) = made(verb, &answer) {
            self.made(group, change).await?;
        }
        Ok(answer.iter().filter_map(outcome).collect())
    }

    /// Gives a group another name.
    pub async fn set_subject(&self, group: &Jid, subject: &str) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(group)?);
        let name = GroupSubject::new(subject).map_err(|why| broken(why.to_string()))?;
        patience::ask(&self.seat, || async { client.groups().set_subject(&wire, name.clone()).await })
            .await?;
        self.made(group, GroupChange::Subject { subject: subject.to_owned() }).await
    }

    /// Gives a group another description, or takes it away.
    pub async fn set_description(&self, group: &Jid, description: Option<&str>) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(group)?);
        let text =
            description.map(GroupDescription::new).transpose().map_err(|why| broken(why.to_string()))?;
        let set = || async {
            client.groups().set_description(&wire, text.clone(), PreviousDescription::Resolve).await
        };
        match patience::ask(&self.seat, set).await {
            // Somebody else changed it in between; the token is read anew with each attempt.
            Err(SendFailure::Refused { code: 409 }) => patience::ask(&self.seat, set).await?,
            other => other?,
        }
        self.made(group, GroupChange::Description { description: description.map(str::to_owned) }).await
    }

    /// Changes one setting of a group.
    pub async fn set(&self, group: &Jid, setting: SettingChange) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(group)?);
        patience::ask(&self.seat, || async {
            let groups = client.groups();
            match setting {
                SettingChange::Announce(on) => groups.set_announce(&wire, on).await,
                SettingChange::Locked(on) => groups.set_locked(&wire, on).await,
                SettingChange::Approval(on) => {
                    let mode = if on { MembershipApprovalMode::On } else { MembershipApprovalMode::Off };
                    groups.set_membership_approval(&wire, mode).await
                }
                SettingChange::Ephemeral(seconds) => groups.set_ephemeral(&wire, seconds).await,
            }
        })
        .await?;
        let change = match setting {
            SettingChange::Announce(on) => GroupChange::Announce { on },
            SettingChange::Locked(on) => GroupChange::Locked { on },
            SettingChange::Approval(on) => GroupChange::Approval { on },
            SettingChange::Ephemeral(seconds) => GroupChange::Ephemeral { seconds },
        };
        self.made(group, change).await
    }

    /// Sets the picture of a group, a JPEG, or takes it away.
    pub async fn set_picture(&self, group: &Jid, jpeg: Option<Vec<u8>>) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(group)?);
        patience::ask(&self.seat, || async {
            match &jpeg {
                Some(jpeg) => client.groups().set_profile_picture(&wire, jpeg.clone()).await.map(drop),
                None => client.groups().remove_profile_picture(&wire).await.map(drop),
            }
        })
        .await
    }

    /// Leaves a group.
    pub async fn leave(&self, group: &Jid) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(group)?);
        patience::ask(&self.seat, || async { client.groups().leave(&wire).await }).await?;
        self.made(group, GroupChange::Deleted).await
    }

    /// Notes a change that the network accepted.
    async fn made(&self, group: &Jid, change: GroupChange) -> Result<(), SendFailure> {
        let (no, now, group) = (self.seat.no, self.seat.parts.clock.now(), group.clone());
        let noted = self.seat.parts.store.write(move |t| groups::made(t, no, &group, &change, now)).await;
        noted.map_err(SendFailure::Broken)
    }
}

/// Returns the change of the group as far as it was accepted.
fn made(verb: MemberVerb, answer: &[ParticipantChangeResponse]) -> Option<GroupChange> {
    let accepted = answer.iter().filter(|one| one.is_ok());
    let member = |one: &ParticipantChangeResponse| {
        super::convert::member(&one.jid, one.phone_number.as_ref(), None, MemberRole::Member)
    };
    let members: Vec<Member> = accepted.filter_map(member).collect();
    if members.is_empty() {
        return None;
    }
    match verb {
        MemberVerb::Add | MemberVerb::Approve => Some(GroupChange::Added { members }),
        MemberVerb::Remove => Some(GroupChange::Removed { members }),
        MemberVerb::Promote => Some(GroupChange::Promoted { members }),
        MemberVerb::Demote => Some(GroupChange::Demoted { members }),
        MemberVerb::Reject => None,
    }
}

fn outcome(answer: &ParticipantChangeResponse) -> Option<MemberOutcome> {
    let jid = answer.phone_number.as_ref().and_then(address).or_else(|| address(&answer.jid))?;
    let refused = answer.error.as_ref().map(|code| code.parse().unwrap_or(0));
    Some(MemberOutcome { jid, refused })
}

fn broken(what: impl Into<String>) -> SendFailure {
    SendFailure::Broken(Error::broken(what))
}
