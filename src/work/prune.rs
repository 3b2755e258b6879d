//! Retention: drops what nobody can ask for any more.

use crate::error::{Context as _, Result};
use crate::gateway::Gateway;
use crate::model::day::Day;
use crate::model::media::FileHash;
use crate::store::{
    Store, Tables, activity, channels, early, expiry, file_uses, jobs, logins, media, messages,
    notifications, outbox, schedules, status_posts,
};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Pause between two rounds.
const EVERY: Duration = Duration::from_secs(60);
/// Rows dropped per transaction: a long one would make senders wait.
const BATCH: usize = 500;
/// Pause between two rounds of what is rare or long to look for: files that no row names, as a crash may leave them, and rows that
/// nobody can tell from missing ones.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// Listed jobs dropped per transaction; each may have 10,000 entries.
const JOBS: usize = 5;

/// Prunes until the program stops.
pub async fn run(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    let mut swept: Option<Instant> = None;
    loop {
        match step(&gateway).await {
            Ok(0) => {}
            Ok(dropped) => tracing::debug!(dropped, "pruned what nobody asks for any more"),
            Err(error) => tracing::error!(%error, "pruning the store failed, the next round tries again"),
        }
        if swept.is_none_or(|at| at.elapsed() >= SWEEP_EVERY) {
            swept = Some(Instant::now());
            if let Err(error) = seldom(&gateway).await {
                tracing::error!(%error, "pruning the store failed, the next round tries again");
            }
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

/// Does one round and returns how many rows went.
async fn step(gateway: &Gateway) -> Result<usize> {
    let (store, now) = (gateway.store(), gateway.clock().now());
    outbox::trim(store).await?;
    while store.scan(move |view| expiry::has_over(view, now)).await? {
        store.write(move |t| expiry::prune(t, now, BATCH)).await?;
    }
    if store.scan(move |view| status_posts::has_old(view, now)).await? {
        piecewise(store, move |t| status_posts::prune(t, now, BATCH)).await?;
    }
    files(gateway, now).await?;
    retain(gateway).await
}

/// Drops what grows slowly and is asked for by age, so that going a little late does not matter.
async fn seldom(gateway: &Gateway) -> Result<usize> {
    let (store, now) = (gateway.store(), gateway.clock().now());
    store.write(move |t| logins::prune(t, now)).await?;
    store.write(activity::trim).await?;
    store.write(notifications::trim).await?;
    let keys = store.scan(move |view| jobs::stale_keys(view, now)).await?;
    for piece in keys.chunks(BATCH).map(<[_]>::to_vec) {
        store.write(move |t| jobs::forget_keys(t, &piece, now)).await?;
    }
    let waited = now.saturating_sub(early::KEEP_MS);
    if store.scan(move |view| early::has_old(view, waited)).await? {
        piecewise(store, move |t| early::prune(t, waited, BATCH)).await?;
    }
    piecewise(store, move |t| jobs::prune(t, now, BATCH)).await
}

/// Drops what is older than the configuration wants it kept.
async fn retain(gateway: &Gateway) -> Result<usize> {
    let (store, keep, now) = (gateway.store(), &gateway.config().retention, gateway.clock().now());
    let before = |span: i64| (span > 0).then(|| now.saturating_sub(span));
    let mut dropped = 0;
    if let Some(before) = before(keep.jobs.millis()) {
        dropped += piecewise(store, move |t| jobs::prune_listed(t, before, JOBS)).await?;
    }
    // A look costs nothing; a round that has nothing to do shall not write to the disk.
    if let Some(before) = before(keep.schedules.millis())
        && store.scan(move |view| schedules::has_old(view, before)).await?
    {
        dropped += piecewise(store, move |t| schedules::prune(t, before, BATCH)).await?;
    }
    if let Some(before) = before(keep.messages.millis())
        && store.scan(move |view| channels::has_old(view, before)).await?
    {
        dropped += piecewise(store, move |t| channels::prune(t, before, BATCH)).await?;
    }
    if let Some(before) = before(keep.messages.millis()) {
        // Whole days go, so that what is left of a day is always the day that was counted.
        let midnight = Day::of(before).start();
        for no in store.scan(move |view| messages::with_old(view, midnight)).await? {
            dropped += piecewise(store, move |t| messages::prune(t, no, midnight, BATCH)).await?;
        }
    }
    Ok(dropped)
}

/// Calls `drop_some` in one transaction after the other until nothing is left, and returns how many rows went.
async fn piecewise<F>(store: &Store, drop_some: F) -> Result<usize>
where
    F: Fn(&mut Tables<'_>) -> Result<usize> + Clone + Send + 'static,
{
    let mut dropped = 0;
    loop {
        let piece = drop_some.clone();
        match store.write(move |tables| piece(tables)).await? {
            0 => return Ok(dropped),
            went => dropped += went,
        }
    }
}

/// Removes the files that no message shows any more, those that are older than the owner wants to keep them, and the oldest ones
/// beyond the room for all.
async fn files(gateway: &Gateway, now: i64) -> Result<()> {
    while gateway.store().scan(file_uses::any_released).await? {
        let gone = gateway.store().write(|t| media::take_released(t, BATCH)).await?;
        remove(gateway, move || Ok(gone)).await?;
    }
    let rule = &gateway.config().media;
    let until = Some(rule.keep_for.millis()).filter(|kept| *kept > 0).map(|kept| now - kept);
    let max_bytes = Some(u64::from(rule.max_total_mb) << 20).filter(|max| *max > 0);
    while gateway.store().scan(move |view| media::has_old(view, until, max_bytes)).await? {
        let gone = gateway.store().write(move |t| media::prune(t, until, max_bytes, BATCH)).await?;
        if gone.is_empty() {
            return Ok(());
        }
        tracing::debug!(files = gone.len(), "removing files of messages");
        remove(gateway, move || Ok(gone)).await?;
    }
    Ok(())
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
