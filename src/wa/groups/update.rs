//! What the network tells about groups by itself.

use super::convert;
use crate::error::Result;
use crate::model::group::{GroupChange, MemberRole};
use crate::store::groups;
use crate::wa::receive::address;
use crate::wa::seat::Seat;
use wacore::stanza::groups::GroupNotificationAction as Action;
use wacore::types::events::GroupUpdate;

/// Takes one change of a group.
pub(in crate::wa) async fn note(seat: &Seat, update: &GroupUpdate) -> Result<()> {
    let Some(group) = address(&update.group_jid).filter(|group| group.is_group()) else { return Ok(()) };
    if convert::is_of_no_account(&update.action) {
        return Ok(());
    }
    let (no, now) = (seat.no, seat.parts.clock.now());
    let actor = update.participant.as_ref();
    let actor =
        actor.and_then(|jid| convert::member(jid, update.participant_pn.as_ref(), None, MemberRole::Member));
    let by = actor.as_ref().map(|actor| actor.jid.clone());
    if let Action::Create { raw } = &update.action
        && let Some(created) = convert::created(raw, now)
    {
        return seat.parts.store.write(move |t| groups::came(t, no, created.clone(), by.as_ref(), now)).await;
    }
    let change = convert::change(&update.action, actor);
    if let GroupChange::Other { what } = &change {
        tracing::debug!(device = %no, what, "a change of a group that only a new question can tell");
    }
    seat.parts.store.write(move |t| groups::note(t, no, &group, &change, by.as_ref(), now)).await
}
