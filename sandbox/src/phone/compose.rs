//! What a phone's owner can write: one thing a message, with what goes along with it.

use super::attach::{Attached, Attachment};
use super::card::{self, Card};
use super::log::Log;
use super::pin::Pin;
use super::place::Place;
use super::poll::{NewPoll, Vote};
use super::preview::Preview;
use super::send::{Outgoing, new_id};
use crate::clock;
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result, bail, ensure};
use buffa::MessageField;
use serde::Deserialize;
use wa::message::protocol_message::Type as ProtocolType;
use wa::message::{FutureProofMessage, ProtocolMessage, ReactionMessage};
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp as wa;

/// Edit numbers of the stanza.
const EDITED: &str = "1";
const REVOKED: &str = "7";
const REVOKED_BY_ADMIN: &str = "8";

/// A request to write a message. Ids name messages of the phone's log.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wish<'a> {
    /// Number of the other side, or the address of a group.
    pub to: String,
    /// Text of a message or of an edit.
    pub text: Option<String>,
    /// Preview of a link in the text.
    pub preview: Option<Preview>,
    /// A medium, with a caption of its own.
    #[serde(borrow)]
    pub media: Option<Attachment<'a>>,
    /// The medium may be looked at once.
    #[serde(default)]
    pub view_once: bool,
    /// A place.
    pub location: Option<Place>,
    /// Contact cards.
    pub contacts: Option<Vec<Card>>,
    /// A poll.
    pub poll: Option<NewPoll>,
    /// A vote in a poll.
    pub vote: Option<Vote>,
    /// Reaction to a message; an empty emoji takes it back.
    pub reaction: Option<Reaction>,
    /// Id of an own message to replace by `text`.
    pub edit: Option<String>,
    /// Id of a message to revoke: an own one, or anybody's in a group that the phone is an admin of.
    pub revoke: Option<String>,
    /// Pins a message for everyone, or takes it down.
    pub pin: Option<Pin>,
    /// Sets after how many seconds messages of the chat disappear; 0 lets them stay.
    pub timer_s: Option<u32>,
    /// Id of the message to quote.
    pub quote: Option<String>,
    /// Numbers of those whom the message mentions.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// Says that the message was written elsewhere first.
    #[serde(default)]
    pub forwarded: bool,
    /// Seconds after which this message disappears.
    pub expiration_s: Option<u32>,
    /// It stays on the phone, as without a signal, until `release` lets it go.
    #[serde(default)]
    pub held: bool,
    /// Id of a held message that leaves now.
    pub release: Option<String>,
}

/// A reaction.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Reaction {
    /// Id of the message.
    pub id: String,
    /// The emoji.
    pub emoji: String,
}

impl Wish<'_> {
    /// Returns whether exactly one thing is said. An edit says its text.
    fn says_one_thing(&self) -> bool {
        let said = [
            self.text.is_some() || self.edit.is_some(),
            self.media.is_some(),
            self.location.is_some(),
            self.contacts.is_some(),
            self.poll.is_some(),
            self.vote.is_some(),
            self.reaction.is_some(),
            self.revoke.is_some(),
            self.pin.is_some(),
            self.timer_s.is_some(),
            self.release.is_some(),
        ];
        said.iter().filter(|said| **said).count() == 1
    }

    fn text(&self) -> Result<&str> {
        self.text.as_deref().filter(|text| !text.is_empty()).context("`text` is missing")
    }

    /// Returns what the message says about its surroundings.
    fn context(&self, log: &Log, mentions: Vec<String>) -> Result<Option<wa::ContextInfo>> {
        let quoted = self.quote.as_ref().map(|id| quote(log, id)).transpose()?;
        let plain = quoted.is_none() && mentions.is_empty() && !self.forwarded && self.expiration_s.is_none();
        Ok((!plain).then(|| wa::ContextInfo {
            mentioned_jid: mentions,
            is_forwarded: self.forwarded.then_some(true),
            expiration: self.expiration_s,
            ..quoted.unwrap_or_default()
        }))
    }
}

/// Turns a wish into a message. Who it mentions was looked up and its medium sealed before.
pub fn message(
    world: &World,
    account: &Account,
    log: &Log,
    wish: &Wish<'_>,
    mentions: Vec<String>,
    attached: Option<Attached>,
    batch: &mut Batch,
) -> Result<Outgoing> {
    ensure!(
        wish.says_one_thing(),
        "a message has one of `text`, `media`, `location`, `contacts`, `poll`, `vote`, `reaction`, `edit` with `text`, `revoke`, `pin`, `timerS`, `release`"
    );
    if let Some(id) = &wish.release {
        let held =
            log.get(&account.number, id).with_context(|| format!("the phone holds no message `{id}`"))?;
        return Ok(Outgoing { id: id.clone(), message: held.message()?, edit: None });
    }
    ensure!(!wish.view_once || wish.media.is_some(), "only `media` can be `viewOnce`");
    ensure!(wish.preview.is_none() || wish.text.is_some(), "only a `text` has a `preview`");
    let context = wish.context(log, mentions)?;
    let mut message = if let Some(attached) = attached {
        attached.into_message(world, account, batch)
    } else if let Some(place) = &wish.location {
        place.message()?
    } else if let Some(cards) = &wish.contacts {
        card::message(cards)?
    } else if let Some(poll) = &wish.poll {
        poll.message()?
    } else if wish.text.is_some() && wish.edit.is_none() {
        match &wish.preview {
            Some(preview) => preview.message(wish.text()?)?,
            None => plain(wish.text()?),
        }
    } else {
        ensure!(context.is_none(), "this has no quote, mentions or timer of its own");
        return about_another(world, account, log, wish);
    };
    if let Some(context) = context {
        innermost(&mut message).set_context_info(context);
    }
    Ok(Outgoing::new(if wish.view_once { once(message)? } else { message }))
}

