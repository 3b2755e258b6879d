//! One-time prekeys of a phone. They are made when somebody fetches one, so a phone never runs out.

use crate::store::{Batch, Table};
use anyhow::Result;
use std::collections::HashMap;
use wacore_libsignal::protocol::{KeyPair, PreKeyRecord};

/// Ids are 24 bits on the wire.
const ID_MAX: u32 = 0x00ff_ffff;

/// The pairs whose public half was handed out and not used yet.
#[derive(Default)]
pub struct PhonePreKeys {
    last: u32,
    pairs: HashMap<u32, PreKeyRecord>,
}

impl PhonePreKeys {
    /// Makes a pair and returns its id and public key.
    pub fn make(&mut self, number: &str, batch: &mut Batch) -> (u32, Vec<u8>) {
        self.last = self.last % ID_MAX + 1;
        let pair = KeyPair::generate(&mut rand::rng());
        let record = PreKeyRecord::new(self.last.into(), &pair);
        batch.put(Table::PhonePreKeys, row_key(number, self.last), || {
            record.serialize().expect("a prekey that was just made serializes")
        });
        self.pairs.insert(self.last, record);
        (self.last, pair.public_key.public_key_bytes().to_vec())
    }

    /// Returns a pair.
    pub fn get(&self, id: u32) -> Option<PreKeyRecord> {
        self.pairs.get(&id).cloned()
    }

    /// Removes a used pair.
    pub fn remove(&mut self, number: &str, id: u32, batch: &mut Batch) {
        self.pairs.remove(&id);
        batch.delete(Table::PhonePreKeys, || row_key(number, id));
    }

    /// Puts back a stored pair.
    pub fn restore(&mut self, id: u32, row: &[u8]) -> Result<()> {
        self.pairs.insert(id, PreKeyRecord::deserialize(row)?);
        self.last = self.last.max(id);
        Ok(())
    }
}

fn row_key(number: &str, id: u32) -> String {
    format!("{number}/{id:08}")
}
