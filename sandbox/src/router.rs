//! From one device to others: messages and receipts, copied per device, queued, and acknowledged once they are stored.
//! What is special about groups stands in `group`, about status posts in `status`, about channels in `channel`.

pub mod channel;
pub mod group;
pub mod status;

use crate::faults::MessageFault;
use crate::node;
use crate::stanza::{Device, Session, acknowledge};
use crate::state::account::{Account, device_key, queue_row};
use crate::state::magic::Manner;
use crate::state::queue;
use crate::state::routed::Target;
use crate::store::{Batch, Table};
use crate::world::World;
use crate::{clock, stats};
use std::sync::Arc;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node};

/// Error acknowledgements.
mod error {
    pub const MALFORMED: u16 = 400;
    pub const FORBIDDEN: u16 = 403;
    pub const NOT_FOUND: u16 = 404;
    pub const STALE_ADDRESSING: u16 = 421;
    pub const TIME_LOCK: u16 = 463;
    pub const INTERNAL: u16 = 500;
    pub const NOT_BUILT: u16 = 501;
}

/// Takes a message from a companion: every addressed device gets its copy, then the sender its acknowledgement.
pub fn accept(session: &Session, device: &Device, message: &Node) {
    let fault = session.world.faults.on_message(&device.account.number, device.id);
    let verdict = match fault.refuse {
        Some(error) => Err(error),
        None => route(session, device, message),
    };
    match verdict {
        Ok(Accepted { mut batch, phash, server_id }) => {
            let (world, sender) = (session.world.clone(), session.sender.clone());
            let mut ack = acknowledge("message", message, None);
            if let Some(phash) = phash {
                ack.attrs.insert("phash", phash);
            }
            if let Some(number) = server_id {
                ack.attrs.insert("server_id", number.to_string());
            }
            batch.then(move || send_ack(&world, &sender, ack, &fault));
            session.world.commit(batch);
        }
        Err(error) => {
            stats::add(&session.world.stats.refused, 1);
            tracing::debug!(phone = device.account.number, device = device.id, error, "message refused");
            session.sender.send(acknowledge("message", message, Some(error)));
        }
    }
}

fn send_ack(world: &World, sender: &crate::connection::Sender, ack: Node, fault: &MessageFault) {
    if fault.lose_ack {
        return;
    }
    stats::add(&world.stats.acks, 1);
    match fault.delay_ack {
        Some(pause) => sender.send_after(pause, ack),
        None => sender.send(ack),
    }
}

/// An accepted message on its way.
pub struct Accepted {
    /// The copies, queued.
    batch: Batch,
    /// The hash of the devices that there are, when the sender had another idea of them.
    phash: Option<String>,
    /// The number of the post, in a channel.
    server_id: Option<u64>,
}

fn route(session: &Session, device: &Device, message: &Node) -> Result<Accepted, u16> {
    let world = &session.world;
    let id = node::text_attr(message, "id");
    let to = node::jid_attr(message, "to").filter(|_| !id.is_empty()).ok_or(error::MALFORMED)?;
    if to.is_group() {
        return group::route(world, device, &to, message);
    }
    if to.is_status_broadcast() {
        return status::route(world, device, message);
    }
    if to.is_newsletter() {
        return channel::route(world, device, &to, message);
    }
    if !to.is_pn() && !to.is_lid() {
        return Err(error::NOT_BUILT);
    }
    let chat = world
        .directory
        .resolve(&world.store, &to.to_non_ad())
        .map_err(|_| error::INTERNAL)?
        .ok_or(error::NOT_FOUND)?;
    if chat.manner() == Manner::Refused {
        return Err(error::TIME_LOCK);
    }
    let own = &device.account;
    let copies = copies(own, device.id, &chat, &to, message);
    let mut batch = world.batch();
    let copies = unserved(world, device, &id, copies, &mut batch);
    // The sender does not learn that it is blocked.
    let blocked = blocks(&chat, own);
    for (target, jid, enc) in &copies {
        let to_self = Arc::ptr_eq(target, own);
        if blocked && !to_self {
            continue;
        }
        let stanza = if to_self {
            own_copy(device, &chat, &to, message, enc)
        } else {
            foreign_copy(device, &to, message, enc)
        };
        enqueue(world, target, jid.device, stanza, &mut batch);
    }
    acquaint(own, &chat, &mut batch);
    Ok(Accepted { batch, phash: None, server_id: None })
}

/// Returns whether an account blocked another.
pub fn blocks(account: &Account, other: &Account) -> bool {
    account.state().persona.blocked.contains(&other.number)
}

type Copy = (Arc<Account>, Jid, Node);

