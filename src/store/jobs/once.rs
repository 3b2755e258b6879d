//! `Idempotency-Key`: the same question under the same key is answered by the job of the first time.

use crate::error::{Code, Error, Result};
use crate::model::id::JobId;
use crate::store::codec::decode;
use crate::store::tables::{Tables, View};
use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

/// The first answer to an `Idempotency-Key`: the job that it made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Once {
    /// SHA-256 of what was asked, in hex; another question under the same key is refused.
    pub fingerprint: String,
    /// The job of the first request.
    pub job: JobId,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// How long an `Idempotency-Key` is remembered, in milliseconds.
pub const ONCE_KEEP_MS: i64 = 24 * 3_600_000;

/// An `Idempotency-Key` as it goes into the store.
#[derive(Debug, Clone)]
pub struct OnceKey {
    /// Who asks: keys of different callers never meet.
    pub caller: String,
    /// The header's value.
    pub key: String,
    /// SHA-256 of what is asked, in hex.
    pub fingerprint: String,
}

/// Returns the job that this key made before, or none; refuses a different question under the same key.
pub fn once(view: &View, once: &OnceKey, now: i64) -> Result<Option<JobId>> {
    let table = view.idempotency()?;
    let row = table.get((once.caller.as_str(), once.key.as_str()))?;
    row.map_or(Ok(None), |row| same_question(once, row.value(), now))
}

pub(super) fn known_job(tables: &Tables<'_>, once: &OnceKey, now: i64) -> Result<Option<JobId>> {
    let row = tables.idempotency.get((once.caller.as_str(), once.key.as_str()))?;
    row.map_or(Ok(None), |row| same_question(once, row.value(), now))
}

fn same_question(once: &OnceKey, row: &[u8], now: i64) -> Result<Option<JobId>> {
    let known: Once = decode("idempotency", &once.key, row)?;
    if now - known.at > ONCE_KEEP_MS {
        return Ok(None);
    }
    if known.fingerprint != once.fingerprint {
        return Err(Error::new(Code::IdempotencyMismatch));
    }
    Ok(Some(known.job))
}
