//! What happened, for whoever watches the control API. A slow watcher loses the oldest events, never the network its pace.

use serde_json::{Value, json};
use tokio::sync::broadcast;

/// Events kept for a watcher that is behind.
const BACKLOG: usize = 1024;

/// The live feed.
pub struct Events(broadcast::Sender<Value>);

impl Events {
    /// Starts a feed without watchers.
    pub fn new() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }

    /// Joins the feed; events from now on arrive.
    pub fn subscribe(&self) -> broadcast::Receiver<Value> {
        self.0.subscribe()
    }

    /// Tells the watchers; `event` runs only when there are any.
    pub fn tell(&self, event: impl FnOnce() -> Value) {
        if self.0.receiver_count() > 0 {
            // It fails only when the last watcher left in this moment.
            let _ = self.0.send(event());
        }
    }

    /// Tells that a companion of a phone changed its state.
    pub fn companion(&self, phone: &str, device: u16, state: &str) {
        self.tell(|| json!({"type": "companion", "phone": phone, "device": device, "state": state}));
    }
}
