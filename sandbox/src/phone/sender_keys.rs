//! Sender keys of a phone: its own in every group, and those of others that were sent to it. In memory, written to the
//! journal when they changed. A key belongs to a device and a group, whichever spelling its address had.

use super::signal::{PADDING, Signal};
use crate::store::{Batch, Table};
use anyhow::{Context, Result};
use async_trait::async_trait;
use rand::rngs::StdRng;
use std::collections::{BTreeSet, HashMap, HashSet};
use wacore::messages::{MessageUtils, decode_plaintext};
use wacore_libsignal::protocol::{
    SenderKeyDistributionMessage, SenderKeyName, SenderKeyRecord, SenderKeyStore,
    create_sender_key_distribution_message, group_decrypt, group_encrypt,
    process_sender_key_distribution_message,
};
use waproto::whatsapp as wa;

/// The sender keys of one phone.
pub struct SenderKeys {
    number: String,
    records: HashMap<String, SenderKeyRecord>,
    holders: HashMap<String, BTreeSet<String>>,
    changed: HashSet<(String, String)>,
    changed_holders: HashSet<String>,
}

impl SenderKeys {
    /// No keys yet.
    pub fn new(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            records: HashMap::new(),
            holders: HashMap::new(),
            changed: HashSet::new(),
            changed_holders: HashSet::new(),
        }
    }

    /// Puts back a stored key; `key` is group and device, joined by `/`.
    pub fn restore(&mut self, key: &str, row: &[u8]) -> Result<()> {
        let (group, peer) = key.split_once('/').context("key has no device")?;
        let name = SenderKeyName::from_parts(group, peer);
        self.records.insert(name.cache_key().to_owned(), SenderKeyRecord::deserialize(row)?);
        Ok(())
    }

    /// Puts back the stored list of devices that have the phone's own key of a group.
    pub fn restore_holders(&mut self, group: &str, row: &[u8]) {
        let text = String::from_utf8_lossy(row);
        let peers = text.split(',').filter(|peer| !peer.is_empty()).map(str::to_owned);
        self.holders.insert(group.to_owned(), peers.collect());
    }

    /// Adds what changed since the last call to a batch.
    pub fn flush(&mut self, batch: &mut Batch) {
        for (group, peer) in self.changed.drain() {
            let key = format!("{}/{group}/{peer}", self.number);
            match self.records.get(SenderKeyName::from_parts(&group, &peer).cache_key()) {
                Some(record) => batch.put(Table::SenderKeys, key, || {
                    record.serialize().expect("a sender key in use serializes")
                }),
                None => batch.delete(Table::SenderKeys, || key),
            }
        }
        for group in self.changed_holders.drain() {
            let peers = self.holders.get(&group).cloned().unwrap_or_default();
            batch.put(Table::KeyHolders, format!("{}/{group}", self.number), || {
                peers.into_iter().collect::<Vec<_>>().join(",").into_bytes()
            });
        }
    }

    /// Prepares the phone's own key for a message to these devices and returns those that lack it. Once a device that
    /// has the key is no longer among them, it must not read on: the key is replaced and everybody lacks it.
    pub fn lacking(&mut self, group: &str, own: &str, recipients: &BTreeSet<String>) -> BTreeSet<String> {
        let holders = self.holders.entry(group.to_owned()).or_default();
        if !holders.is_subset(recipients) {
            holders.clear();
            self.records.remove(SenderKeyName::from_parts(group, own).cache_key());
            self.changed.insert((group.to_owned(), own.to_owned()));
        }
        let lacking: BTreeSet<String> = recipients.difference(holders).cloned().collect();
        if !lacking.is_empty() {
            holders.extend(lacking.iter().cloned());
            self.changed_holders.insert(group.to_owned());
        }
        lacking
    }

    /// Returns the phone's own key of a group as it is sent to others, making it when there is none.
    pub async fn own(&mut self, group: &str, own: &str) -> Result<wa::Message> {
        let name = SenderKeyName::from_parts(group, own);
        let mut random: StdRng = rand::make_rng();
        let key = create_sender_key_distribution_message(&name, self, &mut random)
            .await
            .context("making a sender key")?;
        let key = wa::message::SenderKeyDistributionMessage {
            group_id: Some(group.to_owned()),
            axolotl_sender_key_distribution_message: Some(key.serialized().to_vec()),
        };
        Ok(wa::Message {
            sender_key_distribution_message: buffa::MessageField::some(key),
            ..Default::default()
        })
    }

    /// Takes a key that a device sent, if the message holds one.
    pub async fn learn(&mut self, peer: &str, message: &wa::Message) -> Result<()> {
        let Some(sent) = message.sender_key_distribution_message.as_option() else { return Ok(()) };
        let group = sent.group_id.as_deref().context("sender key without its group")?;
        let bytes = sent.axolotl_sender_key_distribution_message.as_deref().unwrap_or_default();
        let key = SenderKeyDistributionMessage::try_from(bytes)?;
        let name = SenderKeyName::from_parts(group, peer);
        process_sender_key_distribution_message(&name, &key, self).await.context("taking a sender key")
    }

    /// Seals a message for everybody who has the phone's own key.
    pub async fn seal(&mut self, group: &str, own: &str, message: &wa::Message) -> Result<Vec<u8>> {
        let name = SenderKeyName::from_parts(group, own);
        let plain = MessageUtils::encode_and_pad(message);
        let mut random: StdRng = rand::make_rng();
        let sealed = group_encrypt(self, &name, &plain, &mut random).await.context("sealing for a group")?;
        Ok(sealed.serialized().to_vec())
    }

    /// Opens a message that a device sealed for a group.
    pub async fn open(&mut self, group: &str, peer: &str, sealed: &[u8]) -> Result<wa::Message> {
        let name = SenderKeyName::from_parts(group, peer);
        let plain = group_decrypt(sealed, self, &name).await?;
        decode_plaintext(&plain, PADDING).context("decoding a message")
    }
}

