//! Status posts: the writer lists whom they are for and seals them once with a key of its own, as in a group that has no
//! members but the listed ones.

use super::group::{is_for_everybody, is_known, named, sealed_for_devices};
use super::{Accepted, blocks, enqueue, error, finish_copy};
use crate::node;
use crate::stanza::Device;
use crate::state::account::Account;
use crate::state::group::Mode;
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// By which address the network names who wrote a status post.
pub const MODE: Mode = Mode::Lid;

/// Returns the address that all status posts go to.
pub fn address() -> Jid {
    Jid::status_broadcast()
}

/// Takes a status post: every device of everybody whom it lists gets its copy, and the writer's other devices.
pub fn route(world: &World, device: &Device, message: &Node) -> Result<Accepted, u16> {
    let audience = audience(world, message)?;
    if audience.is_empty() {
        return Err(error::MALFORMED);
    }
    let mut batch = world.batch();
    let sealed = sealed_for_devices(&audience, message);
    let common = node::children(message).iter().find(|child| is_for_everybody(child));
    let again = common.is_some() && is_known(world, device, message, &mut batch);
    for reader in &audience {
        // Neither side of a block sees what the other posts, and nobody is told.
        if blocks(reader, &device.account) || blocks(&device.account, reader) {
            continue;
        }
        let devices = reader.state().devices();
        for id in devices {
            if Arc::ptr_eq(reader, &device.account) && id == device.id {
                continue;
            }
            let own = sealed.get(&(reader.number.clone(), id)).copied();
            let encs: Vec<Node> = own.into_iter().chain(common.filter(|_| !again)).cloned().collect();
            if !encs.is_empty() {
                let copy = NodeBuilder::new("message").attr("from", address());
                let copy = named(copy, MODE, &device.account, device.id);
                enqueue(world, reader, id, finish_copy(copy, device, message, &encs), &mut batch);
            }
        }
    }
    Ok(Accepted { batch, phash: None, server_id: None })
}

/// Finds the people of a post: those it lists, or the one who asked for it again.
fn audience(world: &World, message: &Node) -> Result<Vec<Arc<Account>>, u16> {
    let listed = node::child(message, "participants").map(node::children).unwrap_or_default();
    let listed = listed.iter().filter_map(|one| node::jid_attr(one, "jid"));
    let mut people: BTreeMap<String, Arc<Account>> = BTreeMap::new();
    for jid in listed.chain(node::jid_attr(message, "participant")) {
        let found = world.directory.resolve(&world.store, &jid.to_non_ad()).map_err(|_| error::INTERNAL)?;
        people.extend(found.map(|account| (account.number.clone(), account)));
    }
    Ok(people.into_values().collect())
}
