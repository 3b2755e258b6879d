//! Sending to groups. The queue takes these like all other messages; here is only what groups need before.

use super::messages::{Entry, IdempotencyKey, Sent};
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::group::{Group, MEMBERS_MAX};
use crate::model::jid::Jid;
use crate::model::job::{Item, Job, Pacing};
use crate::model::mention;
use crate::model::message::{Outgoing, Text};

impl Gateway {
    /// Sends a text to a group; answers when WhatsApp has accepted it or the deadline passes.
    pub async fn send_to_group(
        &self,
        caller: &Caller,
        device: &Device,
        outgoing: Outgoing,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        self.require_may_write(device, &outgoing.to).await?;
        self.send(caller, device, outgoing, key).await
    }

    /// Sends texts to several groups inside the request. What cannot be written to fails alone.
    pub async fn send_to_groups(
        &self,
        caller: &Caller,
        device: &Device,
        mut entries: Vec<Entry>,
        pacing: Pacing,
        key: Option<IdempotencyKey>,
    ) -> Result<(Job, Vec<Item>)> {
        self.require_connected(device)?;
        for entry in &mut entries {
            let Ok(outgoing) = &entry.outgoing else { continue };
            if let Err(error) = self.require_may_write(device, &outgoing.to).await {
                entry.outgoing = Err(error);
            }
        }
        self.send_bulk(caller, device, entries, pacing, key).await
    }

    /// Fills the places for mentions in a text and names everybody in its context.
    pub fn mention(&self, device: &Device, group: Jid, text: &Text, people: Vec<Jid>) -> Result<Outgoing> {
        match people.len() {
            0 => return Err(Error::new(Code::MentionsRequired)),
            1..=MEMBERS_MAX => {}
            _ => return Err(Error::new(Code::MembersTooMany).with("max", MEMBERS_MAX)),
        }
        // Not `people`: the places count by what was given, twice the same person included.
        let mentions =
            people.iter().map(|person| self.person(device.no, person)).collect::<Result<Vec<_>>>()?;
        let text = Text::rendered(mention::fill(text.as_str(), &mentions))?;
        Ok(Outgoing { mentions, ..Outgoing::text(group, text) })
    }

    /// Refuses a group that the account is not in, or in which only admins write and it is none.
    pub(super) async fn require_may_write(&self, device: &Device, group: &Jid) -> Result<()> {
        let known = self.group(device, group, false).await?;
        match known.settings.announce && !is_admin_of(device, &known) {
            true => Err(Error::new(Code::NotGroupAdmin)),
            false => Ok(()),
        }
    }

    /// Returns whether the account is an admin of a group.
    pub(super) async fn is_group_admin(&self, device: &Device, group: &Jid) -> Result<bool> {
        let known = self.group(device, group, false).await?;
        Ok(is_admin_of(device, &known))
    }
}

fn is_admin_of(device: &Device, group: &Group) -> bool {
    let lid: Option<Jid> = device.lid.as_ref().and_then(|lid| lid.parse().ok());
    let phone =
        device.phone_number.as_ref().and_then(|number| format!("{number}@s.whatsapp.net").parse().ok());
    let own: [Option<Jid>; 2] = [phone, lid];
    own.iter().flatten().any(|own| group.is_admin(own))
}
