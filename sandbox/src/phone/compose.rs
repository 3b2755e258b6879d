//! What a phone's owner can write: texts, media, quotes, reactions, edits, revocations.

use super::attach::{Attached, Attachment};
use super::log::Log;
use super::send::{Outgoing, new_id};
use crate::clock;
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result, bail, ensure};
use buffa::MessageField;
use serde::Deserialize;
use serde::de::IgnoredAny;
use wa::message::protocol_message::Type as ProtocolType;
use wa::message::{ProtocolMessage, ReactionMessage};
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp as wa;

/// Edit numbers of the stanza.
const EDITED: &str = "1";
const REVOKED: &str = "7";

/// A request to write a message. Ids name messages of the phone's log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish<'a> {
    /// Number of the other side, or the address of a group.
    pub to: String,
    /// Text of a message or of an edit.
    pub text: Option<String>,
    /// A medium, with a caption of its own.
    #[serde(borrow)]
    pub media: Option<Attachment<'a>>,
    /// A poll; not built yet.
    pub poll: Option<IgnoredAny>,
    /// A place; not built yet.
    pub location: Option<IgnoredAny>,
    /// A contact card; not built yet.
    pub contact: Option<IgnoredAny>,
    /// Id of the message to quote.
    pub quote: Option<String>,
    /// Reaction to a message; an empty emoji takes it back.
    pub reaction: Option<Reaction>,
    /// Id of an own message to replace by `text`.
    pub edit: Option<String>,
    /// Id of an own message to revoke.
    pub revoke: Option<String>,
    /// Numbers of those whom a message in a group mentions.
    #[serde(default)]
    pub mentions: Vec<String>,
}

impl Wish<'_> {
    /// Names what the wish asks for and phones cannot write yet.
    pub fn not_built(&self) -> Option<&'static str> {
        let asked = [("poll", &self.poll), ("location", &self.location), ("contact", &self.contact)];
        asked.into_iter().find(|(_, wish)| wish.is_some()).map(|(name, _)| name)
    }
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
    let alone =
        attached.is_none() || (wish.reaction.is_none() && wish.revoke.is_none() && wish.edit.is_none());
    ensure!(alone, "a reaction, an edit or a revocation has no `media`");
    if let Some(reaction) = &wish.reaction {
        ensure!(wish.text.is_none(), "a reaction has no `text`");
        let message = ReactionMessage {
            key: MessageField::some(key(account, log, &reaction.id)?),
            text: Some(reaction.emoji.clone()),
            sender_timestamp_ms: Some(clock::now_ms() as i64),
            ..Default::default()
        };
        let message = wa::Message { reaction_message: MessageField::some(message), ..Default::default() };
        return Ok(Outgoing::new(message));
    }
    if let Some(id) = &wish.revoke {
        return protocol(own_key(account, log, id)?, ProtocolType::Revoke, None, REVOKED);
    }
    let text = || wish.text.as_deref().filter(|text| !text.is_empty()).context("`text` is missing");
    if let Some(id) = &wish.edit {
        return protocol(own_key(account, log, id)?, ProtocolType::MessageEdit, Some(plain(text()?)), EDITED);
    }
    let quoted = wish.quote.as_ref().map(|id| quote(log, id)).transpose()?;
    let mut message = match attached {
        Some(attached) => {
            ensure!(wish.text.is_none(), "a medium has a `caption` instead of a `text`");
            attached.into_message(world, account, batch)
        }
        None => plain(text()?),
    };
    if quoted.is_some() || !mentions.is_empty() {
        let context = wa::ContextInfo { mentioned_jid: mentions, ..quoted.unwrap_or_default() };
        innermost(&mut message).set_context_info(context);
    }
    Ok(Outgoing::new(message))
}

/// What a document with a caption is wrapped around; everything else is its own content.
fn innermost(message: &mut wa::Message) -> &mut wa::Message {
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
) -> Result<Outgoing> {
    let edited_at = edited.is_some().then(|| clock::now_ms() as i64);
    let message = ProtocolMessage {
        key: MessageField::some(key),
        r#type: Some(kind),
        edited_message: edited.map(MessageField::some).unwrap_or_default(),
        timestamp_ms: edited_at,
        ..Default::default()
    };
    Ok(Outgoing { id: new_id(), message: super::send::protocol(message), edit: Some(edit) })
}

fn own_key(account: &Account, log: &Log, id: &str) -> Result<wa::MessageKey> {
    let key = key(account, log, id)?;
    if key.from_me != Some(true) {
        bail!("message `{id}` was not written by this account");
    }
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
