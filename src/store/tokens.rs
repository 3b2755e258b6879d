//! Personal API tokens and the index by hash.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use crate::error::{Code, Error, Result};
use crate::model::id::UserId;
use crate::model::token::ApiToken;
use redb::ReadableTable;

/// Returns the token with this SHA-256 (hex), or none.
pub fn by_hash(view: &View, hash: &str) -> Result<Option<ApiToken>> {
    let Some(at) = view.api_tokens_by_hash()?.get(hash)?.map(|row| row.value()) else { return Ok(None) };
    match view.api_tokens()?.get(at)? {
        Some(row) => decode("api_tokens", at, row.value()).map(Some),
        None => Ok(None),
    }
}

/// Returns the tokens of a user in the order of their making.
pub fn of_user(view: &View, user: UserId) -> Result<Vec<ApiToken>> {
    let table = view.api_tokens()?;
    table
        .range((user.0, 0)..=(user.0, u32::MAX))?
        .map(|row| {
            let (at, value) = row?;
            decode("api_tokens", at.value(), value.value())
        })
        .collect()
}

/// Inserts a new token; `token.id` is given here.
pub fn insert(tables: &mut Tables<'_>, mut token: ApiToken) -> Result<ApiToken> {
    token.id = next(tables, "api-token")? as u32;
    put(tables, &token)?;
    Ok(token)
}

/// Changes a token of `user`.
pub fn update(
    tables: &mut Tables<'_>,
    user: UserId,
    id: u32,
    change: impl FnOnce(&mut ApiToken) -> Result<()>,
) -> Result<ApiToken> {
    let mut token = read(tables, user, id)?;
    change(&mut token)?;
    put(tables, &token)?;
    Ok(token)
}

/// Deletes a token of `user`; it stops working at once.
pub fn remove(tables: &mut Tables<'_>, user: UserId, id: u32) -> Result<()> {
    let token = read(tables, user, id)?;
    tables.api_tokens.remove((user.0, id))?;
    tables.api_tokens_by_hash.remove(token.hash.as_str())?;
    Ok(())
}

fn read(tables: &Tables<'_>, user: UserId, id: u32) -> Result<ApiToken> {
    match tables.api_tokens.get((user.0, id))? {
        Some(row) => decode("api_tokens", (user.0, id), row.value()),
        None => Err(Error::new(Code::TokenNotFound)),
    }
}

fn put(tables: &mut Tables<'_>, token: &ApiToken) -> Result<()> {
    let at = (token.user.0, token.id);
    tables.api_tokens.insert(at, encode(token)?.as_slice())?;
    tables.api_tokens_by_hash.insert(token.hash.as_str(), at)?;
    Ok(())
}
