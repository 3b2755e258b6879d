//! The contacts that a linked account knows: the phone's address book, and the names people give themselves.

use crate::model::jid::Jid;
use serde::{Deserialize, Serialize};

/// A person as a linked account knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceContact {
    /// The person, by phone number where it is known.
    pub jid: Jid,
    /// The name in the phone's address book.
    #[serde(default)]
    pub name: Option<String>,
    /// The name that the person chose.
    #[serde(default)]
    pub notify: Option<String>,
    /// The name that WhatsApp has verified for a business.
    #[serde(default)]
    pub verified_name: Option<String>,
}

/// What became known of a person; what is none changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The name in the phone's address book.
    pub name: Option<String>,
    /// The name that the person chose.
    pub notify: Option<String>,
    /// The name that WhatsApp has verified for a business.
    pub verified_name: Option<String>,
}

impl DeviceContact {
    /// Returns a person of whom nothing is known yet.
    pub fn new(jid: Jid) -> Self {
        Self { jid, name: None, notify: None, verified_name: None }
    }

    /// Returns the name under which the person is shown: the owner's own word goes before WhatsApp's, and that before theirs.
    pub fn shown_name(&self) -> Option<&str> {
        self.name.as_deref().or(self.verified_name.as_deref()).or(self.notify.as_deref())
    }

    /// Takes what became known and returns whether that changed anything.
    pub fn learn(&mut self, names: &Names) -> bool {
        let mut changed = false;
        for (mine, new) in [
            (&mut self.name, &names.name),
            (&mut self.notify, &names.notify),
            (&mut self.verified_name, &names.verified_name),
        ] {
            if new.is_some() && mine != new {
                mine.clone_from(new);
                changed = true;
            }
        }
        changed
    }

    /// Takes what was known of the same person under another address, where nothing is known here.
    pub fn absorb(&mut self, other: Self) {
        self.name = self.name.take().or(other.name);
        self.notify = self.notify.take().or(other.notify);
        self.verified_name = self.verified_name.take().or(other.verified_name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_book_goes_before_the_name_people_give_themselves() {
        let mut ani = DeviceContact::new("6281234567890@s.whatsapp.net".parse().expect("an address"));
        assert_eq!(ani.shown_name(), None);
        let notify = Names { notify: Some("ani_99".into()), ..Names::default() };
        assert!(ani.learn(&notify) && !ani.learn(&notify));
        assert_eq!(ani.shown_name(), Some("ani_99"));
        ani.learn(&Names { verified_name: Some("Toko Ani".into()), ..Names::default() });
        assert_eq!(ani.shown_name(), Some("Toko Ani"));
        ani.learn(&Names { name: Some("Ani Kantor".into()), ..Names::default() });
        assert_eq!(ani.shown_name(), Some("Ani Kantor"));
        assert_eq!(ani.notify.as_deref(), Some("ani_99"));
    }
}
