//! Rate limits: how many requests an address without credential, or a user, may make in a window of time.

use crate::clock::Millis;
use crate::error::{Code, Error};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use warp::http::HeaderMap;
use warp::http::header::{HeaderName, HeaderValue};

/// How many windows are remembered. 10,000 are about a megabyte; beyond, the oldest tenth is forgotten.
const WINDOWS_MAX: usize = 10_000;

/// The limits; 0 turns one off.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Length of the window in milliseconds.
    pub window_ms: i64,
    /// Requests without a valid credential per address and window.
    pub anonymous_max: u32,
    /// Requests per user and window.
    pub user_max: u32,
}

/// Counts requests.
pub(super) struct Counters {
    limits: Limits,
    windows: Mutex<HashMap<Key, Window>>,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Address(IpAddr),
    User(String),
}

#[derive(Clone, Copy)]
struct Window {
    began_at: Millis,
    count: u32,
}

/// What is left after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    limit: u32,
    remaining: u32,
    reset_s: u64,
    exceeded: bool,
}

impl Key {
    /// Returns the key of an address. An IPv6 customer owns a whole /64, so it counts as one.
    pub fn address(ip: IpAddr) -> Self {
        Self::Address(match ip.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !u128::from(u64::MAX)).into()),
            v4 => v4,
        })
    }
}

impl Counters {
    /// Starts with nobody counted.
    pub fn new(limits: Limits) -> Self {
        Self { limits, windows: Mutex::new(HashMap::new()) }
    }

    /// Counts one request; none when the limit is off.
    pub fn count(&self, key: Key, now: Millis) -> Option<Quota> {
        let limit = match key {
            Key::Address(_) => self.limits.anonymous_max,
            Key::User(_) => self.limits.user_max,
        };
        if limit == 0 {
            return None;
        }
        let length = self.limits.window_ms.max(1);
        let is_open = |window: &Window| (0..length).contains(&(now - window.began_at));
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS_MAX && !windows.contains_key(&key) {
            forget(&mut windows, is_open);
        }
        let fresh = Window { began_at: now, count: 0 };
        let window = windows.entry(key).or_insert(fresh);
        if !is_open(window) {
            *window = fresh;
        }
        window.count = window.count.saturating_add(1);
        let left_ms = window.began_at + length - now;
        Some(Quota {
            limit,
            remaining: limit.saturating_sub(window.count),
            reset_s: (left_ms as u64).div_ceil(1000),
            exceeded: window.count > limit,
        })
    }
}

/// Drops windows that are over; when all are open, the oldest tenth.
fn forget(windows: &mut HashMap<Key, Window>, is_open: impl Fn(&Window) -> bool) {
    windows.retain(|_, window| is_open(window));
    if windows.len() >= WINDOWS_MAX {
        let mut begins: Vec<Millis> = windows.values().map(|window| window.began_at).collect();
        let (_, tenth, _) = begins.select_nth_unstable(WINDOWS_MAX / 10);
        let tenth = *tenth;
        let mut left = WINDOWS_MAX / 10;
        windows.retain(|_, window| {
            let drop = left > 0 && window.began_at <= tenth;
            left -= usize::from(drop);
            !drop
        });
    }
}

impl Quota {
    /// Refuses a request beyond the limit.
    pub fn check(&self) -> Result<(), Error> {
        if self.exceeded {
            return Err(Error::new(Code::TooManyRequests).retry_after(self.reset_s));
        }
        Ok(())
    }

    /// Writes the usual headers.
    pub fn write(&self, headers: &mut HeaderMap) {
        let values = [
            ("ratelimit-limit", u64::from(self.limit)),
            ("ratelimit-remaining", u64::from(self.remaining)),
            ("ratelimit-reset", self.reset_s),
        ];
        for (name, value) in values {
            headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(anonymous_max: u32) -> Counters {
        Counters::new(Limits { window_ms: 60_000, anonymous_max, user_max: 2 })
    }

    fn address(last: u8) -> Key {
        Key::address([10, 0, 0, last].into())
    }

    #[test]
    fn beyond_the_limit_a_request_is_refused_until_the_window_ends() {
        let counters = counters(2);
        let take = |now| counters.count(address(1), now).expect("limited");
        assert!(take(1_000).check().is_ok());
        assert_eq!(take(2_500).remaining, 0);
        let refused = take(30_500).check().expect_err("the third is too many");
        assert_eq!((refused.code(), refused.retry_after_s()), (Code::TooManyRequests, Some(31)));
        assert!(
            counters.count(address(2), 30_500).expect("limited").check().is_ok(),
            "others are not affected"
        );
        assert!(take(61_000).check().is_ok(), "a new window begins");
    }

    #[test]
    fn addresses_and_users_have_limits_of_their_own_and_zero_is_off() {
        let counters = counters(0);
        assert_eq!(counters.count(address(1), 0), None);
        assert_eq!(counters.count(Key::User("user:1".into()), 0).expect("limited").remaining, 1);
    }

    #[test]
    fn neighbours_in_ipv6_count_as_one() {
        let key = |text: &str| Key::address(text.parse().expect("an address"));
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:10.0.0.1"), address(1));
    }

    #[test]
    fn memory_is_bounded() {
        let counters = counters(5);
        for number in 0..(WINDOWS_MAX as u32 + 500) {
            counters.count(Key::address(number.to_be_bytes().into()), 0);
        }
        assert!(counters.windows.lock().expect("not poisoned").len() <= WINDOWS_MAX);
    }
}
