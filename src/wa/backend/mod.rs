//! The protocol library's state of one device, kept in our store. One file per storage trait of the library.
//!
//! Reads are single look-ups in a fresh view. Writes of one device go one after the other, each as one transaction; what may
//! be late (`later.rs`) travels with the next of them.

mod appsync;
mod device;
mod kinds;
mod later;
mod protocol;
mod secrets;
mod signal;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::model::device::own_addresses;
use crate::model::device_contact::Names;
use crate::model::id::DeviceNo;
use crate::model::jid::{Identity, Jid};
use crate::store::sessions::{self, Change, Kind, People};
use crate::store::{Store, View, channels, device_contacts, groups, history_parts, identities, status_posts};
use kinds::Key;
use later::Later;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wacore::store::error::StoreError;
use wacore::store::traits::LidPnMappingEntry;

/// The protocol state of one device. There is one per device in the process, because it keeps the order of its writes.
pub(super) struct Backend {
    store: Store,
    clock: Clock,
    device: DeviceNo,
    later: Later,
    /// What became known of people and travels with the next write. Taken under `order` alone.
    held: Mutex<People>,
    /// Held from reading to commit, so that read-modify-write is atomic and nothing late overtakes.
    order: tokio::sync::Mutex<()>,
    /// Set by a wipe: what the former client still wants to write is refused.
    closed: AtomicBool,
}

impl Backend {
    pub(super) fn new(store: Store, clock: Clock, device: DeviceNo) -> Self {
        Self {
            store,
            clock,
            device,
            later: Later::default(),
            held: Mutex::default(),
            order: tokio::sync::Mutex::new(()),
            closed: AtomicBool::new(false),
        }
    }

    /// Returns the phone number and hidden id of the linked account as stored, or none when no phone has linked it.
    pub(super) fn stored_account(&self) -> Result<Option<Account>> {
        let device: Option<wacore::store::Device> =
            self.get_json(kinds::DEVICE, b"").map_err(|why| Error::internal("reading credentials", why))?;
        Ok(device.as_ref().and_then(Account::of))
    }

    /// Returns the addresses of the linked account, the number first; none when no phone has linked it.
    pub(super) fn own_addresses(&self) -> Result<Vec<Jid>> {
        Ok(self.stored_account()?.map_or_else(Vec::new, |account| account.addresses()))
    }

    /// Returns the phone number behind a hidden id, when it is known.
    pub(super) fn phone_of(&self, lid: &str) -> Option<String> {
        let told = self.store.view().and_then(|view| identities::phone_of(&view, self.device, lid));
        if let Ok(Some(phone)) = told {
            return Some(phone);
        }
        let known = self.get_json::<LidPnMappingEntry>(kinds::LID_MAPPING, lid.as_bytes());
        known
            .inspect_err(|why| tracing::warn!("a mapping of a hidden id cannot be read: {why}"))
            .ok()?
            .map(|known| known.phone_number)
    }

    /// Returns whether a hidden id is known for the phone number, which only accounts have.
    pub(super) fn knows_phone(&self, phone: &str) -> bool {
        self.get(kinds::PHONE_MAPPING, phone.as_bytes()).is_ok_and(|lid| lid.is_some())
    }

    /// Returns whether a collection of the account's settings was read at least once.
    pub(super) fn has_collection(&self, name: &str) -> bool {
        self.get(kinds::SYNC_VERSION, name.as_bytes()).is_ok_and(|version| version.is_some())
    }

    /// Holds what the address book says of a person until the next write.
    ///
    /// The library tells entries of the address book before it stores up to where it has read; held here, they reach the disk
    /// with that record or before, and a crash loses none.
    pub(super) fn hold(&self, person: Jid, names: Names, identity: Option<Identity>) {
        let mut held = self.held();
        held.who.extend(identity);
        held.names.push((person, names));
    }

    /// The lists are whole at any time.
    fn held(&self) -> MutexGuard<'_, People> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what was allowed to be late.
    pub(super) async fn flush(&self) -> Result<()> {
        self.write(Vec::new()).await.map_err(|why| Error::internal("writing the protocol state", why))
    }

    /// Deletes everything that is known of the device's session and refuses all later writes.
    pub(super) async fn wipe(&self) -> Result<()> {
        let _order = self.order.lock().await;
        self.closed.store(true, Ordering::SeqCst);
        self.later.clear();
        *self.held() = People::default();
        let device = self.device;
        self.store
            .write(move |tables| {
                sessions::wipe(tables, device)?;
                groups::wipe(tables, device)?;
                history_parts::wipe(tables, device)?;
                status_posts::wipe(tables, device)?;
                channels::wipe(tables, device)?;
                device_contacts::wipe(tables, device)
            })
            .await
    }

    fn get(&self, kind: Kind, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let view = self.store.view().map_err(failed)?;
        sessions::get(&view, self.store.seal(), self.device, kind, key).map_err(failed)
    }

    /// Returns the record of a kind that may be late.
    fn newest(&self, kind: Kind, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.later.get(kind, key) {
            Some(known) => Ok(known),
            None => self.get(kind, key),
        }
    }

    fn get_json<T: DeserializeOwned>(&self, kind: Kind, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.get(kind, key)?.map(|value| decode(&value)).transpose()
    }

