//! Schedules, what is due, and the step from a due schedule to a job: one commit, so that no run is lost or made twice.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{devices, jobs, outbox};
use crate::error::{Code, Error, Result};
use crate::model::event::{Fact, ScheduleChange};
use crate::model::id::{DeviceNo, JobId, ScheduleId, message_id};
use crate::model::job::{Item, ItemError, ItemState, Job, JobKind, Pacing};
use crate::model::schedule::{Due, Schedule, ScheduleStatus};
use redb::{ReadableTable, ReadableTableMetadata as _};

/// What came of looking for due schedules.
#[derive(Debug, Default)]
pub struct Fired {
    /// Devices whose lanes have something new.
    pub devices: Vec<DeviceNo>,
    /// When the next schedule is due, in milliseconds since 1970.
    pub next: Option<i64>,
}

/// Schedules that wait for their time at most: a message a minute for two months, and a loop that stays fast.
pub const WAITING_MAX: u64 = 100_000;

/// Inserts a schedule and tells it. Refuses when [`WAITING_MAX`] of them wait already.
pub fn insert(tables: &mut Tables<'_>, schedule: &Schedule) -> Result<()> {
    if tables.schedules_due.len()? >= WAITING_MAX {
        return Err(Error::new(Code::ScheduleTooMany).with("max", WAITING_MAX));
    }
    let place = (schedule.device.0, schedule.created_at, schedule.id.as_str());
    tables.schedules_by_device.insert(place, ())?;
    put(tables, None, schedule)?;
    tell(tables, schedule, ScheduleChange::Updated, schedule.created_at)
}

/// Changes a schedule by hand and tells it. `change` may refuse.
pub fn update(
    tables: &mut Tables<'_>,
    id: &ScheduleId,
    now: i64,
    change: impl FnOnce(&mut Schedule) -> Result<()>,
) -> Result<Schedule> {
    let mut schedule = existing(tables, id)?;
    let due = schedule.due;
    change(&mut schedule)?;
    put(tables, due, &schedule)?;
    tell(tables, &schedule, ScheduleChange::Updated, now)?;
    Ok(schedule)
}

/// Cancels a schedule with the run that waits to be sent. Refuses while `in_flight` says that a run is being sent.
pub fn cancel(
    tables: &mut Tables<'_>,
    id: &ScheduleId,
    now: i64,
    in_flight: impl Fn(&JobId) -> bool,
) -> Result<Schedule> {
    if let Some(job) = existing(tables, id)?.job {
        if in_flight(&job) {
            return Err(Error::new(Code::ScheduleBeingSent));
        }
        jobs::cancel(tables, &job, now, |_| false)?;
    }
    update(tables, id, now, |schedule| {
        schedule.job = None;
        schedule.cancel()
    })
}

/// Cancels the open schedules of a device, before it is removed.
pub fn cancel_of_device(tables: &mut Tables<'_>, device: DeviceNo, now: i64) -> Result<()> {
    let mut open = Vec::new();
    for row in tables.schedules_by_device.range(of_device(device))? {
        let row = row?.0;
        let id = row.value().2;
        if read(&tables.schedules, id)?.is_some_and(|schedule| !schedule.status.is_ended()) {
            open.push(ScheduleId(id.to_owned()));
        }
    }
    open.iter().try_for_each(|id| update(tables, id, now, Schedule::cancel).map(drop))
}

/// Turns schedules that are due into jobs with their message ids, at most `limit`; what was missed fails.
///
/// Of several runs that wait for a device the newest one is sent: an older one goes, unless `in_flight` says that it is being
/// sent.
pub fn fire_due(
    tables: &mut Tables<'_>,
    now: i64,
    patience_ms: i64,
    limit: usize,
    in_flight: impl Fn(&JobId) -> bool,
) -> Result<Fired> {
    let mut due = Vec::new();
    for row in tables.schedules_due.range((i64::MIN, "")..(now.saturating_add(1), ""))?.take(limit) {
        due.push(ScheduleId(row?.0.value().1.to_owned()));
    }
    let mut fired = Fired::default();
    for id in due {
        let mut schedule = existing(tables, &id)?;
        let before = schedule.due;
        match schedule.take_due(now, patience_ms)? {
            Due::Run(at) => {
                if let Some(older) = schedule.job.take().filter(|job| !in_flight(job)) {
                    jobs::cancel(tables, &older, now, |_| false)?;
                }
                let (job, item) = run_of(&schedule, at + patience_ms, now);
                jobs::insert(tables, &job, std::slice::from_ref(&item), None)?;
                (schedule.job, schedule.message_id) = (Some(job.id), Some(item.message_id));
                fired.devices.push(schedule.device);
                put(tables, before, &schedule)?;
            }
            Due::Missed => {
                let error = ItemError { code: Code::ScheduleMissed.name(), network: None };
                schedule.message_id = None;
                schedule.run_ended(None, Some(error), now);
                put(tables, before, &schedule)?;
                tell(tables, &schedule, ScheduleChange::Failed, now)?;
            }
        }
    }
    fired.next = tables.schedules_due.first()?.map(|(key, _)| key.value().0);
    Ok(fired)
}

