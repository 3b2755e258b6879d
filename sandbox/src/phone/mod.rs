//! The simulated primary phones: real Signal keys, an inbox they work through on their own, and the power to link companions.
//! A phone is device 0 of its account and is served by the router like every other device.

pub mod app_state;
pub mod attach;
pub mod bundle;
pub mod card;
pub mod channel;
pub mod chat_settings;
pub mod code;
pub mod compose;
pub mod content;
pub mod executor;
pub mod group_inbox;
pub mod group_send;
pub mod history;
pub mod inbox;
pub mod introduce;
pub mod link;
pub mod log;
pub mod media;
pub mod pin;
pub mod place;
pub mod poll;
pub mod prekeys;
pub mod preview;
pub mod reupload;
pub mod send;
pub mod sender_keys;
pub mod signal;

use self::history::past::Past;
use self::log::Log;
use self::sender_keys::SenderKeys;
use self::signal::Sessions;
use crate::store::Batch;
use std::collections::HashMap;

/// What a phone knows: its Signal sessions, the sender keys of its groups, and its messages.
pub struct Phone {
    /// Signal sessions with other devices.
    pub sessions: Sessions,
    /// Sender keys of its groups.
    pub sender_keys: SenderKeys,
    /// Messages sent and received.
    pub log: Log,
    /// What it had before anybody was linked.
    pub past: Past,
    /// How often it asked for each message it could not read.
    pub retries: HashMap<String, u8>,
}

impl Phone {
    /// A phone that has met nobody.
    pub fn new(number: &str) -> Self {
        Self {
            sessions: Sessions::new(number),
            sender_keys: SenderKeys::new(number),
            log: Log::new(number),
            past: Past::new(number),
            retries: HashMap::new(),
        }
    }

    /// Adds the sessions and keys that changed since the last call to a batch.
    pub fn flush(&mut self, batch: &mut Batch) {
        self.sessions.flush(batch);
        self.sender_keys.flush(batch);
    }
}
