//! Finding messages by their words, newest first.

use super::cursor::Cursor;
use super::{Place, read};
use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::Message;
use crate::model::search::Question;
use crate::store::tables::View;
use redb::ReadOnlyTable;

/// Messages that one search looks at before it answers with what it has: a bound on its time, not on what can be found.
const LOOK_MAX: usize = 5_000;

/// Which messages are looked at.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of this chat.
    pub chat: Option<Jid>,
    /// Those of groups too.
    pub groups: bool,
    /// None before this moment, milliseconds since 1970.
    pub from: Option<i64>,
    /// None after this moment, milliseconds since 1970.
    pub to: Option<i64>,
}

impl Filter {
    fn takes(&self, chat: &str) -> bool {
        match &self.chat {
            Some(wanted) => wanted.to_string() == chat,
            None => self.groups || !chat.ends_with("@g.us"),
        }
    }
}

/// Where a message stands on its device: (milliseconds since 1970, place within that millisecond).
pub type Mark = Place;

/// What a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// Newest first, each with its place.
    pub rows: Vec<(Mark, Message)>,
    /// Where it stopped because it had looked at enough; the search goes on before it.
    pub stopped: Option<Mark>,
}

/// Returns up to `limit` messages of a device that hold what is asked for, newest first, before `before` when given.
pub fn find(
    view: &View,
    device: DeviceNo,
    question: &Question,
    filter: &Filter,
    before: Option<Mark>,
    limit: usize,
) -> Result<Found> {
    let index = view.words()?;
    let mut cursors: Vec<_> =
        question.words.iter().map(|word| Cursor::word(&index, device.0, word)).collect();
    // A beginning that too many words share is looked for in the texts themselves.
    let mut has_to_read = false;
    if let Some(prefix) = &question.prefix {
        match Cursor::prefix(&index, device.0, prefix)? {
            Some(cursor) => cursors.push(cursor),
            None => has_to_read = true,
        }
    }
    let walk = Walk { timeline: view.timeline()?, messages: view.messages()?, device: device.0 };
    let mut found = Found::default();
    let mut bound = walk.start(filter, before);
    for looked in 0.. {
        let Some(from) = bound else { break };
        let place = if cursors.is_empty() { walk.newest(from)? } else { meet(&mut cursors, from)? };
        let Some(place) = place.filter(|place| filter.from.is_none_or(|from| place.0 >= from)) else { break };
        if looked == LOOK_MAX {
            found.stopped = previous_of_newer(place);
            break;
        }
        if let Some(message) = walk.message(place, filter)? {
            let text = message.content.text().unwrap_or_default();
            if !has_to_read || question.fits(text) {
                found.rows.push((place, message));
                if found.rows.len() == limit {
                    break;
                }
            }
        }
        bound = older(place);
    }
    Ok(found)
}

