//! What a user is to be told, and what of it they have seen.

use super::{Caller, Gateway};
use crate::error::Result;
use crate::model::notification::Notification;
use crate::store::notifications;

impl Gateway {
    /// Returns what the caller was told, newest first.
    pub async fn notifications(&self, caller: &Caller) -> Result<Vec<Notification>> {
        let user = caller.user;
        self.store().scan(move |view| notifications::of(view, user)).await
    }

    /// Marks notifications of the caller as read, all when none are named; returns how many were unread.
    pub async fn read_notifications(&self, caller: &Caller, ids: Option<Vec<u64>>) -> Result<usize> {
        let user = caller.user;
        self.store().write(move |t| notifications::mark_read(t, user, ids.as_deref())).await
    }
}
