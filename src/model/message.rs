//! Messages: what is in them, which way they went, how far they came.

use crate::error::{Code, Error, Result};
use crate::model::card::Card;
use crate::model::id::{DeviceNo, JobId};
use crate::model::jid::Jid;
use crate::model::job::ItemError;
use crate::model::link::CardWish;
use crate::model::marks::Marks;
use crate::model::media::{FileHash, Media, MediaFromUrl};
use crate::model::outgoing::{Around, OutgoingChange};
use crate::model::place::Place;
use crate::model::poll::Poll;
use crate::model::status_post::Audience;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The longest text, in Unicode code points.
pub const TEXT_MAX_CHARS: usize = 4096;
/// The longest text after its placeholders were filled, in Unicode code points; WhatsApp's own limit.
pub const RENDERED_MAX_CHARS: usize = 65_536;

/// A text that may be sent: not blank and at most [`TEXT_MAX_CHARS`] code points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(String);

impl Text {
    /// Accepts a text that may be sent.
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Err(Error::new(Code::RecipientAndTextRequired));
        }
        if text.chars().count() > TEXT_MAX_CHARS {
            return Err(Error::new(Code::TextTooLong));
        }
        Ok(Self(text.to_owned()))
    }

    /// Takes a text that Kurir made out of an accepted one, such as by writing numbers for mentions; what was put in does not
    /// count against the limit of what clients send, up to [`RENDERED_MAX_CHARS`].
    pub fn rendered(text: String) -> Result<Self> {
        if text.chars().count() > RENDERED_MAX_CHARS {
            return Err(Error::new(Code::TextTooLong));
        }
        Ok(Self(text))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is to be sent, and to whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The recipient.
    pub to: Jid,
    /// The content.
    pub content: OutgoingContent,
    /// The people who are told that the text speaks of them, whether it names them or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Jid>,
    /// What stands around the content.
    #[serde(default, skip_serializing_if = "Around::is_empty")]
    pub around: Around,
    /// Of status posts and their deletions only: whom they are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}

impl Outgoing {
    /// Returns a message that speaks of nobody and answers nothing.
    pub fn new(to: Jid, content: OutgoingContent) -> Self {
        Self { to, content, mentions: Vec::new(), around: Around::default(), audience: None }
    }

    /// Returns it without what is made anew for every request, so that the same question can be recognised.
    pub fn asked(&self) -> Self {
        let mut asked = self.clone();
        match &mut asked.content {
            OutgoingContent::Poll(poll) => poll.secret.clear(),
            OutgoingContent::Change(change) => change.at = 0,
            _ => {}
        }
        if let Some(audience) = asked.audience.as_mut().filter(|audience| !audience.chosen) {
            // The address book may have changed in the meantime.
            audience.people.clear();
        }
        if let Some(quoted) = &mut asked.around.quote {
            // It may have been rewritten in the meantime.
            quoted.content = Content::Deleted;
        }
        asked
    }

    /// Returns the content as it stands in the history; none when it is no message of the chat. What may be looked at once
    /// is not there to be looked at again.
    pub fn stored(&self) -> Option<Content> {
        let mut content = self.content.stored()?;
        if let Content::Media(media) = &mut content
            && self.around.view_once
        {
            media.forget();
        }
        Some(content)
    }

    /// Returns it as a client asked for it: with a card of its first link unless it said no.
    pub fn with_card(mut self, asked: Option<bool>) -> Self {
        self.around.card = CardWish::of(asked);
        self
    }

    /// Returns a plain text to somebody.
    pub fn text(to: Jid, text: Text) -> Self {
        Self::new(to, OutgoingContent::Text { text })
    }
}

/// The content of an outgoing message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum OutgoingContent {
    /// A plain text.
    Text {
        /// The text.
        text: Text,
    },
    /// A place on the map.
    Location(Place),
    /// Contact cards.
    Contacts {
        /// At least one.
        cards: Vec<Card>,
    },
    /// A poll.
    Poll(Poll),
    /// A message that Kurir does not show, passed on as it came.
    Other {
        /// WhatsApp's name of the kind.
        kind: String,
        /// Its caption, when it has one.
        text: Option<String>,
        /// The message as protobuf, base64.
        raw: String,
    },
    /// A change of another message; it is none of the chat.
    Change(OutgoingChange),
    /// Messages of the conversation disappear from now on, or stay again; it is none of the chat.
    Timer {
        /// Seconds; 0 when they stay.
        seconds: u32,
    },
    /// A file in the media directory.
    Media(Box<Media>),
    /// A file that is fetched when its turn comes.
    MediaFromUrl(MediaFromUrl),
}

