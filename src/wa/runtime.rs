//! The tasks of one client. The library starts dozens that nobody waits for; here they have an owner, so that they end with
//! the session and none of them writes or dials after it.

use super::seat::Parts;
use crate::model::id::DeviceNo;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use wacore::runtime::{AbortHandle, Runtime};
use whatsapp_rust::TokioRuntime;

type Task = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// Runs the tasks of one client. Clones share them.
#[derive(Clone)]
pub(super) struct Tasks {
    inner: Arc<Inner>,
}

struct Inner {
    device: DeviceNo,
    parts: Arc<Parts>,
    /// None after the end.
    running: Mutex<Option<JoinSet<()>>>,
}

impl Tasks {
    pub(super) fn new(device: DeviceNo, parts: Arc<Parts>) -> Self {
        Self { inner: Arc::new(Inner { device, parts, running: Mutex::new(Some(JoinSet::new())) }) }
    }

    /// Ends all tasks; what is started later does not run.
    pub(super) fn end(&self) {
        // Dropping the set aborts its tasks. It is dropped outside of the lock, because their destructors may come back here.
        let running = self.inner.lock().take();
        drop(running);
    }

    fn start(&self, task: Task) -> AbortHandle {
        let mut running = self.inner.lock();
        let Some(set) = running.as_mut() else { return AbortHandle::new(|| {}) };
        while let Some(ended) = set.try_join_next() {
            self.inner.note(ended);
        }
        let handle = set.spawn(task);
        AbortHandle::new(move || handle.abort())
    }
}

impl Inner {
    /// A panic in one of the library's tasks costs what that task was doing; the connection goes on.
    fn note(&self, ended: Result<(), tokio::task::JoinError>) {
        if ended.is_err_and(|why| why.is_panic()) {
            self.parts.crashes.fetch_add(1, Ordering::Relaxed);
            tracing::error!(device = %self.device, "a task of the WhatsApp client panicked");
        }
    }

    /// The set is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime for Tasks {
    fn spawn(&self, task: Task) -> AbortHandle {
        self.start(task)
    }

    fn spawn_detached(&self, task: Task) {
        self.start(task).detach();
    }

    fn sleep(&self, duration: Duration) -> Task {
        TokioRuntime.sleep(duration)
    }

    fn spawn_blocking(&self, work: Box<dyn FnOnce() + Send + 'static>) -> Task {
        TokioRuntime.spawn_blocking(work)
    }

    fn yield_now(&self) -> Option<Task> {
        None
    }
}
