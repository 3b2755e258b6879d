//! History made up in bulk: people in a number range that no country uses, and small talk with them.

use super::past::Past;
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result};
use buffa::MessageField;
use serde::Deserialize;
use waproto::whatsapp as wa;

/// First number of the made-up people.
const BASE: u64 = 999_800_000_005;
/// Most messages that one request may make up.
const MESSAGES_MAX: u64 = 500_000;
/// Most chats that one request may make up.
const CHATS_MAX: u32 = 10_000;

const TALK: [&str; 6] = [
    "Halo, apa kabar?",
    "Yes, see you tomorrow at ten",
    "Invoice number",
    "Terima kasih banyak!",
    "Can you call me back later please?",
    "OK",
];

/// How much is to be made up.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bulk {
    /// Chats.
    chats: u32,
    /// Messages in each of them.
    messages: u32,
    /// Over how many days up to now the messages of a chat are spread.
    #[serde(default = "usual_days")]
    days: u32,
    /// Messages in each chat that are not read.
    #[serde(default)]
    unread: u32,
}

fn usual_days() -> u32 {
    80
}

impl Bulk {
    /// Returns whether a phone may have that much.
    pub fn fits(&self) -> bool {
        self.chats <= CHATS_MAX && u64::from(self.chats) * u64::from(self.messages) <= MESSAGES_MAX
    }

    /// Makes the chats up, after those made up before, and returns their numbers.
    pub fn fill(&self, world: &World, past: &mut Past, now_s: u64, batch: &mut Batch) -> Result<Vec<String>> {
        let before = past.chats().filter(|(_, chat)| chat.facts.made_up).count() as u64;
        let mut numbers = Vec::new();
        for n in before..before + u64::from(self.chats) {
            // Steps of ten stay clear of the last digits that mean something.
            let number = (BASE + n * 10).to_string();
            let other = world.directory.get_or_create(&world.store, &number)?;
            let other = other.context("a made-up number cannot exist")?;
            past.know(
                &number,
                |facts| {
                    facts.name = Some(format!("Contact {}", n + 1));
                    facts.push_name = Some(format!("Person {}", n + 1));
                    facts.unread = self.unread.min(self.messages);
                    facts.made_up = true;
                },
                batch,
            );
            for at in 0..self.messages {
                past.add(&number, &self.message(&other, n, at, now_s), batch);
            }
            numbers.push(number);
        }
        Ok(numbers)
    }

    /// Makes message `at` of chat `n` up, counted from the oldest.
    fn message(&self, other: &Account, n: u64, at: u32, now_s: u64) -> wa::WebMessageInfo {
        let from_me = at % 3 == 1;
        let step_s = f64::from(self.days) * 86_400.0 / f64::from(self.messages.max(1));
        let age_s = n + (f64::from(self.messages - 1 - at) * step_s) as u64;
        let text = format!("{} ({})", TALK[at as usize % TALK.len()], at + 1);
        wa::WebMessageInfo {
            key: MessageField::some(wa::MessageKey {
                remote_jid: Some(other.pn(0).to_string()),
                from_me: Some(from_me),
                id: Some(crate::phone::send::new_id()),
                ..Default::default()
            }),
            message: MessageField::some(wa::Message { conversation: Some(text), ..Default::default() }),
            message_timestamp: Some(now_s.saturating_sub(age_s)),
            status: from_me.then_some(wa::web_message_info::Status::READ),
            push_name: (!from_me).then(|| format!("Person {}", n + 1)),
            ..Default::default()
        }
    }
}
