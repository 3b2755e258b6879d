//! Status posts: what an account shows to its contacts for a day. They are none of any chat and are counted nowhere.

use crate::model::id::{DeviceNo, JobId};
use crate::model::jid::Jid;
use crate::model::message::{Content, MessageStatus};
use serde::{Deserialize, Serialize};

/// How long a status post is shown, in milliseconds.
pub const SHOWN_MS: i64 = 24 * 3_600_000;
/// The longest text of a status post, in Unicode code points; WhatsApp's own limit.
pub const TEXT_MAX_CHARS: usize = 700;

/// Whom an outgoing status post is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Audience {
    /// The people; a deletion has to reach the same ones.
    pub people: Vec<Jid>,
    /// True when the client named them, false when they are the account's contacts.
    pub chosen: bool,
}

/// A status post of the account or of one of its contacts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusPost {
    /// Device that sent or received it.
    pub device: DeviceNo,
    /// WhatsApp's message id.
    pub id: String,
    /// Who posted it; the account itself when absent.
    pub author: Option<Jid>,
    /// The author's own name as it came with the post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_name: Option<String>,
    /// What is in it.
    pub content: Content,
    /// Milliseconds since 1970.
    pub at: i64,
    /// How far it came: `Pending`, `Failed` or `Sent` of own posts, `Delivered` of those of others.
    pub status: MessageStatus,
    /// Why it failed, as the name of a code of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The job that sent it, when Kurir did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// Whom Kurir sent it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// Who looked at an own post.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
}

/// Somebody who looked at a status post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Who.
    pub by: Jid,
    /// Milliseconds since 1970.
    pub at: i64,
}

impl StatusPost {
    /// Returns when it is no longer shown, in milliseconds since 1970.
    pub fn ends_at(&self) -> i64 {
        self.at.saturating_add(SHOWN_MS)
    }

    /// Returns it as an event tells it: without the lists of people, which may be long.
    pub fn told(&self) -> Self {
        Self { audience: None, seen: Vec::new(), ..self.clone() }
    }
}
