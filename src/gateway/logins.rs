//! Logins: from a password to tokens, from tokens to a caller, and their end.

use super::signing::token_hash;
use super::{Caller, Gateway, Proof};
use crate::error::{Code, Error, Result};
use crate::model::id::{UserId, secret};
use crate::model::token::Login;
use crate::model::user::User;
use crate::store::{logins, tokens, users};

/// How long the refresh token before the current one is still accepted, in milliseconds: two tabs may refresh at once.
const REFRESH_GRACE_MS: i64 = 30_000;
/// How often the last use of a personal token is written at most, in milliseconds.
const LAST_USED_EVERY_MS: i64 = 60_000;

/// What a caller shows to be recognised.
#[derive(Debug, Clone, Copy)]
pub enum Credential<'a> {
    /// A token from the `Authorization` header or `?token=`: access token, personal token or the configured API token.
    Bearer(&'a str),
    /// The dashboard's cookie, an access token.
    Cookie(&'a str),
}

/// What a login gives.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Access token.
    pub access: String,
    /// End of the access token, milliseconds since 1970.
    pub access_expires_at: i64,
    /// Refresh token.
    pub refresh: String,
    /// End of the refresh token, milliseconds since 1970.
    pub refresh_expires_at: i64,
    /// Whose they are.
    pub user: User,
}

impl Gateway {
    /// Logs in with username or email and password.
    pub async fn login(&self, name: &str, password: &str) -> Result<Tokens> {
        if !self.is_claimed()? {
            return Err(Error::new(Code::NotClaimed));
        }
        let user = users::by_name_or_email(&self.store().view()?, name)?;
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let fits = self.passwords().verify(password, hash).await?;
        let Some(user) = user.filter(|_| fits) else { return Err(Error::new(Code::CredentialsWrong)) };
        if !user.is_active {
            return Err(Error::new(Code::AccountLocked));
        }
        self.open_login(user.id).await
    }

    /// Begins a new login of a user whose identity is proven.
    pub async fn open_login(&self, user: UserId) -> Result<Tokens> {
        let (id, now) = (secret(), self.clock().now());
        let (refresh, refresh_expires_at) = self.signing().refresh(user, &id, now)?;
        let login = Login {
            id: id.clone(),
            user,
            token_hash: token_hash(&refresh),
            previous_hash: None,
            created_at: now,
            refreshed_at: now,
            expires_at: refresh_expires_at,
        };
        let user = self
            .store()
            .write(move |t| {
                logins::put(t, &login)?;
                users::update(t, user, |user| {
                    user.last_login = Some(now);
                    Ok(())
                })
            })
            .await?;
        let (access, access_expires_at) = self.signing().access(&user, &id, now)?;
        Ok(Tokens { access, access_expires_at, refresh, refresh_expires_at, user })
    }

    /// Exchanges a refresh token for new tokens; the old one is used up.
    ///
    /// A used-up token that comes back was stolen from one of its two holders: the whole login ends.
    pub async fn refresh(&self, token: &str) -> Result<Tokens> {
        let now = self.clock().now();
        let claims = self.signing().read_refresh(token, now)?;
        let (user, hash) = (UserId(claims.id), token_hash(token));
        let (refresh, refresh_expires_at) = self.signing().refresh(user, &claims.sid, now)?;
        let (login, next) = (claims.sid.clone(), token_hash(&refresh));
        let accepted = self
            .store()
            .write(move |t| {
                let Some(mut known) = logins::get_for_update(t, &login)? else { return Ok(false) };
                let in_grace = known.previous_hash.as_deref() == Some(hash.as_str())
                    && now - known.refreshed_at <= REFRESH_GRACE_MS;
                if known.user != user || (known.token_hash != hash && !in_grace) {
                    logins::remove(t, &login)?;
                    return Ok(false);
                }
                known.previous_hash = Some(std::mem::replace(&mut known.token_hash, next.clone()));
                (known.refreshed_at, known.expires_at) = (now, refresh_expires_at);
                logins::put(t, &known)?;
                Ok(true)
            })
            .await?;
        let user = self.active_user(user)?;
        if !accepted {
            tracing::warn!(user = %user.id, "a used-up refresh token came back; its login was ended");
            return Err(Error::new(Code::TokenInvalid));
        }
        let (access, access_expires_at) = self.signing().access(&user, &claims.sid, now)?;
        Ok(Tokens { access, access_expires_at, refresh, refresh_expires_at, user })
    }

