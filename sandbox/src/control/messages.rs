//! Messages of a phone: writing, reading, receipts.

use super::groups;
use super::phones::find;
use super::reply::{Failure, Outcome, body, parameter};
use super::user;
use crate::phone::compose::{self, Wish};
use crate::phone::{group_send, inbox, send as sending};
use crate::state::account::Account;
use crate::state::group::Group;
use crate::state::magic::Manner;
use crate::store::Batch;
use crate::world::World;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Members of a message that are not built yet.
const NOT_BUILT: [&str; 4] = ["media", "poll", "location", "contact"];

/// Lets a phone write to somebody; answers once the message is stored for every device it goes to.
pub(super) async fn send(world: &World, phone: &str, bytes: &Bytes) -> Outcome {
    let account = find(world, phone)?;
    let raw: Value = body(bytes)?;
    if let Some(what) = NOT_BUILT.iter().find(|what| raw.get(**what).is_some()) {
        return Err(Failure::not_built(&format!("{what} messages")));
    }
    let mut wish: Wish = body(bytes)?;
    let chat = chat(world, &wish.to)?;
    if let Chat::Group(group) = &chat {
        wish.mentions = groups::addresses(world, group, &wish.mentions)?;
    } else if !wish.mentions.is_empty() {
        return Err(Failure::invalid("`mentions` are for groups"));
    }
    let mut batch = world.batch();
    let stored = stored(&mut batch);
    let mut owner = account.phone.lock().await;
    let outgoing = compose::message(&account, &owner.log, &wish)
        .map_err(|error| Failure::invalid(format!("{error:#}")))?;
    let id = outgoing.id.clone();
    let composed = match &chat {
        Chat::Person(chat) => {
            let sent = sending::compose(world, &account, &mut owner, chat, outgoing, &mut batch).await;
            sent.map_err(Failure::internal)
        }
        Chat::Group(group) => {
            let sent = group_send::compose(world, &account, &mut owner, group, outgoing, &mut batch).await;
            sent.map_err(|error| Failure::new(403, "refused", format!("{error:#}")))
        }
    };
    owner.flush(&mut batch);
    let submitted = world.submit(batch);
    drop(owner);
    submitted.release();
    composed?;
    stored.await.map_err(|_| Failure::internal("the message was not stored"))?;
    Ok((201, json!({"id": id})))
}

/// Where something is written.
pub(super) enum Chat {
    Person(Arc<Account>),
    Group(Arc<Group>),
}

/// Finds where something is written: a person or a group.
pub(super) fn chat(world: &World, to: &str) -> Result<Chat, Failure> {
    if to.ends_with("@g.us") {
        groups::group(world, to).map(Chat::Group)
    } else {
        recipient(world, to).map(Chat::Person)
    }
}

/// Finds who is written to.
fn recipient(world: &World, to: &str) -> Result<Arc<Account>, Failure> {
    let jid = user(to).ok_or_else(|| Failure::invalid("`to` is neither a number nor an address"))?;
    let chat = world.directory.resolve(&world.store, &jid).map_err(Failure::internal)?;
    let chat =
        chat.ok_or_else(|| Failure::new(422, "not_on_whatsapp", format!("`{to}` is not on WhatsApp")))?;
    if chat.manner() == Manner::Refused {
        return Err(Failure::new(422, "refused_463", format!("`{to}` refuses every message with error 463")));
    }
    Ok(chat)
}

/// Lists what a phone sent and received, oldest first.
pub(super) async fn list(world: &World, phone: &str, query: &str) -> Outcome {
    let account = find(world, phone)?;
    let since = match parameter(query, "since").filter(|since| !since.is_empty()) {
        Some(since) => {
            since.parse().map_err(|_| Failure::invalid("`since` is a time in milliseconds since 1970"))?
        }
        None => 0,
    };
    let chat = parameter(query, "chat").filter(|chat| !chat.is_empty()).map(|chat| chat_number(world, &chat));
    let phone = account.phone.lock().await;
    let messages: Vec<Value> = phone.log.since(chat.as_deref(), since).map(|entry| entry.view()).collect();
    Ok((200, Value::Array(messages)))
}

/// Returns the number by which the log knows a chat; an unknown chat is one without messages.
fn chat_number(world: &World, chat: &str) -> String {
    let account = user(chat).and_then(|jid| world.directory.resolve(&world.store, &jid).ok().flatten());
    account.map_or_else(|| chat.to_owned(), |account| account.number.clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Receipt {
    id: String,
    r#type: ReceiptType,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ReceiptType {
    Delivered,
    Read,
    Played,
}

/// Sends a receipt of the phone for a message that it received.
pub(super) async fn receipt(world: &World, phone: &str, receipt: Receipt) -> Outcome {
    let account = find(world, phone)?;
    let owner = account.phone.lock().await;
    let entry = owner.log.by_id(&receipt.id).filter(|entry| !entry.from_me).cloned();
    drop(owner);
    let entry = entry.ok_or_else(|| {
        Failure::new(404, "message_not_found", format!("the phone received no message `{}`", receipt.id))
    })?;
    let kind = match receipt.r#type {
        ReceiptType::Delivered => "",
        ReceiptType::Read => "read",
        ReceiptType::Played => "played",
    };
    let mut batch = world.batch();
    let stored = stored(&mut batch);
    inbox::send_receipt_for(world, &account, &entry, kind, &mut batch).map_err(Failure::internal)?;
    world.commit(batch);
    stored.await.map_err(|_| Failure::internal("the receipt was not stored"))?;
    Ok((200, json!({"id": entry.id})))
}

/// Returns what resolves once a batch is stored.
fn stored(batch: &mut Batch) -> oneshot::Receiver<()> {
    let (done, stored) = oneshot::channel();
    // The receiver is only gone when the caller of the control API is.
    batch.then(move || {
        let _ = done.send(());
    });
    stored
}
