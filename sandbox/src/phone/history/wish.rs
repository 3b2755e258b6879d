//! Chats and messages as a phone's owner describes them, word by word.

use super::collect::on_wire;
use crate::clock;
use crate::phone::attach::Attachment;
use crate::phone::card::{self, Card};
use crate::phone::compose::innermost;
use crate::phone::log::Status;
use crate::phone::place::Place;
use crate::phone::poll::NewPoll;
use crate::phone::send::new_id;
use anyhow::{Context, Result, ensure};
use buffa::MessageField;
use serde::Deserialize;
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp as wa;

/// A chat that the phone has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChatWish<'a> {
    /// Number of the other side, or the address of a group.
    pub chat: String,
    /// Name in the phone's address book.
    pub name: Option<String>,
    /// Name that the other side gave itself.
    pub push_name: Option<String>,
    /// Messages not read yet.
    #[serde(default)]
    pub unread: u32,
    /// Marked as unread by hand.
    #[serde(default)]
    pub marked_unread: bool,
    /// Put away.
    #[serde(default)]
    pub archived: bool,
    /// Pinned to the top.
    #[serde(default)]
    pub pinned: bool,
    /// Muted until then, milliseconds since the epoch; -1 for ever.
    pub muted_until: Option<i64>,
    /// Seconds after which its messages disappear.
    pub expiration_s: Option<u32>,
    /// The phone knows the chat by the LID of the other side.
    #[serde(default)]
    pub by_lid: bool,
    /// Its messages, oldest first.
    #[serde(borrow, default)]
    pub messages: Vec<MessageWish<'a>>,
}

/// A message that the phone has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MessageWish<'a> {
    /// Its id; a new one without it.
    pub id: Option<String>,
    /// When it was written, milliseconds since the epoch; a minute before the next one without it.
    pub at: Option<u64>,
    /// Written by the phone's owner.
    #[serde(default)]
    pub from_me: bool,
    /// Number of the writer; in groups, for what others wrote.
    pub from: Option<String>,
    /// A text.
    pub text: Option<String>,
    /// A medium, with a caption of its own.
    #[serde(borrow)]
    pub media: Option<Attachment<'a>>,
    /// A place.
    pub location: Option<Place>,
    /// Contact cards.
    pub contacts: Option<Vec<Card>>,
    /// A poll.
    pub poll: Option<NewPoll>,
    /// It was revoked: nothing is said any more.
    #[serde(default)]
    pub revoked: bool,
    /// Id of an earlier message of the chat that it quotes.
    pub quote: Option<String>,
    /// Numbers of those whom it mentions.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// It was written elsewhere first.
    #[serde(default)]
    pub forwarded: bool,
    /// How far an own message came; `read` without it.
    pub status: Option<Status>,
    /// Marked with a star.
    #[serde(default)]
    pub starred: bool,
    /// Reactions to it.
    #[serde(default)]
    pub reactions: Vec<PastReaction>,
}

/// A reaction to a message of the past.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastReaction {
    /// Number of whoever reacted; the phone's owner without it.
    pub from: Option<String>,
    /// The emoji.
    pub emoji: String,
}

/// The addresses in a message, looked up before.
pub struct Addresses {
    /// The chat.
    pub chat: String,
    /// The writer, in groups.
    pub author: Option<String>,
    /// The name that the writer gave itself, for what others wrote.
    pub push_name: Option<String>,
    /// Those whom the message mentions.
    pub mentions: Vec<String>,
    /// Those who reacted: address in groups, and whether it is the phone's owner.
    pub reactors: Vec<(Option<String>, bool)>,
}

