//! What the account has read, on whichever of its devices.

use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::store::chats;
use crate::store::codec::decode;
use crate::store::tables::Tables;
use redb::ReadableTable as _;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Marks the incoming messages of a chat as read, up to a time in milliseconds since 1970.
pub fn mark_read(tables: &mut Tables<'_>, device: DeviceNo, chat: &Jid, up_to: i64) -> Result<()> {
    read_up_to(tables, device, &chat.to_string(), up_to)
}

/// Marks incoming messages as read that the account read elsewhere, and all before them in their chats.
pub fn mark_read_by_ids(tables: &mut Tables<'_>, device: DeviceNo, ids: &[String]) -> Result<()> {
    let mut chats: BTreeMap<String, i64> = BTreeMap::new();
    for id in ids {
        let all = (device.0, id.as_str(), "", "")..=(device.0, id.as_str(), "\u{10ffff}", "");
        for row in tables.message_ids.range(all)? {
            let (key, at) = row?;
            let newest = chats.entry(key.value().2.to_owned()).or_insert(i64::MIN);
            *newest = (*newest).max(at.value());
        }
    }
    chats.iter().try_for_each(|(chat, up_to)| read_up_to(tables, device, chat, *up_to))
}

/// What came after `up_to` stays unread.
fn read_up_to(tables: &mut Tables<'_>, device: DeviceNo, chat: &str, up_to: i64) -> Result<()> {
    let unread = chats::unread(tables, device, chat)?;
    let mut left = 0;
    let later = (device.0, chat, up_to.saturating_add(1), "")..=(device.0, chat, i64::MAX, "\u{10ffff}");
    for row in tables.messages.range(later)? {
        if left == unread {
            break;
        }
        let (at, value) = row?;
        let direction: Direction = decode("messages", at.value(), value.value())?;
        left += u32::from(!direction.from_me);
    }
    if left == unread { Ok(()) } else { chats::set_unread(tables, device, chat, left) }
}

/// The part of a stored message that tells who wrote it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Direction {
    from_me: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::messages::receive;
    use crate::store::messages::tests::{incoming, store_with_device};

    #[tokio::test]
    async fn what_came_after_the_message_that_was_read_stays_unread() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for n in 0..4i64 {
            let message = incoming(device, &format!("M{n}"), n * 1000);
            store.write(move |t| receive(t, &message, n)).await.expect("stored");
        }
        let unread = || {
            let view = store.view().expect("a view");
            chats::page(&view, device, None, 10).expect("read")[0].unread
        };
        for (id, left) in [("M1", 2), ("M0", 2), ("unknown", 2), ("M3", 0)] {
            store.write(move |t| mark_read_by_ids(t, device, &[id.into()])).await.expect("marked");
            assert_eq!(unread(), left, "after {id}");
        }
    }
}
