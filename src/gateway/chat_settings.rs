//! What an owner sets for chats and messages on all devices of an account: archive, pin, mute, star.

use super::account_settings::account_error;
use super::groups::EPHEMERAL_S;
use super::messages::{IdempotencyKey, Sent};
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::chat::{ChatChange, ChatSettings};
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::model::message::{Outgoing, OutgoingContent};
use crate::store::{chat_settings, messages};
use std::collections::HashMap;

impl Gateway {
    /// Returns what is set for several chats.
    pub fn chat_settings<'j>(
        &self,
        device: &Device,
        chats: impl IntoIterator<Item = &'j Jid>,
    ) -> Result<HashMap<Jid, ChatSettings>> {
        let view = self.store().view()?;
        let of = |chat: &Jid| Ok((chat.clone(), chat_settings::get(&view, device.no, chat)?));
        chats.into_iter().map(of).collect()
    }

    /// Sets something for a chat, on the phone and here. Returns how it stands then.
    pub async fn set_chat(
        &self,
        device: &Device,
        chat: &Jid,
        changes: &[ChatChange],
    ) -> Result<ChatSettings> {
        if changes.is_empty() {
            return Err(Error::new(Code::ChatChangeRequired));
        }
        let (no, now) = (device.no, self.clock().now());
        if changes
            .iter()
            .any(|change| matches!(change, ChatChange::Muted { until: Some(until) } if *until <= now))
        {
            return Err(Error::invalid("mutedUntil", "a time to come"));
        }
        let chat = self.person(no, chat)?;
        self.require_connected(device)?;
        let account = self.account(device)?;
        for change in changes.iter().copied() {
            account.change_chat(&chat, change).await.map_err(account_error)?;
            let jid = chat.clone();
            self.store().write(move |t| chat_settings::set(t, no, &jid, change, now, now)).await?;
        }
        chat_settings::get(&self.store().view()?, no, &chat)
    }

    /// Sets after how many seconds messages of a conversation disappear, for both sides; 0 lets them stay.
    pub async fn set_timer(
        &self,
        caller: &Caller,
        device: &Device,
        chat: Jid,
        seconds: u32,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        if chat.is_group() {
            return Err(Error::new(Code::TimerOfGroup));
        }
        if !EPHEMERAL_S.contains(&seconds) {
            return Err(Error::new(Code::TimerInvalid));
        }
        self.send(caller, device, Outgoing::new(chat, OutgoingContent::Timer { seconds }), key).await
    }

    /// Stars a message, or takes the star away, on the phone and here.
    pub async fn star(&self, device: &Device, chat: &Jid, id: &str, on: bool) -> Result<()> {
        let message = self.sent_message(device, chat, id)?;
        self.require_connected(device)?;
        let is_foreign = !message.from_me && message.chat.is_group();
        let author = is_foreign.then(|| self.author_of(device, &message)).transpose()?;
        let account = self.account(device)?;
        let starred = account.star(&message.chat, author.as_ref(), id, message.from_me, on).await;
        starred.map_err(account_error)?;
        let (no, id) = (device.no, id.to_owned());
        self.store().write(move |t| messages::star(t, no, &message.chat, &id, on)).await
    }
}
