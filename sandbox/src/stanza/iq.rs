//! Requests of clients: which family answers which one. Every request is answered; a client waits up to 75 s for it.

use super::{Session, Who, appstate, basics, channels, encrypt, groups, md, media, persona, usync};
use crate::faults::IqError;
use crate::{node, stats};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// The answer to a request.
pub type Answer = Result<Vec<Node>, Refusal>;

/// Why a request is refused.
pub struct Refusal {
    /// Error number as on the wire.
    pub code: u16,
    /// Its name on the wire.
    pub text: &'static str,
}

impl Refusal {
    /// The request is malformed.
    pub const BAD_REQUEST: Refusal = Refusal { code: 400, text: "bad-request" };
    /// Only for admins.
    pub const NOT_AUTHORIZED: Refusal = Refusal { code: 401, text: "not-authorized" };
    /// Not allowed for this client.
    pub const FORBIDDEN: Refusal = Refusal { code: 403, text: "forbidden" };
    /// There is no such thing.
    pub const NOT_FOUND: Refusal = Refusal { code: 404, text: "item-not-found" };
    /// It changed meanwhile, or is there already.
    pub const CONFLICT: Refusal = Refusal { code: 409, text: "conflict" };
    /// It is over.
    pub const GONE: Refusal = Refusal { code: 410, text: "gone" };
    /// There is no room left.
    pub const FULL: Refusal = Refusal { code: 419, text: "resource-limit" };
    /// Something failed here.
    pub const INTERNAL: Refusal = Refusal { code: 500, text: "internal-server-error" };
    /// The simulated network does not do this yet.
    pub const NOT_BUILT: Refusal = Refusal { code: 501, text: "feature-not-implemented" };
}

/// How a request is answered.
pub enum Reply {
    /// With these children, or an error, at once.
    Now(Answer),
    /// By the family itself, once its rows are stored.
    Deferred,
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::Now(Err(refusal))
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::Now(answer)
    }
}

/// Answers a request, or takes note of a client's answer to ours.
pub fn handle(session: &Session, iq: &Node) {
    let kind = node::text_attr(iq, "type");
    if kind == "result" || kind == "error" {
        return md::client_answered(session, iq, kind == "error");
    }
    let xmlns = node::text_attr(iq, "xmlns");
    if let Who::Device(device) = &session.who
        && let Some(error) = session.world.faults.on_request(&device.account.number, device.id, &xmlns)
    {
        return session.sender.send(failed(iq, &error));
    }
    let reply = match &session.who {
        Who::Guest(registration) => match xmlns.as_str() {
            "md" => md::guest_request(session, registration, iq),
            "w:p" => Reply::Now(Ok(Vec::new())),
            _ => Reply::Now(Err(Refusal::FORBIDDEN)),
        },
        Who::Device(device) => match xmlns.as_str() {
            "encrypt" => encrypt::answer(session, device, iq),
            "usync" => usync::answer(session, iq).into(),
            "w:sync:app:state" => appstate::answer(session, device, iq),
            "md" => md::device_request(session, device, iq),
            "w:g2" => groups::answer(session, device, iq),
            "w:m" => media::answer(session, device, iq).into(),
            "w:mex" => channels::query(session, device, iq),
            "newsletter" => channels::posts(session, device, &kind, iq),
            _ => persona::answer(session, device, &xmlns, &kind, iq)
                .or_else(|| basics::answer(&xmlns, &kind, iq).map(Reply::from))
                .unwrap_or_else(|| unknown(session, iq)),
        },
    };
    if let Reply::Now(answer) = reply {
        session.sender.send(result(iq, answer));
    }
}

fn unknown(session: &Session, iq: &Node) -> Reply {
    stats::add(&session.world.stats.unknown_iqs, 1);
    tracing::warn!(conn = session.conn, "unknown request, answered with nothing: {}", node::Line(iq));
    Reply::Now(Ok(Vec::new()))
}

/// Builds the answer that a fault demands.
fn failed(iq: &Node, fault: &IqError) -> Node {
    let text = if fault.code == 429 { "rate-overlimit" } else { "simulated-fault" };
    let mut error = NodeBuilder::new("error").attr("code", fault.code.to_string()).attr("text", text);
    if let Some(backoff_s) = fault.backoff_s {
        error = error.attr("backoff", backoff_s.to_string());
    }
    start(iq).attr("type", "error").children([error.build()]).build()
}

fn start(iq: &Node) -> NodeBuilder {
    let builder = NodeBuilder::new("iq").attr("id", node::text_attr(iq, "id"));
    match iq.attrs.get("to") {
        Some(to) => builder.attr("from", to.clone()),
        None => builder.attr("from", node::SERVER),
    }
}

/// Builds the answer to a request.
pub fn result(iq: &Node, answer: Answer) -> Node {
    let builder = start(iq);
    match answer {
        Ok(children) if children.is_empty() => builder.attr("type", "result").build(),
        Ok(children) => builder.attr("type", "result").children(children).build(),
        Err(refusal) => {
            let error = NodeBuilder::new("error")
                .attr("code", refusal.code.to_string())
                .attr("text", refusal.text)
                .build();
            builder.attr("type", "error").children([error]).build()
        }
    }
}
