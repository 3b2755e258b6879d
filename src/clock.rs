//! Time. Wall-clock rules go through [`Clock`], so that tests move time by hand.

use chrono::{DateTime, Datelike as _, TimeZone, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// Tells the time and waits for it.
#[derive(Clone)]
pub struct Clock {
    hand: Option<Arc<Hand>>,
}

struct Hand {
    now: AtomicI64,
    moved: Notify,
}

impl Clock {
    /// Returns the clock of the machine.
    pub fn real() -> Self {
        Self { hand: None }
    }

    /// Returns a clock that stands still at `now` until [`Clock::advance`].
    pub fn by_hand(now: Millis) -> Self {
        Self { hand: Some(Arc::new(Hand { now: AtomicI64::new(now), moved: Notify::new() })) }
    }

    /// Returns the current time in milliseconds since 1970.
    pub fn now(&self) -> Millis {
        match &self.hand {
            Some(hand) => hand.now.load(Ordering::SeqCst),
            None => Utc::now().timestamp_millis(),
        }
    }

    /// Moves a clock made by [`Clock::by_hand`]; the machine's clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Some(hand) = &self.hand {
            hand.now.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
            hand.moved.notify_waiters();
        }
    }

    /// Returns once the time is `at` or later.
    pub async fn sleep_until(&self, at: Millis) {
        loop {
            match &self.hand {
                Some(hand) => {
                    let moved = hand.moved.notified();
                    if self.now() >= at {
                        return;
                    }
                    moved.await;
                }
                None => {
                    let left = at - self.now();
                    if left <= 0 {
                        return;
                    }
                    // Short naps, because the machine's clock may be set while we sleep.
                    tokio::time::sleep(Duration::from_millis(left.min(1_000) as u64)).await;
                }
            }
        }
    }
}

/// Returns `at` as `2024-01-01T12:00:00.000Z`.
pub fn iso_ms(at: Millis) -> String {
    utc(at).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Returns `at` as `2024-01-01T12:00:00Z`.
pub fn iso_s(at: Millis) -> String {
    utc(at).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Returns `at` as `2024-01-01 12:00:00` in Asia/Jakarta, the local form of the contract.
pub fn local(at: Millis) -> String {
    utc(at).with_timezone(&chrono_tz::Asia::Jakarta).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Returns the time in Asia/Jakarta as a sentence holds it, `1 January 2024 19:00`; `months` are the names of the months.
pub fn local_in_words(at: Millis, months: &[&str; 12]) -> String {
    let local = utc(at).with_timezone(&chrono_tz::Asia::Jakarta);
    format!("{} {} {}", local.day(), months[local.month0() as usize], local.format("%Y %H:%M"))
}

fn utc(at: Millis) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(at).single().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_contract_shows_them() {
        let at = 1_704_110_400_000;
        assert_eq!(iso_ms(at), "2024-01-01T12:00:00.000Z");
        assert_eq!(iso_s(at), "2024-01-01T12:00:00Z");
        assert_eq!(local(at), "2024-01-01 19:00:00");
        assert_eq!(local_in_words(at, &["January"; 12]), "1 January 2024 19:00");
    }

    #[tokio::test]
    async fn a_clock_moved_by_hand_wakes_its_sleepers() {
        let clock = Clock::by_hand(1_000);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(5_000).await }
        });
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(4));
        sleeper.await.expect("the sleeper ends");
    }
}
