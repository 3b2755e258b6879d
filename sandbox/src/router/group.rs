//! Messages and receipts in groups. A member writes once, sealed with a key of its own; that key travels sealed
//! for each device. Who may write is checked here, who may change the group in `groups`.

use super::{Accepted, enqueue, error, finish_copy, finish_receipt, reopen, status};
use crate::node;
use crate::stanza::Device;
use crate::state::account::{Account, device_key};
use crate::state::group::Mode;
use crate::state::routed::Target;
use crate::stats;
use crate::store::{Batch, Table};
use crate::world::World;
use std::collections::HashMap;
use std::sync::Arc;
use wacore::messages::MessageUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node};

/// Takes a message to a group: every device of every member gets its copy.
pub fn route(world: &World, device: &Device, to: &Jid, message: &Node) -> Result<Accepted, u16> {
    let group = world.groups.get(to.user()).ok_or(error::NOT_FOUND)?;
    let (mode, numbers) = {
        let facts = group.facts();
        if !facts.may_write(&device.account.number) {
            return Err(error::FORBIDDEN);
        }
        (facts.mode, facts.members.keys().cloned().collect::<Vec<_>>())
    };
    if node::attr(message, "addressing_mode").is_some_and(|said| said != mode.as_str()) {
        return Err(error::STALE_ADDRESSING);
    }
    let members: Vec<Arc<Account>> =
        numbers.iter().filter_map(|number| world.directory.by_number(number)).collect();
    let mut batch = world.batch();
    let sealed = sealed_for_devices(&members, message);
    let common = node::children(message).iter().find(|child| is_for_everybody(child));
    let again = common.is_some() && is_known(world, device, message, &mut batch);
    for member in &members {
        let devices = member.state().devices();
        for id in devices {
            if Arc::ptr_eq(member, &device.account) && id == device.id {
                continue;
            }
            let own = sealed.get(&(member.number.clone(), id)).copied();
            // Whoever sends again because its acknowledgement was lost may have made a new key meanwhile.
            let encs: Vec<Node> = own.into_iter().chain(common.filter(|_| !again)).cloned().collect();
            if !encs.is_empty() {
                let copy = NodeBuilder::new("message").attr("from", to.to_non_ad());
                let copy = named(copy, mode, &device.account, device.id);
                enqueue(world, member, id, finish_copy(copy, device, message, &encs), &mut batch);
            }
        }
    }
    let phash = devices_hash(&members, mode);
    let stale = node::attr(message, "phash").is_some_and(|said| Some(&*said) != phash.as_deref());
    Ok(Accepted { batch, phash: phash.filter(|_| stale), server_id: None })
}

/// Names the writer of something in a group, by both addresses.
pub fn named(stanza: NodeBuilder, mode: Mode, writer: &Account, device: u16) -> NodeBuilder {
    let (twin_key, twin) = mode.twin(writer, device);
    stanza
        .attr("participant", mode.address(writer, device))
        .attr(twin_key, twin)
        .attr("addressing_mode", mode.as_str())
}

pub(super) fn is_for_everybody(child: &Node) -> bool {
    child.tag == "enc" && node::attr(child, "type").is_some_and(|kind| kind == "skmsg")
}

/// Finds what was sealed for single devices: those listed, or the one that asked for the message again.
pub(super) fn sealed_for_devices<'m>(
    members: &[Arc<Account>],
    message: &'m Node,
) -> HashMap<Target, &'m Node> {
    let mut by_user = HashMap::new();
    for member in members {
        by_user.insert(member.number.as_str(), member);
        by_user.insert(member.lid.as_str(), member);
    }
    let listed = node::child(message, "participants").map(node::children).unwrap_or_default();
    let listed =
        listed.iter().filter_map(|one| Some((node::jid_attr(one, "jid")?, node::child(one, "enc")?)));
    let alone = node::child(message, "enc").filter(|enc| !is_for_everybody(enc));
    let alone = alone.and_then(|enc| Some((node::jid_attr(message, "participant")?, enc)));
    let target = |(jid, enc): (Jid, &'m Node)| {
        let member = by_user.get(jid.user())?;
        Some(((member.number.clone(), jid.device), enc))
    };
    listed.chain(alone).filter_map(target).collect()
}

/// Returns whether the group got this id before, and remembers it. One entry stands for all members: a list of every
/// device served, kept for every message, would fill the memory of a network with large groups.
pub(super) fn is_known(world: &World, device: &Device, message: &Node, batch: &mut Batch) -> bool {
    let id = node::text_attr(message, "id");
    let mut state = device.account.state();
    let Some(companion) = state.companions.get_mut(&device.id) else { return true };
    let again = companion.routed.knows(&id);
    stats::add(if again { &world.stats.resends } else { &world.stats.messages }, 1);
    if !again {
        let owner = device_key(&device.account.number, device.id);
        if let Some(forgotten) = companion.routed.serve(&id, []) {
            batch.delete(Table::Routed, || format!("{owner}/{forgotten}"));
        }
        batch.put(Table::Routed, format!("{owner}/{id}"), || companion.routed.row(&id));
    }
    again
}

/// Returns the hash by which a client tells whether it knows all devices of a group, its own included.
fn devices_hash(members: &[Arc<Account>], mode: Mode) -> Option<String> {
    let mut devices = Vec::with_capacity(members.len());
    for member in members {
        devices.extend(member.state().devices().into_iter().map(|id| mode.address(member, id)));
    }
    MessageUtils::participant_list_hash(&devices).ok()
}

/// Passes a receipt for a message in a group, or for a status post, on to whoever wrote it, and to the reader's other devices.
pub fn receipt(
    world: &World,
    reader: &Arc<Account>,
    device: u16,
    receipt: &Node,
    kind: &str,
    ids: &[String],
    batch: &mut Batch,
) -> Option<Arc<Account>> {
    let to = node::jid_attr(receipt, "to")?;
    let writer = node::jid_attr(receipt, "participant")?;
    let mode = match to.is_status_broadcast() {
        true => status::MODE,
        false => world.groups.get(to.user())?.facts().mode,
    };
    let account = world.directory.resolve(&world.store, &writer.to_non_ad()).ok()??;
    let copy = |kind: &str| {
        let copy = NodeBuilder::new("receipt").attr("from", to.to_non_ad());
        finish_receipt(named(copy, mode, reader, device), receipt, kind)
    };
    let to_writer = match kind {
        "retry" => {
            for id in ids {
                reopen(&account, writer.device, id, &(reader.number.clone(), device), batch);
            }
            vec![writer.device]
        }
        "" | "inactive" | "read" | "played" => account.state().devices(),
        _ => Vec::new(),
    };
    for target in to_writer.into_iter().filter(|target| !(Arc::ptr_eq(&account, reader) && *target == device))
    {
        enqueue(world, &account, target, copy(kind), batch);
    }
    if let Some(own_kind) = super::own_kind(kind) {
        let others = reader.state().devices().into_iter().filter(|other| *other != device);
        for other in others.collect::<Vec<_>>() {
            enqueue(world, reader, other, copy(own_kind), batch);
        }
    }
    Some(account)
}
