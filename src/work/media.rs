//! Fetches the files of incoming messages: a few at a time, again when something passes, and never for ever.

use crate::error::{Context as _, Result};
use crate::gateway::Gateway;
use crate::model::device::DeviceStatus;
use crate::model::media::{Media, MediaState, Remote};
use crate::model::message::Message;
use crate::store::files::Received;
use crate::store::media::{self, Wanted};
use crate::store::messages;
use crate::wa::DownloadFailure;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::sync::watch;

/// Files that are fetched at the same time.
const PARALLEL: usize = 4;
/// Look again at least this often, also without news.
const POLL: Duration = Duration::from_secs(30);
/// Pauses behind failed attempts, in milliseconds. After the last one the file is given up.
const PAUSES_MS: [i64; 6] = [5_000, 30_000, 120_000, 600_000, 3_600_000, 6 * 3_600_000];
/// Pause behind an attempt during which the device went away, in milliseconds; it does not count.
const AWAY_MS: i64 = 30_000;

/// Fetches until the program stops.
pub async fn run(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    let mut news = gateway.store().outbox_head();
    while !*stopped.borrow() {
        // Seen before looking, so that what comes in between wakes the wait.
        news.borrow_and_update();
        match step(&gateway).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "fetching files of messages failed, the next round tries again");
            }
        }
        let due = next_due(&gateway);
        let clock = gateway.clock().clone();
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = clock.sleep_until(due.unwrap_or(i64::MAX)), if due.is_some() => {}
            changed = news.changed() => if changed.is_err() { return },
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}

/// Fetches what is due and returns whether there was anything.
async fn step(gateway: &Gateway) -> Result<bool> {
    let now = gateway.clock().now();
    // What a device that is away has to fetch stays where it is; its coming back is news.
    let is_there = |device| gateway.fleet().live(device).status == DeviceStatus::Connected;
    let due = media::due(&gateway.store().view()?, now, PARALLEL, is_there)?;
    let any = !due.is_empty();
    for done in join_all(due.iter().map(|wanted| fetch(gateway, wanted))).await {
        done?;
    }
    Ok(any)
}

fn next_due(gateway: &Gateway) -> Option<i64> {
    let view = gateway.store().view().ok()?;
    media::next_due(&view, gateway.clock().now()).ok()?
}

async fn fetch(gateway: &Gateway, wanted: &Wanted) -> Result<()> {
    let message = messages::at(&gateway.store().view()?, wanted.device, &wanted.chat, wanted.at, &wanted.id)?;
    let Some((message, file)) =
        message.and_then(|message| Some((message.clone(), message.content.media()?.clone())))
    else {
        return forget(gateway, wanted).await;
    };
    if !is_wanted(gateway, &file) {
        return end(gateway, wanted, Media { state: MediaState::Skipped, ..file }, None).await;
    }
    match gateway.fleet().download(wanted.device, &file).await {
        Ok(received) => end(gateway, wanted, Media { size: received.size, ..file }, Some(received)).await,
        Err(DownloadFailure::Expired) => ask_again(gateway, wanted, &message, file).await,
        Err(failure) => put_off(gateway, wanted, file, failure).await,
    }
}

fn is_wanted(gateway: &Gateway, file: &Media) -> bool {
    let rule = &gateway.config().media;
    let is_once = file.remote.as_ref().is_none_or(|remote| remote.view_once);
    rule.download && !is_once && file.size <= u64::from(rule.incoming_max_mb) << 20
}

/// Asks the sender's phone for a file that WhatsApp no longer has; the next attempt fetches it from its new place.
async fn ask_again(gateway: &Gateway, wanted: &Wanted, message: &Message, file: Media) -> Result<()> {
    let Some(remote) = file.remote.clone() else { return forget(gateway, wanted).await };
    match gateway.fleet().download_again(message, &remote).await {
        Ok(direct_path) => {
            let moved = Media { remote: Some(Remote { direct_path, ..remote }), ..file };
            let (wanted, now) = (wanted.clone(), gateway.clock().now());
            gateway.store().write(move |t| media::moved(t, &wanted, &moved, now)).await
        }
        Err(failure) => put_off(gateway, wanted, file, failure).await,
    }
}

async fn put_off(gateway: &Gateway, wanted: &Wanted, file: Media, failure: DownloadFailure) -> Result<()> {
    let pause = match &failure {
        DownloadFailure::NotConnected => Some((AWAY_MS, false)),
        DownloadFailure::Gone | DownloadFailure::Broken(_) => None,
        DownloadFailure::Expired | DownloadFailure::Passing(_) => {
            PAUSES_MS.get(wanted.attempts as usize).map(|pause| (*pause, true))
        }
    };
    let Some((pause, counts)) = pause else {
        tracing::warn!(device = %wanted.device, ?failure, "the file of a message is given up");
        return end(gateway, wanted, Media { state: MediaState::Failed, ..file }, None).await;
    };
    tracing::debug!(device = %wanted.device, ?failure, pause, "the file of a message will be fetched again");
    let (wanted, due) = (wanted.clone(), gateway.clock().now() + pause);
    gateway.store().write(move |t| media::postpone(t, &wanted, due, counts)).await
}

/// Puts a fetched file in its place and shows in the message what became of it.
async fn end(gateway: &Gateway, wanted: &Wanted, mut file: Media, received: Option<Received>) -> Result<()> {
    let pin = match received {
        Some(received) => {
            (file.file, file.state) = (Some(received.hash), MediaState::Ready);
            let files = gateway.store().files().clone();
            let kept = tokio::task::spawn_blocking(move || files.keep(&received)).await;
            Some(kept.context("keeping a fetched file")??)
        }
        None => None,
    };
    let (wanted, now) = (wanted.clone(), gateway.clock().now());
    gateway.store().write(move |t| media::fetched(t, &wanted, &file, now)).await?;
    drop(pin);
    Ok(())
}

async fn forget(gateway: &Gateway, wanted: &Wanted) -> Result<()> {
    let wanted = wanted.clone();
    gateway.store().write(move |t| media::forget(t, &wanted)).await
}
