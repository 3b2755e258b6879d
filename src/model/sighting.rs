//! What is seen of other people for a moment: who types and who is there. It is told to those who listen and never stored.

use super::id::DeviceNo;
use super::jid::Jid;
use super::profile::{Presence, Typing};

/// What a device saw of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The device that saw it.
    pub device: DeviceNo,
    /// Milliseconds since 1970.
    pub at: i64,
    /// What it saw.
    pub seen: Seen,
}

/// What is seen of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Somebody types or records in a chat, or stopped.
    Typing {
        /// The chat.
        chat: Jid,
        /// Who does it; in a conversation of two the chat itself.
        by: Jid,
        /// What they do.
        state: Typing,
    },
    /// Somebody came or went.
    Presence {
        /// Who.
        person: Jid,
        /// Whether they are there.
        presence: Presence,
        /// When they were there last, in milliseconds since 1970, if they show it.
        last_seen: Option<i64>,
    },
}
