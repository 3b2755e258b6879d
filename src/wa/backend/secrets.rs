//! Message secrets: open what later refers to a message, such as votes and encrypted reactions.

use super::Backend;
use super::kinds::{Key, MESSAGE_SECRET};
use async_trait::async_trait;
use wacore::store::error::{Result, StoreError};
use wacore::store::traits::{
    MessageSecret, MsgSecretEntry, MsgSecretStore, merge_msg_secret_expiry, merge_msg_secret_message_ts,
};

/// A stored secret; times are seconds since 1970, 0 for "never" and "unknown".
struct Row {
    expires_at: i64,
    message_ts: i64,
    secret: MessageSecret,
}

impl Row {
    fn encode(&self) -> Vec<u8> {
        [&self.expires_at.to_be_bytes()[..], &self.message_ts.to_be_bytes(), &self.secret].concat()
    }

    fn decode(value: &[u8]) -> Result<Self> {
        let damaged = || StoreError::Validation("a message secret has 48 bytes".into());
        let (expires_at, rest) = value.split_first_chunk().ok_or_else(damaged)?;
        let (message_ts, secret) = rest.split_first_chunk().ok_or_else(damaged)?;
        Ok(Self {
            expires_at: i64::from_be_bytes(*expires_at),
            message_ts: i64::from_be_bytes(*message_ts),
            secret: secret.try_into().map_err(|_| damaged())?,
        })
    }

    fn merged_with(self, older: &Row) -> Self {
        Self {
            expires_at: merge_msg_secret_expiry(older.expires_at, self.expires_at),
            message_ts: merge_msg_secret_message_ts(older.message_ts, self.message_ts),
            secret: self.secret,
        }
    }
}

#[async_trait]
impl MsgSecretStore for Backend {
    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> Result<usize> {
        let count = entries.len();
        let order = self.order.lock().await;
        let mut has_room = true;
        for entry in entries {
            let key = Key::of(&[&entry.chat, &entry.sender, &entry.msg_id]);
            let row =
                Row { expires_at: entry.expires_at, message_ts: entry.message_ts, secret: entry.secret };
            let row = match self.newest(MESSAGE_SECRET, &key.0)? {
                Some(older) => row.merged_with(&Row::decode(&older)?),
                None => row,
            };
            has_room &= self.later.put(MESSAGE_SECRET, key.0, row.encode());
        }
        if !has_room {
            self.commit(&order, Vec::new()).await?;
        }
        Ok(count)
    }

    async fn get_msg_secret(&self, chat: &str, sender: &str, msg_id: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get_msg_secret_with_ts(chat, sender, msg_id).await?.map(|(secret, _)| secret))
    }

    async fn get_msg_secret_with_ts(
        &self,
        chat: &str,
        sender: &str,
        msg_id: &str,
    ) -> Result<Option<(Vec<u8>, i64)>> {
        let Some(value) = self.newest(MESSAGE_SECRET, &Key::of(&[chat, sender, msg_id]).0)? else {
            return Ok(None);
        };
        let row = Row::decode(&value)?;
        Ok(Some((row.secret.to_vec(), row.message_ts)))
    }

    async fn delete_expired_msg_secrets(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.sweep(MESSAGE_SECRET, move |value| {
            Row::decode(value).is_ok_and(|row| row.expires_at != 0 && row.expires_at <= cutoff_timestamp)
        })
        .await
    }
}
