//! The personal logs: writes what users did, a moment later and together.

use crate::gateway::Gateway;
use std::time::Duration;
use tokio::sync::watch;

/// Pause between two commits.
const EVERY: Duration = Duration::from_secs(1);

/// Writes until the program stops; what is noted after that is written by the end of the program.
pub async fn run(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    loop {
        if let Err(error) = gateway.flush_notes().await {
            tracing::error!(%error, "what users did could not be written down");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}
