//! The single writer thread: group commit, all or nothing per caller.
//!
//! While one commit waits for the disk, the next callers collect themselves; they share the next transaction and its one
//! fsync. When somebody in a batch fails or panics, the transaction is dropped and each caller runs alone, so that nobody's
//! write is spoilt. A closure may therefore run twice: its only effect is on the tables.

use super::tables::Tables;
use crate::error::{Code, Context, Error, Result};
use redb::Database;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot, watch};

/// Callers per transaction at most: bounds how long the first one of a batch waits.
const BATCH_MAX: usize = 256;
/// Callers that may wait in line before `write` itself waits.
const QUEUE_MAX: usize = 1024;

type Work = Box<dyn FnMut(&mut Tables<'_>) -> Result<()> + Send>;

struct Caller {
    work: Work,
    done: oneshot::Sender<Result<()>>,
}

/// The way to the writer thread. The thread ends when the last handle is gone.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Caller>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Writer {
    /// Starts the writer thread; `outbox` hears the highest outbox number after each commit that wrote one.
    pub(super) fn start(db: Arc<Database>, outbox: watch::Sender<u64>) -> Result<Self> {
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write_loop(&db, queue, &outbox))
            .context("starting the writer thread of the store")?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Runs `work` in the next transaction and returns once it is on disk.
    pub(super) async fn write<T, F>(&self, mut work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tables<'_>) -> Result<T> + Send + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let out = slot.clone();
        let work: Work = Box::new(move |tables| {
            let value = work(tables)?;
            *lock(&out) = Some(value);
            Ok(())
        });
        let (done, committed) = oneshot::channel();
        let closed = || Error::new(Code::Unavailable).context("the store is closed");
        let queue = lock(&self.queue).clone().ok_or_else(closed)?;
        queue.send(Caller { work, done }).await.map_err(|_| closed())?;
        committed.await.map_err(|_| closed())??;
        let value = lock(&slot).take();
        value.ok_or_else(|| Error::broken("a committed write left no value"))
    }

    /// Finishes what is queued and ends the thread. Later writes are refused.
    pub(super) fn stop(&self) {
        lock(&self.queue).take();
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread of the store panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A poisoned lock only says that another caller panicked; the value behind these locks is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write_loop(db: &Database, mut queue: mpsc::Receiver<Caller>, outbox: &watch::Sender<u64>) {
    while let Some(first) = queue.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX {
            match queue.try_recv() {
                Ok(caller) => batch.push(caller),
                Err(_) => break,
            }
        }
        // The common case: all succeed and share one commit. A batch of one needs no second run.
        if batch.len() > 1 && commit(db, batch.iter_mut().map(|caller| &mut caller.work), outbox).is_ok() {
            batch.into_iter().for_each(|caller| answer(caller.done, Ok(())));
            continue;
        }
        for mut caller in batch {
            let result = commit(db, std::iter::once(&mut caller.work), outbox);
            answer(caller.done, result);
        }
    }
}

/// A caller that no longer waits (its request was dropped) needs no answer; its write stands.
fn answer(done: oneshot::Sender<Result<()>>, result: Result<()>) {
    let _ = done.send(result);
}

fn commit<'a>(
    db: &Database,
    works: impl Iterator<Item = &'a mut Work>,
    outbox: &watch::Sender<u64>,
) -> Result<()> {
    let tx = db.begin_write().context("beginning a write")?;
    let head = {
        let mut tables = Tables::open(&tx)?;
        for work in works {
            catch_unwind(AssertUnwindSafe(|| work(&mut tables)))
                .unwrap_or_else(|_| Err(Error::broken("a write panicked")))?;
        }
        tables.finish()?;
        tables.outbox_head
    };
    tx.commit().context("committing a write")?;
    if let Some(head) = head {
        outbox.send_replace(head);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use crate::error::{Code, Error};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_failing_or_panicking_caller_spoils_nobodys_write() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        let callers: Vec<_> = (0..200u64)
            .map(|n| {
                let store = store.clone();
                tokio::spawn(async move {
                    store
                        .write(move |t| {
                            t.meta.insert(format!("row-{n}").as_str(), n)?;
                            match n {
                                57 => Err(Error::new(Code::JobEnded)),
                                99 => panic!("on purpose"),
                                _ => Ok(n),
                            }
                        })
                        .await
                })
            })
            .collect();
        let mut failed = Vec::new();
        for (n, caller) in callers.into_iter().enumerate() {
            if let Err(error) = caller.await.expect("no panic reaches a caller") {
                failed.push((n, error.code()));
            }
        }
        assert_eq!(failed, [(57, Code::JobEnded), (99, Code::Internal)]);
        let rows = (0..200u64).filter(|n| {
            let key = format!("row-{n}");
            store
                .view()
                .expect("a view")
                .meta()
                .expect("the table")
                .get(key.as_str())
                .expect("a read")
                .is_some()
        });
        assert_eq!(rows.count(), 198);
    }

    #[tokio::test]
    async fn a_stopped_store_finishes_what_was_queued_and_refuses_the_rest() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        store.write(|t| Ok(t.meta.insert("kept", 1).map(drop)?)).await.expect("written");
        store.close();
        let refused = store.write(|t| Ok(t.meta.insert("late", 1).map(drop)?)).await;
        assert_eq!(refused.expect_err("refused").code(), Code::Unavailable);
    }
}
