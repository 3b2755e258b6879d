//! Linking and unlinking, from the companion's side: its answers during pairing, pairing codes, logout.

use super::iq::{self, Refusal, Reply};
use super::{Device, Session, Who};
use crate::node;
use crate::phone::{code, link};
use crate::state::registration::Registration;
use std::sync::Arc;
use wacore_binary::{Jid, JidExt as _, Node};

/// Takes a client's answer to one of our requests; the signature of a new companion is the one that matters.
pub fn client_answered(session: &Session, answer: &Node, failed: bool) {
    let Who::Guest(registration) = &session.who else { return };
    let id = node::text_attr(answer, "id");
    if failed {
        let why =
            node::child(answer, "error").map(|error| node::text_attr(error, "text")).unwrap_or_default();
        link::refused_by_companion(registration, &id, &why);
    } else if let Some(sign) = node::child(answer, "pair-device-sign") {
        let identity = node::child_content(sign, "device-identity").unwrap_or_default();
        link::signed_by_companion(&session.world, registration, &id, &identity);
    }
}

/// Answers a client that is not linked yet.
pub fn guest_request(session: &Session, registration: &Arc<Registration>, request: &Node) -> Reply {
    let Some(step) = node::child(request, "link_code_companion_reg") else {
        return Reply::Now(Err(Refusal::FORBIDDEN));
    };
    match node::text_attr(step, "stage").as_str() {
        "companion_hello" => code::hello(registration, step).into(),
        "companion_finish" => {
            let finished = code::finish(registration, step);
            let (answer, pairing) = match finished {
                Ok(pairing) => (Ok(Vec::new()), Some(pairing)),
                Err(refusal) => (Err(refusal), None),
            };
            // The answer goes first: the client takes `pair-success` only after it.
            session.sender.send(iq::result(request, answer));
            if let Some(pairing) = pairing {
                link::offer(
                    &session.world,
                    &pairing.account,
                    registration,
                    &pairing.adv_secret,
                    pairing.reply,
                );
            }
            Reply::Deferred
        }
        "get_country_code" => Reply::Now(Ok(vec![country()])),
        _ => Reply::Now(Err(Refusal::BAD_REQUEST)),
    }
}

fn country() -> Node {
    wacore_binary::builder::NodeBuilder::new("country_code").attr("iso", "ID").build()
}

/// Answers a linked companion; the only thing it can ask for is to be unlinked.
pub fn device_request(session: &Session, device: &Device, request: &Node) -> Reply {
    let Some(removal) = node::child(request, "remove-companion-device") else {
        return Reply::Now(Err(Refusal::BAD_REQUEST));
    };
    let own = |jid: &Jid| jid.user() == device.account.number || jid.user() == device.account.lid;
    let Some(target) = node::jid_attr(removal, "jid").filter(|jid| own(jid) && jid.device != 0) else {
        return Reply::Now(Err(Refusal::FORBIDDEN));
    };
    let (sender, result) = (session.sender.clone(), iq::result(request, Ok(Vec::new())));
    if link::unlink(&session.world, &device.account, target.device, move || sender.send(result)) {
        Reply::Deferred
    } else {
        Reply::Now(Err(Refusal::NOT_FOUND))
    }
}
