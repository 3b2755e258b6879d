//! What phones were asked for lately: whether they are worth asking for older messages of a chat once more.

use crate::clock::Millis;
use crate::model::id::DeviceNo;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How long a phone is left alone that gave no answer, in milliseconds: it may be off, and readers should not wait each time.
const SILENT_MS: Millis = 5 * 60_000;
/// How long a phone is believed that it has nothing older, in milliseconds: a day, because a phone can restore a backup.
const NOTHING_MS: Millis = 24 * 3_600_000;
/// Questions that are remembered; beyond it they are forgotten and phones are asked again.
const REMEMBERED_MAX: usize = 10_000;

/// Until when not to ask a phone for what is older than a message. An older message that arrives is another question.
///
/// It is kept in memory: after a restart each chat costs its reader one more question.
#[derive(Default)]
pub(super) struct AskedPhones(Mutex<Until>);

impl AskedPhones {
    /// Returns whether to ask for what is older than this message. Until there is an answer nobody else does.
    pub fn begin(&self, device: DeviceNo, oldest: &str, now: Millis) -> bool {
        let mut until = self.lock();
        let key = (device, oldest.to_owned());
        let is_free = until.get(&key).is_none_or(|until| *until <= now);
        if is_free {
            remember(&mut until, key, SILENT_MS, now);
        }
        is_free
    }

    /// Notes that the phone answered and had nothing older.
    pub fn had_nothing(&self, device: DeviceNo, oldest: &str, now: Millis) {
        remember(&mut self.lock(), (device, oldest.to_owned()), NOTHING_MS, now);
    }

    /// Notes that the phone could not be asked at all.
    pub fn was_away(&self, device: DeviceNo, oldest: &str) {
        self.lock().remove(&(device, oldest.to_owned()));
    }

    /// The map is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Until> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By device and id of the oldest known message.
type Until = HashMap<(DeviceNo, String), Millis>;

fn remember(until: &mut Until, key: (DeviceNo, String), ms: Millis, now: Millis) {
    if until.len() >= REMEMBERED_MAX {
        until.retain(|_, until| *until > now);
    }
    if until.len() >= REMEMBERED_MAX {
        until.clear();
    }
    until.insert(key, now + ms);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_asked_once_and_again_after_a_while() {
        let (asked, device) = (AskedPhones::default(), DeviceNo(1));
        assert!(asked.begin(device, "A", 0) && !asked.begin(device, "A", 1), "the answer is under way");
        assert!(asked.begin(device, "B", 1) && asked.begin(DeviceNo(2), "A", 1), "other questions");
        assert!(asked.begin(device, "A", SILENT_MS), "it never answered");
        asked.had_nothing(device, "A", SILENT_MS);
        assert!(!asked.begin(device, "A", 2 * SILENT_MS) && asked.begin(device, "A", SILENT_MS + NOTHING_MS));
        asked.was_away(device, "B");
        assert!(asked.begin(device, "B", 2));
    }

    #[test]
    fn memory_is_bounded() {
        let asked = AskedPhones::default();
        for n in 0..=REMEMBERED_MAX {
            assert!(asked.begin(DeviceNo(1), &n.to_string(), 0));
        }
        assert!(asked.lock().len() <= REMEMBERED_MAX);
    }
}
