//! The queue's tables: jobs, their items, and what waits in which order.
//!
//! There is no stored state "being sent": one process owns the file, so a lane's lease is held in memory, and an item that was
//! in flight when the process died is simply still in the queue. It is sent again under the message id it was given here.

mod control;

pub use control::{begin_due, cancel, cancel_of_device, pause, prioritise, resume, retry};

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use super::{changes, chat_settings, devices, identities, media, messages, outbox, schedules};
use crate::error::{Code, Error, Result};
use crate::model::change::Change;
use crate::model::event::Fact;
use crate::model::id::{DeviceNo, JobId};
use crate::model::job::{Item, ItemError, ItemState, Job};
use crate::model::media::FileHash;
use crate::model::message::{Message, MessageStatus, Outgoing};
use redb::ReadableTable;
use serde::{Deserialize, Serialize};

/// The first answer to an `Idempotency-Key`: the job that it made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Once {
    /// SHA-256 of what was asked, in hex; another question under the same key is refused.
    pub fingerprint: String,
    /// The job of the first request.
    pub job: JobId,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// How long an `Idempotency-Key` is remembered, in milliseconds.
pub const ONCE_KEEP_MS: i64 = 24 * 3_600_000;

/// An `Idempotency-Key` as it goes into the store.
#[derive(Debug, Clone)]
pub struct OnceKey {
    /// Who asks: keys of different callers never meet.
    pub caller: String,
    /// The header's value.
    pub key: String,
    /// SHA-256 of what is asked, in hex.
    pub fingerprint: String,
}

/// What came of an insert.
#[derive(Debug, Clone)]
pub enum Inserted {
    /// The job is new.
    New,
    /// The key was used for the same question before; this is its job.
    Known(JobId),
}

/// What waits at the head of a lane.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The job.
    pub job: Job,
    /// The item whose turn it is.
    pub item: Item,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// WhatsApp accepted the message.
    Sent,
    /// It is given up.
    Failed(ItemError),
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

