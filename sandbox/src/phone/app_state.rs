//! The app state of an account as its phone reads and writes it: the network only numbers the patches, the phone has
//! the key. It follows every patch, its companions' ones too, because its own patches are only right on top of them.

use crate::clock;
use crate::stanza::notify;
use crate::state::account::{Account, State};
use crate::state::appstate::{Collection, row_key};
use crate::store::{Batch, Table};
use crate::world::World;
use anyhow::{Context, Result, bail};
use buffa::{Message as _, MessageField};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::oneshot;
use wa::sync_action_value::{LocaleSetting, PushNameSetting};
use wa::syncd_mutation::SyncdOperation;
use wacore_appstate::encode::encode_record;
use wacore_appstate::hash::{HashState, generate_index_mac, generate_patch_mac};
use wacore_appstate::keys::{ExpandedAppStateKeys, expand_app_state_keys};
use wacore_appstate::{AppStateError, process_patch};
use waproto::whatsapp as wa;

/// The collection without which clients do not finish their first login.
const CRITICAL: &str = "critical_block";

/// One thing to be changed: set, or removed when it has no value.
pub struct Action {
    /// Collection it belongs to.
    pub collection: &'static str,
    /// What it is about.
    pub index: Vec<String>,
    /// Version of its schema.
    pub version: i32,
    /// What it says.
    pub value: Option<wa::SyncActionValue>,
}

/// What the phone has read of one collection.
#[derive(Default)]
pub struct Page {
    hash: HashState,
    macs: HashMap<Vec<u8>, Vec<u8>>,
    values: BTreeMap<Vec<String>, wa::SyncActionValue>,
    broken: Option<String>,
}

/// What the phone has read of all of them.
#[derive(Default)]
pub struct Book(BTreeMap<String, Page>);

impl Page {
    /// Returns what is set, by index.
    pub fn values(&self) -> impl Iterator<Item = (&[String], &wa::SyncActionValue)> {
        self.values.iter().map(|(index, value)| (index.as_slice(), value))
    }

    /// Returns how far the phone has read.
    pub fn version(&self) -> u64 {
        self.hash.version
    }

    /// Returns why the phone cannot read on: a companion's patch that does not verify.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Reads the patches that are new. One that does not verify ends the reading for good.
    fn follow(&mut self, name: &str, collection: &Collection, secret: &Secret<'_>) {
        for patch in collection.since(self.hash.version) {
            if self.broken.is_some() {
                return;
            }
            if let Err(error) = self.read(name, patch, secret) {
                self.broken = Some(format!("{error:#}"));
            }
        }
    }

    fn read(&mut self, name: &str, patch: &[u8], secret: &Secret<'_>) -> Result<()> {
        let patch = wa::SyncdPatch::decode_from_slice(patch).context("a patch does not decode")?;
        let macs = &self.macs;
        let read = process_patch(
            &patch,
            &mut self.hash,
            |id| if id == secret.id { Ok(secret.keys.clone()) } else { Err(AppStateError::KeyNotFound) },
            |index| Ok(macs.get(index).cloned()),
            true,
            name,
        );
        let read = read.context("a patch does not verify")?;
        for index in read.removed_index_macs {
            self.macs.remove(&index);
        }
        for added in read.added_macs {
            self.macs.insert(added.index_mac, added.value_mac);
        }
        for mutation in read.mutations {
            match (mutation.operation, mutation.action_value) {
                (SyncdOperation::SET, Some(value)) => drop(self.values.insert(mutation.index, value)),
                (SyncdOperation::SET, None) => {}
                (SyncdOperation::REMOVE, _) => drop(self.values.remove(&mutation.index)),
            }
        }
        Ok(())
    }

