//! A phone putting a medium into the store again, for a companion of its own whose download found nothing.

use super::Phone;
use super::media::{self, medium};
use crate::router;
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use crate::{clock, node};
use anyhow::{Context, Result};
use buffa::Message as _;
use std::sync::Arc;
use wa::media_retry_notification::ResultType;
use wacore::crypto::hkdf_sha256_into;
use wacore::media_retry::decrypt_media_retry_notification;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::aes_256_gcm_encrypt;
use waproto::whatsapp as wa;

/// What the key of question and answer is derived for.
const PURPOSE: &[u8] = b"WhatsApp Media Retry Notification";
/// The phone has no such medium.
const NOT_FOUND: &str = "2";
/// The question does not open with the key of the medium.
const WRONG_KEY: &str = "3";

/// Answers a companion that could not fetch the medium of a message.
pub fn answer(
    world: &World,
    account: &Arc<Account>,
    phone: &Phone,
    receipt: &Node,
    batch: &mut Batch,
) -> Result<()> {
    let id = node::text_attr(receipt, "id");
    let asker = node::jid_attr(receipt, "from").context("a request for a medium without its sender")?;
    let asked = node::child(receipt, "rmr").context("a request for a medium names no chat")?;
    let chat = node::jid_attr(asked, "jid").context("a request for a medium names no chat")?;
    let children = match again(world, account, phone, &id, receipt, batch) {
        Ok((payload, iv)) => {
            vec![node::parent("encrypt", [node::bytes("enc_p", payload), node::bytes("enc_iv", iv)])]
        }
        Err(refusal) => vec![NodeBuilder::new("error").attr("code", refusal.0).build()],
    };
    let stanza = NodeBuilder::new("notification")
        .attr("from", chat)
        .attr("type", "mediaretry")
        .attr("id", id)
        .attr("t", clock::now_s().to_string())
        .children(children.into_iter().chain([asked.clone()]))
        .build();
    router::enqueue(world, account, asker.device, stanza, batch);
    Ok(())
}

/// Number of the error that the companion is told.
struct Refusal(&'static str);

/// Gives the medium a new path and seals the answer.
fn again(
    world: &World,
    account: &Account,
    phone: &Phone,
    id: &str,
    receipt: &Node,
    batch: &mut Batch,
) -> Result<(Vec<u8>, [u8; 12]), Refusal> {
    let entry = phone.log.by_id(id).filter(|entry| entry.media_error.is_none());
    let logged = entry.and_then(|entry| entry.message().ok());
    let message = logged.or_else(|| phone.past.message(id)).ok_or(Refusal(NOT_FOUND))?;
    let medium = medium(&message).ok_or(Refusal(NOT_FOUND))?;
    let key = medium.media_key().ok_or(Refusal(NOT_FOUND))?;
    opens(key, id, receipt).ok_or(Refusal(WRONG_KEY))?;
    let path = media::publish_again(world, account, medium, batch).ok_or(Refusal(NOT_FOUND))?;
    let answer = wa::MediaRetryNotification {
        stanza_id: Some(id.to_owned()),
        direct_path: Some(path),
        result: Some(ResultType::SUCCESS),
        ..Default::default()
    };
    seal(key, id, &answer.encode_to_vec()).ok_or(Refusal(WRONG_KEY))
}

fn opens(key: &[u8], id: &str, receipt: &Node) -> Option<()> {
    let sealed = node::child(receipt, "encrypt")?;
    let (payload, iv) = (node::child_content(sealed, "enc_p")?, node::child_content(sealed, "enc_iv")?);
    decrypt_media_retry_notification(key, id, &iv, &payload).ok().map(drop)
}

fn seal(key: &[u8], id: &str, plain: &[u8]) -> Option<(Vec<u8>, [u8; 12])> {
    let (mut derived, iv) = ([0; 32], rand::random::<[u8; 12]>());
    hkdf_sha256_into(key, None, PURPOSE, &mut derived).ok()?;
    let mut sealed = Vec::new();
    aes_256_gcm_encrypt(&derived, &iv, id.as_bytes(), plain, &mut sealed).ok()?;
    Some((sealed, iv))
}
