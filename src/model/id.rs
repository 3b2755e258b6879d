//! Identifiers: newtypes where a mix-up would hurt, and the making of new ids.

use crate::error::{Code, Error, Result};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id! {
    /// The number of a device inside this installation: the first part of its rows' keys. Never reused.
    DeviceNo
}
number_id! {
    /// The number of a user account. Never reused.
    UserId
}
number_id! {
    /// The number of a saved contact. Never reused.
    ContactId
}

/// The name by which clients address a device: 3 to 50 characters out of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(String);

/// Words that are path segments beside device ids and so cannot name a device (contract C-05).
const RESERVED: &[&str] = &[
    "devices",
    "users",
    "send",
    "device",
    "sessions",
    "messages",
    "message",
    "groups",
    "history",
    "conversation",
    "allowed-numbers",
    "chatbots",
    "status",
    "connect",
    "connected",
    "regenerate-qr",
    "disconnect",
    "send-message",
    "contacts",
    "health",
    "ws",
];

impl DeviceId {
    /// Reads a device id; refuses what the contract's rule does not allow.
    pub fn parse(text: &str) -> Result<Self> {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if !(3..=50).contains(&text.len()) || !text.chars().all(allowed) {
            return Err(Error::new(Code::DeviceIdInvalid)
                .detail("3 to 50 characters out of letters, digits, underscore and hyphen"));
        }
        if RESERVED.contains(&text) {
            return Err(Error::new(Code::DeviceIdInvalid).detail(format!("`{text}` is reserved")));
        }
        Ok(Self(text.to_owned()))
    }

    /// Makes a new id in the documented form `device-<owner>-<epoch ms>-<5 digits>`.
    pub fn generate(owner: UserId, now_ms: i64) -> Self {
        let tail: u32 = rand::rng().random_range(10_000..100_000);
        Self(format!("device-{owner}-{now_ms}-{tail}"))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a job, such as `send-text-bulk_1640995200000_abc123`; opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(pub String);

impl JobId {
    /// Makes a new id `<kind>_<epoch ms>_<6 of a-z0-9>`.
    pub fn generate(kind: &str, now_ms: i64) -> Self {
        Self(format!("{kind}_{now_ms}_{}", random_text(6, b"abcdefghijklmnopqrstuvwxyz0123456789")))
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The hash and the order of an id are those of its text.
impl Borrow<str> for JobId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes the name that a template keeps through its versions: `template_<epoch ms>_<6 of a-z0-9>`.
pub fn template_base_id(now_ms: i64) -> String {
    format!("template_{now_ms}_{}", random_text(6, b"abcdefghijklmnopqrstuvwxyz0123456789"))
}

/// The name of a schedule, such as `sched_1640995200000_abc123`; opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ScheduleId(pub String);

impl ScheduleId {
    /// Makes a new id `sched_<epoch ms>_<6 of a-z0-9>`.
    pub fn generate(now_ms: i64) -> Self {
        Self(JobId::generate("sched", now_ms).0)
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScheduleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes a WhatsApp message id as web clients do: `3EB0` and 18 upper-case hex digits.
///
/// An outgoing message gets its id when it is stored and keeps it through every attempt.
pub fn message_id() -> String {
    let bytes: [u8; 9] = rand::random();
    format!("3EB0{}", hex::encode_upper(bytes))
}

/// Makes a secret of 256 random bits as URL-safe text.
pub fn secret() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn random_text(length: usize, letters: &[u8]) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| char::from(letters[rng.random_range(0..letters.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_ids_follow_the_documented_rule() {
        for good in ["device-001", "abc", "A_b-9", &"x".repeat(50)] {
            assert!(DeviceId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "has space", "ünï", "a/b", "connected", &"x".repeat(51)] {
            assert!(DeviceId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn generated_ids_have_their_documented_forms() {
        let device = DeviceId::generate(UserId(7), 1_234_567_890);
        assert!(device.as_str().starts_with("device-7-1234567890-"));
        assert!(DeviceId::parse(device.as_str()).is_ok());
        let job = JobId::generate("send-text-bulk", 1_640_995_200_000);
        assert_eq!(job.as_str().rsplit('_').next().map(str::len), Some(6));
        let message = message_id();
        assert!(message.len() == 22 && message.starts_with("3EB0"));
    }
}
