//! User accounts and their roles.

use crate::error::{Code, Error, Result};
use crate::model::id::UserId;
use serde::{Deserialize, Serialize};

/// What a user may do: `admin` everything, `user` only with what is their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// Own resources.
    User,
}

impl Role {
    /// Returns the role as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::User => "user",
        }
    }
}

/// A user account. The password hash never leaves the store and the gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Number of the account.
    pub id: UserId,
    /// Unique, compared without case.
    pub username: String,
    /// Unique, compared without case.
    pub email: String,
    /// Argon2id hash in PHC form.
    pub password_hash: String,
    /// Shown name.
    #[serde(default)]
    pub full_name: Option<String>,
    /// Role; the stored one counts, not the one in a token.
    pub role: Role,
    /// False when the account is locked.
    pub is_active: bool,
    /// Interface language, `id` or `en`.
    #[serde(default)]
    pub language: Option<String>,
    /// Path of the profile photo below `/uploads/`.
    #[serde(default)]
    pub photo: Option<String>,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub last_login: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Raised when all logins of the user end, such as after a password change; older tokens stop working.
    #[serde(default)]
    pub generation: u32,
}

/// Checks a username: 3 to 50 characters out of `A-Z a-z 0-9 _ . -`.
pub fn check_username(username: &str) -> Result<()> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    if (3..=50).contains(&username.len()) && username.chars().all(allowed) {
        Ok(())
    } else {
        Err(Error::new(Code::UsernameInvalid))
    }
}

/// Checks that an email address has one `@`, a local part and a domain, no spaces, and at most 254 bytes.
pub fn check_email(email: &str) -> Result<()> {
    let mut parts = email.split('@');
    let (local, domain, rest) = (parts.next(), parts.next(), parts.next());
    let fits = email.len() <= 254
        && rest.is_none()
        && local.is_some_and(|local| !local.is_empty())
        && domain
            .is_some_and(|domain| !domain.is_empty() && !domain.starts_with('.') && !domain.ends_with('.'))
        && !email.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    if fits { Ok(()) } else { Err(Error::new(Code::EmailInvalid)) }
}

/// Checks a new password: 8 to 128 characters.
pub fn check_password(password: &str) -> Result<()> {
    if (8..=128).contains(&password.chars().count()) {
        Ok(())
    } else {
        Err(Error::new(Code::PasswordInvalid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_addresses_and_passwords_follow_their_rules() {
        assert!(check_username("budi.s-1_x").is_ok());
        for bad in ["ab", "has space", "ünï", &"x".repeat(51)] {
            assert!(check_username(bad).is_err(), "{bad}");
        }
        assert!(check_email("owner@example.com").is_ok() && check_email("a@localhost").is_ok());
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c.d", "a@.com"] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
        assert!(check_password("12345678").is_ok());
        assert!(check_password("1234567").is_err() && check_password(&"x".repeat(129)).is_err());
    }
}
