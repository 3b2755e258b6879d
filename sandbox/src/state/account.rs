//! One account: a phone number with its LID twin, the identity of its phone, and its linked devices.

use super::appstate::Collection;
use super::companion::{Companion, hexed};
use super::persona::Persona;
use super::queue::{self, Queue};
use super::{lock, magic::Manner};
use crate::keys::public_bytes;
use crate::phone::Phone;
use crate::phone::app_state::Book;
use crate::phone::prekeys::PhonePreKeys;
use crate::store::{Batch, Table};
use crate::{clock, node};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard};
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::{
    GenericSignedPreKey, IdentityKeyPair, KeyPair, SignedPreKeyRecord, Timestamp,
};

/// The id of a phone's only signed prekey.
pub const SIGNED_PREKEY: u32 = 1;

/// An account of the network.
pub struct Account {
    /// Phone number, digits only.
    pub number: String,
    /// User part of the account's LID.
    pub lid: String,
    /// Signal identity of the phone; it also signs companions.
    pub identity: IdentityKeyPair,
    /// Signal registration id of the phone.
    pub registration_id: u32,
    /// Number that stays the same until the account is registered anew.
    pub raw_id: u32,
    /// The phone's signed prekey.
    pub signed_prekey: SignedPreKeyRecord,
    /// Id of the app-state sync key.
    pub sync_key_id: Vec<u8>,
    /// The app-state sync key.
    pub sync_key: Vec<u8>,
    /// The phone's one-time prekeys.
    pub prekeys: Mutex<PhonePreKeys>,
    /// What the phone itself knows: Signal sessions and its message log.
    pub phone: tokio::sync::Mutex<Phone>,
    /// The phone is about to look at its queue.
    pub scheduled: AtomicBool,
    state: Mutex<State>,
}

/// The part of an account that changes.
pub struct State {
    /// Name its owner gave it; also the push name of the phone.
    pub name: String,
    /// Made on demand because somebody wrote to the number.
    pub auto: bool,
    /// Name by which a foreign test suite finds the account.
    pub alias: Option<String>,
    /// Highest key index given out.
    pub current_index: u32,
    /// Highest device id given out.
    pub last_device: u16,
    /// When the device list last changed, seconds since the epoch.
    pub devices_changed: u64,
    /// Linked devices by id.
    pub companions: BTreeMap<u16, Companion>,
    /// What the phone has not handled yet.
    pub queue: Queue,
    /// App-state collections by name.
    pub collections: BTreeMap<String, Collection>,
    /// What the phone has read of them.
    pub book: Book,
    /// Numbers it has exchanged messages with.
    pub peers: BTreeSet<String>,
    /// What it shows of itself, and whom it keeps away.
    pub persona: Persona,
    /// Companions that want to know whether the account is available, and by which address they asked.
    pub watchers: HashMap<(String, u16), Jid>,
    /// The phone's owner is looking at it.
    pub phone_available: bool,
    /// When the account was last available, seconds since the epoch.
    pub last_seen: Option<u64>,
}

/// The stored row of an account.
#[derive(Serialize, Deserialize)]
struct Row {
    lid: String,
    #[serde(with = "hexed")]
    identity: Vec<u8>,
    registration_id: u32,
    raw_id: u32,
    #[serde(with = "hexed")]
    signed_prekey: Vec<u8>,
    #[serde(with = "hexed")]
    sync_key_id: Vec<u8>,
    #[serde(with = "hexed")]
    sync_key: Vec<u8>,
    name: String,
    auto: bool,
    alias: Option<String>,
    current_index: u32,
    last_device: u16,
    devices_changed: u64,
}

impl Account {
    /// Makes an account with fresh keys.
    pub fn generate(number: &str, lid: &str) -> Result<Self> {
        let identity = IdentityKeyPair::generate(&mut rand::rng());
        let signed = KeyPair::generate(&mut rand::rng());
        let signature = identity
            .private_key()
            .calculate_signature(&signed.public_key.serialize(), &mut rand::rng())
            .context("signing a prekey")?;
        let made = Timestamp::from_epoch_millis(clock::now_ms());
        let row = Row {
            lid: lid.to_owned(),
            identity: identity.serialize().to_vec(),
            registration_id: rand::random_range(1..16_380),
            raw_id: rand::random_range(1..u32::MAX),
            signed_prekey: <SignedPreKeyRecord as GenericSignedPreKey>::new(
                SIGNED_PREKEY.into(),
                made,
                &signed,
                &signature,
            )
            .serialize()?,
            sync_key_id: [&[0, 0], rand::random::<[u8; 4]>().as_slice()].concat(),
            sync_key: rand::random::<[u8; 32]>().to_vec(),
            name: format!("Phone {number}"),
            auto: true,
            alias: None,
            current_index: 0,
            last_device: 0,
            devices_changed: clock::now_s(),
        };
        Self::from_parts(number, row)
    }

    /// Reads an account back from the store.
    pub fn from_row(number: &str, row: &[u8]) -> Result<Self> {
        Self::from_parts(number, serde_json::from_slice(row)?)
    }

