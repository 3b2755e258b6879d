//! The app-state collections of an account: numbered patches that companions upload and pull.
//! The network never reads them; versions are all it checks.

use std::collections::BTreeMap;

/// Names of the collections that exist.
pub const NAMES: [&str; 5] =
    ["critical_block", "critical_unblock_low", "regular_low", "regular_high", "regular"];

/// One collection: patch n leads to version n.
#[derive(Default)]
pub struct Collection {
    patches: BTreeMap<u64, Vec<u8>>,
}

impl Collection {
    /// Returns the current version, 0 before the first patch.
    pub fn version(&self) -> u64 {
        self.patches.last_key_value().map_or(0, |(version, _)| *version)
    }

    /// Stores the patch that leads to the next version.
    pub fn push(&mut self, patch: Vec<u8>) -> u64 {
        let version = self.version() + 1;
        self.patches.insert(version, patch);
        version
    }

    /// Puts back a stored patch.
    pub fn restore(&mut self, version: u64, patch: Vec<u8>) {
        self.patches.insert(version, patch);
    }

    /// Returns the patches after a version, oldest first.
    pub fn since(&self, version: u64) -> impl Iterator<Item = &Vec<u8>> {
        self.patches.range(version + 1..).map(|(_, patch)| patch)
    }
}

/// Writes the store's key of a patch; zero-padded so that keys sort by version.
pub fn row_key(number: &str, collection: &str, version: u64) -> String {
    format!("{number}/{collection}/{version:010}")
}
