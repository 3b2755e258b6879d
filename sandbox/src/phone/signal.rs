//! Signal for phones: sessions in memory, written to the journal when they changed.
//! One session per remote device, whichever spelling its address had; two would fall out of step.

use super::bundle::Bundle;
use crate::state::account::{Account, SIGNED_PREKEY};
use crate::state::lock;
use crate::store::{Batch, Table};
use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use rand::rngs::StdRng;
use std::collections::{HashMap, HashSet};
use wacore::messages::{MessageUtils, decode_plaintext};
use wacore_libsignal::protocol::{
    CiphertextMessage, CiphertextMessageType, Direction, GenericSignedPreKey as _, IdentityChange,
    IdentityKey, IdentityKeyPair, IdentityKeyStore, PreKeyId, PreKeyRecord, PreKeySignalMessage, PreKeyStore,
    ProtocolAddress, SessionRecord, SessionStore, SignalMessage, SignalProtocolError, SignedPreKeyId,
    SignedPreKeyRecord, SignedPreKeyStore, UsePQRatchet, message_decrypt, message_encrypt,
    process_prekey_bundle,
};
use waproto::whatsapp as wa;

/// What Signal's stores return.
pub(super) type Signal<T> = std::result::Result<T, SignalProtocolError>;

/// Padding version of message plaintexts.
pub(super) const PADDING: u8 = 2;

/// The sessions of one phone.
pub struct Sessions {
    number: String,
    records: HashMap<String, SessionRecord>,
    changed: HashSet<String>,
}

/// A sealed message: its wire type and bytes.
pub struct Sealed {
    /// `pkmsg` opens a session, `msg` continues one.
    pub kind: &'static str,
    /// The ciphertext.
    pub bytes: Vec<u8>,
}

impl Sessions {
    /// No sessions yet.
    pub fn new(number: &str) -> Self {
        Self { number: number.to_owned(), records: HashMap::new(), changed: HashSet::new() }
    }

    /// Puts back a stored session.
    pub fn restore(&mut self, peer: &str, row: &[u8]) -> Result<()> {
        self.records.insert(address(peer).as_str().to_owned(), SessionRecord::deserialize(row)?);
        Ok(())
    }

    /// Adds the sessions that changed since the last call to a batch.
    pub fn flush(&mut self, batch: &mut Batch) {
        for key in self.changed.drain() {
            let Some(record) = self.records.get(&key) else { continue };
            let peer = key.rsplit_once('.').map_or(key.as_str(), |(peer, _)| peer);
            batch.put(Table::Sessions, format!("{}/{peer}", self.number), || {
                record.serialize().expect("a session in use serializes")
            });
        }
    }

    /// Returns whether there is a session with a device.
    pub fn knows(&self, peer: &str) -> bool {
        self.records.contains_key(address(peer).as_str())
    }

    /// Starts a session from a bundle; an older one with the same device stays readable.
    pub async fn start(&mut self, owner: &Account, peer: &str, bundle: &Bundle) -> Result<()> {
        let mut identity = Identity { owner };
        let bundle = bundle.to_signal()?;
        let mut random: StdRng = rand::make_rng();
        process_prekey_bundle(&address(peer), self, &mut identity, &bundle, &mut random, UsePQRatchet::No)
            .await
            .with_context(|| format!("starting a session with {peer}"))?;
        Ok(())
    }

    /// Seals a message for a device with which there is a session.
    pub async fn seal(&mut self, owner: &Account, peer: &str, message: &wa::Message) -> Result<Sealed> {
        let plain = MessageUtils::encode_and_pad(message);
        let mut identity = Identity { owner };
        let sealed = message_encrypt(&plain, &address(peer), self, &mut identity)
            .await
            .with_context(|| format!("sealing for {peer}"))?;
        let kind = match sealed.message_type() {
            CiphertextMessageType::PreKey => "pkmsg",
            _ => "msg",
        };
        Ok(Sealed { kind, bytes: sealed.serialize().to_vec() })
    }

