//! Chats and their history, from the store.

use super::{Caller, Gateway};
use crate::error::Result;
use crate::model::chat::{Chat, ChatMark};
use crate::model::device::Device;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::Message;
use crate::store::{chat_settings, chats, identities, messages};
use crate::wa::SendFailure;
use std::time::Duration;

/// How long `auto` waits for the phone at most: a reader is waiting, and most phones answer within a second.
const AUTO_PATIENCE: Duration = Duration::from_secs(3);

/// Chats that one search looks through at most, newest first.
const SEARCH_MAX: usize = 5_000;

/// Messages of a chat that one reading confirms at most, newest first.
const UNREAD_MAX: usize = 500;

/// A part of a list that goes back in time.
#[derive(Debug)]
pub struct Page<T> {
    /// Newest first.
    pub rows: Vec<T>,
    /// Whether there are older ones.
    pub has_more: bool,
}

/// Where a history comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// What is stored.
    Store,
    /// As with `Phone`, but for no longer than a reader likes to wait, and only where the phone may have more: it is not asked
    /// again for a while when it had nothing older or gave no answer.
    Auto {
        /// Patience.
        wait: Duration,
    },
    /// The phone is asked for what is older than what is stored, for at most this long.
    Phone {
        /// Patience.
        wait: Duration,
    },
}

impl Gateway {
    /// Returns up to `limit` messages of a chat as [`Gateway::history`] does, and whether the phone had to be asked.
    ///
    /// The phone is asked when the store has fewer; without a connection, or an answer in time, what is stored is the answer.
    pub async fn history_from(
        &self,
        source: Source,
        device: &Device,
        chat: Jid,
        before: Option<String>,
        limit: usize,
    ) -> Result<(Page<Message>, bool)> {
        let stored = self.history(device, chat.clone(), before.clone(), limit).await?;
        let wait = match source {
            Source::Store => return Ok((stored, false)),
            Source::Auto { wait } => wait.min(AUTO_PATIENCE),
            Source::Phone { wait } => wait,
        };
        if stored.rows.len() >= limit {
            return Ok((stored, false));
        }
        // The phone counts from a message that it knows; without one there is nothing to ask from.
        let oldest = match (stored.rows.last(), &before) {
            (Some(oldest), _) => Some(oldest.clone()),
            (None, Some(before)) => self.message_in(device, &chat, before)?,
            (None, None) => None,
        };
        let Some(oldest) = oldest else { return Ok((stored, false)) };
        let asked = &self.inner.asked_phones;
        if matches!(source, Source::Auto { .. }) && !asked.begin(device.no, &oldest.id, self.clock().now()) {
            return Ok((stored, false));
        }
        let missing = limit - stored.rows.len();
        match self.fleet().ask_for_history(device.no, &oldest, missing, wait).await {
            Ok(()) => {
                let page = self.history(device, chat, before, limit).await?;
                if page.rows.len() == stored.rows.len() {
                    asked.had_nothing(device.no, &oldest.id, self.clock().now());
                }
                Ok((page, true))
            }
            Err(failure) => {
                if let SendFailure::NotConnected = failure {
                    asked.was_away(device.no, &oldest.id);
                }
                tracing::debug!(device = %device.no, ?failure, "the phone gave no older messages");
                Ok((stored, false))
            }
        }
    }

    fn message_in(&self, device: &Device, chat: &Jid, id: &str) -> Result<Option<Message>> {
        let view = self.store().view()?;
        let chat = identities::canonical(&view, device.no, chat)?;
        messages::get(&view, device.no, &chat, id)
    }

    /// Returns up to `limit` messages of a chat, newest first, older than the message `before` when given.
    pub async fn history(
        &self,
        device: &Device,
        chat: Jid,
        before: Option<String>,
        limit: usize,
    ) -> Result<Page<Message>> {
        let no = device.no;
        self.store()
            .scan(move |view| {
                let chat = identities::canonical(view, no, &chat)?;
                // One more than asked tells whether there is more.
                let mut rows = messages::page(view, no, &chat, before.as_deref(), limit + 1)?;
                let has_more = rows.len() > limit;
                rows.truncate(limit);
                for sender in rows.iter_mut().filter_map(|message| message.sender.as_mut()) {
                    // In a group somebody may have written before their number was known.
                    *sender = identities::canonical(view, no, sender)?;
                }
                Ok(Page { rows, has_more })
            })
            .await
    }

