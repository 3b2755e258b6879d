//! The queue's tables: jobs, their items, and what waits in which order.
//!
//! There is no stored state "being sent": one process owns the file, so a lane's lease is held in memory, and an item that was
//! in flight when the process died is simply still in the queue. It is sent again under the message id it was given here.

mod control;
mod line;
mod once;
mod prune;
mod read;
mod rows;
mod settle;

pub use control::{begin_due, cancel, cancel_of_device, next_start, pause, prioritise, resume, retry};
pub use line::{Waiting, devices_with_work, is_waiting, waiting};
pub use once::{ONCE_KEEP_MS, Once, OnceKey, once};
pub use prune::{forget_keys, prune, prune_listed, stale_keys};
pub use read::{Glance, each_listed, get, items, listed};
pub use settle::{Outcome, settle};

use self::once::known_job;
use self::rows::{existing_item, put, put_item};
use super::codec::encode;
use super::settings::next;
use super::tables::Tables;
use super::{channels, chat_settings, devices, identities, media, messages, outbox, status_posts};
use crate::error::{Error, Result};
use crate::model::event::Fact;
use crate::model::id::JobId;
use crate::model::job::{Item, ItemState, Job};
use crate::model::media::FileHash;
use crate::model::message::{Message, MessageStatus, Outgoing};

/// What came of an insert.
#[derive(Debug, Clone)]
pub enum Inserted {
    /// The job is new.
    New,
    /// The key was used for the same question before; this is its job.
    Known(JobId),
}

/// Inserts a job with its items and their messages in one commit.
///
/// Items in state `Failed` (malformed entries) are counted at once and never enter the queue.
pub fn insert(
    tables: &mut Tables<'_>,
    job: &Job,
    items: &[Item],
    once: Option<&OnceKey>,
) -> Result<Inserted> {
    if let Some(once) = once
        && let Some(known) = known_job(tables, once, job.created_at)?
    {
        return Ok(Inserted::Known(known));
    }
    let device = devices::existing(tables, job.device)?;
    let mut job = job.clone();
    for item in items {
        let mut item = item.clone();
        if let Some(outgoing) = &mut item.outgoing {
            outgoing.to = identities::canonical_in(tables, job.device, &outgoing.to)?;
        }
        if item.state != ItemState::Pending {
            job.count(false, job.created_at);
        } else {
            hold_file(tables, &job.id, &item, job.created_at)?;
            if !job.starts_later(job.created_at) {
                line_up(tables, &job, &mut item, job.created_at)?;
                if let Some(message) = message_of(tables, &job, &item)? {
                    messages::insert_outgoing(tables, &message)?;
                } else if is_status(&item) {
                    status_posts::insert_outgoing(tables, &job, &item)?;
                } else if is_channel(&item) {
                    channels::insert_outgoing(tables, &job, &item)?;
                }
            }
        }
        put_item(tables, &job.id, &item)?;
    }
    job.next_at = 0;
    control::remember_start(tables, &job, job.created_at)?;
    put(tables, &job)?;
    tables.jobs_by_time.insert((u8::from(job.kind.is_listed()), job.created_at, job.id.as_str()), ())?;
    if let Some(once) = once {
        let row = Once { fingerprint: once.fingerprint.clone(), job: job.id.clone(), at: job.created_at };
        tables.idempotency.insert((once.caller.as_str(), once.key.as_str()), encode(&row)?.as_slice())?;
    }
    if job.kind.is_listed() {
        outbox::append(tables, job.created_at, devices::scope(&device), told(&job))?;
    }
    Ok(Inserted::New)
}

/// Replaces what a waiting item sends, after its file was fetched; returns the item as it stands now.
pub fn set_outgoing(
    tables: &mut Tables<'_>,
    job: &JobId,
    index: u32,
    outgoing: &Outgoing,
    now: i64,
) -> Result<Item> {
    let mut item = existing_item(tables, job, index)?;
    if item.state == ItemState::Pending {
        item.outgoing = Some(outgoing.clone());
        put_item(tables, job, &item)?;
        hold_file(tables, job, &item, now)?;
    }
    Ok(item)
}

/// Counts an attempt that got no answer; the item keeps its place.
pub fn count_attempt(tables: &mut Tables<'_>, job: &JobId, index: u32) -> Result<u32> {
    let mut item = existing_item(tables, job, index)?;
    item.attempts += 1;
    put_item(tables, job, &item)?;
    Ok(item.attempts)
}

/// Returns whether an item is a status post or the deletion of one.
fn is_status(item: &Item) -> bool {
    item.outgoing.as_ref().is_some_and(|outgoing| outgoing.to.is_status())
}

/// Returns whether an item is a post of a channel.
fn is_channel(item: &Item) -> bool {
    item.outgoing.as_ref().is_some_and(|outgoing| outgoing.to.is_channel())
}

