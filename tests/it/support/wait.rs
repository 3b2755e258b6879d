//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// Returns once the day in Jakarta has a few minutes to go, so that what counts days does not see it change.
pub fn away_from_midnight() {
    const DAY: u64 = 86_400;
    const ENDS_AT: u64 = 17 * 3_600;
    const LEFT: u64 = 180;
    wait_until("the next day", Duration::from_secs(2 * LEFT), || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        let left = (ENDS_AT + DAY - now % DAY) % DAY;
        (left == 0 || left > LEFT).then_some(())
    });
}
