//! What a phone sent and received, in order, as its owner would read it.

use super::content::{Content, details, mentioned};
use crate::clock;
use crate::node;
use crate::state::companion::hexed;
use crate::store::{Batch, Table};
use crate::world::World;
use anyhow::Result;
use buffa::Message as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use waproto::whatsapp as wa;

/// Messages kept per phone; older ones are forgotten.
const MESSAGES_MAX: usize = 10_000;

/// How far a message that the account sent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// On its way.
    Sent,
    /// On a device of the other side.
    Delivered,
    /// Read.
    Read,
    /// Played.
    Played,
}

/// One message.
#[derive(Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Message id.
    pub id: String,
    /// Number of the other side, or the address of a group.
    pub chat: String,
    /// Number of the writer.
    pub from: String,
    /// Written by this account, on the phone or on a companion.
    pub from_me: bool,
    /// Device of the writer; 0 is a phone.
    pub device: u16,
    /// The writer's address in the spelling of the group; none outside groups.
    #[serde(default)]
    pub author: Option<String>,
    /// `text`, `reaction`, `edit`, `revoke`, `image` and so on.
    pub kind: String,
    /// Text, or the emoji of a reaction.
    pub text: Option<String>,
    /// Caption of a medium.
    pub caption: Option<String>,
    /// Media type of a medium.
    pub mimetype: Option<String>,
    /// SHA-256 of the medium, hexadecimal.
    pub sha256: Option<String>,
    /// Id of the message that this one reacts to, edits, revokes or quotes.
    pub target: Option<String>,
    /// When the phone first saw it, milliseconds since the epoch.
    pub timestamp: u64,
    /// How often the phone received it.
    pub deliveries: u32,
    /// How far it has come, if the account wrote it.
    pub status: Status,
    /// What is wrong with its medium, if anything.
    #[serde(default)]
    pub media_error: Option<String>,
    /// Options that it votes for, once the vote is opened.
    #[serde(default)]
    pub votes: Option<Vec<String>>,
    /// The message itself, for quoting and for sending it again.
    #[serde(with = "hexed")]
    pub raw: Vec<u8>,
}

impl Entry {
    /// Returns what the control API shows.
    pub fn view(&self, world: &World) -> Value {
        let message = self.message().unwrap_or_default();
        let mut view = json!({
            "id": self.id, "chat": self.chat, "from": self.from, "fromMe": self.from_me, "device": self.device,
            "type": self.kind, "text": self.text, "caption": self.caption, "mimetype": self.mimetype,
            "sha256": self.sha256.as_ref().filter(|_| self.media_error.is_none()), "target": self.target,
            "mentions": mentioned(world, &message), "timestamp": self.timestamp,
            "deliveries": self.deliveries, "status": if self.from_me { json!(self.status) } else { json!("received") },
        });
        if let Some(view) = view.as_object_mut() {
            view.extend(details(&message));
            view.extend(self.votes.as_ref().map(|votes| ("votes".to_owned(), json!(votes))));
            view.extend(self.media_error.as_ref().map(|why| ("mediaError".to_owned(), json!(why))));
        }
        view
    }

    /// Returns whether it was written in a group.
    pub fn in_group(&self) -> bool {
        self.author.is_some()
    }

    /// Returns the address of the chat.
    pub fn chat_jid(&self) -> String {
        if self.in_group() { self.chat.clone() } else { format!("{}@{}", self.chat, node::SERVER) }
    }

    /// Returns the writer's address as quotes name it.
    pub fn author_jid(&self) -> String {
        self.author.clone().unwrap_or_else(|| format!("{}@{}", self.from, node::SERVER))
    }

    /// Returns the message itself.
    pub fn message(&self) -> Result<wa::Message> {
        Ok(wa::Message::decode_from_slice(&self.raw)?)
    }
}

