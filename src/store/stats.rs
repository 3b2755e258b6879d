//! Figures that are counted from the tables themselves.

use super::codec::decode;
use super::outbox::KEEP;
use super::tables::View;
use crate::error::Result;
use crate::model::event::{Event, Fact};
use redb::ReadableTableMetadata as _;

/// Returns how many messages are stored.
pub fn messages(view: &View) -> Result<u64> {
    Ok(view.messages()?.len()?)
}

/// Returns how many messages were sent and received after `since` (milliseconds since 1970), at most as far
/// back as the outbox is sure to reach.
pub fn messages_since(view: &View, since: i64) -> Result<u64> {
    let table = view.outbox()?;
    let mut count = 0;
    for row in table.range::<u64>(..)?.rev().take(KEEP as usize) {
        let (seq, value) = row?;
        let event: Event = decode("outbox", seq.value(), value.value())?;
        if event.at < since {
            break;
        }
        count += u64::from(matches!(event.fact, Fact::MessageReceived { .. } | Fact::MessageSent { .. }));
    }
    Ok(count)
}
