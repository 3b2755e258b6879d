//! The going of old jobs.

use super::once::{ONCE_KEEP_MS, Once};
use super::rows::read;
use crate::error::Result;
use crate::model::job::Job;
use crate::store::codec::decode;
use crate::store::tables::{Tables, View};
use redb::ReadableTable as _;

/// Drops ended jobs that no list shows and that are older than [`ONCE_KEEP_MS`]; at most `limit`.
///
/// Returns how many jobs went.
pub fn prune(tables: &mut Tables<'_>, now: i64, limit: usize) -> Result<usize> {
    drop_ended(tables, 0, now - ONCE_KEEP_MS, limit, |_| true)
}

/// The place of an `Idempotency-Key`: who asked, and the key.
pub type KeyPlace = (String, String);

/// Returns the idempotency rows that are older than [`ONCE_KEEP_MS`].
pub fn stale_keys(view: &View, now: i64) -> Result<Vec<KeyPlace>> {
    let mut stale = Vec::new();
    for row in view.idempotency()?.iter()? {
        let (at, value) = row?;
        let once: Once = decode("idempotency", at.value(), value.value())?;
        if is_stale(&once, now) {
            stale.push((at.value().0.to_owned(), at.value().1.to_owned()));
        }
    }
    Ok(stale)
}

/// Drops idempotency rows, unless the key was used anew in the meantime.
pub fn forget_keys(tables: &mut Tables<'_>, keys: &[KeyPlace], now: i64) -> Result<()> {
    for (caller, key) in keys {
        let place = (caller.as_str(), key.as_str());
        let once: Option<Once> = match tables.idempotency.get(place)? {
            Some(row) => Some(decode("idempotency", place, row.value())?),
            None => None,
        };
        if once.is_some_and(|once| is_stale(&once, now)) {
            tables.idempotency.remove(place)?;
        }
    }
    Ok(())
}

fn is_stale(once: &Once, now: i64) -> bool {
    once.at < now - ONCE_KEEP_MS
}

/// Drops listed jobs with their entries that ended before `before` (milliseconds since 1970); at most `limit`, which count as one
/// each however many entries they have.
///
/// Returns how many jobs went.
pub fn prune_listed(tables: &mut Tables<'_>, before: i64, limit: usize) -> Result<usize> {
    let is_old = |job: &Job| job.finished_at.is_none_or(|finished| finished < before);
    drop_ended(tables, 1, before, limit, is_old)
}

/// Drops ended jobs that were made before `before` and are old.
fn drop_ended(
    tables: &mut Tables<'_>,
    shown: u8,
    before: i64,
    limit: usize,
    is_old: impl Fn(&Job) -> bool,
) -> Result<usize> {
    let mut gone = Vec::new();
    for row in tables.jobs_by_time.range((shown, i64::MIN, "")..(shown, before, ""))? {
        let at = row?.0;
        let (_, created, id) = at.value();
        if read(&tables.jobs, id)?.is_none_or(|job| job.status.is_ended() && is_old(&job)) {
            gone.push((created, id.to_owned()));
        }
        if gone.len() == limit {
            break;
        }
    }
    for (created, id) in &gone {
        tables.items.retain_in((id.as_str(), 0)..=(id.as_str(), u32::MAX), |_, _| false)?;
        tables.jobs.remove(id.as_str())?;
        tables.jobs_by_time.remove((shown, *created, id.as_str()))?;
    }
    Ok(gone.len())
}
