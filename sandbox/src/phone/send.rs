//! A phone sending: one sealed copy for every device of the other side, and one for each of its own companions.

use super::Phone;
use super::bundle::Bundle;
use super::log::{Entry, NewEntry};
use super::signal::{Sealed, peer_name};
use super::{group_send, inbox};
use crate::clock;
use crate::node;
use crate::router;
use crate::stanza::notify;
use crate::state::account::Account;
use crate::state::companion::SignedKey;
use crate::stats;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result};
use buffa::MessageField;
use std::sync::Arc;
use wacore::messages::wrap_device_sent;
use wacore::send::{media_type_from_message, stanza_type_from_message};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{JidExt as _, Node};
use waproto::whatsapp as wa;

/// A message that a phone is about to send.
pub struct Outgoing {
    /// Its id.
    pub id: String,
    /// What it says.
    pub message: wa::Message,
    /// Edit number of the stanza, for edits and revocations.
    pub edit: Option<&'static str>,
}

impl Outgoing {
    /// A message under a new id.
    pub fn new(message: wa::Message) -> Self {
        Self { id: new_id(), message, edit: None }
    }
}

/// Makes a message id as phones do: 32 hexadecimal digits.
pub fn new_id() -> String {
    hex::encode_upper(rand::random::<[u8; 16]>())
}

/// Sends a message from a phone and notes it in its log. The copies leave once the batch is stored.
pub async fn compose(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    chat: &Arc<Account>,
    outgoing: Outgoing,
    batch: &mut Batch,
) -> Result<()> {
    let own_copy = wrap_device_sent(outgoing.message.clone(), chat.pn(0).to_string());
    let mut targets = Vec::new();
    if !Arc::ptr_eq(account, chat) && !router::blocks(chat, account) {
        targets.extend(devices(chat).into_iter().map(|device| (chat, device, &outgoing.message)));
    }
    targets.extend(
        devices(account).into_iter().filter(|device| *device != 0).map(|device| (account, device, &own_copy)),
    );
    for (target, device, message) in targets {
        let Some(sealed) = seal(world, account, phone, target, device, message, batch).await? else {
            continue;
        };
        let mut stanza = stanza(account, &outgoing);
        stanza = if Arc::ptr_eq(target, account) {
            stanza.attr("recipient", chat.pn(0)).attr("recipient_lid", chat.lid(0))
        } else {
            stanza.attr("sender_lid", account.lid(0))
        };
        router::enqueue(
            world,
            target,
            device,
            stanza.children([enc(sealed, &outgoing.message)]).build(),
            batch,
        );
    }
    stats::add(&world.stats.messages, 1);
    router::acquaint(account, chat, batch);
    hold(world, account, phone, chat, &outgoing, batch);
    Ok(())
}

/// Notes a message in the phone's log without sending it.
pub fn hold(
    world: &World,
    account: &Account,
    phone: &mut Phone,
    chat: &Account,
    outgoing: &Outgoing,
    batch: &mut Batch,
) {
    let entry = NewEntry {
        id: &outgoing.id,
        chat: &chat.number,
        from: &account.number,
        from_me: true,
        device: 0,
        author: None,
    };
    inbox::keep(world, account, phone, entry, &outgoing.message, batch);
}

/// Sends a message to one device of the phone's own account that is for the device, not for its user.
pub async fn peer(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    device: u16,
    message: wa::Message,
    batch: &mut Batch,
) -> Result<()> {
    let Some(sealed) = seal(world, account, phone, account, device, &message, batch).await? else {
        return Ok(());
    };
    let stanza = NodeBuilder::new("message")
        .attr("from", account.pn(0))
        .attr("id", new_id())
        .attr("t", clock::now_s().to_string())
        .attr("type", "text")
        .attr("category", "peer")
        .children([enc(sealed, &message)])
        .build();
    router::enqueue(world, account, device, stanza, batch);
    Ok(())
}

