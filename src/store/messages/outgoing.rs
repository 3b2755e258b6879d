//! The account's own messages on their way: waiting, settled, and what the recipients tell of them.

use super::rows::{newest, own, put, replace, take};
use crate::error::Result;
use crate::model::event::Fact;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::marks::Marks;
use crate::model::media::Media;
use crate::model::message::{Content, Message, MessageStatus};
use crate::store::tables::Tables;
use crate::store::{allowed, chats, devices, expiry, identities, outbox};

/// Stores an outgoing message that waits in the queue. What may not be kept stands in its job alone.
pub(in crate::store) fn insert_outgoing(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    insert(tables, &as_kept(tables, message)?)
}

fn insert(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    put(tables, message)?;
    chats::note(tables, message)
}

/// Returns a message that is new to the store as it may be kept.
fn as_kept(tables: &Tables<'_>, message: &Message) -> Result<Message> {
    let mut message = message.clone();
    allowed::verdict(tables, message.device)?.mark(&mut message.marks);
    Ok(message.kept().into_owned())
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

/// Writes what came of an attempt into an outgoing message; `message.at` may have moved.
///
/// `now` is when WhatsApp took it, in milliseconds since 1970. Returns the message as it is told: with what is not kept of it.
pub(in crate::store) fn settle_outgoing(
    tables: &mut Tables<'_>,
    message: &Message,
    now: i64,
) -> Result<Message> {
    let settled = match known(tables, message)? {
        Some(old) if old.at == message.at => {
            let settled = with_attempt(old, message);
            replace(tables, &settled)?;
            settled
        }
        Some(old) => {
            take(tables, old.device, &old.chat.to_string(), old.at, &old.id)?;
            let settled = with_attempt(old, message);
            put(tables, &settled)?;
            settled
        }
        None => {
            let settled = as_kept(tables, message)?;
            put(tables, &settled)?;
            settled
        }
    };
    chats::note(tables, &settled)?;
    expiry::note(tables, &settled, now)?;
    Ok(as_told(settled, message))
}

/// Returns a stored message with what only its job has of it.
fn as_told(stored: Message, attempt: &Message) -> Message {
    if !matches!(stored.content, Content::Withheld { .. }) {
        return stored;
    }
    let marks = Marks { quote: attempt.marks.quote.clone(), ..stored.marks };
    Message { content: attempt.content.clone(), mentions: attempt.mentions.clone(), marks, ..stored }
}

/// Shows an outgoing message as waiting, for the first time or once more after it was given up.
pub(in crate::store) fn wait_again(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    let Some(old) = known(tables, message)? else { return insert_outgoing(tables, message) };
    take(tables, old.device, &old.chat.to_string(), old.at, &old.id)?;
    let waiting = Message { status: message.status, ..with_attempt(old, message) };
    insert(tables, &waiting)
}

fn known(tables: &Tables<'_>, message: &Message) -> Result<Option<Message>> {
    own(&tables.message_ids, &tables.messages, message.device, &message.chat.to_string(), &message.id)
}

/// Returns the stored message as the attempt left it. What became of it meanwhile stays, as WhatsApp may have had it from an
/// earlier attempt: a receipt, reactions, votes, its deletion. A file that was fetched to be sent is new.
fn with_attempt(old: Message, attempt: &Message) -> Message {
    let content = match (old.content, &attempt.content) {
        (Content::Media(was), Content::Media(is)) => {
            Content::Media(Box::new(Media { caption: was.caption, ..(**is).clone() }))
        }
        (content, _) => content,
    };
    let mut marks = old.marks;
    if marks.edited_at.or(marks.deleted_at).is_none() {
        // The card of its link was looked for with the attempt.
        marks.preview.clone_from(&attempt.marks.preview);
    }
    let has_arrived = old.status >= MessageStatus::Sent;
    Message {
        content,
        marks,
        status: attempt.status.max(old.status),
        error: attempt.error.clone().filter(|_| !has_arrived),
        at: attempt.at,
        ..old
    }
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
        let is_first = message.status < MessageStatus::Sent;
        message.status = to;
        message.error = None;
        replace(tables, &message)?;
        if is_first {
            expiry::note(tables, &message, now)?;
        }
        chats::progress(tables, device, &chat_text, id, to)?;
        let scope = devices::scope(&devices::existing(tables, device)?);
        let fact = Fact::MessageStatus { message_id: id.clone(), chat: chat_text.clone(), status: to };
        outbox::append(tables, now, scope, fact)?;
    }
    Ok(())
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

    /// WhatsApp had the message, but Kurir was killed before it knew; when it is sent again, people have answered to it already.
    #[tokio::test]
    async fn what_became_of_a_message_before_it_was_settled_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let mut waiting = incoming(device, "OUT", 5);
        (waiting.from_me, waiting.status, waiting.sender) = (true, MessageStatus::Pending, None);
        let mut reacted = waiting.clone();
        reacted.marks.starred = true;
        reacted.content = Content::Deleted;
        store.write(move |t| insert_outgoing(t, &reacted)).await.expect("stored");
        let attempt = Message { status: MessageStatus::Sent, at: 9, ..waiting };
        let settled = store.write(move |t| settle_outgoing(t, &attempt, 9)).await.expect("settled");
        let found = own_message(&store.view().expect("a view"), device, &settled.chat, "OUT").expect("read");
        assert_eq!(found.as_ref(), Some(&settled));
        assert_eq!(
            (&settled.content, settled.at, settled.status),
            (&Content::Deleted, 9, MessageStatus::Sent)
        );
        assert!(settled.marks.starred);
    }
}
