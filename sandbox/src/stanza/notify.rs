//! Notifications that the network sends by itself when devices or app state change.

use crate::phone::link;
use crate::router;
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use crate::{clock, node};
use std::collections::BTreeSet;
use std::sync::Arc;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// One-time prekeys left when the network asks for more.
const PREKEYS_LOW: usize = 10;

/// What happened to a device.
#[derive(Clone, Copy)]
pub enum Change {
    /// It was linked.
    Added,
    /// It was unlinked.
    Removed,
}

/// Tells the companions of an account, save the one that did it, which app-state collections moved on.
pub fn server_sync(world: &World, account: &Arc<Account>, by: Option<u16>, changed: &[(String, u64)]) {
    let collections: Vec<Node> = changed
        .iter()
        .map(|(name, version)| {
            NodeBuilder::new("collection")
                .attr("name", name.clone())
                .attr("version", version.to_string())
                .build()
        })
        .collect();
    let others: Vec<u16> = account.state().companions.keys().copied().filter(|id| Some(*id) != by).collect();
    let mut batch = world.batch();
    for id in others {
        let stanza = start("server_sync", node::SERVER).children(collections.clone()).build();
        router::enqueue(world, account, id, stanza, &mut batch);
    }
    world.commit(batch);
}

/// Tells the account's other companions, everybody it has talked to and the members of its groups that its device
/// list changed.
pub fn devices_changed(world: &World, account: &Arc<Account>, device: u16, key_index: u32, change: Change) {
    let (own, mut peers, list, all) = {
        let state = account.state();
        let own: Vec<u16> = state.companions.keys().copied().filter(|id| *id != device).collect();
        let peers: BTreeSet<String> = state.peers.iter().cloned().collect();
        let all: Vec<Node> = std::iter::once(NodeBuilder::new("device").attr("jid", account.pn(0)).build())
            .chain(
                state
                    .companions
                    .values()
                    .map(|one| device_node(account.pn(one.profile.id), one.profile.key_index)),
            )
            .collect();
        (own, peers, link::key_index_list(account, &state), all)
    };
    for group in world.groups.of(&account.number) {
        peers.extend(group.facts().members.keys().filter(|number| **number != account.number).cloned());
    }
    let mut batch = world.batch();
    for id in own {
        let devices = node::parent("devices", all.iter().cloned().chain([list.clone()]));
        let stanza = start("account_sync", account.pn(0)).children([devices]).build();
        router::enqueue(world, account, id, stanza, &mut batch);
    }
    for peer in peers.iter().filter_map(|number| world.directory.by_number(number)) {
        let companions: Vec<u16> = peer.state().companions.keys().copied().collect();
        for id in companions {
            let stanza = change_stanza(account, device, key_index, change, &list);
            router::enqueue(world, &peer, id, stanza, &mut batch);
        }
    }
    world.commit(batch);
}

/// Tells the account's companions, and those of everybody it has talked to, what it shows of itself now.
pub fn persona_changed(world: &World, account: &Arc<Account>, kind: &'static str, change: &Node) {
    let peers: Vec<String> = account.state().peers.iter().cloned().collect();
    let peers = peers.iter().filter_map(|number| world.directory.by_number(number));
    let mut batch = world.batch();
    for other in std::iter::once(account.clone()).chain(peers) {
        let companions: Vec<u16> = other.state().companions.keys().copied().collect();
        for id in companions {
            let stanza = start(kind, account.pn(0)).children([change.clone()]).build();
            router::enqueue(world, &other, id, stanza, &mut batch);
        }
    }
    world.commit(batch);
}

/// Asks a companion for more one-time prekeys when few are left. Once per shortage, not once per key.
pub fn prekeys_low(world: &World, account: &Arc<Account>, device: u16, batch: &mut Batch) {
    let left = account.state().companions.get(&device).map(|one| one.prekeys.len());
    if left != Some(PREKEYS_LOW) {
        return;
    }
    let count = NodeBuilder::new("count").attr("value", PREKEYS_LOW.to_string()).build();
    router::enqueue(world, account, device, start("encrypt", node::SERVER).children([count]).build(), batch);
}

fn change_stanza(account: &Account, device: u16, key_index: u32, change: Change, list: &Node) -> Node {
    let tag = match change {
        Change::Added => "add",
        Change::Removed => "remove",
    };
    let changed = NodeBuilder::new("device")
        .attr("jid", account.pn(device))
        .attr("key-index", key_index.to_string())
        .attr("lid", account.lid(device))
        .build();
    start("devices", account.pn(0))
        .attr("lid", account.lid(0))
        .children([node::parent(tag, [changed, list.clone()])])
        .build()
}

fn device_node(jid: Jid, key_index: u32) -> Node {
    NodeBuilder::new("device").attr("jid", jid).attr("key-index", key_index.to_string()).build()
}

fn start(kind: &'static str, from: impl Into<wacore_binary::node::NodeValue>) -> NodeBuilder {
    NodeBuilder::new("notification")
        .attr("from", from)
        .attr("type", kind)
        .attr("id", rand::random::<u64>().to_string())
        .attr("t", clock::now_s().to_string())
}