/// Returns up to `limit` items that are next in the device's lane, single sends ahead of bulk.
///
/// `skip` names the items that the lane holds already.
pub fn waiting(
    view: &View,
    device: DeviceNo,
    limit: usize,
    skip: impl Fn(&str, u32) -> bool,
) -> Result<Vec<Waiting>> {
    let (queue, jobs, items) = (view.queue()?, view.jobs()?, view.items()?);
    let mut found = Vec::new();
    for row in queue.range((device.0, 0, i64::MIN, 0)..=(device.0, u8::MAX, i64::MAX, u64::MAX))? {
        let row = row?.1;
        let (job, index) = row.value();
        if skip(job, index) {
            continue;
        }
        let (Some(job), Some(item)) = (read(&jobs, job)?, read_item(&items, job, index)?) else {
            return Err(Error::broken(format!(
                "the queue names item {index} of job `{job}`, which does not exist"
            )));
        };
        found.push(Waiting { job, item });
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// Returns whether an item still stands in the queue.
pub fn is_waiting(view: &View, job: &JobId, index: u32) -> Result<bool> {
    let (Some(job), Some(item)) =
        (read(&view.jobs()?, job.as_str())?, read_item(&view.items()?, job.as_str(), index)?)
    else {
        return Ok(false);
    };
    match item.place {
        Some((due, seq)) => Ok(view.queue()?.get((job.device.0, job.class(), due, seq))?.is_some()),
        None => Ok(false),
    }
}

/// Settles an item: item, job counters, message and outbox in one commit. Returns the job as it stands now.
///
/// Settling twice changes nothing. An item whose job was cancelled while it was in flight counts as what it became.
pub fn settle(tables: &mut Tables<'_>, job: &JobId, index: u32, outcome: &Outcome, now: i64) -> Result<Job> {
    let mut job = existing(tables, job)?;
    let mut item = existing_item(tables, &job.id, index)?;
    if matches!(item.state, ItemState::Sent | ItemState::Failed) {
        return Ok(job);
    }
    leave_queue(tables, &job, &mut item)?;
    let sent = matches!(outcome, Outcome::Sent);
    item.state = if sent { ItemState::Sent } else { ItemState::Failed };
    item.settled_at = Some(now);
    if let Outcome::Failed(error) = outcome {
        item.error = Some(error.clone());
    }
    put_item(tables, &job.id, &item)?;
    job.count(sent, now);
    put(tables, &job)?;
    tell_settled(tables, &job, &item, now)?;
    if let Some(schedule) = &job.schedule {
        schedules::run_ended(tables, schedule, &job.id, &item, now)?;
    }
    Ok(job)
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

/// Returns the job, or none.
pub fn get(view: &View, id: &str) -> Result<Option<Job>> {
    read(&view.jobs()?, id)
}

/// Returns the items of a job from index `from`, at most `limit`.
pub fn items(view: &View, id: &str, from: u32, limit: u32) -> Result<Vec<Item>> {
    items_of(&view.items()?, id, from, limit)
}

/// Returns the job that this key made before, or none; refuses a different question under the same key.
pub fn once(view: &View, once: &OnceKey, now: i64) -> Result<Option<JobId>> {
    let table = view.idempotency()?;
    let row = table.get((once.caller.as_str(), once.key.as_str()))?;
    row.map_or(Ok(None), |row| same_question(once, row.value(), now))
}

/// Returns all jobs that clients may list, newest first, that `wanted` accepts.
pub fn listed(view: &View, wanted: impl Fn(&Job) -> bool) -> Result<Vec<Job>> {
    let (order, jobs) = (view.jobs_by_time()?, view.jobs()?);
    let mut found = Vec::new();
    for row in order.range((1, i64::MIN, "")..)?.rev() {
        let at = row?.0;
        if let Some(job) = read(&jobs, at.value().2)?
            && wanted(&job)
        {
            found.push(job);
        }
    }
    Ok(found)
}

/// Returns the devices that have something waiting.
pub fn devices_with_work(view: &View) -> Result<Vec<DeviceNo>> {
    let queue = view.queue()?;
    let (mut found, mut from) = (Vec::new(), 0u32);
    while let Some(row) = queue.range((from, 0, i64::MIN, 0)..)?.next() {
        let device = row?.0.value().0;
        found.push(DeviceNo(device));
        match device.checked_add(1) {
            Some(next) => from = next,
            None => break,
        }
    }
    Ok(found)
}

/// Drops ended jobs of requests and idempotency rows that are older than [`ONCE_KEEP_MS`]; at most `limit` jobs.
///
/// Returns how many jobs went.
pub fn prune(tables: &mut Tables<'_>, now: i64, limit: usize) -> Result<usize> {
    let until = now - ONCE_KEEP_MS;
    let gone = drop_ended(tables, 0, until, limit, |_| true)?;
    let mut stale = Vec::new();
    for row in tables.idempotency.iter()? {
        let (at, value) = row?;
        let once: Once = decode("idempotency", at.value(), value.value())?;
        if once.at < until {
            stale.push((at.value().0.to_owned(), at.value().1.to_owned()));
        }
    }
    for (caller, key) in &stale {
        tables.idempotency.remove((caller.as_str(), key.as_str()))?;
    }
    Ok(gone)
}

/// Drops listed jobs with their entries that ended before `before` (milliseconds since 1970); at most `limit`, which count as one
/// each however many entries they have.
///
/// Returns how many jobs went.
pub fn prune_listed(tables: &mut Tables<'_>, before: i64, limit: usize) -> Result<usize> {
    let is_old = |job: &Job| job.finished_at.is_none_or(|finished| finished < before);
    drop_ended(tables, 1, before, limit, is_old)
}

/// Drops ended jobs that were made before `before` and are old.
fn drop_ended(
    tables: &mut Tables<'_>,
    shown: u8,
    before: i64,
    limit: usize,
    is_old: impl Fn(&Job) -> bool,
) -> Result<usize> {
    let mut gone = Vec::new();
    for row in tables.jobs_by_time.range((shown, i64::MIN, "")..(shown, before, ""))? {
        let at = row?.0;
        let (_, created, id) = at.value();
        if read(&tables.jobs, id)?.is_none_or(|job| job.status.is_ended() && is_old(&job)) {
            gone.push((created, id.to_owned()));
        }
        if gone.len() == limit {
            break;
        }
    }
    for (created, id) in &gone {
        tables.items.retain_in((id.as_str(), 0)..=(id.as_str(), u32::MAX), |_, _| false)?;
        tables.jobs.remove(id.as_str())?;
        tables.jobs_by_time.remove((shown, *created, id.as_str()))?;
    }
    Ok(gone.len())
}

fn known_job(tables: &Tables<'_>, once: &OnceKey, now: i64) -> Result<Option<JobId>> {
    let row = tables.idempotency.get((once.caller.as_str(), once.key.as_str()))?;
    row.map_or(Ok(None), |row| same_question(once, row.value(), now))
}

fn same_question(once: &OnceKey, row: &[u8], now: i64) -> Result<Option<JobId>> {
    let known: Once = decode("idempotency", &once.key, row)?;
    if now - known.at > ONCE_KEEP_MS {
        return Ok(None);
    }
    if known.fingerprint != once.fingerprint {
        return Err(Error::new(Code::IdempotencyMismatch));
    }
    Ok(Some(known.job))
}

/// The message of an item as it stands in the history; none when it only changes another one.
fn message_of(tables: &Tables<'_>, job: &Job, item: &Item) -> Result<Option<Message>> {
    let outgoing =
        item.outgoing.as_ref().ok_or_else(|| Error::broken("a waiting item has nothing to send"))?;
    let Some(content) = outgoing.content.stored() else { return Ok(None) };
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

fn tell_settled(tables: &mut Tables<'_>, job: &Job, item: &Item, now: i64) -> Result<()> {
    let Some(mut message) = message_of(tables, job, item)? else {
        return tell_changed(tables, job, item, now);
    };
    message.status = if item.state == ItemState::Sent { MessageStatus::Sent } else { MessageStatus::Failed };
    message.error = item.error.as_ref().map(|error| error.code.clone());
    if !job.kind.is_single() {
        // A bulk message stands in the chat where it was sent, not where the job was made.
        message.at = now;
    }
    let message = messages::settle_outgoing(tables, &message)?;
    let scope = devices::scope(&devices::existing(tables, job.device)?);
    let status = Fact::MessageStatus {
        message_id: message.id.clone(),
        chat: message.chat.to_string(),
        status: message.status,
    };
    if item.state == ItemState::Sent {
        outbox::append(tables, now, scope.clone(), Fact::MessageSent { message })?;
    }
    outbox::append(tables, now, scope.clone(), status)?;
    if job.kind.is_listed() {
        outbox::append(tables, now, scope, told(job))?;
    }
    Ok(())
}

/// Applies a change that WhatsApp accepted to the message that it is about; one that it refused is only told.
fn tell_changed(tables: &mut Tables<'_>, job: &Job, item: &Item, now: i64) -> Result<()> {
    let Some((outgoing, own)) =
        item.outgoing.as_ref().and_then(|outgoing| Some((outgoing, outgoing.content.change()?)))
    else {
        return Ok(());
    };
    if item.state == ItemState::Sent {
        let change = Change {
            device: job.device,
            chat: outgoing.to.clone(),
            target: own.target.clone(),
            by: None,
            at: own.at,
            what: own.what.clone(),
        };
        return changes::apply(tables, &change, now).map(drop);
    }
    let scope = devices::scope(&devices::existing(tables, job.device)?);
    let status = Fact::MessageStatus {
        message_id: item.message_id.clone(),
        chat: outgoing.to.to_string(),
        status: MessageStatus::Failed,
    };
    outbox::append(tables, now, scope, status)
}

/// Gives an item its place at the end of its class, and its message the timer of its chat.
fn line_up(tables: &mut Tables<'_>, job: &Job, item: &mut Item, due: i64) -> Result<()> {
    if let Some(outgoing) = item.outgoing.as_mut().filter(|outgoing| outgoing.content.change().is_none()) {
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

fn existing(tables: &Tables<'_>, id: &JobId) -> Result<Job> {
    read(&tables.jobs, id.as_str())?.ok_or_else(|| Error::new(Code::JobNotFound))
}

fn existing_item(tables: &Tables<'_>, id: &JobId, index: u32) -> Result<Item> {
    let item = read_item(&tables.items, id.as_str(), index)?;
    item.ok_or_else(|| Error::broken(format!("item {index} of job `{id}` does not exist")))
}

fn read(table: &impl ReadableTable<&'static str, &'static [u8]>, id: &str) -> Result<Option<Job>> {
    match table.get(id)? {
        Some(row) => decode("jobs", id, row.value()).map(Some),
        None => Ok(None),
    }
}

fn read_item(
    table: &impl ReadableTable<(&'static str, u32), &'static [u8]>,
    id: &str,
    index: u32,
) -> Result<Option<Item>> {
    match table.get((id, index))? {
        Some(row) => decode("items", (id, index), row.value()).map(Some),
        None => Ok(None),
    }
}

fn items_of(
    table: &impl ReadableTable<(&'static str, u32), &'static [u8]>,
    id: &str,
    from: u32,
    limit: u32,
) -> Result<Vec<Item>> {
    table
        .range((id, from)..=(id, u32::MAX))?
        .take(limit as usize)
        .map(|row| {
            let (at, value) = row?;
            decode("items", at.value(), value.value())
        })
        .collect()
}

fn put(tables: &mut Tables<'_>, job: &Job) -> Result<()> {
    tables.jobs.insert(job.id.as_str(), encode(job)?.as_slice())?;
    Ok(())
}

fn put_item(tables: &mut Tables<'_>, id: &JobId, item: &Item) -> Result<()> {
    tables.items.insert((id.as_str(), item.index), encode(item)?.as_slice())?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::id::UserId;
    use crate::model::job::{JobKind, JobStatus, Pacing};
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
        assert!(matches!(put("four", key("b")).await, Ok(Inserted::New)));
    }
}
