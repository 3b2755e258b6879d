//! Retention: drops what nobody can ask for any more.

use crate::error::{Context as _, Result};
use crate::gateway::Gateway;
use crate::model::media::FileHash;
use crate::store::{activity, expiry, jobs, logins, media, notifications, outbox};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// Jobs dropped per transaction: a long one would make senders wait.
const BATCH: usize = 500;
/// Pause between two looks for files that no row names, as a crash may leave them. They are rare, and looking reads folders.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Prunes until the program stops.
pub async fn run(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    let mut swept: Option<Instant> = None;
    loop {
        match step(&gateway).await {
            Ok(0) => {}
            Ok(dropped) => tracing::debug!(dropped, "pruned ended requests"),
            Err(error) => tracing::error!(%error, "pruning the store failed, the next round tries again"),
        }
        if swept.is_none_or(|at| at.elapsed() >= SWEEP_EVERY) {
            swept = Some(Instant::now());
            if let Err(error) = sweep(&gateway).await {
                tracing::error!(%error, "looking for left files failed, the next round tries again");
            }
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
    files(gateway, now).await?;
    let mut dropped = 0;
    loop {
        let batch = store.write(move |t| jobs::prune(t, now, BATCH)).await?;
        dropped += batch;
        if batch == 0 {
            return Ok(dropped);
        }
    }
}

/// Removes the files that are older than the owner wants to keep them, and the oldest ones beyond the room for all.
async fn files(gateway: &Gateway, now: i64) -> Result<()> {
    let rule = &gateway.config().media;
    let until = Some(rule.keep_for.millis()).filter(|kept| *kept > 0).map(|kept| now - kept);
    let max_bytes = Some(u64::from(rule.max_total_mb) << 20).filter(|max| *max > 0);
    loop {
        let gone = gateway.store().write(move |t| media::prune(t, until, max_bytes, BATCH)).await?;
        if gone.is_empty() {
            return Ok(());
        }
        tracing::debug!(files = gone.len(), "removing files of messages");
        remove(gateway, move || Ok(gone)).await?;
    }
}

/// Removes files that no row names.
async fn sweep(gateway: &Gateway) -> Result<()> {
    let store = gateway.store().clone();
    let orphans = move || {
        let view = store.view()?;
        store.files().orphans(|hash| media::is_stored(&view, hash))
    };
    remove(gateway, orphans).await
}

async fn remove(
    gateway: &Gateway,
    which: impl FnOnce() -> Result<Vec<FileHash>> + Send + 'static,
) -> Result<()> {
    let store = gateway.store().clone();
    let work = tokio::task::spawn_blocking(move || {
        let is_named = |hash| media::is_stored(&store.view()?, hash);
        store.files().remove(&which()?, is_named)
    });
    work.await.context("removing files")?
}
