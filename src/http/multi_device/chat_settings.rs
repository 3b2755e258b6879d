//! What the owner of an account sets for a chat: archive, pin, mute (ours, in the style of the family).

use super::answers::{self, SentView};
use super::chats::chat_of;
use super::messages::idempotency_key;
use crate::error::{Code, Error, Result};
use crate::gateway::Gateway;
use crate::http::message_view::muted_until;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, put};
use crate::model::chat::{ChatChange, ChatSettings};
use chrono::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub fn routes() -> Vec<Route> {
    vec![
        put("/devices/:deviceId/chats/:jid/settings", set)
            .summary("Archives, pins or mutes a chat on all devices of the account; what is absent stays")
            .takes::<SettingsBody>()
            .gives::<SettingsView>(),
        put("/devices/:deviceId/chats/:jid/timer", set_timer)
            .summary("Sets when messages of a conversation disappear, for both sides")
            .takes::<TimerBody>()
            .gives::<SentView>(),
    ]
}

async fn set(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let chat = chat_of(&request)?;
    let body: SettingsBody = request.json().await?;
    let settings = gateway.set_chat(&device, &chat, &body.changes()?).await?;
    Ok(Outcome::ok(Code::ChatUpdated, SettingsView::from(&settings)))
}

async fn set_timer(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let chat = gateway.person(device.no, &chat_of(&request)?)?;
    let body: TimerBody = request.json().await?;
    let key = idempotency_key(&request)?;
    let sent = gateway.set_timer(request.caller(), &device, chat, body.expires_in_seconds, key).await?;
    Ok(answers::sent(&device, &sent))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TimerBody {
    /// 0 (messages stay), 86400, 604800 or 7776000.
    expires_in_seconds: u32,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SettingsBody {
    /// Put away from the list of the phone.
    archived: Option<bool>,
    /// Kept on top of the list of the phone.
    pinned: Option<bool>,
    /// Nothing is to be heard of it.
    muted: Option<bool>,
    /// ISO 8601: until when; absent means until it is taken back.
    muted_until: Option<String>,
}

impl SettingsBody {
    fn changes(&self) -> Result<Vec<ChatChange>> {
        let until = match &self.muted_until {
            None => i64::MAX,
            Some(text) => DateTime::parse_from_rfc3339(text)
                .map_err(|_| Error::invalid("mutedUntil", "expected ISO 8601 such as 2030-01-31T08:00:00Z"))?
                .timestamp_millis(),
        };
        let muted = self.muted.or(self.muted_until.as_ref().map(|_| true));
        let changes = [
            self.archived.map(|on| ChatChange::Archived { on }),
            self.pinned.map(|on| ChatChange::Pinned { on }),
            muted.map(|on| ChatChange::Muted { until: on.then_some(until) }),
        ];
        Ok(changes.into_iter().flatten().collect())
    }
}

/// What is set for a chat.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettingsView {
    archived: bool,
    pinned: bool,
    muted: bool,
    /// ISO 8601, UTC; null while it has no end.
    muted_until: Option<String>,
    /// Seconds after which messages disappear; 0 when they stay. Groups tell it with their settings.
    expires_in_seconds: u32,
}

impl From<&ChatSettings> for SettingsView {
    fn from(settings: &ChatSettings) -> Self {
        Self {
            archived: settings.archived,
            pinned: settings.pinned,
            muted: settings.muted_until.is_some(),
            muted_until: muted_until(settings.muted_until),
            expires_in_seconds: settings.timer_s,
        }
    }
}
