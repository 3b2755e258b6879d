//! What a person does with a job: cancel, pause, resume, retry, prefer it to others; and the start of a delayed one.
//!
//! What waits of a paused job has no row in the queue but keeps its place, so that it goes on in its old turn. A job whose
//! start is still to come has neither places nor messages.

use super::rows::{existing, items_of, put, put_item, read};
use super::{file_of, leave_queue, line_up, message_of, told};
use crate::error::{Code, Error, Result};
use crate::model::event::Fact;
use crate::model::id::{DeviceNo, JobId};
use crate::model::job::{Item, ItemState, Job, JobStatus, Priority};
use crate::model::message::MessageStatus;
use crate::store::tables::{Tables, View};
use crate::store::{devices, identities, outbox};
use crate::store::{media, messages};
use redb::ReadableTable as _;
use std::collections::BTreeSet;

/// Cancels a job: what waits leaves the queue, what `in_flight` names is finished by its lane.
pub fn cancel(tables: &mut Tables<'_>, id: &JobId, now: i64, in_flight: impl Fn(u32) -> bool) -> Result<Job> {
    let mut job = existing(tables, id)?;
    if job.status.is_ended() {
        return Err(Error::new(Code::JobEnded));
    }
    forget_start(tables, &job)?;
    for mut item in pending(tables, &job)? {
        if !in_flight(item.index) {
            withdraw(tables, &job, &mut item)?;
        }
    }
    job.status = JobStatus::Cancelled;
    job.finished_at = Some(now);
    save_and_tell(tables, &job, now, told(&job))?;
    Ok(job)
}

/// Cancels everything that waits for a device, before it is removed, and returns what that was.
pub fn cancel_of_device(tables: &mut Tables<'_>, device: DeviceNo, now: i64) -> Result<Vec<JobId>> {
    let mut ids = BTreeSet::new();
    for row in tables.queue.range((device.0, 0, i64::MIN, 0)..=(device.0, u8::MAX, i64::MAX, u64::MAX))? {
        ids.insert(row?.1.value().0.to_owned());
    }
    // What is paused or starts later is not in the queue.
    for row in tables.jobs_by_time.range((1, i64::MIN, "")..)? {
        let id = row?.0.value().2.to_owned();
        if read(&tables.jobs, &id)?.is_some_and(|job| job.device == device && !job.status.is_ended()) {
            ids.insert(id);
        }
    }
    let ids: Vec<JobId> = ids.into_iter().map(JobId).collect();
    ids.iter().try_for_each(|id| end(tables, id, now))?;
    Ok(ids)
}

/// Cancels a job, or takes out of the queue what an ended one left there in flight.
fn end(tables: &mut Tables<'_>, id: &JobId, now: i64) -> Result<()> {
    let job = existing(tables, id)?;
    if !job.status.is_ended() {
        return cancel(tables, id, now, |_| false).map(drop);
    }
    pending(tables, &job)?.iter_mut().try_for_each(|item| withdraw(tables, &job, item))
}

/// Holds a job back: what waits leaves the queue and keeps its place. The item in flight is finished by its lane.
pub fn pause(tables: &mut Tables<'_>, id: &JobId, now: i64) -> Result<Job> {
    let mut job = existing(tables, id)?;
    job.pause()?;
    forget_start(tables, &job)?;
    for item in pending(tables, &job)? {
        if let Some((due, seq)) = item.place {
            tables.queue.remove((job.device.0, job.class(), due, seq))?;
        }
    }
    save_and_tell(tables, &job, now, told(&job))?;
    Ok(job)
}

/// Lets a paused job go on in its old turn.
pub fn resume(tables: &mut Tables<'_>, id: &JobId, now: i64) -> Result<Job> {
    let mut job = existing(tables, id)?;
    job.resume()?;
    for mut item in pending(tables, &job)? {
        match item.place {
            Some((due, seq)) => {
                let place = (job.device.0, job.class(), due, seq);
                tables.queue.insert(place, (job.id.as_str(), item.index))?;
            }
            None if job.starts_later(now) => break,
            None => enqueue(tables, &job, &mut item, now)?,
        }
    }
    remember_start(tables, &job, now)?;
    let resumed = match told(&job) {
        Fact::Job { job, status, total, succeeded, failed, .. } => {
            Fact::Job { job, status, total, succeeded, failed, resumed: true }
        }
        other => other,
    };
    save_and_tell(tables, &job, now, resumed)?;
    Ok(job)
}

