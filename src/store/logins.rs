//! Login sessions: one row per family of refresh tokens.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use crate::error::Result;
use crate::model::id::UserId;
use crate::model::token::Login;
use redb::ReadableTable;

/// Returns the login, or none.
pub fn get(view: &View, id: &str) -> Result<Option<Login>> {
    read(&view.logins()?, id)
}

/// Returns the login inside a write, or none.
pub fn get_for_update(tables: &Tables<'_>, id: &str) -> Result<Option<Login>> {
    read(&tables.logins, id)
}

/// Inserts or replaces a login.
pub fn put(tables: &mut Tables<'_>, login: &Login) -> Result<()> {
    tables.logins.insert(login.id.as_str(), encode(login)?.as_slice())?;
    Ok(())
}

/// Ends one login.
pub fn remove(tables: &mut Tables<'_>, id: &str) -> Result<()> {
    tables.logins.remove(id)?;
    Ok(())
}

/// Ends all logins of a user but `keep`.
pub fn remove_of_user(tables: &mut Tables<'_>, user: UserId, keep: Option<&str>) -> Result<()> {
    drop_where(tables, |login| login.user == user && keep != Some(login.id.as_str()))
}

/// Ends all logins that expired before `now` (milliseconds since 1970).
pub fn prune(tables: &mut Tables<'_>, now: i64) -> Result<()> {
    drop_where(tables, |login| login.expires_at < now)
}

fn drop_where(tables: &mut Tables<'_>, gone: impl Fn(&Login) -> bool) -> Result<()> {
    let mut ids = Vec::new();
    for row in tables.logins.iter()? {
        let (id, value) = row?;
        if gone(&decode("logins", id.value(), value.value())?) {
            ids.push(id.value().to_owned());
        }
    }
    ids.iter().try_for_each(|id| remove(tables, id))
}

fn read(table: &impl ReadableTable<&'static str, &'static [u8]>, id: &str) -> Result<Option<Login>> {
    match table.get(id)? {
        Some(row) => decode("logins", id, row.value()).map(Some),
        None => Ok(None),
    }
}
