//! Changes to groups.

use super::super::iq::{self, Refusal, Reply};
use super::super::{Device, Session};
use super::{apply, group_id, persons, results};
use crate::groups::entry::{self, Entered};
use crate::groups::make::{self, Plan};
use crate::groups::settings::{self, Setting};
use crate::groups::{Change, members};
use crate::node;
use crate::state::group::{Group, Settings};
use std::sync::Arc;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// Does what is not asked of a certain group.
pub fn overall(session: &Session, device: &Device, request: &Node, wish: &Node) -> Reply {
    match wish.tag.as_ref() {
        "create" => match create(session, device, request, wish) {
            Ok(()) => Reply::Deferred,
            Err(refusal) => refusal.into(),
        },
        "leave" => leave(session, device, request, wish),
        "invite" => {
            let code = node::text_attr(wish, "code");
            let Some(group) = session.world.groups.by_code(&code) else { return Refusal::GONE.into() };
            apply(session, device, request, &group, |change| {
                entry::join(change, &code).map(|entered| vec![entered_node(change, entered)])
            })
        }
        _ => Refusal::NOT_BUILT.into(),
    }
}

/// Does what is asked of one group.
pub fn one(session: &Session, device: &Device, request: &Node, group: &Arc<Group>, wish: &Node) -> Reply {
    let asked = match persons(session, innermost(wish)) {
        Ok(asked) => asked,
        Err(refusal) => return refusal.into(),
    };
    apply(session, device, request, group, |change| {
        if let Some(setting) = Setting::read(wish) {
            settings::set(change, &[setting])?;
            return Ok(Vec::new());
        }
        match wish.tag.as_ref() {
            "subject" => {
                let text = String::from_utf8_lossy(&node::content(wish)).into_owned();
                settings::rename(change, text).map(|()| Vec::new())
            }
            "description" => describe(change, wish).map(|()| Vec::new()),
            "invite" => {
                let code = entry::reset(change)?;
                Ok(vec![NodeBuilder::new("invite").attr("code", code).build()])
            }
            "accept" => {
                let entered = entry::accept(change, &node::text_attr(wish, "code"))?;
                Ok(vec![entered_node(change, entered)])
            }
            "ack" => change.member().map(|_| Vec::new()),
            _ => about_persons(change, wish, &asked),
        }
    })
}

/// Does what names persons and has a result for each of them.
fn about_persons(
    change: &mut Change<'_>,
    wish: &Node,
    asked: &[members::Asked],
) -> Result<Vec<Node>, Refusal> {
    let mode = change.facts.mode;
    let (tag, outcomes) = match wish.tag.as_ref() {
        "add" => ("add", members::add(change, asked)?),
        "remove" => ("remove", members::remove(change, asked)?),
        "promote" => ("promote", members::rank(change, asked, true)?),
        "demote" => ("demote", members::rank(change, asked, false)?),
        "cancel_membership_requests" => ("cancel_membership_requests", entry::withdraw(change, asked)?),
        "revoke" => ("revoke", entry::uninvite(change, asked)?),
        "membership_requests_action" => {
            let agree = innermost(wish).tag == "approve";
            let outcomes = entry::decide(change, asked, agree)?;
            let verdict = node::parent(if agree { "approve" } else { "reject" }, results(&outcomes, mode));
            return Ok(vec![node::parent("membership_requests_action", [verdict])]);
        }
        _ => return Err(Refusal::NOT_BUILT),
    };
    Ok(vec![node::parent(tag, results(&outcomes, mode))])
}

/// Returns the element that names the persons of a request.
fn innermost(wish: &Node) -> &Node {
    if wish.tag != "membership_requests_action" {
        return wish;
    }
    node::children(wish).first().unwrap_or(wish)
}

fn create(session: &Session, device: &Device, request: &Node, wish: &Node) -> Result<(), Refusal> {
    let mut set = Settings::default();
    node::children(wish).iter().filter_map(Setting::read).for_each(|one| one.apply(&mut set));
    let description = node::child(wish, "description").map(|one| {
        let text = node::child_content(one, "body").unwrap_or_default();
        (node::text_attr(one, "id"), String::from_utf8_lossy(&text).into_owned())
    });
    if node::child(wish, "parent").is_some() || node::child(wish, "linked_parent").is_some() {
        return Err(Refusal::NOT_BUILT);
    }
    let plan = Plan {
        subject: node::text_attr(wish, "subject"),
        description,
        invited: persons(session, wish)?,
        settings: set,
        key: node::attr(wish, "key").map(|key| key.into_owned()),
        ..Default::default()
    };
    make::create(&session.world, &device.account, plan, |made| {
        let (sender, result) = (session.sender.clone(), iq::result(request, Ok(vec![made.element.clone()])));
        Box::new(move || sender.send(result))
    })
    .map(drop)
}

fn leave(session: &Session, device: &Device, request: &Node, wish: &Node) -> Reply {
    let named = node::child(wish, "group").map(|one| node::text_attr(one, "id")).unwrap_or_default();
    let Some(group) = session.world.groups.get(group_id(&named)) else { return Refusal::NOT_FOUND.into() };
    apply(session, device, request, &group, |change| {
        members::leave(change)?;
        let left = NodeBuilder::new("group").attr("id", change.group.jid()).build();
        Ok(vec![node::parent("leave", [left])])
    })
}

fn describe(change: &mut Change<'_>, wish: &Node) -> Result<(), Refusal> {
    let removed = node::attr(wish, "delete").is_some_and(|delete| delete == "true");
    let text = node::child_content(wish, "body").filter(|_| !removed);
    let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
    let previous = node::attr(wish, "prev");
    settings::describe(change, node::text_attr(wish, "id"), text, previous.as_deref())
}

fn entered_node(change: &Change<'_>, entered: Entered) -> Node {
    let tag = match entered {
        Entered::Joined => "group",
        Entered::Waiting => "membership_approval_request",
    };
    NodeBuilder::new(tag).attr("jid", change.group.jid()).build()
}
