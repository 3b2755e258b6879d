//! Value bytes ⇄ model. A row that does not decode is an error that names the table, never a panic.

use crate::error::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// Returns the JSON of `value`.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|source| Error::internal("encoding a row", source))
}

/// Reads the row `key` of `table`.
pub fn decode<T: DeserializeOwned>(table: &'static str, key: impl Debug, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|why| Error::corrupt(table, key, why))
}
