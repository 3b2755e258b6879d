//! Devices and the index by the name that clients use.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use super::{
    channels, chat_settings, device_contacts, early, groups, history_parts, media, outbox, sessions,
    status_posts,
};
use crate::error::{Code, Error, Result};
use crate::model::device::{Device, LinkStep};
use crate::model::event::{DeviceChange, Fact, Scope};
use crate::model::id::{DeviceId, DeviceNo};
use redb::ReadableTable;

/// Returns the device with this number, or none.
pub fn by_no(view: &View, no: DeviceNo) -> Result<Option<Device>> {
    read(&view.devices()?, no)
}

/// Returns the device that clients call `id`, or none.
pub fn by_id(view: &View, id: &str) -> Result<Option<Device>> {
    let no = view.devices_by_id()?.get(id)?.map(|row| row.value());
    match no {
        Some(no) => by_no(view, DeviceNo(no)),
        None => Ok(None),
    }
}

/// Returns all devices in the order of their numbers.
pub fn all(view: &View) -> Result<Vec<Device>> {
    let table = view.devices()?;
    table
        .iter()?
        .map(|row| {
            let (no, value) = row?;
            decode("devices", no.value(), value.value())
        })
        .collect()
}

/// Inserts a new device; `device.no` is given here. Refuses an id that is taken.
pub fn insert(tables: &mut Tables<'_>, mut device: Device) -> Result<Device> {
    if tables.devices_by_id.get(device.id.as_str())?.is_some() {
        return Err(Error::new(Code::DeviceExists).with("device", &device.id));
    }
    device.no = DeviceNo(next(tables, "device")? as u32);
    put(tables, &device)?;
    let at = device.created_at;
    outbox::append(tables, at, scope(&device), Fact::Device { change: DeviceChange::Created })?;
    Ok(device)
}

/// Changes name or owner of a device; the clients' id and the number stay.
pub fn update(
    tables: &mut Tables<'_>,
    no: DeviceNo,
    at: i64,
    change: impl FnOnce(&mut Device),
) -> Result<Device> {
    let mut device = existing(tables, no)?;
    change(&mut device);
    device.updated_at = at;
    put(tables, &device)?;
    outbox::append(tables, at, scope(&device), Fact::Device { change: DeviceChange::Updated })?;
    Ok(device)
}

/// Changes what is known of the connection and tells it in the same commit.
pub fn update_link(
    tables: &mut Tables<'_>,
    no: DeviceNo,
    at: i64,
    step: Option<LinkStep>,
    change: impl FnOnce(&mut Device),
) -> Result<Device> {
    let mut device = existing(tables, no)?;
    change(&mut device);
    device.updated_at = at;
    device.last_activity = Some(at);
    put(tables, &device)?;
    let fact = Fact::Link {
        status: device.status,
        phone_number: device.phone_number.clone(),
        step,
        trouble: device.trouble.clone(),
    };
    outbox::append(tables, at, scope(&device), fact)?;
    Ok(device)
}

/// Notes that something happened on the device, without telling anybody.
pub(super) fn touch(tables: &mut Tables<'_>, no: DeviceNo, at: i64) -> Result<Device> {
    let mut device = existing(tables, no)?;
    // A busy device would otherwise rewrite its row with every message; a minute is fine enough for `lastActivity`.
    if device.last_activity.is_none_or(|last| at - last >= 60_000) {
        device.last_activity = Some(at);
        put(tables, &device)?;
    }
    Ok(device)
}

/// Removes the device and its credentials. Messages stay.
pub fn remove(tables: &mut Tables<'_>, no: DeviceNo, at: i64) -> Result<Device> {
    let device = existing(tables, no)?;
    tables.devices.remove(no.0)?;
    tables.devices_by_id.remove(device.id.as_str())?;
    sessions::wipe(tables, no)?;
    groups::wipe(tables, no)?;
    early::wipe(tables, no)?;
    history_parts::wipe(tables, no)?;
    chat_settings::wipe(tables, no)?;
    device_contacts::wipe(tables, no)?;
    status_posts::wipe(tables, no)?;
    channels::wipe(tables, no)?;
    media::forget_device(tables, no)?;
    outbox::append(tables, at, scope(&device), Fact::Device { change: DeviceChange::Deleted })?;
    Ok(device)
}

/// Returns the device inside a write, or the error that it does not exist.
pub fn existing(tables: &Tables<'_>, no: DeviceNo) -> Result<Device> {
    read(&tables.devices, no)?.ok_or_else(|| Error::new(Code::DeviceNotFound))
}

/// Returns the device inside a write, or none.
pub(super) fn find(tables: &Tables<'_>, no: DeviceNo) -> Result<Option<Device>> {
    read(&tables.devices, no)
}

/// Returns where the events of this device belong.
pub fn scope(device: &Device) -> Scope {
    Scope { device: device.no, device_id: device.id.clone(), owner: device.user }
}

/// Returns whether there is a device, without reading it.
pub fn exists(view: &View, no: DeviceNo) -> Result<bool> {
    Ok(view.devices()?.get(no.0)?.is_some())
}

/// Returns whether the clients' id is in use.
pub fn is_taken(view: &View, id: &DeviceId) -> Result<bool> {
    Ok(view.devices_by_id()?.get(id.as_str())?.is_some())
}

fn read(table: &impl ReadableTable<u32, &'static [u8]>, no: DeviceNo) -> Result<Option<Device>> {
    match table.get(no.0)? {
        Some(row) => decode("devices", no, row.value()).map(Some),
        None => Ok(None),
    }
}

fn put(tables: &mut Tables<'_>, device: &Device) -> Result<()> {
    tables.devices.insert(device.no.0, encode(device)?.as_slice())?;
    tables.devices_by_id.insert(device.id.as_str(), device.no.0)?;
    Ok(())
}
