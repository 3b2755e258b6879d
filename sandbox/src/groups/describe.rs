//! A group in words: its element on the wire, and what the control API shows.

use super::members::Outcome;
use super::settings::Setting;
use crate::node;
use crate::state::account::Account;
use crate::state::group::{Facts, Group, Mode, Rank};
use crate::world::World;
use serde_json::{Value, json};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// Builds a group's element with all members. `failed` are invitees that did not become any.
pub fn element(world: &World, group: &Group, facts: &Facts, failed: &[Outcome]) -> Node {
    let mode = facts.mode;
    let mut element = NodeBuilder::new("group")
        .attr("id", group.id.clone())
        .attr("subject", facts.subject.text.clone())
        .attr("creation", facts.created_at.to_string())
        .attr("s_t", facts.subject.at.to_string())
        .attr("addressing_mode", mode.as_str())
        .attr("size", facts.members.len().to_string());
    if let Some(creator) = world.directory.by_number(&facts.creator) {
        element = element.attr("creator", mode.address(&creator, 0)).attr("creator_pn", creator.pn(0));
    }
    if let Some(namer) = world.directory.by_number(&facts.subject.by) {
        element = element.attr("s_o", mode.address(&namer, 0)).attr("s_o_pn", namer.pn(0));
    }
    let members = facts.members.iter().filter_map(|(number, rank)| {
        Some(participant(&*world.directory.by_number(number)?, mode, Some(*rank)))
    });
    let failed = failed.iter().map(|outcome| outcome.to_node(mode));
    let description = facts.description.iter().map(|one| {
        let element =
            NodeBuilder::new("description").attr("id", one.id.clone()).attr("t", one.at.to_string());
        let element = match world.directory.by_number(&one.by) {
            Some(writer) => element.attr("participant", mode.address(&writer, 0)),
            None => element,
        };
        element.children([node::bytes("body", one.text.as_bytes())]).build()
    });
    let settings = Setting::in_force(&facts.settings).into_iter().map(Setting::to_node);
    element.children(members.chain(failed).chain(description).chain(settings)).build()
}

/// Builds the element that names a member.
pub fn participant(account: &Account, mode: Mode, rank: Option<Rank>) -> Node {
    let named = NodeBuilder::new("participant").attr("jid", mode.address(account, 0));
    let named = match mode {
        Mode::Lid => named.attr("phone_number", account.pn(0)),
        Mode::Pn => named.attr("lid", account.lid(0)),
    };
    match rank.and_then(Rank::on_wire) {
        Some(rank) => named.attr("type", rank).build(),
        None => named.build(),
    }
}

/// Shows a group to the control API.
pub fn view(world: &World, group: &Group, facts: &Facts) -> Value {
    let participants: Vec<Value> = facts
        .members
        .iter()
        .map(|(number, rank)| {
            let lid = world.directory.by_number(number).map(|account| account.lid(0).to_string());
            json!({"phone": number, "lid": lid, "role": rank})
        })
        .collect();
    let requests: Vec<Value> = facts
        .requests
        .iter()
        .map(|(number, one)| json!({"phone": number, "requestedAt": one.at * 1000, "method": one.method}))
        .collect();
    let settings = &facts.settings;
    json!({
        "id": group.jid().to_string(),
        "subject": facts.subject.text,
        "description": facts.description.as_ref().map(|one| &one.text),
        "mode": facts.mode,
        "owner": facts.creator,
        "createdAt": facts.created_at * 1000,
        "participants": participants,
        "announcement": settings.announcement,
        "locked": settings.locked,
        "ephemeralS": settings.ephemeral_s,
        "approval": settings.approval,
        "membersAdd": settings.members_add,
        "membersLink": settings.members_link,
        "inviteCode": facts.invite_code,
        "requests": requests,
        "picture": facts.picture.as_ref().map(|one| json!({"id": one.id, "url": world.media.url(&one.path)})),
    })
}