    /// Returns up to `limit` chats, newest activity first, behind the place `before` when given; groups for administrators only.
    ///
    /// `search` keeps those whose name, number or newest text contains it, without case.
    pub async fn chats(
        &self,
        caller: &Caller,
        device: &Device,
        search: Option<String>,
        before: Option<ChatMark>,
        limit: usize,
    ) -> Result<Page<Chat>> {
        let no = device.no;
        let page = if caller.is_admin() { chats::page } else { chats::page_of_people };
        self.store()
            .scan(move |view| {
                let mut rows =
                    match search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()) {
                        Some(text) => {
                            let mut rows = page(view, no, before.as_ref(), SEARCH_MAX)?;
                            rows.retain(|chat| contains(chat, &text));
                            rows
                        }
                        None => page(view, no, before.as_ref(), limit + 1)?,
                    };
                let has_more = rows.len() > limit;
                rows.truncate(limit);
                Ok(Page { rows, has_more })
            })
            .await
    }

    /// Returns up to `limit` of the chats that are kept on top of the list, newest activity first; groups to administrators
    /// only.
    pub async fn pinned_chats(&self, caller: &Caller, device: &Device, limit: usize) -> Result<Page<Chat>> {
        let (no, is_admin) = (device.no, caller.is_admin());
        self.store()
            .scan(move |view| {
                let mut rows = Vec::new();
                for chat in chat_settings::pinned(view, no)? {
                    // A chat may be pinned before the first message.
                    rows.extend(chats::get(view, no, &chat)?.filter(|chat| is_admin || !chat.jid.is_group()));
                }
                rows.sort_by_key(|chat| std::cmp::Reverse(chat.last_at));
                let has_more = rows.len() > limit;
                rows.truncate(limit);
                Ok(Page { rows, has_more })
            })
            .await
    }

    /// Marks a chat as read, here and, while the device is connected, for the people who wrote in it.
    pub async fn read_chat(&self, device: &Device, chat: &Jid) -> Result<()> {
        let chat = &self.person(device.no, chat)?;
        let (no, now, jid) = (device.no, self.clock().now(), chat.clone());
        let unread = self.unread(no, chat.clone()).await?;
        self.store().write(move |t| messages::mark_read(t, no, &jid, now)).await?;
        for (sender, ids) in by_sender(unread) {
            let author = sender.as_ref().filter(|_| chat.is_group());
            let author = author.map(|author| self.author_on_the_wire(no, chat, author)).transpose()?;
            if let Err(failure) = self.fleet().mark_read(no, chat, author.as_ref(), &ids).await {
                tracing::debug!(device = %no, ?failure, "the senders were not told that their messages were read");
                break;
            }
        }
        Ok(())
    }

    /// Returns the incoming messages that nobody has read, newest first.
    async fn unread(&self, no: DeviceNo, chat: Jid) -> Result<Vec<Message>> {
        let unread = self.store().scan(move |view| {
            let count = chats::get(view, no, &chat.to_string())?.map_or(0, |chat| chat.unread as usize);
            let mut newest = messages::page(view, no, &chat, None, if count == 0 { 0 } else { UNREAD_MAX })?;
            newest.retain(|message| !message.from_me);
            newest.truncate(count);
            Ok(newest)
        });
        unread.await
    }
}

/// Groups the ids of messages by who wrote them.
fn by_sender(messages: Vec<Message>) -> Vec<(Option<Jid>, Vec<String>)> {
    let mut groups: Vec<(Option<Jid>, Vec<String>)> = Vec::new();
    for message in messages {
        match groups.iter_mut().find(|(sender, _)| *sender == message.sender) {
            Some((_, ids)) => ids.push(message.id),
            None => groups.push((message.sender, vec![message.id])),
        }
    }
    groups
}

fn contains(chat: &Chat, text: &str) -> bool {
    chat.jid.user().contains(text)
        || chat.name.as_ref().is_some_and(|name| name.to_lowercase().contains(text))
        || chat.last.text.as_ref().is_some_and(|last| last.to_lowercase().contains(text))
}
