//! What a phone tells a new companion: the app-state keys, an empty history that releases waiting clients, and names.

use super::{Phone, send};
use crate::clock;
use crate::state::account::Account;
use crate::state::companion::Companion;
use crate::store::Batch;
use crate::world::World;
use anyhow::Result;
use buffa::{Message as _, MessageField};
use std::io::Write as _;
use std::sync::Arc;
use wa::message::protocol_message::Type as ProtocolType;
use waproto::whatsapp as wa;

/// Returns whether a companion can be reached and was not introduced yet.
pub fn is_due(companion: &Companion) -> bool {
    !companion.profile.introduced && !companion.prekeys.is_empty()
}

/// Introduces every companion that is due.
pub async fn all_due(world: &World, account: &Arc<Account>) {
    let due: Vec<u16> =
        account.state().companions.values().filter(|one| is_due(one)).map(|one| one.profile.id).collect();
    for device in due {
        let mut phone = account.phone.lock().await;
        let mut batch = world.batch();
        let introduced = introduce(world, account, &mut phone, device, &mut batch).await;
        if let Err(error) = introduced {
            tracing::error!(phone = account.number, device, "introducing a companion: {error:#}");
        }
        phone.flush(&mut batch);
        let submitted = {
            let mut state = account.state();
            if let Some(companion) = state.companions.get_mut(&device) {
                // Also after a failure: trying again and again would not end better.
                companion.profile.introduced = true;
                account.put_companion(companion, &mut batch);
            }
            world.submit(batch)
        };
        drop(phone);
        submitted.release();
    }
}

async fn introduce(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    device: u16,
    batch: &mut Batch,
) -> Result<()> {
    send::peer(world, account, phone, device, key_share(account, vec![sync_key(account)]), batch).await?;
    send::peer(world, account, phone, device, history(bootstrap(world, account), 50)?, batch).await?;
    send::peer(world, account, phone, device, history(names(account), 100)?, batch).await
}

/// Answers what a companion asks its phone.
pub async fn peer_request(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    device: u16,
    message: &wa::Message,
    batch: &mut Batch,
) -> Result<()> {
    let Some(protocol) = message.protocol_message.as_option() else { return Ok(()) };
    if protocol.r#type != Some(ProtocolType::AppStateSyncKeyRequest) {
        tracing::debug!(phone = account.number, device, kind = ?protocol.r#type, "peer message without an answer");
        return Ok(());
    }
    let asked = protocol
        .app_state_sync_key_request
        .as_option()
        .map(|request| request.key_ids.clone())
        .unwrap_or_default();
    let keys = asked.into_iter().map(|id| match id.key_id.as_deref() == Some(&account.sync_key_id) {
        true => sync_key(account),
        false => wa::message::AppStateSyncKey { key_id: MessageField::some(id), ..Default::default() },
    });
    let share = key_share(account, keys.collect());
    send::peer(world, account, phone, device, share, batch).await
}

fn key_share(_: &Account, keys: Vec<wa::message::AppStateSyncKey>) -> wa::Message {
    send::protocol(wa::message::ProtocolMessage {
        r#type: Some(ProtocolType::AppStateSyncKeyShare),
        app_state_sync_key_share: MessageField::some(wa::message::AppStateSyncKeyShare { keys }),
        ..Default::default()
    })
}

fn sync_key(account: &Account) -> wa::message::AppStateSyncKey {
    let indexes: Vec<u32> = {
        let state = account.state();
        std::iter::once(0).chain(state.companions.values().map(|one| one.profile.key_index)).collect()
    };
    let fingerprint = wa::message::AppStateSyncKeyFingerprint {
        raw_id: Some(account.raw_id),
        current_index: indexes.iter().max().copied(),
        device_indexes: indexes,
    };
    wa::message::AppStateSyncKey {
        key_id: MessageField::some(wa::message::AppStateSyncKeyId {
            key_id: Some(account.sync_key_id.clone()),
        }),
        key_data: MessageField::some(wa::message::AppStateSyncKeyData {
            key_data: Some(account.sync_key.clone()),
            fingerprint: MessageField::some(fingerprint),
            timestamp: Some(clock::now_ms() as i64),
        }),
    }
}

/// The first history chunk: no chats, but the addresses of everybody the account has talked to.
fn bootstrap(world: &World, account: &Account) -> wa::HistorySync {
    let peers: Vec<String> = account.state().peers.iter().cloned().collect();
    let mappings = peers.iter().filter_map(|number| world.directory.by_number(number)).map(|peer| {
        wa::PhoneNumberToLIDMapping {
            pn_jid: Some(peer.pn(0).to_string()),
            lid_jid: Some(peer.lid(0).to_string()),
        }
    });
    wa::HistorySync {
        sync_type: wa::history_sync::HistorySyncType::INITIAL_BOOTSTRAP,
        chunk_order: Some(1),
        progress: Some(50),
        phone_number_to_lid_mappings: mappings.collect(),
        ..Default::default()
    }
}

fn names(account: &Account) -> wa::HistorySync {
    let own =
        wa::Pushname { id: Some(account.pn(0).to_string()), pushname: Some(account.state().name.clone()) };
    wa::HistorySync {
        sync_type: wa::history_sync::HistorySyncType::PUSH_NAME,
        progress: Some(100),
        pushnames: vec![own],
        ..Default::default()
    }
}

fn history(history: wa::HistorySync, progress: u32) -> Result<wa::Message> {
    let sync_type = match history.sync_type {
        wa::history_sync::HistorySyncType::PUSH_NAME => wa::message::HistorySyncType::PUSH_NAME,
        _ => wa::message::HistorySyncType::INITIAL_BOOTSTRAP,
    };
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&history.encode_to_vec())?;
    let notification = wa::message::HistorySyncNotification {
        sync_type: Some(sync_type),
        chunk_order: Some(1),
        progress: Some(progress),
        initial_hist_bootstrap_inline_payload: Some(packed.finish()?),
        ..Default::default()
    };
    Ok(send::protocol(wa::message::ProtocolMessage {
        r#type: Some(ProtocolType::HistorySyncNotification),
        history_sync_notification: MessageField::some(notification),
        ..Default::default()
    }))
}
