//! Texts to groups, with and without mentions.

use super::{PEOPLE_BODY_MAX, people, subject};
use crate::error::{Code, Error, Result};
use crate::gateway::{BULK_MAX, Entry, Gateway};
use crate::http::multi_device::answers::{self, GroupSentView, Whom};
use crate::http::multi_device::delay::Delay;
use crate::http::multi_device::messages::idempotency_key;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, post};
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::model::message::{Outgoing, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// Largest body of a send, in bytes: 100 texts of full length, each character written as a JSON escape.
const BULK_BODY_MAX: usize = 5 << 20;

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/send-group-message", send)
            .summary("Sends a text to a group, or to up to 100 with `items`; answers when WhatsApp has accepted them")
            .body_max(BULK_BODY_MAX)
            .takes::<SendBody>()
            .gives::<GroupSentView>(),
        post("/devices/:deviceId/groups/:groupId/mention-message", mention)
            .summary("Sends a text that speaks of people; `{m1}`, `{mention[0]}` and `{mentions}` are filled")
            .body_max(PEOPLE_BODY_MAX)
            .takes::<MentionBody>()
            .gives::<GroupSentView>(),
    ]
}

async fn send(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: SendBody = request.json().await?;
    match body.items {
        Some(items) => send_bulk(gateway, request, device, items, body.delay).await,
        None => {
            let SendBody { group_id, message, link_preview, .. } = body;
            let single = TextToGroup { group_id, message, link_preview };
            let outgoing = single.entry()?.outgoing?;
            send_one(gateway, request, device, outgoing, Code::GroupMessageSent).await
        }
    }
}

async fn mention(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let body: MentionBody = request.json().await?;
    let text = body.message.filter(|text| !text.trim().is_empty());
    let text = Text::parse(&text.ok_or_else(|| Error::new(Code::GroupTextRequired))?)?;
    let people = people(&gateway, &body.mentions.unwrap_or_default())?;
    let outgoing = gateway.mention(&device, group, &text, people)?;
    send_one(gateway, request, device, outgoing, Code::GroupMentionSent).await
}

async fn send_one(
    gateway: Gateway,
    request: Request,
    device: Device,
    outgoing: Outgoing,
    code: Code,
) -> Result<Outcome> {
    let key = idempotency_key(&request)?;
    let sent = gateway.send(request.caller(), &device, outgoing, key).await?;
    Ok(answers::sent_as(&sent, code, Code::MessageAccepted, GroupSentView::new(&device, &sent)))
}

async fn send_bulk(
    gateway: Gateway,
    mut request: Request,
    device: Device,
    items: Vec<TextToGroup>,
    delay: Option<Delay>,
) -> Result<Outcome> {
    if items.is_empty() {
        return Err(Error::new(Code::GroupItemsEmpty));
    }
    if items.len() > BULK_MAX {
        return Err(Error::new(Code::GroupItemsTooMany).with("max", BULK_MAX));
    }
    let key = idempotency_key(&request)?;
    let entries = items.into_iter().map(TextToGroup::entry).collect::<Result<_>>()?;
    let pacing = gateway.pacing(delay.map(|delay| delay.0))?;
    request.give_place_back();
    let (job, items) = gateway.send_bulk(request.caller(), &device, entries, pacing, key).await?;
    Ok(answers::bulk(&job, &items, Whom::Group, Code::GroupBulkSent, request.lang()))
}

/// One text to one group.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TextToGroup {
    /// Address of the group, or its digits.
    group_id: Option<String>,
    /// 1 to 4096 characters.
    message: Option<String>,
    /// Whether the first link of the text is shown with a card of its page; absent means yes.
    link_preview: Option<bool>,
}

impl TextToGroup {
    /// Returns an entry of a bulk: a missing field or an over-long text is an error, a malformed address fails the entry.
    fn entry(self) -> Result<Entry> {
        let filled = |field: Option<String>| field.filter(|text| !text.trim().is_empty());
        let missing = || Error::new(Code::GroupAndTextRequired);
        let to = filled(self.group_id).ok_or_else(missing)?;
        let text = Text::parse(&filled(self.message).ok_or_else(missing)?)?;
        let outgoing = Jid::group(&to).map(|group| Outgoing::text(group, text).with_card(self.link_preview));
        Ok(Entry { to, outgoing })
    }
}

/// The fields of [`TextToGroup`] stand here once more: serde forgets the name of a wrong field when it flattens.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SendBody {
    /// Address of the group, or its digits.
    group_id: Option<String>,
    /// 1 to 4096 characters.
    message: Option<String>,
    /// Whether the first link of the text is shown with a card of its page; absent means yes.
    link_preview: Option<bool>,
    /// Up to 100 texts; chosen when present.
    items: Option<Vec<TextToGroup>>,
    /// Seconds between texts, 0 to 3600; absent means random 2 to 5.
    delay: Option<Delay>,
}

#[derive(Deserialize, JsonSchema)]
struct MentionBody {
    /// 1 to 4096 characters; `{m1}`, `{mention1}`, `{mention[0]}` and `{mentions}` are filled.
    message: Option<String>,
    /// Numbers or addresses, at least one; all of them are told, whether the text names them or not.
    mentions: Option<Vec<String>>,
}
