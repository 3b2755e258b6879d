//! What is known of the files in the media directory: which are there, who still needs them, where WhatsApp has them, and
//! which incoming ones are to be fetched.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{devices, file_uses, messages, outbox};
use crate::error::Result;
use crate::model::event::Fact;
use crate::model::id::{DeviceNo, JobId};
use crate::model::jid::Jid;
use crate::model::media::{FileHash, Media, MediaState};
use crate::model::message::Message;
use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

/// How long an upload is used again, in milliseconds. WhatsApp keeps files for weeks; a phone that was away for long still
/// has to find them.
const UPLOAD_KEEP_MS: i64 = 12 * 3_600_000;

/// A file in the media directory.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct StoredFile {
    /// Bytes.
    size: u64,
    /// Milliseconds since 1970 of the last time that somebody stored it.
    at: i64,
}

/// A file as WhatsApp has it after an upload.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Address on the media host that took it.
    pub url: String,
    /// Path on every media host.
    pub direct_path: String,
    /// Key of the encrypted file, 32 bytes as base64.
    pub key: String,
    /// SHA-256 of the encrypted file.
    pub encrypted: FileHash,
    /// Seconds since 1970 at which the key was made.
    pub key_at: i64,
    /// What lets players begin in the middle, base64; for sound and films.
    #[serde(default)]
    pub sidecar: Option<String>,
    /// Milliseconds since 1970 of the upload.
    pub at: i64,
}

/// An incoming file that is to be fetched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    /// Milliseconds since 1970 of the next attempt; part of the key.
    pub due: i64,
    /// Device that received the message.
    pub device: DeviceNo,
    /// The chat of the message when it came.
    pub chat: Jid,
    /// WhatsApp's message id.
    pub id: String,
    /// Milliseconds since 1970 of the message.
    pub at: i64,
    /// Attempts that failed.
    pub attempts: u32,
}

/// How much is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Notes that a file stands in the media directory.
pub fn record(tables: &mut Tables<'_>, hash: FileHash, size: u64, now: i64) -> Result<()> {
    if let Some(before) = stored(tables, hash)? {
        tables.media_by_age.remove((before.at, hash.0))?;
    }
    tables.media_files.insert(hash.0, encode(&StoredFile { size, at: now })?.as_slice())?;
    tables.media_by_age.insert((now, hash.0), ())?;
    Ok(())
}

/// Returns whether the file stands in the media directory.
pub fn is_stored(view: &View, hash: FileHash) -> Result<bool> {
    Ok(view.media_files()?.get(hash.0)?.is_some())
}

/// Keeps a file until the item of a job is settled.
pub(super) fn hold(
    tables: &mut Tables<'_>,
    hash: FileHash,
    size: u64,
    job: &JobId,
    index: u32,
    now: i64,
) -> Result<()> {
    record(tables, hash, size, now)?;
    tables.media_holds.insert((hash.0, job.as_str(), index), ())?;
    Ok(())
}

/// Keeps a file for an item that is tried again, if it is still there; without it the attempt says that it is gone.
pub(super) fn hold_again(
    tables: &mut Tables<'_>,
    hash: FileHash,
    job: &JobId,
    index: u32,
    now: i64,
) -> Result<()> {
    match stored(tables, hash)? {
        Some(file) => hold(tables, hash, file.size, job, index, now),
        None => Ok(()),
    }
}

/// Lets a file go that an item needed.
pub(super) fn release(tables: &mut Tables<'_>, hash: FileHash, job: &JobId, index: u32) -> Result<()> {
    tables.media_holds.remove((hash.0, job.as_str(), index))?;
    file_uses::release(tables, hash)
}

/// Returns whether there are files that [`prune`] would look at.
pub fn has_old(view: &View, until: Option<i64>, max_bytes: Option<u64>) -> Result<bool> {
    let oldest = view.media_by_age()?.first()?.map(|(key, _)| key.value().0);
    let is_old = oldest.is_some_and(|at| until.is_some_and(|until| at < until));
    Ok(is_old || max_bytes.is_some_and(|max| usage(view).is_ok_and(|usage| usage.bytes > max)))
}

