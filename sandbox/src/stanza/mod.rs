//! What clients say, one file per family. Handlers change the state, hand rows to the journal and answer;
//! they never wait, so that one slow disk write does not hold up the next stanza of the same client.

mod appstate;
mod basics;
mod channels;
pub mod chatstate;
mod encrypt;
mod groups;
pub mod iq;
pub mod login;
mod md;
mod media;
pub mod notify;
pub mod persona;
pub mod presence;
pub mod receipt;
mod usync;

use crate::connection::Sender;
use crate::node;
use crate::router;
use crate::state::account::Account;
use crate::state::queue::Kind;
use crate::state::registration::Registration;
use crate::world::World;
use std::sync::Arc;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// One connected client.
pub struct Session {
    /// The network.
    pub world: World,
    /// Number of the connection.
    pub conn: u64,
    /// Its outgoing side.
    pub sender: Sender,
    /// Who it is.
    pub who: Who,
}

/// Who a connected client is.
pub enum Who {
    /// Wants to be linked.
    Guest(Arc<Registration>),
    /// A linked companion.
    Device(Device),
}

/// A companion of an account.
#[derive(Clone)]
pub struct Device {
    /// Its account.
    pub account: Arc<Account>,
    /// Its device id.
    pub id: u16,
}

impl Session {
    /// Handles one stanza.
    pub fn handle(&self, stanza: &Node) {
        match (&self.who, stanza.tag.as_ref()) {
            (_, "iq") => iq::handle(self, stanza),
            (Who::Guest(_), tag) => {
                tracing::debug!(conn = self.conn, tag, "ignored: the client is not linked")
            }
            (Who::Device(device), "message") => router::accept(self, device, stanza),
            (Who::Device(device), "receipt") => receipt::handle(self, device, stanza),
            (Who::Device(device), "ack") => self.acknowledged(device, stanza),
            (Who::Device(device), "presence") => presence::handle(self, device, stanza),
            (Who::Device(device), "ib") => login::information(self, device, stanza),
            (Who::Device(_), "call") => self.sender.send(acknowledge("call", stanza, None)),
            (Who::Device(device), "chatstate") => chatstate::handle(self, device, stanza),
            (Who::Device(_), tag) => tracing::warn!(conn = self.conn, tag, "unknown stanza"),
        }
    }

    /// Tidies up after the client left.
    pub fn left(&self) {
        match &self.who {
            Who::Guest(_) => {
                self.world.registrations.close(self.conn);
                self.world.events.tell(|| serde_json::json!({"type": "registration", "state": "closed"}));
            }
            Who::Device(device) => {
                let ended = presence::change(&self.world, &device.account, |state| {
                    let companion = state.companions.get_mut(&device.id);
                    companion.and_then(|one| one.link.take_if(|link| link.conn == self.conn)).is_some()
                });
                if ended {
                    self.world.events.companion(&device.account.number, device.id, "disconnected");
                }
            }
        }
    }

    fn acknowledged(&self, device: &Device, ack: &Node) {
        let Some(kind) = node::attr(ack, "class").and_then(|class| Kind::of(&class)) else { return };
        if let Some(error) = node::attr(ack, "error") {
            tracing::info!(phone = device.account.number, device = device.id, %error, "client refused a stanza");
        }
        let id = node::text_attr(ack, "id");
        let peer = node::jid_attr(ack, "to");
        let mut batch = self.world.batch();
        let mut state = device.account.state();
        let Some(queue) = state.queue_mut(device.id) else { return };
        let cleared = queue.clear(kind, &id, peer.as_ref());
        state.forget(&device.account.number, device.id, &cleared, &mut batch);
        drop(state);
        self.world.commit(batch);
    }
}

/// Builds the acknowledgement of a client's stanza.
pub fn acknowledge(class: &'static str, stanza: &Node, error: Option<u16>) -> Node {
    let mut ack = NodeBuilder::new("ack").attr("class", class).attr("id", node::text_attr(stanza, "id"));
    if let Some(to) = stanza.attrs.get("to") {
        ack = ack.attr("from", to.clone());
    }
    if let Some(kind) = node::attr(stanza, "type").filter(|_| class != "message") {
        ack = ack.attr("type", kind.into_owned());
    }
    if let Some(participant) = stanza.attrs.get("participant") {
        ack = ack.attr("participant", participant.clone());
    }
    ack = ack.attr("t", crate::clock::now_s().to_string());
    if let Some(error) = error {
        ack = ack.attr("error", error.to_string());
    }
    ack.build()
}
