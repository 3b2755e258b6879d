//! Linking a companion: the phone signs its identity, the companion signs back, and from then on it may log in.
//! Unlinking takes all of it away again.

use super::app_state;
use crate::stanza::login;
use crate::stanza::notify::{self, Change};
use crate::state::account::{Account, State, device_key};
use crate::state::companion::{Companion, Profile};
use crate::state::lock;
use crate::state::registration::{Offered, PairingReply, Registration};
use crate::store::Table;
use crate::world::World;
use crate::{clock, node};
use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buffa::Message as _;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::hmac_sha256;
use wacore_libsignal::protocol::PublicKey;
use waproto::whatsapp as wa;

/// What the signatures are over, first two bytes.
const SIGNED_BY_ACCOUNT: [u8; 2] = [6, 0];
const SIGNED_BY_DEVICE: [u8; 2] = [6, 1];
const SIGNED_KEY_LIST: [u8; 2] = [6, 2];
/// Pause before the network ends the pairing connection; clients that leave by themselves need it.
const GOODBYE: Duration = Duration::from_millis(700);
/// How long a phone waits for the companion's signature.
pub const PAIRING: Duration = Duration::from_secs(20);
/// Devices an account can have beside its phone; the wire has eight bits for the id.
const DEVICE_MAX: u16 = 255;

/// The text of a QR code, taken apart.
struct Qr {
    reference: String,
    noise: Vec<u8>,
    identity: Vec<u8>,
    adv_secret: Vec<u8>,
}

/// Links the companion that shows this QR and returns its address.
pub async fn scan(world: &World, account: &Arc<Account>, qr: &str) -> Result<String, String> {
    let qr = parse(qr).map_err(|error| format!("not a WhatsApp QR code: {error:#}"))?;
    let registration = world
        .registrations
        .by_ref(&qr.reference)
        .ok_or("no connected client shows this QR code; it may have expired")?;
    if registration.noise[..] != qr.noise || registration.identity != qr.identity {
        return Err("the QR code's keys are not those of the client that got its reference".to_owned());
    }
    let (reply, done) = oneshot::channel();
    offer(world, account, &registration, &qr.adv_secret, reply);
    finished(done, PAIRING).await
}

/// Returns the push name of the client that shows a QR.
pub fn push_name_behind(world: &World, qr: &str) -> Result<Option<String>> {
    let registration = world
        .registrations
        .by_ref(&parse(qr)?.reference)
        .context("no connected client shows this QR code")?;
    Ok(registration.push_name.clone())
}

/// Waits for the end of a pairing.
pub async fn finished(
    done: oneshot::Receiver<Result<String, String>>,
    limit: Duration,
) -> Result<String, String> {
    match tokio::time::timeout(limit, done).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err("the client disconnected during the pairing".to_owned()),
        Err(_) => Err(format!("the client did not finish the pairing within {} s", limit.as_secs())),
    }
}

fn parse(text: &str) -> Result<Qr> {
    let text = text.trim();
    let text = text.rsplit_once('#').map_or(text, |(_, tail)| tail);
    let fields: Vec<&str> = text.split(',').collect();
    ensure!(
        (4..=5).contains(&fields.len()),
        "expected 4 or 5 comma-separated fields, found {}",
        fields.len()
    );
    let key = |at: usize| -> Result<Vec<u8>> {
        let bytes = STANDARD.decode(fields[at]).with_context(|| format!("field {} is not base64", at + 1))?;
        ensure!(bytes.len() == 32, "field {} has {} bytes instead of 32", at + 1, bytes.len());
        Ok(bytes)
    };
    Ok(Qr { reference: fields[0].to_owned(), noise: key(1)?, identity: key(2)?, adv_secret: key(3)? })
}

/// Signs a companion's identity and offers it the link. The reply follows its signature.
pub fn offer(
    world: &World,
    account: &Arc<Account>,
    registration: &Arc<Registration>,
    adv_secret: &[u8],
    reply: PairingReply,
) {
    let offered = match prepare(world, account, registration) {
        Ok(offered) => offered,
        Err(error) => {
            // Whoever waits may have given up.
            let _ = reply.send(Err(format!("{error:#}")));
            return;
        }
    };
    let signed = offered.signed.encode_to_vec();
    let hmac = hmac_sha256(adv_secret, &signed).to_vec();
    let sealed =
        wa::ADVSignedDeviceIdentityHMAC { details: Some(signed), hmac: Some(hmac), ..Default::default() }
            .encode_to_vec();
    let stanza = pair_success(account, offered.device, &offered.stanza, sealed);
    lock(&registration.progress).offered = Some(Offered { reply: Some(reply), ..offered });
    registration.sender.send(stanza);
}

