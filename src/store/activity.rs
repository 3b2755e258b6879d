//! What users did: a log per user, newest last.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use crate::error::Result;
use crate::model::activity::Activity;
use crate::model::id::UserId;

/// Rows that are kept of a user; older ones go.
pub const KEEP: usize = 5_000;

/// Appends what happened; the position of each row is given here.
pub fn append(tables: &mut Tables<'_>, rows: &[Activity]) -> Result<()> {
    for row in rows {
        let row = Activity { id: next(tables, "activity")?, ..row.clone() };
        tables.activity.insert((row.user.0, row.id), encode(&row)?.as_slice())?;
    }
    Ok(())
}

/// Returns what a user did, newest first.
pub fn of(view: &View, user: UserId) -> Result<Vec<Activity>> {
    let table = view.activity()?;
    let rows = table.range((user.0, 0)..=(user.0, u64::MAX))?.rev().take(KEEP).map(|row| {
        let (at, value) = row?;
        decode("activity", at.value(), value.value())
    });
    rows.collect()
}

/// Drops what is older than the newest [`KEEP`] rows of each user.
pub fn trim(tables: &mut Tables<'_>) -> Result<()> {
    super::notifications::keep_newest(&mut tables.activity, KEEP)
}