/// Takes the rows of files away that nobody needs and that are too old or too much; at most `limit`.
///
/// `until` is in milliseconds since 1970; older files go. The caller removes the files that are returned.
pub fn prune(
    tables: &mut Tables<'_>,
    until: Option<i64>,
    max_bytes: Option<u64>,
    limit: usize,
) -> Result<Vec<FileHash>> {
    let mut surplus = match max_bytes {
        Some(max) => sum(&tables.media_files)?.bytes.saturating_sub(max),
        None => 0,
    };
    let mut gone = Vec::new();
    for row in tables.media_by_age.iter()? {
        let (at, hash) = row?.0.value();
        let hash = FileHash(hash);
        if gone.len() >= limit || (surplus == 0 && until.is_none_or(|until| at >= until)) {
            break;
        }
        if is_held(tables, hash)? {
            continue;
        }
        let size = stored(tables, hash)?.map_or(0, |file| file.size);
        surplus = surplus.saturating_sub(size);
        gone.push((at, hash));
    }
    for (at, hash) in &gone {
        tables.media_by_age.remove((*at, hash.0))?;
        tables.media_files.remove(hash.0)?;
    }
    Ok(gone.into_iter().map(|(_, hash)| hash).collect())
}

/// Takes the rows of up to `limit` files away that no message shows any more and that nothing waits to send. The caller removes
/// the files that are returned; of the others, some may be shown again.
pub fn take_released(tables: &mut Tables<'_>, limit: usize) -> Result<Vec<FileHash>> {
    let mut released = Vec::new();
    for row in tables.media_released.iter()?.take(limit) {
        released.push(FileHash(row?.0.value()));
    }
    let mut gone = Vec::new();
    for hash in released {
        tables.media_released.remove(hash.0)?;
        if is_held(tables, hash)? || file_uses::is_used(tables, hash)? {
            // Whoever needs it lets it go again.
            continue;
        }
        if let Some(file) = stored(tables, hash)? {
            tables.media_by_age.remove((file.at, hash.0))?;
            tables.media_files.remove(hash.0)?;
            gone.push(hash);
        }
    }
    Ok(gone)
}

/// Returns how much is stored.
pub fn usage(view: &View) -> Result<Usage> {
    sum(&view.media_files()?)
}

/// Returns the upload of a file that may still be used, or none.
pub fn upload(
    view: &View,
    device: DeviceNo,
    class: &str,
    hash: FileHash,
    now: i64,
) -> Result<Option<Upload>> {
    let Some(row) = view.media_uploads()?.get((device.0, class, hash.0))? else { return Ok(None) };
    let upload: Upload = decode("media_uploads", (device.0, class, hash), row.value())?;
    Ok((now - upload.at < UPLOAD_KEEP_MS).then_some(upload))
}

/// Notes an upload, and forgets those of the device that are too old.
pub fn put_upload(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    class: &str,
    hash: FileHash,
    upload: &Upload,
) -> Result<()> {
    let mut stale = Vec::new();
    for row in
        tables.media_uploads.range((device.0, "", [0; 32])..(device.0.saturating_add(1), "", [0; 32]))?
    {
        let (key, value) = row?;
        let old: Upload = decode("media_uploads", key.value(), value.value())?;
        if upload.at - old.at >= UPLOAD_KEEP_MS {
            stale.push((key.value().1.to_owned(), key.value().2));
        }
    }
    for (class, hash) in &stale {
        tables.media_uploads.remove((device.0, class.as_str(), *hash))?;
    }
    tables.media_uploads.insert((device.0, class, hash.0), encode(upload)?.as_slice())?;
    Ok(())
}

/// Queues the file of an incoming message, when it is to be fetched.
pub(super) fn want(tables: &mut Tables<'_>, message: &Message, now: i64) -> Result<()> {
    let is_wanted = message.content.media().is_some_and(|media| media.state == MediaState::Pending);
    if !is_wanted || message.job.is_some() {
        return Ok(());
    }
    let wanted = Wanted {
        due: now,
        device: message.device,
        chat: message.chat.clone(),
        id: message.id.clone(),
        at: message.at,
        attempts: 0,
    };
    put_wanted(tables, &wanted)
}

