//! One group: who is in it and how it is set up. Plain data and the questions it answers by itself;
//! who may change what is decided in `groups`.

use super::account::Account;
use super::lock;
use crate::state::persona::Picture;
use crate::store::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use wacore_binary::Jid;

/// A group of the network.
pub struct Group {
    /// Digits in front of `@g.us`.
    pub id: String,
    facts: Mutex<Facts>,
}

/// The part of a group that changes. This is the stored row.
#[derive(Clone, Serialize, Deserialize)]
pub struct Facts {
    /// By which address members are named.
    pub mode: Mode,
    /// Number of whoever made it.
    pub creator: String,
    /// When it was made, seconds since the epoch.
    pub created_at: u64,
    /// Its name.
    pub subject: Subject,
    /// What it is about.
    pub description: Option<Description>,
    /// Members by number.
    pub members: BTreeMap<String, Rank>,
    /// How it is set up.
    pub settings: Settings,
    /// The secret of the current invite link.
    pub invite_code: String,
    /// Invitations of persons who cannot be added, by number.
    pub invitations: BTreeMap<String, Invitation>,
    /// Who asked to join and waits for an admin, by number.
    pub requests: BTreeMap<String, JoinRequest>,
    /// Its picture.
    #[serde(default)]
    pub picture: Option<Picture>,
}

/// By which address a group names its members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// By LID, as new groups do.
    #[default]
    Lid,
    /// By phone number.
    Pn,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// Takes part.
    Member,
    /// Runs the group.
    Admin,
    /// Made the group; other admins cannot remove or demote it.
    Superadmin,
}

/// The name of a group and who gave it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Subject {
    /// The name.
    pub text: String,
    /// Number of whoever gave it.
    pub by: String,
    /// When, seconds since the epoch.
    pub at: u64,
}

/// The description of a group and who wrote it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Description {
    /// Token that the next change must name.
    pub id: String,
    /// The text.
    pub text: String,
    /// Number of the writer.
    pub by: String,
    /// When, seconds since the epoch.
    pub at: u64,
}

/// How a group is set up.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Only admins change subject, description and disappearing messages.
    pub locked: bool,
    /// Only admins write.
    pub announcement: bool,
    /// Lifetime of messages in seconds, 0 for ever.
    pub ephemeral_s: u32,
    /// Admins approve whoever joins.
    pub approval: bool,
    /// Every member may add others.
    pub members_add: bool,
    /// Every member may share the invite link.
    pub members_link: bool,
    /// Messages that went round a lot are not forwarded here.
    pub no_frequently_forwarded: bool,
    /// Admins hear about reported messages.
    pub admin_reports: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            locked: false,
            announcement: false,
            ephemeral_s: 0,
            approval: false,
            members_add: true,
            members_link: false,
            no_frequently_forwarded: false,
            admin_reports: false,
        }
    }
}

/// An invitation for one person.
#[derive(Clone, Serialize, Deserialize)]
pub struct Invitation {
    /// Its secret.
    pub code: String,
    /// When it ends, seconds since the epoch.
    pub expires_at: u64,
    /// Number of the admin who gave it.
    pub admin: String,
}

/// A wish to join.
#[derive(Clone, Serialize, Deserialize)]
pub struct JoinRequest {
    /// When it was made, seconds since the epoch.
    pub at: u64,
    /// `invite_link` or `non_admin_add`.
    pub method: String,
}

impl Group {
    /// Makes a group.
    pub fn new(id: impl Into<String>, facts: Facts) -> Self {
        Self { id: id.into(), facts: Mutex::new(facts) }
    }

    /// Locks what changes, for a few lines. Lock a group before an account, never the other way round.
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }

    /// Returns the group's address.
    pub fn jid(&self) -> Jid {
        Jid::group(self.id.as_str())
    }

    /// Adds the group's row to a batch; call it under the lock that `facts` came from.
    pub fn put_row(&self, facts: &Facts, batch: &mut Batch) {
        batch.put(Table::Groups, self.id.clone(), || {
            serde_json::to_vec(facts).expect("a row of texts and numbers always serializes")
        });
    }
}

impl Facts {
    /// Returns the rank of a number, or nothing when it is not a member.
    pub fn rank(&self, number: &str) -> Option<Rank> {
        self.members.get(number).copied()
    }

    /// Returns whether a number is an admin.
    pub fn is_admin(&self, number: &str) -> bool {
        self.rank(number) >= Some(Rank::Admin)
    }

    /// Returns whether a member may write.
    pub fn may_write(&self, number: &str) -> bool {
        self.rank(number) >= Some(if self.settings.announcement { Rank::Admin } else { Rank::Member })
    }
}

impl Mode {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lid => "lid",
            Self::Pn => "pn",
        }
    }

    /// Returns an account's address as the group writes it.
    pub fn address(self, account: &Account, device: u16) -> Jid {
        match self {
            Self::Lid => account.lid(device),
            Self::Pn => account.pn(device),
        }
    }

    /// Returns the attribute that carries the other address of a writer, and that address.
    pub fn twin(self, account: &Account, device: u16) -> (&'static str, Jid) {
        match self {
            Self::Lid => ("participant_pn", account.pn(device)),
            Self::Pn => ("participant_lid", account.lid(device)),
        }
    }
}

impl Rank {
    /// Returns the name on the wire; ordinary members have none.
    pub fn on_wire(self) -> Option<&'static str> {
        match self {
            Self::Member => None,
            Self::Admin => Some("admin"),
            Self::Superadmin => Some("superadmin"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(announcement: bool) -> Facts {
        Facts {
            mode: Mode::Lid,
            creator: "1".into(),
            created_at: 0,
            subject: Subject { text: "x".into(), by: "1".into(), at: 0 },
            description: None,
            members: [("1".to_owned(), Rank::Superadmin), ("2".to_owned(), Rank::Member)].into(),
            settings: Settings { announcement, ..Default::default() },
            invite_code: String::new(),
            invitations: BTreeMap::new(),
            requests: BTreeMap::new(),
            picture: None,
        }
    }

    #[test]
    fn strangers_never_write_and_members_not_in_announcements() {
        let (open, closed) = (facts(false), facts(true));
        for (number, in_open, in_closed) in [("1", true, true), ("2", true, false), ("3", false, false)] {
            assert_eq!((open.may_write(number), closed.may_write(number)), (in_open, in_closed), "{number}");
        }
        assert!(open.is_admin("1") && !open.is_admin("2") && !open.is_admin("3"));
    }
}
