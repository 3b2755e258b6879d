//! Pairing by a code that is typed into the phone.

use super::link;
use crate::node;
use crate::stanza::iq::{Answer, Refusal};
use crate::state::account::Account;
use crate::state::lock;
use crate::state::registration::{CodeFlow, PairingReply, Registration, Typed};
use crate::world::World;
use crate::{clock, keys::public_bytes};
use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use wacore::crypto::hkdf_sha256;
use wacore::pair_code::PairCodeUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{JidExt as _, Node};
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use wacore_libsignal::protocol::{KeyPair, PublicKey};

const BUNDLE_INFO: &[u8] = b"link_code_pairing_key_bundle_encryption_key";
const SECRET_INFO: &[u8] = b"adv_secret";
/// Characters of a code, without the dash.
const CODE_LENGTH: usize = 8;
/// How long a phone waits after the code was typed.
const TYPED: Duration = Duration::from_secs(60);

/// Answers a client that wants to be linked by code.
pub fn hello(registration: &Registration, step: &Node) -> Answer {
    let phone = node::jid_attr(step, "jid").filter(|jid| jid.is_pn()).ok_or(Refusal::BAD_REQUEST)?;
    let wrapped = node::child_content(step, "link_code_pairing_wrapped_companion_ephemeral_pub")
        .ok_or(Refusal::BAD_REQUEST)?;
    let display = node::child_content(step, "companion_platform_display").unwrap_or_default();
    if wrapped.len() != 80 || !is_display_name(&display) {
        return Err(Refusal::BAD_REQUEST);
    }
    let link_ref = rand::random::<[u8; 24]>().to_vec();
    let flow = CodeFlow { phone: phone.user().to_owned(), wrapped, link_ref: link_ref.clone(), typed: None };
    lock(&registration.progress).code = Some(flow);
    let answer = NodeBuilder::new("link_code_companion_reg")
        .attr("stage", "companion_hello")
        .children([node::bytes("link_code_pairing_ref", link_ref)])
        .build();
    Ok(vec![answer])
}

/// The real network takes `Browser (OS)` only.
fn is_display_name(display: &[u8]) -> bool {
    let Ok(display) = std::str::from_utf8(display) else { return false };
    display
        .split_once(" (")
        .is_some_and(|(browser, os)| !browser.is_empty() && os.len() > 1 && os.ends_with(')'))
}

/// Types a code into a phone and waits until the companion is linked.
pub async fn enter(world: &World, account: &Arc<Account>, code: &str) -> Result<String, String> {
    let code: String =
        code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
    if code.len() != CODE_LENGTH {
        return Err(format!("a pairing code has {CODE_LENGTH} letters and digits"));
    }
    let registration = world
        .registrations
        .by_code_for(&account.number)
        .ok_or("no client waits for a pairing code on this number")?;
    let (reply, done) = oneshot::channel();
    let (account, work) = (account.clone(), registration.clone());
    // Deriving the key from the code takes a good part of a second.
    let stanza = tokio::task::spawn_blocking(move || primary_hello(&account, &work, &code, reply)).await;
    match stanza {
        Ok(Ok(stanza)) => registration.sender.send(stanza),
        Ok(Err(error)) => return Err(format!("{error:#}")),
        Err(error) => return Err(format!("deriving the key from the code: {error}")),
    }
    link::finished(done, TYPED).await
}