fn prepare(world: &World, account: &Account, registration: &Registration) -> Result<Offered> {
    let mut batch = world.batch();
    let mut state = account.state();
    let device = state.last_device + 1;
    ensure!(device <= DEVICE_MAX, "the account has used up its {DEVICE_MAX} device ids");
    state.last_device = device;
    state.current_index += 1;
    let key_index = state.current_index;
    account.put_row(&state, &mut batch);
    let submitted = world.submit(batch);
    drop(state);
    submitted.release();
    let details = wa::ADVDeviceIdentity {
        raw_id: Some(account.raw_id),
        timestamp: Some(clock::now_s()),
        key_index: Some(key_index),
        ..Default::default()
    }
    .encode_to_vec();
    let signature = sign(account, &[&SIGNED_BY_ACCOUNT, &details, &registration.identity])?;
    let signed = wa::ADVSignedDeviceIdentity {
        details: Some(details),
        account_signature_key: Some(account.identity_public().to_vec()),
        account_signature: Some(signature),
        ..Default::default()
    };
    let stanza = format!("pair-success-{}", registration.conn);
    let account = world.directory.by_number(&account.number).context("the account is gone")?;
    Ok(Offered { account, device, key_index, signed, stanza, reply: None })
}

fn pair_success(account: &Account, device: u16, id: &str, sealed: Vec<u8>) -> Node {
    let device =
        NodeBuilder::new("device").attr("jid", account.pn(device)).attr("lid", account.lid(device)).build();
    let platform = NodeBuilder::new("platform").attr("name", "android").build();
    node::from_server("iq")
        .attr("type", "set")
        .attr("id", id.to_owned())
        .attr("xmlns", "md")
        .children([node::parent("pair-success", [node::bytes("device-identity", sealed), device, platform])])
        .build()
}

/// Takes the companion's signature. A good one makes it a device of the account.
pub fn signed_by_companion(world: &World, registration: &Registration, stanza: &str, identity: &[u8]) {
    let Some(mut offered) = take_offer(registration, stanza) else { return };
    let reply = offered.reply.take();
    let number = offered.account.number.clone();
    let device = offered.device;
    let jid = offered.account.pn(device).to_string();
    let sender = registration.sender.clone();
    let done = move || {
        if let Some(reply) = reply {
            // Whoever waited may have given up; the device is linked all the same.
            let _ = reply.send(Ok(jid));
        }
        sender.send_after(GOODBYE, NodeBuilder::new("stream:error").attr("code", "515").build());
        sender.close_after(GOODBYE + Duration::from_millis(200));
    };
    match complete(world, registration, &offered, identity, done) {
        Ok(()) => tracing::info!(phone = number, device, "companion linked"),
        Err(error) => {
            tracing::warn!(phone = number, "pairing failed: {error:#}");
            // Dropping `done` told the waiting phone; the client is shown the door.
            registration.sender.close_after(Duration::ZERO);
        }
    }
}

/// Takes note that the companion refused our signature.
pub fn refused_by_companion(registration: &Registration, stanza: &str, why: &str) {
    if let Some(reply) = take_offer(registration, stanza).and_then(|offered| offered.reply) {
        // Whoever waited may have given up.
        let _ = reply.send(Err(format!("the client refused the pairing: {why}")));
    }
}

fn take_offer(registration: &Registration, stanza: &str) -> Option<Offered> {
    let mut progress = lock(&registration.progress);
    progress.offered.take_if(|offered| offered.stanza == stanza)
}

