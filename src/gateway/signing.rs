//! Access and refresh tokens: JWTs with HS256, each kind under its own secret (contract `accounts.md` section 1).

use crate::config::Config;
use crate::error::{Code, Context, Error, Result};
use crate::model::id::{UserId, secret};
use crate::model::user::{Role, User};
use crate::store::{Store, settings};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What an access token says. `sid` is ours; the rest is documented.
#[derive(Debug, Serialize, Deserialize)]
pub struct AccessClaims {
    /// User.
    pub id: u32,
    /// Username when it was made.
    pub username: String,
    /// Email when it was made.
    pub email: String,
    /// Role when it was made; the stored one counts.
    pub role: Role,
    /// Login it belongs to; a token made elsewhere with the configured secret has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
}

/// What a refresh token says.
#[derive(Debug, Serialize, Deserialize)]
pub struct RefreshClaims {
    /// User.
    pub id: u32,
    /// Always `refresh`.
    pub r#type: String,
    /// Login it belongs to.
    pub sid: String,
    /// Makes each token of a login another one.
    pub jti: String,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
}

/// The signing keys of the two kinds.
pub struct Signing {
    access: Key,
    refresh: Key,
    access_ttl_s: i64,
    refresh_ttl_s: i64,
}

struct Key {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl Signing {
    /// Takes the configured secrets, or makes them once and keeps them sealed in the store.
    pub async fn open(store: &Store, config: &Config) -> Result<Self> {
        let auth = &config.auth;
        Ok(Self {
            access: Key::new(&secret_or_kept(store, "jwt", auth.jwt_secret.as_deref()).await?),
            refresh: Key::new(
                &secret_or_kept(store, "jwt-refresh", auth.jwt_refresh_secret.as_deref()).await?,
            ),
            access_ttl_s: auth.access_ttl.millis() / 1000,
            refresh_ttl_s: auth.refresh_ttl.millis() / 1000,
        })
    }

    /// Returns an access token for a login and when it ends, in milliseconds since 1970.
    pub fn access(&self, user: &User, login: &str, now: i64) -> Result<(String, i64)> {
        let iat = now / 1000;
        let exp = iat + self.access_ttl_s;
        let claims = AccessClaims {
            id: user.id.0,
            username: user.username.clone(),
            email: user.email.clone(),
            role: user.role,
            sid: Some(login.to_owned()),
            iat,
            exp,
        };
        Ok((self.access.sign(&claims)?, exp * 1000))
    }

    /// Returns a refresh token for a login and when it ends, in milliseconds since 1970.
    pub fn refresh(&self, user: UserId, login: &str, now: i64) -> Result<(String, i64)> {
        let iat = now / 1000;
        let exp = iat + self.refresh_ttl_s;
        let claims = RefreshClaims {
            id: user.0,
            r#type: "refresh".into(),
            sid: login.into(),
            jti: secret(),
            iat,
            exp,
        };
        Ok((self.refresh.sign(&claims)?, exp * 1000))
    }

    /// Reads an access token; refuses what is malformed, wrongly signed or expired at `now` (milliseconds since 1970).
    pub fn read_access(&self, token: &str, now: i64) -> Result<AccessClaims> {
        let claims: AccessClaims = self.access.read(token)?;
        if claims.exp * 1000 <= now { Err(refused()) } else { Ok(claims) }
    }

    /// Reads a refresh token; refuses what is malformed, wrongly signed, expired, or another kind of token.
    pub fn read_refresh(&self, token: &str, now: i64) -> Result<RefreshClaims> {
        let claims: RefreshClaims = self.refresh.read(token)?;
        if claims.r#type != "refresh" || claims.exp * 1000 <= now { Err(refused()) } else { Ok(claims) }
    }
}

impl Key {
    fn new(secret: &[u8]) -> Self {
        Self { encoding: EncodingKey::from_secret(secret), decoding: DecodingKey::from_secret(secret) }
    }

    fn sign(&self, claims: &impl Serialize) -> Result<String> {
        encode(&Header::new(Algorithm::HS256), claims, &self.encoding).context("signing a token")
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, token: &str) -> Result<T> {
        let mut rule = Validation::new(Algorithm::HS256);
        // The end is compared with the program's clock, by the callers.
        rule.validate_exp = false;
        rule.required_spec_claims.clear();
        decode::<T>(token, &self.decoding, &rule).map(|data| data.claims).map_err(|_| refused())
    }
}

/// Returns the SHA-256 of a token in hex: what the store keeps instead of the token.
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn refused() -> Error {
    Error::new(Code::TokenInvalid)
}

/// Returns the configured secret, or one that is made once and kept sealed in the store.
pub(super) async fn secret_or_kept(
    store: &Store,
    name: &'static str,
    configured: Option<&str>,
) -> Result<Vec<u8>> {
    if let Some(secret) = configured {
        return Ok(secret.as_bytes().to_vec());
    }
    if let Some(kept) = settings::secret(&store.view()?, store.seal(), name)? {
        return Ok(kept);
    }
    let made = secret().into_bytes();
    let sealed = store.seal().seal_value("secrets", name.as_bytes(), &made)?;
    store.write(move |t| settings::keep_secret(t, name, &sealed)).await?;
    Ok(made)
}