    /// Makes the patch that leads to the next version; nothing when nothing would change.
    fn patch(&self, name: &str, actions: &[Action], secret: &Secret<'_>) -> Result<Option<Vec<u8>>> {
        if let Some(why) = &self.broken {
            bail!("the phone cannot write to `{name}`: {why}");
        }
        let mut mutations: BTreeMap<Vec<u8>, wa::SyncdMutation> = BTreeMap::new();
        for action in actions {
            let index = serde_json::to_vec(&action.index)?;
            let operation = match &action.value {
                Some(_) => SyncdOperation::SET,
                None if self.macs.contains_key(&generate_index_mac(&index, &secret.keys.index)) => {
                    SyncdOperation::REMOVE
                }
                None => continue,
            };
            let value = action.value.clone().unwrap_or_else(stamped);
            let (iv, version) = (rand::random(), action.version);
            let record = encode_record(operation, &index, &value, &secret.keys, secret.id, &iv, version);
            // A patch may name everything once only: the last word counts.
            mutations.insert(index, record.0);
        }
        let mutations: Vec<wa::SyncdMutation> = mutations.into_values().collect();
        if mutations.is_empty() {
            return Ok(None);
        }
        let mut hash = self.hash.clone();
        hash.version += 1;
        hash.update_hash(&mutations, |index, _| Ok(self.macs.get(index).cloned())).1?;
        let mut patch = wa::SyncdPatch {
            mutations,
            snapshot_mac: Some(hash.generate_snapshot_mac(name, &secret.keys.snapshot_mac)),
            key_id: MessageField::some(wa::KeyId { id: Some(secret.id.to_vec()) }),
            device_index: Some(0),
            ..Default::default()
        };
        patch.patch_mac = Some(generate_patch_mac(&patch, name, &secret.keys.patch_mac, hash.version));
        patch.version = MessageField::some(wa::SyncdVersion { version: Some(hash.version) });
        Ok(Some(patch.encode_to_vec()))
    }
}

/// The key of an account's app state.
struct Secret<'a> {
    id: &'a [u8],
    keys: Arc<ExpandedAppStateKeys>,
}

impl<'a> Secret<'a> {
    fn of(account: &'a Account) -> Self {
        Self { id: &account.sync_key_id, keys: Arc::new(expand_app_state_keys(&account.sync_key)) }
    }
}

/// Lets the phone read what is new in every collection, and looks into its book.
pub fn read<T>(account: &Account, look: impl FnOnce(&BTreeMap<String, Page>) -> T) -> T {
    let secret = Secret::of(account);
    let mut state = account.state();
    let State { collections, book, .. } = &mut *state;
    for (name, collection) in collections {
        book.0.entry(name.clone()).or_default().follow(name, collection, &secret);
    }
    look(&book.0)
}

/// Writes changes, one patch for each collection, and tells the companions. Returns once that is stored.
pub async fn publish(world: &World, account: &Arc<Account>, actions: Vec<Action>) -> Result<()> {
    let (done, stored) = oneshot::channel();
    write_all(world, account, actions, done)?;
    stored.await.context("the app state was not stored")
}

fn write_all(
    world: &World,
    account: &Arc<Account>,
    actions: Vec<Action>,
    done: oneshot::Sender<()>,
) -> Result<()> {
    let mut by_collection: BTreeMap<&'static str, Vec<Action>> = BTreeMap::new();
    for action in actions {
        by_collection.entry(action.collection).or_default().push(action);
    }
    let mut batch = world.batch();
    batch.then(move || {
        // The receiver is only gone when whoever waited is.
        let _ = done.send(());
    });
    let mut changed = Vec::new();
    let mut state = account.state();
    let mut failed = Ok(());
    for (name, actions) in by_collection {
        match write(account, &mut state, name, &actions, &mut batch) {
            Ok(version) => changed.extend(version.map(|version| (name.to_owned(), version))),
            Err(error) => failed = Err(error),
        }
    }
    let submitted = world.submit(batch);
    drop(state);
    submitted.release();
    if !changed.is_empty() {
        notify::server_sync(world, account, None, &changed);
    }
    failed
}

/// Writes name and locale into `critical_block` unless the collection has patches already.
pub fn ensure(account: &Account, state: &mut State, batch: &mut Batch) -> Result<()> {
    if state.collections.get(CRITICAL).is_some_and(|collection| collection.version() > 0) {
        return Ok(());
    }
    let setting = |name: &str, version, value| Action {
        collection: CRITICAL,
        index: vec![name.to_owned()],
        version,
        value: Some(value),
    };
    let name = wa::SyncActionValue {
        push_name_setting: MessageField::some(PushNameSetting { name: Some(state.name.clone()) }),
        ..stamped()
    };
    let locale = wa::SyncActionValue {
        locale_setting: MessageField::some(LocaleSetting { locale: Some("id_ID".to_owned()) }),
        ..stamped()
    };
    let actions = [setting("setting_pushName", 1, name), setting("setting_locale", 3, locale)];
    write(account, state, CRITICAL, &actions, batch).map(drop)
}

