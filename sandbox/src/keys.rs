//! The network's own keys: the certificate root that foreign clients are told to trust, and the Noise static key.

use crate::clock;
use anyhow::{Context, Result};
use buffa::{Message as _, MessageField};
use serde::{Deserialize, Serialize};
use wa::cert_chain::noise_certificate::Details;
use wacore_libsignal::protocol::{KeyPair, PrivateKey, PublicKey};
use waproto::whatsapp as wa;

/// How long the certificates are valid: clients refuse the short handshake outside the window.
const VALID_S: u64 = 10 * 365 * 86_400;

/// The keys with which the network answers handshakes.
pub struct NetworkKeys {
    root: KeyPair,
    /// The Noise static key pair.
    pub noise: KeyPair,
    /// The certificate chain for `noise`, as it goes over the wire.
    pub chain: Vec<u8>,
}

/// What is kept on disk.
#[derive(Serialize, Deserialize)]
struct Stored {
    root: String,
    noise: String,
    chain: String,
}

impl NetworkKeys {
    /// Makes the keys of a new network.
    pub fn generate() -> Result<Self> {
        Self::certify(KeyPair::generate(&mut rand::rng()))
    }

    /// Makes a new Noise key under the same root, as a rotation on the real network does.
    pub fn rotated(&self) -> Result<Self> {
        Self::certify(KeyPair::new(self.root.public_key, self.root.private_key.clone()))
    }

    /// Returns the public root key.
    pub fn root_public(&self) -> [u8; 32] {
        public_bytes(&self.root.public_key)
    }

    /// Writes the keys for the store.
    pub fn to_row(&self) -> Vec<u8> {
        let stored = Stored {
            root: hex::encode(self.root.private_key.serialize()),
            noise: hex::encode(self.noise.private_key.serialize()),
            chain: hex::encode(&self.chain),
        };
        serde_json::to_vec(&stored).expect("a struct of strings always serializes")
    }

    /// Reads the keys back from the store.
    pub fn from_row(row: &[u8]) -> Result<Self> {
        let stored: Stored = serde_json::from_slice(row).context("reading the network keys")?;
        Ok(Self {
            root: pair_from_hex(&stored.root)?,
            noise: pair_from_hex(&stored.noise)?,
            chain: hex::decode(&stored.chain).context("reading the certificate chain")?,
        })
    }

    fn certify(root: KeyPair) -> Result<Self> {
        let intermediate = KeyPair::generate(&mut rand::rng());
        let noise = KeyPair::generate(&mut rand::rng());
        let chain = wa::CertChain {
            intermediate: MessageField::some(certificate(1, 0, &intermediate.public_key, &root.private_key)?),
            leaf: MessageField::some(certificate(2, 1, &noise.public_key, &intermediate.private_key)?),
        };
        Ok(Self { root, noise, chain: chain.encode_to_vec() })
    }
}

fn certificate(
    serial: u32,
    issuer: u32,
    key: &PublicKey,
    signer: &PrivateKey,
) -> Result<wa::cert_chain::NoiseCertificate> {
    let now = clock::now_s();
    let details = Details {
        serial: Some(serial),
        issuer_serial: Some(issuer),
        key: Some(public_bytes(key).to_vec()),
        not_before: Some(now.saturating_sub(86_400)),
        not_after: Some(now + VALID_S),
    }
    .encode_to_vec();
    let signature =
        signer.calculate_signature(&details, &mut rand::rng()).context("signing a certificate")?;
    Ok(wa::cert_chain::NoiseCertificate { details: Some(details), signature: Some(signature.to_vec()) })
}

/// Returns the 32 bytes of a public key as the wire has them.
pub fn public_bytes(key: &PublicKey) -> [u8; 32] {
    key.public_key_bytes().try_into().expect("a Curve25519 public key has 32 bytes")
}

fn pair_from_hex(private: &str) -> Result<KeyPair> {
    let private = PrivateKey::deserialize(&hex::decode(private).context("reading a private key")?)?;
    Ok(KeyPair::new(private.public_key()?, private))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore_noise::HandshakeUtils;

    #[test]
    fn the_chain_is_what_clients_check() {
        let keys = NetworkKeys::generate().unwrap();
        // The client's own check, which in test builds stops at the structure.
        let noise = public_bytes(&keys.noise.public_key);
        assert!(HandshakeUtils::verify_server_cert(&keys.chain, &noise).is_ok());
        assert!(HandshakeUtils::verify_server_cert(&keys.chain, &[7; 32]).is_err());
        let chain = wa::CertChain::decode_from_slice(&keys.chain).unwrap();
        let signed_by = |key: &[u8], certificate: &wa::cert_chain::NoiseCertificate| {
            let key = PublicKey::from_djb_public_key_bytes(key).unwrap();
            let details = certificate.details.clone().unwrap();
            assert!(key.verify_signature(&details, certificate.signature.as_ref().unwrap()));
            Details::decode_from_slice(&details).unwrap().key.unwrap()
        };
        let intermediate = signed_by(&keys.root_public(), chain.intermediate.as_option().unwrap());
        assert_eq!(signed_by(&intermediate, chain.leaf.as_option().unwrap()), noise);
    }

    #[test]
    fn keys_survive_the_store_and_rotation_keeps_the_root() {
        let keys = NetworkKeys::generate().unwrap();
        let again = NetworkKeys::from_row(&keys.to_row()).unwrap();
        assert_eq!(again.root_public(), keys.root_public());
        assert_eq!(again.noise.private_key.serialize(), keys.noise.private_key.serialize());
        let rotated = keys.rotated().unwrap();
        assert_eq!(rotated.root_public(), keys.root_public());
        assert_ne!(rotated.noise.private_key.serialize(), keys.noise.private_key.serialize());
    }
}