/// Puts the entries of an ended job that were not sent into the queue again, each under the message id it has.
///
/// The id stays even after a failure for good: the network may have taken the message without a word, and the recipient's
/// phone shows an id once. An entry whose receipt came after it was given up counts as sent. What was malformed stays failed.
pub fn retry(tables: &mut Tables<'_>, id: &JobId, now: i64) -> Result<Job> {
    let mut job = existing(tables, id)?;
    if !job.status.is_ended() {
        return Err(Error::new(Code::JobNotEnded));
    }
    let items = items_of(&tables.items, id.as_str(), 0, u32::MAX)?;
    let unsent = |item: &Item| matches!(item.state, ItemState::Failed | ItemState::Cancelled);
    let mut changed = 0;
    job.status = JobStatus::Queued;
    for mut item in items.into_iter().filter(|item| unsent(item) && item.outgoing.is_some()) {
        changed += 1;
        if item.state == ItemState::Failed {
            job.failed -= 1;
        }
        item.error = None;
        if arrived_after_all(tables, &job, &item)? {
            item.state = ItemState::Sent;
            job.succeeded += 1;
            put_item(tables, &job.id, &item)?;
        } else {
            (item.state, item.attempts, item.settled_at) = (ItemState::Pending, 0, None);
            enqueue(tables, &job, &mut item, now)?;
        }
    }
    if changed == 0 {
        return Err(Error::new(Code::JobNothingToRetry));
    }
    job.retries += 1;
    (job.finished_at, job.next_at, job.start_at) = (None, 0, None);
    job.end_when_handled(now);
    save_and_tell(tables, &job, now, told(&job))?;
    Ok(job)
}

/// Changes which job of the device goes first; what waits moves at once.
pub fn prioritise(tables: &mut Tables<'_>, id: &JobId, priority: Priority, now: i64) -> Result<Job> {
    let mut job = existing(tables, id)?;
    if job.status.is_ended() {
        return Err(Error::new(Code::JobEnded));
    }
    let before = job.class();
    job.priority = priority;
    for item in pending(tables, &job)? {
        let Some((due, seq)) = item.place else { continue };
        if tables.queue.remove((job.device.0, before, due, seq))?.is_some() {
            tables.queue.insert((job.device.0, job.class(), due, seq), (job.id.as_str(), item.index))?;
        }
    }
    save_and_tell(tables, &job, now, told(&job))?;
    Ok(job)
}

/// Puts the items of jobs whose start has come into the queue, at most `limit` jobs.
///
/// Returns their devices, and when the next job starts (milliseconds since 1970).
pub fn begin_due(tables: &mut Tables<'_>, now: i64, limit: usize) -> Result<(Vec<DeviceNo>, Option<i64>)> {
    let mut due = Vec::new();
    for row in tables.job_starts.range((i64::MIN, "")..(now.saturating_add(1), ""))?.take(limit) {
        due.push(JobId(row?.0.value().1.to_owned()));
    }
    let mut devices = Vec::new();
    for id in due {
        let job = existing(tables, &id)?;
        forget_start(tables, &job)?;
        for mut item in pending(tables, &job)? {
            enqueue(tables, &job, &mut item, now)?;
        }
        devices.push(job.device);
    }
    let next = tables.job_starts.first()?.map(|(key, _)| key.value().0);
    Ok((devices, next))
}

/// Returns when the next delayed job starts, in milliseconds since 1970.
pub fn next_start(view: &View) -> Result<Option<i64>> {
    Ok(view.job_starts()?.first()?.map(|(key, _)| key.value().0))
}

/// Notes when a job starts that waits for its time.
pub(super) fn remember_start(tables: &mut Tables<'_>, job: &Job, now: i64) -> Result<()> {
    if let Some(at) = job.start_at.filter(|at| *at > now) {
        tables.job_starts.insert((at, job.id.as_str()), ())?;
    }
    Ok(())
}

fn forget_start(tables: &mut Tables<'_>, job: &Job) -> Result<()> {
    if let Some(at) = job.start_at {
        tables.job_starts.remove((at, job.id.as_str()))?;
    }
    Ok(())
}

fn pending(tables: &Tables<'_>, job: &Job) -> Result<Vec<Item>> {
    let mut items = items_of(&tables.items, job.id.as_str(), 0, u32::MAX)?;
    items.retain(|item| item.state == ItemState::Pending);
    Ok(items)
}