/// Where a message belongs.
pub struct NewEntry<'a> {
    /// Message id.
    pub id: &'a str,
    /// Number of the other side, or the address of a group.
    pub chat: &'a str,
    /// Number of the writer.
    pub from: &'a str,
    /// Written by this account.
    pub from_me: bool,
    /// Device of the writer.
    pub device: u16,
    /// The writer's address in the spelling of the group.
    pub author: Option<String>,
}

/// The messages of one phone.
pub struct Log {
    number: String,
    next: u64,
    entries: BTreeMap<u64, Entry>,
    by_id: HashMap<(String, String), u64>,
}

impl Log {
    /// An empty log.
    pub fn new(number: &str) -> Self {
        Self { number: number.to_owned(), next: 0, entries: BTreeMap::new(), by_id: HashMap::new() }
    }

    /// Takes a message that arrived; one that was here before is only counted. Returns it when it is new.
    pub fn arrived(&mut self, new: NewEntry<'_>, message: &wa::Message, batch: &mut Batch) -> Option<&Entry> {
        if let Some(seq) = self.find(new.from, new.id) {
            let entry = self.entries.get_mut(&seq)?;
            entry.deliveries += 1;
            self.put(seq, batch);
            return None;
        }
        // A revocation or edit without content of its own still is an event for the reader.
        let seq = self.add(new, message, batch)?;
        self.entries.get(&seq)
    }

    /// Takes a message that the phone itself sends; one that it held back until now is there already.
    pub fn sent(&mut self, new: NewEntry<'_>, message: &wa::Message, batch: &mut Batch) -> Option<&Entry> {
        if let Some(held) = self.find(new.from, new.id) {
            return self.entries.get(&held);
        }
        let seq = self.add(new, message, batch)?;
        self.entries.get(&seq)
    }

    /// Notes that a message's medium is not what the message says.
    pub fn spoil(&mut self, from: &str, id: &str, why: String, batch: &mut Batch) {
        let Some(seq) = self.find(from, id) else { return };
        if let Some(entry) = self.entries.get_mut(&seq) {
            entry.media_error = Some(why);
            self.put(seq, batch);
        }
    }

    /// Notes what a vote is for.
    pub fn opened(&mut self, from: &str, id: &str, votes: Vec<String>, batch: &mut Batch) {
        let Some(seq) = self.find(from, id) else { return };
        if let Some(entry) = self.entries.get_mut(&seq) {
            entry.votes = Some(votes);
            self.put(seq, batch);
        }
    }

    /// Notes a receipt for a message that the account sent.
    pub fn receipt(&mut self, id: &str, kind: &str, batch: &mut Batch) {
        let status = match kind {
            "" | "inactive" => Status::Delivered,
            "read" => Status::Read,
            "played" => Status::Played,
            _ => return,
        };
        let number = self.number.clone();
        let Some(seq) = self.find(&number, id) else { return };
        if let Some(entry) = self.entries.get_mut(&seq).filter(|entry| entry.status < status) {
            entry.status = status;
            self.put(seq, batch);
        }
    }

    /// Returns a message by writer and id.
    pub fn get(&self, from: &str, id: &str) -> Option<&Entry> {
        self.entries.get(&self.find(from, id)?)
    }

    /// Returns the newest message with an id, whoever wrote it.
    pub fn by_id(&self, id: &str) -> Option<&Entry> {
        self.entries.values().rev().find(|entry| entry.id == id)
    }

    /// Returns whether a message arrived exactly once so far.
    pub fn seen_once(&self, from: &str, id: &str) -> bool {
        self.get(from, id).is_some_and(|entry| entry.deliveries == 1)
    }

    /// Returns the messages since a moment (milliseconds since the epoch), oldest first.
    pub fn since(&self, chat: Option<&str>, since: u64) -> impl Iterator<Item = &Entry> {
        self.entries
            .values()
            .filter(move |entry| entry.timestamp >= since && chat.is_none_or(|chat| entry.chat == chat))
    }

