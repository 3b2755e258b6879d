//! What an account shows of itself and whom it keeps away: about text, picture, privacy, blocked numbers.

use crate::clock;
use crate::store::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Privacy settings: name, value on a new account, the other values.
const PRIVACY: [(&str, &str, &[&str]); 9] = [
    ("last", "all", &["contacts", "none"]),
    ("online", "all", &["match_last_seen"]),
    ("profile", "all", &["contacts", "none"]),
    ("status", "all", &["contacts", "none"]),
    ("groupadd", "all", &["contacts"]),
    ("readreceipts", "all", &["none"]),
    ("calladd", "all", &["known", "contacts"]),
    ("messages", "all", &["contacts"]),
    ("defense", "off", &["on_standard"]),
];

/// What an account shows of itself.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Persona {
    /// The about text.
    pub about: Option<About>,
    /// The picture.
    pub picture: Option<Picture>,
    /// Numbers that it blocked.
    pub blocked: BTreeSet<String>,
    privacy: BTreeMap<String, String>,
}

/// An about text.
#[derive(Clone, Serialize, Deserialize)]
pub struct About {
    /// The text.
    pub text: String,
    /// When it was set, seconds since the epoch.
    pub at: u64,
}

/// A picture in the media store.
#[derive(Clone, Serialize, Deserialize)]
pub struct Picture {
    /// Number that changes with the picture.
    pub id: String,
    /// Path in the store.
    pub path: String,
}

impl Persona {
    /// Sets the about text.
    pub fn say(&mut self, text: String) {
        self.about = Some(About { text, at: clock::now_s() });
    }

    /// Returns every privacy setting.
    pub fn privacy(&self) -> impl Iterator<Item = (&'static str, &str)> {
        PRIVACY.iter().map(|(name, first, _)| (*name, self.privacy.get(*name).map_or(*first, String::as_str)))
    }

    /// Changes a privacy setting; false when there is no such name or value.
    pub fn set_privacy(&mut self, name: &str, value: &str) -> bool {
        let known = PRIVACY
            .iter()
            .any(|(known, first, others)| *known == name && (*first == value || others.contains(&value)));
        if known {
            self.privacy.insert(name.to_owned(), value.to_owned());
        }
        known
    }

    /// Returns whether a setting keeps everybody out.
    pub fn hides(&self, name: &str) -> bool {
        self.privacy.get(name).is_some_and(|value| value == "none")
    }

    /// Adds the row of an account to a batch; call it under the lock that orders the account's rows.
    pub fn put_row(&self, number: &str, batch: &mut Batch) {
        batch.put(Table::Personas, number.to_owned(), || {
            serde_json::to_vec(self).expect("a persona of texts and numbers always serializes")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_settings_change() {
        let mut persona = Persona::default();
        for (name, value, fits) in [
            ("last", "none", true),
            ("last", "known", false),
            ("shoes", "all", false),
            ("online", "match_last_seen", true),
        ] {
            assert_eq!(persona.set_privacy(name, value), fits, "{name} {value}");
        }
        assert!(persona.hides("last") && !persona.hides("online"));
        assert_eq!(
            persona.privacy().find(|(name, _)| *name == "online"),
            Some(("online", "match_last_seen"))
        );
        assert_eq!(persona.privacy().find(|(name, _)| *name == "defense"), Some(("defense", "off")));
    }
}