impl OutgoingContent {
    /// Returns the content as it stands in the history; none when it is no message of the chat.
    pub fn stored(&self) -> Option<Content> {
        Some(match self {
            OutgoingContent::Text { text } => Content::Text { text: text.0.clone() },
            OutgoingContent::Location(place) => Content::Location(place.clone()),
            OutgoingContent::Contacts { cards } => Content::Contacts { cards: cards.clone() },
            OutgoingContent::Poll(poll) => Content::Poll(poll.clone()),
            OutgoingContent::Media(media) => Content::Media(media.clone()),
            OutgoingContent::MediaFromUrl(source) => Content::Media(Box::new(source.announced())),
            OutgoingContent::Other { kind, text, raw } => {
                Content::Other { kind: kind.clone(), text: text.clone(), raw: raw.clone() }
            }
            OutgoingContent::Change(_) | OutgoingContent::Timer { .. } => return None,
        })
    }

    /// Returns whether it becomes a message of the chat, and not a word about one or about the chat.
    pub fn is_of_chat(&self) -> bool {
        !matches!(self, OutgoingContent::Change(_) | OutgoingContent::Timer { .. })
    }

    /// Returns whether a file has to be fetched or uploaded before the message can be sent.
    pub fn is_media(&self) -> bool {
        matches!(self, OutgoingContent::Media(_) | OutgoingContent::MediaFromUrl(_))
    }

    /// Returns the file in the media directory that has to stay until the message is sent, and its size in bytes.
    pub fn file(&self) -> Option<(FileHash, u64)> {
        match self {
            OutgoingContent::Media(media) => media.file.map(|file| (file, media.size)),
            _ => None,
        }
    }
}

/// The content of a stored message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Content {
    /// A plain or extended text.
    Text {
        /// The text.
        text: String,
    },
    /// A place on the map.
    Location(Place),
    /// Contact cards.
    Contacts {
        /// At least one.
        cards: Vec<Card>,
    },
    /// A poll with its votes.
    Poll(Poll),
    /// It was deleted for everyone.
    Deleted,
    /// What the history may not keep, see [`Message::kept`].
    Withheld {
        /// WhatsApp's name of the kind that it had.
        kind: String,
    },
    /// A file.
    Media(Box<Media>),
    /// A kind that Kurir does not show yet. The protocol bytes are kept so that nothing is lost.
    Other {
        /// WhatsApp's name of the kind, such as `imageMessage`.
        kind: String,
        /// Its caption, when it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The message as protobuf, base64.
        #[serde(default)]
        raw: String,
    },
}

impl Content {
    /// Returns WhatsApp's name of the kind.
    pub fn kind(&self) -> &str {
        match self {
            Content::Text { .. } => "conversation",
            Content::Location(place) => place.message_type(),
            Content::Contacts { cards } if cards.len() > 1 => "contactsArrayMessage",
            Content::Contacts { .. } => "contactMessage",
            // Phones use another number of the message for polls with one answer.
            Content::Poll(poll) if poll.selectable == 1 => "pollCreationMessageV3",
            Content::Poll(_) => "pollCreationMessage",
            Content::Deleted => "deleted",
            Content::Media(media) => media.kind.message_type(),
            Content::Other { kind, .. } | Content::Withheld { kind } => kind,
        }
    }

