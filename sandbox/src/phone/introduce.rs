//! What a phone tells a new companion, the app-state keys and its history, and what it answers when a companion asks.

use super::history::{on_demand, upload};
use super::{Phone, send};
use crate::clock;
use crate::state::account::Account;
use crate::state::companion::Companion;
use crate::store::Batch;
use crate::world::World;
use anyhow::Result;
use buffa::MessageField;
use std::sync::Arc;
use wa::message::protocol_message::Type as ProtocolType;
use wa::message::{AppStateSyncKey, AppStateSyncKeyRequest};
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
        if let Err(error) = introduce(world, account, device).await {
            tracing::error!(phone = account.number, device, "introducing a companion: {error:#}");
        }
        let mut batch = world.batch();
        let mut state = account.state();
        if let Some(companion) = state.companions.get_mut(&device) {
            // Also after a failure: trying again and again would not end better.
            companion.profile.introduced = true;
            account.put_companion(companion, &mut batch);
        }
        let submitted = world.submit(batch);
        drop(state);
        submitted.release();
    }
}

async fn introduce(world: &World, account: &Arc<Account>, device: u16) -> Result<()> {
    let mut batch = world.batch();
    let mut phone = account.phone.lock().await;
    let share = key_share(vec![sync_key(account)]);
    let shared = send::peer(world, account, &mut phone, device, share, &mut batch).await;
    phone.flush(&mut batch);
    let submitted = world.submit(batch);
    drop(phone);
    submitted.release();
    shared?;
    upload::all(world, account, device).await
}

/// Answers what a companion asks its phone. `id` is that of the question.
pub async fn peer_request(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    device: u16,
    id: &str,
    message: &wa::Message,
    batch: &mut Batch,
) -> Result<()> {
    let Some(protocol) = message.protocol_message.as_option() else { return Ok(()) };
    if let Some(asked) = protocol.app_state_sync_key_request.as_option() {
        let share = key_share(asked_keys(account, asked));
        return send::peer(world, account, phone, device, share, batch).await;
    }
    let operation = protocol.peer_data_operation_request_message.as_option();
    if let Some(asked) = operation.and_then(|one| one.history_sync_on_demand_request.as_option()) {
        return on_demand::answer(world, account, phone, device, asked, id, batch).await;
    }
    tracing::debug!(phone = account.number, device, kind = ?protocol.r#type, "peer message without an answer");
    Ok(())
}

/// Returns the keys that were asked for; those that there are not come without their data.
fn asked_keys(account: &Account, asked: &AppStateSyncKeyRequest) -> Vec<AppStateSyncKey> {
    let keys = asked.key_ids.iter().map(|id| match id.key_id.as_deref() == Some(&account.sync_key_id) {
        true => sync_key(account),
        false => AppStateSyncKey { key_id: MessageField::some(id.clone()), ..Default::default() },
    });
    keys.collect()
}

fn key_share(keys: Vec<AppStateSyncKey>) -> wa::Message {
    send::protocol(wa::message::ProtocolMessage {
        r#type: Some(ProtocolType::AppStateSyncKeyShare),
        app_state_sync_key_share: MessageField::some(wa::message::AppStateSyncKeyShare { keys }),
        ..Default::default()
    })
}

fn sync_key(account: &Account) -> AppStateSyncKey {
    let indexes: Vec<u32> = {
        let state = account.state();
        std::iter::once(0).chain(state.companions.values().map(|one| one.profile.key_index)).collect()
    };
    let fingerprint = wa::message::AppStateSyncKeyFingerprint {
        raw_id: Some(account.raw_id),
        current_index: indexes.iter().max().copied(),
        device_indexes: indexes,
    };
    AppStateSyncKey {
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
