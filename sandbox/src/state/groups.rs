//! All groups, by id, by member and by the code of their invite link.

use super::group::Group;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// First digits of every group id.
const PREFIX: &str = "120363";

/// The groups of the network.
#[derive(Default)]
pub struct Groups(RwLock<HashMap<String, Arc<Group>>>);

impl Groups {
    /// Finds a group by the digits of its id.
    pub fn get(&self, id: &str) -> Option<Arc<Group>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Adds a group, or puts back one that was read from the store.
    pub fn add(&self, group: Arc<Group>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(group.id.clone(), group);
    }

    /// Returns all groups, ordered by id.
    pub fn all(&self) -> Vec<Arc<Group>> {
        let mut all: Vec<_> =
            self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    /// Returns the groups that a number is in, ordered by id.
    pub fn of(&self, number: &str) -> Vec<Arc<Group>> {
        self.all().into_iter().filter(|group| group.facts().members.contains_key(number)).collect()
    }

    /// Finds the group that an invite link leads to.
    pub fn by_code(&self, code: &str) -> Option<Arc<Group>> {
        self.all().into_iter().find(|group| group.facts().invite_code == code)
    }

    /// Returns an id that no group has.
    pub fn free_id(&self) -> String {
        loop {
            let id = format!("{PREFIX}{:012}", rand::random_range(0..1_000_000_000_000u64));
            if self.get(&id).is_none() {
                return id;
            }
        }
    }
}
