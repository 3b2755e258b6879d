//! A phone with channels: reading what was posted in those it follows, posting in its own.

use super::Phone;
use super::inbox;
use super::log::NewEntry;
use super::send::Outgoing;
use crate::state::account::Account;
use crate::state::channel::{Channel, Post};
use crate::store::Batch;
use crate::world::World;
use crate::{channels, clock, node, stats};
use anyhow::{Context, Result, anyhow};
use buffa::Message as _;
use std::sync::Arc;
use wacore::send::{media_type_from_message, stanza_type_from_message};
use wacore_binary::{Jid, JidExt as _, Node};
use waproto::whatsapp as wa;

/// Takes a post into the phone's log; a deletion takes nothing out of it, as a log is what happened.
pub async fn message(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    channel: Jid,
    stanza: &Node,
    batch: &mut Batch,
) -> Result<()> {
    if node::attr(stanza, "edit").is_some() {
        return Ok(());
    }
    let plaintext = node::child(stanza, "plaintext").context("a post without content")?;
    let message = wa::Message::decode_from_slice(&node::content(plaintext))?;
    let from_me = node::attr(stanza, "is_sender").is_some_and(|own| own == "true");
    let (id, chat) = (node::text_attr(stanza, "id"), channel.to_string());
    let from = if from_me { account.number.as_str() } else { channel.user() };
    let entry = NewEntry { id: &id, chat: &chat, from, from_me, device: 0, author: Some(chat.clone()) };
    inbox::take(world, account, phone, entry, &message, batch).await;
    Ok(())
}

/// Posts in a channel and notes it in the phone's log. Fails when the phone does not run the channel.
pub fn post(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    channel: &Channel,
    outgoing: Outgoing,
    batch: &mut Batch,
) -> Result<()> {
    let post = Post {
        id: outgoing.id.clone(),
        by: account.number.clone(),
        at: clock::now_s(),
        kind: stanza_type_from_message(&outgoing.message).to_owned(),
        mediatype: media_type_from_message(&outgoing.message).map(str::to_owned),
        raw: outgoing.message.encode_to_vec(),
    };
    channels::publish(world, channel, account, 0, post, None, batch)
        .map_err(|_| anyhow!("the phone does not run this channel"))?;
    stats::add(&world.stats.messages, 1);
    let chat = channel.jid().to_string();
    let entry = NewEntry {
        id: &outgoing.id,
        chat: &chat,
        from: &account.number,
        from_me: true,
        device: 0,
        author: Some(chat.clone()),
    };
    inbox::keep(world, account, phone, entry, &outgoing.message, batch);
    Ok(())
}

/// Deletes a post of the channel for everybody. Fails when there is none, or the phone does not run the channel.
pub fn delete(
    world: &World,
    account: &Arc<Account>,
    channel: &Channel,
    id: &str,
    batch: &mut Batch,
) -> Result<()> {
    let post = Post {
        id: id.to_owned(),
        by: account.number.clone(),
        at: clock::now_s(),
        kind: "text".to_owned(),
        mediatype: None,
        raw: Vec::new(),
    };
    let gone = channels::publish(world, channel, account, 0, post, Some(channels::DELETED), batch);
    gone.map(drop).map_err(|refusal| anyhow!("{}", refusal.text))
}
