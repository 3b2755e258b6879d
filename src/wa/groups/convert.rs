//! The library's words about groups → our own. Pure.

use crate::clock::Millis;
use crate::model::group::{Group, GroupChange, GroupSettings, Member, MemberRole};
use crate::model::jid::{Jid, Server};
use crate::wa::receive::address;
use wacore::iq::groups::GroupInfoResponse;
use wacore::protocol::ProtocolNode as _;
use wacore::stanza::groups::{GroupNotificationAction as Action, GroupParticipantInfo, GroupParticipantType};
use wacore::types::message::AddressingMode;
use wacore_binary::{Jid as WireJid, Node};
use whatsapp_rust::features::{GroupMetadata, ParticipantType};

/// Stands for an answer about a group that names none.
pub(super) const UNREADABLE: i32 = 404;

/// Returns the group, or none when its address is of no known kind.
pub(super) fn group(told: GroupMetadata, asked_at: Millis) -> Option<Group> {
    let members = told.participants.iter().filter_map(|one| {
        let role = match one.participant_type {
            ParticipantType::SuperAdmin => MemberRole::Owner,
            ParticipantType::Admin => MemberRole::Admin,
            _ => MemberRole::Member,
        };
        member(&one.jid, one.phone_number.as_ref(), one.lid.as_ref(), role)
    });
    let members = members.collect();
    let seconds = told.ephemeral.and_then(|ephemeral| ephemeral.expiration);
    Some(Group {
        jid: address(&told.id).filter(Jid::is_group)?,
        subject: told.subject,
        description: told.description.filter(|text| !text.is_empty()),
        owner: told.creator_pn.as_ref().or(told.creator.as_ref()).and_then(address),
        creation: told.creation_time.and_then(|at| i64::try_from(at).ok()),
        members,
        settings: GroupSettings {
            announce: told.is_announcement,
            locked: told.is_locked,
            approval: told.membership_approval,
            ephemeral_s: seconds.unwrap_or_default(),
        },
        by_lid: told.addressing_mode == AddressingMode::Lid,
        left: false,
        asked_at,
        stale: false,
        changes: 0,
        made_at: None,
    })
}

/// Returns the group that a notification brought along, or none when it brought none that can be read.
pub(super) fn created(raw: &Node, asked_at: Millis) -> Option<Group> {
    let node = raw.as_node_ref();
    let told = GroupInfoResponse::try_from_node_ref(node.get_optional_child("group")?).ok()?;
    group(GroupMetadata::from(told), asked_at)
}

/// Returns the change; `actor` is who made it.
pub(super) fn change(action: &Action, actor: Option<Member>) -> GroupChange {
    let other = || GroupChange::Other { what: action.tag_name().to_owned() };
    match action {
        Action::Add { participants, .. } => GroupChange::Added { members: members(participants) },
        Action::Remove { participants, .. } => GroupChange::Removed { members: members(participants) },
        Action::Promote { participants } => GroupChange::Promoted { members: members(participants) },
        Action::Demote { participants } => GroupChange::Demoted { members: members(participants) },
        Action::Subject { subject, .. } => GroupChange::Subject { subject: subject.clone() },
        Action::Description { description, .. } => {
            GroupChange::Description { description: description.clone().filter(|text| !text.is_empty()) }
        }
        Action::Locked { .. } => GroupChange::Locked { on: true },
        Action::Unlocked => GroupChange::Locked { on: false },
        Action::Announce => GroupChange::Announce { on: true },
        Action::NotAnnounce => GroupChange::Announce { on: false },
        Action::Ephemeral { expiration, .. } => GroupChange::Ephemeral { seconds: *expiration },
        Action::MembershipApprovalMode { enabled } => GroupChange::Approval { on: *enabled },
        Action::MembershipApprovalRequest { .. } => {
            GroupChange::Requested { members: actor.into_iter().collect() }
        }
        Action::CreatedMembershipRequests { requests, .. } => {
            GroupChange::Requested { members: members(requests) }
        }
        Action::Create { .. } => GroupChange::Joined,
        Action::Delete { .. } => GroupChange::Deleted,
        _ => other(),
    }
}

