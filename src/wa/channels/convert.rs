//! The network's words about channels → ours. Pure.

use crate::model::channel::{Channel, ChannelPost, ChannelRole};
use crate::model::id::DeviceNo;
use crate::model::jid::{Jid, Server};
use crate::model::message::{Content, MessageStatus};
use crate::wa::receive::content;
use serde_json::Value;
use wacore::types::events::InboundMessage;
use wacore::types::message::EditAttribute;
use whatsapp_rust::features::NewsletterMessage;

/// What was heard in a channel.
#[derive(Debug, PartialEq)]
pub(in crate::wa) enum ChannelNews {
    /// A post.
    Posted(Box<ChannelPost>),
    /// A post was deleted.
    Deleted {
        /// The channel.
        channel: Jid,
        /// WhatsApp's message id.
        id: String,
    },
}

/// Reads a channel as the network describes it; none when that makes no sense.
pub(super) fn channel(told: &Value) -> Option<Channel> {
    let jid = told["id"].as_str()?.parse::<Jid>().ok().filter(|jid| jid.server() == Server::Newsletter)?;
    let (thread, viewer) = (&told["thread_metadata"], &told["viewer_metadata"]);
    let description = thread["description"]["text"].as_str().filter(|text| !text.is_empty());
    Some(Channel {
        jid,
        name: thread["name"]["text"].as_str().unwrap_or_default().to_owned(),
        description: description.map(str::to_owned),
        followers: number(&thread["subscribers_count"]).unwrap_or(0),
        role: role(viewer["role"].as_str().unwrap_or_default()),
        muted: is_muted(viewer),
        verified: thread["verification"].as_str().is_some_and(|word| word.eq_ignore_ascii_case("verified")),
        invite_code: thread["invite"].as_str().filter(|code| !code.is_empty()).map(str::to_owned),
        created_at: number(&thread["creation_time"])
            .and_then(|at_s| i64::try_from(at_s).ok()?.checked_mul(1000)),
    })
}

/// Reads a post of a channel's history; none when it has no content or was deleted.
pub(super) fn post(device: DeviceNo, channel: &Jid, told: NewsletterMessage) -> Option<ChannelPost> {
    let message = told.message?;
    let content = content(&message).ok()?;
    let id = match told.message_id.is_empty() {
        false => told.message_id,
        true => told.server_id.to_string(),
    };
    let at_s = i64::try_from(told.timestamp).unwrap_or(0);
    let at = ChannelPost::time(at_s, Some(told.server_id));
    let seen = Seen { device, channel: channel.clone(), id, number: Some(told.server_id), at };
    Some(ChannelPost { from_me: told.is_sender, ..seen.post(content) })
}

/// Reads what came from a channel that the account follows, or the name of what it is when that is nothing to keep.
pub(in crate::wa) fn news(
    device: DeviceNo,
    channel: Jid,
    inbound: &InboundMessage,
) -> Result<ChannelNews, String> {
    let info = &inbound.info;
    let id = info.id.to_string();
    if info.edit == EditAttribute::AdminRevoke {
        return Ok(ChannelNews::Deleted { channel, id });
    }
    let content = content(&inbound.message)?;
    let number = u64::try_from(info.server_id).ok().filter(|number| *number > 0);
    let at = ChannelPost::time(info.timestamp.timestamp(), number);
    let seen = Seen { device, channel, id, number, at };
    Ok(ChannelNews::Posted(Box::new(seen.post(content))))
}

struct Seen {
    device: DeviceNo,
    channel: Jid,
    id: String,
    number: Option<u64>,
    at: i64,
}

impl Seen {
    fn post(self, content: Content) -> ChannelPost {
        ChannelPost {
            device: self.device,
            channel: self.channel,
            id: self.id,
            number: self.number,
            from_me: false,
            content,
            at: self.at,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
        }
    }
}

fn role(word: &str) -> ChannelRole {
    match word.to_ascii_lowercase().as_str() {
        "owner" => ChannelRole::Owner,
        "admin" => ChannelRole::Admin,
        "subscriber" => ChannelRole::Follower,
        _ => ChannelRole::Guest,
    }
}

/// Who runs a channel mutes what its admins do, who follows it what it posts; the network tells only what concerns the account.
fn is_muted(viewer: &Value) -> bool {
    let settings = viewer["settings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_mute = |setting: &&Value| setting["type"].as_str().is_some_and(|kind| kind.starts_with("MUTE_"));
    settings.iter().filter(is_mute).any(|setting| setting["value"] == "ON")
}

/// Numbers come as numbers and as texts.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_channel_is_read_in_either_spelling() {
        let told = json!({
            "id": "120363000000000001@newsletter",
            "thread_metadata": {
                "name": {"text": "Kabar"}, "description": {"text": ""}, "subscribers_count": "12",
                "creation_time": 1700000000, "invite": "AbC", "verification": "VERIFIED",
            },
            "viewer_metadata": {"role": "SUBSCRIBER", "settings": [{"type": "MUTE_FOLLOWER_ACTIVITY", "value": "ON"}]},
        });
        let read = channel(&told).expect("a channel");
        assert_eq!((read.name.as_str(), read.description, read.followers), ("Kabar", None, 12));
        assert_eq!((read.role, read.muted, read.verified), (ChannelRole::Follower, true, true));
        assert_eq!((read.invite_code.as_deref(), read.created_at), (Some("AbC"), Some(1_700_000_000_000)));
        let bare = channel(&json!({"id": "120363000000000001@newsletter"})).expect("a channel");
        assert_eq!((bare.role, bare.muted, bare.invite_code), (ChannelRole::Guest, false, None));
        assert!(channel(&json!({"id": "120363000000000001@g.us"})).is_none());
        assert!(channel(&json!({})).is_none());
    }
}