/// The message of an item as it stands in the history; none when it only changes another one.
fn message_of(tables: &Tables<'_>, job: &Job, item: &Item) -> Result<Option<Message>> {
    let outgoing =
        item.outgoing.as_ref().ok_or_else(|| Error::broken("a waiting item has nothing to send"))?;
    // Status posts and those of channels stand in no chat.
    let is_of_chat = !outgoing.to.is_status() && !outgoing.to.is_channel();
    let content = outgoing.stored().filter(|_| is_of_chat);
    let Some(content) = content else { return Ok(None) };
    Ok(Some(Message {
        device: job.device,
        id: item.message_id.clone(),
        // A hidden id may have become a number while the item waited; the chat has moved with it.
        chat: identities::canonical_in(tables, job.device, &outgoing.to)?,
        sender: None,
        from_me: true,
        push_name: None,
        content,
        mentions: outgoing.mentions.clone(),
        marks: outgoing.around.marks(),
        at: job.created_at,
        status: MessageStatus::Pending,
        error: None,
        job: Some(job.id.clone()),
    }))
}

/// Gives an item its place at the end of its class, and its message the timer of its chat.
fn line_up(tables: &mut Tables<'_>, job: &Job, item: &mut Item, due: i64) -> Result<()> {
    if let Some(outgoing) = item.outgoing.as_mut().filter(|outgoing| outgoing.content.is_of_chat()) {
        let chat = identities::canonical_in(tables, job.device, &outgoing.to)?;
        outgoing.around.timer_s = chat_settings::timer(tables, job.device, &chat)?;
    }
    let seq = next(tables, "queue")?;
    item.place = Some((due, seq));
    tables.queue.insert((job.device.0, job.class(), due, seq), (job.id.as_str(), item.index))?;
    Ok(())
}

fn leave_queue(tables: &mut Tables<'_>, job: &Job, item: &mut Item) -> Result<()> {
    if let Some((due, seq)) = item.place.take() {
        tables.queue.remove((job.device.0, job.class(), due, seq))?;
    }
    match file_of(item) {
        Some((hash, _)) => media::release(tables, hash, &job.id, item.index),
        None => Ok(()),
    }
}

/// Keeps the file of a waiting item from being pruned.
fn hold_file(tables: &mut Tables<'_>, job: &JobId, item: &Item, now: i64) -> Result<()> {
    match file_of(item) {
        Some((hash, size)) => media::hold(tables, hash, size, job, item.index, now),
        None => Ok(()),
    }
}

fn file_of(item: &Item) -> Option<(FileHash, u64)> {
    item.outgoing.as_ref().and_then(|outgoing| outgoing.content.file())
}

