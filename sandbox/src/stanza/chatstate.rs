//! Who is typing. Shown to devices that are there, kept a moment for those that are about to be, never stored.

use super::{Device, Session};
use crate::node;
use crate::state::account::Account;
use crate::state::companion::{Companion, Typing};
use crate::state::group::Group;
use crate::world::World;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node};

/// How long a state is worth showing to a device that was away.
const FRESH: Duration = Duration::from_secs(15);

/// Passes a companion's state on.
pub fn handle(session: &Session, device: &Device, chatstate: &Node) {
    let Some(to) = node::jid_attr(chatstate, "to") else { return };
    let Some(state) = node::children(chatstate).first() else { return };
    if let Some(group) = session.world.groups.get(&to.user).filter(|_| to.is_group()) {
        return show_in_group(&session.world, &device.account, &group, state);
    }
    let Ok(Some(account)) = session.world.directory.resolve(&session.world.store, &to.to_non_ad()) else {
        return;
    };
    show(&session.world, &device.account, &account, &to, state);
}

/// Shows the state of one account to the devices of another.
pub fn show(world: &World, from: &Arc<Account>, to: &Arc<Account>, spelling: &Jid, state: &Node) {
    let (from_jid, _) = from.spelled_like(spelling, 0);
    let stanza = NodeBuilder::new("chatstate").attr("from", from_jid).children([state.clone()]).build();
    hand_out(world, from, to, &from.number, &stanza, state);
}

/// Shows the state of a member to the devices of all others; strangers show nothing.
pub fn show_in_group(world: &World, from: &Arc<Account>, group: &Group, state: &Node) {
    let (mode, members) = {
        let facts = group.facts();
        if facts.rank(&from.number).is_none() {
            return;
        }
        (facts.mode, facts.members.keys().cloned().collect::<Vec<_>>())
    };
    let stanza = NodeBuilder::new("chatstate")
        .attr("from", group.jid())
        .attr("participant", mode.address(from, 0))
        .children([state.clone()])
        .build();
    let writer = format!("{}/{}", group.id, from.number);
    let others = members.iter().filter(|number| **number != from.number);
    for member in others.filter_map(|number| world.directory.by_number(number)) {
        hand_out(world, from, &member, &writer, &stanza, state);
    }
}

/// Hands a state to every device of an account. `writer` tells who is typing where.
fn hand_out(world: &World, from: &Account, to: &Account, writer: &str, stanza: &Node, state: &Node) {
    for companion in to.state().companions.values_mut() {
        match companion.link.as_ref().filter(|link| link.live) {
            Some(link) => link.sender.send(stanza.clone()),
            None => keep(companion, writer, stanza.clone()),
        }
    }
    world
        .events
        .tell(|| json!({"type": "chatstate", "phone": to.number, "from": from.number, "state": state.tag}));
}

/// Hands over what is still fresh to a device that has just come back.
pub fn replay(companion: &mut Companion) {
    let kept = std::mem::take(&mut companion.typing);
    let Some(link) = &companion.link else { return };
    kept.into_values()
        .filter(|typing| typing.since.elapsed() < FRESH)
        .for_each(|typing| link.sender.send(typing.stanza));
}

/// Only the latest state of each writer counts.
fn keep(companion: &mut Companion, from: &str, stanza: Node) {
    companion.typing.retain(|_, typing| typing.since.elapsed() < FRESH);
    companion.typing.insert(from.to_owned(), Typing { since: Instant::now(), stanza });
}
