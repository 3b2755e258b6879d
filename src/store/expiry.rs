//! Disappearing messages: when they go, and their going.

use super::tables::{Tables, View};
use super::{identities, messages};
use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::{Message, MessageStatus};
use redb::ReadableTable as _;

/// Notes when a message goes, if it does. Time counts `from` when WhatsApp had it (milliseconds since 1970), so nothing goes that
/// was not sent yet.
pub(super) fn note(tables: &mut Tables<'_>, message: &Message, from: i64) -> Result<()> {
    let (Some(seconds), true) = (message.marks.expires_in_s, message.status >= MessageStatus::Sent) else {
        return Ok(());
    };
    let ends = from.saturating_add(i64::from(seconds) * 1_000);
    let chat = message.chat.to_string();
    tables.message_expiry.insert((ends, message.device.0, chat.as_str(), message.id.as_str()), ())?;
    Ok(())
}

/// Returns whether there is something that [`prune`] would look at.
pub fn has_over(view: &View, now: i64) -> Result<bool> {
    Ok(view.message_expiry()?.range(..(now, 0, "", ""))?.next().transpose()?.is_some())
}

/// Takes up to `limit` messages out of the history whose time is over, but those that somebody asked to keep.
///
/// Returns how many rows were looked at.
pub fn prune(tables: &mut Tables<'_>, now: i64, limit: usize) -> Result<usize> {
    let mut over = Vec::new();
    for row in tables.message_expiry.range(..(now, 0, "", ""))?.take(limit) {
        let at = row?.0;
        let (ends, device, chat, id) = at.value();
        over.push((ends, device, chat.to_owned(), id.to_owned()));
    }
    for (ends, device, chat, id) in &over {
        tables.message_expiry.remove((*ends, *device, chat.as_str(), id.as_str()))?;
        let no = DeviceNo(*device);
        // The chat may have moved to the person's number since.
        let chat = identities::canonical_in(tables, no, &chat.parse::<Jid>()?)?;
        match messages::by_anybody(tables, no, &chat, id)? {
            Some(message) if !message.marks.kept => messages::vanish(tables, &message)?,
            _ => {}
        }
    }
    Ok(over.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::marks::Marks;
    use crate::model::message::Content;
    use crate::store::messages::tests::store_with_device;
    use crate::store::{Store, chats};

    const ANI: &str = "6281234567890@s.whatsapp.net";

    async fn store(dir: &std::path::Path) -> (Store, DeviceNo) {
        let (store, device) = store_with_device(dir).await;
        for (id, at, expires_in_s, kept) in
            [("M1", 1_000, None, false), ("M2", 2_000, Some(10), true), ("M3", 3_000, Some(10), false)]
        {
            let chat: Jid = ANI.parse().expect("an address");
            let message = Message {
                device,
                id: id.into(),
                chat: chat.clone(),
                sender: Some(chat),
                from_me: false,
                push_name: None,
                content: Content::Text { text: id.into() },
                mentions: Vec::new(),
                marks: Marks { expires_in_s, kept, ..Marks::default() },
                at,
                status: MessageStatus::Delivered,
                error: None,
                job: None,
            };
            store.write(move |t| messages::receive(t, &message, 9)).await.expect("stored");
        }
        (store, device)
    }

    async fn ids(store: &Store, device: DeviceNo, now: i64) -> Vec<String> {
        store.write(move |t| prune(t, now, 10)).await.expect("pruned");
        let view = store.view().expect("a view");
        let page = messages::page(&view, device, &ANI.parse().expect("an address"), None, 10);
        page.expect("a page").into_iter().map(|message| message.id).collect()
    }

    #[tokio::test]
    async fn what_disappears_goes_in_its_time_unless_it_is_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store(dir.path()).await;
        assert_eq!(ids(&store, device, 12_999).await, ["M3", "M2", "M1"]);
        assert_eq!(ids(&store, device, 13_001).await, ["M2", "M1"]);
        assert_eq!(ids(&store, device, i64::MAX).await, ["M2", "M1"]);
        let chats = chats::page(&store.view().expect("a view"), device, None, 10).expect("read");
        assert_eq!(chats[0].last.id, "M2", "the list shows what is left");
    }

    #[tokio::test]
    async fn what_was_kept_for_a_while_goes_after_all() {
        use crate::model::change::{Change, What};
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store(dir.path()).await;
        assert_eq!(ids(&store, device, 50_000).await, ["M2", "M1"]);
        let (chat, what) = (ANI.parse().expect("an address"), What::Keep { on: false });
        let change = Change { device, chat, target: "M2".into(), by: None, at: 60_000, what };
        store.write(move |t| crate::store::changes::apply(t, &change, 60_000)).await.expect("applied");
        assert_eq!(ids(&store, device, 60_001).await, ["M1"]);
    }
}
