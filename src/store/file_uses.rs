//! Which messages show which file, so that a file goes when the last of them has gone.

use super::tables::{Tables, View};
use crate::error::Result;
use crate::model::media::FileHash;
use crate::model::message::Message;

/// Keeps the uses in step with a message: `old` is what stood in its place, `new` what stands there now.
pub(super) fn note(tables: &mut Tables<'_>, old: Option<&Message>, new: Option<&Message>) -> Result<()> {
    let (before, now) = (old.and_then(file), new.and_then(file));
    if before == now && old.map(|old| &old.chat) == new.map(|new| &new.chat) {
        return Ok(());
    }
    if let (Some(hash), Some(old)) = (before, old) {
        remove(tables, hash, old)?;
    }
    if let (Some(hash), Some(new)) = (now, new) {
        add(tables, hash, new)?;
    }
    Ok(())
}

/// Notes the file of a message that a store of an earlier version left without.
pub(super) fn add_missing(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    match file(message) {
        Some(hash) => add(tables, hash, message),
        None => Ok(()),
    }
}

/// Returns whether a message shows the file.
pub(super) fn is_used(tables: &Tables<'_>, hash: FileHash) -> Result<bool> {
    let all = (hash.0, 0, "", "")..=(hash.0, u32::MAX, "\u{10ffff}", "\u{10ffff}");
    Ok(redb::ReadableTable::range(&tables.media_uses, all)?.next().transpose()?.is_some())
}

/// Returns whether files wait to be taken away.
pub fn any_released(view: &View) -> Result<bool> {
    Ok(!redb::ReadableTableMetadata::is_empty(&view.media_released()?)?)
}

/// Lets a file go unless a message shows it.
pub(super) fn release(tables: &mut Tables<'_>, hash: FileHash) -> Result<()> {
    if !is_used(tables, hash)? {
        tables.media_released.insert(hash.0, ())?;
    }
    Ok(())
}

fn add(tables: &mut Tables<'_>, hash: FileHash, message: &Message) -> Result<()> {
    let chat = message.chat.to_string();
    tables.media_uses.insert((hash.0, message.device.0, chat.as_str(), message.id.as_str()), ())?;
    tables.media_released.remove(hash.0)?;
    Ok(())
}

fn remove(tables: &mut Tables<'_>, hash: FileHash, message: &Message) -> Result<()> {
    let chat = message.chat.to_string();
    tables.media_uses.remove((hash.0, message.device.0, chat.as_str(), message.id.as_str()))?;
    release(tables, hash)
}

fn file(message: &Message) -> Option<FileHash> {
    message.content.media()?.file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{DeviceNo, JobId};
    use crate::model::media::{Look, Media, MediaKind, MediaState, Mime};
    use crate::model::message::Content;
    use crate::store::messages::tests::{incoming, store_with_device};
    use crate::store::{Store, media, messages};

    const HASH: FileHash = FileHash([7; 32]);

    fn picture(device: DeviceNo, id: &str, at: i64) -> Message {
        let file = Media {
            kind: MediaKind::Image,
            mime: Mime::parse("image/png").expect("a type"),
            size: 10,
            file_name: None,
            caption: None,
            look: Look::default(),
            file: Some(HASH),
            state: MediaState::Ready,
            remote: None,
        };
        Message { content: Content::Media(Box::new(file)), ..incoming(device, id, at) }
    }

    async fn taken(store: &Store) -> Vec<FileHash> {
        store.write(|t| media::take_released(t, 10)).await.expect("taken")
    }

    #[tokio::test]
    async fn a_file_goes_with_the_last_message_that_shows_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        store.write(|t| media::record(t, HASH, 10, 1)).await.expect("recorded");
        for message in [picture(device, "M1", 1), picture(device, "M2", 2)] {
            store.write(move |t| messages::receive(t, &message, 9)).await.expect("stored");
        }
        let deleted = Message { content: Content::Deleted, ..picture(device, "M1", 1) };
        store.write(move |t| messages::amend(t, &deleted)).await.expect("deleted");
        assert!(!any_released(&store.view().expect("a view")).expect("read"));
        let job = JobId("job".into());
        store.write(move |t| media::hold(t, HASH, 10, &job, 0, 3)).await.expect("held");
        store.write(move |t| messages::vanish(t, &picture(device, "M2", 2))).await.expect("gone");
        assert_eq!(taken(&store).await, [], "an item waits to send it");
        store.write(|t| media::release(t, HASH, &JobId("job".into()), 0)).await.expect("let go");
        assert!(any_released(&store.view().expect("a view")).expect("read"));
        assert_eq!(taken(&store).await, [HASH]);
        assert!(!media::is_stored(&store.view().expect("a view"), HASH).expect("read"));
    }

    #[tokio::test]
    async fn a_file_that_is_shown_again_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        store.write(|t| media::record(t, HASH, 10, 1)).await.expect("recorded");
        let (first, again) = (picture(device, "M1", 1), picture(device, "M2", 2));
        store.write(move |t| messages::receive(t, &first, 9)).await.expect("stored");
        store.write(move |t| messages::vanish(t, &picture(device, "M1", 1))).await.expect("gone");
        store.write(move |t| messages::receive(t, &again, 9)).await.expect("stored");
        assert_eq!(taken(&store).await, []);
        assert!(media::is_stored(&store.view().expect("a view"), HASH).expect("read"));
    }
}
