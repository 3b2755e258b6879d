//! The durability hook: an incoming message is on disk before the library acknowledges it.
//!
//! The hook must not call the client back: the library holds the sender's lock while it waits, so an answer sent from here
//! would wait for itself. Answers go through the queue.

use super::backend::Backend;
use super::receive::{Received, receive};
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::message::Message;
use crate::store::{Store, messages};
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
        let messages = self.convert(batch);
        if messages.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        self.store
            .write(move |tables| {
                for message in &messages {
                    messages::receive(tables, message, now)?;
                }
                Ok(())
            })
            .await
    }

    fn convert(&self, batch: &[InboundMessage]) -> Vec<Message> {
        let phone_of = |lid: &str| self.backend.phone_of(lid);
        let mut messages = Vec::with_capacity(batch.len());
        for (position, inbound) in batch.iter().enumerate() {
            match receive(self.device, inbound, self.time_of(inbound, position), &phone_of) {
                Received::Message(message) => messages.push(*message),
                Received::Ignored(kind) => {
                    tracing::debug!(device = %self.device, kind, "not a message of a chat")
                }
            }
        }
        messages
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
