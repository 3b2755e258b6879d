//! App-state sync: keys, versions, and the MACs of what was seen.

use super::kinds::{Key, MUTATION_MAC, SYNC_KEY, SYNC_KEY_LATEST, SYNC_VERSION};
use super::{Backend, Change};
use async_trait::async_trait;
use std::collections::HashMap;
use wacore::appstate::hash::HashState;
use wacore::appstate::processor::AppStateMutationMAC;
use wacore::store::error::Result;
use wacore::store::traits::{AppStateSyncKey, AppSyncStore};

#[async_trait]
impl AppSyncStore for Backend {
    async fn get_sync_key(&self, key_id: &[u8]) -> Result<Option<AppStateSyncKey>> {
        self.get_json(SYNC_KEY, key_id)
    }

    async fn set_sync_key(&self, key_id: &[u8], key: AppStateSyncKey) -> Result<()> {
        let changes = vec![self.put_json(SYNC_KEY, key_id, &key)?, self.put(SYNC_KEY_LATEST, b"", key_id)?];
        self.write(changes).await
    }

    async fn get_version(&self, name: &str) -> Result<HashState> {
        Ok(self.get_json(SYNC_VERSION, name.as_bytes())?.unwrap_or_default())
    }

    async fn set_version(&self, name: &str, state: HashState) -> Result<()> {
        self.write(vec![self.put_json(SYNC_VERSION, name.as_bytes(), &state)?]).await
    }

    async fn put_mutation_macs(
        &self,
        name: &str,
        _version: u64,
        mutations: &[AppStateMutationMAC],
    ) -> Result<()> {
        let changes =
            mutations.iter().map(|mac| self.put(MUTATION_MAC, &at(name, &mac.index_mac), &mac.value_mac));
        self.write(changes.collect::<Result<_>>()?).await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(MUTATION_MAC, &at(name, index_mac))
    }

    async fn get_mutation_macs(
        &self,
        name: &str,
        index_macs: &[[u8; 32]],
    ) -> Result<HashMap<[u8; 32], Vec<u8>>> {
        let view = self.store.view().map_err(super::failed)?;
        let mut found = HashMap::with_capacity(index_macs.len());
        for index_mac in index_macs {
            let key = at(name, index_mac);
            let value = super::sessions::get(&view, self.store.seal(), self.device, MUTATION_MAC, &key);
            if let Some(value) = value.map_err(super::failed)? {
                found.insert(*index_mac, value);
            }
        }
        Ok(found)
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> Result<()> {
        let changes = index_macs.iter().map(|mac| Change::delete(MUTATION_MAC, &at(name, mac)));
        self.write(changes.collect()).await
    }

    async fn clear_mutation_macs(&self, name: &str) -> Result<()> {
        self.clear(MUTATION_MAC, &Key::under(name).0).await
    }

    async fn get_latest_sync_key_id(&self) -> Result<Option<Vec<u8>>> {
        self.get(SYNC_KEY_LATEST, b"")
    }
}

fn at(name: &str, index_mac: &[u8]) -> Vec<u8> {
    [&Key::under(name).0, index_mac].concat()
}
