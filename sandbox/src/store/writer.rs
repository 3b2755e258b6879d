//! The one thread that writes. While one commit runs, the next batches collect themselves and share its fsync.

use super::{Effect, Row, Table};
use anyhow::{Context, Result};
use redb::Database;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::{Notify, oneshot};

/// Batches per commit: large enough that a burst shares one fsync, small enough that its effects start soon.
const COMMIT_MAX: usize = 2048;
/// Batches waiting before readers of client sockets are slowed down.
const BACKLOG_MAX: usize = 8192;

enum Job {
    Write { rows: Vec<Row>, effects: Vec<Effect> },
    Stop(oneshot::Sender<()>),
}

/// Handle of the writer thread.
pub(super) struct Writer {
    jobs: Mutex<mpsc::Sender<Job>>,
    load: Arc<Load>,
}

#[derive(Default)]
struct Load {
    waiting: AtomicUsize,
    eased: Notify,
}

impl Writer {
    pub(super) fn start(db: Arc<Database>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let load = Arc::new(Load::default());
        let shared = load.clone();
        std::thread::Builder::new()
            .name("network-writer".into())
            .spawn(move || {
                let stopped = write_loop(&db, &queue, &shared);
                // Only without the file is the stop complete: the next network opens it right away.
                drop(db);
                if let Some(stopped) = stopped {
                    let _ = stopped.send(());
                }
            })
            .context("starting the writer thread")?;
        Ok(Self { jobs: Mutex::new(jobs), load })
    }

    /// True while earlier batches are not stored yet, so that a batch without rows must queue behind them.
    pub(super) fn busy(&self) -> bool {
        self.load.waiting.load(Ordering::Acquire) > 0
    }

    pub(super) fn submit(&self, rows: Vec<Row>, effects: Vec<Effect>) {
        self.load.waiting.fetch_add(1, Ordering::AcqRel);
        self.send(Job::Write { rows, effects });
    }

    pub(super) async fn room(&self) {
        while self.load.waiting.load(Ordering::Acquire) > BACKLOG_MAX {
            let eased = self.load.eased.notified();
            if self.load.waiting.load(Ordering::Acquire) > BACKLOG_MAX {
                eased.await;
            }
        }
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        self.send(Job::Stop(done));
        // An error means that the thread is gone already.
        let _ = closed.await;
    }

    fn send(&self, job: Job) {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.send(job).is_err() {
            tracing::debug!("batch dropped: the store is closed");
        }
    }
}

/// Writes until it is told to stop; returns who waits for that.
fn write_loop(db: &Database, queue: &mpsc::Receiver<Job>, load: &Load) -> Option<oneshot::Sender<()>> {
    let mut next = queue.recv().ok();
    while let Some(first) = next.take() {
        let mut rows = Vec::new();
        let mut effects = Vec::new();
        let mut batches = 0;
        let mut stop = None;
        let mut job = Some(first);
        while let Some(taken) = job.take() {
            match taken {
                Job::Write { rows: more, effects: then } => {
                    rows.extend(more);
                    effects.extend(then);
                    batches += 1;
                }
                Job::Stop(done) => stop = Some(done),
            }
            if stop.is_none() && batches < COMMIT_MAX {
                job = queue.try_recv().ok();
            }
        }
        match commit(db, rows) {
            Ok(()) => effects.into_iter().for_each(|effect| effect()),
            // Nothing of it is acknowledged: to the clients this looks like a network that does not answer.
            Err(error) => tracing::error!("storing {batches} changes: {error:#}"),
        }
        if load.waiting.fetch_sub(batches, Ordering::AcqRel) > BACKLOG_MAX {
            load.eased.notify_waiters();
        }
        if stop.is_some() {
            return stop;
        }
        next = queue.recv().ok();
    }
    None
}

fn commit(db: &Database, rows: Vec<Row>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let tx = db.begin_write()?;
    for table in Table::ALL {
        let mut rows = rows.iter().filter(|row| row.table == *table).peekable();
        if rows.peek().is_none() {
            continue;
        }
        let mut open = tx.open_table(table.definition())?;
        for row in rows {
            match &row.value {
                Some(value) => drop(open.insert(row.key.as_str(), value.as_slice())?),
                None => drop(open.remove(row.key.as_str())?),
            }
        }
    }
    tx.commit()?;
    Ok(())
}
