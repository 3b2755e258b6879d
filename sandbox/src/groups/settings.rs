//! What a group is called and how it is set up. A setting looks the same in a request, in the notification about it
//! and in the description of a group, so one type reads and writes all three.

use super::Change;
use super::make::{DESCRIPTION_MAX, SUBJECT_MAX, fits};
use crate::stanza::iq::Refusal;
use crate::state::group::{Description, Settings, Subject};
use crate::state::persona::Picture;
use crate::{clock, node};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Only admins change subject and description.
    Locked(bool),
    /// Only admins write.
    Announcement(bool),
    /// Lifetime of messages in seconds, 0 for ever.
    Ephemeral(u32),
    /// Admins approve whoever joins.
    Approval(bool),
    /// Every member may add others.
    MembersAdd(bool),
    /// Every member may share the invite link.
    MembersLink(bool),
    /// Messages that went round a lot are not forwarded here.
    NoFrequentlyForwarded(bool),
    /// Admins hear about reported messages.
    AdminReports(bool),
}

impl Setting {
    /// Reads the element of a request; nothing for one that is no setting.
    pub fn read(element: &Node) -> Option<Self> {
        let text = || String::from_utf8_lossy(&node::content(element)).into_owned();
        Some(match element.tag.as_ref() {
            "locked" => Self::Locked(true),
            "unlocked" => Self::Locked(false),
            "announcement" => Self::Announcement(true),
            "not_announcement" => Self::Announcement(false),
            "ephemeral" => Self::Ephemeral(node::attr(element, "expiration")?.parse().ok()?),
            "not_ephemeral" => Self::Ephemeral(0),
            "membership_approval_mode" => {
                Self::Approval(node::attr(node::child(element, "group_join")?, "state")? == "on")
            }
            "member_add_mode" => Self::MembersAdd(text() == "all_member_add"),
            "member_link_mode" => Self::MembersLink(text() == "all_member_link"),
            "no_frequently_forwarded" => Self::NoFrequentlyForwarded(true),
            "frequently_forwarded_ok" => Self::NoFrequentlyForwarded(false),
            "allow_admin_reports" => Self::AdminReports(true),
            "not_allow_admin_reports" => Self::AdminReports(false),
            _ => return None,
        })
    }

    /// Builds the element of a notification or description.
    pub fn to_node(self) -> Node {
        match self {
            Self::Locked(on) => node::empty(if on { "locked" } else { "unlocked" }),
            Self::Announcement(on) => node::empty(if on { "announcement" } else { "not_announcement" }),
            Self::Ephemeral(0) => node::empty("not_ephemeral"),
            Self::Ephemeral(s) => {
                NodeBuilder::new("ephemeral").attr("expiration", s.to_string()).attr("trigger", "0").build()
            }
            Self::Approval(on) => {
                let state = if on { "on" } else { "off" };
                let join = NodeBuilder::new("group_join").attr("state", state).build();
                node::parent("membership_approval_mode", [join])
            }
            Self::MembersAdd(on) => {
                node::bytes("member_add_mode", if on { "all_member_add" } else { "admin_add" })
            }
            Self::MembersLink(on) => {
                node::bytes("member_link_mode", if on { "all_member_link" } else { "admin_link" })
            }
            Self::NoFrequentlyForwarded(on) => {
                node::empty(if on { "no_frequently_forwarded" } else { "frequently_forwarded_ok" })
            }
            Self::AdminReports(on) => {
                node::empty(if on { "allow_admin_reports" } else { "not_allow_admin_reports" })
            }
        }
    }

    /// Returns what a description of a group mentions: switches that are on, and the modes.
    pub fn in_force(settings: &Settings) -> Vec<Self> {
        let switches = [
            (settings.locked, Self::Locked(true)),
            (settings.announcement, Self::Announcement(true)),
            (settings.ephemeral_s > 0, Self::Ephemeral(settings.ephemeral_s)),
            (settings.approval, Self::Approval(true)),
            (settings.no_frequently_forwarded, Self::NoFrequentlyForwarded(true)),
            (settings.admin_reports, Self::AdminReports(true)),
        ];
        let switches = switches.into_iter().filter(|(on, _)| *on).map(|(_, setting)| setting);
        switches
            .chain([Self::MembersAdd(settings.members_add), Self::MembersLink(settings.members_link)])
            .collect()
    }

