//! What the protocol has to remember beyond Signal: who is who, who has which devices, what may have to be said again.

use super::kinds::{
    BASE_KEY, CONTACT_TOKEN, DEVICE_LIST, GROUP_METADATA, Key, LID_MAPPING, PENDING_INBOUND, PHONE_MAPPING,
    SENDER_KEY_DEVICE, SENT_MESSAGE,
};
use super::{Backend, Change, decode, failed};
use crate::model::jid::Identity;
use crate::store::identities;
use crate::store::sessions::Kind;
use async_trait::async_trait;
use wacore::store::error::{Result, StoreError};
use wacore::store::traits::{
    DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore, TcTokenEntry,
};

#[async_trait]
impl ProtocolStore for Backend {
    async fn get_sender_key_devices(&self, group_jid: &str) -> Result<Vec<(String, bool)>> {
        let prefix = Key::under(group_jid);
        let skip = prefix.0.len();
        let rows = self.list(SENDER_KEY_DEVICE, prefix).await?;
        rows.into_iter().map(|(key, value)| Ok((text(&key[skip..])?, value == [1]))).collect()
    }

    async fn set_sender_key_status(&self, group_jid: &str, entries: &[(&str, bool)]) -> Result<()> {
        let changes = entries.iter().map(|(device, has_key)| {
            self.put(SENDER_KEY_DEVICE, &Key::of(&[group_jid, device]).0, &[u8::from(*has_key)])
        });
        self.write(changes.collect::<Result<_>>()?).await
    }

    async fn clear_sender_key_devices(&self, group_jid: &str) -> Result<()> {
        self.clear(SENDER_KEY_DEVICE, &Key::under(group_jid).0).await
    }

    async fn delete_sender_key_device_rows(&self, device_jids: &[&str]) -> Result<()> {
        if device_jids.is_empty() {
            return Ok(());
        }
        let order = self.order.lock().await;
        let mut changes = Vec::new();
        for key in self.keys(SENDER_KEY_DEVICE, b"")? {
            let device = key.splitn(2, |byte| *byte == 0).nth(1).unwrap_or_default();
            if device_jids.iter().any(|jid| jid.as_bytes() == device) {
                changes.push(Change::delete(SENDER_KEY_DEVICE, &key));
            }
        }
        self.commit(&order, changes).await
    }

    async fn clear_all_sender_key_devices(&self) -> Result<()> {
        self.clear(SENDER_KEY_DEVICE, b"").await
    }

    async fn get_lid_mapping(&self, lid: &str) -> Result<Option<LidPnMappingEntry>> {
        self.get_json(LID_MAPPING, lid.as_bytes())
    }