    fn from_parts(number: &str, row: Row) -> Result<Self> {
        let identity = IdentityKeyPair::try_from(row.identity.as_slice())?;
        Ok(Self {
            number: number.to_owned(),
            lid: row.lid,
            phone: tokio::sync::Mutex::new(Phone::new(number)),
            identity,
            registration_id: row.registration_id,
            raw_id: row.raw_id,
            signed_prekey: SignedPreKeyRecord::deserialize(&row.signed_prekey)?,
            sync_key_id: row.sync_key_id,
            sync_key: row.sync_key,
            prekeys: Mutex::new(PhonePreKeys::default()),
            scheduled: AtomicBool::new(false),
            state: Mutex::new(State {
                name: row.name,
                auto: row.auto,
                alias: row.alias,
                current_index: row.current_index,
                last_device: row.last_device,
                devices_changed: row.devices_changed,
                companions: BTreeMap::new(),
                queue: Queue::default(),
                collections: BTreeMap::new(),
                book: Book::default(),
                peers: BTreeSet::new(),
                persona: Persona::default(),
                watchers: HashMap::new(),
                phone_available: false,
                last_seen: None,
            }),
        })
    }

    /// Locks the changing part, for a few lines only.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Adds the account's row to a batch; call it under the lock that `state` came from.
    pub fn put_row(&self, state: &State, batch: &mut Batch) {
        batch.put(Table::Accounts, self.number.clone(), || {
            let row = Row {
                lid: self.lid.clone(),
                identity: self.identity.serialize().to_vec(),
                registration_id: self.registration_id,
                raw_id: self.raw_id,
                signed_prekey: self
                    .signed_prekey
                    .serialize()
                    .expect("a prekey that was read or made serializes"),
                sync_key_id: self.sync_key_id.clone(),
                sync_key: self.sync_key.clone(),
                name: state.name.clone(),
                auto: state.auto,
                alias: state.alias.clone(),
                current_index: state.current_index,
                last_device: state.last_device,
                devices_changed: state.devices_changed,
            };
            serde_json::to_vec(&row).expect("a row of texts and numbers always serializes")
        });
    }

    /// Adds a companion's row to a batch; call it under the lock that `companion` came from.
    pub fn put_companion(&self, companion: &Companion, batch: &mut Batch) {
        batch.put(Table::Companions, device_key(&self.number, companion.profile.id), || {
            serde_json::to_vec(&companion.profile).expect("a profile of texts and numbers always serializes")
        });
    }

    /// Returns the phone number's address, with a device when it is not the phone.
    pub fn pn(&self, device: u16) -> Jid {
        Jid::pn(self.number.as_str()).with_device(device)
    }

    /// Returns the LID address, with a device when it is not the phone.
    pub fn lid(&self, device: u16) -> Jid {
        Jid::lid(self.lid.as_str()).with_device(device)
    }

    /// Returns the address in the same spelling as another one, and its twin in the other.
    pub fn spelled_like(&self, other: &Jid, device: u16) -> (Jid, Jid) {
        if other.is_lid() { (self.lid(device), self.pn(device)) } else { (self.pn(device), self.lid(device)) }
    }

    /// Returns the phone's public identity key.
    pub fn identity_public(&self) -> [u8; 32] {
        public_bytes(self.identity.public_key())
    }

    /// Returns how the number behaves by itself. The phones of foreign test suites only look on.
    pub fn manner(&self) -> Manner {
        if self.state().alias.is_some() { Manner::Silent } else { Manner::of(&self.number) }
    }
}

impl State {
    /// Returns the queue of a device; 0 is the phone.
    pub fn queue_mut(&mut self, device: u16) -> Option<&mut Queue> {
        if device == 0 {
            return Some(&mut self.queue);
        }
        self.companions.get_mut(&device).map(|companion| &mut companion.queue)
    }

    /// Returns whether any device is available.
    pub fn is_available(&self) -> bool {
        let companion = |one: &Companion| one.link.as_ref().is_some_and(|link| link.available);
        self.phone_available || self.companions.values().any(companion)
    }

    /// Returns the ids of all devices, the phone first.
    pub fn devices(&self) -> Vec<u16> {
        std::iter::once(0).chain(self.companions.keys().copied()).collect()
    }

    /// Returns the push name that a device sends along.
    pub fn push_name(&self, device: u16) -> String {
        let announced =
            self.companions.get(&device).and_then(|companion| companion.profile.push_name.clone());
        announced.unwrap_or_else(|| self.name.clone())
    }

    /// Removes cleared entries of a device from the store.
    pub fn forget(&self, number: &str, device: u16, cleared: &[u64], batch: &mut Batch) {
        for seq in cleared {
            batch.delete(Table::Queue, || queue::row_key(number, device, *seq));
        }
    }
}

/// Writes the store's key of a device.
pub fn device_key(number: &str, device: u16) -> String {
    format!("{number}/{device:05}")
}

/// Encodes a queued stanza for the store.
pub fn queue_row(stanza: &Node) -> Vec<u8> {
    node::encode(stanza).expect("a stanza that was built here or decoded from the wire encodes")
}
