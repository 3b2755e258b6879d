//! A linked companion device as the network knows it: public keys, login key, queue, connection.

use super::queue::Queue;
use super::routed::Routed;
use crate::connection::Sender;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};
use wacore_binary::Node;

/// A signed prekey as uploaded.
#[derive(Clone, Serialize, Deserialize)]
pub struct SignedKey {
    /// Key id, 24 bits.
    pub id: u32,
    /// Public key, 32 bytes.
    #[serde(with = "hexed")]
    pub value: Vec<u8>,
    /// Signature by the device's identity, 64 bytes.
    #[serde(with = "hexed")]
    pub signature: Vec<u8>,
}

/// What is fixed at pairing, plus the few facts that change rarely. This is the stored row.
#[derive(Clone, Serialize, Deserialize)]
pub struct Profile {
    /// Device id, from 1.
    pub id: u16,
    /// Noise static key: every login must present it.
    #[serde(with = "hexed")]
    pub noise: Vec<u8>,
    /// Public identity key.
    #[serde(with = "hexed")]
    pub identity: Vec<u8>,
    /// Signal registration id.
    pub registration_id: u32,
    /// Current signed prekey.
    pub signed_key: SignedKey,
    /// The signed device identity with both signatures, as others receive it.
    #[serde(with = "hexed")]
    pub signed_identity: Vec<u8>,
    /// Position in the account's key-index list.
    pub key_index: u32,
    /// What the device calls itself, for people.
    pub platform: String,
    /// When it was linked, milliseconds since the epoch.
    pub linked_at: u64,
    /// The phone has sent it keys and history.
    pub introduced: bool,
    /// Push name it last announced.
    pub push_name: Option<String>,
    /// How much history it asked for.
    #[serde(default)]
    pub history: HistoryWish,
}

/// How much history a companion asks for when it is linked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryWish {
    /// Days of recent messages, if it says so.
    pub recent_days: Option<u32>,
    /// All that there is, not only recent messages.
    pub full: bool,
    /// Days of all that there is, if it says so.
    pub full_days: Option<u32>,
}

/// The live connection of a device.
pub struct Link {
    /// Number of the connection.
    pub conn: u64,
    /// Its outgoing side.
    pub sender: Sender,
    /// The offline exchange is over: new entries may be sent at once.
    pub live: bool,
    /// Its user is looking.
    pub available: bool,
}

/// A linked device.
pub struct Companion {
    /// Stored facts.
    pub profile: Profile,
    /// Public one-time prekeys not handed out yet, oldest first.
    pub prekeys: VecDeque<(u32, Vec<u8>)>,
    /// What it has not cleared.
    pub queue: Queue,
    /// What it has sent.
    pub routed: Routed,
    /// Its connection, while it has one.
    pub link: Option<Link>,
    /// Who was typing while it was away, by number.
    pub typing: HashMap<String, Typing>,
}

/// Somebody typing.
pub struct Typing {
    /// When that was.
    pub since: Instant,
    /// The stanza that says so.
    pub stanza: Node,
}

impl Companion {
    /// Wraps a profile with an empty queue and no connection.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            prekeys: VecDeque::new(),
            queue: Queue::default(),
            routed: Routed::default(),
            link: None,
            typing: HashMap::new(),
        }
    }

    /// Closes the connection after a last stanza.
    pub fn dismiss(&mut self, last: Node) {
        if let Some(link) = self.link.take() {
            link.sender.send(last);
            link.sender.close_after(CLOSE_PAUSE);
        }
    }
}

/// Time for a client to read the last stanza before the socket closes.
pub const CLOSE_PAUSE: Duration = Duration::from_millis(150);

/// Bytes as hexadecimal text in stored rows.
pub mod hexed {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes bytes as text.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    /// Reads bytes from text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        hex::decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
