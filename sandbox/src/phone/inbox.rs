//! A phone working through its queue: opening messages, keeping its log, answering with receipts, echoes and retries.

use super::log::{Entry, NewEntry};
use super::signal::peer_name;
use super::{Phone, bundle::Bundle, channel, group_inbox, introduce, media, poll, reupload, send};
use crate::clock;
use crate::node;
use crate::router;
use crate::stanza::receipt;
use crate::state::account::Account;
use crate::state::magic::Manner;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::sync::Arc;
use wacore::messages::unwrap_device_sent;
use wacore::proto_helpers::MessageExt as _;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node};
use waproto::whatsapp as wa;

/// Stanzas handled under one lock and one commit.
const STEP: usize = 64;
/// How often a phone asks for a message that it cannot read.
const RETRIES_MAX: u8 = 4;
/// Unreadable messages remembered for counting.
const RETRY_MEMORY: usize = 1000;

/// Returns whether a phone has something to do.
pub fn has_work(account: &Account) -> bool {
    let state = account.state();
    state.queue.has_stored() || state.companions.values().any(introduce::is_due)
}

/// Handles everything that waits for a phone.
pub async fn work_through(world: &World, account: &Arc<Account>) {
    introduce::all_due(world, account).await;
    loop {
        let waiting = account.state().queue.oldest_stored(STEP);
        if waiting.is_empty() {
            return;
        }
        let mut phone = account.phone.lock().await;
        let mut batch = world.batch();
        for (_, stanza) in &waiting {
            tracing::trace!(phone = account.number, "P< {}", node::Line(stanza));
            if let Err(error) = handle(world, account, &mut phone, stanza, &mut batch).await {
                tracing::warn!(phone = account.number, "phone could not handle a {}: {error:#}", stanza.tag);
            }
        }
        phone.flush(&mut batch);
        {
            let mut state = account.state();
            waiting.iter().for_each(|(seq, _)| state.queue.remove(*seq));
            let handled: Vec<u64> = waiting.iter().map(|(seq, _)| *seq).collect();
            state.forget(&account.number, 0, &handled, &mut batch);
        }
        let submitted = world.submit(batch);
        drop(phone);
        submitted.release();
    }
}

