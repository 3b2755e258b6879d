//! Channels: places where one side posts and everybody who follows reads. Their posts stand in no chat and are counted nowhere.

use crate::model::id::{DeviceNo, JobId};
use crate::model::jid::Jid;
use crate::model::job::ItemError;
use crate::model::message::{Content, MessageStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest name, in Unicode code points.
pub const NAME_MAX_CHARS: usize = 100;
/// The longest description, in Unicode code points.
pub const DESCRIPTION_MAX_CHARS: usize = 2048;

/// A channel as an account sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Its address.
    pub jid: Jid,
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default)]
    pub description: Option<String>,
    /// How many follow it.
    pub followers: u64,
    /// What the account is to it.
    pub role: ChannelRole,
    /// Whether the account does not want to be told of new posts.
    pub muted: bool,
    /// Whether WhatsApp vouches for who runs it.
    pub verified: bool,
    /// What stands behind `https://whatsapp.com/channel/` in its link.
    #[serde(default)]
    pub invite_code: Option<String>,
    /// Milliseconds since 1970 of its making.
    #[serde(default)]
    pub created_at: Option<i64>,
}

/// What an account is to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelRole {
    /// Made it.
    Owner,
    /// Posts in it.
    Admin,
    /// Follows it.
    Follower,
    /// None of these.
    Guest,
}

impl ChannelRole {
    /// Returns whether the account posts in the channel.
    pub fn may_post(self) -> bool {
        matches!(self, ChannelRole::Owner | ChannelRole::Admin)
    }
}

/// A post of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelPost {
    /// Device that sent or received it.
    pub device: DeviceNo,
    /// The channel.
    pub channel: Jid,
    /// WhatsApp's message id.
    pub id: String,
    /// Its number in the channel, once WhatsApp has told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Whether the account runs the channel, so that it speaks for it.
    pub from_me: bool,
    /// What is in it.
    pub content: Content,
    /// Milliseconds since 1970.
    pub at: i64,
    /// How far it came: `Pending`, `Failed` or `Sent` of what Kurir posts, `Delivered` of everything else.
    pub status: MessageStatus,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ItemError>,
    /// The job that sent it, when Kurir did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
}

impl ChannelPost {
    /// Returns when the post with this number was made, in milliseconds since 1970. WhatsApp tells seconds, and numbers rise:
    /// they order what was posted within one second.
    pub fn time(at_s: i64, number: Option<u64>) -> i64 {
        let within = number.map_or(0, |number| i64::try_from(number % 1000).unwrap_or(0));
        at_s.saturating_mul(1000).saturating_add(within)
    }
}