#[async_trait]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(&mut self, name: &SenderKeyName, record: SenderKeyRecord) -> Signal<()> {
        self.changed.insert((name.group_id().to_owned(), name.sender_id().to_owned()));
        self.records.insert(name.cache_key().to_owned(), record);
        Ok(())
    }

    async fn load_sender_key(&self, name: &SenderKeyName) -> Signal<Option<SenderKeyRecord>> {
        Ok(self.records.get(name.cache_key()).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const GROUP: &str = "120363000000000001@g.us";

    fn devices(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn text(text: &str) -> wa::Message {
        wa::Message { conversation: Some(text.into()), ..Default::default() }
    }

    #[tokio::test]
    async fn a_key_opens_what_was_sealed_with_it_also_after_a_restart() {
        let (mut ann, mut bob) = (SenderKeys::new("1"), SenderKeys::new("2"));
        let key = ann.own(GROUP, "1:0").await.unwrap();
        bob.learn("1:0", &key).await.unwrap();
        let sealed = ann.seal(GROUP, "1:0", &text("hi")).await.unwrap();
        assert_eq!(bob.open(GROUP, "1:0", &sealed).await.unwrap().conversation.as_deref(), Some("hi"));
        assert!(bob.open(GROUP, "3:0", &sealed).await.is_err(), "keys belong to their device");

        let record = &bob.records[SenderKeyName::from_parts(GROUP, "1:0").cache_key()];
        let mut again = SenderKeys::new("2");
        again.restore(&format!("{GROUP}/1:0"), &record.serialize().unwrap()).unwrap();
        let sealed = ann.seal(GROUP, "1:0", &text("more")).await.unwrap();
        assert_eq!(again.open(GROUP, "1:0", &sealed).await.unwrap().conversation.as_deref(), Some("more"));
    }

    #[tokio::test]
    async fn whoever_left_cannot_read_on() {
        let (mut ann, mut bob) = (SenderKeys::new("1"), SenderKeys::new("2"));
        assert_eq!(ann.lacking(GROUP, "1:0", &devices(&["2:0", "3:0"])), devices(&["2:0", "3:0"]));
        bob.learn("1:0", &ann.own(GROUP, "1:0").await.unwrap()).await.unwrap();
        assert_eq!(ann.lacking(GROUP, "1:0", &devices(&["2:0", "3:0"])), devices(&[]));
        assert_eq!(ann.lacking(GROUP, "1:0", &devices(&["2:0", "3:0", "4:0"])), devices(&["4:0"]));
        // Bob leaves: everybody else gets a new key.
        assert_eq!(ann.lacking(GROUP, "1:0", &devices(&["3:0", "4:0"])), devices(&["3:0", "4:0"]));
        ann.own(GROUP, "1:0").await.unwrap();
        let sealed = ann.seal(GROUP, "1:0", &text("without bob")).await.unwrap();
        assert!(bob.open(GROUP, "1:0", &sealed).await.is_err());
    }

    #[test]
    fn holders_survive_the_store() {
        let mut keys = SenderKeys::new("1");
        keys.restore_holders(GROUP, b"2:0,3:1");
        assert_eq!(keys.lacking(GROUP, "1:0", &devices(&["2:0", "3:1", "4:0"])), devices(&["4:0"]));
        let mut batch = Store::open(None).unwrap().batch();
        keys.flush(&mut batch);
        assert!(keys.changed_holders.is_empty());
    }
}
