//! The control API: what a person with the simulated phones in hand could do, and the faults of the network.
//! Transport-free; `server` carries it over HTTP, a program that links the network calls it directly.

mod app_state;
mod channels;
mod groups;
mod history;
mod messages;
mod persona;
mod phones;
mod presence;
mod reply;

pub use reply::ControlReply;
pub(crate) use reply::parameter;

use crate::faults::{self, Rule};
use crate::phone::link;
use crate::world::World;
use bytes::Bytes;
use groups::Deed;
use reply::{Failure, Outcome, body};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::sync::broadcast;
use wacore_binary::Jid;

/// What the network calls itself.
const NAME: &str = "kurir-sandbox";

/// Longest body of a request.
const BODY_MAX: usize = 8 * 1024 * 1024;
/// Longest body of a message or a history: the largest medium as base64, and what is said about it.
const MESSAGE_MAX: usize = 141 * 1024 * 1024;

/// Returns how many bytes the body of a request to this path may have.
pub(crate) fn body_max(path: &str) -> usize {
    let with_media = path.ends_with("/messages") || path.ends_with("/history");
    if path.starts_with("/sandbox/phones/") && with_media { MESSAGE_MAX } else { BODY_MAX }
}

/// Handle of the control API.
#[derive(Clone)]
pub struct Control {
    world: World,
    addr: SocketAddr,
}

/// Paths below `/sandbox` and the methods that each one takes.
const ROUTES: [(&[&str], &str); 32] = [
    (&[], "GET"),
    (&["phones"], "GET, POST"),
    (&["phones", ":phone"], "GET"),
    (&["phones", ":phone", "scan"], "POST"),
    (&["phones", ":phone", "enter-code"], "POST"),
    (&["phones", ":phone", "companions", ":device"], "DELETE"),
    (&["phones", ":phone", "messages"], "GET, POST"),
    (&["phones", ":phone", "messages", ":id", "media"], "GET"),
    (&["phones", ":phone", "receipts"], "POST"),
    (&["phones", ":phone", "presence"], "POST"),
    (&["phones", ":phone", "profile"], "GET, PATCH"),
    (&["phones", ":phone", "contacts"], "GET, POST"),
    (&["phones", ":phone", "chats"], "GET, PATCH"),
    (&["phones", ":phone", "app-state"], "GET"),
    (&["phones", ":phone", "history"], "GET, POST"),
    (&["groups"], "GET, POST"),
    (&["groups", ":group"], "GET, PATCH"),
    (&["groups", ":group", "participants"], "POST"),
    (&["groups", ":group", "participants", ":phone"], "DELETE"),
    (&["groups", ":group", "admins"], "POST"),
    (&["groups", ":group", "admins", ":phone"], "DELETE"),
    (&["groups", ":group", "join"], "POST"),
    (&["groups", ":group", "requests"], "POST"),
    (&["groups", ":group", "invite"], "POST"),
    (&["channels"], "GET, POST"),
    (&["channels", ":channel"], "GET"),
    (&["channels", ":channel", "followers"], "POST"),
    (&["channels", ":channel", "followers", ":phone"], "DELETE"),
    (&["faults"], "GET, PUT, DELETE"),
    (&["stats"], "GET"),
    (&["registrations"], "GET"),
    (&["events"], "GET"),
];

impl Control {
    /// Makes a handle for a network that listens on `addr`.
    pub(crate) fn new(world: World, addr: SocketAddr) -> Self {
        Self { world, addr }
    }

