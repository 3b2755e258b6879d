//! What is set for a chat: its disappearing timer, and what the owner set. It may be set before the first message.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{devices, groups, identities, outbox};
use crate::error::Result;
use crate::model::chat::{ChatChange, ChatSettings, PastChat};
use crate::model::event::Fact;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::Message;
use redb::ReadableTable;

const TABLE: &str = "chat_settings";

/// Returns what is set for a chat.
pub fn get(view: &View, device: DeviceNo, chat: &Jid) -> Result<ChatSettings> {
    read(&view.chat_settings()?, device, &chat.to_string())
}

/// Returns the addresses of the chats that are kept on top of the list.
pub fn pinned(view: &View, device: DeviceNo) -> Result<Vec<String>> {
    let table = view.chat_settings()?;
    let mut found = Vec::new();
    for row in table.range((device.0, "")..=(device.0, "\u{10ffff}"))? {
        let (key, settings) = row?;
        let (_, chat) = key.value();
        let settings: ChatSettings = decode(TABLE, chat, settings.value())?;
        if settings.pinned {
            found.push(chat.to_owned());
        }
    }
    Ok(found)
}

/// Sets the disappearing timer of a conversation and tells it, unless a newer one is known. `at` is when it was set, in
/// milliseconds since 1970.
pub fn set_timer(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    by: Option<&Jid>,
    seconds: u32,
    at: i64,
    now: i64,
) -> Result<()> {
    let chat = identities::canonical_in(tables, device, chat)?;
    let by = by.map(|by| identities::canonical_in(tables, device, by)).transpose()?;
    if !keep_timer(tables, device, &chat, seconds, at)? {
        return Ok(());
    }
    let scope = devices::scope(&devices::existing(tables, device)?);
    outbox::append(tables, now, scope, Fact::ChatTimer { chat, by, seconds })
}

/// Sets something for a chat and tells it, when it is another setting than before.
pub fn set(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    change: ChatChange,
    at: i64,
    now: i64,
) -> Result<()> {
    let chat = identities::canonical_in(tables, device, chat)?;
    let key = chat.to_string();
    let mut settings = read(&tables.chat_settings, device, &key)?;
    if !settings.take(change) {
        return Ok(());
    }
    settings.set_at = settings.set_at.max(at);
    put(tables, device, &key, &settings)?;
    let scope = devices::scope(&devices::existing(tables, device)?);
    outbox::append(tables, now, scope, Fact::ChatSet { chat, change })
}

/// Takes over what the phone says of a chat, unless something was set since; nobody is told of the past.
pub(super) fn take_over(tables: &mut Tables<'_>, chat: &Jid, past: &PastChat) -> Result<()> {
    let key = chat.to_string();
    let known = read(&tables.chat_settings, past.device, &key)?;
    let mut settings = known.clone();
    (settings.archived, settings.pinned) = (past.archived, past.pinned);
    settings.muted_until = past.muted_until;
    if known.set_at > 0 || settings == known {
        return Ok(());
    }
    put(tables, past.device, &key, &settings)
}

/// Learns the timer of a conversation from a message that came with one.
pub(super) fn note(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    match message.marks.expires_in_s {
        Some(seconds) if !message.chat.is_group() => {
            keep_timer(tables, message.device, &message.chat, seconds, message.at).map(drop)
        }
        _ => Ok(()),
    }
}

/// Returns the seconds after which what is sent to a chat disappears, or none when it stays.
pub(super) fn timer(tables: &Tables<'_>, device: DeviceNo, chat: &Jid) -> Result<Option<u32>> {
    let seconds = match chat.is_group() {
        true => groups::timer(tables, device, &chat.to_string())?,
        false => read(&tables.chat_settings, device, &chat.to_string())?.timer_s,
    };
    Ok(Some(seconds).filter(|seconds| *seconds > 0))
}

/// Moves what is set for a conversation to the other address of the same person; what is set there already stays.
pub(super) fn merge(tables: &mut Tables<'_>, device: DeviceNo, from: &Jid, to: &Jid) -> Result<()> {
    let (old_key, key) = (from.to_string(), to.to_string());
    let Some(old) =
        tables.chat_settings.remove((device.0, old_key.as_str()))?.map(|row| row.value().to_vec())
    else {
        return Ok(());
    };
    let old: ChatSettings = decode(TABLE, &old_key, &old)?;
    let known = read(&tables.chat_settings, device, &key)?;
    let (timer, set) = (old.timer_at > known.timer_at, old.set_at > known.set_at);
    let mut newer = if set { old.clone() } else { known.clone() };
    let by = if timer { old } else { known };
    (newer.timer_s, newer.timer_at) = (by.timer_s, by.timer_at);
    put(tables, device, &key, &newer)
}

