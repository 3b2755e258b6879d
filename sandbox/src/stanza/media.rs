//! The media connection: where companions upload and fetch files, and the token that allows it.

use super::iq::{Answer, Refusal};
use super::{Device, Session};
use crate::media::{UPLOAD_MAX, VALID_S};
use crate::node;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// How long clients may keep the route, seconds.
const ROUTE_VALID_S: u64 = 300;

/// Answers a request for the media connection. One host: the network itself.
pub fn answer(session: &Session, device: &Device, iq: &Node) -> Answer {
    if node::child(iq, "media_conn").is_none() {
        return Err(Refusal::BAD_REQUEST);
    }
    let media = &session.world.media;
    let host = NodeBuilder::new("host")
        .attr("hostname", media.host())
        .attr("type", "primary")
        .attr("maxContentLengthBytes", UPLOAD_MAX.to_string())
        .build();
    let connection = NodeBuilder::new("media_conn")
        .attr("auth", media.pass(&device.account.number, device.id))
        .attr("ttl", ROUTE_VALID_S.to_string())
        .attr("auth_ttl", VALID_S.to_string())
        .attr("max_buckets", "12")
        .children([host])
        .build();
    Ok(vec![connection])
}
