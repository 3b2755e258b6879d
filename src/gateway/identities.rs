//! One person, one address: whichever address a client uses, it leads to the same person.

use super::Gateway;
use crate::error::Result;
use crate::model::device::Device;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::store::{groups, identities};
use std::collections::HashMap;

impl Gateway {
    /// Returns the address under which a person is kept: the number where it is known. Anything else stays as it is.
    pub fn person(&self, device: DeviceNo, jid: &Jid) -> Result<Jid> {
        identities::canonical(&self.store().view()?, device, jid)
    }

    /// Returns the hidden id of a person, when it is known.
    pub fn lid_of(&self, device: DeviceNo, person: &Jid) -> Option<Jid> {
        let found = self.store().view().and_then(|view| identities::lid_of(&view, device, person));
        found.inspect_err(|error| tracing::error!(%error, "a hidden id cannot be read")).ok().flatten()
    }

    /// Returns the hidden ids of several people, as far as they are known.
    pub fn lids<'j>(
        &self,
        device: DeviceNo,
        people: impl IntoIterator<Item = &'j Jid>,
    ) -> Result<HashMap<Jid, Jid>> {
        let view = self.store().view()?;
        let mut lids = HashMap::new();
        for person in people {
            if let Some(lid) = identities::lid_of(&view, device, person)? {
                lids.insert(person.clone(), lid);
            }
        }
        Ok(lids)
    }

    /// Returns whether the network names the people of a chat by their hidden ids.
    pub(super) fn is_by_lid(&self, device: &Device, chat: &Jid) -> bool {
        let known = self.store().view().and_then(|view| groups::get(&view, device.no, chat));
        known.ok().flatten().is_some_and(|group| group.by_lid)
    }

    /// Returns the address by which the network knows who wrote in a group: it wants to hear the one it used itself.
    pub(super) fn author_on_the_wire(&self, device: DeviceNo, group: &Jid, author: &Jid) -> Result<Jid> {
        let view = self.store().view()?;
        if groups::get(&view, device, group)?.is_none_or(|group| !group.by_lid) {
            return Ok(author.clone());
        }
        Ok(identities::lid_of(&view, device, author)?.unwrap_or_else(|| author.clone()))
    }
}
