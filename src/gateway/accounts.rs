//! Accounts: claiming the installation, registering, profile and password.

use super::passwords::Passwords;
use super::signing::token_hash;
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::id::{UserId, secret};
use crate::model::user::{Role, User, check_email, check_password, check_username};
use crate::store::{logins, settings, users};
use serde::{Deserialize, Serialize};

/// How long a claim link is good for, in milliseconds.
const CLAIM_TTL_MS: i64 = 30 * 60_000;
/// Setting that holds the claim link's hash.
const CLAIM: &str = "claim";

#[derive(Serialize, Deserialize)]
struct ClaimRow {
    token_hash: String,
    expires_at: i64,
}

/// A user to be created.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Username.
    pub username: String,
    /// Email.
    pub email: String,
    /// Password in clear; hashed before it is stored.
    pub password: String,
    /// Shown name.
    pub full_name: Option<String>,
}

/// What a user changes about themselves; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    /// Username.
    pub username: Option<String>,
    /// Email.
    pub email: Option<String>,
    /// Shown name.
    pub full_name: Option<String>,
    /// Interface language, `id` or `en`.
    pub language: Option<String>,
    /// Current and new password.
    pub password: Option<(String, String)>,
}

impl Gateway {
    /// Returns whether an administrator exists.
    pub fn is_claimed(&self) -> Result<bool> {
        use std::sync::atomic::Ordering::Relaxed;
        if self.inner.claimed.load(Relaxed) {
            return Ok(true);
        }
        let claimed = users::has_admin(&self.store().view()?)?;
        self.inner.claimed.store(claimed, Relaxed);
        Ok(claimed)
    }

    /// Makes a new claim token; the former one stops working.
    pub async fn new_claim(&self) -> Result<String> {
        let token = secret();
        let row = ClaimRow { token_hash: token_hash(&token), expires_at: self.clock().now() + CLAIM_TTL_MS };
        self.store().write(move |t| settings::set(t, CLAIM, &row)).await?;
        Ok(token)
    }

    /// Creates the owner with the token of the claim link.
    pub async fn claim(&self, token: &str, new: NewUser) -> Result<User> {
        if self.is_claimed()? {
            return Err(Error::new(Code::AlreadyClaimed));
        }
        let now = self.clock().now();
        let row: Option<ClaimRow> = settings::get(&self.store().view()?, CLAIM)?;
        let fits = |row: &ClaimRow| row.token_hash == token_hash(token) && now < row.expires_at;
        if !row.as_ref().is_some_and(fits) {
            return Err(Error::new(Code::ClaimInvalid));
        }
        self.create_owner(new).await
    }

    /// Creates the owner that environment or command line name, unless there is an administrator already.
    pub async fn claim_with(&self, email: &str, password: &str) -> Result<Option<User>> {
        if self.is_claimed()? {
            return Ok(None);
        }
        let local = email.split('@').next().unwrap_or_default();
        let username = if check_username(local).is_ok() { local } else { "admin" };
        let new = NewUser {
            username: username.to_owned(),
            email: email.to_owned(),
            password: password.to_owned(),
            full_name: None,
        };
        self.create_owner(new).await.map(Some)
    }

    async fn create_owner(&self, new: NewUser) -> Result<User> {
        let user = self.checked(new, Role::Admin).await?;
        let user = self
            .store()
            .write(move |t| {
                // The claim and its use are one commit: two people with the same link cannot both own the house.
                if users::has_admin_now(t)? {
                    return Err(Error::new(Code::AlreadyClaimed));
                }
                settings::remove(t, CLAIM)?;
                users::insert(t, user.clone())
            })
            .await?;
        tracing::info!(user = %user.id, "the installation was claimed");
        Ok(user)
    }

    /// Registers a user with role `user`.
    pub async fn register(&self, new: NewUser) -> Result<User> {
        if !self.is_claimed()? {
            return Err(Error::new(Code::NotClaimed));
        }
        if !self.config().auth.registration {
            return Err(Error::new(Code::RegistrationClosed));
        }
        self.add_user(new, Role::User).await
    }

    /// Creates a user with the given role; for the command line and administrators.
    pub async fn add_user(&self, new: NewUser, role: Role) -> Result<User> {
        let user = self.checked(new, role).await?;
        self.store().write(move |t| users::insert(t, user.clone())).await
    }

