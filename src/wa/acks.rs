//! Messages whose frame is on its way and that the network has not judged yet.

use super::outcome::{PendingAck, SendFailure, Verdict};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// What waits for the network, by message id. The bound is the number of messages in flight, which the queue limits.
#[derive(Default)]
pub(super) struct Acks {
    waiting: Mutex<HashMap<String, oneshot::Sender<Verdict>>>,
}

impl Acks {
    /// Begins to wait for the network's word on a message. A former wait for the same id ends without one.
    pub(super) fn expect(&self, id: &str, deadline: Duration) -> PendingAck {
        let (sender, verdict) = oneshot::channel();
        self.lock().insert(id.to_owned(), sender);
        PendingAck { verdict, deadline }
    }

    /// Passes the network's word on; `error` is its number when it refused.
    pub(super) fn settle(&self, id: &str, error: Option<&str>) {
        let Some(sender) = self.lock().remove(id) else { return };
        let verdict = match error {
            None => Ok(()),
            Some(code) => Err(SendFailure::Refused { code: code.parse().unwrap_or(0) }),
        };
        // Nobody waits any more when the deadline has passed.
        let _ = sender.send(verdict);
    }

    /// Ends the wait for a message that was not sent.
    pub(super) fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    /// Ends all waits because the connection is gone.
    pub(super) fn connection_lost(&self) {
        self.lock().clear();
    }

    /// The map is whole at any time.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Verdict>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(20);
    const LATE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn the_network_accepts_refuses_or_is_silent() {
        let acks = Acks::default();
        let (accepted, refused, silent) =
            (acks.expect("A", LATE), acks.expect("B", LATE), acks.expect("C", SOON));
        acks.settle("A", None);
        acks.settle("B", Some("463"));
        acks.settle("unknown", None);
        assert!(accepted.wait().await.is_ok());
        assert!(matches!(refused.wait().await, Err(SendFailure::Refused { code: 463 })));
        assert!(matches!(silent.wait().await, Err(SendFailure::TimedOut)));
    }

    #[tokio::test]
    async fn a_lost_connection_ends_all_waits_at_once() {
        let acks = Acks::default();
        let pending = acks.expect("A", LATE);
        acks.connection_lost();
        assert!(matches!(pending.wait().await, Err(SendFailure::TimedOut)));
    }
}
