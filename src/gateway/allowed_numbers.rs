//! Allowed numbers: whose messages the history keeps.
//!
//! A number counts for the device that is linked to it, so users manage the numbers of their own devices.

use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::allowed::AllowedNumber;
use crate::model::device::Device;
use crate::model::id::{DeviceId, DeviceNo};
use crate::model::jid::PhoneRule;
use crate::store::{allowed, devices};
use std::collections::BTreeMap;

/// A number that is to be allowed, or not any more.
#[derive(Debug, Clone)]
pub struct NewAllowed {
    /// In any spelling.
    pub number: String,
    /// Whether it counts.
    pub active: bool,
    /// The device that is named with it: its id or its number.
    pub session: Option<String>,
}

impl Gateway {
    /// Returns the allowed numbers that the caller may see, only that of `number` when one is given.
    pub fn allowed_numbers(&self, caller: &Caller, number: Option<&str>) -> Result<Vec<AllowedNumber>> {
        let wanted = number.map(digits).transpose()?;
        let own = self.devices(caller)?;
        let mut entries = allowed::all(&self.store().view()?)?;
        entries.retain(|entry| {
            wanted.as_ref().is_none_or(|wanted| *wanted == entry.number) && is_visible(caller, &own, entry)
        });
        Ok(entries)
    }

    /// Allows a number, or changes an entry that is there already.
    pub async fn allow_number(&self, caller: &Caller, new: NewAllowed) -> Result<AllowedNumber> {
        let number = digits(&new.number)?;
        let named = new.session.map(|session| self.session(caller, &session)).transpose()?;
        let own = self.devices(caller)?;
        let linked = own.iter().find(|device| device.phone_number.as_ref() == Some(&number));
        if linked.is_none() && !caller.is_admin() {
            return Err(Error::new(Code::NotYourDevice));
        }
        let device = named.as_ref().or(linked).map(|device| device.no);
        let (active, now) = (new.active, self.clock().now());
        self.store().write(move |t| allowed::put(t, &number, active, device, now)).await
    }

    /// Sets whether an allowed number counts.
    pub async fn set_allowed(&self, caller: &Caller, id: u32, active: bool) -> Result<AllowedNumber> {
        self.require_visible(caller, id)?;
        let now = self.clock().now();
        self.store().write(move |t| allowed::set_active(t, id, active, now)).await
    }

    /// Deletes an allowed number.
    pub async fn remove_allowed(&self, caller: &Caller, id: u32) -> Result<()> {
        self.require_visible(caller, id)?;
        self.store().write(move |t| allowed::remove(t, id)).await
    }

    /// Returns what clients call the devices that stand with allowed numbers.
    pub fn device_names(&self, entries: &[AllowedNumber]) -> Result<BTreeMap<DeviceNo, DeviceId>> {
        let view = self.store().view()?;
        let mut names = BTreeMap::new();
        for no in entries.iter().filter_map(|entry| entry.device) {
            if let Some(device) = devices::by_no(&view, no)? {
                names.insert(no, device.id);
            }
        }
        Ok(names)
    }

    /// Returns the device that `session` names by its id, or by its number inside this installation.
    fn session(&self, caller: &Caller, session: &str) -> Result<Device> {
        let view = self.store().view()?;
        let device = match (devices::by_id(&view, session)?, session.parse()) {
            (Some(device), _) => Some(device),
            (None, Ok(no)) => devices::by_no(&view, DeviceNo(no))?,
            (None, Err(_)) => None,
        };
        let device = device.ok_or_else(|| Error::new(Code::DeviceNotFound))?;
        caller.require_device(&device)?;
        Ok(device)
    }

    /// What somebody else manages counts as not there.
    fn require_visible(&self, caller: &Caller, id: u32) -> Result<()> {
        let own = self.devices(caller)?;
        let entry = allowed::get(&self.store().view()?, id)?;
        match entry.filter(|entry| is_visible(caller, &own, entry)) {
            Some(_) => Ok(()),
            None => Err(Error::new(Code::AllowedNumberNotFound)),
        }
    }
}

fn is_visible(caller: &Caller, own: &[Device], entry: &AllowedNumber) -> bool {
    caller.is_admin() || own.iter().any(|device| device.phone_number.as_ref() == Some(&entry.number))
}

/// Reads a number in any spelling, whatever the rule for recipients is: it is the number of a device, not of somebody to write to.
fn digits(text: &str) -> Result<String> {
    let person = PhoneRule::International.recipient(text)?;
    person.phone().map(str::to_owned).ok_or_else(|| Error::new(Code::PhoneInvalid))
}