/// Forgets what was set for the chats of a device.
pub(super) fn wipe(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    let range = (device.0, "")..=(device.0, "\u{10ffff}");
    tables.chat_settings.retain_in(range, |_, _| false)?;
    Ok(())
}

/// Returns whether the timer is another one than before.
fn keep_timer(tables: &mut Tables<'_>, device: DeviceNo, chat: &Jid, seconds: u32, at: i64) -> Result<bool> {
    let key = chat.to_string();
    let mut settings = read(&tables.chat_settings, device, &key)?;
    if settings.timer_at > at {
        return Ok(false);
    }
    let is_other = settings.timer_s != seconds;
    (settings.timer_s, settings.timer_at) = (seconds, at);
    put(tables, device, &key, &settings)?;
    Ok(is_other)
}

fn put(tables: &mut Tables<'_>, device: DeviceNo, key: &str, settings: &ChatSettings) -> Result<()> {
    tables.chat_settings.insert((device.0, key), encode(settings)?.as_slice())?;
    Ok(())
}

fn read(
    table: &impl ReadableTable<(u32, &'static str), &'static [u8]>,
    device: DeviceNo,
    key: &str,
) -> Result<ChatSettings> {
    match table.get((device.0, key))? {
        Some(row) => decode(TABLE, key, row.value()),
        None => Ok(ChatSettings::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::jid::Identity;
    use crate::store::Store;
    use crate::store::messages::tests::store_with_device;

    const LID: &str = "100@lid";
    const PHONE: &str = "6281234567890@s.whatsapp.net";

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    async fn set(store: &Store, device: DeviceNo, seconds: u32, at: i64) {
        store.write(move |t| set_timer(t, device, &jid(LID), None, seconds, at, 9)).await.expect("set");
    }

    #[tokio::test]
    async fn the_newest_timer_counts_and_is_told_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for (seconds, at) in [(86_400, 5), (86_400, 6), (0, 4)] {
            set(&store, device, seconds, at).await;
        }
        let view = store.view().expect("a view");
        assert_eq!(get(&view, device, &jid(LID)).expect("read").timer_s, 86_400);
        let told = outbox::after(&view, 0, 100).expect("read");
        assert_eq!(told.iter().filter(|event| matches!(event.fact, Fact::ChatTimer { .. })).count(), 1);
    }

    #[tokio::test]
    async fn what_the_owner_sets_is_told_once_and_stays_with_the_person() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for change in [
            ChatChange::Archived { on: true },
            ChatChange::Archived { on: true },
            ChatChange::Muted { until: Some(i64::MAX) },
        ] {
            store.write(move |t| super::set(t, device, &jid(LID), change, 5, 9)).await.expect("set");
        }
        set(&store, device, 86_400, 6).await;
        let who = Identity { lid: "100".into(), phone: "6281234567890".into() };
        store.write(move |t| identities::learn(t, device, &who, 9)).await.expect("learned");
        let view = store.view().expect("a view");
        let settings = get(&view, device, &jid(PHONE)).expect("read");
        assert!(settings.archived && !settings.pinned && settings.muted_until == Some(i64::MAX));
        assert_eq!(settings.timer_s, 86_400);
        let told = outbox::after(&view, 0, 100).expect("read");
        assert_eq!(told.iter().filter(|event| matches!(event.fact, Fact::ChatSet { .. })).count(), 2);
    }

    #[tokio::test]
    async fn a_timer_stays_with_the_person() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        set(&store, device, 604_800, 5).await;
        let who = Identity { lid: "100".into(), phone: "6281234567890".into() };
        store.write(move |t| identities::learn(t, device, &who, 9)).await.expect("learned");
        let timer = store.write(move |t| timer(t, device, &jid(PHONE))).await.expect("read");
        assert_eq!(timer, Some(604_800));
        set(&store, device, 0, 6).await;
        let view = store.view().expect("a view");
        assert_eq!(get(&view, device, &jid(PHONE)).expect("read").timer_s, 0);
    }
}
