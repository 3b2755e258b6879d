//! User accounts and the index by name and address.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use crate::error::{Code, Error, Result};
use crate::model::id::UserId;
use crate::model::user::{Role, User};
use redb::ReadableTable;

/// Returns the user, or none.
pub fn get(view: &View, id: UserId) -> Result<Option<User>> {
    read(&view.users()?, id)
}

/// Returns the user with this username or email, compared without case.
pub fn by_name_or_email(view: &View, text: &str) -> Result<Option<User>> {
    let names = view.users_by_name()?;
    for key in [username_key(text), email_key(text)] {
        if let Some(id) = names.get(key.as_str())? {
            return get(view, UserId(id.value()));
        }
    }
    Ok(None)
}

/// Returns whether there is an administrator yet.
pub fn has_admin(view: &View) -> Result<bool> {
    Ok(all(view)?.iter().any(|user| user.role == Role::Admin))
}

/// Returns whether there is an administrator, inside a write.
pub fn has_admin_now(tables: &Tables<'_>) -> Result<bool> {
    Ok(read_all(&tables.users)?.iter().any(|user| user.role == Role::Admin))
}

/// Returns all users in the order of their numbers.
pub fn all(view: &View) -> Result<Vec<User>> {
    read_all(&view.users()?)
}

fn read_all(table: &impl ReadableTable<u32, &'static [u8]>) -> Result<Vec<User>> {
    table
        .iter()?
        .map(|row| {
            let (id, value) = row?;
            decode("users", id.value(), value.value())
        })
        .collect()
}

/// Returns the first administrator: the owner of what no user asked for.
pub fn first_admin(view: &View) -> Result<Option<User>> {
    Ok(all(view)?.into_iter().find(|user| user.role == Role::Admin))
}

/// Inserts a new user; `user.id` is given here. Refuses a username or email that is taken.
pub fn insert(tables: &mut Tables<'_>, mut user: User) -> Result<User> {
    if tables.users_by_name.get(username_key(&user.username).as_str())?.is_some()
        || tables.users_by_name.get(email_key(&user.email).as_str())?.is_some()
    {
        return Err(Error::new(Code::UserExists));
    }
    user.id = UserId(next(tables, "user")? as u32);
    put(tables, &user)?;
    Ok(user)
}

/// Changes a user under the writer's lock; refuses a username or email that somebody else has.
pub fn update(
    tables: &mut Tables<'_>,
    id: UserId,
    change: impl FnOnce(&mut User) -> Result<()>,
) -> Result<User> {
    let mut user = read(&tables.users, id)?.ok_or_else(|| Error::new(Code::UserNotFound))?;
    let (old_name, old_email) = (username_key(&user.username), email_key(&user.email));
    change(&mut user)?;
    for key in [username_key(&user.username), email_key(&user.email)] {
        let taken = tables.users_by_name.get(key.as_str())?.map(|row| row.value());
        if taken.is_some_and(|owner| owner != id.0) {
            return Err(Error::new(Code::UserExists));
        }
    }
    tables.users_by_name.remove(old_name.as_str())?;
    tables.users_by_name.remove(old_email.as_str())?;
    put(tables, &user)?;
    Ok(user)
}

fn read(table: &impl ReadableTable<u32, &'static [u8]>, id: UserId) -> Result<Option<User>> {
    match table.get(id.0)? {
        Some(row) => decode("users", id, row.value()).map(Some),
        None => Ok(None),
    }
}

fn put(tables: &mut Tables<'_>, user: &User) -> Result<()> {
    tables.users.insert(user.id.0, encode(user)?.as_slice())?;
    tables.users_by_name.insert(username_key(&user.username).as_str(), user.id.0)?;
    tables.users_by_name.insert(email_key(&user.email).as_str(), user.id.0)?;
    Ok(())
}

fn username_key(username: &str) -> String {
    format!("u:{}", username.to_lowercase())
}

fn email_key(email: &str) -> String {
    format!("e:{}", email.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn user(name: &str) -> User {
        User {
            id: UserId(0),
            username: name.into(),
            email: format!("{name}@example.com"),
            password_hash: String::new(),
            full_name: None,
            role: Role::User,
            is_active: true,
            language: None,
            photo: None,
            last_login: None,
            created_at: 0,
            updated_at: 0,
            generation: 0,
        }
    }

    #[tokio::test]
    async fn names_are_unique_without_case_and_free_again_after_a_change() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        let budi = store.write(|t| insert(t, user("Budi"))).await.expect("inserted");
        let again = store.write(|t| insert(t, user("bUdI"))).await;
        assert_eq!(again.expect_err("taken").code(), Code::UserExists);
        let id = budi.id;
        store
            .write(move |t| {
                update(t, id, |user| {
                    user.username = "wati".into();
                    Ok(())
                })
            })
            .await
            .expect("renamed");
        let view = store.view().expect("a view");
        assert!(by_name_or_email(&view, "budi").expect("read").is_none());
        assert_eq!(by_name_or_email(&view, "WATI").expect("read").expect("found").id, id);
        assert_eq!(by_name_or_email(&view, "BUDI@example.com").expect("read").expect("found").id, id);
    }
}