    /// Ends the caller's login; its tokens stop working at once.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        match caller.login().map(str::to_owned) {
            Some(login) => self.store().write(move |t| logins::remove(t, &login)).await,
            None => Ok(()),
        }
    }

    /// Recognises a caller.
    pub async fn authenticate(&self, credential: Credential<'_>) -> Result<Caller> {
        if !self.is_claimed()? {
            return Err(Error::new(Code::NotClaimed));
        }
        match credential {
            Credential::Cookie(token) => self.by_access_token(token, true),
            // A JWT has two dots, our own tokens have none.
            Credential::Bearer(token) if token.contains('.') => self.by_access_token(token, false),
            Credential::Bearer(token) => self.by_api_token(token).await,
        }
    }

    /// Returns the built-in administrator for families that need no credential.
    pub async fn open_caller(&self) -> Result<Caller> {
        if !self.is_claimed()? {
            return Err(Error::new(Code::NotClaimed));
        }
        self.as_first_admin(Proof::Open)
    }

    fn by_access_token(&self, token: &str, from_cookie: bool) -> Result<Caller> {
        let claims = self.signing().read_access(token, self.clock().now())?;
        let user = self.active_user(UserId(claims.id))?;
        if let Some(sid) = &claims.sid
            && logins::get(&self.store().view()?, sid)?.is_none_or(|login| login.user != user.id)
        {
            return Err(Error::new(Code::TokenInvalid));
        }
        let (login, expires_at) = (claims.sid.unwrap_or_default(), claims.exp * 1000);
        let proof = if from_cookie {
            Proof::Cookie { login, expires_at }
        } else {
            Proof::Access { login, expires_at }
        };
        Ok(Caller { user: user.id, role: user.role, proof })
    }

    async fn by_api_token(&self, token: &str) -> Result<Caller> {
        if self.config().auth.api_token.as_deref().is_some_and(|configured| same(configured, token)) {
            return self.as_first_admin(Proof::ApiToken { id: 0 });
        }
        let refuse = || Error::new(Code::TokenInvalid);
        let known = tokens::by_hash(&self.store().view()?, &token_hash(token))?.ok_or_else(refuse)?;
        let now = self.clock().now();
        if known.expires_at.is_some_and(|end| end <= now) {
            return Err(refuse());
        }
        let user = self.active_user(known.user)?;
        if known.last_used_at.is_none_or(|last| now - last >= LAST_USED_EVERY_MS) {
            let (owner, id) = (known.user, known.id);
            let noted = self.store().write(move |t| {
                tokens::update(t, owner, id, |token| {
                    token.last_used_at = Some(now);
                    Ok(())
                })
            });
            noted.await?;
        }
        Ok(Caller { user: user.id, role: user.role, proof: Proof::ApiToken { id: known.id } })
    }

    fn as_first_admin(&self, proof: Proof) -> Result<Caller> {
        let admin = users::first_admin(&self.store().view()?)?.ok_or_else(|| Error::new(Code::NotClaimed))?;
        Ok(Caller { user: admin.id, role: admin.role, proof })
    }

    fn active_user(&self, id: UserId) -> Result<User> {
        let user = users::get(&self.store().view()?, id)?;
        user.filter(|user| user.is_active).ok_or_else(|| Error::new(Code::TokenInvalid))
    }
}

/// Compares two secrets by their hashes, so that the time taken says nothing about how much of one was right.
fn same(one: &str, other: &str) -> bool {
    token_hash(one) == token_hash(other)
}
