//! Walking the index backwards in time: along one word, or along all words with one beginning.

use super::Place;
use crate::error::Result;
use redb::ReadableTable;

/// The index: (device, word, at ms, place) → nothing.
pub(super) type WordKey = (u32, &'static str, i64, u16);

/// Different words with one beginning that are walked side by side. With more of them the beginning says so little that
/// looking at the texts is cheaper.
const EXPAND_MAX: usize = 256;

/// A walk along the messages that hold at least one of some words.
pub(super) struct Cursor<'w, W> {
    index: &'w W,
    device: u32,
    /// Each word with the newest place that was not passed yet.
    heads: Vec<(String, Head)>,
}

/// How far the walk along one word has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// Not looked at yet.
    Unknown,
    /// Stands here.
    At(Place),
    /// There is nothing further back.
    End,
}

impl<'w, W: ReadableTable<WordKey, ()>> Cursor<'w, W> {
    /// Walks one word.
    pub(super) fn word(index: &'w W, device: u32, word: &str) -> Self {
        Self { index, device, heads: vec![(word.to_owned(), Head::Unknown)] }
    }

    /// Walks all words that begin so; none when there are too many of them.
    pub(super) fn prefix(index: &'w W, device: u32, prefix: &str) -> Result<Option<Self>> {
        let mut heads: Vec<(String, Head)> = Vec::new();
        let mut from = prefix.to_owned();
        let mut place = (i64::MIN, 0);
        while let Some(row) = index.range((device, from.as_str(), place.0, place.1)..)?.next() {
            let key = row?.0;
            let (owner, word, _, _) = key.value();
            if owner != device || !word.starts_with(prefix) {
                break;
            }
            if heads.len() == EXPAND_MAX {
                return Ok(None);
            }
            heads.push((word.to_owned(), Head::Unknown));
            (from, place) = (word.to_owned(), (i64::MAX, u16::MAX));
        }
        Ok(Some(Self { index, device, heads }))
    }

    /// Returns the newest place that is not newer than `bound`; `bound` never grows from call to call.
    pub(super) fn seek(&mut self, bound: Place) -> Result<Option<Place>> {
        let mut newest = None;
        for (word, head) in &mut self.heads {
            let is_behind = match *head {
                Head::Unknown => true,
                Head::At(place) => place > bound,
                Head::End => false,
            };
            if is_behind {
                *head = newest_of(self.index, self.device, word, bound)?;
            }
            if let Head::At(place) = *head {
                newest = newest.max(Some(place));
            }
        }
        Ok(newest)
    }
}

fn newest_of(index: &impl ReadableTable<WordKey, ()>, device: u32, word: &str, bound: Place) -> Result<Head> {
    let range = (device, word, i64::MIN, 0)..=(device, word, bound.0, bound.1);
    match index.range(range)?.next_back() {
        Some(row) => {
            let key = row?.0;
            let (_, _, at, n) = key.value();
            Ok(Head::At((at, n)))
        }
        None => Ok(Head::End),
    }
}
