//! The responder's side of the Noise handshake: XX, IK and the fallback from IK to XX.
//! WhatsApp's XX differs from the standard in one hash step, hence the protocol crate's primitives.

use crate::keys::{NetworkKeys, public_bytes};
use anyhow::{Context, Result, bail};
use buffa::{Message as _, MessageField};
use wa::handshake_message::{ClientHello, ServerHello};
use wacore_binary::consts::{NOISE_PATTERN_IK, NOISE_PATTERN_XX, NOISE_PATTERN_XXFALLBACK, WA_CONN_HEADER};
use wacore_libsignal::protocol::KeyPair;
use wacore_noise::{NoiseCipher, NoiseHandshake};
use waproto::whatsapp as wa;

/// A finished handshake.
pub struct Accepted {
    /// The client's Noise static key: its proof of identity at every login.
    pub client_static: [u8; 32],
    /// The client payload (registration or login).
    pub payload: wa::ClientPayload,
    /// Seals frames to the client.
    pub seal: NoiseCipher,
    /// Opens frames from the client.
    pub open: NoiseCipher,
    /// Which pattern was spoken.
    pub pattern: Pattern,
}

/// The ways a handshake can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The client did not know our static key.
    Xx,
    /// The client knew it and saved a round trip.
    Ik,
    /// The client knew an outdated one.
    XxFallback,
}

/// What the first client message led to.
pub enum Step {
    /// IK: one answer and the handshake is complete.
    Done { reply: Vec<u8>, accepted: Box<Accepted> },
    /// XX or XXfallback: the client's last message is still due.
    Pending { reply: Vec<u8>, pending: Box<Pending> },
}

/// A handshake that waits for the client's last message.
pub struct Pending {
    noise: NoiseHandshake,
    ephemeral: KeyPair,
    pattern: Pattern,
}

/// Answers the first client message.
pub fn respond(keys: &NetworkKeys, message: &[u8]) -> Result<Step> {
    let hello = wa::HandshakeMessage::decode_from_slice(message)
        .context("decoding the client hello")?
        .client_hello
        .into_option()
        .context("first handshake message has no client hello")?;
    let ephemeral: [u8; 32] = key(hello.ephemeral.as_deref(), "client ephemeral")?;
    if hello.r#static.is_none() {
        return respond_xx(keys, &ephemeral, NOISE_PATTERN_XX, Pattern::Xx);
    }
    match respond_ik(keys, &ephemeral, &hello) {
        Ok(step) => Ok(step),
        // The client holds an outdated static key of ours: continue with its ephemeral in a fresh XX.
        Err(_) => respond_xx(keys, &ephemeral, NOISE_PATTERN_XXFALLBACK, Pattern::XxFallback),
    }
}

impl Pending {
    /// Reads the client's last message.
    pub fn finish(mut self, message: &[u8]) -> Result<Accepted> {
        let finish = wa::HandshakeMessage::decode_from_slice(message)
            .context("decoding the client finish")?
            .client_finish
            .into_option()
            .context("second handshake message has no client finish")?;
        let sealed = finish.r#static.context("client finish has no static key")?;
        let client_static = key(Some(&self.noise.decrypt(&sealed)?), "client static")?;
        self.noise.mix_shared_secret(self.ephemeral.private_key.serialize(), &client_static)?;
        let payload = self.noise.decrypt(&finish.payload.context("client finish has no payload")?)?;
        accept(self.noise, client_static, &payload, self.pattern)
    }
}

