//! What goes out beside plain content: answers, forwards, and changes of messages that are stored.

use crate::model::change::What;
use crate::model::jid::Jid;
use crate::model::link::CardWish;
use crate::model::marks::{Marks, Quote};
use crate::model::message::Content;
use serde::{Deserialize, Serialize};

/// What stands around outgoing content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Around {
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Box<Quoted>>,
    /// It was written elsewhere and is passed on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forwarded: bool,
    /// The file may be looked at once.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub view_once: bool,
    /// The card of the first link of a text.
    #[serde(skip_serializing_if = "CardWish::is_open")]
    pub card: CardWish,
    /// Seconds after which it disappears: the timer of its chat when it got in line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timer_s: Option<u32>,
}

impl Around {
    /// Returns whether nothing stands around the content.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns it as it stands in the history.
    pub fn marks(&self) -> Marks {
        Marks {
            quote: self.quote.as_ref().map(|quoted| quoted.shown()),
            forwarded: self.forwarded,
            view_once: self.view_once,
            preview: self.card.card().cloned().map(Box::new),
            expires_in_s: self.timer_s,
            ..Marks::default()
        }
    }
}

/// A message of the history that an outgoing one answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quoted {
    /// WhatsApp's message id.
    pub id: String,
    /// Who wrote it; the account itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Jid>,
    /// The author's address as the network wants to read it.
    pub author: Jid,
    /// What is in it.
    pub content: Content,
}

impl Quoted {
    fn shown(&self) -> Quote {
        Quote {
            id: self.id.clone(),
            sender: self.sender.clone(),
            kind: self.content.kind().to_owned(),
            text: self.content.text().map(str::to_owned),
        }
    }
}

/// A change of a stored message that goes out like a message of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutgoingChange {
    /// WhatsApp's id of the message that changes.
    pub target: String,
    /// Whether the account wrote that message.
    pub own: bool,
    /// In a group, the author's address as the network wants to read it; absent for own messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Jid>,
    /// What changes.
    pub what: What,
    /// What seals a vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ballot: Option<Box<Ballot>>,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// What seals a vote: the poll's secret, the answers, and how the network names both sides.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    /// 32 bytes as base64.
    pub secret: String,
    /// The chosen answers.
    pub chosen: Vec<String>,
    /// Who made the poll.
    pub maker: Jid,
    /// The account.
    pub voter: Jid,
}

impl std::fmt::Debug for Ballot {
    /// Shows no secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ballot").field("maker", &self.maker).finish_non_exhaustive()
    }
}
