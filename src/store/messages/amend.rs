//! Stored messages that become different, or go.

use super::read::by_anybody;
use super::rows::{newest, remove, replace};
use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::media::Media;
use crate::model::message::{Content, Message};
use crate::store::codec::decode;
use crate::store::tables::Tables;
use crate::store::{chats, identities, search};
use redb::ReadableTable as _;

/// Writes a message of the history as it stands now.
pub(in crate::store) fn amend(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    replace(tables, message)
}

/// Stars a message, or takes the star away; nothing happens when the message is unknown.
pub fn star(tables: &mut Tables<'_>, device: DeviceNo, chat: &Jid, id: &str, on: bool) -> Result<()> {
    let chat = identities::canonical_in(tables, device, chat)?;
    match by_anybody(tables, device, &chat, id)? {
        Some(mut message) if message.marks.starred != on => {
            message.marks.starred = on;
            replace(tables, &message)
        }
        _ => Ok(()),
    }
}

/// Replaces what is known of a message's file; returns the message, or none when it is gone. The chat may have moved.
pub(in crate::store) fn set_media(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    at: i64,
    id: &str,
    media: &Media,
) -> Result<Option<Message>> {
    let chat = identities::canonical_in(tables, device, chat)?.to_string();
    let mut message: Message = match tables.messages.get((device.0, chat.as_str(), at, id))? {
        Some(row) => decode("messages", (chat, at, id), row.value())?,
        None => return Ok(None),
    };
    // In the meantime it may have been deleted, or its caption rewritten.
    let Content::Media(kept) = &mut message.content else { return Ok(None) };
    **kept = Media { caption: kept.caption.take(), ..media.clone() };
    replace(tables, &message)?;
    Ok(Some(message))
}

/// Takes a message out of the history as if it had never been.
pub(in crate::store) fn vanish(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let (device, chat, id) = (message.device, message.chat.to_string(), message.id.as_str());
    // What was counted stays counted: it was sent, and nobody can see any more what it was.
    let old = remove(tables, device, &chat, message.at, id)?;
    search::note(tables, old.as_ref(), None)?;
    let ids = (device.0, id, chat.as_str(), "")..=(device.0, id, chat.as_str(), "\u{10ffff}");
    tables.message_ids.retain_in(ids, |_, at| at != message.at)?;
    let newest = newest(&tables.messages, device, &chat)?;
    chats::forget(tables, device, &chat, id, newest.as_ref())
}
