//! What users did. Entries gather in memory for a moment, so that a log for people costs senders no commit of their own.

use super::{Caller, Gateway};
use crate::error::Result;
use crate::model::activity::Activity;
use crate::store::activity;
use std::sync::{Mutex, PoisonError};

/// Entries that wait for the next commit at most. Beyond it the oldest is given up: the log is for people, not for audits.
const WAITING_MAX: usize = 10_000;

/// Entries that are not in the store yet.
#[derive(Default)]
pub(super) struct Diary {
    waiting: Mutex<Vec<Activity>>,
}

impl Diary {
    /// The list is whole at any time.
    fn with<T>(&self, work: impl FnOnce(&mut Vec<Activity>) -> T) -> T {
        work(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Gateway {
    /// Notes what a user did; it reaches the store within a second or so.
    pub fn note(&self, entry: Activity) {
        self.inner.diary.with(|waiting| {
            if waiting.len() >= WAITING_MAX {
                waiting.remove(0);
            }
            waiting.push(entry);
        });
    }

    /// Writes what was noted and is not stored yet.
    pub async fn flush_notes(&self) -> Result<()> {
        let entries = self.inner.diary.with(std::mem::take);
        if entries.is_empty() {
            return Ok(());
        }
        self.store().write(move |t| activity::append(t, &entries)).await
    }

    /// Returns what the caller did, newest first.
    pub async fn activity(&self, caller: &Caller) -> Result<Vec<Activity>> {
        self.flush_notes().await?;
        let user = caller.user;
        self.store().scan(move |view| activity::of(view, user)).await
    }
}
