//! Who types and who is there: for the moment alone, to whoever listens now. Whom a device follows is asked for here.

use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::id::DeviceId;
use crate::model::jid::Jid;
use crate::model::sighting::{Seen, Sighting};
use crate::store::devices;
use crate::wa::SendFailure;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// One listener's ear for sightings. What happens while it is away or too slow is not made up for.
pub struct Sightings {
    gateway: Gateway,
    caller: Caller,
    heard: broadcast::Receiver<Sighting>,
}

impl Gateway {
    /// Listens to what is seen of people from now on.
    pub fn sightings(&self, caller: &Caller) -> Sightings {
        Sightings { gateway: self.clone(), caller: caller.clone(), heard: self.fleet().sightings() }
    }

    /// Asks WhatsApp to tell when somebody comes and goes; how it stands now is told at once. Returns their address.
    pub async fn follow_presence(&self, device: &Device, person: &Jid) -> Result<Jid> {
        let person = self.person(device.no, person)?;
        self.require_connected(device)?;
        let account = self.account(device)?;
        match account.check(std::slice::from_ref(&person)).await.map_err(SendFailure::error)?[..] {
            [true] => account.follow(&person).await.map_err(SendFailure::error)?,
            _ => return Err(Error::new(Code::NotOnWhatsApp)),
        }
        Ok(person)
    }

    /// Asks WhatsApp not to tell any more when somebody comes and goes. Returns their address.
    pub async fn let_presence_go(&self, device: &Device, person: &Jid) -> Result<Jid> {
        let person = self.person(device.no, person)?;
        self.require_connected(device)?;
        self.account(device)?.let_go(&person).await.map_err(SendFailure::error)?;
        Ok(person)
    }
}

impl Sightings {
    /// Returns the next sighting that the caller may see, and the name of its device; waits until there is one.
    pub async fn next(&mut self) -> Result<(DeviceId, Sighting)> {
        loop {
            let sighting = match self.heard.recv().await {
                Ok(sighting) => sighting,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => std::future::pending().await,
            };
            let device = devices::by_no(&self.gateway.store().view()?, sighting.device)?;
            if let Some(device) = device.filter(|device| self.caller.may_see(device.user)) {
                return Ok((device.id, self.under_one_address(sighting)?));
            }
        }
    }

    /// The network may use an address that Kurir knows as another one of the same person.
    fn under_one_address(&self, mut sighting: Sighting) -> Result<Sighting> {
        let device = sighting.device;
        match &mut sighting.seen {
            Seen::Typing { chat, by, .. } => {
                (*chat, *by) = (self.gateway.person(device, chat)?, self.gateway.person(device, by)?);
            }
            Seen::Presence { person, .. } => *person = self.gateway.person(device, person)?,
        }
        Ok(sighting)
    }
}
