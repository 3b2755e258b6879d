//! Who asks: the caller of a request, as far as the core needs to know.

use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::id::UserId;
use crate::model::user::Role;

/// By which proof a caller was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// An access token (JWT) in the header or query; holds the login it belongs to and its end (milliseconds since 1970).
    Access {
        /// Id of the login.
        login: String,
        /// End of the token.
        expires_at: i64,
    },
    /// The dashboard's cookie, which holds an access token. Unsafe methods must come from the same site.
    Cookie {
        /// Id of the login.
        login: String,
        /// End of the token.
        expires_at: i64,
    },
    /// A personal API token.
    ApiToken {
        /// Number of the token.
        id: u32,
    },
    /// No credential: the family is listed in `OPEN_APIS`, the caller acts as the built-in administrator.
    Open,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub user: UserId,
    /// Its stored role, not the one in a token.
    pub role: Role,
    /// How it was recognised.
    pub proof: Proof,
}

impl Caller {
    /// Returns whether the caller may do everything.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Refuses everybody but administrators.
    pub fn require_admin(&self) -> Result<()> {
        if self.is_admin() { Ok(()) } else { Err(Error::new(Code::AdminOnly)) }
    }

    /// Refuses a device of somebody else.
    pub fn require_device(&self, device: &Device) -> Result<()> {
        if self.may_see(device.user) { Ok(()) } else { Err(Error::new(Code::NotYourDevice)) }
    }

    /// Returns whether things of `owner` are visible to the caller.
    pub fn may_see(&self, owner: UserId) -> bool {
        self.is_admin() || self.user == owner
    }

    /// Returns when the proof ends, in milliseconds since 1970, if it does.
    pub fn expires_at(&self) -> Option<i64> {
        match &self.proof {
            Proof::Access { expires_at, .. } | Proof::Cookie { expires_at, .. } => Some(*expires_at),
            Proof::ApiToken { .. } | Proof::Open => None,
        }
    }

    /// Returns the login that the caller used, when there was one.
    pub fn login(&self) -> Option<&str> {
        match &self.proof {
            Proof::Access { login, .. } | Proof::Cookie { login, .. } => Some(login),
            Proof::ApiToken { .. } | Proof::Open => None,
        }
    }

    /// Returns the name under which this caller's `Idempotency-Key`s and limits are kept.
    pub fn key(&self) -> String {
        format!("user:{}", self.user)
    }
}
