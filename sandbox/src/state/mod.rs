//! What the network knows: accounts, their linked devices and queues, groups, open registrations.
//! Plain data behind short locks; who may do what with it is decided in `stanza`, `router` and `phone`.

pub mod account;
pub mod appstate;
pub mod channel;
pub mod companion;
pub mod directory;
pub mod group;
pub mod groups;
pub mod magic;
pub mod persona;
pub mod queue;
pub mod registration;
pub mod routed;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex whose data stays usable when a holder panicked: every change under these locks is complete by itself.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
