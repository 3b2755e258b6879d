//! Messages: the history of each chat, and the index that shows what is known already.

mod history;
mod prune;

pub use history::import;
pub use prune::{prune, with_old};

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{
    chat_settings, chats, days, device_contacts, devices, expiry, identities, media, outbox, search,
};
use crate::error::{Code, Error, Result};
use crate::model::device_contact::Names;
use crate::model::event::Fact;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::media::Media;
use crate::model::message::{Content, Message, MessageStatus};
use redb::ReadableTable;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Stores an incoming message (or one that the account wrote elsewhere) and tells it, unless it is known already.
///
/// Returns whether it was new. The network delivers at least once; (chat, sender, id) names a message.
pub fn receive(tables: &mut Tables<'_>, message: &Message, now: i64) -> Result<bool> {
    let mut message = message.clone();
    message.chat = identities::canonical_in(tables, message.device, &message.chat)?;
    if let Some(sender) = &message.sender {
        message.sender = Some(identities::canonical_in(tables, message.device, sender)?);
    }
    if is_known(tables, &message)? {
        return Ok(false);
    }
    note_name(tables, &message)?;
    // The network tells seconds: within one, the order of arrival is the order of the chat, across restarts too.
    let last_at = chats::last_at(tables, message.device, &message.chat.to_string())?;
    if let Some(last_at) = last_at.filter(|last| *last >= message.at && *last / 1000 == message.at / 1000) {
        message.at = last_at + 1;
    }
    put(tables, &message)?;
    chats::note(tables, &message)?;
    chat_settings::note(tables, &message)?;
    expiry::note(tables, &message)?;
    media::want(tables, &message, now)?;
    let device = devices::touch(tables, message.device, now)?;
    outbox::append(tables, now, devices::scope(&device), Fact::MessageReceived { message })?;
    Ok(true)
}

/// Returns whether a message is stored already, under either address of its sender.
fn is_known(tables: &Tables<'_>, message: &Message) -> Result<bool> {
    let is_stored =
        |sender: &str| find(&tables.message_ids, message.device, &message.id, &message.chat, sender);
    if is_stored(&sender_of(message))?.is_some() {
        return Ok(true);
    }
    let lid = match &message.sender {
        Some(sender) if !message.from_me => identities::lid_in(tables, message.device, sender)?,
        _ => None,
    };
    match lid {
        Some(lid) => Ok(is_stored(&lid.to_string())?.is_some()),
        None => Ok(false),
    }
}

/// The name that came with a message is how its sender wants to be called.
fn note_name(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    match &message.sender {
        Some(sender) if !message.from_me && message.push_name.is_some() => {
            let names = Names { notify: message.push_name.clone(), ..Names::default() };
            device_contacts::learn(tables, message.device, sender, &names)
        }
        _ => Ok(()),
    }
}