    /// Opens a message of a device. A one-time prekey that it used up is removed.
    pub async fn open(
        &mut self,
        owner: &Account,
        peer: &str,
        kind: &str,
        sealed: &[u8],
        batch: &mut Batch,
    ) -> Result<wa::Message> {
        let sealed = match kind {
            "pkmsg" => CiphertextMessage::PreKeySignalMessage(PreKeySignalMessage::try_from(sealed)?),
            "msg" => CiphertextMessage::SignalMessage(SignalMessage::try_from(sealed)?),
            other => bail!("ciphertext type `{other}` is not known"),
        };
        let mut identity = Identity { owner };
        let mut prekeys = OneTime { owner };
        let signed = Signed { owner };
        let mut random: StdRng = rand::make_rng();
        let peer = address(peer);
        let opened = message_decrypt(
            &sealed,
            &peer,
            self,
            &mut identity,
            &mut prekeys,
            &signed,
            &mut random,
            UsePQRatchet::No,
        )
        .await?;
        if let Some(id) = opened.consumed_prekey_id {
            lock(&owner.prekeys).remove(&owner.number, id.into(), batch);
        }
        decode_plaintext(&opened.plaintext, PADDING).context("decoding a message")
    }
}

fn address(peer: &str) -> ProtocolAddress {
    ProtocolAddress::new(peer, 0.into())
}

/// Names a device in the phones' sessions.
pub fn peer_name(number: &str, device: u16) -> String {
    format!("{number}:{device}")
}

#[async_trait]
impl SessionStore for Sessions {
    async fn load_session(&self, address: &ProtocolAddress) -> Signal<Option<SessionRecord>> {
        Ok(self.records.get(address.as_str()).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> Signal<bool> {
        Ok(self.records.contains_key(address.as_str()))
    }

    async fn store_session(&mut self, address: &ProtocolAddress, record: SessionRecord) -> Signal<()> {
        self.changed.insert(address.as_str().to_owned());
        self.records.insert(address.as_str().to_owned(), record);
        Ok(())
    }
}

/// The phone's own identity. Phones trust whoever the network says a device is, as a fresh phone does.
struct Identity<'a> {
    owner: &'a Account,
}

#[async_trait]
impl IdentityKeyStore for Identity<'_> {
    async fn get_identity_key_pair(&self) -> Signal<IdentityKeyPair> {
        Ok(self.owner.identity.clone())
    }

    async fn get_local_registration_id(&self) -> Signal<u32> {
        Ok(self.owner.registration_id)
    }

    async fn save_identity(&mut self, _: &ProtocolAddress, _: &IdentityKey) -> Signal<IdentityChange> {
        Ok(IdentityChange::NewOrUnchanged)
    }

    async fn is_trusted_identity(&self, _: &ProtocolAddress, _: &IdentityKey, _: Direction) -> Signal<bool> {
        Ok(true)
    }

    async fn get_identity(&self, _: &ProtocolAddress) -> Signal<Option<IdentityKey>> {
        Ok(None)
    }
}

/// The one-time prekeys, shared with the network that hands them out.
struct OneTime<'a> {
    owner: &'a Account,
}

#[async_trait]
impl PreKeyStore for OneTime<'_> {
    async fn get_pre_key(&self, id: PreKeyId) -> Signal<PreKeyRecord> {
        lock(&self.owner.prekeys).get(id.into()).ok_or(SignalProtocolError::InvalidPreKeyId)
    }

    async fn save_pre_key(&mut self, _: PreKeyId, _: &PreKeyRecord) -> Signal<()> {
        Ok(())
    }

    async fn remove_pre_key(&mut self, _: PreKeyId) -> Signal<()> {
        Ok(())
    }
}

struct Signed<'a> {
    owner: &'a Account,
}

#[async_trait]
impl SignedPreKeyStore for Signed<'_> {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> Signal<SignedPreKeyRecord> {
        if u32::from(id) != SIGNED_PREKEY {
            return Err(SignalProtocolError::InvalidSignedPreKeyId);
        }
        Ok(SignedPreKeyRecord::from_storage(self.owner.signed_prekey.get_storage().clone()))
    }

    async fn save_signed_pre_key(&mut self, _: SignedPreKeyId, _: &SignedPreKeyRecord) -> Signal<()> {
        Ok(())
    }
}
