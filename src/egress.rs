//! The one outgoing HTTP client and its rule: resolve, check every address, connect to what was checked.

use crate::error::Result;

/// The outgoing HTTP client. Clones share it.
#[derive(Clone)]
pub struct Egress;

impl Egress {
    /// Makes the client; `allow_private` lets it reach loopback, private and link-local addresses.
    pub fn new(_allow_private: bool) -> Result<Self> {
        Ok(Self)
    }
}
