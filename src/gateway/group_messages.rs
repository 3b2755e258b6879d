//! Sending to groups. They are sent to like people; here is only what groups need before.

use super::Gateway;
use super::messages::Entry;
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::group::{Group, MEMBERS_MAX};
use crate::model::jid::Jid;
use crate::model::mention;
use crate::model::message::{Outgoing, Text};

impl Gateway {
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

    /// Turns the entries of a bulk to groups that cannot be written to into errors.
    pub(super) async fn refuse_closed_groups(&self, device: &Device, entries: &mut [Entry]) {
        for entry in entries {
            let Ok(outgoing) = &entry.outgoing else { continue };
            if !outgoing.to.is_group() {
                continue;
            }
            if let Err(error) = self.require_may_write(device, &outgoing.to).await {
                entry.outgoing = Err(error);
            }
        }
    }

    /// Returns whether the account is an admin of a group.
    pub(super) async fn is_group_admin(&self, device: &Device, group: &Jid) -> Result<bool> {
        let known = self.group(device, group, false).await?;
        Ok(is_admin_of(device, &known))
    }
}

fn is_admin_of(device: &Device, group: &Group) -> bool {
    device.addresses().iter().any(|own| group.is_admin(own))
}
