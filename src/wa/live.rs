//! What is true of a device right now, beyond what is stored: the QR, the pairing code, how far a linking has come.

use crate::model::device::{Device, DeviceStatus, LinkStep, LinkTrouble};

/// A snapshot of a device's connection.
///
/// QR and pairing code let whoever holds them take the account over, so they live here and are never written to disk.
#[derive(Clone, PartialEq, Eq)]
pub struct Live {
    /// State in the words of the contract.
    pub status: DeviceStatus,
    /// How far a linking has come, while one is under way or complete.
    pub step: Option<LinkStep>,
    /// The newest QR, while one waits for a scan.
    pub qr: Option<Qr>,
    /// The pairing code, while one waits to be typed.
    pub pairing: Option<PairingCode>,
    /// The passkey request of WhatsApp as JSON, while one waits for an answer.
    pub passkey: Option<String>,
    /// Digits of the linked number.
    pub phone_number: Option<String>,
    /// Why it is not connected, when something is wrong.
    pub trouble: Option<LinkTrouble>,
}

/// A QR that waits for a scan.
#[derive(Clone, PartialEq, Eq)]
pub struct Qr {
    /// What the QR encodes.
    pub text: String,
    /// Milliseconds since 1970 at which the next one replaces it.
    pub expires_at: i64,
}

/// A pairing code that waits to be typed into the phone.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode {
    /// Eight letters and digits, without separator.
    pub code: String,
    /// Milliseconds since 1970.
    pub expires_at: i64,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            status: DeviceStatus::Disconnected,
            step: None,
            qr: None,
            pairing: None,
            passkey: None,
            phone_number: None,
            trouble: None,
        }
    }
}

impl Live {
    /// Returns what is true of a device that nothing runs for yet. A row from before a crash may claim more.
    pub(super) fn at_rest(device: &Device) -> Self {
        let live = Self::of_stored(device);
        Self { status: if live.status.is_alive() { DeviceStatus::Disconnected } else { live.status }, ..live }
    }

    /// Returns what the stored row says.
    pub(super) fn of_stored(device: &Device) -> Self {
        Self {
            status: device.status,
            phone_number: device.phone_number.clone(),
            trouble: device.trouble.clone(),
            ..Self::default()
        }
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live")
            .field("status", &self.status)
            .field("step", &self.step)
            .field("qr", &self.qr.is_some())
            .field("pairing", &self.pairing.is_some())
            .field("passkey", &self.passkey.is_some())
            .field("trouble", &self.trouble)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Qr").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingCode").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}
