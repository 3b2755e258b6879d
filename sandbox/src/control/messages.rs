//! Messages of a phone: writing, reading, receipts.

use super::phones::find;
use super::reply::{ControlReply, Failure, Outcome, body, parameter};
use super::user;
use super::{channels, groups};
use crate::phone::compose::{self, Wish};
use crate::phone::{channel, chat_settings, group_send, inbox, media as phone_media, send as sending};
use crate::router::status;
use crate::state::account::Account;
use crate::state::channel::Channel;
use crate::state::group::{Group, Mode};
use crate::state::magic::Manner;
use crate::store::Batch;
use crate::world::World;
use buffa::Message as _;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::oneshot;
use waproto::whatsapp as wa;

/// Lets a phone write to somebody; answers once the message is stored for every device it goes to.
pub(super) async fn send(world: &World, phone: &str, bytes: &Bytes) -> Outcome {
    let account = find(world, phone)?;
    let wish: Wish<'_> = body(bytes)?;
    let place = place(world, &wish.to)?;
    if let (Place::Channel(channel), Some(id)) = (&place, &wish.revoke) {
        return delete_post(world, &account, channel, id).await;
    }
    let mentions = match &place {
        Place::Chat(Chat::Group(group)) => groups::addresses(world, group.facts().mode, &wish.mentions)?,
        _ => groups::addresses(world, Mode::Pn, &wish.mentions)?,
    };
    let attached = match &wish.media {
        Some(media) => {
            let medium = media.read().map_err(|error| Failure::invalid(format!("{error:#}")))?;
            Some(medium.seal(world).await.map_err(Failure::internal)?)
        }
        None => None,
    };
    let mut batch = world.batch();
    let stored = stored(&mut batch);
    let mut owner = account.phone.lock().await;
    let outgoing = compose::message(world, &account, &owner.log, &wish, mentions, attached, &mut batch)
        .map_err(|error| Failure::invalid(format!("{error:#}")))?;
    let id = outgoing.id.clone();
    let composed = match &place {
        Place::Chat(Chat::Person(chat)) if wish.held => {
            sending::hold(world, &account, &mut owner, chat, &outgoing, &mut batch);
            Ok(())
        }
        _ if wish.held => Err(Failure::invalid("only messages to a person can be `held`")),
        Place::Chat(Chat::Person(chat)) => {
            let sent = sending::compose(world, &account, &mut owner, chat, outgoing, &mut batch).await;
            sent.map_err(Failure::internal)
        }
        Place::Chat(Chat::Group(group)) => {
            let sent = group_send::compose(world, &account, &mut owner, group, outgoing, &mut batch).await;
            sent.map_err(|error| Failure::new(403, "refused", format!("{error:#}")))
        }
        Place::Channel(to) => channel::post(world, &account, &mut owner, to, outgoing, &mut batch)
            .map_err(|error| Failure::new(403, "refused", format!("{error:#}"))),
        Place::Status => {
            let audience = saved(world, &account);
            let sent = group_send::post(world, &account, &mut owner, audience, outgoing, &mut batch).await;
            sent.map_err(Failure::internal)
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

/// Where a phone writes.
enum Place {
    Chat(Chat),
    /// To everybody in the address book, for a day.
    Status,
    Channel(Arc<Channel>),
}

fn place(world: &World, to: &str) -> Result<Place, Failure> {
    if to == status::address().to_string() {
        return Ok(Place::Status);
    }
    match to.ends_with("@newsletter") {
        true => channels::channel(world, to).map(Place::Channel),
        false => chat(world, to).map(Place::Chat),
    }
}

/// Deletes a post of a channel that the phone runs.
async fn delete_post(world: &World, account: &Arc<Account>, channel: &Channel, id: &str) -> Outcome {
    let mut batch = world.batch();
    let stored = stored(&mut batch);
    channel::delete(world, account, channel, id, &mut batch)
        .map_err(|error| Failure::new(403, "refused", format!("{error:#}")))?;
    world.commit(batch);
    stored.await.map_err(|_| Failure::internal("the deletion was not stored"))?;
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

/// Returns the people in the address book of a phone: they see its status posts.
fn saved(world: &World, account: &Account) -> Vec<Arc<Account>> {
    let contacts = chat_settings::contacts(world, account);
    contacts.iter().filter_map(|contact| world.directory.by_number(&contact.phone)).collect()
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
    let messages: Vec<Value> =
        phone.log.since(chat.as_deref(), since).map(|entry| entry.view(world)).collect();
    Ok((200, Value::Array(messages)))
}

/// Returns the plain bytes of a medium that a phone sent or received.
pub(super) async fn media(world: &World, phone: &str, id: &str) -> Result<ControlReply, Failure> {
    let account = find(world, phone)?;
    let owner = account.phone.lock().await;
    let entry = owner.log.by_id(id).cloned();
    drop(owner);
    let none = |why: &str| Failure::new(404, "media_not_found", format!("{why} `{id}`"));
    let entry = entry.ok_or_else(|| none("the phone has no message"))?;
    if let Some(why) = entry.media_error {
        return Err(Failure::new(409, "media_broken", why));
    }
    let message = wa::Message::decode_from_slice(&entry.raw).map_err(Failure::internal)?;
    if phone_media::medium(&message).is_none() {
        return Err(none("there is no medium in message"));
    }
    let world = world.clone();
    let opened = tokio::task::spawn_blocking(move || phone_media::open(&world, &message)).await;
    let bytes = opened.map_err(Failure::internal)?.map_err(Failure::internal)?;
    let content_type = entry.mimetype.unwrap_or_else(|| "application/octet-stream".to_owned());
    Ok(ControlReply { status: 200, content_type, body: Bytes::from(bytes), allow: None })
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
pub(super) fn stored(batch: &mut Batch) -> oneshot::Receiver<()> {
    let (done, stored) = oneshot::channel();
    // The receiver is only gone when the caller of the control API is.
    batch.then(move || {
        let _ = done.send(());
    });
    stored
}
