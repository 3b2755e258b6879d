//! Clients that are connected but belong to no account yet: they show a QR or wait for a pairing code.

use super::account::Account;
use super::companion::{HistoryWish, SignedKey};
use super::lock;
use crate::connection::Sender;
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use buffa::Message as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;
use wacore_libsignal::protocol::KeyPair;
use waproto::whatsapp as wa;

/// QR references handed to a registering client; it shows one after the other.
const REFS: usize = 6;

/// Who waits for the end of a pairing: the device's address, or why it failed.
pub type PairingReply = oneshot::Sender<Result<String, String>>;

/// A client that wants to be linked.
pub struct Registration {
    /// Number of its connection.
    pub conn: u64,
    /// Outgoing side of its connection.
    pub sender: Sender,
    /// References of its QR codes.
    pub refs: Vec<String>,
    /// Noise static key of the handshake.
    pub noise: [u8; 32],
    /// Public identity key.
    pub identity: Vec<u8>,
    /// Signal registration id.
    pub registration_id: u32,
    /// Signed prekey.
    pub signed_key: SignedKey,
    /// Push name, if the client has one already.
    pub push_name: Option<String>,
    /// What the device calls itself.
    pub platform: String,
    /// How much history it wants.
    pub history: HistoryWish,
    /// How far the pairing is.
    pub progress: Mutex<Progress>,
}

/// How far a pairing is.
#[derive(Default)]
pub struct Progress {
    /// `pair-success` was sent and the signature is due.
    pub offered: Option<Offered>,
    /// A pairing code is outstanding.
    pub code: Option<CodeFlow>,
}

/// An offered link that waits for the companion's signature.
pub struct Offered {
    /// The account that links the companion.
    pub account: Arc<Account>,
    /// Device id it will have.
    pub device: u16,
    /// Its key index.
    pub key_index: u32,
    /// The identity as the phone signed it.
    pub signed: wa::ADVSignedDeviceIdentity,
    /// Id of the `pair-success` stanza.
    pub stanza: String,
    /// Who waits for the result.
    pub reply: Option<PairingReply>,
}

/// A pairing by code under way.
pub struct CodeFlow {
    /// Number the code is for.
    pub phone: String,
    /// The companion's ephemeral key, wrapped with the code.
    pub wrapped: Vec<u8>,
    /// Reference that ties the steps together.
    pub link_ref: Vec<u8>,
    /// Set once the code was typed into the phone.
    pub typed: Option<Typed>,
}

/// The phone's side of a typed code.
pub struct Typed {
    /// The phone on which it was typed.
    pub account: Arc<Account>,
    /// The phone's ephemeral key pair.
    pub ephemeral: KeyPair,
    /// The companion's ephemeral key, unwrapped with the typed code (garbage if the code was wrong).
    pub companion_ephemeral: [u8; 32],
    /// Who waits for the result.
    pub reply: PairingReply,
}

impl Registration {
    /// Reads a registration payload.
    pub fn new(conn: u64, sender: Sender, noise: [u8; 32], payload: &wa::ClientPayload) -> Result<Self> {
        let data = payload.device_pairing_data.as_option().context("payload has no pairing data")?;
        let identity = data.e_ident.clone().context("payload has no identity key")?;
        let value = data.e_skey_val.clone().context("payload has no signed prekey")?;
        let signature = data.e_skey_sig.clone().context("payload has no prekey signature")?;
        ensure!(
            identity.len() == 32 && value.len() == 32 && signature.len() == 64,
            "pairing keys have wrong sizes"
        );
        let registration_id = data
            .e_regid
            .as_deref()
            .and_then(crate::node::number)
            .context("payload has no registration id")?;
        let id = data
            .e_skey_id
            .as_deref()
            .and_then(crate::node::number)
            .context("payload has no signed prekey id")?;
        let refs =
            (0..REFS).map(|_| format!("2@{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 33]>()))).collect();
        let props = props(data);
        Ok(Self {
            conn,
            sender,
            refs,
            noise,
            identity,
            registration_id,
            signed_key: SignedKey { id, value, signature },
            push_name: payload.push_name.clone().filter(|name| !name.is_empty()),
            history: history(&props),
            platform: props.os.unwrap_or_default(),
            progress: Mutex::new(Progress::default()),
        })
    }
}

fn props(data: &wa::client_payload::DevicePairingRegistrationData) -> wa::DeviceProps {
    let props = data.device_props.as_deref().and_then(|props| wa::DeviceProps::decode_from_slice(props).ok());
    props.unwrap_or_default()
}

fn history(props: &wa::DeviceProps) -> HistoryWish {
    let days = |days: Option<u32>| days.filter(|days| *days > 0);
    let config = props.history_sync_config.as_option();
    HistoryWish {
        recent_days: config.and_then(|config| days(config.recent_sync_days_limit)),
        full: props.require_full_sync == Some(true),
        full_days: config.and_then(|config| days(config.full_sync_days_limit)),
    }
}

/// The open registrations.
#[derive(Default)]
pub struct Registrations(Mutex<HashMap<u64, Arc<Registration>>>);

impl Registrations {
    /// Adds one.
    pub fn open(&self, registration: Arc<Registration>) {
        lock(&self.0).insert(registration.conn, registration);
    }

    /// Removes the one of a closed connection.
    pub fn close(&self, conn: u64) {
        lock(&self.0).remove(&conn);
    }

    /// Finds the client that shows a QR reference.
    pub fn by_ref(&self, reference: &str) -> Option<Arc<Registration>> {
        lock(&self.0).values().find(|one| one.refs.iter().any(|known| known == reference)).cloned()
    }

    /// Finds the newest client that waits for a code on this number.
    pub fn by_code_for(&self, phone: &str) -> Option<Arc<Registration>> {
        let waiting = |one: &&Arc<Registration>| {
            lock(&one.progress).code.as_ref().is_some_and(|code| code.phone == phone)
        };
        lock(&self.0).values().filter(waiting).max_by_key(|one| one.conn).cloned()
    }

    /// Counts them.
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }
}
