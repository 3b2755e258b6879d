//! The time of day. The network only stamps with it; nothing here schedules.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the seconds since the epoch.
pub fn now_s() -> u64 {
    now_ms() / 1000
}

/// Returns the milliseconds since the epoch.
pub fn now_ms() -> u64 {
    // Before 1970 there is no WhatsApp: a clock that far off shows as zero.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
