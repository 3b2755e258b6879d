//! What waits for its time: due schedules become jobs, and jobs with a start of their own begin.

use crate::error::Result;
use crate::gateway::Gateway;
use crate::store::{jobs, schedules};
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
    let schedule = loop {
        let fired = gateway.store().write(move |t| schedules::fire_due(t, now, patience, BATCH)).await?;
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