/// Finds the addressed devices: those listed by the sender, or the one in `to` when the ciphertext stands alone.
fn copies(own: &Arc<Account>, own_device: u16, chat: &Arc<Account>, to: &Jid, message: &Node) -> Vec<Copy> {
    let mut addressed: Vec<(Jid, &Node)> = Vec::new();
    if let Some(participants) = node::child(message, "participants") {
        for one in node::children(participants) {
            if let (Some(jid), Some(enc)) = (node::jid_attr(one, "jid"), node::child(one, "enc")) {
                addressed.push((jid, enc));
            }
        }
    } else if let Some(enc) = node::child(message, "enc") {
        addressed.push((to.clone(), enc));
    }
    let account_of = |jid: &Jid| {
        let names = |account: &Account| jid.user() == account.number || jid.user() == account.lid;
        [own, chat].into_iter().find(|account| names(account)).cloned()
    };
    addressed
        .into_iter()
        .filter_map(|(jid, enc)| Some((account_of(&jid)?, jid, enc.clone())))
        .filter(|(account, jid, _)| !(Arc::ptr_eq(account, own) && jid.device == own_device))
        .collect()
}

/// Leaves out the devices that already got this id, and remembers the others.
fn unserved(world: &World, device: &Device, id: &str, copies: Vec<Copy>, batch: &mut Batch) -> Vec<Copy> {
    let target = |copy: &Copy| -> Target { (copy.0.number.clone(), copy.1.device) };
    let mut state = device.account.state();
    let Some(companion) = state.companions.get_mut(&device.id) else { return Vec::new() };
    let again = companion.routed.knows(id);
    stats::add(if again { &world.stats.resends } else { &world.stats.messages }, 1);
    let copies: Vec<Copy> =
        copies.into_iter().filter(|copy| !companion.routed.has_served(id, &target(copy))).collect();
    if copies.is_empty() && again {
        return copies;
    }
    let owner = device_key(&device.account.number, device.id);
    if let Some(forgotten) = companion.routed.serve(id, copies.iter().map(target)) {
        batch.delete(Table::Routed, || format!("{owner}/{forgotten}"));
    }
    batch.put(Table::Routed, format!("{owner}/{id}"), || companion.routed.row(id));
    copies
}

/// Builds the copy for a device of the other account.
fn foreign_copy(device: &Device, to: &Jid, message: &Node, enc: &Node) -> Node {
    let (from, twin) = device.account.spelled_like(to, device.id);
    let twin_key = if to.is_lid() { "sender_pn" } else { "sender_lid" };
    let copy = NodeBuilder::new("message").attr("from", from).attr(twin_key, twin);
    finish_copy(copy, device, message, std::slice::from_ref(enc))
}

/// Builds the copy for another device of the sender's own account.
fn own_copy(device: &Device, chat: &Account, to: &Jid, message: &Node, enc: &Node) -> Node {
    let (from, _) = device.account.spelled_like(to, device.id);
    let mut copy = NodeBuilder::new("message").attr("from", from);
    match node::attr(message, "category") {
        Some(category) => copy = copy.attr("category", category.into_owned()),
        None => {
            copy = copy.attr("recipient", to.to_non_ad());
            copy = if to.is_lid() {
                copy.attr("peer_recipient_pn", chat.pn(0))
            } else {
                copy.attr("recipient_lid", chat.lid(0))
            };
        }
    }
    finish_copy(copy, device, message, std::slice::from_ref(enc))
}

fn finish_copy(copy: NodeBuilder, device: &Device, message: &Node, encs: &[Node]) -> Node {
    let kind = node::attr(message, "type").map_or_else(|| "text".to_owned(), |kind| kind.into_owned());
    let mut copy = copy
        .attr("id", node::text_attr(message, "id"))
        .attr("t", clock::now_s().to_string())
        .attr("type", kind)
        .attr("notify", device.account.state().push_name(device.id));
    if let Some(edit) = node::attr(message, "edit") {
        copy = copy.attr("edit", edit.into_owned());
    }
    let mut children = encs.to_vec();
    let first_contact = |enc: &Node| node::attr(enc, "type").is_some_and(|kind| kind == "pkmsg");
    if encs.iter().any(first_contact) {
        children.extend(node::child(message, "device-identity").cloned());
    }
    children.extend(["reporting", "meta"].iter().filter_map(|tag| node::child(message, tag)).cloned());
    copy.children(children).build()
}

/// Remembers that two accounts know each other, so that each hears about new devices of the other.
pub fn acquaint(one: &Arc<Account>, other: &Arc<Account>, batch: &mut Batch) {
    if Arc::ptr_eq(one, other) {
        return;
    }
    for (from, to) in [(one, other), (other, one)] {
        if from.state().peers.insert(to.number.clone()) {
            batch.put(Table::Peers, format!("{}/{}", from.number, to.number), Vec::new);
        }
    }
}

