//! Chats and their history, from the store.

use super::Gateway;
use crate::error::Result;
use crate::model::chat::Chat;
use crate::model::device::Device;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::Message;
use crate::store::{chats, identities, messages};

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

impl Gateway {
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

    /// Returns up to `limit` chats, newest activity first, older than `before` (milliseconds since 1970) when given.
    ///
    /// `search` keeps those whose name, number or newest text contains it, without case.
    pub async fn chats(
        &self,
        device: &Device,
        search: Option<String>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<Chat>> {
        let no = device.no;
        self.store()
            .scan(move |view| {
                let mut rows =
                    match search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()) {
                        Some(text) => {
                            let mut rows = chats::page(view, no, before, SEARCH_MAX)?;
                            rows.retain(|chat| contains(chat, &text));
                            rows
                        }
                        None => chats::page(view, no, before, limit + 1)?,
                    };
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
