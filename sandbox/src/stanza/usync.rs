//! Questions about users: are they on the network, which devices have they, what is their other address.

use super::Session;
use super::iq::{Answer, Refusal};
use crate::node;
use crate::phone::link;
use crate::state::account::Account;
use std::sync::Arc;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// Answers for every user asked about, in the spelling of the question.
pub fn answer(session: &Session, iq: &Node) -> Answer {
    let usync = node::child(iq, "usync").ok_or(Refusal::BAD_REQUEST)?;
    let query = node::child(usync, "query").ok_or(Refusal::BAD_REQUEST)?;
    let list = node::child(usync, "list").ok_or(Refusal::BAD_REQUEST)?;
    let protocols: Vec<&str> = node::children(query).iter().map(|one| one.tag.as_ref()).collect();
    let mut users = Vec::new();
    for asked in node::children(list).iter().filter(|one| one.tag == "user") {
        users.push(user(session, asked, &protocols)?);
    }
    let known = protocols.iter().filter_map(|name| RESULTS.iter().find(|known| *known == name));
    let result = node::parent("result", known.map(|name| node::empty(name)));
    let answer = NodeBuilder::new("usync")
        .attr("sid", node::text_attr(usync, "sid"))
        .attr("mode", node::text_attr(usync, "mode"))
        .attr("index", "0")
        .attr("last", "true")
        .children([result, node::parent("list", users)])
        .build();
    Ok(vec![answer])
}

/// Protocols that are answered; the others are left out of a user's answer.
const RESULTS: [&str; 6] = ["devices", "lid", "contact", "status", "disappearing_mode", "business"];

fn user(session: &Session, asked: &Node, protocols: &[&str]) -> Result<Node, Refusal> {
    let contact =
        node::child(asked, "contact").map(|one| String::from_utf8_lossy(&node::content(one)).into_owned());
    let jid = node::jid_attr(asked, "jid").or_else(|| {
        let digits: String = contact.as_deref()?.chars().filter(char::is_ascii_digit).collect();
        (!digits.is_empty()).then(|| Jid::pn(digits))
    });
    let Some(jid) = jid else { return Err(Refusal::BAD_REQUEST) };
    let account = session
        .world
        .directory
        .resolve(&session.world.store, &jid.to_non_ad())
        .map_err(|_| Refusal::INTERNAL)?;
    let mut children = Vec::new();
    for protocol in protocols {
        children.extend(match (*protocol, &account) {
            ("contact", _) => Some(contact_answer(account.is_some(), contact.as_deref())),
            ("devices", Some(account)) => Some(devices(account)),
            ("devices", None) => Some(node::parent("devices", [node::empty("device-list")])),
            ("lid", Some(account)) if jid.is_pn() => {
                Some(NodeBuilder::new("lid").attr("val", account.lid(0)).build())
            }
            ("status", Some(account)) => Some(about(account)),
            ("disappearing_mode", Some(_)) => {
                Some(NodeBuilder::new("disappearing_mode").attr("duration", "0").attr("t", "0").build())
            }
            _ => None,
        });
    }
    let mut answer = NodeBuilder::new("user").attr("jid", jid.clone());
    if let Some(account) = account.filter(|_| jid.is_lid()) {
        answer = answer.attr("pn_jid", account.pn(0));
    }
    Ok(answer.children(children).build())
}

fn contact_answer(exists: bool, asked: Option<&str>) -> Node {
    let answer = NodeBuilder::new("contact").attr("type", if exists { "in" } else { "out" });
    match asked {
        Some(asked) => answer.bytes(asked.as_bytes()).build(),
        None => answer.build(),
    }
}

fn about(account: &Account) -> Node {
    let persona = &account.state().persona;
    if persona.hides("status") {
        let error = NodeBuilder::new("error").attr("code", "401").attr("text", "not-authorized").build();
        return node::parent("status", [error]);
    }
    let (text, at) =
        persona.about.as_ref().map_or((String::new(), 0), |about| (about.text.clone(), about.at));
    NodeBuilder::new("status").attr("t", at.to_string()).bytes(text.into_bytes()).build()
}

fn devices(account: &Arc<Account>) -> Node {
    let state = account.state();
    let phone = NodeBuilder::new("device").attr("id", "0").build();
    let companions = state.companions.values().map(|one| {
        NodeBuilder::new("device")
            .attr("id", one.profile.id.to_string())
            .attr("key-index", one.profile.key_index.to_string())
            .build()
    });
    let list = node::parent("device-list", std::iter::once(phone).chain(companions));
    if state.companions.is_empty() {
        return node::parent("devices", [list]);
    }
    node::parent("devices", [list, link::key_index_list(account, &state)])
}