    /// Returns the keys and values of a kind whose keys begin with `prefix`, read on the blocking pool.
    async fn list(&self, kind: Kind, prefix: Key) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let (seal, device) = (self.store.seal().clone(), self.device);
        self.store
            .scan(move |view| sessions::list(view, &seal, device, kind, &prefix.0))
            .await
            .map_err(failed)
    }

    /// Returns the keys of a kind that begin with `prefix`.
    fn keys(&self, kind: Kind, prefix: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let view = self.store.view().map_err(failed)?;
        sessions::keys(&view, self.device, kind, prefix).map_err(failed)
    }

    fn put(&self, kind: Kind, key: &[u8], value: &[u8]) -> Result<Change, StoreError> {
        Change::put(self.store.seal(), self.device, kind, key, value).map_err(failed)
    }

    fn put_json<T: Serialize>(&self, kind: Kind, key: &[u8], value: &T) -> Result<Change, StoreError> {
        let value = serde_json::to_vec(value).map_err(|why| StoreError::Serialization(why.into()))?;
        self.put(kind, key, &value)
    }

    /// Writes all changes in one transaction and returns once they are on disk.
    async fn write(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let order = self.order.lock().await;
        self.commit(&order, changes).await
    }

    /// Writes all changes and everything late in one transaction; the caller holds the order since it began to read.
    async fn commit(
        &self,
        order: &tokio::sync::MutexGuard<'_, ()>,
        changes: Vec<Change>,
    ) -> Result<(), StoreError> {
        self.commit_with(order, changes, Vec::new()).await
    }

    /// Like [`Backend::commit`], and tells the store who is who.
    async fn commit_with(
        &self,
        _order: &tokio::sync::MutexGuard<'_, ()>,
        mut changes: Vec<Change>,
        mut who: Vec<Identity>,
    ) -> Result<(), StoreError> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(StoreError::Validation("the session of this device was deleted".into()));
        }
        // Late changes come first: a change of the same record that was asked for now is the newer one.
        let late = self.later.take();
        let mut all = Vec::with_capacity(late.len() + changes.len());
        for ((kind, key), value) in late.iter() {
            all.push(match value {
                Some(value) => self.put(*kind, key, value)?,
                None => Change::delete(*kind, key),
            });
        }
        all.append(&mut changes);
        let held = self.held().clone();
        let counts = (held.who.len(), held.names.len());
        who.extend(held.who);
        let people = People { who, names: held.names };
        if people.is_empty() {
            sessions::write(&self.store, self.device, all).await.map_err(failed)?;
        } else {
            let now = self.clock.now();
            sessions::write_with(&self.store, self.device, all, people, now).await.map_err(failed)?;
            let mut held = self.held();
            held.who.drain(..counts.0);
            held.names.drain(..counts.1);
        }
        late.done();
        Ok(())
    }

    /// Deletes the records of a kind that `is_stale` names, and returns how many there were.
    ///
    /// The search runs beside the device's traffic; what it found is looked at again before it is deleted, because it may have
    /// been renewed meanwhile.
    async fn sweep(
        &self,
        kind: Kind,
        is_stale: impl Fn(&[u8]) -> bool + Copy + Send + Sync + 'static,
    ) -> Result<u32, StoreError> {
        self.write(Vec::new()).await?;
        let (seal, device) = (self.store.seal().clone(), self.device);
        let search = move |view: &View| {
            let mut found = Vec::new();
            sessions::each(view, &seal, device, kind, b"", |key, value| {
                if is_stale(&value) {
                    found.push(key.to_vec());
                }
                Ok(())
            })?;
            Ok(found)
        };
        let found = self.store.scan(search).await.map_err(failed)?;
        if found.is_empty() {
            return Ok(0);
        }
        let order = self.order.lock().await;
        self.commit(&order, Vec::new()).await?;
        let mut stale = Vec::new();
        for key in found {
            if self.get(kind, &key)?.is_some_and(|value| is_stale(&value)) {
                stale.push(Change::delete(kind, &key));
            }
        }
        let count = u32::try_from(stale.len()).unwrap_or(u32::MAX);
        self.commit(&order, stale).await?;
        Ok(count)
    }

    /// Deletes all records of a kind whose keys begin with `prefix`.
    async fn clear(&self, kind: Kind, prefix: &[u8]) -> Result<(), StoreError> {
        let order = self.order.lock().await;
        let changes = self.keys(kind, prefix)?.iter().map(|key| Change::delete(kind, key)).collect();
        self.commit(&order, changes).await
    }
}

/// The account that a device is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) phone_number: String,
    pub(super) lid: Option<String>,
}

impl Account {
    /// Returns the account in the library's record of the device, or none when no phone has linked it.
    pub(super) fn of(device: &wacore::store::Device) -> Option<Self> {
        let phone_number = device.pn.as_ref()?.user.to_string();
        Some(Self { phone_number, lid: device.lid.as_ref().map(|lid| lid.to_non_ad().to_string()) })
    }

    /// Returns the addresses of the account that are known, the number first.
    pub(super) fn addresses(&self) -> Vec<Jid> {
        own_addresses(Some(&self.phone_number), self.lid.as_deref())
    }
}

fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(|why| StoreError::Serialization(why.into()))
}

fn failed(error: Error) -> StoreError {
    StoreError::Database(error.into())
}
