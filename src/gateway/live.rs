//! Live events: each subscriber reads the outbox with a cursor of its own.
//!
//! There is no buffer between the outbox and a subscriber that could overflow: whoever is slow reads later, whoever was away
//! resumes behind the last event it saw.

use super::{Caller, Gateway};
use crate::error::Result;
use crate::model::event::Event;
use crate::store::outbox;
use tokio::sync::watch;

/// Events read from the store at a time.
const PAGE: usize = 100;

/// One subscriber's place in the outbox.
pub struct Subscription {
    gateway: Gateway,
    caller: Caller,
    head: watch::Receiver<u64>,
    cursor: u64,
}

impl Gateway {
    /// Subscribes to what happens from now on, or from behind the event `after` that the subscriber saw last.
    pub fn subscribe(&self, caller: &Caller, after: Option<u64>) -> Result<Subscription> {
        let head = self.store().outbox_head();
        let newest = outbox::head(&self.store().view()?)?;
        // A number from another installation must not silence the stream for ever.
        let cursor = after.unwrap_or(newest).min(newest);
        Ok(Subscription { gateway: self.clone(), caller: caller.clone(), head, cursor })
    }
}

impl Subscription {
    /// Returns the next events that the caller may see, in order; waits until there is one.
    pub async fn next(&mut self) -> Result<Vec<Event>> {
        loop {
            self.head.borrow_and_update();
            let events = outbox::after(&self.gateway.store().view()?, self.cursor, PAGE)?;
            if let Some(last) = events.last() {
                self.cursor = last.seq;
                let visible: Vec<Event> =
                    events.into_iter().filter(|event| self.caller.may_see(event.scope.owner)).collect();
                if !visible.is_empty() {
                    return Ok(visible);
                }
                continue;
            }
            if self.head.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
