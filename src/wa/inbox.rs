//! The durability hook: an incoming message is on disk before the library acknowledges it.
//!
//! The hook must not call the client back: the library holds the sender's lock while it waits, so an answer sent from here
//! would wait for itself. Answers go through the queue.

use super::backend::Backend;
use super::channels::ChannelNews;
use super::kinds::Heard;
use super::kinds::context::People;
use super::kinds::status_post::StatusNews;
use super::receive::{self, Received, receive};
use super::votes;
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::model::device_contact::Names;
use crate::model::id::DeviceNo;
use crate::model::jid::{Identity, Jid};
use crate::model::message::Message;
use crate::store::{
    Store, Tables, changes, channels, chat_settings, device_contacts, identities, messages, status_posts,
};
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

    /// Stores the messages and the changes of messages in one commit; those that are known already or are neither are left out.
    pub(super) async fn commit(&self, batch: &[InboundMessage]) -> Result<()> {
        // Asked each time: the hidden id may be learned while the session lasts.
        let own = self.backend.own_addresses()?;
        let arrivals = self.convert(batch, &own);
        if arrivals.is_empty() {
            return Ok(());
        }
        let (device, now) = (self.device, self.clock.now());
        self.store
            .write(move |tables| {
                for Arrival { what, who, verified_name } in &arrivals {
                    // Who is who comes first, so that the message stands under the number at once.
                    for identity in who {
                        identities::learn(tables, device, identity, now)?;
                    }
                    match what {
                        What::Message(message) => {
                            learn_name(tables, message, verified_name)?;
                            messages::receive(tables, message, now)?;
                            votes::catch_up(tables, message, &own, now)?;
                        }
                        What::Heard(heard) => hear(tables, heard, &own, now)?,
                        What::Status(StatusNews::Posted(post)) => status_posts::receive(tables, post, now)?,
                        What::Status(StatusNews::Deleted { author, id }) => {
                            status_posts::take_back(tables, device, author.as_ref(), id, now)?
                        }
                        What::Channel(ChannelNews::Posted(post)) => channels::receive(tables, post, now)?,
                        What::Channel(ChannelNews::Deleted { channel, id }) => {
                            channels::take_back(tables, device, channel, id, now)?
                        }
                    }
                }
                Ok(())
            })
            .await
    }

    fn convert(&self, batch: &[InboundMessage], own: &[Jid]) -> Vec<Arrival> {
        let phone_of = |lid: &str| self.backend.phone_of(lid);
        let people = People { phone_of: &phone_of, own };
        let mut arrivals = Vec::with_capacity(batch.len());
        for (position, inbound) in batch.iter().enumerate() {
            match receive(self.device, inbound, self.time_of(inbound, position), &people) {
                Received::Message(message) => arrivals.push(Arrival::new(inbound, What::Message(message))),
                Received::Heard(heard) => arrivals.push(Arrival::new(inbound, What::Heard(heard))),
                Received::Status(news) => arrivals.push(Arrival::new(inbound, What::Status(news))),
                Received::Channel(news) => arrivals.push(Arrival::new(inbound, What::Channel(news))),
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

/// A message or a change, and what came to be known of its people with it.
struct Arrival {
    what: What,
    who: Vec<Identity>,
    verified_name: Option<String>,
}

enum What {
    Message(Box<Message>),
    Heard(Box<Heard>),
    Status(StatusNews),
    Channel(ChannelNews),
}

impl Arrival {
    fn new(inbound: &InboundMessage, what: What) -> Self {
        let info = &inbound.info;
        let verified = info.verified_name.as_ref().filter(|_| !info.source.is_from_me);
        Self {
            who: receive::identities(&info.source, info.peer_recipient_pn.as_ref()),
            verified_name: verified.and_then(|verified| verified.name.clone()),
            what,
        }
    }
}

fn learn_name(tables: &mut Tables<'_>, message: &Message, verified_name: &Option<String>) -> Result<()> {
    match (&message.sender, verified_name) {
        (Some(sender), Some(_)) => {
            let names = Names { verified_name: verified_name.clone(), ..Names::default() };
            device_contacts::learn(tables, message.device, sender, &names)
        }
        _ => Ok(()),
    }
}

fn hear(tables: &mut Tables<'_>, heard: &Heard, own: &[Jid], now: Millis) -> Result<()> {
    match heard {
        Heard::Change(change) => changes::apply(tables, change, now).map(drop),
        Heard::Vote(vote) => votes::count(tables, vote, own, now),
        Heard::Timer(set) => {
            chat_settings::set_timer(tables, set.device, &set.chat, set.by.as_ref(), set.seconds, set.at, now)
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