    /// Returns the text or caption, or what names the content in a line.
    pub fn text(&self) -> Option<&str> {
        match self {
            Content::Text { text } => Some(text),
            Content::Location(place) => place.name.as_deref(),
            Content::Contacts { cards } => cards.first().map(|card| card.name.as_str()),
            Content::Poll(poll) => Some(&poll.question),
            Content::Deleted | Content::Withheld { .. } => None,
            Content::Media(media) => media.caption.as_deref(),
            Content::Other { text, .. } => text.as_deref(),
        }
    }

    /// Replaces the text or caption and returns whether the content has one that can be replaced.
    pub fn rewrite(&mut self, new: &str) -> bool {
        let filled = || Some(new.to_owned()).filter(|text| !text.is_empty());
        match self {
            Content::Text { text } => new.clone_into(text),
            Content::Media(media) if media.kind.has_caption() => media.caption = filled(),
            Content::Other { text, .. } => *text = filled(),
            // There is something to rewrite; it is not here.
            Content::Withheld { .. } => {}
            Content::Media(_)
            | Content::Location(_)
            | Content::Contacts { .. }
            | Content::Poll(_)
            | Content::Deleted => return false,
        }
        true
    }

    /// Returns the file, when it is one.
    pub fn media(&self) -> Option<&Media> {
        match self {
            Content::Media(media) => Some(media),
            _ => None,
        }
    }
}

/// How far a message came. The order is the order of progress: a status never goes back.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum MessageStatus {
    /// Stored, not yet accepted by WhatsApp.
    Pending,
    /// Given up; the reason stands beside it.
    Failed,
    /// Accepted by WhatsApp.
    Sent,
    /// Arrived on a device of the recipient.
    Delivered,
    /// Read by the recipient. Incoming messages: read by us.
    Read,
}

impl MessageStatus {
    /// Returns the status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            MessageStatus::Pending => "pending",
            MessageStatus::Failed => "failed",
            MessageStatus::Sent => "sent",
            MessageStatus::Delivered => "delivered",
            MessageStatus::Read => "read",
        }
    }
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Device that sent or received it.
    pub device: DeviceNo,
    /// WhatsApp's message id.
    pub id: String,
    /// The chat it stands in.
    pub chat: Jid,
    /// Who wrote it; the account itself when `from_me`.
    pub sender: Option<Jid>,
    /// True when the account wrote it, here or on the phone.
    pub from_me: bool,
    /// The sender's own name as it came with the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push_name: Option<String>,
    /// What is in it.
    pub content: Content,
    /// The people whom its text or caption speaks of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Jid>,
    /// What stands around the content.
    #[serde(default, skip_serializing_if = "Marks::is_empty")]
    pub marks: Marks,
    /// Milliseconds since 1970: when it was accepted here, or when the network says it was sent.
    pub at: i64,
    /// How far it came.
    pub status: MessageStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ItemError>,
    /// The job that sent it, when Kurir did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
}

impl Message {
    /// Returns the message as the history keeps it: of a withheld one only what identifies it and how far it came.
    pub fn kept(&self) -> Cow<'_, Message> {
        if !self.marks.withheld {
            return Cow::Borrowed(self);
        }
        let content = match &self.content {
            Content::Deleted => Content::Deleted,
            content => Content::Withheld { kind: content.kind().to_owned() },
        };
        let marks = Marks { quote: None, reactions: Vec::new(), ..self.marks.clone() };
        Cow::Owned(Message { content, marks, push_name: None, mentions: Vec::new(), ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_not_blank_and_counts_code_points() {
        assert!(Text::parse(" \n").is_err());
        assert!(Text::parse(&"é".repeat(TEXT_MAX_CHARS)).is_ok());
        assert_eq!(
            Text::parse(&"é".repeat(TEXT_MAX_CHARS + 1)).expect_err("too long").code(),
            Code::TextTooLong
        );
    }

    #[test]
    fn progress_has_an_order() {
        use MessageStatus::*;
        assert!(Pending < Failed && Failed < Sent && Sent < Delivered && Delivered < Read);
    }
}
