//! Sending files: one, several inside the request, or as a job; to people and to groups (contract sections 6, 8 and 9).

mod body;
mod items;
mod jobs;
mod status;

use super::messages::{BulkView, SentView, Whom, idempotency_key};
use crate::clock::iso_ms;
use crate::error::{Code, Error, Result};
use crate::gateway::{BULK_MAX, Gateway, MediaEntries, MediaEntry, Sent};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, post};
use crate::model::device::Device;
use crate::model::jid::Jid;
use body::{Input, MediaBody};
use items::{Audience, Defaults};
use schemars::JsonSchema;
use serde::Serialize;

/// Largest body of a send, in bytes: two files of full size as base64, or four in a form. Base64 is held in memory while
/// it is decoded, so more belongs into several requests or behind addresses.
const BODY_MAX: usize = 48 << 20;

pub fn routes() -> Vec<Route> {
    let own = vec![
        post("/devices/:deviceId/send-media", send)
            .summary("Sends a file, or up to 100 with `items`; as a form, as base64 or from an address")
            .body_max(BODY_MAX)
            .takes::<MediaBody<'static>>()
            .gives::<SentView>(),
        post("/devices/:deviceId/groups/:groupId/send-media", send_to_group)
            .access(Access::Admin)
            .summary("Sends a file to a group, or up to 100 to groups with `items`")
            .body_max(BODY_MAX)
            .takes::<MediaBody<'static>>()
            .gives::<GroupSentView>(),
    ];
    own.into_iter().chain(jobs::routes()).chain(status::routes()).collect()
}

async fn send(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let input = Input::read(&gateway, &mut request).await?;
    let mut body = input.body()?;
    if let Some(items) = body.items.take() {
        let audience = Audience::People(gateway.config().api.phone_rule);
        let entries = bulk(&gateway, items, &input, &audience).await?;
        return send_bulk(gateway, request, device, entries, &body, Whom::Person).await;
    }
    let item = body.single();
    let to = gateway.config().api.phone_rule.recipient(item.recipient()?)?;
    let draft = items::draft(&gateway, &item, &input.uploads, None, &Defaults::default()).await?;
    let key = idempotency_key(&request)?;
    let sent = gateway.send_media(request.caller(), &device, to, draft, key).await?;
    Ok(answer(&sent, Code::MediaSent, SentView::new(&device, &sent)))
}

async fn send_to_group(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let group = Jid::group(request.param("groupId"))?;
    let input = Input::read(&gateway, &mut request).await?;
    let mut body = input.body()?;
    if let Some(items) = body.items.take() {
        let audience = Audience::groups(group, &body);
        let entries = bulk(&gateway, items, &input, &audience).await?;
        return send_bulk(gateway, request, device, entries, &body, Whom::Group).await;
    }
    let item = body.single();
    let draft = items::draft(&gateway, &item, &input.uploads, None, &Defaults::default()).await?;
    let key = idempotency_key(&request)?;
    let sent = gateway.send_media_to_group(request.caller(), &device, group, draft, key).await?;
    Ok(answer(&sent, Code::MediaSentToGroup, GroupSentView::new(&device, &sent)))
}

fn answer(sent: &Sent, code: Code, view: impl Serialize) -> Outcome {
    match sent.accepted {
        true => Outcome::ok(code, view),
        false => Outcome::accepted(Code::MediaAccepted, view),
    }
}

async fn bulk(
    gateway: &Gateway,
    given: Vec<body::ItemBody<'_>>,
    input: &Input,
    audience: &Audience,
) -> Result<Vec<MediaEntry>> {
    if given.is_empty() {
        return Err(Error::new(Code::MediaItemsEmpty));
    }
    if given.len() > BULK_MAX {
        return Err(Error::new(Code::MediaItemsTooMany).with("max", BULK_MAX));
    }
    items::entries(gateway, given, &input.uploads, audience).await
}

async fn send_bulk(
    gateway: Gateway,
    request: Request,
    device: Device,
    entries: Vec<MediaEntry>,
    body: &MediaBody<'_>,
    whom: Whom,
) -> Result<Outcome> {
    let pacing = gateway.pacing(body.delay.map(|delay| delay.0))?;
    let key = idempotency_key(&request)?;
    let MediaEntries { entries, pins } = gateway.media_entries(entries).await?;
    let (job, items) = match whom {
        Whom::Group => gateway.send_to_groups(request.caller(), &device, entries, pacing, key).await?,
        Whom::Person => gateway.send_bulk(request.caller(), &device, entries, pacing, key).await?,
    };
    drop(pins);
    let code = match whom {
        Whom::Group => Code::MediaGroupBulkSent,
        Whom::Person => Code::MediaBulkSent,
    };
    let view = BulkView::new(&job, &items, whom, request.lang());
    Ok(Outcome::ok(code, view).with_arg("ok", job.succeeded).with_arg("failed", job.failed))
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GroupSentView {
    device_id: String,
    group_id: String,
    /// WhatsApp's message id.
    message_id: String,
    /// ISO 8601, UTC.
    timestamp: String,
    /// `sent`, or `pending` when WhatsApp has not answered yet: the message is stored and will be sent.
    status: &'static str,
}

impl GroupSentView {
    fn new(device: &Device, sent: &Sent) -> Self {
        Self {
            device_id: device.id.to_string(),
            group_id: sent.to.to_string(),
            message_id: sent.message_id.clone(),
            timestamp: iso_ms(sent.at),
            status: sent.status(),
        }
    }
}
