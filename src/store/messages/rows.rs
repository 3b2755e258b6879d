//! The rows of messages and the index of their ids: reading one, and writing one with all that is found and counted of it.
//!
//! What a message means for its chat, its receivers or its file is not known here.

use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::Message;
use crate::store::codec::{decode, encode};
use crate::store::tables::Tables;
use crate::store::{days, file_uses, search};
use redb::ReadableTable;

pub(super) type Ids = (u32, &'static str, &'static str, &'static str);
pub(super) type Rows = (u32, &'static str, i64, &'static str);

pub(super) fn own(
    ids: &impl ReadableTable<Ids, i64>,
    messages: &impl ReadableTable<Rows, &'static [u8]>,
    device: DeviceNo,
    chat: &str,
    id: &str,
) -> Result<Option<Message>> {
    let Some(at) = ids.get((device.0, id, chat, ""))?.map(|row| row.value()) else { return Ok(None) };
    match messages.get((device.0, chat, at, id))? {
        Some(row) => decode("messages", (chat, at, id), row.value()).map(Some),
        None => Ok(None),
    }
}

pub(super) fn find(
    ids: &impl ReadableTable<Ids, i64>,
    device: DeviceNo,
    id: &str,
    chat: &Jid,
    sender: &str,
) -> Result<Option<i64>> {
    Ok(ids.get((device.0, id, chat.to_string().as_str(), sender))?.map(|row| row.value()))
}

pub(super) fn first_at(
    ids: &impl ReadableTable<Ids, i64>,
    device: DeviceNo,
    id: &str,
    chat: &str,
) -> Result<Option<i64>> {
    match ids.range((device.0, id, chat, "")..=(device.0, id, chat, "\u{10ffff}"))?.next() {
        Some(row) => Ok(Some(row?.1.value())),
        None => Ok(None),
    }
}

pub(super) fn stored(
    tables: &Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    at: i64,
    id: &str,
) -> Result<Option<Message>> {
    match tables.messages.get((device.0, chat.to_string().as_str(), at, id))? {
        Some(row) => decode("messages", (at, id), row.value()).map(Some),
        None => Ok(None),
    }
}

pub(super) fn newest(
    messages: &impl ReadableTable<Rows, &'static [u8]>,
    device: DeviceNo,
    chat: &str,
) -> Result<Option<Message>> {
    let range = (device.0, chat, i64::MIN, "")..=(device.0, chat, i64::MAX, "\u{10ffff}");
    match messages.range(range)?.next_back() {
        Some(row) => {
            let (at, value) = row?;
            decode("messages", at.value(), value.value()).map(Some)
        }
        None => Ok(None),
    }
}

/// The sender part of the key: empty for the account itself, so that its own message is found without knowing its address.
pub(super) fn sender_of(message: &Message) -> String {
    match &message.sender {
        Some(sender) if !message.from_me => sender.to_string(),
        _ => String::new(),
    }
}

/// Writes a message that stands at its time already, so its index is right.
pub(super) fn replace(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let old = write(tables, message)?;
    note(tables, old.as_ref(), Some(message))
}

pub(super) fn put(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    replace(tables, message)?;
    index(tables, message)
}

/// Removes a message from its place; who puts it elsewhere or away for ever sees to its id.
pub(super) fn take(tables: &mut Tables<'_>, device: DeviceNo, chat: &str, at: i64, id: &str) -> Result<()> {
    let old = remove(tables, device, chat, at, id)?;
    note(tables, old.as_ref(), None)
}

/// Removes the row and returns what stood there.
pub(super) fn remove(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    chat: &str,
    at: i64,
    id: &str,
) -> Result<Option<Message>> {
    let old: Option<Message> = match tables.messages.remove((device.0, chat, at, id))? {
        Some(row) => Some(decode("messages", (chat, at, id), row.value())?),
        None => None,
    };
    file_uses::note(tables, old.as_ref(), None)?;
    Ok(old)
}

/// Keeps what is counted and what is found in step with the messages.
pub(super) fn note(tables: &mut Tables<'_>, old: Option<&Message>, new: Option<&Message>) -> Result<()> {
    search::note(tables, old, new)?;
    days::note(tables, old, new)
}

/// Writes the row and returns what stood there.
pub(super) fn write(tables: &mut Tables<'_>, message: &Message) -> Result<Option<Message>> {
    let chat = message.chat.to_string();
    let key = (message.device.0, chat.as_str(), message.at, message.id.as_str());
    let old: Option<Message> = match tables.messages.insert(key, encode(message)?.as_slice())? {
        Some(old) => Some(decode("messages", &message.id, old.value())?),
        None => None,
    };
    file_uses::note(tables, old.as_ref(), Some(message))?;
    Ok(old)
}

pub(super) fn index(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let (chat, sender) = (message.chat.to_string(), sender_of(message));
    let key = (message.device.0, message.id.as_str(), chat.as_str(), sender.as_str());
    tables.message_ids.insert(key, message.at)?;
    Ok(())
}
