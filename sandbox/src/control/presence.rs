//! A phone that is being looked at, or typed on.

use super::messages::{Chat, chat};
use super::phones::find;
use super::reply::{Failure, Outcome};
use crate::node;
use crate::stanza::{chatstate, presence};
use crate::world::World;
use serde::Deserialize;
use serde_json::json;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Presence {
    to: Option<String>,
    state: State,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Available,
    Unavailable,
    Typing,
    Recording,
    Paused,
}

/// Shows a state of the phone: availability to everybody who subscribed, typing to one chat, which may be a group.
pub(super) fn show(world: &World, phone: &str, wish: Presence) -> Outcome {
    let account = find(world, phone)?;
    let typing: Node = match wish.state {
        State::Available | State::Unavailable => {
            presence::set_available(world, &account, 0, matches!(wish.state, State::Available));
            return Ok((200, json!({})));
        }
        State::Typing => node::empty("composing"),
        State::Recording => NodeBuilder::new("composing").attr("media", "audio").build(),
        State::Paused => node::empty("paused"),
    };
    let to = wish.to.ok_or_else(|| Failure::invalid("`to` says in which chat"))?;
    match chat(world, &to)? {
        Chat::Person(chat) => chatstate::show(world, &account, &chat, &chat.pn(0), &typing),
        Chat::Group(group) => chatstate::show_in_group(world, &account, &group, &typing),
    }
    Ok((200, json!({})))
}
