//! Channels: which ones an account follows or runs, following and making them, posting in those it runs, and what was posted.

use super::chats::Page;
use super::messages::{IdempotencyKey, Sent};
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::channel::{Channel, ChannelPost, DESCRIPTION_MAX_CHARS, NAME_MAX_CHARS};
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::model::message::{Outgoing, OutgoingContent, Text};
use crate::store::channels;
use crate::wa::{Channels, SendFailure};

/// Longest code of an invite link; WhatsApp's have 24 characters.
const CODE_MAX: usize = 64;
/// Where channels stand on the web.
const SITES: [&str; 2] = ["whatsapp.com/channel/", "www.whatsapp.com/channel/"];

impl Gateway {
    /// Asks for the channels that the account follows or runs, and returns them by address.
    pub async fn channels(&self, device: &Device) -> Result<Vec<Channel>> {
        self.device_channels(device)?.refresh_all().await.map_err(channel_error)?;
        channels::list(&self.store().view()?, device.no)
    }

    /// Asks for a channel, followed or not.
    pub async fn channel(&self, device: &Device, channel: &Jid) -> Result<Channel> {
        self.device_channels(device)?.channel(channel).await.map_err(channel_error)
    }

    /// Asks for the channel behind an invite link, or the code alone.
    pub async fn channel_behind(&self, device: &Device, link: &str) -> Result<Channel> {
        let code = code_of(link)?;
        self.device_channels(device)?.invited_to(code).await.map_err(channel_error)
    }

    /// Makes a channel.
    pub async fn create_channel(
        &self,
        device: &Device,
        name: &str,
        description: Option<&str>,
    ) -> Result<Channel> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX_CHARS {
            return Err(Error::new(Code::ChannelNameInvalid));
        }
        let description = description.map(str::trim).filter(|text| !text.is_empty());
        if description.is_some_and(|text| text.chars().count() > DESCRIPTION_MAX_CHARS) {
            return Err(Error::invalid("description", "at most 2048 characters"));
        }
        self.device_channels(device)?.create(name, description).await.map_err(channel_error)
    }

    /// Follows a channel.
    pub async fn follow_channel(&self, device: &Device, channel: &Jid) -> Result<Channel> {
        self.device_channels(device)?.follow(channel).await.map_err(channel_error)
    }

    /// Follows the channel behind an invite link, or the code alone.
    pub async fn follow_channel_behind(&self, device: &Device, link: &str) -> Result<Channel> {
        let channel = self.channel_behind(device, link).await?;
        self.follow_channel(device, &channel.jid).await
    }

    /// Follows a channel no more; its posts go from the store. Refused when the account runs it.
    pub async fn unfollow_channel(&self, device: &Device, channel: &Jid) -> Result<()> {
        let left = self.device_channels(device)?.unfollow(channel).await;
        left.map_err(|failure| match failure {
            SendFailure::Refused { code: 401 | 403 } => Error::new(Code::ChannelOwnedNotLeft),
            failure => channel_error(failure),
        })
    }

    /// Sets whether the account wants to be told of a channel on its phones. Refused when it neither follows nor runs it.
    pub async fn mute_channel(&self, device: &Device, channel: &Jid, muted: bool) -> Result<Channel> {
        let channel = self.own_channel(device, channel).await?.ok_or_else(not_followed)?;
        self.device_channels(device)?.mute(&channel, muted).await.map_err(|failure| match failure {
            SendFailure::Refused { code: 401 | 403 } => not_followed(),
            failure => channel_error(failure),
        })
    }

    /// Posts a text in a channel that the account runs; answers when WhatsApp has accepted it or the deadline passes.
    pub async fn post_in_channel(
        &self,
        caller: &Caller,
        device: &Device,
        channel: &Jid,
        text: Text,
        key: Option<IdempotencyKey>,
    ) -> Result<Sent> {
        let known = self.own_channel(device, channel).await?;
        if !known.is_some_and(|channel| channel.role.may_post()) {
            return Err(Error::new(Code::ChannelNotOwned));
        }
        let outgoing = Outgoing::new(channel.clone(), OutgoingContent::Text { text });
        self.send(caller, device, outgoing, key).await
    }

    /// Returns up to `limit` posts of a channel, newest first, older than the post `before` when given. WhatsApp is asked for
    /// them while the device is connected; without that, and for what it does not answer, what is stored is the answer.
    pub async fn channel_posts(
        &self,
        device: &Device,
        channel: &Jid,
        before: Option<String>,
        limit: usize,
    ) -> Result<Page<ChannelPost>> {
        let no = device.no;
        let from = match &before {
            None => None,
            Some(id) => {
                let known = channels::post(&self.store().view()?, no, channel, id)?;
                Some(known.ok_or_else(|| Error::new(Code::MessageNotFound))?)
            }
        };
        // A post that has no number yet is newer than all that WhatsApp could be asked for.
        let number = from.as_ref().and_then(|post| post.number);
        let count = u32::try_from(limit + 1).unwrap_or(u32::MAX);
        match self.device_channels(device) {
            Ok(asked) => asked.refresh_posts(channel, count, number).await.map_err(channel_error)?,
            Err(error) if channels::get(&self.store().view()?, no, channel)?.is_none() => return Err(error),
            Err(_) => {}
        }
        let channel = channel.clone();
        let rows =
            self.store().scan(move |view| channels::page(view, no, &channel, before.as_deref(), limit + 1));
        let mut rows = rows.await?;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Page { rows, has_more })
    }

    /// Returns a channel that the account follows or runs, from the store or else by asking; none when it does neither.
    async fn own_channel(&self, device: &Device, channel: &Jid) -> Result<Option<Channel>> {
        if let Some(known) = channels::get(&self.store().view()?, device.no, channel)? {
            return Ok(Some(known));
        }
        self.channel(device, channel).await?;
        channels::get(&self.store().view()?, device.no, channel)
    }

    fn device_channels(&self, device: &Device) -> Result<Channels> {
        self.require_connected(device)?;
        self.fleet().channels(device.no)
    }
}

