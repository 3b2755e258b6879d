//! Records whose loss in a crash does no harm as long as nothing newer of the device is on disk either.
//!
//! Three kinds are allowed to be late. A decrypted incoming message matters only once the ratchet that decrypted it is durable:
//! before that, the network delivers it again and it decrypts again. The ratchet is written through the same backend, and
//! each write carries everything late along, so the ratchet never gets ahead. Usually the message is committed and the record
//! deleted before, and it costs no write at all. A sent message is kept for retry requests of the recipient, and a message's
//! secret for reactions and votes that refer to it; both matter only when their message was sent or received, which moves
//! the ratchet too.

use crate::store::sessions::Kind;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Records = BTreeMap<(Kind, Vec<u8>), Option<Vec<u8>>>;

/// Late records before a caller has to wait for the disk: bounds memory when the disk fails.
const MAX: usize = 4096;

#[derive(Default)]
pub(super) struct Later {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Waits for the next write; none marks a deletion.
    waiting: Records,
    /// Travels with a write that is under way.
    under_way: Records,
}

impl Later {
    /// Notes the record; returns whether there is room, otherwise the caller writes now.
    #[must_use]
    pub(super) fn put(&self, kind: Kind, key: Vec<u8>, value: Vec<u8>) -> bool {
        let mut state = self.lock();
        state.waiting.insert((kind, key), Some(value));
        state.waiting.len() < MAX
    }

    /// Notes the deletion of the record. `is_stored` tells whether it was seen on disk just before.
    pub(super) fn delete(&self, kind: Kind, key: Vec<u8>, is_stored: bool) {
        let mut state = self.lock();
        let at = (kind, key);
        let only_waits = matches!(state.waiting.get(&at), Some(Some(_)));
        if only_waits && !is_stored && !state.under_way.contains_key(&at) {
            state.waiting.remove(&at);
        } else {
            // A record that does not wait any more may have reached the disk since the caller looked.
            state.waiting.insert(at, None);
        }
    }

    /// Returns what is known of the record: none when nothing is, `Some(None)` when it was deleted.
    pub(super) fn get(&self, kind: Kind, key: &[u8]) -> Option<Option<Vec<u8>>> {
        let state = self.lock();
        if state.waiting.is_empty() && state.under_way.is_empty() {
            return None;
        }
        let at = (kind, key.to_vec());
        state.waiting.get(&at).or_else(|| state.under_way.get(&at)).cloned()
    }

    /// Hands out everything that waits. Unless [`UnderWay::done`] is called, it waits again afterwards.
    pub(super) fn take(&self) -> UnderWay<'_> {
        let mut state = self.lock();
        state.under_way = std::mem::take(&mut state.waiting);
        let records = state.under_way.clone();
        drop(state);
        UnderWay { later: self, records }
    }

    pub(super) fn clear(&self) {
        *self.lock() = State::default();
    }

    /// Another caller that panicked cannot have left half a change here.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Late records that travel with a write.
pub(super) struct UnderWay<'l> {
    later: &'l Later,
    records: Records,
}

impl UnderWay<'_> {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&(Kind, Vec<u8>), &Option<Vec<u8>>)> {
        self.records.iter()
    }

    /// The write is on disk.
    pub(super) fn done(self) {
        self.later.lock().under_way.clear();
    }
}

impl Drop for UnderWay<'_> {
    /// After a failed or abandoned write the records wait again, behind what was noted since.
    fn drop(&mut self) {
        let mut state = self.later.lock();
        for (at, value) in std::mem::take(&mut state.under_way) {
            state.waiting.entry(at).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = 1;

    #[test]
    fn a_record_that_is_deleted_in_time_is_never_written() {
        let later = Later::default();
        assert!(later.put(KIND, b"a".to_vec(), b"1".to_vec()));
        later.delete(KIND, b"a".to_vec(), false);
        assert_eq!(later.get(KIND, b"a"), None);
        assert_eq!(later.take().len(), 0);
    }

    #[test]
    fn a_record_that_may_be_on_disk_is_deleted_there() {
        let later = Later::default();
        assert!(later.put(KIND, b"a".to_vec(), b"1".to_vec()));
        let under_way = later.take();
        later.delete(KIND, b"a".to_vec(), false);
        under_way.done();
        assert_eq!(later.get(KIND, b"a"), Some(None));
        let next = later.take();
        assert_eq!(next.iter().map(|(_, value)| value.clone()).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn a_failed_write_leaves_everything_waiting_and_newer_wins() {
        let later = Later::default();
        assert!(later.put(KIND, b"a".to_vec(), b"old".to_vec()));
        assert!(later.put(KIND, b"b".to_vec(), b"kept".to_vec()));
        let under_way = later.take();
        assert!(later.put(KIND, b"a".to_vec(), b"new".to_vec()));
        assert_eq!(later.get(KIND, b"b"), Some(Some(b"kept".to_vec())));
        drop(under_way);
        assert_eq!(later.get(KIND, b"a"), Some(Some(b"new".to_vec())));
        assert_eq!(later.get(KIND, b"b"), Some(Some(b"kept".to_vec())));
    }

    #[test]
    fn room_is_bounded() {
        let later = Later::default();
        let has_room: Vec<bool> =
            (0..MAX as u32).map(|n| later.put(KIND, n.to_be_bytes().to_vec(), Vec::new())).collect();
        assert!(has_room[..MAX - 1].iter().all(|room| *room) && !has_room[MAX - 1]);
    }
}