/// Moves the messages of a chat to the other address of the same person.
pub(super) fn move_chat(tables: &mut Tables<'_>, device: DeviceNo, from: &Jid, to: &Jid) -> Result<()> {
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

/// The place of a stored message: device, chat, at ms, id.
pub(super) type Place = (u32, String, i64, String);

/// Indexes and counts up to `limit` messages behind `from` that a store of an earlier version left without. Returns where it
/// stopped, none when there are no more.
pub(super) fn index_next(
    tables: &mut Tables<'_>,
    from: Option<Place>,
    limit: usize,
) -> Result<Option<Place>> {
    let from = from.unwrap_or((0, String::new(), i64::MIN, String::new()));
    let mut found: Vec<Message> = Vec::new();
    for row in tables.messages.range((from.0, from.1.as_str(), from.2, from.3.as_str())..)?.take(limit + 1) {
        let (at, value) = row?;
        found.push(decode("messages", at.value(), value.value())?);
    }
    for message in &found {
        if search::add_missing(tables, message)? {
            days::note(tables, None, Some(message))?;
        }
    }
    let last = found.last().filter(|_| found.len() > limit);
    Ok(last.map(|last| (last.device.0, last.chat.to_string(), last.at, last.id.clone())))
}

/// Stores an outgoing message that waits in the queue.
pub(super) fn insert_outgoing(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    put(tables, message)?;
    chats::note(tables, message)
}

/// Removes an outgoing message that will never be sent.
pub(super) fn remove_outgoing(tables: &mut Tables<'_>, device: DeviceNo, chat: &Jid, id: &str) -> Result<()> {
    let chat_text = chat.to_string();
    let Some(at) = tables.message_ids.remove((device.0, id, chat_text.as_str(), ""))?.map(|row| row.value())
    else {
        return Ok(());
    };
    take(tables, device, &chat_text, at, id)?;
    let newest = newest(&tables.messages, device, &chat_text)?;
    chats::forget(tables, device, &chat_text, id, newest.as_ref())
}

/// Replaces an outgoing message after an attempt; `message.at` may have moved.
pub(super) fn settle_outgoing(tables: &mut Tables<'_>, message: &Message) -> Result<Message> {
    let chat = message.chat.to_string();
    let mut message = message.clone();
    let known = tables
        .message_ids
        .get((message.device.0, message.id.as_str(), chat.as_str(), ""))?
        .map(|r| r.value());
    if let Some(at) = known {
        let key = (message.device.0, chat.as_str(), at, message.id.as_str());
        if let Some(old) = tables.messages.get(key)? {
            let old: Progress = decode("messages", &message.id, old.value())?;
            // A receipt may have overtaken the acceptance.
            message.status = message.status.max(old.status);
        }
        if at != message.at {
            take(tables, message.device, &chat, at, &message.id)?;
        }
    }
    if known == Some(message.at) {
        replace(tables, &message)?;
    } else {
        put(tables, &message)?;
    }
    chats::note(tables, &message)?;
    expiry::note(tables, &message)?;
    Ok(message)
}

/// Shows an outgoing message as waiting, for the first time or once more after it was given up.
pub(super) fn wait_again(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let chat = message.chat.to_string();
    let key = (message.device.0, message.id.as_str(), chat.as_str(), "");
    let known = tables.message_ids.get(key)?.map(|row| row.value());
    if let Some(at) = known {
        take(tables, message.device, &chat, at, &message.id)?;
    }
    insert_outgoing(tables, message)
}

/// Returns the message of this author, under either of their addresses; the account itself when `author` is none.
pub(super) fn by_author(
    tables: &Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    id: &str,
    author: Option<&Jid>,
) -> Result<Option<Message>> {
    let names = match author {
        None => vec![String::new()],
        Some(author) => {
            let lid = identities::lid_in(tables, device, author)?;
            [Some(author.clone()), lid].into_iter().flatten().map(|name| name.to_string()).collect()
        }
    };
    for sender in &names {
        if let Some(at) = find(&tables.message_ids, device, id, chat, sender)? {
            return stored(tables, device, chat, at, id);
        }
    }
    Ok(None)
}

/// Returns the message, whoever wrote it.
pub fn by_anybody(tables: &Tables<'_>, device: DeviceNo, chat: &Jid, id: &str) -> Result<Option<Message>> {
    match first_at(&tables.message_ids, device, id, &chat.to_string())? {
        Some(at) => stored(tables, device, chat, at, id),
        None => Ok(None),
    }
}

/// Takes a message out of the history as if it had never been.
pub(super) fn vanish(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let (device, chat, id) = (message.device, message.chat.to_string(), message.id.as_str());
    // What was counted stays counted: it was sent, and nobody can see any more what it was.
    let old = remove(tables, device, &chat, message.at, id)?;
    search::note(tables, old.as_ref(), None)?;
    let ids = (device.0, id, chat.as_str(), "")..=(device.0, id, chat.as_str(), "\u{10ffff}");
    tables.message_ids.retain_in(ids, |_, at| at != message.at)?;
    let newest = newest(&tables.messages, device, &chat)?;
    chats::forget(tables, device, &chat, id, newest.as_ref())
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

/// Writes a message of the history as it stands now.
pub(super) fn amend(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    replace(tables, message)
}

/// Returns how far the account's own message came, or none when it is unknown.
pub(super) fn own_status(
    tables: &Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    id: &str,
) -> Result<Option<MessageStatus>> {
    let message = own(&tables.message_ids, &tables.messages, device, &chat.to_string(), id)?;
    Ok(message.map(|message| message.status))
}

/// Moves the account's own messages forward after a receipt of the recipient, and tells each change.
pub fn advance(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    ids: &[String],
    to: MessageStatus,
    now: i64,
) -> Result<()> {
    let chat_text = identities::canonical_in(tables, device, chat)?.to_string();
    for id in ids {
        let Some(mut message) = own(&tables.message_ids, &tables.messages, device, &chat_text, id)? else {
            continue;
        };
        if message.status >= to {
            continue;
        }
        message.status = to;
        message.error = None;
        replace(tables, &message)?;
        chats::progress(tables, device, &chat_text, id, to)?;
        let scope = devices::scope(&devices::existing(tables, device)?);
        let fact = Fact::MessageStatus { message_id: id.clone(), chat: chat_text.clone(), status: to };
        outbox::append(tables, now, scope, fact)?;
    }
    Ok(())
}

/// Marks the incoming messages of a chat as read, up to a time in milliseconds since 1970.
pub fn mark_read(tables: &mut Tables<'_>, device: DeviceNo, chat: &Jid, up_to: i64) -> Result<()> {
    read_up_to(tables, device, &chat.to_string(), up_to)
}

/// Marks incoming messages as read that the account read elsewhere, and all before them in their chats.
pub fn mark_read_by_ids(tables: &mut Tables<'_>, device: DeviceNo, ids: &[String]) -> Result<()> {
    let mut chats: BTreeMap<String, i64> = BTreeMap::new();
    for id in ids {
        let all = (device.0, id.as_str(), "", "")..=(device.0, id.as_str(), "\u{10ffff}", "");
        for row in tables.message_ids.range(all)? {
            let (key, at) = row?;
            let newest = chats.entry(key.value().2.to_owned()).or_insert(i64::MIN);
            *newest = (*newest).max(at.value());
        }
    }
    chats.iter().try_for_each(|(chat, up_to)| read_up_to(tables, device, chat, *up_to))
}

/// What came after `up_to` stays unread.
fn read_up_to(tables: &mut Tables<'_>, device: DeviceNo, chat: &str, up_to: i64) -> Result<()> {
    let unread = chats::unread(tables, device, chat)?;
    let mut left = 0;
    let later = (device.0, chat, up_to.saturating_add(1), "")..=(device.0, chat, i64::MAX, "\u{10ffff}");
    for row in tables.messages.range(later)? {
        if left == unread {
            break;
        }
        let (at, value) = row?;
        let direction: Direction = decode("messages", at.value(), value.value())?;
        left += u32::from(!direction.from_me);
    }
    if left == unread { Ok(()) } else { chats::set_unread(tables, device, chat, left) }
}

/// Returns up to `limit` messages of a chat, newest first, older than the message `before` when one is given.
pub fn page(
    view: &View,
    device: DeviceNo,
    chat: &Jid,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<Message>> {
    let chat = chat.to_string();
    let table = view.messages()?;
    let first = (device.0, chat.as_str(), i64::MIN, "");
    let rows = match before {
        Some(id) => {
            let at = at_of(view, device, id, &chat)?;
            let at = at.ok_or_else(|| Error::new(Code::MessageUnknown).with("field", "before"))?;
            table.range(first..(device.0, chat.as_str(), at, id))?
        }
        None => table.range(first..=(device.0, chat.as_str(), i64::MAX, "\u{10ffff}"))?,
    };
    rows.rev()
        .take(limit)
        .map(|row| {
            let (at, value) = row?;
            decode("messages", at.value(), value.value())
        })
        .collect()
}

/// Returns the message `id` of a chat, whoever wrote it, or none.
pub fn get(view: &View, device: DeviceNo, chat: &Jid, id: &str) -> Result<Option<Message>> {
    let chat = chat.to_string();
    let Some(at) = at_of(view, device, id, &chat)? else { return Ok(None) };
    match view.messages()?.get((device.0, chat.as_str(), at, id))? {
        Some(row) => decode("messages", (at, id), row.value()).map(Some),
        None => Ok(None),
    }
}

/// Returns the account's own message `id` in a chat, or none.
pub fn own_message(view: &View, device: DeviceNo, chat: &Jid, id: &str) -> Result<Option<Message>> {
    own(&view.message_ids()?, &view.messages()?, device, &chat.to_string(), id)
}

/// Returns the message of a chat that was written at `at`, or none. The chat may have moved to another address since.
pub fn at(view: &View, device: DeviceNo, chat: &Jid, at: i64, id: &str) -> Result<Option<Message>> {
    let chat = identities::canonical(view, device, chat)?.to_string();
    match view.messages()?.get((device.0, chat.as_str(), at, id))? {
        Some(row) => decode("messages", (chat, at, id), row.value()).map(Some),
        None => Ok(None),
    }
}

/// Replaces what is known of a message's file; returns the message, or none when it is gone. The chat may have moved.
pub(super) fn set_media(
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

type Ids = (u32, &'static str, &'static str, &'static str);
type Rows = (u32, &'static str, i64, &'static str);

fn own(
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

fn find(
    ids: &impl ReadableTable<Ids, i64>,
    device: DeviceNo,
    id: &str,
    chat: &Jid,
    sender: &str,
) -> Result<Option<i64>> {
    Ok(ids.get((device.0, id, chat.to_string().as_str(), sender))?.map(|row| row.value()))
}

fn at_of(view: &View, device: DeviceNo, id: &str, chat: &str) -> Result<Option<i64>> {
    first_at(&view.message_ids()?, device, id, chat)
}

fn first_at(
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

fn stored(tables: &Tables<'_>, device: DeviceNo, chat: &Jid, at: i64, id: &str) -> Result<Option<Message>> {
    match tables.messages.get((device.0, chat.to_string().as_str(), at, id))? {
        Some(row) => decode("messages", (at, id), row.value()).map(Some),
        None => Ok(None),
    }
}

fn newest(
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
fn sender_of(message: &Message) -> String {
    match &message.sender {
        Some(sender) if !message.from_me => sender.to_string(),
        _ => String::new(),
    }
}

/// The part of a stored message that a settling one has to know.
#[derive(Deserialize)]
struct Progress {
    status: MessageStatus,
}

/// The part of a stored message that tells who wrote it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Direction {
    from_me: bool,
}

/// Writes a message that stands at its time already, so its index is right.
fn replace(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let old = write(tables, message)?;
    note(tables, old.as_ref(), Some(message))
}

fn put(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    replace(tables, message)?;
    index(tables, message)
}

/// Removes a message from its place; who puts it elsewhere or away for ever sees to its id.
fn take(tables: &mut Tables<'_>, device: DeviceNo, chat: &str, at: i64, id: &str) -> Result<()> {
    let old = remove(tables, device, chat, at, id)?;
    note(tables, old.as_ref(), None)
}

/// Removes the row and returns what stood there.
fn remove(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    chat: &str,
    at: i64,
    id: &str,
) -> Result<Option<Message>> {
    match tables.messages.remove((device.0, chat, at, id))? {
        Some(row) => decode("messages", (chat, at, id), row.value()).map(Some),
        None => Ok(None),
    }
}

/// Keeps what is counted and what is found in step with the messages.
fn note(tables: &mut Tables<'_>, old: Option<&Message>, new: Option<&Message>) -> Result<()> {
    search::note(tables, old, new)?;
    days::note(tables, old, new)
}

/// Writes the row and returns what stood there.
fn write(tables: &mut Tables<'_>, message: &Message) -> Result<Option<Message>> {
    let chat = message.chat.to_string();
    let key = (message.device.0, chat.as_str(), message.at, message.id.as_str());
    match tables.messages.insert(key, encode(message)?.as_slice())? {
        Some(old) => decode("messages", &message.id, old.value()).map(Some),
        None => Ok(None),
    }
}

fn index(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let (chat, sender) = (message.chat.to_string(), sender_of(message));
    let key = (message.device.0, message.id.as_str(), chat.as_str(), sender.as_str());
    tables.message_ids.insert(key, message.at)?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::device::Device;
    use crate::model::id::{DeviceId, UserId};
    use crate::store::Store;

    pub(in crate::store) async fn store_with_device(dir: &std::path::Path) -> (Store, DeviceNo) {
        let store = Store::for_tests(dir);
        let id = DeviceId::parse("device-001").expect("an id");
        let device = Device::new(id, "Toko".into(), UserId(1), 0);
        let no = store.write(move |t| devices::insert(t, device.clone())).await.expect("inserted").no;
        (store, no)
    }

    pub(in crate::store) fn incoming(device: DeviceNo, id: &str, at: i64) -> Message {
        let chat: Jid = "6281234567890@s.whatsapp.net".parse().expect("an address");
        Message {
            device,
            id: id.into(),
            chat: chat.clone(),
            sender: Some(chat),
            from_me: false,
            push_name: Some("Ani".into()),
            content: Content::Text { text: format!("text {id}") },
            mentions: Vec::new(),
            marks: Default::default(),
            at,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
        }
    }

    #[tokio::test]
    async fn a_message_that_comes_twice_is_stored_and_told_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let first = store.write(move |t| receive(t, &incoming(device, "A", 5), 5)).await.expect("stored");
        let second = store.write(move |t| receive(t, &incoming(device, "A", 5), 6)).await.expect("known");
        assert!(first && !second);
        let view = store.view().expect("a view");
        let told = outbox::after(&view, 0, 10).expect("read");
        assert_eq!(told.iter().filter(|e| matches!(e.fact, Fact::MessageReceived { .. })).count(), 1);
        assert_eq!(chats::page(&view, device, None, 10).expect("read")[0].unread, 1);
    }

    #[tokio::test]
    async fn pages_go_back_in_time_without_gap_or_repeat() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for n in 0..7i64 {
            store
                .write(move |t| receive(t, &incoming(device, &format!("M{n}"), n / 2), n))
                .await
                .expect("stored");
        }
        let chat = incoming(device, "", 0).chat;
        let view = store.view().expect("a view");
        let (mut seen, mut before) = (Vec::new(), None::<String>);
        loop {
            let page = page(&view, device, &chat, before.as_deref(), 3).expect("a page");
            let Some(last) = page.last() else { break };
            before = Some(last.id.clone());
            seen.extend(page.into_iter().map(|message| message.id));
        }
        assert_eq!(seen, ["M6", "M5", "M4", "M3", "M2", "M1", "M0"]);
        let unknown = page(&view, device, &chat, Some("nope"), 3).expect_err("refused");
        assert_eq!(unknown.code(), Code::MessageUnknown);
    }

    #[tokio::test]
    async fn receipts_move_a_message_forward_and_never_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let mut sent = incoming(device, "OUT", 5);
        (sent.from_me, sent.status) = (true, MessageStatus::Sent);
        let chat = sent.chat.clone();
        store.write(move |t| insert_outgoing(t, &sent)).await.expect("stored");
        for to in [MessageStatus::Read, MessageStatus::Delivered] {
            let chat = chat.clone();
            store.write(move |t| advance(t, device, &chat, &["OUT".into()], to, 9)).await.expect("moved");
        }
        let view = store.view().expect("a view");
        let found = own_message(&view, device, &chat, "OUT").expect("read").expect("found");
        assert_eq!(found.status, MessageStatus::Read);
    }

    #[tokio::test]
    async fn what_came_after_the_message_that_was_read_stays_unread() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for n in 0..4i64 {
            let message = incoming(device, &format!("M{n}"), n * 1000);
            store.write(move |t| receive(t, &message, n)).await.expect("stored");
        }
        let unread = || {
            let view = store.view().expect("a view");
            chats::page(&view, device, None, 10).expect("read")[0].unread
        };
        for (id, left) in [("M1", 2), ("M0", 2), ("unknown", 2), ("M3", 0)] {
            store.write(move |t| mark_read_by_ids(t, device, &[id.into()])).await.expect("marked");
            assert_eq!(unread(), left, "after {id}");
        }
    }
}