    /// Joins the feed of events. A reader that is more than 1024 events behind loses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Value> {
        self.world.events.subscribe()
    }

    /// Answers one request. `path` begins with `/sandbox`, `query` comes without its question mark.
    pub async fn call(&self, method: &str, path: &str, query: &str, body: Bytes) -> ControlReply {
        let segments: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(reply::decoded).collect();
        let Some(("sandbox", segments)) = segments.split_first().map(|(first, rest)| (first.as_str(), rest))
        else {
            return ControlReply::failure(&Failure::no_such_path());
        };
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let Some(allow) = allowed(&segments) else { return ControlReply::failure(&Failure::no_such_path()) };
        if !allow.split(", ").any(|one| one == method) {
            return ControlReply::method_not_allowed(allow);
        }
        if let ["phones", phone, "messages", id, "media"] = segments.as_slice() {
            let found = messages::media(&self.world, phone, id).await;
            return found.unwrap_or_else(|failure| ControlReply::failure(&failure));
        }
        match self.answer(method, &segments, query, &body).await {
            Ok((status, value)) => ControlReply::json(status, &value),
            Err(failure) => ControlReply::failure(&failure),
        }
    }

    async fn answer(&self, method: &str, segments: &[&str], query: &str, bytes: &Bytes) -> Outcome {
        let world = &self.world;
        match (method, segments) {
            (_, []) => Ok((200, self.description())),
            ("POST", ["phones"]) => phones::create(world, body(bytes)?),
            (_, ["phones"]) => {
                Ok((200, phones::list(world, parameter(query, "all").is_some_and(|all| all != "false"))))
            }
            (_, ["phones", phone]) => Ok((200, phones::view(&*phones::find(world, phone)?))),
            (_, ["phones", phone, "scan"]) => phones::scan(world, phone, body(bytes)?).await,
            (_, ["phones", phone, "enter-code"]) => phones::enter_code(world, phone, body(bytes)?).await,
            (_, ["phones", phone, "companions", device]) => phones::unlink(world, phone, device).await,
            ("POST", ["phones", phone, "messages"]) => messages::send(world, phone, bytes).await,
            (_, ["phones", phone, "messages"]) => messages::list(world, phone, query).await,
            (_, ["phones", phone, "receipts"]) => messages::receipt(world, phone, body(bytes)?).await,
            ("PUT", ["faults"]) => self.set_fault(body(bytes)?),
            ("DELETE", ["faults"]) => {
                world.faults.clear();
                Ok((200, json!({"active": []})))
            }
            (_, ["faults"]) => Ok((200, json!({"active": world.faults.list()}))),
            (_, ["stats"]) => Ok((200, json!(world.stats.read()))),
            (_, ["registrations"]) => Ok((200, json!({"open": world.registrations.len()}))),
            (_, ["events"]) => {
                Err(Failure::new(400, "subscribe", "events are a stream: subscribe instead of calling"))
            }
            (_, ["phones", phone, "presence"]) => presence::show(world, phone, body(bytes)?),
            ("PATCH", ["phones", phone, "profile"]) => persona::edit(world, phone, body(bytes)?).await,
            (_, ["phones", phone, "profile"]) => persona::show(world, phone),
            ("POST", ["phones", phone, "history"]) => history::add(world, phone, body(bytes)?).await,
            (_, ["phones", phone, "history"]) => history::list(world, phone, query).await,
            ("POST", ["phones", phone, "contacts"]) => {
                app_state::save_contacts(world, phone, body(bytes)?).await
            }
            (_, ["phones", phone, "contacts"]) => app_state::contacts(world, phone),
            ("PATCH", ["phones", phone, "chats"]) => app_state::change_chat(world, phone, body(bytes)?).await,
            (_, ["phones", phone, "chats"]) => app_state::chats(world, phone),
            (_, ["phones", phone, "app-state"]) => app_state::everything(world, phone),
            ("POST", ["channels"]) => channels::create(world, body(bytes)?).await,
            (_, ["channels"]) => channels::list(world),
            (_, ["channels", channel]) => channels::show(world, channel),
            (_, ["channels", channel, "followers"]) => channels::follow(world, channel, body(bytes)?).await,
            (_, ["channels", channel, "followers", phone]) => channels::unfollow(world, channel, phone).await,
            (_, ["groups", ..]) => self.group(method, &segments[1..], query, bytes).await,
            _ => Err(Failure::no_such_path()),
        }
    }

    async fn group(&self, method: &str, segments: &[&str], query: &str, bytes: &Bytes) -> Outcome {
        let world = &self.world;
        match (method, segments) {
            ("POST", []) => groups::create(world, body(bytes)?).await,
            (_, []) => groups::list(world),
            ("PATCH", [group]) => groups::edit(world, group, body(bytes)?).await,
            (_, [group]) => groups::show(world, group),
            (_, [group, "participants"]) => {
                groups::persons_changed(world, group, body(bytes)?, Deed::Add).await
            }
            (_, [group, "participants", phone]) => {
                groups::person_changed(world, group, phone, query, Deed::Remove).await
            }
            (_, [group, "admins"]) => {
                groups::persons_changed(world, group, body(bytes)?, Deed::Promote).await
            }
            (_, [group, "admins", phone]) => {
                groups::person_changed(world, group, phone, query, Deed::Demote).await
            }
            (_, [group, "join"]) => groups::join(world, group, body(bytes)?).await,
            (_, [group, "requests"]) => groups::decide(world, group, body(bytes)?).await,
            (_, [group, "invite"]) => groups::reset_invite(world, group, body(bytes)?).await,
            _ => Err(Failure::no_such_path()),
        }
    }

    /// What a foreign client needs to know to connect.
    fn description(&self) -> Value {
        json!({
            "name": NAME,
            "version": env!("CARGO_PKG_VERSION"),
            "wsUrl": format!("ws://{}/ws/chat", self.addr),
            "noiseRoot": hex::encode(self.world.keys().root_public()),
        })
    }

    fn set_fault(&self, mut rule: Rule) -> Outcome {
        rule.phone = rule.phone.as_deref().map(phones::digits);
        let hit = faults::set(&self.world, rule).map_err(|error| Failure::invalid(format!("{error:#}")))?;
        Ok((200, json!({"active": self.world.faults.list(), "connectionsHit": hit})))
    }

    /// Lets the account named after the client's push name scan its QR, as foreign test suites expect.
    pub(crate) async fn mock_scan(&self, qr: &[u8]) -> ControlReply {
        let outcome = async {
            let qr = std::str::from_utf8(qr).map_err(|_| Failure::invalid("the body is not text"))?;
            let name = link::push_name_behind(&self.world, qr)
                .map_err(|error| Failure::invalid(format!("{error:#}")))?;
            let name = name.unwrap_or_else(|| "nameless".to_owned());
            let account = self
                .world
                .directory
                .get_or_create_named(&self.world.store, &name)
                .map_err(Failure::internal)?;
            let jid = link::scan(&self.world, &account, qr)
                .await
                .map_err(|why| Failure::new(422, "pairing_failed", why))?;
            Ok((200, json!({"deviceJid": jid, "phone": account.number})))
        };
        match outcome.await {
            Ok((status, value)) => ControlReply::json(status, &value),
            Err(failure) => ControlReply::failure(&failure),
        }
    }
}

fn allowed(segments: &[&str]) -> Option<&'static str> {
    let fits = |pattern: &[&str]| {
        pattern.len() == segments.len()
            && pattern.iter().zip(segments).all(|(want, is)| want.starts_with(':') || want == is)
    };
    ROUTES.iter().find(|(pattern, _)| fits(pattern)).map(|(_, allow)| *allow)
}

/// Reads a number or address as the control API takes them: `+62 812…`, `62812…` or a full address.
fn user(text: &str) -> Option<Jid> {
    if text.contains('@') {
        return text.parse::<Jid>().ok().map(|jid| jid.to_non_ad()).filter(|jid| jid.is_pn() || jid.is_lid());
    }
    Some(Jid::pn(phones::digits(text)))
}