/// Takes what came of a run's message into its schedule, in the commit that settles it.
pub(super) fn run_ended(
    tables: &mut Tables<'_>,
    id: &ScheduleId,
    job: &JobId,
    item: &Item,
    now: i64,
) -> Result<()> {
    let Some(mut schedule) = read(&tables.schedules, id.as_str())? else { return Ok(()) };
    let due = schedule.due;
    schedule.run_ended(Some(job), item.error.clone(), now);
    schedule.message_id = Some(item.message_id.clone());
    put(tables, due, &schedule)?;
    let sent = item.state == ItemState::Sent;
    tell(tables, &schedule, if sent { ScheduleChange::Sent } else { ScheduleChange::Failed }, now)
}

/// Returns when the next schedule is due, in milliseconds since 1970.
pub fn next_due(view: &View) -> Result<Option<i64>> {
    Ok(view.schedules_due()?.first()?.map(|(key, _)| key.value().0))
}

/// Returns the schedule, or none.
pub fn get(view: &View, id: &str) -> Result<Option<Schedule>> {
    read(&view.schedules()?, id)
}

/// Returns the schedules of a device that `wanted` accepts, newest first.
pub fn of(view: &View, device: DeviceNo, wanted: impl Fn(&Schedule) -> bool) -> Result<Vec<Schedule>> {
    let (order, schedules) = (view.schedules_by_device()?, view.schedules()?);
    let mut found = Vec::new();
    for row in order.range(of_device(device))?.rev() {
        let row = row?.0;
        found.extend(read(&schedules, row.value().2)?.filter(|schedule| wanted(schedule)));
    }
    Ok(found)
}

/// Returns whether there is a schedule that [`prune`] would drop.
pub fn has_old(view: &View, before: i64) -> Result<bool> {
    Ok(!old(&view.schedules_by_device()?, &view.schedules()?, before, 1)?.is_empty())
}

/// Drops schedules that ended before `before` (milliseconds since 1970), at most `limit`; returns how many went.
pub fn prune(tables: &mut Tables<'_>, before: i64, limit: usize) -> Result<usize> {
    let gone = old(&tables.schedules_by_device, &tables.schedules, before, limit)?;
    for (device, created, id) in &gone {
        tables.schedules.remove(id.as_str())?;
        tables.schedules_by_device.remove((*device, *created, id.as_str()))?;
    }
    Ok(gone.len())
}

