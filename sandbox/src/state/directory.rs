//! All accounts, by number, by LID, and by the name under which a foreign test suite knows them.

use super::account::Account;
use super::magic;
use crate::store::Store;
use anyhow::{Result, bail};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use wacore_binary::{Jid, JidExt as _};

/// First number given to an account that is chosen by name; in a range that no country uses.
const NAMED_BASE: u64 = 999_700_100_100;

#[derive(Default)]
struct Index {
    by_number: HashMap<String, Arc<Account>>,
    by_lid: HashMap<String, Arc<Account>>,
    by_alias: HashMap<String, Arc<Account>>,
}

/// The accounts of the network.
#[derive(Default)]
pub struct Directory(RwLock<Index>);

impl Directory {
    /// Finds an account by number.
    pub fn by_number(&self, number: &str) -> Option<Arc<Account>> {
        self.read(|index| index.by_number.get(number).cloned())
    }

    /// Finds the account of a user address in either spelling. Numbers that can exist come to life when somebody asks.
    pub fn resolve(&self, store: &Store, jid: &Jid) -> Result<Option<Arc<Account>>> {
        if jid.is_lid() {
            return Ok(self.read(|index| index.by_lid.get(jid.user()).cloned()));
        }
        if !jid.is_pn() {
            return Ok(None);
        }
        self.get_or_create(store, jid.user())
    }

    /// Returns the account of a number, making it when the number can exist.
    pub fn get_or_create(&self, store: &Store, number: &str) -> Result<Option<Arc<Account>>> {
        if let Some(account) = self.by_number(number) {
            return Ok(Some(account));
        }
        if !magic::can_exist(number) {
            return Ok(None);
        }
        self.create(store, number, None).map(Some)
    }

    /// Returns the account known by a name, making it when it is new.
    pub fn get_or_create_named(&self, store: &Store, name: &str) -> Result<Arc<Account>> {
        if let Some(account) = self.read(|index| index.by_alias.get(name).cloned()) {
            return Ok(account);
        }
        let number = self.read(|index| {
            let free = |number: &u64| !index.by_number.contains_key(&number.to_string());
            // Steps of ten stay clear of the last digits that mean something.
            (0..).map(|step| NAMED_BASE + step * 10 + 5).find(free)
        });
        let Some(number) = number else { bail!("no number is left for `{name}`") };
        self.create(store, &number.to_string(), Some(name))
    }

    /// Puts back an account that was read from the store.
    pub fn restore(&self, account: Account) {
        self.write(|index| add(index, Arc::new(account)));
    }

    /// Returns all accounts, ordered by number.
    pub fn all(&self) -> Vec<Arc<Account>> {
        let mut all: Vec<_> = self.read(|index| index.by_number.values().cloned().collect());
        all.sort_by(|one, other| one.number.cmp(&other.number));
        all
    }

    fn create(&self, store: &Store, number: &str, alias: Option<&str>) -> Result<Arc<Account>> {
        // Keys are made outside the lock; a number that appeared meanwhile wins.
        let mut lid = new_lid();
        while self.read(|index| index.by_lid.contains_key(&lid)) {
            lid = new_lid();
        }
        let account = Arc::new(Account::generate(number, &lid)?);
        if let Some(alias) = alias {
            let mut state = account.state();
            state.alias = Some(alias.to_owned());
            state.name = alias.to_owned();
            state.auto = false;
        }
        let (account, submitted) = self.write(|index| {
            if let Some(known) = index.by_number.get(number) {
                return (known.clone(), None);
            }
            let mut batch = store.batch();
            account.put_row(&account.state(), &mut batch);
            add(index, account.clone());
            // Submitted under the lock: whatever refers to the account is stored after it.
            (account.clone(), Some(store.submit(batch)))
        });
        if let Some(submitted) = submitted {
            submitted.release();
        }
        Ok(account)
    }

    fn read<T>(&self, look: impl FnOnce(&Index) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn add(index: &mut Index, account: Arc<Account>) {
    if let Some(alias) = account.state().alias.clone() {
        index.by_alias.insert(alias, account.clone());
    }
    index.by_lid.insert(account.lid.clone(), account.clone());
    index.by_number.insert(account.number.clone(), account);
}

fn new_lid() -> String {
    rand::random_range(100_000_000_000_000u64..280_000_000_000_000).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_lead_to_the_same_account() {
        let (directory, store) = (Directory::default(), Store::open(None).unwrap());
        let account = directory.resolve(&store, &Jid::pn("6281234567890")).unwrap().unwrap();
        let by_lid = directory.resolve(&store, &Jid::lid(account.lid.as_str())).unwrap().unwrap();
        assert!(Arc::ptr_eq(&account, &by_lid));
        assert!(directory.resolve(&store, &Jid::lid("1")).unwrap().is_none());
        assert!(directory.resolve(&store, &Jid::pn("6281234560000")).unwrap().is_none());
        assert!(directory.resolve(&store, &Jid::group("120363000000000001")).unwrap().is_none());
    }

    #[test]
    fn a_name_always_leads_to_the_same_account() {
        let (directory, store) = (Directory::default(), Store::open(None).unwrap());
        let ann = directory.get_or_create_named(&store, "ann").unwrap();
        let bob = directory.get_or_create_named(&store, "bob").unwrap();
        assert_ne!(ann.number, bob.number);
        assert_eq!(directory.get_or_create_named(&store, "ann").unwrap().number, ann.number);
        assert_eq!(ann.state().name, "ann");
    }
}
