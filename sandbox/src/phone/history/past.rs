//! Chats and messages that a phone had before its companions were linked, as its owner gave them to it.

use crate::store::{Batch, Table};
use anyhow::{Context, Result};
use buffa::Message as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use waproto::whatsapp as wa;

/// What a phone knows of a chat beside its messages.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Name in the phone's address book; the subject in groups.
    pub name: Option<String>,
    /// Name that the other side gave itself.
    pub push_name: Option<String>,
    /// Messages not read yet.
    pub unread: u32,
    /// Marked as unread by hand.
    pub marked_unread: bool,
    /// Put away.
    pub archived: bool,
    /// When it was pinned, seconds since the epoch.
    pub pinned_at: Option<u32>,
    /// Muted until then, milliseconds since the epoch; -1 for ever.
    pub muted_until: Option<i64>,
    /// Seconds after which its messages disappear.
    pub expiration_s: Option<u32>,
    /// The phone knows the chat by the LID of the other side.
    pub by_lid: bool,
    /// The other side was made up.
    pub made_up: bool,
}

/// One chat of the past.
#[derive(Default)]
pub struct Chat {
    /// What the phone knows of it.
    pub facts: Facts,
    /// Its messages, oldest first.
    messages: Vec<Kept>,
    next: u64,
}

/// One message as it lies on the phone.
struct Kept {
    at_s: u64,
    id: String,
    raw: Vec<u8>,
}

impl Chat {
    /// Returns how many messages it has.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns the messages, oldest first.
    pub fn messages(&self) -> impl Iterator<Item = Result<wa::WebMessageInfo>> {
        self.messages.iter().map(|kept| Ok(wa::WebMessageInfo::decode_from_slice(&kept.raw)?))
    }

    /// Returns the message with an id.
    pub fn message(&self, id: &str) -> Option<wa::WebMessageInfo> {
        let kept = self.messages.iter().find(|kept| kept.id == id)?;
        wa::WebMessageInfo::decode_from_slice(&kept.raw).ok()
    }

    /// Returns when the oldest and the newest message were written, seconds since the epoch.
    pub fn span(&self) -> Option<(u64, u64)> {
        Some((self.messages.first()?.at_s, self.messages.last()?.at_s))
    }

    /// Puts a message where its time belongs and returns its number.
    fn insert(&mut self, seq: u64, at_s: u64, id: String, raw: Vec<u8>) {
        let at = self.messages.partition_point(|kept| kept.at_s <= at_s);
        self.messages.insert(at, Kept { at_s, id, raw });
        self.next = self.next.max(seq + 1);
    }
}

/// The past of one phone: chats by the number of the other side or the address of a group.
pub struct Past {
    number: String,
    chats: BTreeMap<String, Chat>,
}

impl Past {
    /// An empty past.
    pub fn new(number: &str) -> Self {
        Self { number: number.to_owned(), chats: BTreeMap::new() }
    }

    /// Returns the chats by their names.
    pub fn chats(&self) -> impl Iterator<Item = (&str, &Chat)> {
        self.chats.iter().map(|(name, chat)| (name.as_str(), chat))
    }

    /// Returns one chat.
    pub fn chat(&self, name: &str) -> Option<&Chat> {
        self.chats.get(name)
    }

    /// Returns what a message with an id says, whichever chat it is in.
    pub fn message(&self, id: &str) -> Option<wa::Message> {
        self.chats.values().find_map(|chat| chat.message(id))?.message.into()
    }

    /// Changes what the phone knows of a chat, which begins to exist by that.
    pub fn know(&mut self, name: &str, change: impl FnOnce(&mut Facts), batch: &mut Batch) {
        let chat = self.chats.entry(name.to_owned()).or_default();
        change(&mut chat.facts);
        batch.put(Table::PastChats, format!("{}/{name}", self.number), || {
            serde_json::to_vec(&chat.facts).expect("facts of texts and numbers always serialize")
        });
    }

    /// Adds a message to a chat that is known.
    pub fn add(&mut self, name: &str, message: &wa::WebMessageInfo, batch: &mut Batch) {
        let Some(chat) = self.chats.get_mut(name) else { return };
        let raw = message.encode_to_vec();
        let seq = chat.next;
        batch.put(Table::PastMessages, format!("{}/{name}/{seq:010}", self.number), || raw.clone());
        chat.insert(seq, message.message_timestamp.unwrap_or_default(), id(message), raw);
    }

    /// Puts back what is known of a chat.
    pub fn restore_chat(&mut self, name: &str, row: &[u8]) -> Result<()> {
        self.chats.entry(name.to_owned()).or_default().facts = serde_json::from_slice(row)?;
        Ok(())
    }

    /// Puts back a message by what follows the phone's number in its key.
    pub fn restore_message(&mut self, key: &str, row: &[u8]) -> Result<()> {
        let (name, seq) = key.split_once('/').context("key has no sequence")?;
        let message = wa::WebMessageInfo::decode_from_slice(row)?;
        let at_s = message.message_timestamp.unwrap_or_default();
        let chat = self.chats.entry(name.to_owned()).or_default();
        chat.insert(seq.parse()?, at_s, id(&message), row.to_vec());
        Ok(())
    }
}

/// Returns the id of a message.
pub fn id(message: &wa::WebMessageInfo) -> String {
    message.key.as_option().and_then(|key| key.id.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use buffa::MessageField;

    fn message(id: &str, at_s: u64) -> wa::WebMessageInfo {
        wa::WebMessageInfo {
            key: MessageField::some(wa::MessageKey { id: Some(id.to_owned()), ..Default::default() }),
            message_timestamp: Some(at_s),
            ..Default::default()
        }
    }

    #[test]
    fn messages_stand_in_the_order_of_their_times() {
        let (mut past, mut batch) = (Past::new("999"), Store::open(None).unwrap().batch());
        past.know("111", |facts| facts.unread = 2, &mut batch);
        for (id, at_s) in [("B", 20), ("C", 30), ("A", 10), ("B2", 20)] {
            past.add("111", &message(id, at_s), &mut batch);
        }
        past.add("222", &message("lost", 1), &mut batch);
        let chat = past.chat("111").unwrap();
        let ids: Vec<String> = chat.messages().map(|one| id(&one.unwrap())).collect();
        assert_eq!(ids, ["A", "B", "B2", "C"]);
        assert_eq!((chat.span(), chat.facts.unread), (Some((10, 30)), 2));
        assert!(chat.message("C").is_some() && chat.message("D").is_none() && past.chat("222").is_none());
    }

    #[tokio::test]
    async fn the_past_survives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Some(dir.path())).unwrap();
        let (mut past, mut batch) = (Past::new("999"), store.batch());
        past.know("111", |facts| facts.name = Some("Ann".to_owned()), &mut batch);
        past.add("111", &message("B", 20), &mut batch);
        past.add("111", &message("A", 10), &mut batch);
        store.submit(batch).release();
        store.close().await;
        let store = Store::open(Some(dir.path())).unwrap();
        let mut past = Past::new("999");
        store.load(Table::PastChats, |key, row| past.restore_chat(&key[4..], row)).unwrap();
        store.load(Table::PastMessages, |key, row| past.restore_message(&key[4..], row)).unwrap();
        let chat = past.chat("111").unwrap();
        assert_eq!((chat.facts.name.as_deref(), chat.span()), (Some("Ann"), Some((10, 20))));
        let mut batch = store.batch();
        past.add("111", &message("C", 30), &mut batch);
        assert_eq!(past.chat("111").unwrap().next, 3, "new rows do not overwrite the old ones");
    }
}
