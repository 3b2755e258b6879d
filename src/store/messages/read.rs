//! Reading the history: pages of a chat, and single messages.

use super::rows::{find, first_at, own, stored};
use crate::error::{Code, Error, Result};
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::{Message, MessageStatus};
use crate::store::codec::decode;
use crate::store::identities;
use crate::store::tables::{Tables, View};

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

/// Returns the message of this author, under either of their addresses; the account itself when `author` is none.
pub(in crate::store) fn by_author(
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

/// Returns how far the account's own message came, or none when it is unknown.
pub(in crate::store) fn own_status(
    tables: &Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    id: &str,
) -> Result<Option<MessageStatus>> {
    let message = own(&tables.message_ids, &tables.messages, device, &chat.to_string(), id)?;
    Ok(message.map(|message| message.status))
}

fn at_of(view: &View, device: DeviceNo, id: &str, chat: &str) -> Result<Option<i64>> {
    first_at(&view.message_ids()?, device, id, chat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::messages::receive;
    use crate::store::messages::tests::{incoming, store_with_device};

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
}
