//! Groups on the network: what is asked and what is changed. Answers go into the store at once, so that nobody asks twice.

mod catch_up;
mod change;
mod convert;
mod invite;
mod patience;
mod update;

pub(super) use catch_up::catch_up;
pub use change::{MemberOutcome, MemberVerb, SettingChange};
pub use invite::{InvitedTo, Preview};
pub(super) use update::note;

use super::outcome::SendFailure;
use super::seat::Seat;
use crate::model::group::Group;
use crate::model::jid::Jid;
use crate::store::groups::{self, Seen};
use std::sync::Arc;
use whatsapp_rust::Client;

/// The groups of one device.
pub struct Groups {
    seat: Arc<Seat>,
}

impl Groups {
    pub(super) fn of(seat: Arc<Seat>) -> Self {
        Self { seat }
    }

    /// Asks for all groups of the account and stores the answer.
    ///
    /// Whoever comes while the same question is under way waits for its answer instead of asking again; `is_answered` says
    /// whether the store has one that is good enough.
    pub async fn refresh_all(&self, is_answered: impl Fn() -> bool) -> Result<(), SendFailure> {
        let _question = self.seat.group_question.lock().await;
        if is_answered() {
            return Ok(());
        }
        let client = self.client()?;
        let (seen, now) = (self.seen()?, self.seat.parts.clock.now());
        let told = patience::ask(&self.seat, || async { client.groups().get_participating().await }).await?;
        let convert = |told| convert::group(told, now);
        let all: Vec<Group> =
            told.into_values().filter(|told| !told.is_parent_group).filter_map(convert).collect();
        let no = self.seat.no;
        let stored = self.seat.parts.store.write(move |t| groups::put_all(t, no, &all, &seen, now)).await;
        stored.map_err(SendFailure::Broken)
    }

    /// Asks for one group, stores the answer and returns it.
    pub async fn refresh(&self, group: &Jid, is_answered: impl Fn() -> bool) -> Result<(), SendFailure> {
        let _question = self.seat.group_question.lock().await;
        if is_answered() {
            return Ok(());
        }
        self.ask(group).await.map(drop)
    }

    async fn ask(&self, group: &Jid) -> Result<Group, SendFailure> {
        let client = self.client()?;
        let (seen, now) = (self.seen()?, self.seat.parts.clock.now());
        let wire = super::send::wire_jid(group)?;
        let told = patience::ask(&self.seat, || async { client.groups().get_metadata(&wire).await }).await?;
        // The network answers about a group only to those who are in it.
        let told = convert::group(told, now).ok_or(SendFailure::Refused { code: convert::UNREADABLE })?;
        self.keep(told, seen).await
    }

    /// Stores what the network told of a group; `seen` is what was known before it was asked.
    async fn keep(&self, told: Group, seen: Seen) -> Result<Group, SendFailure> {
        let (no, now) = (self.seat.no, self.seat.parts.clock.now());
        let stored = self.seat.parts.store.write(move |t| groups::put(t, no, told.clone(), &seen, now)).await;
        stored.map_err(SendFailure::Broken)
    }

    fn seen(&self) -> Result<Seen, SendFailure> {
        let view = self.seat.parts.store.view().map_err(SendFailure::Broken)?;
        groups::seen(&view, self.seat.no).map_err(SendFailure::Broken)
    }

    fn client(&self) -> Result<Arc<Client>, SendFailure> {
        self.seat.open_client().ok_or(SendFailure::NotConnected)
    }
}