type Places = (u32, i64, &'static str);

fn old(
    order: &impl ReadableTable<Places, ()>,
    schedules: &impl ReadableTable<&'static str, &'static [u8]>,
    before: i64,
    limit: usize,
) -> Result<Vec<(u32, i64, String)>> {
    let mut found = Vec::new();
    for row in order.iter()? {
        let row = row?.0;
        let (device, created, id) = row.value();
        let is_old =
            |one: &Schedule| one.status.is_ended() && one.sent_at.unwrap_or(created).max(one.at) < before;
        // Whatever ended before that was made before that.
        if created < before && read(schedules, id)?.is_none_or(|schedule| is_old(&schedule)) {
            found.push((device, created, id.to_owned()));
        }
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

/// The job of one run. It is given up at `deadline` (milliseconds since 1970).
fn run_of(schedule: &Schedule, deadline: i64, now: i64) -> (Job, Item) {
    let pacing = Pacing::Every { ms: 0 };
    let job = Job::new(JobKind::SendScheduled, schedule.device, schedule.user, pacing, 1, now);
    let item = Item {
        index: 0,
        to: schedule.outgoing.to.to_string(),
        outgoing: Some(schedule.outgoing.clone()),
        message_id: message_id(),
        state: ItemState::Pending,
        error: None,
        attempts: 0,
        settled_at: None,
        place: None,
    };
    (Job { deadline: Some(deadline), schedule: Some(schedule.id.clone()), ..job }, item)
}

fn tell(tables: &mut Tables<'_>, schedule: &Schedule, change: ScheduleChange, now: i64) -> Result<()> {
    let scope = devices::scope(&devices::existing(tables, schedule.device)?);
    let fact = Fact::Schedule {
        schedule: schedule.id.clone(),
        change,
        status: schedule.status,
        message_id: schedule.message_id.clone(),
        error: schedule.error.clone(),
    };
    outbox::append(tables, now, scope, fact)
}

fn of_device(device: DeviceNo) -> std::ops::RangeInclusive<(u32, i64, &'static str)> {
    (device.0, i64::MIN, "")..=(device.0, i64::MAX, "\u{10ffff}")
}

fn existing(tables: &Tables<'_>, id: &ScheduleId) -> Result<Schedule> {
    read(&tables.schedules, id.as_str())?.ok_or_else(|| Error::new(Code::ScheduleNotFound))
}

fn read(table: &impl ReadableTable<&'static str, &'static [u8]>, id: &str) -> Result<Option<Schedule>> {
    match table.get(id)? {
        Some(row) => decode("schedules", id, row.value()).map(Some),
        None => Ok(None),
    }
}

/// Writes the row and its place among what is due; `before` is where it stood.
fn put(tables: &mut Tables<'_>, before: Option<i64>, schedule: &Schedule) -> Result<()> {
    tables.schedules.insert(schedule.id.as_str(), encode(schedule)?.as_slice())?;
    if before == schedule.due {
        return Ok(());
    }
    if let Some(before) = before {
        tables.schedules_due.remove((before, schedule.id.as_str()))?;
    }
    if let Some(due) = schedule.due.filter(|_| schedule.status == ScheduleStatus::Pending) {
        tables.schedules_due.insert((due, schedule.id.as_str()), ())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schedule::tests::{every_minute, schedule};
    use crate::store::Store;
    use crate::store::jobs::Outcome;
    use crate::store::messages::tests::store_with_device;

    const MINUTE: i64 = 60_000;
    const PATIENCE: i64 = 15 * MINUTE;

    async fn put_schedule(store: &Store, schedule: &Schedule) -> ScheduleId {
        let stored = schedule.clone();
        store.write(move |t| insert(t, &stored)).await.expect("inserted");
        schedule.id.clone()
    }

    async fn fire(store: &Store, now: i64) -> Fired {
        store.write(move |t| fire_due(t, now, PATIENCE, 10, |_| false)).await.expect("fired")
    }

    fn read_one(store: &Store, id: &ScheduleId) -> Schedule {
        get(&store.view().expect("a view"), id.as_str()).expect("read").expect("found")
    }

    fn waiting(store: &Store, device: DeviceNo) -> Vec<jobs::Waiting> {
        jobs::waiting(&store.view().expect("a view"), device, 100, |_, _| false).expect("read")
    }

    async fn settle(store: &Store, job: &JobId, outcome: Outcome) {
        let job = job.clone();
        store.write(move |t| jobs::settle(t, &job, 0, &outcome, 9)).await.expect("settled");
    }

    #[tokio::test]
    async fn what_ended_long_ago_goes_and_what_waits_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for (id, status, at) in [
            ("sent", ScheduleStatus::Sent, 5),
            ("cancelled-early", ScheduleStatus::Cancelled, 900),
            ("waits", ScheduleStatus::Paused, 5),
        ] {
            let schedule =
                Schedule { id: ScheduleId(id.into()), status, at, created_at: 1, ..schedule(5, None) };
            store.write(move |t| insert(t, &schedule)).await.expect("stored");
        }
        let has_old = |before: i64| has_old(&store.view().expect("a view"), before).expect("read");
        assert!(!has_old(5) && has_old(6));
        assert_eq!(store.write(|t| prune(t, 100, 10)).await.expect("pruned"), 1);
        let left = of(&store.view().expect("a view"), device, |_| true).expect("read");
        let mut left: Vec<_> = left.iter().map(|schedule| schedule.id.as_str()).collect();
        left.sort_unstable();
        assert_eq!(left, ["cancelled-early", "waits"]);
    }

    #[tokio::test]
    async fn a_due_schedule_becomes_one_job_however_often_it_is_looked_at() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let id = put_schedule(&store, &schedule(MINUTE, None)).await;
        assert_eq!(fire(&store, MINUTE - 1).await.next, Some(MINUTE));
        assert!(waiting(&store, device).is_empty());
        let fired = fire(&store, MINUTE).await;
        assert_eq!((fired.devices, fired.next), (vec![device], None));
        assert!(fire(&store, 2 * MINUTE).await.devices.is_empty());
        let line = waiting(&store, device);
        assert_eq!((line.len(), line[0].job.deadline), (1, Some(MINUTE + PATIENCE)));
        assert_eq!(read_one(&store, &id).message_id.as_deref(), Some(line[0].item.message_id.as_str()));
        settle(&store, &line[0].job.id, Outcome::Sent).await;
        let ended = read_one(&store, &id);
        assert_eq!((ended.status, ended.sent_at, ended.job), (ScheduleStatus::Sent, Some(9), None));
    }

    #[tokio::test]
    async fn of_runs_that_wait_for_a_device_the_newest_is_sent_and_a_cancelled_schedule_leaves_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let id = put_schedule(&store, &schedule(MINUTE, every_minute(None, None))).await;
        let mut newest = String::new();
        for minute in 1..=3 {
            fire(&store, minute * MINUTE).await;
            let line = waiting(&store, device);
            assert_eq!(line.len(), 1);
            assert_ne!(line[0].item.message_id, newest);
            newest.clone_from(&line[0].item.message_id);
        }
        // What is being sent is finished.
        store.write(|t| fire_due(t, 4 * MINUTE, PATIENCE, 10, |_| true)).await.expect("fired");
        assert_eq!(waiting(&store, device).len(), 2);
        let first = waiting(&store, device)[0].job.id.clone();
        settle(&store, &first, Outcome::Sent).await;
        store.write(move |t| cancel(t, &id, 5 * MINUTE, |_| false)).await.expect("cancelled");
        assert!(waiting(&store, device).is_empty());
    }

    #[tokio::test]
    async fn what_was_missed_fails_and_a_recurrence_goes_on() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let once = put_schedule(&store, &schedule(MINUTE, None)).await;
        let often = put_schedule(&store, &schedule(2 * MINUTE, every_minute(None, None))).await;
        fire(&store, 60 * MINUTE).await;
        let missed = read_one(&store, &once);
        assert_eq!(missed.status, ScheduleStatus::Failed);
        assert_eq!(missed.error.expect("a reason").code, "schedule_missed");
        assert_eq!(waiting(&store, device).len(), 1, "the newest run of the recurrence");
        assert_eq!(read_one(&store, &often).due, Some(61 * MINUTE));
        // The clock is set back: nothing runs twice.
        assert!(fire(&store, 30 * MINUTE).await.devices.is_empty());
    }

    #[tokio::test]
    async fn a_cancelled_schedule_takes_its_waiting_run_along_but_not_one_in_flight() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let id = put_schedule(&store, &schedule(MINUTE, None)).await;
        fire(&store, MINUTE).await;
        let one = id.clone();
        let refused = store.write(move |t| cancel(t, &one, MINUTE, |_| true)).await;
        assert_eq!(refused.expect_err("in flight").code(), Code::ScheduleBeingSent);
        let one = id.clone();
        store.write(move |t| cancel(t, &one, MINUTE, |_| false)).await.expect("cancelled");
        assert!(waiting(&store, device).is_empty());
        assert_eq!(read_one(&store, &id).status, ScheduleStatus::Cancelled);
        let again = store.write(move |t| cancel(t, &id, MINUTE, |_| false)).await;
        assert_eq!(again.expect_err("ended").code(), Code::ScheduleEnded);
    }

    #[tokio::test]
    async fn paused_and_removed_schedules_never_fire() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let paused = put_schedule(&store, &schedule(MINUTE, None)).await;
        let removed =
            put_schedule(&store, &Schedule { id: ScheduleId("other".into()), ..schedule(MINUTE, None) })
                .await;
        let one = paused.clone();
        store.write(move |t| update(t, &one, 0, Schedule::pause)).await.expect("paused");
        let one = removed.clone();
        store.write(move |t| update(t, &one, 0, Schedule::cancel)).await.expect("cancelled");
        assert_eq!(fire(&store, MINUTE).await.next, None);
        store.write(move |t| cancel_of_device(t, device, 5)).await.expect("cancelled");
        let all = of(&store.view().expect("a view"), device, |_| true).expect("read");
        assert_eq!(all.iter().filter(|one| one.status == ScheduleStatus::Cancelled).count(), 2);
    }
}
