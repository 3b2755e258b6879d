//! Presence of clients: who is available, who wants to know, and the push name that comes along.
//! Subscriptions end with the subscriber's connection; whoever subscribes anew learns the newest state at once.

use super::{Device, Session};
use crate::clock;
use crate::node;
use crate::state::account::Account;
use crate::world::World;
use std::sync::Arc;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// Handles a presence of a companion.
pub fn handle(session: &Session, device: &Device, presence: &Node) {
    match node::attr(presence, "type").as_deref() {
        Some("subscribe") => subscribe(session, device, presence),
        Some("unsubscribe") => unsubscribe(session, device, presence),
        kind => {
            take_name(session, device, presence);
            set_available(&session.world, &device.account, device.id, kind != Some("unavailable"));
        }
    }
}

/// Notes whether a device is available and tells the watchers when that changes the account's state.
pub fn set_available(world: &World, account: &Arc<Account>, device: u16, available: bool) {
    change(world, account, |state| {
        if device == 0 {
            state.phone_available = available;
        } else if let Some(link) = state.companions.get_mut(&device).and_then(|one| one.link.as_mut()) {
            link.available = available;
        }
    });
}

/// Makes a change to an account and tells its watchers when it became available or unavailable by it.
pub fn change<T>(
    world: &World,
    account: &Arc<Account>,
    change: impl FnOnce(&mut crate::state::account::State) -> T,
) -> T {
    let (result, watchers) = {
        let mut state = account.state();
        let before = state.is_available();
        let result = change(&mut state);
        if state.is_available() == before {
            return result;
        }
        if before {
            state.last_seen = Some(clock::now_s());
        }
        (result, state.watchers.clone())
    };
    for ((number, device), spelling) in watchers {
        let watcher = world.directory.by_number(&number);
        let stanza = stanza(account, &spelling);
        let heard = watcher.is_some_and(|watcher| {
            let state = watcher.state();
            let link = state.companions.get(&device).and_then(|one| one.link.as_ref());
            link.map(|link| link.sender.send(stanza)).is_some()
        });
        if !heard {
            account.state().watchers.remove(&(number, device));
        }
    }
    result
}

fn take_name(session: &Session, device: &Device, presence: &Node) {
    let Some(name) = node::attr(presence, "name").filter(|name| !name.is_empty()) else { return };
    let mut batch = session.world.batch();
    let mut state = device.account.state();
    let Some(companion) = state.companions.get_mut(&device.id) else { return };
    if companion.profile.push_name.as_deref() == Some(&*name) {
        return;
    }
    companion.profile.push_name = Some(name.into_owned());
    device.account.put_companion(companion, &mut batch);
    let submitted = session.world.submit(batch);
    drop(state);
    submitted.release();
}

fn subscribe(session: &Session, device: &Device, presence: &Node) {
    let Some((account, spelling)) = target(session, presence) else { return };
    account.state().watchers.insert((device.account.number.clone(), device.id), spelling.clone());
    session.sender.send(stanza(&account, &spelling));
}

fn unsubscribe(session: &Session, device: &Device, presence: &Node) {
    if let Some((account, _)) = target(session, presence) {
        account.state().watchers.remove(&(device.account.number.clone(), device.id));
    }
}

fn target(session: &Session, presence: &Node) -> Option<(Arc<Account>, Jid)> {
    let to = node::jid_attr(presence, "to")?.to_non_ad();
    let account = session.world.directory.resolve(&session.world.store, &to).ok()??;
    Some((account, to))
}

fn stanza(account: &Account, spelling: &Jid) -> Node {
    let state = account.state();
    let stanza = NodeBuilder::new("presence").attr("from", spelling.clone());
    if state.is_available() {
        return stanza.build();
    }
    let stanza = stanza.attr("type", "unavailable");
    if state.persona.hides("last") {
        return stanza.attr("last", "deny").build();
    }
    match state.last_seen {
        Some(seen) => stanza.attr("last", seen.to_string()).build(),
        None => stanza.build(),
    }
}
