//! The first app-state patch of an account: the settings without which clients do not finish their first login.

use crate::clock;
use crate::state::account::{Account, State};
use crate::state::appstate::row_key;
use crate::store::{Batch, Table};
use anyhow::Result;
use buffa::{Message as _, MessageField};
use wa::sync_action_value::{LocaleSetting, PushNameSetting};
use wacore_appstate::encode::encode_record;
use wacore_appstate::hash::{HashState, generate_patch_mac};
use wacore_appstate::keys::expand_app_state_keys;
use waproto::whatsapp as wa;

const COLLECTION: &str = "critical_block";

/// Writes name and locale into `critical_block` unless the collection has patches already.
pub fn ensure(account: &Account, state: &mut State, batch: &mut Batch) -> Result<()> {
    if state.collections.get(COLLECTION).is_some_and(|collection| collection.version() > 0) {
        return Ok(());
    }
    let patch = first_patch(account, &state.name)?;
    let version = state.collections.entry(COLLECTION.to_owned()).or_default().push(patch.clone());
    batch.put(Table::Patches, row_key(&account.number, COLLECTION, version), || patch);
    Ok(())
}

fn first_patch(account: &Account, name: &str) -> Result<Vec<u8>> {
    let keys = expand_app_state_keys(&account.sync_key);
    let value = || wa::SyncActionValue { timestamp: Some(clock::now_ms() as i64), ..Default::default() };
    let name = wa::SyncActionValue {
        push_name_setting: MessageField::some(PushNameSetting { name: Some(name.to_owned()) }),
        ..value()
    };
    let locale = wa::SyncActionValue {
        locale_setting: MessageField::some(LocaleSetting { locale: Some("id_ID".to_owned()) }),
        ..value()
    };
    let mutations: Vec<wa::SyncdMutation> =
        [(r#"["setting_pushName"]"#, 1, name), (r#"["setting_locale"]"#, 3, locale)]
            .into_iter()
            .map(|(index, version, value)| {
                let set = wa::syncd_mutation::SyncdOperation::SET;
                encode_record(
                    set,
                    index.as_bytes(),
                    &value,
                    &keys,
                    &account.sync_key_id,
                    &rand::random(),
                    version,
                )
                .0
            })
            .collect();
    let mut hash = HashState { version: 1, ..Default::default() };
    hash.update_hash(&mutations, |_, _| Ok(None)).1?;
    let mut patch = wa::SyncdPatch {
        mutations,
        snapshot_mac: Some(hash.generate_snapshot_mac(COLLECTION, &keys.snapshot_mac)),
        key_id: MessageField::some(wa::KeyId { id: Some(account.sync_key_id.clone()) }),
        device_index: Some(0),
        ..Default::default()
    };
    patch.patch_mac = Some(generate_patch_mac(&patch, COLLECTION, &keys.patch_mac, 1));
    patch.version = MessageField::some(wa::SyncdVersion { version: Some(1) });
    Ok(patch.encode_to_vec())
}
