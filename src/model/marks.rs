//! What stands around the content of a message: what it answers, what became of it, what people think of it.

use crate::model::jid::Jid;
use crate::model::link::LinkPreview;
use serde::{Deserialize, Serialize};

/// What stands around the content of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Marks {
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// It was written elsewhere and passed on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forwarded: bool,
    /// Meant to be seen once.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub view_once: bool,
    /// The card of the link in its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<Box<LinkPreview>>,
    /// Seconds after which it disappears.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u32>,
    /// Somebody asked everybody to keep it although it would disappear.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// The owner marked it to find it again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub starred: bool,
    /// Who reads the chat sees it on top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
    /// When its author changed it last, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<i64>,
    /// When it was deleted for everyone, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<i64>,
    /// The newest reaction of everybody who reacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// The device's number was among the allowed ones when the message came.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub allowed: bool,
    /// Its content was told and is not kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
}

impl Marks {
    /// Returns whether nothing stands around the content.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// That a message was pinned on top of its chat for everyone, or taken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    /// When somebody did it, in milliseconds since 1970.
    pub at: i64,
    /// Until when it stays there, in milliseconds since 1970; none when it was taken down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// The message that another one answers, as the answer tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// WhatsApp's message id.
    pub id: String,
    /// Who wrote it; the account itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Jid>,
    /// WhatsApp's name of its kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its text or caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A reaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// Who; the account itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Jid>,
    /// The emoji; empty when it was taken back.
    pub emoji: String,
    /// Milliseconds since 1970.
    pub at: i64,
}
