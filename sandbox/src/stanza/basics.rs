//! Requests with a plain answer: settings every client asks for at login, and families that are not built yet.
//! A change that would not be remembered is refused, not swallowed.

use super::iq::{Answer, Refusal};
use crate::node;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// Answers a request, or nothing when the family is unknown.
pub fn answer(xmlns: &str, kind: &str, iq: &Node) -> Option<Answer> {
    let get = kind == "get";
    Some(match xmlns {
        "w:p" | "passive" | "urn:xmpp:whatsapp:dirty" | "w:stats" => Ok(Vec::new()),
        "abt" => Ok(vec![properties()]),
        // Tokens are only enforced for restricted contacts, which nobody is here.
        "privacy" if node::child(iq, "tokens").is_some() => Ok(Vec::new()),
        "w:biz" if get => Ok(vec![node::empty("business_profile")]),
        "privacy" | "status" | "disappearing_mode" | "w:biz" => Err(Refusal::NOT_BUILT),
        _ => return None,
    })
}

fn properties() -> Node {
    NodeBuilder::new("props")
        .attr("protocol", "1")
        .attr("hash", "1")
        .attr("refresh", "86400")
        .attr("refresh_id", "1")
        .attr("delta_update", "false")
        .build()
}
