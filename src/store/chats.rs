//! The chat list: one row per conversation, kept up to date with every message.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{device_contacts, devices, groups, notifications};
use crate::error::Result;
use crate::model::chat::{Chat, ChatMark, LastMessage, PastChat};
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::{Message, MessageStatus};
use redb::ReadableTable as _;

/// Characters of the newest message that the list shows.
const PREVIEW_CHARS: usize = 200;

/// Returns up to `limit` chats behind the place `before`, newest activity first.
pub fn page(view: &View, device: DeviceNo, before: Option<&ChatMark>, limit: usize) -> Result<Vec<Chat>> {
    select(view, device, before, limit, |_| true)
}

/// Returns up to `limit` chats as [`page`] does, leaving groups out.
pub fn page_of_people(
    view: &View,
    device: DeviceNo,
    before: Option<&ChatMark>,
    limit: usize,
) -> Result<Vec<Chat>> {
    select(view, device, before, limit, |chat| !chat.ends_with("@g.us"))
}

fn select(
    view: &View,
    device: DeviceNo,
    before: Option<&ChatMark>,
    limit: usize,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Chat>> {
    let (order, chats) = (view.chats_by_time()?, view.chats()?);
    let end = before.map_or((device.0, i64::MAX, ""), |mark| (device.0, mark.at, mark.chat.as_str()));
    let mut found = Vec::new();
    for row in order.range((device.0, i64::MIN, "")..end)?.rev() {
        if found.len() == limit {
            break;
        }
        let at = row?.0;
        let (_, _, chat) = at.value();
        if !wanted(chat) {
            continue;
        }
        if let Some(row) = chats.get((device.0, chat))? {
            found.push(decode("chats", chat, row.value())?);
        }
    }
    Ok(found)
}

/// Returns the chat, or none.
pub fn get(view: &View, device: DeviceNo, chat: &str) -> Result<Option<Chat>> {
    match view.chats()?.get((device.0, chat))? {
        Some(row) => decode("chats", chat, row.value()).map(Some),
        None => Ok(None),
    }
}

/// Returns when the newest message of the chat was sent, in milliseconds since 1970, or none without a chat.
pub(super) fn last_at(tables: &Tables<'_>, device: DeviceNo, key: &str) -> Result<Option<i64>> {
    Ok(existing(tables, device, key)?.map(|chat| chat.last_at))
}

/// Takes a new or changed message into the list.
pub(super) fn note(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let unread = u32::from(!message.from_me);
    place(tables, message, unread)
}

/// Takes a message of the past into the list; it makes nothing unread.
pub(super) fn note_past(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    place(tables, message, 0)
}

/// Takes over what the phone says of a chat, if there is one; its unread messages only when the chat is new.
pub(super) fn take_over(tables: &mut Tables<'_>, chat: &Jid, past: &PastChat, is_new: bool) -> Result<()> {
    let key = chat.to_string();
    let Some(mut known) = existing(tables, past.device, &key)? else { return Ok(()) };
    let before = known.clone();
    if chat.is_group() && known.name.is_none() {
        known.name.clone_from(&past.name);
    }
    if is_new {
        known.unread = past.unread;
    }
    if known == before {
        return Ok(());
    }
    let at = known.last_at;
    put(tables, past.device, &key, Some(at), &known)
}

fn place(tables: &mut Tables<'_>, message: &Message, unread: u32) -> Result<()> {
    let key = message.chat.to_string();
    let old = existing(tables, message.device, &key)?;
    let is_newest = old.as_ref().is_none_or(|chat| message.at >= chat.last_at || chat.last.id == message.id);
    let before = old.as_ref().map(|chat| chat.last_at);
    let mut chat = match old {
        Some(chat) => chat,
        None => Chat {
            jid: message.chat.clone(),
            name: name_of(tables, message)?,
            unread: 0,
            last_at: message.at,
            last: preview(message),
        },
    };
    chat.unread += unread;
    if is_newest {
        chat.last = preview(message);
        chat.last_at = message.at;
    }
    put(tables, message.device, &key, before, &chat)
}

/// Shows the newest message as it stands now, when it is this one.
pub(super) fn amend(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let key = message.chat.to_string();
    match existing(tables, message.device, &key)? {
        Some(mut chat) if chat.last.id == message.id => {
            chat.last = preview(message);
            let at = chat.last_at;
            put(tables, message.device, &key, Some(at), &chat)
        }
        _ => Ok(()),
    }
}

/// Takes the message `id` out of the list when it stood there; `newest` is what is left.
pub(super) fn forget(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    key: &str,
    id: &str,
    newest: Option<&Message>,
) -> Result<()> {
    let Some(mut chat) = existing(tables, device, key)? else { return Ok(()) };
    if chat.last.id != id {
        return Ok(());
    }
    let before = chat.last_at;
    match newest {
        Some(message) => {
            chat.last = preview(message);
            chat.last_at = message.at;
            put(tables, device, key, Some(before), &chat)
        }
        None => {
            tables.chats.remove((device.0, key))?;
            tables.chats_by_time.remove((device.0, before, key))?;
            Ok(())
        }
    }
}

/// Shows in the list that the newest message came further.
pub(super) fn progress(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    key: &str,
    id: &str,
    to: MessageStatus,
) -> Result<()> {
    match existing(tables, device, key)? {
        Some(mut chat) if chat.last.id == id => {
            chat.last.status = to;
            let at = chat.last_at;
            put(tables, device, key, Some(at), &chat)
        }
        _ => Ok(()),
    }
}

/// Returns whether there is a chat.
pub(super) fn is_known(tables: &Tables<'_>, device: DeviceNo, key: &str) -> Result<bool> {
    Ok(tables.chats.get((device.0, key))?.is_some())
}

/// Sets the name of a chat, if there is one.
pub(super) fn set_name(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    key: &str,
    name: Option<&str>,
) -> Result<()> {
    let Some(mut chat) = existing(tables, device, key)? else { return Ok(()) };
    if name.is_none() || chat.name.as_deref() == name {
        return Ok(());
    }
    chat.name = name.map(str::to_owned);
    let at = chat.last_at;
    put(tables, device, key, Some(at), &chat)
}

/// Joins a chat with the one of the same person under another address, whose messages were moved already.
pub(super) fn merge(tables: &mut Tables<'_>, device: DeviceNo, from: &Jid, to: &Jid) -> Result<()> {
    let (old_key, key) = (from.to_string(), to.to_string());
    let Some(mut chat) = existing(tables, device, &old_key)? else { return Ok(()) };
    tables.chats.remove((device.0, old_key.as_str()))?;
    tables.chats_by_time.remove((device.0, chat.last_at, old_key.as_str()))?;
    chat.jid = to.clone();
    let Some(known) = existing(tables, device, &key)? else { return put(tables, device, &key, None, &chat) };
    let before = Some(known.last_at);
    let unread = known.unread + chat.unread;
    let name = known.name.clone().or_else(|| chat.name.clone());
    let newer = if chat.last_at > known.last_at { chat } else { known };
    put(tables, device, &key, before, &Chat { unread, name, ..newer })
}

/// Returns how many messages of a chat nobody has read; 0 when it is unknown.
pub(super) fn unread(tables: &Tables<'_>, device: DeviceNo, key: &str) -> Result<u32> {
    Ok(existing(tables, device, key)?.map_or(0, |chat| chat.unread))
}

/// Sets how many messages of a chat nobody has read.
pub(super) fn set_unread(tables: &mut Tables<'_>, device: DeviceNo, key: &str, unread: u32) -> Result<()> {
    let Some(mut chat) = existing(tables, device, key)? else { return Ok(()) };
    chat.unread = unread;
    let at = chat.last_at;
    put(tables, device, key, Some(at), &chat)?;
    if unread > 0 {
        return Ok(());
    }
    let scope = devices::scope(&devices::existing(tables, device)?);
    notifications::chat_read(tables, &scope, key)
}

/// Returns the name of a chat that is new: the group's, or that by which the person is known.
fn name_of(tables: &Tables<'_>, message: &Message) -> Result<Option<String>> {
    let key = message.chat.to_string();
    match message.chat.is_group() {
        true => groups::subject(tables, message.device, &key),
        false => device_contacts::shown_name(tables, message.device, &key),
    }
}

fn existing(tables: &Tables<'_>, device: DeviceNo, key: &str) -> Result<Option<Chat>> {
    match tables.chats.get((device.0, key))? {
        Some(row) => decode("chats", key, row.value()).map(Some),
        None => Ok(None),
    }
}

/// Writes the row; `before` is the last activity with which it stands in the order, none when it is new.
fn put(tables: &mut Tables<'_>, device: DeviceNo, key: &str, before: Option<i64>, chat: &Chat) -> Result<()> {
    tables.chats.insert((device.0, key), encode(chat)?.as_slice())?;
    if before == Some(chat.last_at) {
        return Ok(());
    }
    if let Some(before) = before {
        tables.chats_by_time.remove((device.0, before, key))?;
    }
    tables.chats_by_time.insert((device.0, chat.last_at, key), ())?;
    Ok(())
}

fn preview(message: &Message) -> LastMessage {
    LastMessage {
        id: message.id.clone(),
        kind: message.content.kind().to_owned(),
        text: message.content.text().map(|text| text.chars().take(PREVIEW_CHARS).collect()),
        from_me: message.from_me,
        status: message.status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::messages;
    use crate::store::messages::tests::{incoming, store_with_device};

    #[tokio::test]
    async fn pages_hold_every_chat_once_even_those_of_one_millisecond() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let people = (0..5).map(|n| format!("628123456789{n}@s.whatsapp.net"));
        let all: Vec<String> = people.chain(["120363000000000001@g.us".to_owned()]).collect();
        for (n, chat) in all.iter().enumerate() {
            let chat: Jid = chat.parse().expect("an address");
            let message = Message { chat, ..incoming(device, &format!("M{n}"), 5_000) };
            store.write(move |t| messages::receive(t, &message, 5_000)).await.expect("stored");
        }
        let view = store.view().expect("a view");
        type Read = fn(&View, DeviceNo, Option<&ChatMark>, usize) -> Result<Vec<Chat>>;
        let walk = |read: Read| {
            let (mut seen, mut mark) = (Vec::new(), None);
            loop {
                let rows = read(&view, device, mark.as_ref(), 2).expect("a page");
                let Some(last) = rows.last() else { return seen };
                mark = Some(ChatMark::of(last));
                seen.extend(rows.iter().map(|chat| chat.jid.to_string()));
            }
        };
        let mut backwards = all.clone();
        backwards.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(walk(page), backwards);
        backwards.retain(|chat| !chat.ends_with("@g.us"));
        assert_eq!(walk(page_of_people), backwards);
        // A time alone stands before all chats of its millisecond.
        let older = page(&view, device, Some(&"5000".parse().expect("a mark")), 9).expect("a page");
        assert!(older.is_empty(), "{older:?}");
    }
}
