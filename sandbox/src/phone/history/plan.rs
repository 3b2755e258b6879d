//! Which messages a new companion is given in which chunk, as real phones cut their history: first every chat with its
//! newest messages, then the rest of the last months, and the years before only for those who asked for all.

use super::collect::Whole;
use crate::state::companion::HistoryWish;
use std::collections::HashMap;
use wa::conversation::EndOfHistoryTransferType as End;
use wa::history_sync::HistorySyncType as Kind;
use waproto::whatsapp as wa;

/// Newest messages of every chat that come first.
const FIRST: usize = 25;
/// Messages in one chunk at most.
const CHUNK: usize = 2000;
/// How far back the recent messages go, unless the companion says something else.
const RECENT_DAYS: u32 = 90;
/// How far back the full history goes, unless the companion says something else.
const FULL_DAYS: u32 = 365;
const DAY_S: u64 = 24 * 60 * 60;

/// One piece of history.
pub struct Chunk {
    /// What kind of piece it is.
    pub kind: Kind,
    /// Its place among those of its kind, from 1.
    pub order: u32,
    /// How much of its kind is done with it, in percent.
    pub progress: u32,
    /// Its messages, as positions in the chats.
    pub parts: Vec<Part>,
}

/// Some messages of one chat that stand next to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Position of the chat.
    pub chat: usize,
    /// The first message, counted from the newest.
    pub from: usize,
    /// The one after the last.
    pub to: usize,
    /// Whether more follows, once this is the last part of the chat.
    pub end: Option<End>,
}

/// Cuts the history of a phone. `now_s` is the time, seconds since the epoch.
pub fn chunks(chats: &[Whole], wish: HistoryWish, now_s: u64) -> Vec<Chunk> {
    let since = |days: u32| now_s.saturating_sub(u64::from(days) * DAY_S);
    let recent = since(wish.recent_days.unwrap_or(RECENT_DAYS));
    let mut given: Vec<usize> = vec![0; chats.len()];
    let mut chunks = cut(Kind::INITIAL_BOOTSTRAP, chats, &mut given, |chat| chat.messages.len().min(FIRST));
    chunks.extend(cut(Kind::RECENT, chats, &mut given, |chat| newer(chat, recent)));
    if wish.full {
        let full = since(wish.full_days.unwrap_or(FULL_DAYS));
        chunks.extend(cut(Kind::FULL, chats, &mut given, |chat| newer(chat, full)));
    }
    finish(chats, &mut chunks);
    chunks
}

/// Counts the messages of a chat that are not older than this.
fn newer(chat: &Whole, since_s: u64) -> usize {
    chat.messages.partition_point(|one| one.message_timestamp.unwrap_or_default() >= since_s)
}

/// Cuts everything up to a bound per chat that was not given yet. There is always one chunk, be it empty.
fn cut(kind: Kind, chats: &[Whole], given: &mut [usize], bound: impl Fn(&Whole) -> usize) -> Vec<Chunk> {
    let mut chunks: Vec<Vec<Part>> = vec![Vec::new()];
    let mut room = CHUNK;
    for (at, chat) in chats.iter().enumerate() {
        let to = bound(chat).max(given[at]);
        let mut from = given[at];
        given[at] = to;
        let named_anyway = kind == Kind::INITIAL_BOOTSTRAP;
        while from < to || (named_anyway && from == 0 && to == 0) {
            if room == 0 {
                chunks.push(Vec::new());
                room = CHUNK;
            }
            let taken = (to - from).min(room);
            if let Some(parts) = chunks.last_mut() {
                parts.push(Part { chat: at, from, to: from + taken, end: None });
            }
            // A chat without messages takes room as well: its name and settings are told.
            room -= taken.max(1);
            from += taken;
            if taken == 0 {
                break;
            }
        }
    }
    let count = chunks.len();
    let progress = |at: usize| ((at + 1) * 100 / count) as u32;
    let chunk = |(at, parts)| Chunk { kind, order: at as u32 + 1, progress: progress(at), parts };
    chunks.into_iter().enumerate().map(chunk).collect()
}

/// Marks the last part of every chat.
fn finish(chats: &[Whole], chunks: &mut [Chunk]) {
    let mut last: HashMap<usize, &mut Part> = HashMap::new();
    for part in chunks.iter_mut().flat_map(|chunk| &mut chunk.parts) {
        last.insert(part.chat, part);
    }
    for (chat, part) in last {
        let all = part.to == chats[chat].messages.len();
        part.end = Some(if all {
            End::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY
        } else {
            End::COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::history::past::Facts;

    const NOW_S: u64 = 2_000_000_000;

    /// A chat with one message for each of these ages in days.
    fn chat(ages: impl IntoIterator<Item = u64>) -> Whole {
        let message =
            |age| wa::WebMessageInfo { message_timestamp: Some(NOW_S - age * DAY_S), ..Default::default() };
        let messages = ages.into_iter().map(message).collect();
        Whole { name: "111".to_owned(), facts: Facts::default(), messages, newest_s: None }
    }

    fn shape(chunks: &[Chunk], kind: Kind) -> Vec<(u32, u32, usize)> {
        let of_kind = chunks.iter().filter(|chunk| chunk.kind == kind);
        let size = |chunk: &Chunk| chunk.parts.iter().map(|part| part.to - part.from).sum();
        of_kind.map(|chunk| (chunk.order, chunk.progress, size(chunk))).collect()
    }

    #[test]
    fn every_message_comes_once_and_in_its_time() {
        let chats = [chat((0..100).map(|n| n * 5)), chat([]), chat([1, 400])];
        let wish = HistoryWish { full: true, ..Default::default() };
        let cut = chunks(&chats, wish, NOW_S);
        // 25 of the long chat reach back 120 days, so nothing is left of its recent ones.
        assert_eq!(shape(&cut, Kind::INITIAL_BOOTSTRAP), [(1, 100, 27)]);
        assert_eq!(shape(&cut, Kind::RECENT), [(1, 100, 0)]);
        assert_eq!(shape(&cut, Kind::FULL), [(1, 100, 49)]);
        assert_eq!(cut[0].parts[1], Part { chat: 1, from: 0, to: 0, end: Some(END_OF_ALL) });
        let end = cut.last().unwrap().parts[0].end;
        assert_eq!(end, Some(End::COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY));
    }

    const END_OF_ALL: End = End::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY;

    #[test]
    fn long_chats_are_cut_and_the_years_before_stay_on_the_phone() {
        let chats = [chat((0..4500).map(|_| 10)), chat((0..30).map(|_| 200))];
        let cut = chunks(&chats, HistoryWish::default(), NOW_S);
        assert_eq!(shape(&cut, Kind::INITIAL_BOOTSTRAP), [(1, 100, 50)]);
        assert_eq!(shape(&cut, Kind::RECENT), [(1, 33, 2000), (2, 66, 2000), (3, 100, 475)]);
        assert!(shape(&cut, Kind::FULL).is_empty());
        let ends: Vec<End> = cut.iter().flat_map(|chunk| &chunk.parts).filter_map(|part| part.end).collect();
        assert_eq!(ends, [End::COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY, END_OF_ALL]);
    }

    #[test]
    fn a_companion_may_say_how_far_back_it_wants_to_go() {
        let chats = [chat((0..100).map(|n| n * 5))];
        let wish = HistoryWish { recent_days: Some(300), full: true, full_days: Some(10_000) };
        let cut = chunks(&chats, wish, NOW_S);
        assert_eq!(shape(&cut, Kind::RECENT), [(1, 100, 36)]);
        assert_eq!(shape(&cut, Kind::FULL), [(1, 100, 39)]);
    }
}
