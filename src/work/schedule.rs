//! What waits for its time: due schedules become jobs, and jobs with a start of their own begin.

use crate::error::Result;
use crate::gateway::Gateway;
use crate::model::id::JobId;
use crate::store::{Tables, jobs, schedules};
use std::time::Duration;
use tokio::sync::watch;

/// Schedules per transaction: a long one would make senders wait.
const BATCH: usize = 100;
/// Jobs per transaction; one may have ten thousand items.
const JOBS_BATCH: usize = 1;
/// Look again at least this often: a wake-up that was lost costs a minute, not a message.
const POLL: Duration = Duration::from_secs(60);
/// Pause after the store failed.
const RETRY: Duration = Duration::from_secs(5);

/// Starts what is due until the program stops.
pub async fn run(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    loop {
        let (next, poll) = match step(&gateway).await {
            Ok(next) => (next.unwrap_or(i64::MAX), POLL),
            Err(error) => {
                tracing::error!(%error, "starting what is due failed, it is tried again");
                (i64::MAX, RETRY)
            }
        };
        tokio::select! {
            () = gateway.alarms().rung() => {}
            () = gateway.clock().sleep_until(next) => {}
            () = tokio::time::sleep(poll) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// Starts everything that is due and returns when the next comes, in milliseconds since 1970.
pub(super) async fn step(gateway: &Gateway) -> Result<Option<i64>> {
    let patience = gateway.config().schedules.patience.millis();
    let now = gateway.clock().now();
    let is_due = |next: Option<i64>| next.is_some_and(|at| at <= now);
    let view = gateway.store().view()?;
    let (schedule, job) = (schedules::next_due(&view)?, jobs::next_start(&view)?);
    drop(view);
    if !is_due(schedule) && !is_due(job) {
        // A round that has nothing to do shall not write.
        return Ok([schedule, job].into_iter().flatten().min());
    }
    let schedule = loop {
        let withheld = gateway.queue().withhold();
        let held = withheld.clone();
        let in_flight = move |job: &JobId| held.is_in_flight(job, 0);
        let fire = move |t: &mut Tables<'_>| schedules::fire_due(t, now, patience, BATCH, &in_flight);
        let fired = gateway.store().write(fire).await?;
        drop(withheld);
        fired.devices.iter().for_each(|device| gateway.queue().wake(*device));
        if !is_due(fired.next) {
            break fired.next;
        }
    };
    let job = loop {
        let (devices, next) = gateway.store().write(move |t| jobs::begin_due(t, now, JOBS_BATCH)).await?;
        devices.iter().for_each(|device| gateway.queue().wake(*device));
        if !is_due(next) {
            break next;
        }
    };
    Ok([schedule, job].into_iter().flatten().min())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::testing;
    use crate::gateway::{Caller, NewDevice, Proof, When};
    use crate::model::id::UserId;
    use crate::model::message::{Outgoing, Text};
    use crate::model::user::Role;
    use chrono::DateTime;
    use std::collections::{BTreeMap, HashSet};

    const HOURS: i64 = 3_600_000;
    /// Local times that a night with a change of the clocks is about, and one in a zone without any.
    const DAILY: [(&str, &str, &str); 4] = [
        ("half past two", "30 2 * * *", "Europe/Berlin"),
        ("nine", "0 9 * * *", "Europe/Berlin"),
        ("every hour", "30 * * * *", "Europe/Berlin"),
        ("nine in Jakarta", "0 9 * * *", "Asia/Jakarta"),
    ];

    fn ms(at: &str) -> i64 {
        DateTime::parse_from_rfc3339(at).expect("a time").timestamp_millis()
    }

    /// Lives through 24 hours from `noon`, second by second around each due time, with a restart every six hours.
    /// Returns when each schedule ran, in UTC.
    async fn day(noon: &str, once: &str) -> BTreeMap<String, Vec<String>> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (begin, mut ids) = (ms(noon), BTreeMap::new());
        let gateway = testing::gateway_in(dir.path(), begin).await;
        testing::owner(&gateway).await;
        let caller = Caller { user: UserId(1), role: Role::Admin, proof: Proof::Open };
        let new = NewDevice { id: Some("toko-1".into()), ..NewDevice::default() };
        let device = gateway.create_device(&caller, new).await.expect("a device");
        let to = || "6281211110022@s.whatsapp.net".parse().expect("an address");
        let text = |name: &str| Outgoing::text(to(), Text::parse(name).expect("a text"));
        let whens = DAILY.iter().map(|(name, cron, zone)| {
            let when = When { cron: Some((*cron).into()), timezone: Some((*zone).into()), ..When::default() };
            (*name, when)
        });
        let one = When { time: Some(once.into()), timezone: Some("Europe/Berlin".into()), ..When::default() };
        for (name, when) in whens.chain([("once", one)]) {
            let made = gateway.schedule(&caller, &device, text(name), when).await.expect("a schedule");
            ids.insert(made.id, name);
        }
        // A run that waits makes room for the next one of its schedule, so that each is noted when it is made.
        let (mut runs, mut seen) = (BTreeMap::<String, Vec<String>>::new(), HashSet::new());
        let mut note = |gateway: &Gateway| {
            let view = gateway.store().view().expect("a view");
            for waiting in jobs::waiting(&view, device.no, 1_000, |_, _| false).expect("the queue") {
                if seen.insert(waiting.job.id) {
                    let of = runs.entry(ids[&waiting.job.schedule.expect("a schedule")].into()).or_default();
                    let at = DateTime::from_timestamp_millis(waiting.job.created_at).expect("a time");
                    of.push(at.format("%dT%H:%M:%S").to_string());
                }
            }
        };
        let (mut next, mut gateway) = (Some(begin), gateway);
        for restart in (1..=4).map(|n| begin + n * 6 * HOURS) {
            while let Some(due) = next.filter(|due| *due <= restart) {
                // A second early nothing happens; looking twice at the due time starts one run.
                for at in [due - 1_000, due, due] {
                    let by = (at - gateway.clock().now()).max(0);
                    gateway.clock().advance(Duration::from_millis(by as u64));
                    next = step(&gateway).await.expect("a step");
                    note(&gateway);
                }
            }
            drop(gateway);
            gateway = testing::gateway_in(dir.path(), restart).await;
            next = step(&gateway).await.expect("a step");
            note(&gateway);
        }
        runs
    }

    fn hourly(from: &str, count: i64) -> Vec<String> {
        let at = |n| DateTime::from_timestamp_millis(ms(from) + n * HOURS).expect("a time");
        (0..count).map(|n| at(n).format("%dT%H:%M:%S").to_string()).collect()
    }

    /// The clocks of Berlin jump from 02:00 to 03:00 at 2024-03-31T01:00:00Z.
    #[tokio::test]
    async fn in_the_night_of_a_skipped_hour_each_schedule_runs_once_at_its_second() {
        let runs = day("2024-03-30T12:00:00Z", "2024-03-31 02:30:00").await;
        assert_eq!(runs["half past two"], ["31T01:00:00"]);
        assert_eq!(runs["once"], ["31T01:00:00"]);
        assert_eq!(runs["nine"], ["31T07:00:00"]);
        assert_eq!(runs["nine in Jakarta"], ["31T02:00:00"]);
        assert_eq!(runs["every hour"], hourly("2024-03-30T12:30:00Z", 24));
    }

    /// The clocks of Berlin go back from 03:00 to 02:00 at 2024-10-27T01:00:00Z.
    #[tokio::test]
    async fn in_the_night_of_a_doubled_hour_named_times_run_once_and_hours_run_all() {
        let runs = day("2024-10-26T12:00:00Z", "2024-10-27 02:30:00").await;
        assert_eq!(runs["half past two"], ["27T00:30:00"]);
        assert_eq!(runs["once"], ["27T00:30:00"]);
        assert_eq!(runs["nine"], ["27T08:00:00"]);
        assert_eq!(runs["nine in Jakarta"], ["27T02:00:00"]);
        assert_eq!(runs["every hour"], hourly("2024-10-26T12:30:00Z", 24));
    }
}
