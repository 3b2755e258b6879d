//! How the account families show a user.

use crate::clock::iso_ms;
use crate::model::user::{Role, User};
use schemars::JsonSchema;
use serde::Serialize;

/// A user; the password hash is not among its fields.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    id: u32,
    username: String,
    email: String,
    role: Role,
    full_name: Option<String>,
    is_active: bool,
    /// Path of the profile photo.
    pub(super) photo_url: Option<String>,
    /// Interface language, `id` or `en`.
    language: Option<String>,
    last_login: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.0,
            username: user.username.clone(),
            email: user.email.clone(),
            role: user.role,
            full_name: user.full_name.clone(),
            is_active: user.is_active,
            photo_url: user.photo.as_ref().map(|name| format!("/uploads/{name}")),
            language: user.language.clone(),
            last_login: user.last_login.map(iso_ms),
            created_at: iso_ms(user.created_at),
            updated_at: iso_ms(user.updated_at),
        }
    }
}

/// The `data` of answers that hold nothing but a user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UserData {
    /// The user.
    pub user: UserView,
}

impl From<&User> for UserData {
    fn from(user: &User) -> Self {
        Self { user: user.into() }
    }
}
