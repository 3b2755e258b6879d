//! Devices: create, list, connect, link, disconnect, remove.

use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::day::Day;
use crate::model::device::{Device, DeviceStatus};
use crate::model::id::{DeviceId, DeviceNo, UserId};
use crate::model::jid::Phone;
use crate::store::{devices, jobs, schedules, users};
use crate::wa::{Live, PairingCode};
use std::time::Duration;

/// How long `connect` waits for the first QR, the open link or a failure (contract section 4).
const CONNECT_ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Longest shown name, in characters.
const NAME_MAX_CHARS: usize = 100;

/// A device to be created.
#[derive(Debug, Clone, Default)]
pub struct NewDevice {
    /// Name for clients; made when absent and a shown name is given.
    pub id: Option<String>,
    /// Shown name; the id when absent.
    pub name: Option<String>,
    /// Owner; the caller when absent.
    pub user: Option<UserId>,
}

/// Counters over the devices that a caller may see.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeviceStats {
    /// All.
    pub total: usize,
    /// With an open link.
    pub connected: usize,
    /// In every other state.
    pub disconnected: usize,
    /// With a known number.
    pub with_phone_number: usize,
    /// Created since midnight in Asia/Jakarta.
    pub created_today: usize,
}

impl Gateway {
    /// Returns the device that the caller names; 404 before 403, as documented.
    pub fn device(&self, caller: &Caller, id: &str) -> Result<Device> {
        let device =
            devices::by_id(&self.store().view()?, id)?.ok_or_else(|| Error::new(Code::DeviceNotFound))?;
        caller.require_device(&device)?;
        Ok(self.as_shown(device))
    }

    /// Creates a device.
    pub async fn create_device(&self, caller: &Caller, new: NewDevice) -> Result<Device> {
        caller.require_admin()?;
        let now = self.clock().now();
        let user = new.user.unwrap_or(caller.user);
        if let Some(name) = &new.name {
            check_name(name)?;
        }
        let id = match (&new.id, &new.name) {
            (Some(id), _) => DeviceId::parse(id)?,
            (None, Some(_)) => DeviceId::generate(user, now),
            (None, None) => return Err(Error::new(Code::DeviceIdRequired)),
        };
        if users::get(&self.store().view()?, user)?.is_none() {
            return Err(Error::new(Code::UserNotFound));
        }
        let name = new.name.unwrap_or_else(|| id.to_string());
        let device = Device::new(id, name, user, now);
        self.store().write(move |t| devices::insert(t, device.clone())).await
    }

    /// Returns the devices that the caller may see, in the order of their making.
    pub fn devices(&self, caller: &Caller) -> Result<Vec<Device>> {
        let mut all = devices::all(&self.store().view()?)?;
        all.retain(|device| caller.may_see(device.user));
        Ok(all.into_iter().map(|device| self.as_shown(device)).collect())
    }

    /// Counts devices.
    pub fn device_stats(&self, devices: &[Device]) -> DeviceStats {
        let midnight = Day::of(self.clock().now()).start();
        let count = |wanted: &dyn Fn(&Device) -> bool| devices.iter().filter(|device| wanted(device)).count();
        let connected = count(&|device| device.status == DeviceStatus::Connected);
        DeviceStats {
            total: devices.len(),
            connected,
            disconnected: devices.len() - connected,
            with_phone_number: count(&|device| device.phone_number.is_some()),
            created_today: count(&|device| device.created_at >= midnight),
        }
    }

    /// Returns what is true of a device's connection at this moment.
    pub fn live(&self, no: DeviceNo) -> Live {
        self.fleet().live(no)
    }

    /// Renames a device.
    pub async fn rename_device(&self, device: &Device, name: &str) -> Result<Device> {
        check_name(name)?;
        let (no, name, now) = (device.no, name.to_owned(), self.clock().now());
        self.store().write(move |t| devices::update(t, no, now, |device| device.name.clone_from(&name))).await
    }

    /// Removes a device with its credentials; what waits for it is cancelled, its messages stay.
    pub async fn delete_device(&self, caller: &Caller, device: &Device) -> Result<()> {
        caller.require_admin()?;
        self.fleet().forget(device.no).await?;
        let (no, now) = (device.no, self.clock().now());
        let cancelled = self.store().write(move |t| {
            let cancelled = jobs::cancel_of_device(t, no, now)?;
            schedules::cancel_of_device(t, no, now)?;
            devices::remove(t, no, now)?;
            Ok(cancelled)
        });
        // Requests wait for the end of theirs.
        cancelled.await?.iter().for_each(|job| self.queue().ended(job));
        self.queue().wake(no);
        Ok(())
    }

    /// Starts the connection and returns once a QR shows, the link is open, something failed, or 15 s have passed.
    pub async fn connect(&self, device: &Device) -> Result<Live> {
        self.fleet().connect(device.no).await?;
        let live = self.until(device.no, |live| {
            live.qr.is_some() || live.trouble.is_some() || live.status != DeviceStatus::Connecting
        });
        let live = live.await;
        match live.status {
            DeviceStatus::Error => Err(Error::new(Code::DeviceConnectFailed)),
            _ => Ok(live),
        }
    }

    /// Closes the connection; `logout` also unlinks the device from the phone.
    pub async fn disconnect(&self, device: &Device, logout: bool) -> Result<()> {
        self.fleet().disconnect(device.no, logout).await
    }

    /// Stops connecting and deletes credentials and stored protocol state.
    pub async fn wipe(&self, caller: &Caller, device: &Device) -> Result<()> {
        caller.require_admin()?;
        self.fleet().wipe(device.no).await
    }

    /// Asks for a pairing code for the phone with this number.
    pub async fn pairing_code(&self, caller: &Caller, device: &Device, phone: &Phone) -> Result<PairingCode> {
        caller.require_admin()?;
        self.fleet().pairing_code(device.no, phone).await
    }

    /// Passes the answer of a passkey on to WhatsApp.
    pub async fn answer_passkey(&self, device: &Device, answer: serde_json::Value) -> Result<()> {
        self.fleet().answer_passkey(device.no, answer).await
    }

    /// A code is shown a moment before the state that goes with it is stored: whoever sees the code sees the state as well.
    fn as_shown(&self, mut device: Device) -> Device {
        let live = self.fleet().live(device.no);
        if live.qr.is_some() || live.pairing.is_some() {
            device.status = live.status;
        }
        device
    }

    async fn until(&self, no: DeviceNo, enough: impl Fn(&Live) -> bool) -> Live {
        let mut live = self.fleet().watch(no);
        // Whatever comes of the waiting, the answer is the state as it is then.
        let _ = tokio::time::timeout(CONNECT_ANSWER_WITHIN, live.wait_for(|live| enough(live))).await;
        self.fleet().live(no)
    }
}

fn check_name(name: &str) -> Result<()> {
    let fits = (1..=NAME_MAX_CHARS).contains(&name.chars().count()) && !name.trim().is_empty();
    if fits { Ok(()) } else { Err(Error::new(Code::DeviceNameInvalid)) }
}
