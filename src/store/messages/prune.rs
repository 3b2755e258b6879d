//! Retention: messages that are older than their owner wants to keep them.

use super::rows::{newest, remove};
use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::store::tables::{Tables, View};
use crate::store::{chats, search};
use redb::ReadableTable as _;

/// Returns the devices that have a message that was written before `before` (milliseconds since 1970).
pub fn with_old(view: &View, before: i64) -> Result<Vec<DeviceNo>> {
    let timeline = view.timeline()?;
    let (mut found, mut from) = (Vec::new(), 0u32);
    while let Some(row) = timeline.range((from, i64::MIN, 0)..)?.next() {
        let (device, at, _) = row?.0.value();
        if at < before {
            found.push(DeviceNo(device));
        }
        match device.checked_add(1) {
            Some(next) => from = next,
            None => break,
        }
    }
    Ok(found)
}

/// Removes up to `limit` messages that were written before `before` (milliseconds since 1970), the oldest of a device first, with
/// all that is found of them. What was counted per day stays.
///
/// Returns how many went.
pub fn prune(tables: &mut Tables<'_>, device: DeviceNo, before: i64, limit: usize) -> Result<usize> {
    let mut gone = Vec::new();
    for row in tables.timeline.range((device.0, i64::MIN, 0)..(device.0, before, 0))?.take(limit) {
        let (place, value) = row?;
        let (chat, id) = value.value();
        gone.push((place.value().1, chat.to_owned(), id.to_owned()));
    }
    for (at, chat, id) in &gone {
        forget(tables, device, chat, *at, id)?;
    }
    Ok(gone.len())
}

fn forget(tables: &mut Tables<'_>, device: DeviceNo, chat: &str, at: i64, id: &str) -> Result<()> {
    let old = remove(tables, device, chat, at, id)?;
    search::note(tables, old.as_ref(), None)?;
    let ids = (device.0, id, chat, "")..=(device.0, id, chat, "\u{10ffff}");
    tables.message_ids.retain_in(ids, |_, stored| stored != at)?;
    let left = newest(&tables.messages, device, chat)?;
    chats::forget(tables, device, chat, id, left.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::day::Day;
    use crate::model::search::Question;
    use crate::store::messages::tests::{incoming, store_with_device};
    use crate::store::messages::{page, receive};
    use crate::store::search::{Filter, find};
    use crate::store::{Store, days};

    async fn went(store: &Store, device: DeviceNo, before: i64, limit: usize) -> usize {
        store.write(move |t| prune(t, device, before, limit)).await.expect("pruned")
    }

    #[tokio::test]
    async fn old_messages_go_piece_by_piece_and_what_was_counted_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for n in 0..5 {
            let message = incoming(device, &format!("M{n}"), n * 10_000);
            store.write(move |t| receive(t, &message, 1)).await.expect("stored");
        }
        let devices = |before: i64| with_old(&store.view().expect("a view"), before).expect("read");
        assert_eq!((devices(0), devices(1)), (vec![], vec![device]));
        assert_eq!(went(&store, device, 30_000, 2).await, 2);
        assert_eq!(went(&store, device, 30_000, 2).await, 1);
        assert_eq!(went(&store, device, 30_000, 2).await, 0);
        let chat = "6281234567890@s.whatsapp.net".parse().expect("an address");
        let view = store.view().expect("a view");
        let left = page(&view, device, &chat, None, 10).expect("a page");
        assert_eq!(left.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["M4", "M3"]);
        let text = Question::parse("text").expect("a question");
        let found = find(&view, device, &text, &Filter::default(), None, 10).expect("found");
        assert_eq!(found.rows.len(), 2);
        let counted = days::of_device(&view, device, Day(0), Day(0)).expect("read");
        assert_eq!(counted[0].1.incoming, 5);
        assert_eq!(
            chats::get(&view, device, &chat.to_string()).expect("read").map(|chat| chat.last.id),
            Some("M4".into())
        );
        assert_eq!(went(&store, device, i64::MAX, 10).await, 2);
        let view = store.view().expect("a view");
        assert!(
            chats::get(&view, device, &chat.to_string()).expect("read").is_none(),
            "nothing is left of the chat"
        );
        // What the network delivers once more is not known any more, and goes with the next round.
        let again = incoming(device, "M0", 0);
        assert!(store.write(move |t| receive(t, &again, 1)).await.expect("stored"));
    }
}