/// Returns the code of an invite link, or of the code alone.
fn code_of(link: &str) -> Result<&str> {
    let link = link.trim();
    let bare = ["https://", "http://"].iter().find_map(|start| link.strip_prefix(start)).unwrap_or(link);
    let behind = SITES.iter().find_map(|site| bare.strip_prefix(site)).unwrap_or(bare);
    let code = behind.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let is_code = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    match (1..=CODE_MAX).contains(&code.len()) && code.chars().all(is_code) {
        true => Ok(code),
        false => Err(Error::new(Code::ChannelLinkInvalid)),
    }
}

fn not_followed() -> Error {
    Error::new(Code::ChannelNotFollowed)
}

/// Returns the error that a refusal of the network stands for.
fn channel_error(failure: SendFailure) -> Error {
    match failure {
        SendFailure::Refused { code: 404 | 410 } => Error::new(Code::ChannelNotFound),
        SendFailure::Refused { code } => Error::new(Code::ChannelRefused).with("code", code),
        failure => failure.error(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_is_a_link_or_its_code() {
        for link in [
            "https://whatsapp.com/channel/0029VaAbC_d-1",
            "https://www.whatsapp.com/channel/0029VaAbC_d-1?x=1",
            "http://whatsapp.com/channel/0029VaAbC_d-1/",
            "whatsapp.com/channel/0029VaAbC_d-1",
            " 0029VaAbC_d-1 ",
        ] {
            assert_eq!(code_of(link).expect(link), "0029VaAbC_d-1");
        }
        for link in ["", "https://whatsapp.com/channel/", "https://chat.whatsapp.com/AbC", "a b", "ü"] {
            assert_eq!(code_of(link).expect_err(link).code(), Code::ChannelLinkInvalid, "{link}");
        }
        assert!(code_of(&"x".repeat(CODE_MAX + 1)).is_err());
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        let refused = |code| channel_error(SendFailure::Refused { code }).code();
        assert_eq!((refused(404), refused(400)), (Code::ChannelNotFound, Code::ChannelRefused));
        assert_eq!(channel_error(SendFailure::NotConnected).code(), Code::DeviceNotConnected);
    }
}
