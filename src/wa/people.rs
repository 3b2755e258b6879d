//! Who has a WhatsApp account, remembered for a while so that a bulk to known people asks nothing.

use super::outcome::SendFailure;
use super::seat::Seat;
use super::send;
use crate::clock::Millis;
use crate::model::jid::{Jid, Server};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use whatsapp_rust::features::IsOnWhatsAppResult;

/// How long a person is taken to have an account. Accounts rarely end, and a send to a former one fails by itself.
const PRESENT_MS: Millis = 24 * 3_600_000;
/// How long a person is taken to have none: short, because the owner may just have told them to install it.
const ABSENT_MS: Millis = 60_000;
/// People that are remembered. Beyond it everything is forgotten, which costs one question each.
const MAX: usize = 10_000;

/// What is known of people, by phone number.
#[derive(Default)]
pub(super) struct People {
    known: Mutex<HashMap<String, (bool, Millis)>>,
}

impl People {
    fn recall(&self, phone: &str, now: Millis) -> Option<bool> {
        let known = self.lock();
        let (present, at) = known.get(phone)?;
        let keep_ms = if *present { PRESENT_MS } else { ABSENT_MS };
        (now - at < keep_ms).then_some(*present)
    }

    fn remember(&self, phone: &str, present: bool, now: Millis) {
        let mut known = self.lock();
        if known.len() >= MAX {
            known.clear();
        }
        known.insert(phone.to_owned(), (present, now));
    }

    /// The map is whole at any time.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, (bool, Millis)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether `to` has a WhatsApp account; asks the network when that is not known.
pub(super) async fn is_on_whatsapp(seat: &Seat, to: &Jid) -> Result<bool, SendFailure> {
    // A hidden id exists only with its account, and groups answer for themselves when they are sent to.
    let (Server::User, phone) = (to.server(), to.user()) else { return Ok(true) };
    let now = seat.parts.clock.now();
    if let Some(present) = seat.people.recall(phone, now) {
        return Ok(present);
    }
    if seat.backend().knows_phone(phone) {
        return Ok(true);
    }
    let client = seat.open_client().ok_or(SendFailure::NotConnected)?;
    let asked = [send::wire_jid(to)?];
    let deadline = Duration::from_millis(seat.parts.options.query_timeout_ms.max(0) as u64);
    let contacts = client.contacts();
    let answer = tokio::time::timeout(deadline, contacts.is_on_whatsapp(&asked))
        .await
        .map_err(|_| SendFailure::TimedOut)?
        .map_err(|why| send::failure(&why))?;
    let present = answer.iter().any(|result| result.is_registered);
    seat.people.remember(phone, present, now);
    Ok(present)
}

/// Returns of each person whether they have a WhatsApp account; asks the network for all that are not known at once.
pub(super) async fn check(seat: &Seat, asked: &[Jid]) -> Result<Vec<bool>, SendFailure> {
    let client = seat.open_client().ok_or(SendFailure::NotConnected)?;
    let now = seat.parts.clock.now();
    let is_unknown =
        |jid: &&Jid| jid.server() == Server::User && seat.people.recall(jid.user(), now).is_none();
    let unknown = asked.iter().filter(is_unknown).map(send::wire_jid).collect::<Result<Vec<_>, _>>()?;
    if !unknown.is_empty() {
        let deadline = Duration::from_millis(seat.parts.options.query_timeout_ms.max(0) as u64);
        let contacts = client.contacts();
        let answer = tokio::time::timeout(deadline, Box::pin(contacts.is_on_whatsapp(&unknown)))
            .await
            .map_err(|_| SendFailure::TimedOut)?
            .map_err(|why| send::failure(&why))?;
        for jid in &unknown {
            let is_there = |result: &IsOnWhatsAppResult| result.is_registered && is_about(result, jid);
            seat.people.remember(&jid.user, answer.iter().any(is_there), now);
        }
    }
    let present =
        |jid: &Jid| jid.server() != Server::User || seat.people.recall(jid.user(), now) == Some(true);
    Ok(asked.iter().map(present).collect())
}

fn is_about(result: &IsOnWhatsAppResult, person: &wacore_binary::Jid) -> bool {
    result.jid.user == person.user || result.pn_jid.as_ref().is_some_and(|number| number.user == person.user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_is_forgotten_sooner_than_presence() {
        let people = People::default();
        people.remember("1", true, 0);
        people.remember("2", false, 0);
        assert_eq!(people.recall("3", 0), None);
        assert_eq!((people.recall("1", ABSENT_MS), people.recall("2", ABSENT_MS)), (Some(true), None));
        assert_eq!(people.recall("2", ABSENT_MS - 1), Some(false));
        assert_eq!(people.recall("1", PRESENT_MS), None);
    }
}
