//! Settings, secrets of the program, and the counters that hand out numbers.

use super::codec::{decode, encode};
use super::seal::Seal;
use super::tables::{Tables, View};
use crate::error::Result;
use redb::ReadableTable as _;
use serde::{Serialize, de::DeserializeOwned};

/// Returns the next number of the counter `name`, beginning with 1; never the same twice.
pub(super) fn next(tables: &mut Tables<'_>, name: &'static str) -> Result<u64> {
    // Callers that share a transaction share one write of the counter.
    let last = match tables.counters.get(name) {
        Some(last) => *last,
        None => tables.meta.get(name)?.map_or(0, |row| row.value()),
    };
    tables.counters.insert(name, last + 1);
    Ok(last + 1)
}

/// Returns the setting `name`, if it was ever set.
pub fn get<T: DeserializeOwned>(view: &View, name: &str) -> Result<Option<T>> {
    match view.settings()?.get(name)? {
        Some(row) => decode("settings", name, row.value()).map(Some),
        None => Ok(None),
    }
}

/// Returns the setting `name` inside a write, if it was ever set.
pub(super) fn get_in<T: DeserializeOwned>(tables: &Tables<'_>, name: &str) -> Result<Option<T>> {
    match tables.settings.get(name)? {
        Some(row) => decode("settings", name, row.value()).map(Some),
        None => Ok(None),
    }
}

/// Sets the setting `name`.
pub fn set<T: Serialize>(tables: &mut Tables<'_>, name: &str, value: &T) -> Result<()> {
    tables.settings.insert(name, encode(value)?.as_slice())?;
    Ok(())
}

/// Removes the setting `name`.
pub fn remove(tables: &mut Tables<'_>, name: &str) -> Result<()> {
    tables.settings.remove(name)?;
    Ok(())
}

/// Returns the secret `name`, if it was ever kept.
pub fn secret(view: &View, seal: &Seal, name: &str) -> Result<Option<Vec<u8>>> {
    match view.secrets()?.get(name)? {
        Some(row) => seal.open_value("secrets", name.as_bytes(), row.value()).map(Some),
        None => Ok(None),
    }
}

/// Keeps the secret `name`; `sealed` comes from [`Seal::seal_value`] for table `secrets`.
pub fn keep_secret(tables: &mut Tables<'_>, name: &str, sealed: &[u8]) -> Result<()> {
    tables.secrets.insert(name, sealed)?;
    Ok(())
}
