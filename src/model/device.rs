//! Devices: linked WhatsApp accounts and the states of their connection (contract `multi-device.md` section 3).

use crate::model::id::{DeviceId, DeviceNo, UserId};
use crate::model::jid::{Jid, Phone};
use serde::{Deserialize, Serialize};

/// The state of a device, in the words of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStatus {
    /// Exists, never connected.
    Created,
    /// Not connected.
    Disconnected,
    /// Connect in progress, until a QR shows or the link opens.
    Connecting,
    /// A QR waits for a scan.
    QrRequired,
    /// A pairing code was requested.
    Pairing,
    /// Link open.
    Connected,
    /// Cancel-and-wipe was used; nothing connects by itself until the next explicit connect.
    Cancelled,
    /// The connect operation failed.
    Error,
}

impl DeviceStatus {
    /// Returns whether a connection is open or being made.
    pub fn is_alive(self) -> bool {
        use DeviceStatus::{Connected, Connecting, Pairing, QrRequired};
        matches!(self, Connecting | QrRequired | Pairing | Connected)
    }

    /// Returns the state as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            DeviceStatus::Created => "created",
            DeviceStatus::Disconnected => "disconnected",
            DeviceStatus::Connecting => "connecting",
            DeviceStatus::QrRequired => "qr_required",
            DeviceStatus::Pairing => "pairing",
            DeviceStatus::Connected => "connected",
            DeviceStatus::Cancelled => "cancelled",
            DeviceStatus::Error => "error",
        }
    }
}

/// How far a linking has come, for the person who watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkStep {
    /// A code is shown and waits for the phone.
    Waiting,
    /// The phone has accepted the code.
    Scanned,
    /// The link is open, keys and settings are being exchanged.
    Synchronising,
    /// Ready to send and receive.
    Connected,
}

/// Why a device is not connected, with what the person needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum LinkTrouble {
    /// Unlinked from the phone, or the credentials are no longer valid. A new QR or pairing code is needed.
    LoggedOut,
    /// Another connection took the session over.
    Replaced,
    /// Temporarily banned until this time (milliseconds since 1970) when the network said so.
    Banned {
        /// End of the ban.
        until: Option<i64>,
    },
    /// The network asks for a newer client version.
    Outdated,
    /// The network refused the connection with this code.
    Refused {
        /// The network's number.
        code: i32,
    },
    /// The connection was lost; it is being opened again.
    Lost,
    /// The network cannot be reached.
    Unreachable,
    /// The configured number of reconnect attempts is used up.
    GaveUp,
    /// The series of QR codes ended without a scan.
    QrExpired,
    /// The phone's answer did not complete the linking.
    PairFailed,
    /// The device's task panicked and is started again.
    Crashed,
}

impl LinkTrouble {
    /// Returns the machine-readable reason.
    pub fn name(&self) -> &'static str {
        match self {
            LinkTrouble::LoggedOut => "logged_out",
            LinkTrouble::Replaced => "replaced",
            LinkTrouble::Banned { .. } => "banned",
            LinkTrouble::Outdated => "outdated",
            LinkTrouble::Refused { .. } => "refused",
            LinkTrouble::Lost => "lost",
            LinkTrouble::Unreachable => "unreachable",
            LinkTrouble::GaveUp => "gave_up",
            LinkTrouble::QrExpired => "qr_expired",
            LinkTrouble::PairFailed => "pair_failed",
            LinkTrouble::Crashed => "crashed",
        }
    }

    /// Returns when a ban ends, in milliseconds since 1970, if the network said so.
    pub fn banned_until(&self) -> Option<i64> {
        match self {
            LinkTrouble::Banned { until } => *until,
            _ => None,
        }
    }
}

/// A device as it is stored. What changes by the second (QR, pairing code, step) lives with the running connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// Number inside this installation.
    pub no: DeviceNo,
    /// Name for clients.
    pub id: DeviceId,
    /// Shown name, 1 to 100 characters.
    pub name: String,
    /// Owner.
    pub user: UserId,
    /// Last known state; what is not true after a restart is corrected at start.
    pub status: DeviceStatus,
    /// Why it is not connected, when something is wrong.
    #[serde(default)]
    pub trouble: Option<LinkTrouble>,
    /// Digits of the linked number.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// The account's hidden id (`…@lid`), when known.
    #[serde(default)]
    pub lid: Option<String>,
    /// 1 after a manual connect, one more for each automatic attempt.
    #[serde(default)]
    pub connection_attempts: u32,
    /// True while the owner wants it connected: set by connect, cleared by disconnect and wipe. Decides about restore at start.
    #[serde(default)]
    pub wanted: bool,
    /// True once the phone has linked it and until logout or wipe: credentials exist.
    #[serde(default)]
    pub linked: bool,
    /// Milliseconds since 1970 of the last message or state change.
    #[serde(default)]
    pub last_activity: Option<i64>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970.
    pub updated_at: i64,
}

impl Device {
    /// Returns a device that was never connected; its number is given when it is stored.
    pub fn new(id: DeviceId, name: String, user: UserId, now: i64) -> Self {
        Self {
            no: DeviceNo(0),
            id,
            name,
            user,
            status: DeviceStatus::Created,
            trouble: None,
            phone_number: None,
            lid: None,
            connection_attempts: 0,
            wanted: false,
            linked: false,
            last_activity: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Returns the addresses of the linked account that are known, the number first.
    pub fn addresses(&self) -> Vec<Jid> {
        own_addresses(self.phone_number.as_deref(), self.lid.as_deref())
    }
}

/// Returns the addresses of the account with this number and hidden id (`…@lid`), the number first.
pub fn own_addresses(phone_number: Option<&str>, lid: Option<&str>) -> Vec<Jid> {
    let number = phone_number.and_then(|number| Phone::international(number).ok());
    let lid = lid.and_then(|lid| lid.parse().ok());
    number.as_ref().map(Jid::of_phone).into_iter().chain(lid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_written_in_the_words_of_the_contract() {
        for status in
            [DeviceStatus::QrRequired, DeviceStatus::Connected, DeviceStatus::Created, DeviceStatus::Error]
        {
            let json = serde_json::to_value(status).expect("a string");
            assert_eq!(json, status.as_str());
        }
    }
}