/// Returns whether a change leaves everything as it is that Kurir keeps of a group.
pub(super) fn is_of_no_account(action: &Action) -> bool {
    matches!(
        action,
        Action::Invite { .. }
            | Action::RevokeInvite
            | Action::RevokedMembershipRequests { .. }
            | Action::MemberAddMode { .. }
            | Action::NoFrequentlyForwarded
            | Action::FrequentlyForwardedOk
            | Action::GrowthLocked { .. }
            | Action::GrowthUnlocked
            | Action::GroupSafetyCheck
            | Action::LimitSharingEnabled { .. }
            | Action::AllowAdminReports
            | Action::NotAllowAdminReports
            | Action::Reports
    )
}

/// Returns somebody in a group under the addresses that the network gave.
pub(super) fn member(
    jid: &WireJid,
    phone: Option<&WireJid>,
    lid: Option<&WireJid>,
    role: MemberRole,
) -> Option<Member> {
    let (jid, phone, lid) = (address(jid)?, phone.and_then(address), lid.and_then(address));
    Some(match jid.server() {
        Server::Lid => Member { jid: phone.unwrap_or_else(|| jid.clone()), lid: Some(jid), role },
        _ => Member { jid, lid: lid.filter(|lid| lid.server() == Server::Lid), role },
    })
}

fn members(told: &[GroupParticipantInfo]) -> Vec<Member> {
    let one = |info: &GroupParticipantInfo| {
        let role = match info.r#type {
            Some(GroupParticipantType::SuperAdmin) => MemberRole::Owner,
            Some(GroupParticipantType::Admin) => MemberRole::Admin,
            _ => MemberRole::Member,
        };
        member(&info.jid, info.phone_number.as_ref(), info.lid.as_ref(), role)
    };
    told.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> WireJid {
        text.parse().expect("an address")
    }

    #[test]
    fn somebody_in_a_group_has_the_number_first_and_the_hidden_id_beside_it() {
        let (phone, lid) = ("6281234567890@s.whatsapp.net", "100@lid");
        let shown = |member: Member| (member.jid.to_string(), member.lid.map(|lid| lid.to_string()));
        let both = (phone.to_owned(), Some(lid.to_owned()));
        let role = MemberRole::Member;
        let by_lid = member(&wire(lid), Some(&wire(phone)), None, role).expect("a member");
        let by_phone = member(&wire(phone), None, Some(&wire(lid)), role).expect("a member");
        assert_eq!((shown(by_lid), shown(by_phone)), (both.clone(), both));
        let hidden = member(&wire("100:3@lid"), None, None, role).expect("a member");
        assert_eq!(shown(hidden), (lid.to_owned(), Some(lid.to_owned())));
    }

    #[test]
    fn a_group_keeps_what_the_network_told() {
        let told = GroupMetadata {
            id: wire("120363123456789012@g.us"),
            subject: "Keluarga".into(),
            creator: Some(wire("100@lid")),
            creator_pn: Some(wire("6281234567890@s.whatsapp.net")),
            creation_time: Some(1_700_000_000),
            description: Some(String::new()),
            is_announcement: true,
            addressing_mode: AddressingMode::Lid,
            ..Default::default()
        };
        let group = group(told, 7).expect("a group");
        assert_eq!(
            (group.subject.as_str(), group.creation, group.asked_at),
            ("Keluarga", Some(1_700_000_000), 7)
        );
        assert_eq!(
            group.owner.map(|owner| owner.to_string()).as_deref(),
            Some("6281234567890@s.whatsapp.net")
        );
        assert!(
            group.settings.announce && !group.settings.locked && group.by_lid && group.description.is_none()
        );
    }

    #[test]
    fn notifications_become_changes() {
        let actor = member(&wire("100@lid"), None, None, MemberRole::Member);
        let cases = [
            (Action::Subject { subject: "Baru".into(), subject_owner: None, subject_time: None }, "Subject"),
            (Action::Unlocked, "Locked { on: false }"),
            (Action::Ephemeral { expiration: 0, trigger: None }, "Ephemeral { seconds: 0 }"),
            (Action::Delete { reason: None }, "Deleted"),
            (Action::Unknown { tag: "new".into() }, "Other { what: \"new\" }"),
        ];
        for (action, expected) in cases {
            let change = format!("{:?}", change(&action, actor.clone()));
            assert!(change.starts_with(expected), "{change}");
        }
    }
}