/// Writes one patch and returns the version that it leads to; nothing when nothing changes.
fn write(
    account: &Account,
    state: &mut State,
    name: &str,
    actions: &[Action],
    batch: &mut Batch,
) -> Result<Option<u64>> {
    let secret = Secret::of(account);
    let collection = state.collections.entry(name.to_owned()).or_default();
    let page = state.book.0.entry(name.to_owned()).or_default();
    page.follow(name, collection, &secret);
    let Some(patch) = page.patch(name, actions, &secret)? else { return Ok(None) };
    let version = collection.push(patch.clone());
    batch.put(Table::Patches, row_key(&account.number, name, version), || patch);
    page.follow(name, collection, &secret);
    Ok(Some(version))
}

/// A value that says only when it was set.
pub fn stamped() -> wa::SyncActionValue {
    wa::SyncActionValue { timestamp: Some(clock::now_ms() as i64), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use wa::sync_action_value::PinAction;

    fn pin(chat: &str, pinned: Option<bool>) -> Action {
        let value = pinned.map(|pinned| wa::SyncActionValue {
            pin_action: MessageField::some(PinAction { pinned: Some(pinned) }),
            ..stamped()
        });
        let index = vec!["pin_v1".to_owned(), chat.to_owned()];
        Action { collection: "regular_low", index, version: 5, value }
    }

    fn pinned(account: &Account) -> Vec<(String, bool)> {
        read(account, |book| {
            let page = &book["regular_low"];
            assert_eq!(page.broken(), None);
            let pins = page.values().map(|(index, value)| {
                (index[1].clone(), value.pin_action.as_option().and_then(|pin| pin.pinned) == Some(true))
            });
            pins.collect()
        })
    }

    #[test]
    fn what_was_written_reads_back_and_every_patch_verifies() {
        let account = Account::generate("6281", "111").unwrap();
        let mut batch = Store::open(None).unwrap().batch();
        let mut put = |actions: &[Action]| {
            write(&account, &mut account.state(), "regular_low", actions, &mut batch).unwrap()
        };
        assert_eq!(put(&[pin("a", Some(true)), pin("b", Some(true)), pin("a", Some(false))]), Some(1));
        assert_eq!(put(&[pin("b", Some(false)), pin("c", Some(true))]), Some(2));
        assert_eq!(put(&[pin("a", None), pin("nothing", None)]), Some(3));
        assert_eq!(put(&[pin("nothing", None)]), None, "nothing to be taken away");
        assert_eq!(pinned(&account), [("b".to_owned(), false), ("c".to_owned(), true)]);
        // Somebody who reads from the start, all codes checked, comes to the same.
        account.state().book = Book::default();
        assert_eq!(pinned(&account), [("b".to_owned(), false), ("c".to_owned(), true)]);
    }

    #[test]
    fn a_patch_that_was_tampered_with_stops_the_phone() {
        let account = Account::generate("6281", "111").unwrap();
        let mut batch = Store::open(None).unwrap().batch();
        let mut state = account.state();
        write(&account, &mut state, "regular_low", &[pin("a", Some(true))], &mut batch).unwrap();
        let foreign = Account::generate("6282", "112").unwrap();
        let patch = Page::default().patch("regular_low", &[pin("b", Some(true))], &Secret::of(&foreign));
        state.collections.entry("regular_low".to_owned()).or_default().push(patch.unwrap().unwrap());
        let refused = write(&account, &mut state, "regular_low", &[pin("c", Some(true))], &mut batch);
        assert!(format!("{:#}", refused.unwrap_err()).contains("does not verify"));
        assert_eq!(state.collections["regular_low"].version(), 2, "nothing was written on top");
    }
}