/// Returns up to `limit` files that are due, the longest waiting first; only of devices that `may_fetch`.
pub fn due(view: &View, now: i64, limit: usize, may_fetch: impl Fn(DeviceNo) -> bool) -> Result<Vec<Wanted>> {
    let table = view.media_wanted()?;
    let mut found = Vec::new();
    for row in table.range((i64::MIN, 0, "", "")..(now.saturating_add(1), 0, "", ""))? {
        let (at, value) = row?;
        if may_fetch(DeviceNo(at.value().1)) {
            found.push(decode("media_wanted", at.value(), value.value())?);
        }
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

/// Returns when the next file will be due after `now`, both in milliseconds since 1970.
pub fn next_due(view: &View, now: i64) -> Result<Option<i64>> {
    let table = view.media_wanted()?;
    match table.range((now.saturating_add(1), 0, "", "")..)?.next() {
        Some(row) => Ok(Some(row?.0.value().0)),
        None => Ok(None),
    }
}

/// Puts an attempt off; `counts` says whether it was one.
pub fn postpone(tables: &mut Tables<'_>, wanted: &Wanted, due: i64, counts: bool) -> Result<()> {
    remove_wanted(tables, wanted)?;
    put_wanted(tables, &Wanted { due, attempts: wanted.attempts + u32::from(counts), ..wanted.clone() })
}

/// Ends the fetching of a file: the message shows what became of it, and everybody is told. `size` is that of the stored file.
pub fn fetched(tables: &mut Tables<'_>, wanted: &Wanted, media: &Media, now: i64) -> Result<()> {
    remove_wanted(tables, wanted)?;
    if let Some(hash) = media.file {
        record(tables, hash, media.size, now)?;
    }
    let Some(message) =
        messages::set_media(tables, wanted.device, &wanted.chat, wanted.at, &wanted.id, media)?
    else {
        // The message was deleted while its file was fetched.
        return media.file.map_or(Ok(()), |hash| file_uses::release(tables, hash));
    };
    let Some(device) = devices::find(tables, wanted.device)? else { return Ok(()) };
    outbox::append(tables, now, devices::scope(&device), Fact::MessageMedia { message })?;
    Ok(())
}

/// Notes a new place from which a file is to be fetched; counts as an attempt, so that it cannot go on for ever.
pub fn moved(tables: &mut Tables<'_>, wanted: &Wanted, media: &Media, now: i64) -> Result<()> {
    messages::set_media(tables, wanted.device, &wanted.chat, wanted.at, &wanted.id, media)?;
    postpone(tables, wanted, now, true)
}

/// Forgets a file that no message names any more.
pub fn forget(tables: &mut Tables<'_>, wanted: &Wanted) -> Result<()> {
    remove_wanted(tables, wanted)
}

/// Forgets everything that was to be fetched for a device that is removed.
pub(super) fn forget_device(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    tables.media_wanted.retain(|key, _| key.1 != device.0)?;
    tables.media_uploads.retain(|key, _| key.0 != device.0)?;
    Ok(())
}

fn put_wanted(tables: &mut Tables<'_>, wanted: &Wanted) -> Result<()> {
    let chat = wanted.chat.to_string();
    let key = (wanted.due, wanted.device.0, wanted.id.as_str(), chat.as_str());
    tables.media_wanted.insert(key, encode(wanted)?.as_slice())?;
    Ok(())
}

fn remove_wanted(tables: &mut Tables<'_>, wanted: &Wanted) -> Result<()> {
    let chat = wanted.chat.to_string();
    tables.media_wanted.remove((wanted.due, wanted.device.0, wanted.id.as_str(), chat.as_str()))?;
    Ok(())
}

fn is_held(tables: &Tables<'_>, hash: FileHash) -> Result<bool> {
    let all = (hash.0, "", 0)..=(hash.0, "\u{10ffff}", u32::MAX);
    Ok(tables.media_holds.range(all)?.next().transpose()?.is_some())
}

fn stored(tables: &Tables<'_>, hash: FileHash) -> Result<Option<StoredFile>> {
    match tables.media_files.get(hash.0)? {
        Some(row) => decode("media_files", hash, row.value()).map(Some),
        None => Ok(None),
    }
}

fn sum(files: &impl redb::ReadableTable<[u8; 32], super::tables::Bytes>) -> Result<Usage> {
    let mut usage = Usage::default();
    for row in files.iter()? {
        let (key, value) = row?;
        let file: StoredFile = decode("media_files", FileHash(key.value()), value.value())?;
        usage.files += 1;
        usage.bytes += file.size;
    }
    Ok(usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::media::{Look, MediaKind, Mime};
    use crate::model::message::{Content, MessageStatus};
    use crate::store::Store;
    use crate::store::messages::tests::store_with_device;

    fn hash(number: u8) -> FileHash {
        FileHash([number; 32])
    }

    fn job() -> JobId {
        JobId("job".into())
    }

    async fn prune_now(store: &Store, until: Option<i64>, max: Option<u64>) -> Vec<u8> {
        let gone = store.write(move |t| prune(t, until, max, 100)).await.expect("pruned");
        gone.into_iter().map(|hash| hash.0[0]).collect()
    }

    #[tokio::test]
    async fn the_oldest_files_go_and_those_of_waiting_items_stay() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, _) = store_with_device(dir.path()).await;
        store
            .write(|t| {
                for number in 1..=5 {
                    record(t, hash(number), 10, i64::from(number))?;
                }
                // It came in once more, so it counts as new.
                record(t, hash(2), 10, 6)?;
                hold(t, hash(1), 10, &job(), 0, 1)
            })
            .await
            .expect("recorded");
        assert_eq!(prune_now(&store, Some(4), None).await, [3]);
        assert_eq!(prune_now(&store, None, Some(25)).await, [4, 5]);
        assert_eq!(usage(&store.view().expect("a view")).expect("read"), Usage { files: 2, bytes: 20 });
        store.write(|t| release(t, hash(1), &job(), 0)).await.expect("released");
        assert_eq!(prune_now(&store, Some(6), Some(1000)).await, [1]);
        assert_eq!(prune_now(&store, None, None).await, [0; 0]);
        assert!(is_stored(&store.view().expect("a view"), hash(2)).expect("read"));
    }

    #[tokio::test]
    async fn an_item_that_is_tried_again_holds_its_file_only_if_that_is_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, _) = store_with_device(dir.path()).await;
        store.write(|t| hold_again(t, hash(1), &job(), 0, 5)).await.expect("nothing to hold");
        assert!(!is_stored(&store.view().expect("a view"), hash(1)).expect("read"));
        store
            .write(|t| {
                record(t, hash(1), 10, 1)?;
                hold_again(t, hash(1), &job(), 0, 5)
            })
            .await
            .expect("held");
        assert_eq!(prune_now(&store, Some(100), Some(1)).await, [0; 0]);
    }

    fn received(device: DeviceNo, chat: &str) -> Message {
        let place = crate::model::media::Remote {
            direct_path: "/v/x".into(),
            key: "AA==".into(),
            encrypted: hash(8),
            plain: hash(9),
            view_once: false,
        };
        let media = Media {
            kind: MediaKind::Image,
            mime: Mime::parse("image/png").expect("a type"),
            file_name: None,
            caption: None,
            size: 3,
            file: None,
            look: Look::default(),
            remote: Some(place),
            state: MediaState::Pending,
        };
        Message {
            device,
            id: "M1".into(),
            chat: chat.parse().expect("an address"),
            sender: Some(chat.parse().expect("an address")),
            from_me: false,
            push_name: None,
            content: Content::Media(Box::new(media)),
            mentions: Vec::new(),
            marks: Default::default(),
            at: 1_000,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
        }
    }

    #[tokio::test]
    async fn a_file_reaches_its_message_also_after_the_chat_moved_to_the_number() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let message = received(device, "100@lid");
        store.write(move |t| messages::receive(t, &message, 5)).await.expect("received");
        let wanted = due(&store.view().expect("a view"), 5, 10, |_| true).expect("read").pop().expect("one");
        let identity = crate::model::jid::Identity { lid: "100".into(), phone: "6281234567890".into() };
        store
            .write(move |t| crate::store::identities::learn(t, device, &identity, 6))
            .await
            .expect("learned");
        let view = store.view().expect("a view");
        let found = messages::at(&view, device, &wanted.chat, wanted.at, &wanted.id).expect("read");
        let mut media = found.expect("the message").content.media().expect("a file").clone();
        (media.file, media.state) = (Some(hash(9)), MediaState::Ready);
        let done = wanted.clone();
        store.write(move |t| fetched(t, &done, &media, 7)).await.expect("fetched");
        let view = store.view().expect("a view");
        let stored =
            messages::at(&view, device, &wanted.chat, wanted.at, &wanted.id).expect("read").expect("there");
        assert_eq!(stored.chat.to_string(), "6281234567890@s.whatsapp.net");
        assert_eq!(stored.content.media().and_then(|media| media.file), Some(hash(9)));
        assert!(is_stored(&view, hash(9)).expect("read"));
        assert_eq!(next_due(&view, 0).expect("read"), None);
    }

    #[tokio::test]
    async fn an_attempt_that_is_put_off_counts_when_it_was_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let message = received(device, "6281234567890@s.whatsapp.net");
        store.write(move |t| messages::receive(t, &message, 5)).await.expect("received");
        let one = |now| due(&store.view().expect("a view"), now, 10, |_| true).expect("read").pop();
        let wanted = one(5).expect("due");
        store.write(move |t| postpone(t, &wanted, 50, true)).await.expect("put off");
        assert_eq!((one(49), next_due(&store.view().expect("a view"), 49).expect("read")), (None, Some(50)));
        let wanted = one(50).expect("due");
        assert_eq!(wanted.attempts, 1);
        store.write(move |t| postpone(t, &wanted, 60, false)).await.expect("put off");
        assert_eq!(one(60).expect("due").attempts, 1);
        store.write(move |t| forget_device(t, device)).await.expect("forgotten");
        assert_eq!(one(100), None);
    }
}
