//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

/// Longest wait for anything that should happen. Far above what is normal, for machines that are busy with other tests.
pub const SOON: Duration = Duration::from_secs(60);

/// Returns what `look` finds; fails after [`SOON`] with what was awaited.
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_until(what, SOON, look)
}

/// Returns what `look` finds; fails after `deadline` with what was awaited.
pub fn wait_until<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {deadline:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
