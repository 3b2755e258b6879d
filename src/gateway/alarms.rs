//! The wake-up of what waits for its time: schedules, and jobs that start later.

use std::sync::Arc;
use tokio::sync::Notify;

/// Shared by the gateway, which changes what is due, and the loop that waits for it. Clones share it.
#[derive(Clone, Default)]
pub struct Alarms {
    changed: Arc<Notify>,
}

impl Alarms {
    /// Tells the loop that something may be due earlier than it believes. A call while nobody waits is remembered.
    pub fn ring(&self) {
        self.changed.notify_one();
    }

    /// Waits for the next [`Alarms::ring`].
    pub async fn rung(&self) {
        self.changed.notified().await;
    }
}
