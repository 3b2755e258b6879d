//! Chats: one line per conversation of a device, kept beside the messages so that a list needs no search.

use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::MessageStatus;
use serde::{Deserialize, Serialize};

/// A conversation as it stands in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// The person or group.
    pub jid: Jid,
    /// Name by which the chat is shown, when one is known.
    #[serde(default)]
    pub name: Option<String>,
    /// Incoming messages that nobody has read yet.
    #[serde(default)]
    pub unread: u32,
    /// Milliseconds since 1970 of the newest message.
    pub last_at: i64,
    /// The newest message in short.
    pub last: LastMessage,
}

/// What is set for a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChatSettings {
    /// Seconds after which what is written disappears; 0 when it stays.
    pub timer_s: u32,
    /// When the timer was set, in milliseconds since 1970.
    pub timer_at: i64,
    /// Put away from the list.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    /// Kept on top of the list.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Milliseconds since 1970 until which nothing is to be heard of it; `i64::MAX` is until that is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<i64>,
    /// When one of these was set last, in milliseconds since 1970.
    pub set_at: i64,
}

/// What an owner sets for a chat on all devices of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "camelCase")]
pub enum ChatChange {
    /// Put away from the list, or not.
    Archived {
        /// Whether it is.
        on: bool,
    },
    /// Kept on top of the list, or not.
    Pinned {
        /// Whether it is.
        on: bool,
    },
    /// Nothing is to be heard of it.
    Muted {
        /// Milliseconds since 1970; `i64::MAX` until it is taken back, none when it is heard again.
        until: Option<i64>,
    },
}

impl ChatSettings {
    /// Takes a change over and returns whether it made a difference.
    pub fn take(&mut self, change: ChatChange) -> bool {
        let before = self.clone();
        match change {
            ChatChange::Archived { on } => self.archived = on,
            ChatChange::Pinned { on } => self.pinned = on,
            ChatChange::Muted { until } => self.muted_until = until,
        }
        *self != before
    }
}

/// The newest message of a chat in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastMessage {
    /// WhatsApp's message id.
    pub id: String,
    /// WhatsApp's name of the kind.
    pub kind: String,
    /// The first 200 characters of text or caption.
    pub text: Option<String>,
    /// Written by the account itself.
    pub from_me: bool,
    /// How far it came.
    pub status: MessageStatus,
}

/// What the phone says of a chat when it hands its history over.
#[derive(Debug, Clone, PartialEq)]
pub struct PastChat {
    /// The device that was linked.
    pub device: DeviceNo,
    /// The person or group.
    pub jid: Jid,
    /// Name in the phone's address book, or the group's subject.
    pub name: Option<String>,
    /// Messages that nobody has read.
    pub unread: u32,
    /// Put away.
    pub archived: bool,
    /// Kept on top of the list.
    pub pinned: bool,
    /// Milliseconds since 1970 until which nothing is to be heard of it; `i64::MAX` is until that is taken back.
    pub muted_until: Option<i64>,
}
