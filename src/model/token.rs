//! What proves who a caller is beyond a password: login sessions and personal API tokens. Only hashes are stored.

use crate::model::id::UserId;
use serde::{Deserialize, Serialize};

/// One login: the family of refresh tokens that began with a password.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// Random name of the family, part of its refresh tokens.
    pub id: String,
    /// Whose login it is.
    pub user: UserId,
    /// SHA-256 of the refresh token that is valid now; an older one that comes back ends the family.
    pub token_hash: String,
    /// SHA-256 of the refresh token before that; accepted for a moment, because two tabs may refresh at once.
    #[serde(default)]
    pub previous_hash: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub refreshed_at: i64,
    /// Milliseconds since 1970.
    pub expires_at: i64,
}

/// A personal API token. It is shown once; the store keeps its hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiToken {
    /// Number of the token.
    pub id: u32,
    /// Whose token it is.
    pub user: UserId,
    /// Given by the user.
    pub name: String,
    /// The first characters, to recognise it in a list.
    pub prefix: String,
    /// SHA-256 of the token, in hex.
    pub hash: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970; written at most once a minute.
    #[serde(default)]
    pub last_used_at: Option<i64>,
    /// Milliseconds since 1970; none means never.
    #[serde(default)]
    pub expires_at: Option<i64>,
}
