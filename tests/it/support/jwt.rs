//! Access tokens as somebody else would make them.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// `JWT_SECRET` of the tests that make tokens.
pub const ACCESS_SECRET: &str = "a secret of the tests, 32 characters and more";
/// `JWT_REFRESH_SECRET` of the tests that make tokens.
pub const REFRESH_SECRET: &str = "another secret of the tests, also long enough";

/// Returns the documented claims of a user; `expires_in_s` may be negative.
pub fn claims(user: u64, role: &str, expires_in_s: i64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs() as i64;
    json!({"id": user, "username": "owner", "email": "owner@example.com", "role": role,
        "iat": now - 100, "exp": now + expires_in_s})
}

/// Signs claims with HS256.
pub fn signed(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::new(Algorithm::HS256), claims, &key).expect("claims can be signed")
}