/// Puts a stanza into a device's queue; the device gets it once the batch is stored. A device that is gone gets nothing.
pub fn enqueue(world: &World, account: &Arc<Account>, device: u16, stanza: Node, batch: &mut Batch) {
    let mut state = account.state();
    let Some(queue) = state.queue_mut(device) else { return };
    let row = batch.prepare(|| queue_row(&stanza));
    let Some(seq) = queue.push(stanza) else { return };
    drop(state);
    batch.put_prepared(Table::Queue, queue::row_key(&account.number, device, seq), row);
    let (world, account) = (world.clone(), account.clone());
    batch.then(move || deliver(&world, &account, device, seq));
}

/// Shows a stored entry to its device, if it is there; otherwise the entry waits.
fn deliver(world: &World, account: &Arc<Account>, device: u16, seq: u64) {
    let mut state = account.state();
    if device == 0 {
        state.queue.mark_stored(seq);
        drop(state);
        return world.wake(account);
    }
    let Some(companion) = state.companions.get_mut(&device) else { return };
    let Some(entry) = companion.queue.mark_stored(seq) else { return };
    if let Some(link) = companion.link.as_ref().filter(|link| link.live && !entry.sent) {
        entry.sent = true;
        link.sender.send(entry.node.clone());
    }
}

/// Passes a receipt on to the devices it concerns. `device` 0 is the phone itself.
pub fn receipt(
    world: &World,
    reader: &Arc<Account>,
    device: u16,
    receipt: &Node,
    ids: &[String],
    batch: &mut Batch,
) {
    let kind = node::attr(receipt, "type").map(|kind| kind.into_owned()).unwrap_or_default();
    let Some(to) = node::jid_attr(receipt, "to") else { return };
    if to.is_group() || to.is_status_broadcast() {
        if let Some(writer) = group::receipt(world, reader, device, receipt, &kind, ids, batch) {
            world.events.tell(|| receipt_event(reader, &writer, &kind, ids));
        }
        return;
    }
    let Ok(Some(writer)) = world.directory.resolve(&world.store, &to.to_non_ad()) else { return };
    world.events.tell(|| receipt_event(reader, &writer, &kind, ids));
    let to_writer = match kind.as_str() {
        "retry" => {
            for id in ids {
                reopen(&writer, to.device, id, &(reader.number.clone(), device), batch);
            }
            vec![to.device]
        }
        "" | "inactive" | "read" | "played" => writer.state().devices(),
        // A medium is gone: the phone of the account puts it back.
        "server-error" if Arc::ptr_eq(&writer, reader) => vec![0],
        _ => Vec::new(),
    };
    for target in to_writer.into_iter().filter(|target| !(Arc::ptr_eq(&writer, reader) && *target == device))
    {
        enqueue(world, &writer, target, receipt_copy(reader, device, &to, receipt, &kind), batch);
    }
    if let Some(own_kind) = own_kind(&kind) {
        let others: Vec<u16> =
            reader.state().devices().into_iter().filter(|other| *other != device).collect();
        for other in others {
            let copy =
                NodeBuilder::new("receipt").attr("from", reader.pn(device)).attr("recipient", to.to_non_ad());
            enqueue(world, reader, other, finish_receipt(copy, receipt, own_kind), batch);
        }
    }
}

/// What the reader's other devices are told.
fn own_kind(kind: &str) -> Option<&'static str> {
    match kind {
        "read" | "read-self" => Some("read-self"),
        "played" | "played-self" => Some("played-self"),
        _ => None,
    }
}

fn receipt_copy(reader: &Account, device: u16, to: &Jid, receipt: &Node, kind: &str) -> Node {
    let (from, _) = reader.spelled_like(to, device);
    let mut copy = NodeBuilder::new("receipt").attr("from", from);
    if let Some(recipient) = receipt.attrs.get("recipient").filter(|_| kind == "retry") {
        copy = copy.attr("recipient", recipient.clone());
    }
    finish_receipt(copy, receipt, kind)
}

fn finish_receipt(copy: NodeBuilder, receipt: &Node, kind: &str) -> Node {
    let copy = copy.attr("id", node::text_attr(receipt, "id")).attr("t", clock::now_s().to_string());
    let copy = if kind.is_empty() { copy } else { copy.attr("type", kind.to_owned()) };
    match node::children(receipt) {
        [] => copy.build(),
        children => copy.children(children.iter().cloned()).build(),
    }
}

fn reopen(writer: &Account, device: u16, id: &str, reader: &Target, batch: &mut Batch) {
    let mut state = writer.state();
    let Some(companion) = state.companions.get_mut(&device) else { return };
    if companion.routed.reopen(id, reader) {
        let key = format!("{}/{id}", device_key(&writer.number, device));
        batch.put(Table::Routed, key, || companion.routed.row(id));
    }
}

fn receipt_event(reader: &Account, writer: &Account, kind: &str, ids: &[String]) -> serde_json::Value {
    let kind = if kind.is_empty() { "delivered" } else { kind };
    serde_json::json!({"type": "receipt", "phone": writer.number, "from": reader.number, "receipt": kind, "ids": ids})
}
