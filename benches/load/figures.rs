//! What a run is reduced to.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Rate and latencies of one load.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Figures {
    /// Messages per second that the network acknowledged.
    pub per_second: f64,
    /// Half of the messages were acknowledged within this many milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 messages were acknowledged within this many milliseconds.
    pub p99_ms: f64,
}

impl Figures {
    /// Reduces the latencies of all messages that were acknowledged within `time`.
    pub fn of(mut latencies: Vec<Duration>, time: Duration) -> Self {
        latencies.sort_unstable();
        let at = |part: f64| {
            let index = (latencies.len() as f64 * part) as usize;
            latencies.get(index.min(latencies.len().saturating_sub(1))).map_or(f64::NAN, ms)
        };
        let per_second = latencies.len() as f64 / time.as_secs_f64();
        Self { per_second, p50_ms: at(0.5), p99_ms: at(0.99) }
    }

    /// Returns the run with the middle rate.
    pub fn median(mut runs: Vec<Self>) -> Option<Self> {
        runs.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        runs.get(runs.len() / 2).copied()
    }
}

/// Returns the middle value.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns a time in milliseconds.
pub fn ms(time: &Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
