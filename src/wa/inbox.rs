//! The durability hook: an incoming message is on disk before the library acknowledges it.
//!
//! The hook must not call the client back: the library holds the sender's lock while it waits, so an answer sent from here
//! would wait for itself. Answers go through the queue.

use super::backend::Backend;
use super::receive::{self, Received, receive};
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::model::device_contact::Names;
use crate::model::id::DeviceNo;
use crate::model::jid::Identity;
use crate::model::message::Message;
use crate::store::{Store, device_contacts, identities, messages};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use whatsapp_rust::Client;
use whatsapp_rust::types::durability_hook::{InboundDurabilityHook, InboundMessage};

/// Differences between the network's time and ours that are believed to be travel time and not an offline queue.
const LIVE_MS: Millis = 60_000;

/// Takes the incoming messages of one device.
pub(super) struct Inbox {
    store: Store,
    clock: Clock,
    device: DeviceNo,
    backend: Arc<Backend>,
    /// Time of the newest live message, so that the order of arrival is the order of the chat.
    newest: AtomicI64,
}

impl Inbox {
    pub(super) fn new(store: Store, clock: Clock, device: DeviceNo, backend: Arc<Backend>) -> Self {
        Self { store, clock, device, backend, newest: AtomicI64::new(0) }
    }

    /// Stores the messages in one commit; those that are known already or are no messages are left out.
    pub(super) async fn commit(&self, batch: &[InboundMessage]) -> Result<()> {
        let arrivals = self.convert(batch);
        if arrivals.is_empty() {
            return Ok(());
        }
        let (device, now) = (self.device, self.clock.now());
        self.store
            .write(move |tables| {
                for Arrival { message, who, verified_name } in &arrivals {
                    // Who is who comes first, so that the message stands under the number at once.
                    for identity in who {
                        identities::learn(tables, device, identity, now)?;
                    }
                    if let (Some(sender), Some(_)) = (&message.sender, verified_name) {
                        let names = Names { verified_name: verified_name.clone(), ..Names::default() };
                        device_contacts::learn(tables, device, sender, &names)?;
                    }
                    messages::receive(tables, message, now)?;
                }
                Ok(())
            })
            .await
    }

    fn convert(&self, batch: &[InboundMessage]) -> Vec<Arrival> {
        let phone_of = |lid: &str| self.backend.phone_of(lid);
        let mut arrivals = Vec::with_capacity(batch.len());
        for (position, inbound) in batch.iter().enumerate() {
            match receive(self.device, inbound, self.time_of(inbound, position), &phone_of) {
                Received::Message(message) => arrivals.push(Arrival::new(inbound, *message)),
                Received::Ignored(kind) => {
                    tracing::debug!(device = %self.device, kind, "not a message of a chat")
                }
            }
        }
        arrivals
    }

    /// Returns the time of a message in milliseconds since 1970.
    ///
    /// The network tells seconds, in which an answer could come before its question. A live message therefore gets the time
    /// of its arrival; one from the offline queue the network's, and its place in the batch as fraction.
    fn time_of(&self, inbound: &InboundMessage, position: usize) -> Millis {
        let (now, told) = (self.clock.now(), inbound.info.timestamp.timestamp_millis());
        if inbound.info.is_offline || (now - told).abs() > LIVE_MS {
            return told + (position as i64).min(999);
        }
        let after = |newest: i64| Some(now.max(newest + 1));
        self.newest
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, after)
            .map_or(now, |newest| now.max(newest + 1))
    }
}

/// A message, and what came to be known of its people with it.
struct Arrival {
    message: Message,
    who: Vec<Identity>,
    verified_name: Option<String>,
}

impl Arrival {
    fn new(inbound: &InboundMessage, message: Message) -> Self {
        let info = &inbound.info;
        let verified = info.verified_name.as_ref().filter(|_| !message.from_me);
        Self {
            who: receive::identities(&info.source, info.peer_recipient_pn.as_ref()),
            verified_name: verified.and_then(|verified| verified.name.clone()),
            message,
        }
    }
}

/// The hook as the library wants it.
pub(super) struct Hook(pub(super) Arc<Inbox>);

#[async_trait]
impl InboundDurabilityHook for Hook {
    async fn on_messages(&self, _client: Arc<Client>, batch: &[InboundMessage]) -> anyhow::Result<()> {
        self.0.commit(batch).await.inspect_err(|why| {
            tracing::error!(device = %self.0.device, "incoming messages could not be stored, WhatsApp keeps them: {why}");
        })?;
        Ok(())
    }
}
