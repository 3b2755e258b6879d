//! The door: who a client is after the handshake, what it is told first, and the replay of what it missed.

use super::{Device, Session, Who, chatstate};
use crate::connection::Sender;
use crate::faults::LoginFailure;
use crate::state::companion::{CLOSE_PAUSE, Link};
use crate::state::registration::Registration;
use crate::world::World;
use crate::{clock, node};
use anyhow::Result;
use serde_json::json;
use std::sync::Arc;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp as wa;

/// Routing bytes that clients echo at the start of their next connection.
const ROUTING: [u8; 4] = [8, 2, 8, 5];

/// Lets a client in. Nothing means that it was refused and its connection is closing.
pub fn enter(
    world: &World,
    conn: u64,
    sender: Sender,
    client_static: [u8; 32],
    payload: &wa::ClientPayload,
) -> Result<Option<Session>> {
    let who = if payload.device_pairing_data.is_set() {
        let registration = Arc::new(Registration::new(conn, sender.clone(), client_static, payload)?);
        sender.send(pair_device(&registration));
        world.registrations.open(registration.clone());
        world
            .events
            .tell(|| json!({"type": "registration", "state": "opened", "platform": registration.platform}));
        Who::Guest(registration)
    } else {
        match log_in(world, conn, &sender, &client_static, payload) {
            Ok(device) => Who::Device(device),
            Err(failure) => {
                tracing::info!(
                    user = payload.username,
                    device = payload.device,
                    reason = failure.reason,
                    "login refused"
                );
                sender.send(failure_stanza(&failure));
                sender.close_after(CLOSE_PAUSE);
                return Ok(None);
            }
        }
    };
    Ok(Some(Session { world: world.clone(), conn, sender, who }))
}

fn pair_device(registration: &Registration) -> Node {
    let refs = registration.refs.iter().map(|one| node::bytes("ref", one.as_bytes()));
    node::from_server("iq")
        .attr("type", "set")
        .attr("id", format!("pair-device-{}", registration.conn))
        .attr("xmlns", "md")
        .children([node::parent("pair-device", refs)])
        .build()
}

fn log_in(
    world: &World,
    conn: u64,
    sender: &Sender,
    client_static: &[u8; 32],
    payload: &wa::ClientPayload,
) -> Result<Device, LoginFailure> {
    let unknown = || LoginFailure::reason(401);
    let number = payload.username.map(|user| user.to_string()).ok_or_else(unknown)?;
    let id = payload.device.and_then(|device| u16::try_from(device).ok()).ok_or_else(unknown)?;
    let account = world.directory.by_number(&number).ok_or_else(unknown)?;
    if let Some(failure) = world.faults.on_login(&number, id) {
        return Err(failure);
    }
    let mut state = account.state();
    let companion =
        state.companions.get_mut(&id).filter(|one| one.profile.noise == client_static).ok_or_else(unknown)?;
    companion.dismiss(replaced());
    companion.queue.rewind();
    let counts = companion.queue.counts();
    let introduced = companion.profile.introduced;
    sender.send(success(&account.lid(id)));
    sender.send(information_node(node::parent("edge_routing", [node::bytes("routing_info", ROUTING)])));
    let waiting: usize = counts.iter().sum();
    sender.send(if waiting == 0 { offline_marker(0) } else { offline_preview(counts) });
    companion.link = Some(Link { conn, sender: sender.clone(), live: waiting == 0, available: false });
    if waiting == 0 {
        chatstate::replay(companion);
    }
    drop(state);
    world.events.companion(&number, id, "connected");
    if let Some(fault) = world.faults.on_connection(&number, id) {
        sender.suffer(fault);
    }
    if !introduced {
        world.wake(&account);
    }
    Ok(Device { account, id })
}

fn success(lid: &wacore_binary::Jid) -> Node {
    NodeBuilder::new("success")
        .attr("t", clock::now_s().to_string())
        .attr("props", "27")
        .attr("location", "sbx")
        .attr("lid", lid.clone())
        .build()
}

fn failure_stanza(failure: &LoginFailure) -> Node {
    let mut stanza =
        NodeBuilder::new("failure").attr("reason", failure.reason.to_string()).attr("location", "sbx");
    if let Some(code) = failure.code {
        stanza = stanza.attr("code", code.to_string());
    }
    if let Some(expire_s) = failure.expire_s {
        stanza = stanza.attr("expire", expire_s.to_string());
    }
    stanza.build()
}

/// Builds the last stanza of a connection that a newer login of the same device replaces.
pub fn replaced() -> Node {
    node::parent("stream:error", [NodeBuilder::new("conflict").attr("type", "replaced").build()])
}

/// Builds the last stanza of a connection whose device was unlinked.
pub fn removed() -> Node {
    let conflict = NodeBuilder::new("conflict").attr("type", "device_removed").build();
    NodeBuilder::new("stream:error").attr("code", "401").children([conflict]).build()
}

fn information_node(child: Node) -> Node {
    node::from_server("ib").children([child]).build()
}

fn offline_marker(count: usize) -> Node {
    information_node(NodeBuilder::new("offline").attr("count", count.to_string()).build())
}

fn offline_preview([messages, receipts, notifications, calls]: [usize; 4]) -> Node {
    let total = messages + receipts + notifications + calls;
    information_node(
        NodeBuilder::new("offline_preview")
            .attr("count", total.to_string())
            .attr("message", messages.to_string())
            .attr("notification", notifications.to_string())
            .attr("receipt", receipts.to_string())
            .attr("appdata", "0")
            .attr("call", calls.to_string())
            .build(),
    )
}

/// Handles what a client mentions in passing; a request for its queue is the part that matters.
pub fn information(session: &Session, device: &Device, ib: &Node) {
    if node::child(ib, "offline_batch").is_none() {
        return;
    }
    let mut state = device.account.state();
    let Some(companion) = state.companions.get_mut(&device.id) else { return };
    let Some(link) = companion.link.as_mut().filter(|link| link.conn == session.conn && !link.live) else {
        return;
    };
    // Taking the rest and going live under one lock: whatever is stored later is sent directly, after the marker.
    link.live = true;
    let waiting = companion.queue.take_unsent();
    let count = waiting.len();
    for (number, mut stanza) in waiting.into_iter().enumerate() {
        stanza.attrs.insert("offline", number.to_string());
        session.sender.send(stanza);
    }
    session.sender.send(offline_marker(count));
    chatstate::replay(companion);
}