/// Gives an item a place and shows its message as waiting.
fn enqueue(tables: &mut Tables<'_>, job: &Job, item: &mut Item, now: i64) -> Result<()> {
    line_up(tables, job, item, now)?;
    if let Some((hash, _)) = file_of(item) {
        media::hold_again(tables, hash, &job.id, item.index, now)?;
    }
    put_item(tables, &job.id, item)?;
    let Some(mut message) = message_of(tables, job, item)? else { return Ok(()) };
    message.at = now;
    messages::wait_again(tables, &message)
}

fn withdraw(tables: &mut Tables<'_>, job: &Job, item: &mut Item) -> Result<()> {
    leave_queue(tables, job, item)?;
    item.state = ItemState::Cancelled;
    put_item(tables, &job.id, item)?;
    match &item.outgoing {
        Some(outgoing) => {
            let chat = identities::canonical_in(tables, job.device, &outgoing.to)?;
            messages::remove_outgoing(tables, job.device, &chat, &item.message_id)
        }
        None => Ok(()),
    }
}

fn arrived_after_all(tables: &Tables<'_>, job: &Job, item: &Item) -> Result<bool> {
    let Some(outgoing) = &item.outgoing else { return Ok(false) };
    let chat = identities::canonical_in(tables, job.device, &outgoing.to)?;
    let status = messages::own_status(tables, job.device, &chat, &item.message_id)?;
    Ok(status.is_some_and(|status| status >= MessageStatus::Sent))
}

