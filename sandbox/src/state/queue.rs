//! The queue of one device: what it was sent and has not cleared. It survives disconnects and restarts.

use crate::node;
use std::collections::BTreeMap;
use wacore_binary::{Jid, Node};

/// What kind of stanza an entry is; clients clear each kind in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A message: cleared by any receipt or acknowledgement of it.
    Message,
    /// A receipt.
    Receipt,
    /// A notification.
    Notification,
    /// A call.
    Call,
}

impl Kind {
    /// Returns the kind of a stanza by its tag.
    pub fn of(tag: &str) -> Option<Self> {
        match tag {
            "message" => Some(Self::Message),
            "receipt" => Some(Self::Receipt),
            "notification" => Some(Self::Notification),
            "call" => Some(Self::Call),
            _ => None,
        }
    }
}

/// One queued stanza.
pub struct Entry {
    /// The stanza as the device gets it.
    pub node: Node,
    /// On disk (or there is none): only then may the device see it.
    pub stored: bool,
    /// Sent on the device's current connection.
    pub sent: bool,
    kind: Kind,
    id: String,
    from: Option<Jid>,
}

/// Entries in order of arrival.
#[derive(Default)]
pub struct Queue {
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

impl Queue {
    /// Appends a stanza and returns its sequence number, or nothing for a kind that is never queued.
    pub fn push(&mut self, node: Node) -> Option<u64> {
        let seq = self.next;
        self.insert(seq, node, false).then_some(seq)
    }

    /// Puts back an entry that was read from the store.
    pub fn restore(&mut self, seq: u64, node: Node) {
        self.insert(seq, node, true);
    }

    /// Marks an entry as stored and returns it, unless it is gone already.
    pub fn mark_stored(&mut self, seq: u64) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(&seq)?;
        entry.stored = true;
        Some(entry)
    }

    /// Forgets what was sent, as for a new connection.
    pub fn rewind(&mut self) {
        self.entries.values_mut().for_each(|entry| entry.sent = false);
    }

    /// Counts the stored entries of each kind: messages, receipts, notifications, calls.
    pub fn counts(&self) -> [usize; 4] {
        let mut counts = [0; 4];
        for entry in self.entries.values().filter(|entry| entry.stored) {
            counts[entry.kind as usize] += 1;
        }
        counts
    }

    /// Takes every stored entry that was not sent yet and marks it as sent.
    pub fn take_unsent(&mut self) -> Vec<Node> {
        let unsent = self.entries.values_mut().filter(|entry| entry.stored && !entry.sent);
        unsent
            .map(|entry| {
                entry.sent = true;
                entry.node.clone()
            })
            .collect()
    }

    /// Returns the oldest stored entries, at most `limit`, leaving them in place.
    pub fn oldest_stored(&self, limit: usize) -> Vec<(u64, Node)> {
        let stored = self.entries.iter().filter(|(_, entry)| entry.stored);
        stored.take(limit).map(|(seq, entry)| (*seq, entry.node.clone())).collect()
    }

    /// Returns whether something stored waits.
    pub fn has_stored(&self) -> bool {
        self.entries.values().any(|entry| entry.stored)
    }

    /// Removes entries by number.
    pub fn remove(&mut self, seq: u64) {
        self.entries.remove(&seq);
    }

    /// Removes what a client cleared and returns the numbers. `peer` is the address the client answered to.
    pub fn clear(&mut self, kind: Kind, id: &str, peer: Option<&Jid>) -> Vec<u64> {
        let cleared: Vec<u64> = self
            .entries
            .iter()
            .filter(|(_, entry)| {
                entry.stored && entry.kind == kind && entry.id == id && same_peer(entry.from.as_ref(), peer)
            })
            .map(|(seq, _)| *seq)
            .collect();
        cleared.iter().for_each(|seq| self.remove(*seq));
        cleared
    }

    /// Returns the numbers of all entries.
    pub fn numbers(&self) -> Vec<u64> {
        self.entries.keys().copied().collect()
    }

    /// Returns how many entries wait, stored or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    fn insert(&mut self, seq: u64, node: Node, stored: bool) -> bool {
        let Some(kind) = Kind::of(&node.tag) else { return false };
        let id = node::text_attr(&node, "id");
        let from = node::jid_attr(&node, "from");
        self.next = self.next.max(seq + 1);
        self.entries.insert(seq, Entry { node, stored, sent: false, kind, id, from });
        true
    }
}

/// Ids are chosen by senders, so two senders may use the same: the peer tells them apart.
fn same_peer(from: Option<&Jid>, peer: Option<&Jid>) -> bool {
    match (from, peer) {
        (Some(from), Some(peer)) => from.user == peer.user || from.server != peer.server,
        _ => true,
    }
}

/// Writes the store's key of an entry; zero-padded so that keys sort by number.
pub fn row_key(number: &str, device: u16, seq: u64) -> String {
    format!("{number}/{device}/{seq:020}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore_binary::builder::NodeBuilder;

    fn message(id: &str, from: &str) -> Node {
        NodeBuilder::new("message")
            .attr("id", id.to_owned())
            .attr("from", from.parse::<Jid>().unwrap())
            .build()
    }

    #[test]
    fn an_entry_is_cleared_only_by_its_own_receipt() {
        let mut queue = Queue::default();
        let seq = queue.push(message("A", "111@s.whatsapp.net")).unwrap();
        queue.mark_stored(seq).unwrap().sent = true;
        let other: Jid = "222@s.whatsapp.net".parse().unwrap();
        let own: Jid = "111@s.whatsapp.net".parse().unwrap();
        assert!(queue.clear(Kind::Message, "A", Some(&other)).is_empty());
        assert!(queue.clear(Kind::Notification, "A", Some(&own)).is_empty());
        assert!(queue.clear(Kind::Message, "B", Some(&own)).is_empty());
        assert_eq!(queue.clear(Kind::Message, "A", Some(&own)), vec![seq]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn nothing_unstored_is_handed_out() {
        let mut queue = Queue::default();
        let first = queue.push(message("A", "111@s.whatsapp.net")).unwrap();
        queue.push(message("B", "111@s.whatsapp.net")).unwrap();
        assert!(queue.take_unsent().is_empty() && !queue.has_stored());
        queue.mark_stored(first);
        assert_eq!(queue.take_unsent().len(), 1);
        assert!(queue.take_unsent().is_empty(), "sent once per connection");
        queue.rewind();
        assert_eq!(queue.take_unsent().len(), 1);
    }

    #[test]
    fn numbering_continues_after_a_restart() {
        let mut queue = Queue::default();
        queue.restore(41, message("A", "111@s.whatsapp.net"));
        assert_eq!(queue.push(message("B", "111@s.whatsapp.net")), Some(42));
        assert_eq!(queue.push(NodeBuilder::new("presence").build()), None);
    }
}
