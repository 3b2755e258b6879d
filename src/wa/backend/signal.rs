//! Signal: identities, sessions, prekeys, sender keys.

use super::kinds::{self, IDENTITY, PREKEY, SENDER_KEY, SESSION, SIGNED_PREKEY};
use super::{Backend, Change};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use wacore::store::error::{Result, StoreError};
use wacore::store::traits::SignalStore;

#[async_trait]
impl SignalStore for Backend {
    async fn put_identity(&self, address: &str, key: [u8; 32]) -> Result<()> {
        self.write(vec![self.put(IDENTITY, address.as_bytes(), &key)?]).await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> Result<()> {
        let changes = identities.iter().map(|(address, key)| self.put(IDENTITY, address.as_bytes(), key));
        self.write(changes.collect::<Result<_>>()?).await
    }

    async fn load_identity(&self, address: &str) -> Result<Option<[u8; 32]>> {
        let Some(key) = self.get(IDENTITY, address.as_bytes())? else { return Ok(None) };
        let key =
            key.try_into().map_err(|_| StoreError::Validation("an identity key has 32 bytes".into()))?;
        Ok(Some(key))
    }

    async fn delete_identity(&self, address: &str) -> Result<()> {
        self.write(vec![Change::delete(IDENTITY, address.as_bytes())]).await
    }

    async fn get_session(&self, address: &str) -> Result<Option<Bytes>> {
        Ok(self.get(SESSION, address.as_bytes())?.map(Bytes::from))
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> Result<()> {
        self.write(vec![self.put(SESSION, address.as_bytes(), session)?]).await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> Result<()> {
        let changes =
            sessions.iter().map(|(address, session)| self.put(SESSION, address.as_bytes(), session));
        self.write(changes.collect::<Result<_>>()?).await
    }

    async fn delete_session(&self, address: &str) -> Result<()> {
        self.write(vec![Change::delete(SESSION, address.as_bytes())]).await
    }

    async fn has_signal_state_for_user(&self, user: &str) -> Result<bool> {
        // The user's devices are `user@…` and `user:device@…`; another user may begin with the same digits.
        for prefix in [format!("{user}@"), format!("{user}:")] {
            for kind in [SESSION, IDENTITY] {
                if !self.keys(kind, prefix.as_bytes())?.is_empty() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    // Whether a prekey was uploaded can be set but not asked for; the library keeps watermarks in its device record instead.
    async fn store_prekey(&self, id: u32, record: &[u8], _uploaded: bool) -> Result<()> {
        self.write(vec![self.put(PREKEY, &id.to_be_bytes(), record)?]).await
    }

    async fn store_prekeys_batch(&self, keys: &[(u32, Bytes)], _uploaded: bool) -> Result<()> {
        let changes = keys.iter().map(|(id, record)| self.put(PREKEY, &id.to_be_bytes(), record));
        self.write(changes.collect::<Result<_>>()?).await
    }

    async fn load_prekey(&self, id: u32) -> Result<Option<Bytes>> {
        Ok(self.get(PREKEY, &id.to_be_bytes())?.map(Bytes::from))
    }

    async fn load_prekeys_batch(&self, ids: &[u32]) -> Result<Vec<(u32, Bytes)>> {
        let mut found = Vec::with_capacity(ids.len());
        let view = self.store.view().map_err(super::failed)?;
        for id in ids {
            let key = id.to_be_bytes();
            let record = super::sessions::get(&view, self.store.seal(), self.device, PREKEY, &key);
            if let Some(record) = record.map_err(super::failed)? {
                found.push((*id, Bytes::from(record)));
            }
        }
        Ok(found)
    }

    async fn mark_prekeys_uploaded(&self, _ids: &[u32]) -> Result<()> {
        Ok(())
    }

    async fn remove_prekey(&self, id: u32) -> Result<()> {
        self.write(vec![Change::delete(PREKEY, &id.to_be_bytes())]).await
    }

    async fn get_max_prekey_id(&self) -> Result<u32> {
        Ok(self.keys(PREKEY, b"")?.last().map_or(0, |key| number(key)))
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> Result<()> {
        self.write(vec![self.put(SIGNED_PREKEY, &id.to_be_bytes(), record)?]).await
    }

    async fn load_signed_prekey(&self, id: u32) -> Result<Option<Vec<u8>>> {
        self.get(SIGNED_PREKEY, &id.to_be_bytes())
    }

    async fn load_all_signed_prekeys(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        let all = self.list(SIGNED_PREKEY, kinds::Key::default()).await?;
        Ok(all.into_iter().map(|(key, record)| (number(&key), record)).collect())
    }

    async fn remove_signed_prekey(&self, id: u32) -> Result<()> {
        self.write(vec![Change::delete(SIGNED_PREKEY, &id.to_be_bytes())]).await
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> Result<()> {
        self.write(vec![self.put(SENDER_KEY, address.as_bytes(), record)?]).await
    }

    async fn put_sender_keys_batch(&self, sender_keys: &[(Arc<str>, Bytes)]) -> Result<()> {
        let changes = sender_keys.iter().map(|(address, key)| self.put(SENDER_KEY, address.as_bytes(), key));
        self.write(changes.collect::<Result<_>>()?).await
    }

    async fn get_sender_key(&self, address: &str) -> Result<Option<Vec<u8>>> {
        self.get(SENDER_KEY, address.as_bytes())
    }

    async fn delete_sender_key(&self, address: &str) -> Result<()> {
        self.write(vec![Change::delete(SENDER_KEY, address.as_bytes())]).await
    }
}

/// Reads a key that this file wrote: four bytes, big-endian.
fn number(key: &[u8]) -> u32 {
    key.try_into().map_or(0, u32::from_be_bytes)
}
