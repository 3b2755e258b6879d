//! What an account shows of itself and does besides writing: presence, profile, privacy, blocking, who has an account.

use super::Gateway;
use super::groups::group_error;
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::model::profile::{self, Audience, Presence, PrivacyTopic, Profile, Typing};
use crate::wa::{Account, SendFailure};

/// Most numbers of one question.
pub const CHECK_MAX: usize = 100;

/// What came of asking for somebody.
#[derive(Debug)]
pub struct Checked {
    /// Their address, by number where it is known.
    pub jid: Jid,
    /// Their hidden id, when it is known.
    pub lid: Option<Jid>,
    /// Whether they have a WhatsApp account.
    pub exists: bool,
}

impl Gateway {
    /// Returns of each person whether they have a WhatsApp account, in the order given.
    pub async fn check_people(&self, device: &Device, people: Vec<Jid>) -> Result<Vec<Checked>> {
        self.require_connected(device)?;
        let people =
            people.iter().map(|person| self.person(device.no, person)).collect::<Result<Vec<_>>>()?;
        let exist = self.account(device)?.check(&people).await.map_err(SendFailure::error)?;
        let checked = |(jid, exists): (Jid, bool)| Checked { lid: self.lid_of(device.no, &jid), jid, exists };
        Ok(people.into_iter().zip(exist).map(checked).collect())
    }

    /// Shows the account as there or away.
    pub async fn set_presence(&self, device: &Device, presence: Presence) -> Result<()> {
        self.require_connected(device)?;
        match self.account(device)?.set_presence(presence).await {
            Err(SendFailure::Refused { code: 409 }) => Err(Error::new(Code::PresenceNeedsName)),
            ended => ended.map_err(SendFailure::error),
        }
    }

    /// Shows in a chat that the account types, records, or stopped.
    pub async fn set_typing(&self, device: &Device, chat: &Jid, typing: Typing) -> Result<()> {
        self.require_connected(device)?;
        let chat = self.person(device.no, chat)?;
        self.account(device)?.set_typing(&chat, typing).await.map_err(SendFailure::error)
    }

    /// Returns whom the account has blocked.
    pub async fn blocked(&self, device: &Device) -> Result<Vec<(Jid, Option<Jid>)>> {
        self.require_connected(device)?;
        let told = self.account(device)?.blocked().await.map_err(account_error)?;
        let known = |person: Jid| {
            let jid = self.person(device.no, &person)?;
            let lid = self.lid_of(device.no, &jid);
            Ok((jid, lid))
        };
        told.into_iter().map(known).collect()
    }

    /// Blocks somebody, or lets them write again. Returns their address.
    pub async fn set_blocked(&self, device: &Device, person: &Jid, on: bool) -> Result<Jid> {
        let person = self.person(device.no, person)?;
        self.require_connected(device)?;
        let account = self.account(device)?;
        // The network wants both addresses of the person; asking whether they exist teaches the other one.
        let asked = account.check(std::slice::from_ref(&person)).await.map_err(SendFailure::error)?;
        if on && asked != [true] {
            return Err(Error::new(Code::NotOnWhatsApp));
        }
        account.set_blocked(&person, on).await.map_err(account_error)?;
        Ok(person)
    }

    /// Returns what the account shows of itself.
    pub async fn account_profile(&self, device: &Device) -> Result<Profile> {
        self.require_connected(device)?;
        self.account(device)?.profile().await.map_err(account_error)
    }

    /// Gives the account another name or another text about it.
    pub async fn set_account_profile(
        &self,
        device: &Device,
        name: Option<&str>,
        about: Option<&str>,
    ) -> Result<Profile> {
        if name.is_none() && about.is_none() {
            return Err(Error::new(Code::ProfileChangeRequired));
        }
        let (name, about) = (name.map(profile::name).transpose()?, about.map(profile::about).transpose()?);
        self.require_connected(device)?;
        let account = self.account(device)?;
        if let Some(name) = name {
            account.set_name(&name).await.map_err(account_error)?;
        }
        if let Some(about) = about {
            account.set_about(&about).await.map_err(account_error)?;
        }
        account.profile().await.map_err(account_error)
    }

    /// Gives the account a picture, a JPEG, or takes it away.
    pub async fn set_account_picture(&self, device: &Device, jpeg: Option<Vec<u8>>) -> Result<()> {
        self.require_connected(device)?;
        self.account(device)?.set_picture(jpeg).await.map_err(account_error)
    }

    /// Returns to whom the account shows what.
    pub async fn privacy(&self, device: &Device) -> Result<Vec<(PrivacyTopic, Audience)>> {
        self.require_connected(device)?;
        self.account(device)?.privacy().await.map_err(account_error)
    }

    /// Sets to whom the account shows what, one topic after the other, and returns how it stands then.
    pub async fn set_privacy(
        &self,
        device: &Device,
        changes: &[(PrivacyTopic, Audience)],
    ) -> Result<Vec<(PrivacyTopic, Audience)>> {
        if changes.is_empty() {
            return Err(Error::new(Code::PrivacyChangeRequired));
        }
        changes.iter().try_for_each(|(topic, audience)| topic.require(*audience))?;
        self.require_connected(device)?;
        let account = self.account(device)?;
        for (topic, audience) in changes {
            account.set_privacy(*topic, *audience).await.map_err(account_error)?;
        }
        account.privacy().await.map_err(account_error)
    }

    pub(super) fn account(&self, device: &Device) -> Result<Account> {
        self.fleet().account(device.no)
    }
}

/// The network's answers about accounts: too many requests are told as for groups, the rest by its number.
pub(super) fn account_error(failure: SendFailure) -> Error {
    match failure {
        SendFailure::Refused { code: 429 } => group_error(failure),
        SendFailure::Refused { code } => Error::new(Code::AccountRefused).with("code", code),
        failure => failure.error(),
    }
}
