//! Requests about groups (`w:g2`). What they mean is decided in `groups`; this is how they look on the wire.

mod read;
mod write;

use super::iq::{self, Refusal, Reply};
use super::{Device, Session};
use crate::groups::Change;
use crate::groups::members::{Asked, Outcome};
use crate::node;
use crate::state::group::{Group, Mode};
use std::sync::Arc;
use wacore_binary::Node;

/// Answers a request about groups once what it changed is stored.
pub fn answer(session: &Session, device: &Device, request: &Node) -> Reply {
    let get = node::attr(request, "type").is_some_and(|kind| kind == "get");
    let Some(wish) = node::children(request).first() else { return Refusal::BAD_REQUEST.into() };
    let to = node::jid_attr(request, "to").map(|to| to.user.to_string()).unwrap_or_default();
    if to.is_empty() {
        return if get {
            read::overall(session, device, wish).into()
        } else {
            write::overall(session, device, request, wish)
        };
    }
    let Some(group) = session.world.groups.get(&to) else { return Refusal::NOT_FOUND.into() };
    if get {
        read::one(session, device, &group, wish).into()
    } else {
        write::one(session, device, request, &group, wish)
    }
}

/// Makes a change and answers after it is stored; a refusal is answered at once.
fn apply(
    session: &Session,
    device: &Device,
    request: &Node,
    group: &Arc<Group>,
    work: impl FnOnce(&mut Change<'_>) -> Result<Vec<Node>, Refusal>,
) -> Reply {
    let mut change = Change::begin(&session.world, group, &device.account);
    match work(&mut change) {
        Ok(children) => {
            let (sender, result) = (session.sender.clone(), iq::result(request, Ok(children)));
            change.finish(move || sender.send(result));
            Reply::Deferred
        }
        Err(refusal) => refusal.into(),
    }
}

/// Reads the persons that an element names.
fn persons(session: &Session, element: &Node) -> Result<Vec<Asked>, Refusal> {
    let named = node::children(element).iter().filter(|one| one.tag == "participant");
    named
        .map(|one| {
            let jid = node::jid_attr(one, "jid").ok_or(Refusal::BAD_REQUEST)?;
            Asked::find(&session.world, &jid)
        })
        .collect()
}

/// Builds the elements that say what became of each person.
fn results(outcomes: &[Outcome], mode: Mode) -> Vec<Node> {
    outcomes.iter().map(|outcome| outcome.to_node(mode)).collect()
}

/// Returns the digits of a group's id, however it was written.
fn group_id(text: &str) -> &str {
    text.split_once('@').map_or(text, |(id, _)| id)
}