fn respond_xx(keys: &NetworkKeys, client_ephemeral: &[u8; 32], name: &str, pattern: Pattern) -> Result<Step> {
    let mut noise = NoiseHandshake::new(name, &WA_CONN_HEADER)?;
    let ephemeral = KeyPair::generate(&mut rand::rng());
    let ephemeral_public = public_bytes(&ephemeral.public_key);
    noise.authenticate(client_ephemeral);
    noise.authenticate(&ephemeral_public);
    noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
    let sealed_static = noise.encrypt(&public_bytes(&keys.noise.public_key))?;
    noise.mix_shared_secret(keys.noise.private_key.serialize(), client_ephemeral)?;
    let sealed_chain = noise.encrypt(&keys.chain)?;
    let reply = server_hello(ephemeral_public, Some(sealed_static), sealed_chain);
    Ok(Step::Pending { reply, pending: Box::new(Pending { noise, ephemeral, pattern }) })
}

fn respond_ik(keys: &NetworkKeys, client_ephemeral: &[u8; 32], hello: &ClientHello) -> Result<Step> {
    let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, &WA_CONN_HEADER)?;
    let own = keys.noise.private_key.serialize();
    noise.authenticate(&public_bytes(&keys.noise.public_key));
    noise.authenticate(client_ephemeral);
    noise.mix_shared_secret(own, client_ephemeral)?;
    let sealed = hello.r#static.as_deref().context("client hello has no static key")?;
    let client_static = key(Some(&noise.decrypt(sealed)?), "client static")?;
    noise.mix_shared_secret(own, &client_static)?;
    let payload = noise.decrypt(hello.payload.as_deref().context("client hello has no payload")?)?;

    let ephemeral = KeyPair::generate(&mut rand::rng());
    let ephemeral_public = public_bytes(&ephemeral.public_key);
    noise.authenticate(&ephemeral_public);
    noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
    noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_static)?;
    let sealed_chain = noise.encrypt(&keys.chain)?;
    let reply = server_hello(ephemeral_public, None, sealed_chain);
    let accepted = accept(noise, client_static, &payload, Pattern::Ik)?;
    Ok(Step::Done { reply, accepted: Box::new(accepted) })
}

fn server_hello(ephemeral: [u8; 32], sealed_static: Option<Vec<u8>>, sealed_chain: Vec<u8>) -> Vec<u8> {
    let hello = ServerHello {
        ephemeral: Some(ephemeral.to_vec()),
        r#static: sealed_static,
        payload: Some(sealed_chain),
        ..Default::default()
    };
    wa::HandshakeMessage { server_hello: MessageField::some(hello), ..Default::default() }.encode_to_vec()
}

fn accept(
    noise: NoiseHandshake,
    client_static: [u8; 32],
    payload: &[u8],
    pattern: Pattern,
) -> Result<Accepted> {
    let payload = wa::ClientPayload::decode_from_slice(payload).context("decoding the client payload")?;
    // The split names its halves from the client's point of view.
    let (open, seal) = noise.finish()?;
    Ok(Accepted { client_static, payload, seal, open, pattern })
}

fn key(bytes: Option<&[u8]>, what: &str) -> Result<[u8; 32]> {
    match bytes.map(<[u8; 32]>::try_from) {
        Some(Ok(key)) => Ok(key),
        _ => bail!("{what} is not a key of 32 bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static KEYS: LazyLock<NetworkKeys> = LazyLock::new(|| NetworkKeys::generate().unwrap());

    #[test]
    fn an_ik_hello_for_another_key_falls_back() {
        let ephemeral = KeyPair::generate(&mut rand::rng());
        let hello = wa::HandshakeMessage {
            client_hello: MessageField::some(ClientHello {
                ephemeral: Some(public_bytes(&ephemeral.public_key).to_vec()),
                r#static: Some(vec![7; 48]),
                payload: Some(vec![7; 48]),
                ..Default::default()
            }),
            ..Default::default()
        };
        match respond(&KEYS, &hello.encode_to_vec()).unwrap() {
            Step::Pending { pending, .. } => assert_eq!(pending.pattern, Pattern::XxFallback),
            Step::Done { .. } => panic!("nonsense was accepted as IK"),
        }
    }

    proptest! {
        #[test]
        fn arbitrary_hellos_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = respond(&KEYS, &bytes);
        }
    }
}
