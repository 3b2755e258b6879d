//! Questions about groups.

use super::super::iq::{Answer, Refusal};
use super::super::{Device, Session};
use super::group_id;
use crate::groups::{Change, describe, entry};
use crate::node;
use crate::state::group::{Facts, Group};
use crate::world::World;
use std::sync::Arc;
use wacore::messages::MessageUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// Answers what is not about a certain group.
pub fn overall(session: &Session, device: &Device, wish: &Node) -> Answer {
    let world = &session.world;
    match wish.tag.as_ref() {
        "participating" => {
            let groups = world.groups.of(&device.account.number);
            let elements = groups.iter().map(|group| describe::element(world, group, &group.facts(), &[]));
            Ok(vec![node::parent("groups", elements)])
        }
        "query" => {
            let named = node::children(wish).iter().filter(|one| one.tag == "group");
            let elements = named.map(|one| known(world, device, &node::text_attr(one, "jid")));
            Ok(vec![node::parent("groups", elements)])
        }
        "invite" => {
            let group = world.groups.by_code(&node::text_attr(wish, "code")).ok_or(Refusal::GONE)?;
            let element = describe::element(world, &group, &group.facts(), &[]);
            Ok(vec![element])
        }
        "pictures" => Ok(vec![node::empty("pictures")]),
        _ => Err(Refusal::NOT_BUILT),
    }
}

/// Answers what is about one group.
pub fn one(session: &Session, device: &Device, group: &Arc<Group>, wish: &Node) -> Answer {
    let world = &session.world;
    let change = Change::begin(world, group, &device.account);
    match wish.tag.as_ref() {
        "query" => {
            change.member()?;
            let known = node::attr(wish, "phash");
            if known.is_some_and(|known| Some(&*known) == members_hash(world, &change.facts).as_deref()) {
                return Ok(Vec::new());
            }
            Ok(vec![describe::element(world, group, &change.facts, &[])])
        }
        "invite" => {
            let code = entry::code(&change)?;
            Ok(vec![NodeBuilder::new("invite").attr("code", code).build()])
        }
        "membership_approval_requests" => Ok(vec![entry::waiting(&change)?]),
        _ => Err(Refusal::NOT_BUILT),
    }
}

/// Describes a group to a member, or says why not.
fn known(world: &World, device: &Device, jid: &str) -> Node {
    let id = group_id(jid);
    let failed =
        |code: &'static str| NodeBuilder::new("group").attr("id", id.to_owned()).attr("error", code).build();
    match world.groups.get(id) {
        None => failed("404"),
        Some(group) => {
            let facts = group.facts();
            match facts.rank(&device.account.number) {
                None => failed("403"),
                Some(_) => describe::element(world, &group, &facts, &[]),
            }
        }
    }
}

/// Returns the hash by which a client tells whether it still knows all members.
fn members_hash(world: &World, facts: &Facts) -> Option<String> {
    let members: Vec<Jid> = facts
        .members
        .keys()
        .filter_map(|number| world.directory.by_number(number))
        .map(|account| facts.mode.address(&account, 0))
        .collect();
    MessageUtils::participant_list_hash(&members).ok()
}
