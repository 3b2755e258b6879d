//! Groups as Kurir remembers them, and the changes that the network tells.

use crate::model::jid::Jid;
use serde::{Deserialize, Serialize};

/// The longest subject, in Unicode code points.
pub const SUBJECT_MAX_CHARS: usize = 100;
/// The longest description, in Unicode code points.
pub const DESCRIPTION_MAX_CHARS: usize = 2048;
/// The most people that one request may name: the largest group that WhatsApp allows.
pub const MEMBERS_MAX: usize = 1024;

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// Its address.
    pub jid: Jid,
    /// Its name.
    pub subject: String,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    /// Who made it.
    #[serde(default)]
    pub owner: Option<Jid>,
    /// Seconds since 1970 of its making.
    #[serde(default)]
    pub creation: Option<i64>,
    /// Everybody in it.
    #[serde(default)]
    pub members: Vec<Member>,
    /// Its settings.
    #[serde(default)]
    pub settings: GroupSettings,
    /// Whether its people are addressed by hidden ids on the wire.
    #[serde(default)]
    pub by_lid: bool,
    /// Whether the account is not in it any more.
    #[serde(default)]
    pub left: bool,
    /// Milliseconds since 1970 at which the network was asked for all of this.
    pub asked_at: i64,
    /// Whether something changed that only a new question can tell.
    #[serde(default)]
    pub stale: bool,
    /// Counts the changes that the network told, so that an answer from before one of them is recognised.
    #[serde(default)]
    pub changes: u64,
    /// When the account changed it here last, in milliseconds since 1970.
    #[serde(default)]
    pub made_at: Option<i64>,
}

/// Somebody in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The person, by phone number where it is known.
    pub jid: Jid,
    /// Their hidden id, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lid: Option<Jid>,
    /// What they may do.
    #[serde(default)]
    pub role: MemberRole,
}

/// What somebody may do in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberRole {
    /// Read and write.
    #[default]
    Member,
    /// Change the group.
    Admin,
    /// The admin who cannot be removed.
    Owner,
}

/// What is set for a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupSettings {
    /// Only admins may write.
    pub announce: bool,
    /// Only admins may change subject, description and picture.
    pub locked: bool,
    /// An admin has to let new members in.
    pub approval: bool,
    /// Seconds after which messages disappear; 0 when they stay.
    pub ephemeral_s: u32,
}

/// A change of a group that the network told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum GroupChange {
    /// Somebody came in.
    Added {
        /// Who.
        members: Vec<Member>,
    },
    /// Somebody left or was removed.
    Removed {
        /// Who.
        members: Vec<Member>,
    },
    /// Somebody became an admin.
    Promoted {
        /// Who.
        members: Vec<Member>,
    },
    /// Somebody is no admin any more.
    Demoted {
        /// Who.
        members: Vec<Member>,
    },
    /// It has another name.
    Subject {
        /// The new one.
        subject: String,
    },
    /// It has another description.
    Description {
        /// The new one; none when it was deleted.
        description: Option<String>,
    },
    /// Who may write.
    Announce {
        /// Only admins.
        on: bool,
    },
    /// Who may change what is known of it.
    Locked {
        /// Only admins.
        on: bool,
    },
    /// Whether an admin has to let new members in.
    Approval {
        /// They have to.
        on: bool,
    },
    /// When messages disappear.
    Ephemeral {
        /// After how many seconds; 0 for never.
        seconds: u32,
    },
    /// Somebody wants to come in.
    Requested {
        /// Who.
        members: Vec<Member>,
    },
    /// The account came into it, or it was made.
    Joined,
    /// It does not exist any more.
    Deleted,
    /// Something else changed.
    Other {
        /// WhatsApp's name of it.
        what: String,
    },
}

impl Group {
    /// Returns a person's place in the group.
    pub fn member(&self, person: &Jid) -> Option<&Member> {
        self.members.iter().find(|member| member.is(person))
    }

    /// Returns whether one of these addresses of the same person is an admin.
    pub fn is_admin(&self, person: &Jid) -> bool {
        self.member(person).is_some_and(|member| member.role != MemberRole::Member)
    }

