//! The account's own messages on their way: waiting, settled, and what the recipients tell of them.

use super::rows::{newest, own, put, replace, take};
use crate::error::Result;
use crate::model::event::Fact;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::{Message, MessageStatus};
use crate::store::codec::decode;
use crate::store::tables::Tables;
use crate::store::{chats, devices, expiry, identities, outbox};
use redb::ReadableTable as _;
use serde::Deserialize;

/// Stores an outgoing message that waits in the queue.
pub(in crate::store) fn insert_outgoing(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    put(tables, message)?;
    chats::note(tables, message)
}

/// Removes an outgoing message that will never be sent.
pub(in crate::store) fn remove_outgoing(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    id: &str,
) -> Result<()> {
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
pub(in crate::store) fn settle_outgoing(tables: &mut Tables<'_>, message: &Message) -> Result<Message> {
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
pub(in crate::store) fn wait_again(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let chat = message.chat.to_string();
    let key = (message.device.0, message.id.as_str(), chat.as_str(), "");
    let known = tables.message_ids.get(key)?.map(|row| row.value());
    if let Some(at) = known {
        take(tables, message.device, &chat, at, &message.id)?;
    }
    insert_outgoing(tables, message)
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

/// The part of a stored message that a settling one has to know.
#[derive(Deserialize)]
struct Progress {
    status: MessageStatus,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::messages::own_message;
    use crate::store::messages::tests::{incoming, store_with_device};

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
}