fn save_and_tell(tables: &mut Tables<'_>, job: &Job, now: i64, fact: Fact) -> Result<()> {
    put(tables, job)?;
    let scope = devices::scope(&devices::existing(tables, job.device)?);
    outbox::append(tables, now, scope, fact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::job::{ItemError, JobKind};
    use crate::store::jobs::tests::{job, line, put_job, settled};
    use crate::store::jobs::{Outcome, get, insert, is_waiting, items};
    use crate::store::messages::tests::store_with_device;
    use crate::store::{Store, chats};

    const JOB: &str = "send-text-bulk_1_aaaaaa";

    fn id() -> JobId {
        JobId(JOB.into())
    }

    fn status(store: &Store) -> JobStatus {
        get(&store.view().expect("a view"), JOB).expect("read").expect("found").status
    }

    fn failed() -> Outcome {
        Outcome::Failed(ItemError { code: "send_timed_out".into(), network: None })
    }

    #[tokio::test]
    async fn a_paused_job_keeps_its_turn() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        put_job(&store, device, JOB, JobKind::SendTextBulk, 3, 1).await;
        put_job(&store, device, "later", JobKind::SendTextBulk, 1, 2).await;
        settled(&store, JOB, 0, Outcome::Sent).await;
        store.write(|t| pause(t, &id(), 3)).await.expect("paused");
        assert_eq!((line(&store, device), status(&store)), (vec!["later-0".into()], JobStatus::Paused));
        assert!(!is_waiting(&store.view().expect("a view"), &id(), 1).expect("read"));
        // What was in flight lands.
        settled(&store, JOB, 1, Outcome::Sent).await;
        assert_eq!(status(&store), JobStatus::Paused);
        store.write(|t| resume(t, &id(), 4)).await.expect("resumed");
        assert_eq!(line(&store, device), [format!("{JOB}-2"), "later-0".into()]);
        assert_eq!(status(&store), JobStatus::Processing);
        let again = store.write(|t| resume(t, &id(), 4)).await;
        assert_eq!(again.expect_err("runs").code(), Code::JobNotPaused);
    }

    /// A device goes while an entry of a cancelled job is still in flight.
    #[tokio::test]
    async fn nothing_of_a_device_stays_in_the_queue() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        put_job(&store, device, JOB, JobKind::SendTextBulk, 2, 1).await;
        put_job(&store, device, "single", JobKind::SendSingle, 1, 2).await;
        store.write(|t| cancel(t, &id(), 5, |index| index == 0)).await.expect("cancelled");
        assert_eq!(line(&store, device).len(), 2);
        store.write(move |t| cancel_of_device(t, device, 6)).await.expect("all cancelled");
        assert!(line(&store, device).is_empty());
        assert_eq!(status(&store), JobStatus::Cancelled);
    }

    #[tokio::test]
    async fn a_retry_sends_what_failed_or_was_cancelled_under_the_same_ids() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        put_job(&store, device, JOB, JobKind::SendTextBulk, 4, 1).await;
        settled(&store, JOB, 0, Outcome::Sent).await;
        settled(&store, JOB, 1, failed()).await;
        settled(&store, JOB, 2, failed()).await;
        let early = store.write(|t| retry(t, &id(), 5)).await;
        assert_eq!(early.expect_err("runs").code(), Code::JobNotEnded);
        store.write(|t| cancel(t, &id(), 5, |_| false)).await.expect("cancelled");
        // The recipient had it all the same.
        let chat = "6281234567890@s.whatsapp.net".parse().expect("an address");
        let late = format!("{JOB}-1");
        store
            .write(move |t| {
                messages::advance(t, device, &chat, std::slice::from_ref(&late), MessageStatus::Delivered, 6)
            })
            .await
            .expect("advanced");
        let job = store.write(|t| retry(t, &id(), 7)).await.expect("retried");
        assert_eq!((job.status, job.succeeded, job.failed, job.retries), (JobStatus::Queued, 2, 0, 1));
        assert_eq!(line(&store, device), [format!("{JOB}-2"), format!("{JOB}-3")]);
        for index in [2, 3] {
            settled(&store, JOB, index, Outcome::Sent).await;
        }
        assert_eq!(status(&store), JobStatus::Completed);
        let none = store.write(|t| retry(t, &id(), 8)).await;
        assert_eq!(none.expect_err("all sent").code(), Code::JobNothingToRetry);
        let view = store.view().expect("a view");
        let history = messages::page(
            &view,
            device,
            &"6281234567890@s.whatsapp.net".parse().expect("an address"),
            None,
            10,
        );
        let mut ids: Vec<_> = history.expect("a page").into_iter().map(|message| message.id).collect();
        ids.sort();
        assert_eq!(ids, (0..4).map(|n| format!("{JOB}-{n}")).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn malformed_entries_are_not_tried_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let (job, mut items) = job(device, JOB, JobKind::SendTextBulk, 1, 1);
        (items[0].outgoing, items[0].state) = (None, ItemState::Failed);
        store.write(move |t| insert(t, &job, &items, None)).await.expect("inserted");
        let none = store.write(|t| retry(t, &id(), 5)).await;
        assert_eq!(none.expect_err("nothing").code(), Code::JobNothingToRetry);
        assert_eq!(status(&store), JobStatus::Failed);
    }

    #[tokio::test]
    async fn a_preferred_job_goes_ahead_at_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        put_job(&store, device, "first", JobKind::SendTextBulk, 2, 1).await;
        put_job(&store, device, JOB, JobKind::SendTextBulk, 1, 2).await;
        settled(&store, "first", 0, Outcome::Sent).await;
        store.write(|t| prioritise(t, &id(), Priority::High, 3)).await.expect("changed");
        assert_eq!(line(&store, device), [format!("{JOB}-0"), "first-1".into()]);
        store.write(|t| prioritise(t, &id(), Priority::Low, 3)).await.expect("changed");
        assert_eq!(line(&store, device), ["first-1".into(), format!("{JOB}-0")]);
    }

    #[tokio::test]
    async fn a_job_with_a_start_waits_for_it_and_shows_nothing_before() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let (mut job, entries) = job(device, JOB, JobKind::SendTextBulk, 2, 1);
        job.start_at = Some(100);
        store.write(move |t| insert(t, &job, &entries, None)).await.expect("inserted");
        let begun = || store.write(|t| begin_due(t, 99, 10));
        assert_eq!(begun().await.expect("looked"), (vec![], Some(100)));
        assert!(chats::page(&store.view().expect("a view"), device, None, 10).expect("read").is_empty());
        store.write(|t| pause(t, &id(), 2)).await.expect("paused");
        assert_eq!(begun().await.expect("looked"), (vec![], None));
        store.write(|t| resume(t, &id(), 3)).await.expect("resumed");
        assert_eq!(status(&store), JobStatus::Queued);
        assert_eq!(begun().await.expect("looked"), (vec![], Some(100)));
        assert!(line(&store, device).is_empty());
        let (devices, next) = store.write(|t| begin_due(t, 100, 10)).await.expect("begun");
        assert_eq!((devices, next), (vec![device], None));
        assert_eq!(line(&store, device).len(), 2);
        // Removing the device takes paused jobs along.
        store.write(|t| pause(t, &id(), 101)).await.expect("paused");
        store.write(move |t| cancel_of_device(t, device, 102)).await.expect("cancelled");
        assert_eq!(status(&store), JobStatus::Cancelled);
        assert!(
            items(&store.view().expect("a view"), JOB, 0, 9)
                .expect("read")
                .iter()
                .all(|item| item.state == ItemState::Cancelled)
        );
    }
}
