//! Groups: what is known of them, and what an admin does with them.

use super::Gateway;
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::group::{DESCRIPTION_MAX_CHARS, Group, MEMBERS_MAX, SUBJECT_MAX_CHARS};
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::store::{groups, identities};
use crate::wa::{Groups, MemberOutcome, MemberVerb, SendFailure, SettingChange};

/// How long a list is believed when nothing was told against it, in milliseconds. A day: the network tells every change, and
/// this only makes good what was lost on the way.
const LIST_MAX_AGE_MS: i64 = 24 * 3_600_000;
/// Seconds after which a client should try again when the network has had too many requests.
const RETRY_AFTER_S: u64 = 30;
/// What WhatsApp offers for disappearing messages, in seconds.
pub(super) const EPHEMERAL_S: [u32; 4] = [0, 86_400, 604_800, 7_776_000];

/// The groups of an account.
#[derive(Debug)]
pub struct GroupList {
    /// In the order of their addresses.
    pub groups: Vec<Group>,
    /// Milliseconds since 1970 at which the network was asked; changes since then are in.
    pub asked_at: i64,
}

/// A group that was made.
#[derive(Debug)]
pub struct NewGroup {
    /// The group as the network has it.
    pub group: Group,
    /// Who could not be taken in.
    pub missing: Vec<Jid>,
}

/// What came of a change of several people.
#[derive(Debug, Default)]
pub struct MemberChange {
    /// For whom it was done.
    pub done: Vec<Jid>,
    /// For whom it was not, and why.
    pub failed: Vec<(Jid, Error)>,
}

impl Gateway {
    /// Returns the groups of the account: from the store, after asking the network when that is not known or `fresh`.
    pub async fn groups(&self, device: &Device, fresh: bool) -> Result<GroupList> {
        self.require_connected(device)?;
        let (no, now) = (device.no, self.clock().now());
        let known = || groups::asked_at(&self.store().view()?, no);
        let is_good = |since: i64| known().is_ok_and(|asked| asked.is_some_and(|asked| asked > since));
        let since = now - LIST_MAX_AGE_MS;
        if fresh || !is_good(since) {
            // Somebody else's answer counts when it is newer than our question.
            let since = if fresh { now } else { since };
            let asked = self.device_groups(no)?.refresh_all(|| is_good(since)).await;
            match asked.map_err(group_error) {
                Ok(()) => {}
                // What is known is better than nothing, and says how old it is.
                Err(error) if !fresh && known()?.is_some() => {
                    tracing::warn!(device = %no, %error, "the groups could not be asked for anew");
                }
                Err(error) => return Err(error),
            }
        }
        let view = self.store().view()?;
        let asked_at = groups::asked_at(&view, no)?.unwrap_or(now);
        Ok(GroupList { groups: groups::list(&view, no)?, asked_at })
    }

    /// Returns a group that the account is in: from the store, after asking the network when that is not known or `fresh`.
    pub async fn group(&self, device: &Device, group: &Jid, fresh: bool) -> Result<Group> {
        self.require_connected(device)?;
        let (no, now) = (device.no, self.clock().now());
        let known = || groups::get(&self.store().view()?, no, group);
        let good = |since: i64| {
            known().map(|known| known.filter(|known| !known.stale && !known.left && known.asked_at > since))
        };
        let since = if fresh { now } else { i64::MIN };
        if let Some(good) = good(since)? {
            return Ok(good);
        }
        let asked =
            self.device_groups(no)?.refresh(group, || good(since).is_ok_and(|good| good.is_some())).await;
        asked.map_err(unknown_group)?;
        known()?.filter(|known| !known.left).ok_or_else(|| Error::new(Code::GroupNotFound))
    }

    /// Makes a group.
    pub async fn create_group(&self, device: &Device, subject: &str, people: Vec<Jid>) -> Result<NewGroup> {
        check_subject(subject)?;
        check_people(&people)?;
        self.require_connected(device)?;
        let people = self.people(device.no, people)?;
        let group = self.device_groups(device.no)?.create(subject, &people).await.map_err(group_error)?;
        let missing = people.into_iter().filter(|person| group.member(person).is_none()).collect();
        Ok(NewGroup { group, missing })
    }

    /// Takes people into a group; each may be refused on their own.
    pub async fn add_members(&self, device: &Device, group: &Jid, people: Vec<Jid>) -> Result<MemberChange> {
        self.change_members(device, group, MemberVerb::Add, people).await
    }