    /// Puts the setting into force.
    pub fn apply(self, settings: &mut Settings) {
        match self {
            Self::Locked(on) => settings.locked = on,
            Self::Announcement(on) => settings.announcement = on,
            Self::Ephemeral(s) => settings.ephemeral_s = s,
            Self::Approval(on) => settings.approval = on,
            Self::MembersAdd(on) => settings.members_add = on,
            Self::MembersLink(on) => settings.members_link = on,
            Self::NoFrequentlyForwarded(on) => settings.no_frequently_forwarded = on,
            Self::AdminReports(on) => settings.admin_reports = on,
        }
    }
}

/// Changes settings; that is for admins, except disappearing messages in a group that is not locked.
pub fn set(change: &mut Change<'_>, settings: &[Setting]) -> Result<(), Refusal> {
    for setting in settings {
        match setting {
            Setting::Ephemeral(_) => editor(change)?,
            _ => change.admin()?,
        }
    }
    for setting in settings {
        setting.apply(&mut change.facts.settings);
        change.tell_members(setting.to_node());
    }
    Ok(())
}

/// Gives the group another name.
pub fn rename(change: &mut Change<'_>, text: String) -> Result<(), Refusal> {
    editor(change)?;
    if text.is_empty() || !fits(&text, SUBJECT_MAX) {
        return Err(Refusal::BAD_REQUEST);
    }
    let at = clock::now_s();
    let news = NodeBuilder::new("subject")
        .attr("subject", text.clone())
        .attr("s_t", at.to_string())
        .attr("s_o", change.facts.mode.address(change.actor, 0))
        .build();
    change.facts.subject = Subject { text, by: change.actor.number.clone(), at };
    change.tell_members(news);
    Ok(())
}

/// Changes the description, or takes it away. `previous` is the token of the text that the writer saw.
pub fn describe(
    change: &mut Change<'_>,
    id: String,
    text: Option<String>,
    previous: Option<&str>,
) -> Result<(), Refusal> {
    editor(change)?;
    if change.facts.description.as_ref().map(|one| one.id.as_str()) != previous {
        return Err(Refusal::CONFLICT);
    }
    if text.as_deref().is_some_and(|text| !fits(text, DESCRIPTION_MAX)) {
        return Err(Refusal::BAD_REQUEST);
    }
    let content = match &text {
        Some(text) => node::bytes("body", text.as_bytes()),
        None => node::empty("delete"),
    };
    let news = NodeBuilder::new("description").attr("id", id.clone()).children([content]).build();
    let (by, at) = (change.actor.number.clone(), clock::now_s());
    change.facts.description = text.map(|text| Description { id, text, by, at });
    change.tell_members(news);
    Ok(())
}

/// Gives the group another picture, or takes it away.
pub fn picture(change: &mut Change<'_>, picture: Option<Picture>) -> Result<(), Refusal> {
    editor(change)?;
    change.show(picture);
    Ok(())
}

/// Refuses whoever may not change what a group says about itself.
fn editor(change: &Change<'_>) -> Result<(), Refusal> {
    if change.facts.settings.locked { change.admin() } else { change.member().map(drop) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same() {
        for on in [true, false] {
            for setting in [
                Setting::Locked(on),
                Setting::Announcement(on),
                Setting::Ephemeral(if on { 86_400 } else { 0 }),
                Setting::Approval(on),
                Setting::MembersAdd(on),
                Setting::MembersLink(on),
                Setting::NoFrequentlyForwarded(on),
                Setting::AdminReports(on),
            ] {
                assert_eq!(Setting::read(&setting.to_node()), Some(setting));
                let mut settings = Settings::default();
                setting.apply(&mut settings);
                let modes = matches!(setting, Setting::MembersAdd(_) | Setting::MembersLink(_));
                assert_eq!(Setting::in_force(&settings).contains(&setting), on || modes, "{setting:?}");
            }
        }
        assert_eq!(Setting::read(&node::empty("subject")), None);
    }
}
