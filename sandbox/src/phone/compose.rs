//! What a phone's owner can write: texts, quotes, reactions, edits, revocations.

use super::log::Log;
use super::send::{Outgoing, new_id};
use crate::clock;
use crate::state::account::Account;
use anyhow::{Context, Result, bail, ensure};
use buffa::MessageField;
use serde::Deserialize;
use wa::message::protocol_message::Type as ProtocolType;
use wa::message::{ExtendedTextMessage, ProtocolMessage, ReactionMessage};
use waproto::whatsapp as wa;

/// Edit numbers of the stanza.
const EDITED: &str = "1";
const REVOKED: &str = "7";

/// A request to write a message. Ids name messages of the phone's log.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Number of the other side, or the address of a group.
    pub to: String,
    /// Text of a message or of an edit.
    pub text: Option<String>,
    /// Id of the message to quote.
    pub quote: Option<String>,
    /// Reaction to a message; an empty emoji takes it back.
    pub reaction: Option<Reaction>,
    /// Id of an own message to replace by `text`.
    pub edit: Option<String>,
    /// Id of an own message to revoke.
    pub revoke: Option<String>,
    /// Who a text in a group mentions: numbers, until they are looked up and become addresses.
    #[serde(default)]
    pub mentions: Vec<String>,
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

/// Turns a wish into a message.
pub fn message(account: &Account, log: &Log, wish: &Wish) -> Result<Outgoing> {
    if let Some(reaction) = &wish.reaction {
        ensure!(wish.text.is_none(), "a reaction has no `text`");
        let message = ReactionMessage {
            key: MessageField::some(key(account, log, &reaction.id)?),
            text: Some(reaction.emoji.clone()),
            sender_timestamp_ms: Some(clock::now_ms() as i64),
            ..Default::default()
        };
        let message = wa::Message { reaction_message: MessageField::some(message), ..Default::default() };
        return Ok(Outgoing { id: new_id(), message, kind: "reaction", edit: None });
    }
    if let Some(id) = &wish.revoke {
        return protocol(own_key(account, log, id)?, ProtocolType::Revoke, None, REVOKED);
    }
    let text = wish.text.as_deref().filter(|text| !text.is_empty()).context("`text` is missing")?;
    if let Some(id) = &wish.edit {
        return protocol(own_key(account, log, id)?, ProtocolType::MessageEdit, Some(plain(text)), EDITED);
    }
    match &wish.quote {
        Some(id) => {
            let context = wa::ContextInfo { mentioned_jid: wish.mentions.clone(), ..quote(log, id)? };
            Ok(Outgoing::text(extended(text, context)))
        }
        None if wish.mentions.is_empty() => Ok(Outgoing::text(plain(text))),
        None => {
            let context = wa::ContextInfo { mentioned_jid: wish.mentions.clone(), ..Default::default() };
            Ok(Outgoing::text(extended(text, context)))
        }
    }
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

fn extended(text: &str, context: wa::ContextInfo) -> wa::Message {
    let message = ExtendedTextMessage {
        text: Some(text.to_owned()),
        context_info: MessageField::some(context),
        ..Default::default()
    };
    wa::Message { extended_text_message: MessageField::some(message), ..Default::default() }
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
    Ok(Outgoing { id: new_id(), message: super::send::protocol(message), kind: "text", edit: Some(edit) })
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
