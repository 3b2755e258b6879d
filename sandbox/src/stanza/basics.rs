//! Requests with a plain answer: settings every client asks for at login, and families that are not built yet.
//! A change that would not be remembered is refused, not swallowed.

use super::iq::{Answer, Refusal};
use crate::node;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// Privacy settings and their values on a new account.
const PRIVACY: [(&str, &str); 9] = [
    ("last", "all"),
    ("online", "all"),
    ("profile", "all"),
    ("status", "all"),
    ("groupadd", "all"),
    ("readreceipts", "all"),
    ("calladd", "all"),
    ("messages", "all"),
    ("defense", "off"),
];

/// Answers a request, or nothing when the family is unknown.
pub fn answer(xmlns: &str, kind: &str, iq: &Node) -> Option<Answer> {
    let get = kind == "get";
    Some(match xmlns {
        "w:p" | "passive" | "urn:xmpp:whatsapp:dirty" | "w:stats" => Ok(Vec::new()),
        "abt" => Ok(vec![properties()]),
        "blocklist" if get => Ok(vec![node::empty("list")]),
        "privacy" if get => Ok(vec![privacy()]),
        // Tokens are only enforced for restricted contacts, which nobody is here.
        "privacy" if node::child(iq, "tokens").is_some() => Ok(Vec::new()),
        "w:profile:picture" if get => Ok(vec![no_picture()]),
        "w:biz" if get => Ok(vec![node::empty("business_profile")]),
        "w:mex" => Ok(vec![unknown_query()]),
        "newsletter" if get && node::child(iq, "my_addons").is_some() => Ok(vec![node::empty("my_addons")]),
        "blocklist" | "privacy" | "w:profile:picture" | "status" | "disappearing_mode" | "newsletter"
        | "w:biz" => Err(Refusal::NOT_BUILT),
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

fn privacy() -> Node {
    let category = |(name, value): (&'static str, &'static str)| {
        NodeBuilder::new("category").attr("name", name).attr("value", value).build()
    };
    node::parent("privacy", PRIVACY.map(category))
}

fn no_picture() -> Node {
    let error = NodeBuilder::new("error").attr("code", "404").attr("text", "item-not-found").build();
    node::parent("picture", [error])
}

fn unknown_query() -> Node {
    let answer = r#"{"data":null,"errors":[{"message":"unknown query","extensions":{"error_code":400,"is_summary":true}}]}"#;
    node::bytes("result", answer)
}
