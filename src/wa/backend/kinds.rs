//! The kinds of protocol records and how their keys are built. A number is never given a second meaning.

use crate::store::sessions::Kind;

/// no key → JSON of the library's device: keys of the companion, account, counters.
pub(super) const DEVICE: Kind = 1;
/// address → 32 bytes: identity key of a remote device.
pub(super) const IDENTITY: Kind = 2;
/// address → the library's record: Signal session with a remote device.
pub(super) const SESSION: Kind = 3;
/// id (u32 big-endian) → the library's record: one-time prekey.
pub(super) const PREKEY: Kind = 4;
/// id (u32 big-endian) → the library's record: signed prekey.
pub(super) const SIGNED_PREKEY: Kind = 5;
/// group and address → the library's record: sender key.
pub(super) const SENDER_KEY: Kind = 6;
/// key id → JSON: key of the app-state sync.
pub(super) const SYNC_KEY: Kind = 7;
/// no key → key id that was stored last.
pub(super) const SYNC_KEY_LATEST: Kind = 8;
/// collection → JSON: version and hash of an app-state collection.
pub(super) const SYNC_VERSION: Kind = 9;
/// collection, index MAC → value MAC.
pub(super) const MUTATION_MAC: Kind = 10;
/// group, device → 1 when the device has our sender key, else 0.
pub(super) const SENDER_KEY_DEVICE: Kind = 11;
/// hidden id → JSON: which phone number it belongs to.
pub(super) const LID_MAPPING: Kind = 12;
/// phone number → hidden id.
pub(super) const PHONE_MAPPING: Kind = 13;
/// address, message id → base key of the session that a retry was answered with.
pub(super) const BASE_KEY: Kind = 14;
/// user → JSON: the devices of a person.
pub(super) const DEVICE_LIST: Kind = 15;
/// group → the library's snapshot of the group.
pub(super) const GROUP_METADATA: Kind = 16;
/// address → JSON: privacy token of a contact.
pub(super) const CONTACT_TOKEN: Kind = 17;
/// chat, message id → stored at (i64 big-endian, seconds), message: answers retry requests.
pub(super) const SENT_MESSAGE: Kind = 18;
/// chat, sender, message id → stored at (i64 big-endian, seconds), message: decrypted and not yet committed by us.
pub(super) const PENDING_INBOUND: Kind = 19;
/// chat, sender, message id → expires at, sent at (i64 big-endian, seconds), secret: opens later reactions, votes, edits.
pub(super) const MESSAGE_SECRET: Kind = 20;

/// The key of a record, out of parts that are told apart by a zero byte (which no address or id contains).
#[derive(Default, Clone)]
pub(super) struct Key(pub(super) Vec<u8>);

impl Key {
    /// Joins the parts of a complete key.
    pub(super) fn of(parts: &[&str]) -> Self {
        Self(parts.join("\0").into_bytes())
    }

    /// Returns what all keys begin with that have `first` as first of several parts.
    pub(super) fn under(first: &str) -> Self {
        Self([first.as_bytes(), b"\0"].concat())
    }
}