/// Returns the newest place not after `bound` at which all cursors stand.
fn meet<W: redb::ReadableTable<super::cursor::WordKey, ()>>(
    cursors: &mut [Cursor<'_, W>],
    mut bound: Place,
) -> Result<Option<Place>> {
    let mut agreed = 0;
    while agreed < cursors.len() {
        agreed = 0;
        for cursor in cursors.iter_mut() {
            match cursor.seek(bound)? {
                None => return Ok(None),
                Some(place) if place == bound => agreed += 1,
                Some(place) => {
                    // The others have to come here first; this one stands.
                    bound = place;
                    agreed = 1;
                }
            }
        }
    }
    Ok(Some(bound))
}

/// The tables that lead from a place to its message.
struct Walk {
    timeline: ReadOnlyTable<(u32, i64, u16), (&'static str, &'static str)>,
    messages: ReadOnlyTable<(u32, &'static str, i64, &'static str), &'static [u8]>,
    device: u32,
}

impl Walk {
    /// Returns the newest place that may be looked at, if there is one.
    fn start(&self, filter: &Filter, before: Option<Mark>) -> Option<Place> {
        let newest = (filter.to.unwrap_or(i64::MAX), u16::MAX);
        match before {
            Some(mark) => older(mark).map(|place| place.min(newest)),
            None => Some(newest),
        }
    }

    fn newest(&self, bound: Place) -> Result<Option<Place>> {
        let range = (self.device, i64::MIN, 0)..=(self.device, bound.0, bound.1);
        match self.timeline.range(range)?.next_back() {
            Some(row) => {
                let key = row?.0;
                let (_, at, n) = key.value();
                Ok(Some((at, n)))
            }
            None => Ok(None),
        }
    }

    /// Returns the message at a place, unless the filter leaves it out.
    fn message(&self, (at, n): Place, filter: &Filter) -> Result<Option<Message>> {
        let Some(row) = self.timeline.get((self.device, at, n))? else { return Ok(None) };
        let (chat, id) = row.value();
        if !filter.takes(chat) {
            return Ok(None);
        }
        match self.messages.get((self.device, chat, at, id))? {
            Some(row) => read(row.value(), chat, at, id).map(Some),
            None => Ok(None),
        }
    }
}

fn older((at, n): Place) -> Option<Place> {
    match n.checked_sub(1) {
        Some(n) => Some((at, n)),
        None => at.checked_sub(1).map(|at| (at, u16::MAX)),
    }
}

/// A search that goes on before this mark sees `place` first.
fn previous_of_newer((at, n): Place) -> Option<Mark> {
    match n.checked_add(1) {
        Some(n) => Some((at, n)),
        None => at.checked_add(1).map(|at| (at, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Content, MessageStatus};
    use crate::store::messages::tests::{incoming, store_with_device};
    use crate::store::{Store, messages};

    async fn write(store: &Store, device: DeviceNo, id: &str, at: i64, text: &str) {
        let message = Message { content: Content::Text { text: text.into() }, ..incoming(device, id, at) };
        store.write(move |t| messages::receive(t, &message, at)).await.expect("stored");
    }

    fn ids(store: &Store, device: DeviceNo, question: &str, filter: &Filter) -> Vec<String> {
        let question = Question::parse(question).expect("a question");
        let (mut ids, mut before) = (Vec::new(), None);
        loop {
            // One by one, so that every page begins where the one before ended.
            let view = store.view().expect("a view");
            let found = find(&view, device, &question, filter, before, 1).expect("found");
            let Some((mark, message)) = found.rows.into_iter().next() else { return ids };
            ids.push(message.id);
            before = Some(mark);
        }
    }

    #[tokio::test]
    async fn all_words_and_the_beginning_of_the_last_are_found_newest_first() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for (id, at, text) in [
            ("A", 1_000, "Pesan kopi dua"),
            ("B", 2_000, "pesan teh"),
            ("C", 3_000, "KOPI pesanan siapa?"),
            ("D", 3_000, "pesan kopì susu"),
            ("E", 9_000, "kopi"),
        ] {
            write(&store, device, id, at, text).await;
        }
        let all = Filter { groups: true, ..Filter::default() };
        let found = |question: &str| ids(&store, device, question, &all);
        assert_eq!(found("pesan kop"), ["D", "A"]);
        assert_eq!(found("kopi pes"), ["D", "C", "A"]);
        assert_eq!(found("pesan "), ["D", "B", "A"]);
        assert_eq!(found("p"), ["D", "C", "B", "A"]);
        assert!(found("kopi teh").is_empty() && found("zzz").is_empty());
        let late = Filter { from: Some(2_000), to: Some(8_000), ..all.clone() };
        assert_eq!(ids(&store, device, "pesan", &late), ["D", "C", "B"]);
        let elsewhere = Filter { chat: Some("999@lid".parse().expect("an address")), ..all };
        assert!(ids(&store, device, "pesan", &elsewhere).is_empty());
        assert!(ids(&store, DeviceNo(77), "pesan", &Filter::default()).is_empty());
    }

    #[tokio::test]
    async fn a_beginning_that_hundreds_of_words_share_is_found_too() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for n in 0..300 {
            write(&store, device, &format!("M{n}"), n * 1_000, &format!("kode k{n:03} satu")).await;
        }
        write(&store, device, "last", 900_000, "tanpa huruf itu").await;
        let found = |question: &str| ids(&store, device, question, &Filter::default());
        assert_eq!(found("k").len(), 300);
        assert_eq!(found("satu k2").len(), 100);
        assert_eq!(found("satu k").len(), 300);
        assert_eq!(found("k007"), ["M7"]);
    }

    #[tokio::test]
    async fn what_goes_away_or_changes_is_found_no_more() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        write(&store, device, "A", 1_000, "lama sekali").await;
        let old = incoming(device, "A", 1_000);
        let old = Message { content: Content::Text { text: "lama sekali".into() }, ..old };
        let new = Message { content: Content::Text { text: "baru sekali".into() }, ..old.clone() };
        let edited = Message { status: MessageStatus::Read, ..new.clone() };
        let (first, second) = (old.clone(), edited.clone());
        store.write(move |t| super::super::note(t, Some(&first), Some(&second))).await.expect("edited");
        let found = |question: &str| ids(&store, device, question, &Filter::default());
        assert_eq!((found("lama").len(), found("baru").len(), found("sekali").len()), (0, 1, 1));
        store.write(move |t| super::super::note(t, Some(&edited), None)).await.expect("removed");
        assert!(found("sekali").is_empty());
    }
}
