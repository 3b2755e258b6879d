//! Tokens that allow uploads. They are signed, so that the network need not remember them.

use crate::clock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wacore_libsignal::crypto::hmac_sha256;

/// How long a token is good for.
pub const VALID_S: u64 = 21_600;
/// Bytes of the signature that are kept.
const SIGNATURE: usize = 16;

/// A companion that was given a token.
#[derive(Debug, PartialEq, Eq)]
pub struct Holder {
    /// Number of its account.
    pub number: String,
    /// Its device id.
    pub device: u16,
}

/// Issues and checks tokens.
pub struct Passes {
    key: [u8; 32],
}

impl Passes {
    /// Signs with this key; tokens of another key are not believed.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Issues a token to a companion.
    pub fn issue(&self, number: &str, device: u16) -> String {
        self.issue_until(number, device, clock::now_s() + VALID_S)
    }

    /// Returns who was given a token, unless it is forged or has expired.
    pub fn holder(&self, token: &str) -> Option<Holder> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signature, grant) = bytes.split_at_checked(SIGNATURE)?;
        if signature != &hmac_sha256(&self.key, grant)[..SIGNATURE] {
            return None;
        }
        let mut parts = std::str::from_utf8(grant).ok()?.split('/');
        let (number, device, until) = (parts.next()?, parts.next()?, parts.next()?);
        let holder = Holder { number: number.to_owned(), device: device.parse().ok()? };
        (until.parse::<u64>().ok()? > clock::now_s()).then_some(holder)
    }

    fn issue_until(&self, number: &str, device: u16, until: u64) -> String {
        let grant = format!("{number}/{device}/{until}");
        let signature = &hmac_sha256(&self.key, grant.as_bytes())[..SIGNATURE];
        URL_SAFE_NO_PAD.encode([signature, grant.as_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_its_holder() {
        let passes = Passes::new([7; 32]);
        let holder = passes.holder(&passes.issue("6281", 3));
        assert_eq!(holder, Some(Holder { number: "6281".into(), device: 3 }));
    }

    #[test]
    fn forged_and_expired_tokens_are_refused() {
        let passes = Passes::new([7; 32]);
        let expired = passes.issue_until("6281", 3, clock::now_s() - 1);
        let foreign = Passes::new([8; 32]).issue("6281", 3);
        for token in ["", "abc", &expired, &foreign, &passes.issue("6281", 3)[1..]] {
            assert_eq!(passes.holder(token), None, "{token}");
        }
    }
}
