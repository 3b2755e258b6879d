//! What the owner of an account sets for chats and messages on all of its devices: archive, pin, mute, star.

use super::Account;
use crate::model::chat::ChatChange;
use crate::model::jid::Jid;
use crate::wa::outcome::SendFailure;
use crate::wa::receive::{address, person};
use crate::wa::send::wire_jid;
use wacore::types::events::Event;

impl Account {
    /// Sets something for a chat on all devices of the account.
    pub async fn change_chat(&self, chat: &Jid, change: ChatChange) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(chat)?);
        let actions = client.chat_actions();
        match change {
            ChatChange::Archived { on: true } => {
                self.within(Box::pin(actions.archive_chat(&wire, None))).await
            }
            ChatChange::Archived { on: false } => {
                self.within(Box::pin(actions.unarchive_chat(&wire, None))).await
            }
            ChatChange::Pinned { on: true } => self.within(Box::pin(actions.pin_chat(&wire))).await,
            ChatChange::Pinned { on: false } => self.within(Box::pin(actions.unpin_chat(&wire))).await,
            ChatChange::Muted { until: None } => self.within(Box::pin(actions.unmute_chat(&wire))).await,
            ChatChange::Muted { until: Some(i64::MAX) } => {
                self.within(Box::pin(actions.mute_chat(&wire))).await
            }
            ChatChange::Muted { until: Some(until) } => {
                self.within(Box::pin(actions.mute_chat_until(&wire, until))).await
            }
        }
    }

    /// Stars a message, or takes the star away, on all devices of the account. `author` wrote it, when it stands in a group
    /// and is not the account's own.
    pub async fn star(
        &self,
        chat: &Jid,
        author: Option<&Jid>,
        id: &str,
        own: bool,
        on: bool,
    ) -> Result<(), SendFailure> {
        let (client, wire) = (self.client()?, wire_jid(chat)?);
        let author = author.map(wire_jid).transpose()?;
        let actions = client.chat_actions();
        match on {
            true => self.within(Box::pin(actions.star_message(&wire, author.as_ref(), id, own))).await,
            false => self.within(Box::pin(actions.unstar_message(&wire, author.as_ref(), id, own))).await,
        }
    }
}

/// What was set on another device of the account.
#[derive(Debug, PartialEq)]
pub(in crate::wa) enum Setting {
    /// Something for a chat.
    Chat { chat: Jid, change: ChatChange, at: i64 },
    /// A star of a message.
    Star { chat: Jid, id: String, on: bool },
}

/// Returns what an event says was set; none when it is about something else.
pub(in crate::wa) fn setting(event: &Event, phone_of: &dyn Fn(&str) -> Option<String>) -> Option<Setting> {
    let chat = |jid: &wacore_binary::Jid| person(jid, None, phone_of).or_else(|| address(jid));
    let of_chat = |jid, change, at: &chrono::DateTime<chrono::Utc>| {
        Some(Setting::Chat { chat: chat(jid)?, change, at: at.timestamp_millis() })
    };
    match event {
        Event::ArchiveUpdate(update) => {
            let on = update.action.archived.unwrap_or_default();
            of_chat(&update.jid, ChatChange::Archived { on }, &update.timestamp)
        }
        Event::PinUpdate(update) => {
            let on = update.action.pinned.unwrap_or_default();
            of_chat(&update.jid, ChatChange::Pinned { on }, &update.timestamp)
        }
        Event::MuteUpdate(update) => {
            let until = match (update.action.muted, update.action.mute_end_timestamp) {
                // WhatsApp writes -1 for "until it is taken back".
                (Some(true), Some(until)) if until > 0 => Some(until),
                (Some(true), _) => Some(i64::MAX),
                _ => None,
            };
            of_chat(&update.jid, ChatChange::Muted { until }, &update.timestamp)
        }
        Event::StarUpdate(update) => Some(Setting::Star {
            chat: chat(&update.chat_jid)?,
            id: update.message_id.clone(),
            on: update.action.starred.unwrap_or_default(),
        }),
        _ => None,
    }
}