    async fn get_pn_mapping(&self, phone: &str) -> Result<Option<LidPnMappingEntry>> {
        match self.get(PHONE_MAPPING, phone.as_bytes())? {
            Some(lid) => self.get_json(LID_MAPPING, &lid),
            None => Ok(None),
        }
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> Result<()> {
        self.put_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> Result<()> {
        let order = self.order.lock().await;
        let mut changes = Vec::with_capacity(2 * entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let earlier = entries[..index].iter().rev().find(|earlier| earlier.lid == entry.lid);
            let old_phone = match earlier {
                Some(earlier) => Some(earlier.phone_number.clone()),
                None => self
                    .get_json::<LidPnMappingEntry>(LID_MAPPING, entry.lid.as_bytes())?
                    .map(|old| old.phone_number),
            };
            if let Some(old) = old_phone.filter(|old| *old != entry.phone_number) {
                changes.push(Change::delete(PHONE_MAPPING, old.as_bytes()));
            }
            changes.push(self.put(PHONE_MAPPING, entry.phone_number.as_bytes(), entry.lid.as_bytes())?);
            changes.push(self.put_json(LID_MAPPING, entry.lid.as_bytes(), entry)?);
        }
        self.commit_with(&order, changes, entries.iter().map(identity).collect()).await
    }

    async fn get_all_lid_mappings(&self) -> Result<Vec<LidPnMappingEntry>> {
        let rows = self.list(LID_MAPPING, Key::default()).await?;
        let entries: Vec<LidPnMappingEntry> =
            rows.iter().map(|(_, value)| decode(value)).collect::<Result<_>>()?;
        self.tell_who_is_who(&entries).await?;
        Ok(entries)
    }

    async fn save_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> Result<()> {
        self.write(vec![self.put(BASE_KEY, &Key::of(&[address, message_id]).0, base_key)?]).await
    }

    async fn has_same_base_key(
        &self,
        address: &str,
        message_id: &str,
        current_base_key: &[u8],
    ) -> Result<bool> {
        let saved = self.get(BASE_KEY, &Key::of(&[address, message_id]).0)?;
        Ok(saved.is_some_and(|saved| saved == current_base_key))
    }

    async fn delete_base_key(&self, address: &str, message_id: &str) -> Result<()> {
        self.write(vec![Change::delete(BASE_KEY, &Key::of(&[address, message_id]).0)]).await
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> Result<()> {
        self.update_device_lists(vec![record]).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> Result<()> {
        let changes = records.iter().map(|record| self.put_json(DEVICE_LIST, record.user.as_bytes(), record));
        self.write(changes.collect::<Result<_>>()?).await
    }

    async fn get_devices(&self, user: &str) -> Result<Option<DeviceListRecord>> {
        self.get_json(DEVICE_LIST, user.as_bytes())
    }

    async fn delete_devices(&self, user: &str) -> Result<()> {
        self.write(vec![Change::delete(DEVICE_LIST, user.as_bytes())]).await
    }

    async fn get_group_metadata(&self, group_jid: &str) -> Result<Option<Vec<u8>>> {
        self.get(GROUP_METADATA, group_jid.as_bytes())
    }

    async fn put_group_metadata(&self, group_jid: &str, blob: &[u8]) -> Result<()> {
        self.write(vec![self.put(GROUP_METADATA, group_jid.as_bytes(), blob)?]).await
    }

    async fn delete_group_metadata(&self, group_jid: &str) -> Result<()> {
        self.write(vec![Change::delete(GROUP_METADATA, group_jid.as_bytes())]).await
    }

    async fn get_tc_token(&self, jid: &str) -> Result<Option<TcTokenEntry>> {
        self.get_json(CONTACT_TOKEN, jid.as_bytes())
    }

    async fn put_tc_token(&self, jid: &str, entry: &TcTokenEntry) -> Result<()> {
        self.write(vec![self.put_json(CONTACT_TOKEN, jid.as_bytes(), entry)?]).await
    }

    async fn delete_tc_token(&self, jid: &str) -> Result<()> {
        self.write(vec![Change::delete(CONTACT_TOKEN, jid.as_bytes())]).await
    }

    async fn get_all_tc_token_jids(&self) -> Result<Vec<String>> {
        self.keys(CONTACT_TOKEN, b"")?.iter().map(|key| text(key)).collect()
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Result<u32> {
        self.sweep(CONTACT_TOKEN, move |value| {
            decode::<TcTokenEntry>(value).is_ok_and(|entry| {
                let token_lives = !entry.token.is_empty() && entry.token_timestamp >= token_cutoff;
                let sender_lives = entry.sender_timestamp.is_some_and(|at| at >= sender_cutoff);
                !token_lives && !sender_lives
            })
        })
        .await
    }

    async fn touch_tc_token_sender_timestamp(&self, jid: &str, sender_timestamp: i64) -> Result<()> {
        self.change_token(jid, |entry| match entry {
            Some(mut entry) => {
                let newest = entry.sender_timestamp.map_or(sender_timestamp, |at| at.max(sender_timestamp));
                entry.sender_timestamp = Some(newest);
                entry
            }
            None => TcTokenEntry {
                token: Vec::new(),
                token_timestamp: sender_timestamp,
                sender_timestamp: Some(sender_timestamp),
            },
        })
        .await
    }

    async fn store_received_tc_token(&self, jid: &str, token: &[u8], token_timestamp: i64) -> Result<()> {
        self.change_token(jid, |entry| match entry {
            Some(entry) if !entry.token.is_empty() && token_timestamp < entry.token_timestamp => entry,
            entry => TcTokenEntry {
                token: token.to_vec(),
                token_timestamp,
                sender_timestamp: entry.and_then(|entry| entry.sender_timestamp),
            },
        })
        .await
    }

    async fn store_sent_message(&self, chat_jid: &str, message_id: &str, payload: &[u8]) -> Result<()> {
        self.put_late(SENT_MESSAGE, Key::of(&[chat_jid, message_id]), payload).await
    }

    async fn take_sent_message(&self, chat_jid: &str, message_id: &str) -> Result<Option<Vec<u8>>> {
        let key = Key::of(&[chat_jid, message_id]);
        let _order = self.order.lock().await;
        let found = self.get_late(SENT_MESSAGE, &key)?;
        if found.is_some() {
            self.delete_late(SENT_MESSAGE, key)?;
        }
        Ok(found)
    }

    async fn delete_expired_sent_messages(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.sweep(SENT_MESSAGE, move |value| is_older(value, cutoff_timestamp)).await
    }

    async fn store_pending_inbound(&self, chat: &str, sender: &str, id: &str, message: &[u8]) -> Result<()> {
        self.put_late(PENDING_INBOUND, Key::of(&[chat, sender, id]), message).await
    }

    async fn get_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<Option<Vec<u8>>> {
        self.get_late(PENDING_INBOUND, &Key::of(&[chat, sender, id]))
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        self.delete_late(PENDING_INBOUND, Key::of(&[chat, sender, id]))
    }

    async fn delete_expired_pending_inbound(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.sweep(PENDING_INBOUND, move |value| is_older(value, cutoff_timestamp)).await
    }

    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> Result<()> {
        for row in rows {
            self.put_late(PENDING_INBOUND, Key::of(&[row.chat, row.sender, row.id]), row.message).await?;
        }
        Ok(())
    }

    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> Result<()> {
        for key in keys {
            self.delete_late(PENDING_INBOUND, Key::of(&[key.chat, key.sender, key.id]))?;
        }
        Ok(())
    }
}

impl Backend {
    /// What was learned before the store kept identities itself is told when the library reads it at its start.
    async fn tell_who_is_who(&self, entries: &[LidPnMappingEntry]) -> Result<()> {
        let view = self.store.view().map_err(failed)?;
        let all = entries.iter().map(identity).collect();
        let unknown = identities::unknown(&view, self.device, all).map_err(failed)?;
        drop(view);
        if unknown.is_empty() {
            return Ok(());
        }
        let order = self.order.lock().await;
        self.commit_with(&order, Vec::new(), unknown).await
    }

    async fn change_token(
        &self,
        jid: &str,
        change: impl FnOnce(Option<TcTokenEntry>) -> TcTokenEntry,
    ) -> Result<()> {
        let order = self.order.lock().await;
        let entry = change(self.get_json(CONTACT_TOKEN, jid.as_bytes())?);
        self.commit(&order, vec![self.put_json(CONTACT_TOKEN, jid.as_bytes(), &entry)?]).await
    }

    /// Keeps a message with the time of now; it reaches the disk with the next write of the device.
    async fn put_late(&self, kind: Kind, key: Key, message: &[u8]) -> Result<()> {
        let value = [&wacore::time::now_secs().to_be_bytes()[..], message].concat();
        match self.later.put(kind, key.0, value) {
            true => Ok(()),
            false => self.write(Vec::new()).await,
        }
    }

    fn get_late(&self, kind: Kind, key: &Key) -> Result<Option<Vec<u8>>> {
        let value = self.newest(kind, &key.0)?;
        value.map(|value| Ok(stamped(&value)?.1.to_vec())).transpose()
    }

    fn delete_late(&self, kind: Kind, key: Key) -> Result<()> {
        let is_stored = self.get(kind, &key.0)?.is_some();
        self.later.delete(kind, key.0, is_stored);
        Ok(())
    }
}

fn identity(entry: &LidPnMappingEntry) -> Identity {
    Identity { lid: entry.lid.clone(), phone: entry.phone_number.clone() }
}

/// Splits a value into when it was stored (seconds since 1970) and the message.
fn stamped(value: &[u8]) -> Result<(i64, &[u8])> {
    let (at, message) = value
        .split_first_chunk()
        .ok_or_else(|| StoreError::Validation("a kept message begins with its time".into()))?;
    Ok((i64::from_be_bytes(*at), message))
}

fn is_older(value: &[u8], cutoff: i64) -> bool {
    stamped(value).is_ok_and(|(at, _)| at < cutoff)
}

fn text(key: &[u8]) -> Result<String> {
    String::from_utf8(key.to_vec()).map_err(|why| StoreError::Serialization(why.into()))
}