    /// Returns the caller's account.
    pub fn profile(&self, caller: &Caller) -> Result<User> {
        self.user(caller.user)
    }

    /// Changes the caller's account.
    pub async fn change_profile(&self, caller: &Caller, change: ProfileChange) -> Result<User> {
        check_optional(change.username.as_deref(), check_username)?;
        check_optional(change.email.as_deref(), check_email)?;
        check_optional(change.full_name.as_deref(), check_full_name)?;
        check_optional(change.language.as_deref(), check_language)?;
        let hash = match &change.password {
            Some((current, new)) => Some(self.new_password(caller.user, current, new).await?),
            None => None,
        };
        let (id, keep, now) = (caller.user, caller.login().map(str::to_owned), self.clock().now());
        self.store()
            .write(move |t| {
                let user = users::update(t, id, |user| {
                    set(&mut user.username, &change.username);
                    set(&mut user.email, &change.email);
                    if change.full_name.is_some() {
                        user.full_name.clone_from(&change.full_name);
                    }
                    if change.language.is_some() {
                        user.language.clone_from(&change.language);
                    }
                    set(&mut user.password_hash, &hash);
                    user.updated_at = now;
                    Ok(())
                })?;
                if hash.is_some() {
                    // Whoever knew the old password is logged out, but not the person who changed it.
                    logins::remove_of_user(t, id, keep.as_deref())?;
                }
                Ok(user)
            })
            .await
    }

    /// Notes the path of the caller's new photo and returns the account and the path of the photo before.
    pub async fn change_photo(&self, caller: &Caller, path: String) -> Result<(User, Option<String>)> {
        let (id, now) = (caller.user, self.clock().now());
        let before = self.user(id)?.photo;
        let user = self
            .store()
            .write(move |t| {
                users::update(t, id, |user| {
                    user.photo = Some(path.clone());
                    user.updated_at = now;
                    Ok(())
                })
            })
            .await?;
        Ok((user, before))
    }

    /// Sets a password without knowing the old one and ends all logins; for the command line.
    pub async fn reset_password(&self, name: &str, password: &str) -> Result<User> {
        check_password(password)?;
        let hash = self.passwords().hash(password).await?;
        let user = users::by_name_or_email(&self.store().view()?, name)?;
        let id = user.ok_or_else(|| Error::new(Code::UserNotFound))?.id;
        self.store()
            .write(move |t| {
                logins::remove_of_user(t, id, None)?;
                users::update(t, id, |user| {
                    user.password_hash.clone_from(&hash);
                    Ok(())
                })
            })
            .await
    }

    /// Returns the user, or the error that there is none.
    pub(super) fn user(&self, id: UserId) -> Result<User> {
        users::get(&self.store().view()?, id)?.ok_or_else(|| Error::new(Code::UserNotFound))
    }

    pub(super) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    async fn new_password(&self, user: UserId, current: &str, new: &str) -> Result<String> {
        check_password(new)?;
        let known = self.user(user)?.password_hash;
        if !self.passwords().verify(current, Some(&known)).await? {
            return Err(Error::new(Code::PasswordWrong));
        }
        self.passwords().hash(new).await
    }

    async fn checked(&self, new: NewUser, role: Role) -> Result<User> {
        check_username(&new.username)?;
        check_email(&new.email)?;
        check_password(&new.password)?;
        check_optional(new.full_name.as_deref(), check_full_name)?;
        let now = self.clock().now();
        Ok(User {
            id: UserId(0),
            username: new.username,
            email: new.email,
            password_hash: self.passwords().hash(&new.password).await?,
            full_name: new.full_name,
            role,
            is_active: true,
            language: None,
            photo: None,
            last_login: None,
            created_at: now,
            updated_at: now,
            generation: 0,
        })
    }
}

fn set(field: &mut String, value: &Option<String>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

fn check_optional(value: Option<&str>, check: impl Fn(&str) -> Result<()>) -> Result<()> {
    value.map_or(Ok(()), check)
}

fn check_full_name(name: &str) -> Result<()> {
    if name.chars().count() <= 100 { Ok(()) } else { Err(Error::new(Code::FullNameInvalid)) }
}

fn check_language(language: &str) -> Result<()> {
    if matches!(language, "id" | "en") { Ok(()) } else { Err(Error::new(Code::LanguageInvalid)) }
}