    /// Takes a change; `own` are the addresses of the account itself.
    pub fn apply(&mut self, change: &GroupChange, own: &[Jid]) {
        self.changes += 1;
        match change {
            GroupChange::Added { members } => {
                members.iter().for_each(|member| self.add(member));
                if members.iter().any(|member| own.iter().any(|own| member.is(own))) {
                    // What happened while the account was away was told to nobody here.
                    (self.left, self.stale) = (false, true);
                }
            }
            GroupChange::Removed { members } => {
                self.members.retain(|known| !members.iter().any(|gone| known.is_same(gone)));
                if members.iter().any(|member| own.iter().any(|own| member.is(own))) {
                    self.left = true;
                }
            }
            GroupChange::Promoted { members } => self.set_role(members, MemberRole::Admin),
            GroupChange::Demoted { members } => self.set_role(members, MemberRole::Member),
            GroupChange::Subject { subject } => self.subject.clone_from(subject),
            GroupChange::Description { description } => self.description.clone_from(description),
            GroupChange::Announce { on } => self.settings.announce = *on,
            GroupChange::Locked { on } => self.settings.locked = *on,
            GroupChange::Approval { on } => self.settings.approval = *on,
            GroupChange::Ephemeral { seconds } => self.settings.ephemeral_s = *seconds,
            GroupChange::Requested { .. } => {}
            GroupChange::Joined => (self.left, self.stale) = (false, true),
            GroupChange::Deleted => self.left = true,
            GroupChange::Other { .. } => self.stale = true,
        }
    }

    fn add(&mut self, member: &Member) {
        match self.members.iter_mut().find(|known| known.is_same(member)) {
            Some(known) => known.lid = known.lid.take().or_else(|| member.lid.clone()),
            None => self.members.push(member.clone()),
        }
    }

    fn set_role(&mut self, members: &[Member], role: MemberRole) {
        for known in &mut self.members {
            if members.iter().any(|member| known.is_same(member)) {
                known.role = role;
            }
        }
    }
}

impl Member {
    /// Returns whether this is the person, by either address.
    pub fn is(&self, person: &Jid) -> bool {
        self.jid == *person || self.lid.as_ref() == Some(person)
    }

    /// Returns whether both are the same person, as far as their addresses tell.
    pub fn is_same(&self, other: &Self) -> bool {
        self.is(&other.jid) || other.lid.as_ref().is_some_and(|lid| self.is(lid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    fn member(phone: &str, lid: Option<&str>, role: MemberRole) -> Member {
        Member {
            jid: jid(&format!("{phone}@s.whatsapp.net")),
            lid: lid.map(|lid| jid(&format!("{lid}@lid"))),
            role,
        }
    }

    fn group() -> Group {
        Group {
            jid: jid("120363123456789012@g.us"),
            subject: "Keluarga".into(),
            description: None,
            owner: None,
            creation: None,
            members: vec![
                member("6281111111111", Some("101"), MemberRole::Owner),
                member("6282222222222", Some("102"), MemberRole::Member),
            ],
            settings: GroupSettings::default(),
            by_lid: true,
            left: false,
            asked_at: 0,
            stale: false,
            changes: 0,
            made_at: None,
        }
    }

    #[test]
    fn people_come_and_go_under_either_address() {
        let (mut group, own) = (group(), [jid("6281111111111@s.whatsapp.net"), jid("101@lid")]);
        let new = member("6283333333333", None, MemberRole::Member);
        for _ in 0..2 {
            group.apply(&GroupChange::Added { members: vec![new.clone()] }, &own);
        }
        assert_eq!(group.members.len(), 3);
        let by_lid = Member { jid: jid("102@lid"), lid: None, role: MemberRole::Member };
        group.apply(&GroupChange::Promoted { members: vec![by_lid.clone()] }, &own);
        assert!(group.is_admin(&jid("6282222222222@s.whatsapp.net")));
        group.apply(&GroupChange::Demoted { members: vec![by_lid.clone()] }, &own);
        assert!(!group.is_admin(&jid("102@lid")));
        group.apply(&GroupChange::Removed { members: vec![by_lid] }, &own);
        assert!(group.member(&jid("102@lid")).is_none() && !group.left);
        group.apply(
            &GroupChange::Removed { members: vec![member("6281111111111", None, MemberRole::Owner)] },
            &own,
        );
        assert!(group.left);
        assert_eq!(group.changes, 6);
    }

    #[test]
    fn what_cannot_be_applied_asks_for_a_new_question() {
        let mut group = group();
        group.apply(&GroupChange::Subject { subject: "Baru".into() }, &[]);
        group.apply(&GroupChange::Ephemeral { seconds: 86_400 }, &[]);
        assert!(!group.stale && group.subject == "Baru" && group.settings.ephemeral_s == 86_400);
        group.apply(&GroupChange::Other { what: "modify".into() }, &[]);
        assert!(group.stale);
    }
}
