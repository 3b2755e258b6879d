//! Things that happen by themselves: start all, stop all. A loop that panics is logged, counted and restarted.

mod diary;
mod media;
mod prune;
mod queue;
mod schedule;

use crate::gateway::Gateway;
use futures_util::FutureExt as _;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Pause before a loop that panicked starts again: a loop that panics at once must not eat the machine.
const RESTART_AFTER: Duration = Duration::from_secs(1);

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Returns how often a loop panicked since the program started.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// The running loops.
pub struct Work {
    stop: watch::Sender<bool>,
    loops: JoinSet<()>,
}

/// Starts every loop.
pub fn start(gateway: &Gateway) -> Work {
    let (stop, stopped) = watch::channel(false);
    let mut loops = JoinSet::new();
    let with = || (gateway.clone(), stopped.clone());
    let (one, two, three, four, five) = (with(), with(), with(), with(), with());
    loops.spawn(supervise("queue", move || queue::run(one.0.clone(), one.1.clone())));
    loops.spawn(supervise("prune", move || prune::run(two.0.clone(), two.1.clone())));
    loops.spawn(supervise("schedule", move || schedule::run(three.0.clone(), three.1.clone())));
    loops.spawn(supervise("diary", move || diary::run(four.0.clone(), four.1.clone())));
    loops.spawn(supervise("media", move || media::run(five.0.clone(), five.1.clone())));
    Work { stop, loops }
}

impl Work {
    /// Tells every loop to stop, waits up to `patience` for what is in flight, then ends the rest.
    pub async fn stop(mut self, patience: Duration) {
        self.stop.send_replace(true);
        let all = async { while self.loops.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!(
                "some loops did not stop in time and were ended; what they held stays in the queue"
            );
            self.loops.shutdown().await;
        }
    }
}

/// Runs `work` until it ends by itself, which it does when the program stops; after a panic it starts anew.
async fn supervise<F, Fut>(name: &'static str, work: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = ()>,
{
    while AssertUnwindSafe(work()).catch_unwind().await.is_err() {
        count_panic(name);
        tokio::time::sleep(RESTART_AFTER).await;
    }
}

fn count_panic(name: &'static str) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    tracing::error!(work = name, "a background loop panicked and is started again");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_panics_is_counted_and_started_again() {
        let runs = Arc::new(AtomicU32::new(0));
        let before = panics();
        let counted = runs.clone();
        supervise("test", move || {
            let run = counted.fetch_add(1, Ordering::SeqCst);
            async move { assert!(run >= 2, "on purpose") }
        })
        .await;
        assert_eq!(runs.load(Ordering::SeqCst), 3);
        assert!(panics() >= before + 2);
    }
}