    /// Makes members admins; each may be refused on their own.
    pub async fn promote(&self, device: &Device, group: &Jid, people: Vec<Jid>) -> Result<MemberChange> {
        self.change_members(device, group, MemberVerb::Promote, people).await
    }

    /// Sends one member away.
    pub async fn remove_member(&self, device: &Device, group: &Jid, person: Jid) -> Result<Jid> {
        only(self.change_members(device, group, MemberVerb::Remove, vec![person]).await?)
    }

    /// Makes one admin a plain member.
    pub async fn demote(&self, device: &Device, group: &Jid, person: Jid) -> Result<Jid> {
        only(self.change_members(device, group, MemberVerb::Demote, vec![person]).await?)
    }

    pub(super) async fn change_members(
        &self,
        device: &Device,
        group: &Jid,
        verb: MemberVerb,
        people: Vec<Jid>,
    ) -> Result<MemberChange> {
        check_people(&people)?;
        self.require_connected(device)?;
        let people = self.people(device.no, people)?;
        let answer = self.device_groups(device.no)?.change_members(group, verb, &people).await;
        let answer = answer.map_err(|failure| self.change_error(device.no, group, failure))?;
        let mut change = MemberChange::default();
        for MemberOutcome { jid, refused } in answer {
            let jid = self.person(device.no, &jid)?;
            match refused {
                None => change.done.push(jid),
                Some(code) => change.failed.push((jid, member_error(verb, code))),
            }
        }
        Ok(change)
    }

    /// Gives a group another name.
    pub async fn set_group_subject(&self, device: &Device, group: &Jid, subject: &str) -> Result<()> {
        check_subject(subject)?;
        self.require_connected(device)?;
        let set = self.device_groups(device.no)?.set_subject(group, subject).await;
        set.map_err(|failure| self.change_error(device.no, group, failure))
    }

    /// Gives a group another description; an empty one takes it away.
    pub async fn set_group_description(&self, device: &Device, group: &Jid, text: &str) -> Result<()> {
        if text.chars().count() > DESCRIPTION_MAX_CHARS {
            return Err(Error::new(Code::GroupDescriptionInvalid));
        }
        self.require_connected(device)?;
        let text = Some(text).filter(|text| !text.trim().is_empty());
        let set = self.device_groups(device.no)?.set_description(group, text).await;
        set.map_err(|failure| self.change_error(device.no, group, failure))
    }

    /// Sets the picture of a group, a JPEG; none takes it away.
    pub async fn set_group_picture(&self, device: &Device, group: &Jid, jpeg: Option<Vec<u8>>) -> Result<()> {
        self.require_connected(device)?;
        let set = self.device_groups(device.no)?.set_picture(group, jpeg).await;
        set.map_err(|failure| self.change_error(device.no, group, failure))
    }

    /// Changes settings of a group, one after the other.
    pub async fn set_group_settings(
        &self,
        device: &Device,
        group: &Jid,
        all: &[SettingChange],
    ) -> Result<Group> {
        if all.is_empty() {
            return Err(Error::new(Code::GroupSettingsEmpty));
        }
        for setting in all {
            if matches!(setting, SettingChange::Ephemeral(seconds) if !EPHEMERAL_S.contains(seconds)) {
                return Err(Error::new(Code::EphemeralInvalid));
            }
        }
        self.require_connected(device)?;
        let groups = self.device_groups(device.no)?;
        for setting in all {
            let set = groups.set(group, *setting).await;
            set.map_err(|failure| self.change_error(device.no, group, failure))?;
        }
        self.group(device, group, false).await
    }

    /// Leaves a group.
    pub async fn leave_group(&self, device: &Device, group: &Jid) -> Result<()> {
        self.require_connected(device)?;
        self.device_groups(device.no)?.leave(group).await.map_err(unknown_group)
    }

    pub(super) fn device_groups(&self, no: DeviceNo) -> Result<Groups> {
        self.fleet().groups(no)
    }

    /// Returns everybody once, under the address they are kept by.
    pub(super) fn people(&self, device: DeviceNo, people: Vec<Jid>) -> Result<Vec<Jid>> {
        let view = self.store().view()?;
        let mut all = Vec::with_capacity(people.len());
        for person in people {
            let person = identities::canonical(&view, device, &person)?;
            if !all.contains(&person) {
                all.push(person);
            }
        }
        Ok(all)
    }