fn complete(
    world: &World,
    registration: &Registration,
    offered: &Offered,
    identity: &[u8],
    done: impl FnOnce() + Send + 'static,
) -> Result<()> {
    let account = &offered.account;
    let answer = wa::ADVSignedDeviceIdentity::decode_from_slice(identity)
        .context("decoding the companion's identity")?;
    let signature = answer.device_signature.context("the companion did not sign")?;
    let details = offered.signed.details.clone().unwrap_or_default();
    let signed_text =
        [&SIGNED_BY_DEVICE, details.as_slice(), &registration.identity, &account.identity_public()].concat();
    if !PublicKey::from_djb_public_key_bytes(&registration.identity)?
        .verify_signature(&signed_text, &signature)
    {
        bail!("the companion's signature is wrong");
    }
    let signed = wa::ADVSignedDeviceIdentity { device_signature: Some(signature), ..offered.signed.clone() };
    let companion = Companion::new(Profile {
        id: offered.device,
        noise: registration.noise.to_vec(),
        identity: registration.identity.clone(),
        registration_id: registration.registration_id,
        signed_key: registration.signed_key.clone(),
        signed_identity: signed.encode_to_vec(),
        key_index: offered.key_index,
        platform: registration.platform.clone(),
        linked_at: clock::now_ms(),
        introduced: false,
        push_name: registration.push_name.clone(),
        history: registration.history,
    });
    let mut batch = world.batch();
    let mut state = account.state();
    app_state::ensure(account, &mut state, &mut batch)?;
    account.put_companion(&companion, &mut batch);
    state.companions.insert(offered.device, companion);
    state.devices_changed = clock::now_s();
    state.auto = false;
    account.put_row(&state, &mut batch);
    batch.then(done);
    let submitted = world.submit(batch);
    drop(state);
    submitted.release();
    notify::devices_changed(world, account, offered.device, offered.key_index, Change::Added);
    world.events.companion(&account.number, offered.device, "linked");
    world.events.tell(|| json!({"type": "registration", "state": "paired", "phone": account.number, "device": offered.device}));
    Ok(())
}

/// Removes a companion; `done` runs once that is stored. Returns false when there is no such device.
pub fn unlink(
    world: &World,
    account: &Arc<Account>,
    device: u16,
    done: impl FnOnce() + Send + 'static,
) -> bool {
    let mut batch = world.batch();
    let mut state = account.state();
    let Some(mut companion) = state.companions.remove(&device) else { return false };
    state.devices_changed = clock::now_s();
    account.put_row(&state, &mut batch);
    batch.delete(Table::Companions, || device_key(&account.number, device));
    for (id, _) in &companion.prekeys {
        batch.delete(Table::CompanionPreKeys, || {
            super::bundle::row_key(&device_key(&account.number, device), *id)
        });
    }
    let queued: Vec<u64> = companion.queue.numbers();
    state.forget(&account.number, device, &queued, &mut batch);
    batch.then(done);
    batch.then({
        let key_index = companion.profile.key_index;
        let (world, account) = (world.clone(), account.clone());
        move || {
            companion.dismiss(login::removed());
            world.events.companion(&account.number, device, "unlinked");
            notify::devices_changed(&world, &account, device, key_index, Change::Removed);
        }
    });
    let submitted = world.submit(batch);
    drop(state);
    submitted.release();
    true
}

/// Builds the signed list of an account's valid device indexes.
pub fn key_index_list(account: &Account, state: &State) -> Node {
    let details = wa::ADVKeyIndexList {
        raw_id: Some(account.raw_id),
        timestamp: Some(state.devices_changed),
        current_index: Some(state.current_index),
        valid_indexes: std::iter::once(0)
            .chain(state.companions.values().map(|one| one.profile.key_index))
            .collect(),
        ..Default::default()
    }
    .encode_to_vec();
    // Signing with a valid key does not fail; an unsigned list would be refused by the clients, not believed.
    let signature = sign(account, &[&SIGNED_KEY_LIST, &details]).ok();
    let list = wa::ADVSignedKeyIndexList {
        details: Some(details),
        account_signature: signature,
        ..Default::default()
    };
    NodeBuilder::new("key-index-list")
        .attr("ts", state.devices_changed.to_string())
        .bytes(list.encode_to_vec())
        .build()
}

fn sign(account: &Account, parts: &[&[u8]]) -> Result<Vec<u8>> {
    let signature = account.identity.private_key().calculate_signature(&parts.concat(), &mut rand::rng());
    Ok(signature.context("signing with the phone's identity")?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qr_texts_of_every_client_are_read() {
        let key = STANDARD.encode([7; 32]);
        let plain = format!("2@abc,{key},{key},{key},9");
        for text in [
            plain.clone(),
            format!("https://wa.me/settings/linked_devices#{plain}"),
            plain[..plain.len() - 2].to_owned(),
            format!(" {plain}\n"),
        ] {
            assert_eq!(parse(&text).unwrap().reference, "2@abc", "{text}");
        }
        for text in ["", "2@abc", "2@abc,x,y,z,1", &format!("2@abc,{key},{key},AAAA,1")] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
