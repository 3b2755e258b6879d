//! Who is typing. Shown to devices that are there, kept a moment for those that are about to be, never stored.

use super::{Device, Session};
use crate::node;
use crate::state::account::Account;
use crate::state::companion::{Companion, Typing};
use crate::world::World;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// How long a state is worth showing to a device that was away.
const FRESH: Duration = Duration::from_secs(3);

/// Passes a companion's state on.
pub fn handle(session: &Session, device: &Device, chatstate: &Node) {
    let Some(to) = node::jid_attr(chatstate, "to") else { return };
    let Some(state) = node::children(chatstate).first() else { return };
    let Ok(Some(account)) = session.world.directory.resolve(&session.world.store, &to.to_non_ad()) else {
        return;
    };
    show(&session.world, &device.account, &account, &to, state);
}

/// Shows the state of one account to the devices of another.
pub fn show(world: &World, from: &Arc<Account>, to: &Arc<Account>, spelling: &Jid, state: &Node) {
    let (from_jid, _) = from.spelled_like(spelling, 0);
    let stanza = NodeBuilder::new("chatstate").attr("from", from_jid).children([state.clone()]).build();
    for companion in to.state().companions.values_mut() {
        match companion.link.as_ref().filter(|link| link.live) {
            Some(link) => link.sender.send(stanza.clone()),
            None => keep(companion, &from.number, stanza.clone()),
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