    /// Returns why a change of a group failed. Of a group that the account is not in the network says "forbidden", too.
    pub(super) fn change_error(&self, device: DeviceNo, group: &Jid, failure: SendFailure) -> Error {
        let is_in = || {
            let known = self.store().view().and_then(|view| groups::get(&view, device, group));
            known.is_ok_and(|known| known.is_some_and(|known| !known.left))
        };
        match failure {
            SendFailure::Refused { code: 401 | 403 } if is_in() => Error::new(Code::NotGroupAdmin),
            failure => unknown_group(failure),
        }
    }
}

/// Returns why a question about a group failed: "forbidden" means that the account is not in it.
pub(super) fn unknown_group(failure: SendFailure) -> Error {
    match failure {
        SendFailure::Refused { code: 401 | 403 | 404 } => Error::new(Code::GroupNotFound),
        failure => group_error(failure),
    }
}

/// Returns the error that a refusal of the network stands for.
pub(super) fn group_error(failure: SendFailure) -> Error {
    match failure {
        SendFailure::Refused { code: 404 } => Error::new(Code::GroupNotFound),
        SendFailure::Refused { code: 419 } => Error::new(Code::GroupFull),
        SendFailure::Refused { code: 429 } => {
            Error::new(Code::GroupTooManyRequests).retry_after(RETRY_AFTER_S)
        }
        SendFailure::Refused { code } => Error::new(Code::GroupRefused).with("code", code),
        failure => failure.error(),
    }
}

/// Returns why the network refused one person.
fn member_error(verb: MemberVerb, code: i32) -> Error {
    let code_of = match (verb, code) {
        (MemberVerb::Add | MemberVerb::Approve, 403) => Code::MemberRefusedPrivacy,
        (MemberVerb::Add | MemberVerb::Approve, 404) => Code::NotOnWhatsApp,
        (MemberVerb::Add | MemberVerb::Approve, 408) => Code::MemberLeftRecently,
        (MemberVerb::Add | MemberVerb::Approve, 409) => Code::MemberAlreadyIn,
        (_, 404) => Code::MemberNotFound,
        _ => Code::MemberRefused,
    };
    Error::new(code_of).with("code", code)
}

/// Returns what came of a change of one person.
fn only(change: MemberChange) -> Result<Jid> {
    let failed = change.failed.into_iter().next().map(|(_, error)| error);
    match (change.done.into_iter().next(), failed) {
        (Some(done), _) => Ok(done),
        (None, Some(error)) => Err(error),
        (None, None) => Err(Error::new(Code::MemberNotFound)),
    }
}

fn check_subject(subject: &str) -> Result<()> {
    let fits = !subject.trim().is_empty() && subject.chars().count() <= SUBJECT_MAX_CHARS;
    if fits { Ok(()) } else { Err(Error::new(Code::GroupSubjectInvalid)) }
}

fn check_people(people: &[Jid]) -> Result<()> {
    match people.len() {
        0 => Err(Error::new(Code::MembersRequired)),
        1..=MEMBERS_MAX => Ok(()),
        _ => Err(Error::new(Code::MembersTooMany).with("max", MEMBERS_MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_the_documented_status() {
        let refused = |code| SendFailure::Refused { code };
        for (error, code) in [
            (group_error(refused(404)), Code::GroupNotFound),
            (group_error(refused(419)), Code::GroupFull),
            (group_error(refused(429)), Code::GroupTooManyRequests),
            (group_error(refused(406)), Code::GroupRefused),
            (unknown_group(refused(403)), Code::GroupNotFound),
            (group_error(SendFailure::NotConnected), Code::DeviceNotConnected),
            (member_error(MemberVerb::Add, 403), Code::MemberRefusedPrivacy),
            (member_error(MemberVerb::Promote, 404), Code::MemberNotFound),
        ] {
            assert_eq!(error.code(), code);
        }
    }

    #[test]
    fn a_subject_has_1_to_100_characters() {
        for (subject, fits) in [("", false), ("  ", false), ("A", true)] {
            assert_eq!(check_subject(subject).is_ok(), fits, "{subject}");
        }
        assert!(check_subject(&"é".repeat(100)).is_ok() && check_subject(&"é".repeat(101)).is_err());
    }
}
