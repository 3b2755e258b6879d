//! The index of texts: which message stands when on a device, and which words it holds.
//!
//! Kept in the transaction of the message. A search walks the rarest word from the newest message backwards and leaps over what
//! the other words do not have, so it needs no more memory than a page.

mod cursor;
mod find;

pub use find::{Filter, Found, Mark, find};

use super::codec::decode;
use super::tables::Tables;
use crate::error::{Error, Result};
use crate::model::message::Message;
use crate::model::search::words;
use redb::ReadableTable as _;

/// Where a message stands on its device: its time, and its place among those of the same millisecond.
pub(super) type Place = (i64, u16);

/// Takes the change of a message from `old` to `new` into the index.
pub(super) fn note(tables: &mut Tables<'_>, old: Option<&Message>, new: Option<&Message>) -> Result<()> {
    if let (Some(old), Some(new)) = (old, new)
        && is_same_place(old, new)
    {
        return note_text(tables, old, new);
    }
    if let Some(old) = old {
        remove(tables, old)?;
    }
    match new {
        Some(new) => add(tables, new),
        None => Ok(()),
    }
}

/// Indexes a message that a store of an earlier version left without; true when it had none.
pub(super) fn add_missing(tables: &mut Tables<'_>, message: &Message) -> Result<bool> {
    let is_missing = place_of(tables, message)?.is_none();
    if is_missing {
        add(tables, message)?;
    }
    Ok(is_missing)
}

/// An edited text in its place.
fn note_text(tables: &mut Tables<'_>, old: &Message, new: &Message) -> Result<()> {
    let (was, is) = (old.content.text().unwrap_or_default(), new.content.text().unwrap_or_default());
    if was == is {
        return Ok(());
    }
    let Some((at, n)) = place_of(tables, old)? else { return Ok(()) };
    let (was, is) = (words(was), words(is));
    for word in was.difference(&is) {
        tables.words.remove((old.device.0, word.as_str(), at, n))?;
    }
    for word in is.difference(&was) {
        tables.words.insert((new.device.0, word.as_str(), at, n), ())?;
    }
    Ok(())
}

fn add(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let (device, at) = (message.device.0, message.at);
    let last = tables.timeline.range((device, at, 0)..=(device, at, u16::MAX))?.next_back();
    let n = match last.transpose()? {
        Some((place, _)) => place.value().2.checked_add(1),
        None => Some(0),
    };
    let n = n.ok_or_else(|| Error::broken("more than 65,536 messages of one millisecond"))?;
    let chat = message.chat.to_string();
    tables.timeline.insert((device, at, n), (chat.as_str(), message.id.as_str()))?;
    for word in words(message.content.text().unwrap_or_default()) {
        tables.words.insert((device, word.as_str(), at, n), ())?;
    }
    Ok(())
}

fn remove(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let Some((at, n)) = place_of(tables, message)? else { return Ok(()) };
    tables.timeline.remove((message.device.0, at, n))?;
    for word in words(message.content.text().unwrap_or_default()) {
        tables.words.remove((message.device.0, word.as_str(), at, n))?;
    }
    Ok(())
}

fn place_of(tables: &Tables<'_>, message: &Message) -> Result<Option<Place>> {
    let (device, at, chat) = (message.device.0, message.at, message.chat.to_string());
    for row in tables.timeline.range((device, at, 0)..=(device, at, u16::MAX))? {
        let (place, value) = row?;
        if value.value() == (chat.as_str(), message.id.as_str()) {
            return Ok(Some((at, place.value().2)));
        }
    }
    Ok(None)
}

fn is_same_place(old: &Message, new: &Message) -> bool {
    (old.device, &old.chat, old.at, &old.id) == (new.device, &new.chat, new.at, &new.id)
}

/// Reads a stored message.
fn read(row: &[u8], chat: &str, at: i64, id: &str) -> Result<Message> {
    decode("messages", (chat, at, id), row)
}