/// What says something about an earlier message, or about the chat.
fn about_another(world: &World, account: &Account, log: &Log, wish: &Wish<'_>) -> Result<Outgoing> {
    if let Some(reaction) = &wish.reaction {
        let message = ReactionMessage {
            key: MessageField::some(key(account, log, &reaction.id)?),
            text: Some(reaction.emoji.clone()),
            sender_timestamp_ms: Some(clock::now_ms() as i64),
            ..Default::default()
        };
        let message = wa::Message { reaction_message: MessageField::some(message), ..Default::default() };
        return Ok(Outgoing::new(message));
    }
    if let Some(vote) = &wish.vote {
        return Ok(Outgoing::new(vote.message(world, account, log, key(account, log, &vote.id)?)?));
    }
    if let Some(pin) = &wish.pin {
        return Ok(pin.message(key(account, log, &pin.id)?));
    }
    if let Some(timer_s) = wish.timer_s {
        ensure!(!wish.to.ends_with("@g.us"), "the timer of a group is its `ephemeralS`");
        let message = ProtocolMessage {
            r#type: Some(ProtocolType::EphemeralSetting),
            ephemeral_expiration: Some(timer_s),
            ephemeral_setting_timestamp: Some(clock::now_s() as i64),
            ..Default::default()
        };
        return Ok(Outgoing::new(super::send::protocol(message)));
    }
    if let Some(id) = &wish.edit {
        let key = own(key(account, log, id)?)?;
        return Ok(protocol(key, ProtocolType::MessageEdit, Some(plain(wish.text()?)), EDITED));
    }
    let id = wish.revoke.as_deref().context("the message says nothing")?;
    let key = key(account, log, id)?;
    if is_admin_of_chat(world, account, log, id) && key.from_me != Some(true) {
        return Ok(protocol(key, ProtocolType::Revoke, None, REVOKED_BY_ADMIN));
    }
    Ok(protocol(own(key)?, ProtocolType::Revoke, None, REVOKED))
}

fn is_admin_of_chat(world: &World, account: &Account, log: &Log, id: &str) -> bool {
    let group = log.by_id(id).and_then(|entry| entry.chat.strip_suffix("@g.us"));
    let group = group.and_then(|digits| world.groups.get(digits));
    group.is_some_and(|group| group.facts().is_admin(&account.number))
}

/// Wraps a medium so that it opens once. Phones have one wrapper for sound and one for the rest.
fn once(mut message: wa::Message) -> Result<wa::Message> {
    let sound = message.audio_message.is_set();
    if let Some(image) = message.image_message.as_option_mut() {
        image.view_once = Some(true);
    } else if let Some(video) = message.video_message.as_option_mut() {
        video.view_once = Some(true);
    } else if let Some(audio) = message.audio_message.as_option_mut() {
        audio.view_once = Some(true);
    } else {
        bail!("only images, videos and sound can be `viewOnce`");
    }
    let wrapper = MessageField::some(FutureProofMessage { message: MessageField::some(message) });
    Ok(if sound {
        wa::Message { view_once_message_v2_extension: wrapper, ..Default::default() }
    } else {
        wa::Message { view_once_message_v2: wrapper, ..Default::default() }
    })
}

/// What a document with a caption is wrapped around; everything else is its own content.
pub(super) fn innermost(message: &mut wa::Message) -> &mut wa::Message {
    if !message.document_with_caption_message.is_set() {
        return message;
    }
    message.document_with_caption_message.get_or_insert_default().message.get_or_insert_default()
}

fn plain(text: &str) -> wa::Message {
    wa::Message { conversation: Some(text.to_owned()), ..Default::default() }
}

fn quote(log: &Log, id: &str) -> Result<wa::ContextInfo> {
    let quoted = log.by_id(id).with_context(|| format!("the phone has no message `{id}` to quote"))?;
    Ok(wa::ContextInfo {
        stanza_id: Some(quoted.id.clone()),
        participant: Some(quoted.author_jid()),
        quoted_message: MessageField::some(quoted.message()?),
        ..Default::default()
    })
}

fn protocol(
    key: wa::MessageKey,
    kind: ProtocolType,
    edited: Option<wa::Message>,
    edit: &'static str,
) -> Outgoing {
    let edited_at = edited.is_some().then(|| clock::now_ms() as i64);
    let message = ProtocolMessage {
        key: MessageField::some(key),
        r#type: Some(kind),
        edited_message: edited.map(MessageField::some).unwrap_or_default(),
        timestamp_ms: edited_at,
        ..Default::default()
    };
    Outgoing { id: new_id(), message: super::send::protocol(message), edit: Some(edit) }
}

fn own(key: wa::MessageKey) -> Result<wa::MessageKey> {
    ensure!(key.from_me == Some(true), "this message was not written by this account");
    Ok(key)
}

fn key(account: &Account, log: &Log, id: &str) -> Result<wa::MessageKey> {
    let entry = log.by_id(id).with_context(|| format!("the phone has no message `{id}`"))?;
    Ok(wa::MessageKey {
        remote_jid: Some(entry.chat_jid()),
        from_me: Some(entry.from == account.number),
        id: Some(entry.id.clone()),
        participant: entry.author.clone(),
    })
}
