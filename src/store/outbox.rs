//! What happened, in order: written in the commit of the fact itself, read by everyone with a cursor of their own.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use super::{Store, notifications};
use crate::error::Result;
use crate::model::event::{Event, Fact, Scope};
use redb::ReadableTable as _;

/// Rows that are kept at least, so that a client that was away a moment resumes without a gap.
pub const KEEP: u64 = 10_000;

/// Appends an event and tells the device's owner what is worth telling; readers are woken after the commit.
pub fn append(tables: &mut Tables<'_>, at: i64, scope: Scope, fact: Fact) -> Result<()> {
    notifications::tell(tables, at, &scope, &fact)?;
    let seq = next(tables, "outbox")?;
    let event = Event { seq, at, scope, fact };
    tables.outbox.insert(seq, encode(&event)?.as_slice())?;
    tables.outbox_head = Some(seq);
    Ok(())
}

/// Returns up to `limit` events behind `cursor`, in order.
pub fn after(view: &View, cursor: u64, limit: usize) -> Result<Vec<Event>> {
    let table = view.outbox()?;
    table
        .range(cursor.saturating_add(1)..)?
        .take(limit)
        .map(|row| {
            let (seq, value) = row?;
            decode("outbox", seq.value(), value.value())
        })
        .collect()
}

/// Returns the number of the newest event, 0 when there was none.
pub fn head(view: &View) -> Result<u64> {
    Ok(view.meta()?.get("outbox")?.map_or(0, |row| row.value()))
}

/// Drops what is older than the newest [`KEEP`] rows.
pub async fn trim(store: &Store) -> Result<()> {
    let view = store.view()?;
    let keep_from = head(&view)?.saturating_sub(KEEP);
    if view.outbox()?.first()?.is_none_or(|(seq, _)| seq.value() >= keep_from) {
        return Ok(());
    }
    drop(view);
    store
        .write(move |tables| {
            tables.outbox.retain_in(..keep_from, |_, _| false)?;
            Ok(())
        })
        .await
}