fn primary_hello(
    account: &Arc<Account>,
    registration: &Registration,
    code: &str,
    reply: PairingReply,
) -> Result<Node> {
    let (wrapped, link_ref) = {
        let progress = lock(&registration.progress);
        let flow = progress.code.as_ref().context("the client withdrew its code")?;
        (flow.wrapped.clone(), flow.link_ref.clone())
    };
    let companion_ephemeral = PairCodeUtils::decrypt_primary_ephemeral_pub(&wrapped, code)
        .map_err(|error| anyhow::anyhow!("{error}"))?;
    let ephemeral = KeyPair::generate(&mut rand::rng());
    let own = PairCodeUtils::encrypt_ephemeral_pub(&public_bytes(&ephemeral.public_key), code);
    let mut progress = lock(&registration.progress);
    let flow = progress
        .code
        .as_mut()
        .filter(|flow| flow.link_ref == link_ref)
        .context("the client asked for another code meanwhile")?;
    flow.typed = Some(Typed { account: account.clone(), ephemeral, companion_ephemeral, reply });
    let hello = NodeBuilder::new("link_code_companion_reg")
        .attr("stage", "primary_hello")
        .children([
            node::bytes("link_code_pairing_wrapped_primary_ephemeral_pub", own),
            node::bytes("primary_identity_pub", account.identity_public()),
            node::bytes("link_code_pairing_ref", link_ref),
        ])
        .build();
    Ok(node::from_server("notification")
        .attr("type", "link_code_companion_reg")
        .attr("id", rand::random::<u32>().to_string())
        .attr("t", clock::now_s().to_string())
        .children([hello])
        .build())
}

/// A code pairing whose keys agree; the link can be offered.
pub struct Agreed {
    /// The phone.
    pub account: Arc<Account>,
    /// The secret both sides derived.
    pub adv_secret: Vec<u8>,
    /// Who waits for the result.
    pub reply: PairingReply,
}

/// Takes the companion's key bundle. A wrong code shows here: the bundle does not open.
pub fn finish(registration: &Registration, step: &Node) -> Result<Agreed, Refusal> {
    let link_ref = node::child_content(step, "link_code_pairing_ref").ok_or(Refusal::BAD_REQUEST)?;
    let bundle =
        node::child_content(step, "link_code_pairing_wrapped_key_bundle").ok_or(Refusal::BAD_REQUEST)?;
    let typed = {
        let mut progress = lock(&registration.progress);
        let flow =
            progress.code.as_mut().filter(|flow| flow.link_ref == link_ref).ok_or(Refusal::NOT_FOUND)?;
        flow.typed.take().ok_or(Refusal::NOT_FOUND)?
    };
    match agree(registration, &typed, &bundle) {
        Ok(adv_secret) => Ok(Agreed { account: typed.account, adv_secret, reply: typed.reply }),
        Err(error) => {
            tracing::info!(phone = typed.account.number, "pairing by code failed: {error:#}");
            // Whoever waited may have given up.
            let _ = typed.reply.send(Err("the code is wrong".to_owned()));
            Err(Refusal::BAD_REQUEST)
        }
    }
}

fn agree(registration: &Registration, typed: &Typed, bundle: &[u8]) -> Result<Vec<u8>> {
    ensure!(bundle.len() > 44, "the key bundle is too short");
    let (salt, iv, sealed) = (&bundle[..32], &bundle[32..44], &bundle[44..]);
    let companion_ephemeral = PublicKey::from_djb_public_key_bytes(&typed.companion_ephemeral)?;
    let shared = typed.ephemeral.private_key.calculate_agreement(&companion_ephemeral)?;
    let key =
        hkdf_sha256(&shared, 32, Some(salt), BUNDLE_INFO).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut opened = Vec::new();
    aes_256_gcm_decrypt(key.as_slice().try_into()?, iv.try_into()?, &[], sealed, &mut opened)?;
    ensure!(opened.len() == 96, "the key bundle has {} bytes instead of 96", opened.len());
    ensure!(opened[..32] == registration.identity[..], "the bundle names another companion");
    ensure!(opened[32..64] == typed.account.identity_public(), "the bundle names another phone");
    let companion = PublicKey::from_djb_public_key_bytes(&registration.identity)?;
    let identities = typed.account.identity.private_key().calculate_agreement(&companion)?;
    let material = [shared.as_slice(), identities.as_slice(), &opened[64..]].concat();
    hkdf_sha256(&material, 32, None, SECRET_INFO).map_err(|error| anyhow::anyhow!("{error:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_browser_and_system_is_a_display_name() {
        for (name, good) in [
            ("Chrome (Linux)", true),
            ("Chrome", false),
            ("(Linux)", false),
            ("Chrome ()", false),
            ("", false),
        ] {
            assert_eq!(is_display_name(name.as_bytes()), good, "{name}");
        }
    }
}
