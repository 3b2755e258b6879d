//! A chat that turns out to be another address of the same person: its messages move there.

use super::rows::{index, sender_of, write};
use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::Message;
use crate::store::codec::decode;
use crate::store::tables::Tables;
use crate::store::{days, file_uses, search};
use redb::ReadableTable as _;

/// Moves the messages of a chat to the other address of the same person.
pub(in crate::store) fn move_chat(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    from: &Jid,
    to: &Jid,
) -> Result<()> {
    let (old_chat, chat) = (from.to_string(), to.to_string());
    let range =
        (device.0, old_chat.as_str(), i64::MIN, "")..=(device.0, old_chat.as_str(), i64::MAX, "\u{10ffff}");
    let mut moving: Vec<Message> = Vec::new();
    for row in tables.messages.range(range.clone())? {
        let (at, value) = row?;
        moving.push(decode("messages", at.value(), value.value())?);
    }
    tables.messages.retain_in(range, |_, _| false)?;
    let mut dropped = Vec::new();
    for before in moving {
        file_uses::note(tables, Some(&before), None)?;
        let (mut message, former) = (before.clone(), sender_of(&before));
        tables.message_ids.remove((device.0, message.id.as_str(), old_chat.as_str(), former.as_str()))?;
        message.chat = to.clone();
        if message.sender.as_ref() == Some(from) {
            message.sender = Some(to.clone());
        }
        let sender = sender_of(&message);
        let place = (device.0, message.id.as_str(), chat.as_str(), sender.as_str());
        // The network may have delivered it under both addresses.
        if tables.message_ids.get(place)?.is_none() {
            write(tables, &message)?;
            search::note(tables, Some(&before), Some(&message))?;
            index(tables, &message)?;
        } else {
            search::note(tables, Some(&before), None)?;
            dropped.push(message);
        }
    }
    days::move_chat(tables, device, &old_chat, &chat, &dropped)
}
