//! Asking for all groups once, so that chats have names before anybody looks.

use super::Groups;
use crate::clock::Millis;
use crate::store::groups;
use crate::wa::seat::Seat;
use std::sync::Arc;

/// Asks for the account's groups when they were never asked for.
pub(in crate::wa) async fn catch_up(seat: Arc<Seat>) {
    let asked_at = |seat: &Seat| -> Option<Millis> {
        seat.parts.store.view().and_then(|view| groups::asked_at(&view, seat.no)).ok().flatten()
    };
    if asked_at(&seat).is_some() {
        return;
    }
    let asking = Groups::of(seat.clone());
    if let Err(failure) = asking.refresh_all(|| asked_at(&seat).is_some()).await {
        tracing::debug!(device = %seat.no, ?failure, "the groups could not be asked for; the next look at them asks again");
    }
}
