//! Retention: drops what nobody can ask for any more.

use crate::error::Result;
use crate::gateway::Gateway;
use crate::store::{activity, expiry, jobs, logins, notifications, outbox};
use std::time::Duration;
use tokio::sync::watch;

/// Pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// Jobs dropped per transaction: a long one would make senders wait.
const BATCH: usize = 500;

/// Prunes until the program stops.
pub async fn run(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    loop {
        match step(&gateway).await {
            Ok(0) => {}
            Ok(dropped) => tracing::debug!(dropped, "pruned ended requests"),
            Err(error) => tracing::error!(%error, "pruning the store failed, the next round tries again"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// Does one round and returns how many ended requests went.
async fn step(gateway: &Gateway) -> Result<usize> {
    let (store, now) = (gateway.store(), gateway.clock().now());
    outbox::trim(store).await?;
    store.write(move |t| logins::prune(t, now)).await?;
    store.write(activity::trim).await?;
    store.write(notifications::trim).await?;
    while store.write(move |t| expiry::prune(t, now, BATCH)).await? == BATCH {}
    let mut dropped = 0;
    loop {
        let batch = store.write(move |t| jobs::prune(t, now, BATCH)).await?;
        dropped += batch;
        if batch == 0 {
            return Ok(dropped);
        }
    }
}