fn told(job: &Job) -> Fact {
    Fact::Job {
        job: job.id.clone(),
        status: job.status,
        total: job.total,
        succeeded: job.succeeded,
        failed: job.failed,
        resumed: false,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::Code;
    use crate::model::id::{DeviceNo, UserId};
    use crate::model::job::{ItemError, JobKind, JobStatus, Pacing};
    use crate::model::message::Text;
    use crate::store::Store;
    use crate::store::messages::tests::store_with_device;

    const JOB: &str = "send-text-bulk_1_aaaaaa";

    pub(in crate::store) fn job(
        device: DeviceNo,
        id: &str,
        kind: JobKind,
        total: u32,
        at: i64,
    ) -> (Job, Vec<Item>) {
        let pacing = Pacing::Every { ms: 0 };
        let job = Job { id: JobId(id.into()), ..Job::new(kind, device, UserId(1), pacing, total, at) };
        let item = |index| Item {
            index,
            to: "081234567890".into(),
            outgoing: Some(Outgoing::text(
                "6281234567890@s.whatsapp.net".parse().expect("an address"),
                Text::parse("hello").expect("a text"),
            )),
            message_id: format!("{id}-{index}"),
            state: ItemState::Pending,
            error: None,
            attempts: 0,
            settled_at: None,
            place: None,
        };
        (job, (0..total).map(item).collect())
    }

    pub(in crate::store) async fn put_job(
        store: &Store,
        device: DeviceNo,
        id: &str,
        kind: JobKind,
        total: u32,
        at: i64,
    ) {
        let (job, items) = job(device, id, kind, total, at);
        store.write(move |t| insert(t, &job, &items, None)).await.expect("inserted");
    }

    pub(in crate::store) async fn settled(store: &Store, id: &str, index: u32, outcome: Outcome) -> Job {
        let id = JobId(id.into());
        store.write(move |t| settle(t, &id, index, &outcome, 9)).await.expect("settled")
    }

    pub(in crate::store) fn line(store: &Store, device: DeviceNo) -> Vec<String> {
        let waiting = waiting(&store.view().expect("a view"), device, 100, |_, _| false).expect("read");
        waiting.into_iter().map(|w| w.item.message_id).collect()
    }

    #[tokio::test]
    async fn singles_go_ahead_of_bulk_and_each_stands_in_order() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        put_job(&store, device, "b1", JobKind::SendTextBulk, 2, 1).await;
        put_job(&store, device, "b2", JobKind::SendTextBulk, 1, 2).await;
        put_job(&store, device, "s1", JobKind::SendSingle, 1, 3).await;
        assert_eq!(line(&store, device), ["s1-0", "b1-0", "b1-1", "b2-0"]);
        let held = waiting(&store.view().expect("a view"), device, 2, |job, index| (job, index) == ("s1", 0));
        assert_eq!(held.expect("read")[0].item.message_id, "b1-0");
        assert_eq!(devices_with_work(&store.view().expect("a view")).expect("read"), [device]);
    }

    #[tokio::test]
    async fn settling_twice_counts_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        put_job(&store, device, JOB, JobKind::SendTextBulk, 2, 1).await;
        settled(&store, JOB, 0, Outcome::Sent).await;
        let failed = ItemError { code: "send_failed".into(), network: None };
        let job = settled(&store, JOB, 0, Outcome::Failed(failed)).await;
        assert_eq!((job.succeeded, job.failed, job.status), (1, 0, JobStatus::Processing));
        let job = settled(&store, JOB, 1, Outcome::Sent).await;
        assert_eq!((job.succeeded, job.status), (2, JobStatus::Completed));
        assert!(line(&store, device).is_empty());
    }

    #[tokio::test]
    async fn what_is_given_up_untried_does_not_move_the_turn_of_the_rest() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        put_job(&store, device, JOB, JobKind::SendTextBulk, 2, 1).await;
        let error = || ItemError { code: "send_gave_up".into(), network: None };
        assert_eq!(settled(&store, JOB, 0, Outcome::Overdue(error())).await.next_at, 0);
        assert!(settled(&store, JOB, 1, Outcome::Failed(error())).await.next_at > 0);
    }

    #[tokio::test]
    async fn a_cancelled_job_keeps_what_is_in_flight_and_forgets_the_rest() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        put_job(&store, device, JOB, JobKind::SendTextBulk, 4, 1).await;
        settled(&store, JOB, 0, Outcome::Sent).await;
        let cancelled = store.write(|t| cancel(t, &JobId(JOB.into()), 5, |index| index == 1)).await;
        assert_eq!(cancelled.expect("cancelled").status, JobStatus::Cancelled);
        assert_eq!(line(&store, device), [format!("{JOB}-1")]);
        let again = store.write(|t| cancel(t, &JobId(JOB.into()), 5, |_| false)).await;
        assert_eq!(again.expect_err("ended").code(), Code::JobEnded);
        let job = settled(&store, JOB, 1, Outcome::Sent).await;
        assert_eq!((job.succeeded, job.status), (2, JobStatus::Cancelled));
        let chat = "6281234567890@s.whatsapp.net".parse().expect("an address");
        let history =
            messages::page(&store.view().expect("a view"), device, &chat, None, 10).expect("a page");
        assert_eq!(history.len(), 2, "what was never sent is not in the chat");
    }

    #[tokio::test]
    async fn a_key_makes_one_job_and_refuses_another_question() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let key = |fingerprint: &str| OnceKey {
            caller: "user:1".into(),
            key: "k".into(),
            fingerprint: fingerprint.into(),
        };
        let put = |id: &'static str, once: OnceKey| {
            let (job, items) = job(device, id, JobKind::SendSingle, 1, 1);
            let store = store.clone();
            async move { store.write(move |t| insert(t, &job, &items, Some(&once))).await }
        };
        assert!(matches!(put("one", key("a")).await, Ok(Inserted::New)));
        assert!(matches!(put("two", key("a")).await, Ok(Inserted::Known(known)) if known.as_str() == "one"));
        let refused = put("three", key("b")).await.expect_err("refused");
        assert_eq!(refused.code(), Code::IdempotencyMismatch);
        assert_eq!(line(&store, device), ["one-0"]);
        settled(&store, "one", 0, Outcome::Sent).await;
        let dropped = store.write(|t| prune(t, ONCE_KEEP_MS + 2, 10)).await.expect("pruned");
        assert_eq!(dropped, 1);
        let stale = stale_keys(&store.view().expect("a view"), ONCE_KEEP_MS + 2).expect("read");
        assert_eq!(stale, [("user:1".to_owned(), "k".to_owned())]);
        store.write(move |t| forget_keys(t, &stale, ONCE_KEEP_MS + 2)).await.expect("forgotten");
        assert!(matches!(put("four", key("b")).await, Ok(Inserted::New)));
    }
}
