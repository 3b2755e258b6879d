//! Chats: one line per conversation of a device, kept beside the messages so that a list needs no search.

use crate::error::{Error, Result};
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::MessageStatus;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

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

/// A place in the list of chats: newest activity first, within a millisecond by address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMark {
    /// Milliseconds since 1970 of the newest message.
    pub at: i64,
    /// Address of the chat; empty stands before all of its millisecond.
    pub chat: String,
}

impl ChatMark {
    /// Returns the place of a chat.
    pub fn of(chat: &Chat) -> Self {
        Self { at: chat.last_at, chat: chat.jid.to_string() }
    }
}

impl fmt::Display for ChatMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.chat)
    }
}

impl FromStr for ChatMark {
    type Err = Error;

    /// Reads a place as an answer gave it, or milliseconds since 1970 alone.
    fn from_str(text: &str) -> Result<Self> {
        let refused = || Error::invalid("before", "expected `nextBefore` of the page before");
        let (at, chat) = text.split_once('.').unwrap_or((text, ""));
        let at = at.parse().map_err(|_| refused())?;
        match chat.is_empty() || chat.parse::<Jid>().is_ok() {
            true => Ok(Self { at, chat: chat.to_owned() }),
            false => Err(refused()),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let mark = ChatMark { at: 1_704_042_000_000, chat: "120363123456789012-1700000000@g.us".to_owned() };
        assert_eq!(mark.to_string().parse::<ChatMark>().expect("a place"), mark);
        let alone = ChatMark { at: 1_704_042_000_000, chat: String::new() };
        assert_eq!("1704042000000".parse::<ChatMark>().expect("a time"), alone);
        for wrong in ["", "x", ".", "1.x", "1.x@y", ".6281234567890@s.whatsapp.net"] {
            assert!(wrong.parse::<ChatMark>().is_err(), "{wrong}");
        }
    }
}
