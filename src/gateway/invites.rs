//! Ways into a group: invite links and requests to join.

use super::groups::{group_error, unknown_group};
use super::{Gateway, MemberChange};
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::wa::{InvitedTo, MemberVerb, Preview, SendFailure};

/// Longest code of an invite link; WhatsApp's have 22 characters.
const CODE_MAX: usize = 64;
/// Spellings of an invite link in front of its code.
const LINK_STARTS: [&str; 3] =
    ["https://chat.whatsapp.com/invite/", "https://chat.whatsapp.com/", "http://chat.whatsapp.com/"];

impl Gateway {
    /// Returns the code of the group's invite link; `reset` makes a new one and the old one void.
    pub async fn group_invite(&self, device: &Device, group: &Jid, reset: bool) -> Result<String> {
        self.require_connected(device)?;
        let code = self.device_groups(device.no)?.invite_code(group, reset).await;
        code.map_err(|failure| self.change_error(device.no, group, failure))
    }

    /// Follows an invite link, or the code alone.
    pub async fn join_group(&self, device: &Device, link: &str) -> Result<InvitedTo> {
        let code = code_of(link)?;
        self.require_connected(device)?;
        self.device_groups(device.no)?.join(code).await.map_err(invite_error)
    }

    /// Shows the group behind an invite link without joining it.
    pub async fn preview_group(&self, device: &Device, link: &str) -> Result<Preview> {
        let code = code_of(link)?;
        self.require_connected(device)?;
        self.device_groups(device.no)?.preview(code).await.map_err(invite_error)
    }

    /// Returns who wants to come in, each with when they asked (milliseconds since 1970).
    pub async fn join_requests(&self, device: &Device, group: &Jid) -> Result<Vec<(Jid, Option<i64>)>> {
        self.require_connected(device)?;
        let told = self.device_groups(device.no)?.requests(group).await;
        let told = told.map_err(|failure| self.change_error(device.no, group, failure))?;
        told.into_iter().map(|(person, at)| Ok((self.person(device.no, &person)?, at))).collect()
    }

    /// Lets people in who asked for it, or refuses them.
    pub async fn decide_requests(
        &self,
        device: &Device,
        group: &Jid,
        people: Vec<Jid>,
        approve: bool,
    ) -> Result<MemberChange> {
        let verb = if approve { MemberVerb::Approve } else { MemberVerb::Reject };
        self.change_members(device, group, verb, people).await
    }
}

/// Returns the code of an invite link, or of the code alone.
fn code_of(link: &str) -> Result<&str> {
    let link = link.trim();
    let behind = LINK_STARTS.iter().find_map(|start| link.strip_prefix(start)).unwrap_or(link);
    let code = behind.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let is_code = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    match (1..=CODE_MAX).contains(&code.len()) && code.chars().all(is_code) {
        true => Ok(code),
        false => Err(Error::new(Code::InviteInvalid)),
    }
}

fn invite_error(failure: SendFailure) -> Error {
    match failure {
        SendFailure::Refused { code: 400 | 404 | 406 | 410 } => Error::new(Code::InviteInvalid),
        SendFailure::Refused { code: 409 } => Error::new(Code::MemberAlreadyIn),
        SendFailure::Refused { code: 401 | 403 } => unknown_group(failure),
        failure => group_error(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_with_and_without_its_address() {
        for link in [
            "AbCdEf12345",
            " AbCdEf12345 ",
            "https://chat.whatsapp.com/AbCdEf12345",
            "https://chat.whatsapp.com/invite/AbCdEf12345/",
            "http://chat.whatsapp.com/AbCdEf12345?mode=x",
        ] {
            assert_eq!(code_of(link).expect(link), "AbCdEf12345");
        }
        for bad in
            ["", "https://chat.whatsapp.com/", "https://example.com/AbCdEf12345", "a b", &"x".repeat(65)]
        {
            assert_eq!(code_of(bad).expect_err(bad).code(), Code::InviteInvalid);
        }
    }
}