/// Sends a message again to a device that could not open it.
pub async fn again(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    receipt: &Node,
    batch: &mut Batch,
) -> Result<()> {
    let id = node::text_attr(receipt, "id");
    let asker = if node::jid_attr(receipt, "from")
        .is_some_and(|from| from.is_group() || from.is_status_broadcast())
    {
        "participant"
    } else {
        "from"
    };
    let from = node::jid_attr(receipt, asker).context("retry without sender")?;
    let target =
        world.directory.resolve(&world.store, &from.to_non_ad())?.context("retry of an unknown sender")?;
    let Some(entry) = phone.log.get(&account.number, &id).cloned() else {
        tracing::debug!(phone = account.number, id, "retry for a message that the phone did not write");
        return Ok(());
    };
    let peer = peer_name(&target.number, from.device);
    let bundle = match node::child(receipt, "keys").and_then(|keys| offered_bundle(receipt, keys)) {
        Some(offered) => Some(offered),
        None => Bundle::take(&target, from.device, batch),
    };
    let Some(bundle) = bundle else { return Ok(()) };
    phone.sessions.start(account, &peer, &bundle).await?;
    if entry.in_group() {
        return group_send::again(world, account, phone, &entry, &target, from.device, batch).await;
    }
    let to_own = Arc::ptr_eq(&target, account);
    let message = resent(&entry, to_own)?;
    let sealed = phone.sessions.seal(account, &peer, &message).await?;
    let outgoing = Outgoing { id, message, edit: None };
    let mut stanza = stanza(account, &outgoing);
    stanza = if to_own {
        stanza.attr("recipient", format!("{}@{}", entry.chat, node::SERVER))
    } else {
        stanza.attr("sender_lid", account.lid(0))
    };
    let enc = enc_again(sealed, &outgoing.message);
    router::enqueue(world, &target, from.device, stanza.children([enc]).build(), batch);
    Ok(())
}

fn resent(entry: &Entry, to_own: bool) -> Result<wa::Message> {
    let message = entry.message()?;
    Ok(if to_own { wrap_device_sent(message, format!("{}@{}", entry.chat, node::SERVER)) } else { message })
}

/// Reads the keys that a retry receipt brings along.
fn offered_bundle(receipt: &Node, keys: &Node) -> Option<Bundle> {
    let key = |node: &Node| {
        Some((node::number(&node::child_content(node, "id")?)?, node::child_content(node, "value")?))
    };
    let signed = node::child(keys, "skey")?;
    let (id, value) = key(signed)?;
    Some(Bundle {
        registration_id: node::number(&node::child_content(receipt, "registration")?)?,
        identity: node::child_content(keys, "identity")?,
        signed_key: SignedKey { id, value, signature: node::child_content(signed, "signature")? },
        prekey: node::child(keys, "key").and_then(key),
        device_identity: None,
    })
}

/// Seals a message for a device, opening a session with it if there is none. Nothing when the device is gone.
pub(super) async fn seal(
    world: &World,
    account: &Account,
    phone: &mut Phone,
    target: &Arc<Account>,
    device: u16,
    message: &wa::Message,
    batch: &mut Batch,
) -> Result<Option<Sealed>> {
    let peer = peer_name(&target.number, device);
    if !phone.sessions.knows(&peer) {
        let Some(bundle) = Bundle::take(target, device, batch) else { return Ok(None) };
        notify::prekeys_low(world, target, device, batch);
        phone.sessions.start(account, &peer, &bundle).await?;
    }
    phone.sessions.seal(account, &peer, message).await.map(Some)
}

fn devices(account: &Account) -> Vec<u16> {
    account.state().devices()
}

fn stanza(account: &Account, outgoing: &Outgoing) -> NodeBuilder {
    details(NodeBuilder::new("message").attr("from", account.pn(0)), account, outgoing)
}

/// Adds what every copy of a message says, wherever it goes.
pub(super) fn details(stanza: NodeBuilder, account: &Account, outgoing: &Outgoing) -> NodeBuilder {
    let stanza = stanza
        .attr("id", outgoing.id.clone())
        .attr("t", clock::now_s().to_string())
        .attr("type", stanza_type_from_message(&outgoing.message))
        .attr("notify", account.state().push_name(0));
    match outgoing.edit {
        Some(edit) => stanza.attr("edit", edit),
        None => stanza,
    }
}

/// Builds the element of a sealed message.
pub(super) fn enc(sealed: Sealed, message: &wa::Message) -> Node {
    let enc = NodeBuilder::new("enc").attr("v", "2").attr("type", sealed.kind);
    let enc = match media_type_from_message(message) {
        Some(kind) => enc.attr("mediatype", kind),
        None => enc,
    };
    enc.bytes(sealed.bytes).build()
}

/// Builds the element of a message sealed for the second time.
pub(super) fn enc_again(sealed: Sealed, message: &wa::Message) -> Node {
    let mut enc = enc(sealed, message);
    enc.attrs.insert("count", "1");
    enc
}

/// Wraps a protocol message, which tells the reader's client something instead of its user.
pub fn protocol(message: wa::message::ProtocolMessage) -> wa::Message {
    wa::Message { protocol_message: MessageField::some(message), ..Default::default() }
}