impl MessageWish<'_> {
    /// Writes the message as it lies on the phone. `earlier` finds what it quotes.
    pub fn info(
        &self,
        earlier: impl Fn(&str) -> Option<wa::WebMessageInfo>,
        addresses: Addresses,
        attached: Option<wa::Message>,
        at_ms: u64,
    ) -> Result<wa::WebMessageInfo> {
        let message = self.content(earlier, &addresses, attached)?;
        let secret = message.as_ref().and_then(|message| {
            message.message_context_info.as_option().and_then(|info| info.message_secret.clone())
        });
        let key = |id: String, from_me: bool, participant: Option<String>| wa::MessageKey {
            remote_jid: Some(addresses.chat.clone()),
            from_me: Some(from_me),
            id: Some(id),
            participant,
        };
        let reactors = self.reactions.iter().zip(&addresses.reactors);
        let reactions = reactors.map(|(reaction, (who, own))| wa::Reaction {
            key: MessageField::some(key(new_id(), *own, who.clone())),
            text: Some(reaction.emoji.clone()),
            sender_timestamp_ms: Some(at_ms as i64),
            ..Default::default()
        });
        let id = self.id.clone().unwrap_or_else(new_id);
        Ok(wa::WebMessageInfo {
            key: MessageField::some(key(id, self.from_me, addresses.author.clone())),
            message_stub_type: message.is_none().then_some(wa::web_message_info::StubType::REVOKE),
            message: message.map(MessageField::some).unwrap_or_default(),
            message_timestamp: Some(at_ms / 1000),
            status: self.from_me.then(|| on_wire(self.status.unwrap_or(Status::Read))),
            participant: addresses.author.clone(),
            push_name: addresses.push_name.clone().filter(|_| !self.from_me),
            starred: self.starred.then_some(true),
            reactions: reactions.collect(),
            message_secret: secret,
            ..Default::default()
        })
    }

    /// Writes what is said; nothing when it was revoked.
    fn content(
        &self,
        earlier: impl Fn(&str) -> Option<wa::WebMessageInfo>,
        addresses: &Addresses,
        attached: Option<wa::Message>,
    ) -> Result<Option<wa::Message>> {
        let said = [
            self.text.is_some(),
            self.media.is_some(),
            self.location.is_some(),
            self.contacts.is_some(),
            self.poll.is_some(),
            self.revoked,
        ];
        ensure!(
            said.iter().filter(|said| **said).count() == 1,
            "a message of the past has one of `text`, `media`, `location`, `contacts`, `poll`, `revoked`"
        );
        let mut message = match (attached, &self.location, &self.contacts, &self.poll, &self.text) {
            (Some(attached), ..) => attached,
            (_, Some(place), ..) => place.message()?,
            (_, _, Some(cards), ..) => card::message(cards)?,
            (_, _, _, Some(poll), _) => poll.message()?,
            (.., Some(text)) => wa::Message { conversation: Some(text.clone()), ..Default::default() },
            _ => return Ok(None),
        };
        let quoted = self.quote.as_deref().map(|id| quote(earlier(id), id)).transpose()?;
        if quoted.is_some() || self.forwarded || !addresses.mentions.is_empty() {
            let context = wa::ContextInfo {
                mentioned_jid: addresses.mentions.clone(),
                is_forwarded: self.forwarded.then_some(true),
                ..quoted.unwrap_or_default()
            };
            innermost(&mut message).set_context_info(context);
        }
        Ok(Some(message))
    }
}

fn quote(quoted: Option<wa::WebMessageInfo>, id: &str) -> Result<wa::ContextInfo> {
    let quoted = quoted.with_context(|| format!("the chat has no earlier message `{id}` to quote"))?;
    let key = quoted.key.as_option();
    Ok(wa::ContextInfo {
        stanza_id: Some(id.to_owned()),
        participant: key.and_then(|key| key.participant.clone().or_else(|| key.remote_jid.clone())),
        quoted_message: quoted.message,
        ..Default::default()
    })
}

/// Returns when the messages of a chat were written, milliseconds since the epoch: as they say, or a minute apart up to now.
pub fn times(messages: &[MessageWish<'_>]) -> Vec<u64> {
    const MINUTE: u64 = 60_000;
    let mut next = clock::now_ms();
    let mut times: Vec<u64> = messages
        .iter()
        .rev()
        .map(|message| {
            next = message.at.unwrap_or_else(|| next.saturating_sub(MINUTE));
            next
        })
        .collect();
    times.reverse();
    times
}