    /// Puts back a stored message.
    pub fn restore(&mut self, seq: u64, row: &[u8]) -> Result<()> {
        let entry: Entry = serde_json::from_slice(row)?;
        self.by_id.insert((entry.from.clone(), entry.id.clone()), seq);
        self.entries.insert(seq, entry);
        self.next = self.next.max(seq + 1);
        Ok(())
    }

    fn find(&self, from: &str, id: &str) -> Option<u64> {
        self.by_id.get(&(from.to_owned(), id.to_owned())).copied()
    }

    fn add(&mut self, new: NewEntry<'_>, message: &wa::Message, batch: &mut Batch) -> Option<u64> {
        let content = Content::of(message)?;
        let seq = self.next;
        self.next += 1;
        self.by_id.insert((new.from.to_owned(), new.id.to_owned()), seq);
        self.entries.insert(
            seq,
            Entry {
                id: new.id.to_owned(),
                chat: new.chat.to_owned(),
                from: new.from.to_owned(),
                from_me: new.from_me,
                device: new.device,
                author: new.author,
                kind: content.kind.to_owned(),
                text: content.text,
                caption: content.caption,
                mimetype: content.mimetype,
                sha256: content.sha256,
                target: content.target,
                timestamp: clock::now_ms(),
                deliveries: 1,
                status: Status::Sent,
                media_error: None,
                votes: None,
                raw: message.encode_to_vec(),
            },
        );
        self.put(seq, batch);
        self.trim(batch);
        Some(seq)
    }

    fn put(&self, seq: u64, batch: &mut Batch) {
        let Some(entry) = self.entries.get(&seq) else { return };
        batch.put(Table::Messages, row_key(&self.number, seq), || {
            serde_json::to_vec(entry).expect("an entry of texts and numbers always serializes")
        });
    }

    fn trim(&mut self, batch: &mut Batch) {
        if self.entries.len() <= MESSAGES_MAX {
            return;
        }
        if let Some((seq, entry)) = self.entries.pop_first() {
            self.by_id.remove(&(entry.from, entry.id));
            batch.delete(Table::Messages, || row_key(&self.number, seq));
        }
    }
}

fn row_key(number: &str, seq: u64) -> String {
    format!("{number}/{seq:020}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn entry<'a>(id: &'a str, from: &'a str) -> NewEntry<'a> {
        NewEntry { id, chat: "111", from, from_me: from == "999", device: 0, author: None }
    }

    fn text(text: &str) -> wa::Message {
        wa::Message { conversation: Some(text.into()), ..Default::default() }
    }

    #[test]
    fn a_repeated_id_is_counted_and_not_shown_twice() {
        let (mut log, mut batch) = (Log::new("999"), Store::open(None).unwrap().batch());
        assert!(log.arrived(entry("A", "111"), &text("hi"), &mut batch).is_some());
        assert!(log.arrived(entry("A", "111"), &text("hi"), &mut batch).is_none());
        assert!(
            log.arrived(entry("A", "222"), &text("hi"), &mut batch).is_some(),
            "ids belong to their writer"
        );
        let all: Vec<_> = log.since(None, 0).collect();
        assert_eq!((all.len(), all[0].deliveries), (2, 2));
    }

    #[test]
    fn receipts_only_move_forward() {
        let (mut log, mut batch) = (Log::new("999"), Store::open(None).unwrap().batch());
        log.sent(entry("A", "999"), &text("hi"), &mut batch);
        log.receipt("A", "read", &mut batch);
        log.receipt("A", "", &mut batch);
        log.receipt("A", "peer_msg", &mut batch);
        assert_eq!(log.get("999", "A").unwrap().status, Status::Read);
    }

    #[test]
    fn the_log_is_bounded() {
        let (mut log, mut batch) = (Log::new("999"), Store::open(None).unwrap().batch());
        for n in 0..MESSAGES_MAX + 5 {
            log.arrived(entry(&n.to_string(), "111"), &text("hi"), &mut batch);
        }
        assert_eq!(log.since(None, 0).count(), MESSAGES_MAX);
        assert!(log.get("111", "0").is_none() && log.get("111", "5").is_some());
    }
}
