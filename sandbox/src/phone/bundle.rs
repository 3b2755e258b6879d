//! Prekey bundles: what somebody needs to open a Signal session with a device.

use crate::node;
use crate::state::account::{Account, SIGNED_PREKEY, device_key};
use crate::state::companion::SignedKey;
use crate::state::lock;
use crate::store::{Batch, Table};
use anyhow::Result;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::{GenericSignedPreKey as _, IdentityKey, PreKeyBundle, PublicKey};

/// The public keys of one device.
pub struct Bundle {
    /// Signal registration id.
    pub registration_id: u32,
    /// Public identity key.
    pub identity: Vec<u8>,
    /// Signed prekey.
    pub signed_key: SignedKey,
    /// One-time prekey, while there are any.
    pub prekey: Option<(u32, Vec<u8>)>,
    /// Signed device identity; companions only.
    pub device_identity: Option<Vec<u8>>,
}

impl Bundle {
    /// Takes the bundle of a device, using up one of its one-time keys. Nothing when there is no such device.
    pub fn take(account: &Account, device: u16, batch: &mut Batch) -> Option<Self> {
        if device == 0 {
            return Some(Self::of_phone(account, batch));
        }
        let mut state = account.state();
        let companion = state.companions.get_mut(&device)?;
        let prekey = companion.prekeys.pop_front();
        if let Some((id, _)) = &prekey {
            batch.delete(Table::CompanionPreKeys, || row_key(&device_key(&account.number, device), *id));
        }
        Some(Self {
            registration_id: companion.profile.registration_id,
            identity: companion.profile.identity.clone(),
            signed_key: companion.profile.signed_key.clone(),
            prekey,
            device_identity: Some(companion.profile.signed_identity.clone()),
        })
    }

    fn of_phone(account: &Account, batch: &mut Batch) -> Self {
        let prekey = lock(&account.prekeys).make(&account.number, batch);
        let signed = account.signed_prekey.get_storage();
        let public = signed.public_key.clone().unwrap_or_default();
        // Stored keys may carry their one-byte type in front.
        let value = public.get(public.len().saturating_sub(32)..).unwrap_or_default().to_vec();
        Self {
            registration_id: account.registration_id,
            identity: account.identity_public().to_vec(),
            signed_key: SignedKey {
                id: SIGNED_PREKEY,
                value,
                signature: signed.signature.clone().unwrap_or_default().to_vec(),
            },
            prekey: Some(prekey),
            device_identity: None,
        }
    }

    /// Returns the bundle as Signal takes it.
    pub fn to_signal(&self) -> Result<PreKeyBundle> {
        let prekey = match &self.prekey {
            Some((id, value)) => Some(((*id).into(), PublicKey::from_djb_public_key_bytes(value)?)),
            None => None,
        };
        Ok(PreKeyBundle::new(
            self.registration_id,
            0.into(),
            prekey,
            self.signed_key.id.into(),
            PublicKey::from_djb_public_key_bytes(&self.signed_key.value)?,
            self.signed_key.signature.clone(),
            IdentityKey::new(PublicKey::from_djb_public_key_bytes(&self.identity)?),
        )?)
    }

    /// Returns the bundle as an answer, under the address it was asked by.
    pub fn to_node(&self, jid: Jid) -> Node {
        let mut children = vec![
            node::bytes("registration", self.registration_id.to_be_bytes()),
            node::bytes("type", [5]),
            node::bytes("identity", self.identity.clone()),
            signed_key_node(&self.signed_key),
        ];
        if let Some((id, value)) = &self.prekey {
            children.push(node::parent(
                "key",
                [node::bytes("id", node::key_id(*id)), node::bytes("value", value.clone())],
            ));
        }
        if let Some(identity) = &self.device_identity {
            children.push(node::bytes("device-identity", identity.clone()));
        }
        NodeBuilder::new("user").attr("jid", jid).children(children).build()
    }

    /// Returns the keys as they stand in a retry receipt.
    pub fn to_retry_keys(&self) -> Node {
        let mut children = vec![node::bytes("type", [5]), node::bytes("identity", self.identity.clone())];
        if let Some((id, value)) = &self.prekey {
            children.push(node::parent(
                "key",
                [node::bytes("id", node::key_id(*id)), node::bytes("value", value.clone())],
            ));
        }
        children.push(signed_key_node(&self.signed_key));
        node::parent("keys", children)
    }
}

/// Builds the element of a signed prekey.
pub fn signed_key_node(key: &SignedKey) -> Node {
    let parts = [
        node::bytes("id", node::key_id(key.id)),
        node::bytes("value", key.value.clone()),
        node::bytes("signature", key.signature.clone()),
    ];
    node::parent("skey", parts)
}

/// Writes the store's key of a companion's one-time prekey.
pub fn row_key(owner: &str, id: u32) -> String {
    format!("{owner}/{id:08}")
}