async fn handle(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    stanza: &Node,
    batch: &mut Batch,
) -> Result<()> {
    match stanza.tag.as_ref() {
        "message" => message(world, account, phone, stanza, batch).await,
        "receipt" if node::attr(stanza, "type").is_some_and(|kind| kind == "retry") => {
            send::again(world, account, phone, stanza, batch).await
        }
        "receipt" if node::attr(stanza, "type").is_some_and(|kind| kind == "server-error") => {
            reupload::answer(world, account, phone, stanza, batch)
        }
        "receipt" => {
            let kind = node::text_attr(stanza, "type");
            receipt::ids(stanza).iter().for_each(|id| phone.log.receipt(id, &kind, batch));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The device that sent a stanza.
pub(super) struct Origin {
    /// Its account.
    pub account: Arc<Account>,
    /// Its id.
    pub device: u16,
    /// Its address as the stanza wrote it.
    pub spelling: Jid,
    /// The group it came by.
    pub group: Option<Jid>,
}

impl Origin {
    /// Starts a receipt for something that came from here.
    fn receipt(&self, id: &str) -> NodeBuilder {
        let receipt = NodeBuilder::new("receipt");
        let receipt = match &self.group {
            Some(group) => receipt.attr("to", group.clone()).attr("participant", self.spelling.clone()),
            None => receipt.attr("to", self.spelling.clone()),
        };
        receipt.attr("id", id.to_owned())
    }
}

async fn message(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    stanza: &Node,
    batch: &mut Batch,
) -> Result<()> {
    let from = node::jid_attr(stanza, "from").context("message without sender")?;
    if from.is_group() || from.is_status_broadcast() {
        return group_inbox::message(world, account, phone, from, stanza, batch).await;
    }
    if from.is_newsletter() {
        return channel::message(world, account, phone, from, stanza, batch).await;
    }
    let sender =
        world.directory.resolve(&world.store, &from.to_non_ad())?.context("message of an unknown sender")?;
    let origin = Origin { account: sender, device: from.device, spelling: from, group: None };
    let enc = node::child(stanza, "enc").context("message without ciphertext")?;
    let peer = peer_name(&origin.account.number, origin.device);
    let kind = node::text_attr(enc, "type");
    let opened = phone.sessions.open(account, &peer, &kind, &node::content(enc), batch).await;
    let id = node::text_attr(stanza, "id");
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            ask_again(world, account, phone, stanza, &origin, batch);
            bail!("opening message {id} of {peer}: {error:#}");
        }
    };
    phone.retries.remove(&id);
    if Arc::ptr_eq(&origin.account, account) {
        return from_own_device(world, account, phone, stanza, origin.device, opened, batch).await;
    }
    let entry = NewEntry {
        id: &id,
        chat: &origin.account.number,
        from: &origin.account.number,
        from_me: false,
        device: origin.device,
        author: None,
    };
    take(world, account, phone, entry, &opened, batch).await;
    answer(world, account, phone, &origin, &id, &opened, batch).await
}

async fn from_own_device(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    stanza: &Node,
    device: u16,
    opened: wa::Message,
    batch: &mut Batch,
) -> Result<()> {
    let id = node::text_attr(stanza, "id");
    let Some(copy) = opened.device_sent_message.as_option() else {
        return introduce::peer_request(world, account, phone, device, &id, &opened, batch).await;
    };
    let chat: Jid =
        copy.destination_jid.as_deref().unwrap_or_default().parse().context("copy names no chat")?;
    let chat =
        world.directory.resolve(&world.store, &chat.to_non_ad())?.context("copy names an unknown chat")?;
    let entry =
        NewEntry { id: &id, chat: &chat.number, from: &account.number, from_me: true, device, author: None };
    take(world, account, phone, entry, &unwrap_device_sent(opened), batch).await;
    Ok(())
}

/// Takes a message into the log, fetches its medium the first time, and tells whoever watches.
pub(super) async fn take(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    entry: NewEntry<'_>,
    message: &wa::Message,
    batch: &mut Batch,
) {
    let (from, id) = (entry.from.to_owned(), entry.id.to_owned());
    if phone.log.arrived(entry, message, batch).is_none() {
        return;
    }
    open_vote(world, phone, &from, &id, message, batch);
    if let Err(error) = fetch(world, account, message).await {
        tracing::info!(phone = account.number, id, "a medium does not check out: {error:#}");
        phone.log.spoil(&from, &id, format!("{error:#}"), batch);
    }
    tell(world, account, phone.log.get(&from, &id));
}

/// Keeps a message that the phone itself sends, and tells whoever watches.
pub(super) fn keep(
    world: &World,
    account: &Account,
    phone: &mut Phone,
    entry: NewEntry<'_>,
    message: &wa::Message,
    batch: &mut Batch,
) {
    let (from, id) = (entry.from.to_owned(), entry.id.to_owned());
    phone.log.sent(entry, message, batch);
    open_vote(world, phone, &from, &id, message, batch);
    tell(world, account, phone.log.get(&from, &id));
}

/// Opens a vote with the poll that the phone has, if the message is one.
fn open_vote(
    world: &World,
    phone: &mut Phone,
    from: &str,
    id: &str,
    message: &wa::Message,
    batch: &mut Batch,
) {
    let Some(update) = message.get_base_message().poll_update_message.as_option() else { return };
    match poll::open(world, &phone.log, from, update) {
        Ok(votes) => phone.log.opened(from, id, votes, batch),
        Err(error) => tracing::info!(from, id, "a vote does not open: {error:#}"),
    }
}

/// Fetches and checks the medium of a message. The phone does nothing else meanwhile.
async fn fetch(world: &World, account: &Arc<Account>, message: &wa::Message) -> Result<()> {
    if media::medium(message).is_none() {
        return Ok(());
    }
    let (world, account, message) = (world.clone(), account.clone(), message.clone());
    tokio::task::spawn_blocking(move || media::check(&world, &account, &message)).await?
}

/// Does by itself what a person's phone does: delivery receipt, and whatever the number's manner adds.
async fn answer(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    origin: &Origin,
    id: &str,
    opened: &wa::Message,
    batch: &mut Batch,
) -> Result<()> {
    send_receipts(world, account, origin, id, batch);
    if account.manner() == Manner::Echoes && is_to_be_echoed(phone, origin, id) {
        echo(world, account, phone, origin, opened, batch).await?;
    }
    Ok(())
}

/// Sends the receipts that a number sends by itself.
pub(super) fn send_receipts(
    world: &World,
    account: &Arc<Account>,
    origin: &Origin,
    id: &str,
    batch: &mut Batch,
) {
    let manner = account.manner();
    if manner != Manner::Silent {
        send_receipt(world, account, origin, id, "", batch);
    }
    if manner == Manner::ReadsAtOnce {
        send_receipt(world, account, origin, id, "read", batch);
    }
}

/// Two echoes would never stop talking, and a repeated message was echoed before.
fn is_to_be_echoed(phone: &Phone, origin: &Origin, id: &str) -> bool {
    origin.account.manner() != Manner::Echoes && phone.log.seen_once(&origin.account.number, id)
}

async fn echo(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    origin: &Origin,
    opened: &wa::Message,
    batch: &mut Batch,
) -> Result<()> {
    let Some(text) = super::content::plain_text(opened) else { return Ok(()) };
    let echo = wa::Message { conversation: Some(text.to_owned()), ..Default::default() };
    send::compose(world, account, phone, &origin.account, send::Outgoing::new(echo), batch).await
}

/// Sends a receipt of the phone for one message.
fn send_receipt(
    world: &World,
    account: &Arc<Account>,
    origin: &Origin,
    id: &str,
    kind: &'static str,
    batch: &mut Batch,
) {
    let mut stanza = origin.receipt(id);
    if !kind.is_empty() {
        stanza = stanza.attr("type", kind);
    }
    router::receipt(world, account, 0, &stanza.build(), &[id.to_owned()], batch);
}

/// Sends a receipt of the phone for a message of its log; nothing happens when its writer is gone.
pub fn send_receipt_for(
    world: &World,
    account: &Arc<Account>,
    entry: &Entry,
    kind: &'static str,
    batch: &mut Batch,
) -> Result<()> {
    let writer = world.directory.by_number(&entry.from).context("the writer of a message is gone")?;
    let spelling: Jid = entry.author_jid().parse().context("the writer's address does not parse")?;
    let group = if entry.in_group() {
        Some(entry.chat.parse().context("a group's address does not parse")?)
    } else {
        None
    };
    let origin =
        Origin { account: writer, device: entry.device, spelling: spelling.with_device(entry.device), group };
    send_receipt(world, account, &origin, &entry.id, kind, batch);
    Ok(())
}

/// Asks the sender for a message that could not be opened; from the second time on with fresh keys.
pub(super) fn ask_again(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    stanza: &Node,
    origin: &Origin,
    batch: &mut Batch,
) {
    let id = node::text_attr(stanza, "id");
    if phone.retries.len() >= RETRY_MEMORY {
        phone.retries.clear();
    }
    let count = phone.retries.entry(id.clone()).or_default();
    *count += 1;
    if *count > RETRIES_MAX {
        return;
    }
    let retry = NodeBuilder::new("retry")
        .attr("v", "1")
        .attr("id", id.clone())
        .attr("t", node::attr(stanza, "t").map_or_else(|| clock::now_s().to_string(), |t| t.into_owned()))
        .attr("count", count.to_string())
        .build();
    let mut children = vec![retry, node::bytes("registration", account.registration_id.to_be_bytes())];
    if *count > 1 {
        children.extend(Bundle::take(account, 0, batch).map(|bundle| bundle.to_retry_keys()));
    }
    let mut receipt = origin.receipt(&id).attr("type", "retry");
    if let Some(recipient) = stanza.attrs.get("recipient") {
        receipt = receipt.attr("recipient", recipient.clone());
    }
    let receipt = receipt.children(children).build();
    router::receipt(world, account, 0, &receipt, &[id], batch);
}

/// Tells whoever watches about a new message.
pub(super) fn tell(world: &World, account: &Account, entry: Option<&Entry>) {
    if let Some(entry) = entry {
        world
            .events
            .tell(|| json!({"type": "message", "phone": account.number, "message": entry.view(world)}));
    }
}
