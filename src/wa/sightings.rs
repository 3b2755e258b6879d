//! Who types and who is there: told to whoever listens right now, kept nowhere.
//!
//! The network tells of typing by itself, of coming and going only those who asked to follow somebody.

use super::receive;
use super::seat::Seat;
use super::send::wire_jid;
use crate::model::jid::{Jid, Server};
use crate::model::profile::{Presence, Typing};
use crate::model::sighting::{Seen, Sighting};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;
use wacore::types::events::{ChatPresenceUpdate, PresenceUpdate};
use wacore::types::presence::{ChatPresence, ChatPresenceMedia};
use whatsapp_rust::Client;

/// Sightings that a listener may be behind. Who is further behind has missed the moment anyway.
const BEHIND_MAX: usize = 256;
/// People whom a device follows at the same time. A phone follows one; a dashboard shows a page of chats.
const FOLLOWED_MAX: usize = 100;

/// Returns where sightings of all devices are told.
pub(super) fn channel() -> broadcast::Sender<Sighting> {
    broadcast::channel(BEHIND_MAX).0
}

/// Returns who types where; nothing for what the account itself does on another device.
pub(super) fn typing(update: &ChatPresenceUpdate, phone_of: &dyn Fn(&str) -> Option<String>) -> Option<Seen> {
    let source = &update.source;
    if source.is_from_me {
        return None;
    }
    let state = match (update.state, update.media) {
        (ChatPresence::Paused, _) => Typing::Paused,
        (ChatPresence::Composing, ChatPresenceMedia::Audio) => Typing::Recording,
        (ChatPresence::Composing, ChatPresenceMedia::Text) => Typing::Composing,
    };
    let chat = receive::chat(source, None, phone_of)?;
    let by = receive::person(&source.sender, source.sender_alt.as_ref(), phone_of)?;
    Some(Seen::Typing { chat, by, state })
}

/// Returns who came or went; nothing for what is no person.
pub(super) fn presence(update: &PresenceUpdate, phone_of: &dyn Fn(&str) -> Option<String>) -> Option<Seen> {
    let person = receive::person(&update.from, None, phone_of)?;
    if !matches!(person.server(), Server::User | Server::Lid) {
        return None;
    }
    let presence = if update.unavailable { Presence::Unavailable } else { Presence::Available };
    Some(Seen::Presence { person, presence, last_seen: update.last_seen.map(|at| at.timestamp_millis()) })
}

/// The people whom a device follows, in memory alone: after a restart whoever looks at them asks again.
#[derive(Default)]
pub(super) struct Followed(Mutex<VecDeque<Jid>>);

impl Followed {
    /// Takes somebody in; returns who has to be let go for it, the one whose following was asked for longest ago.
    pub(super) fn add(&self, person: &Jid) -> Option<Jid> {
        let mut people = self.lock();
        people.retain(|one| one != person);
        people.push_back(person.clone());
        if people.len() > FOLLOWED_MAX { people.pop_front() } else { None }
    }

    pub(super) fn remove(&self, person: &Jid) {
        self.lock().retain(|one| one != person);
    }

    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    /// Returns whether it is to be told: what comes of people after they were let go is not.
    pub(super) fn covers(&self, seen: &Seen) -> bool {
        match seen {
            Seen::Typing { .. } => true,
            Seen::Presence { person, .. } => self.lock().contains(person),
        }
    }

    fn all(&self) -> Vec<Jid> {
        self.lock().iter().cloned().collect()
    }

    /// The list is whole at any time.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Jid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks for everybody whom the device follows; what was asked before ends with each connection.
pub(super) async fn follow_again(seat: Arc<Seat>, client: Arc<Client>) {
    for person in seat.followed.all() {
        let Ok(wire) = wire_jid(&person) else { continue };
        if let Err(why) = client.presence().subscribe(wire).await {
            tracing::debug!(device = %seat.no, "following people again ended: {why}");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore::types::message::MessageSource;

    const ANI: &str = "6281234567890@s.whatsapp.net";

    fn jid(text: &str) -> wacore_binary::Jid {
        text.parse().expect("an address")
    }

    fn known(lid: &str) -> Option<String> {
        (lid == "100").then(|| "6281234567890".to_owned())
    }

    fn update(source: MessageSource, state: ChatPresence, media: ChatPresenceMedia) -> ChatPresenceUpdate {
        ChatPresenceUpdate::builder().source(source).state(state).media(media).build()
    }

    #[test]
    fn typing_is_told_under_the_number_whichever_address_the_network_uses() {
        for spelling in ["100@lid", ANI] {
            for (state, media, expected) in [
                (ChatPresence::Composing, ChatPresenceMedia::Text, Typing::Composing),
                (ChatPresence::Composing, ChatPresenceMedia::Audio, Typing::Recording),
                (ChatPresence::Paused, ChatPresenceMedia::Text, Typing::Paused),
            ] {
                let source =
                    MessageSource { chat: jid(spelling), sender: jid(spelling), ..Default::default() };
                let ani: Jid = ANI.parse().expect("an address");
                assert_eq!(
                    typing(&update(source, state, media), &known),
                    Some(Seen::Typing { chat: ani.clone(), by: ani, state: expected })
                );
            }
        }
        let own = MessageSource { is_from_me: true, chat: jid(ANI), sender: jid(ANI), ..Default::default() };
        assert_eq!(typing(&update(own, ChatPresence::Paused, ChatPresenceMedia::Text), &known), None);
    }

    #[test]
    fn presence_is_of_people() {
        let told = |from: &str, seconds: Option<i64>| {
            let seen = seconds.and_then(|at| chrono::DateTime::from_timestamp(at, 0));
            let update = PresenceUpdate::builder().from(jid(from)).unavailable(true);
            presence(&update.maybe_last_seen(seen).build(), &known)
        };
        let person: Jid = ANI.parse().expect("an address");
        let gone = |last_seen| {
            Some(Seen::Presence { person: person.clone(), presence: Presence::Unavailable, last_seen })
        };
        assert_eq!(told("100@lid", Some(7)), gone(Some(7_000)));
        assert_eq!(told(ANI, None), gone(None));
        assert_eq!(told("120363123456789012@g.us", None), None);
    }

    #[test]
    fn whom_a_device_follows_longest_is_let_go_first() {
        let followed = Followed::default();
        let person =
            |n: usize| -> Jid { format!("62812345{n:04}@s.whatsapp.net").parse().expect("an address") };
        for n in 0..FOLLOWED_MAX {
            assert_eq!(followed.add(&person(n)), None);
        }
        assert_eq!(followed.add(&person(0)), None, "asked for again, it is the youngest");
        assert_eq!(followed.add(&person(1000)), Some(person(1)));
        let gone = |n| Seen::Presence { person: person(n), presence: Presence::Unavailable, last_seen: None };
        assert!(followed.covers(&gone(1000)) && !followed.covers(&gone(1)));
        followed.remove(&person(1000));
        assert_eq!(followed.add(&person(1001)), None);
        followed.clear();
        assert!(followed.all().is_empty());
    }
}
