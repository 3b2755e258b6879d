//! Sending to people inside the request (contract section 6).

use super::delay::Delay;
use super::recipient::{TextTo, shown};
use crate::clock::iso_ms;
use crate::error::{Code, Error, Result};
use crate::gateway::{BULK_MAX, Gateway, IdempotencyKey, Sent, item_error};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, post};
use crate::model::device::Device;
use crate::model::job::{Item, ItemState, Job};
use crate::words::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest body of a send, in bytes: 100 texts of full length, each character written as a JSON escape.
const BULK_BODY_MAX: usize = 5 << 20;

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/send-message", send)
            .summary("Sends one text, or up to 100 with `messages`; answers when WhatsApp has accepted them")
            .body_max(BULK_BODY_MAX)
            .takes::<SendBody>()
            .gives::<SentView>(),
    ]
}

async fn send(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let key = idempotency_key(&request)?;
    let body: SendBody = request.json().await?;
    match body.messages {
        Some(messages) => send_bulk(gateway, request, device, messages, body.delay, key).await,
        None => {
            let single = TextTo {
                to: body.to,
                phone: body.phone,
                message: body.message,
                link_preview: body.link_preview,
            };
            send_single(gateway, request, device, single, key).await
        }
    }
}

async fn send_single(
    gateway: Gateway,
    request: Request,
    device: Device,
    single: TextTo,
    key: Option<IdempotencyKey>,
) -> Result<Outcome> {
    let outgoing = single.outgoing(gateway.config().api.phone_rule)?;
    let sent = gateway.send(request.caller(), &device, outgoing, key).await?;
    let view = SentView::new(&device, &sent);
    match sent.accepted {
        true => Ok(Outcome::ok(Code::MessageSent, view)),
        false => Ok(Outcome::accepted(Code::MessageAccepted, view)),
    }
}

async fn send_bulk(
    gateway: Gateway,
    request: Request,
    device: Device,
    messages: Vec<TextTo>,
    delay: Option<Delay>,
    key: Option<IdempotencyKey>,
) -> Result<Outcome> {
    if messages.is_empty() {
        return Err(Error::new(Code::BulkEmpty));
    }
    if messages.len() > BULK_MAX {
        return Err(Error::new(Code::BulkTooLarge).with("max", BULK_MAX));
    }
    let rule = gateway.config().api.phone_rule;
    let entries = messages.into_iter().map(|message| message.entry(rule)).collect::<Result<_>>()?;
    let pacing = gateway.pacing(delay.map(|delay| delay.0))?;
    let (job, items) = gateway.send_bulk(request.caller(), &device, entries, pacing, key).await?;
    let view = BulkView::new(&job, &items, Whom::Person, request.lang());
    Ok(Outcome::ok(Code::BulkSent, view).with_arg("ok", job.succeeded).with_arg("failed", job.failed))
}

/// Returns the `Idempotency-Key` of a send, if it has one.
pub(super) fn idempotency_key(request: &Request) -> Result<Option<IdempotencyKey>> {
    request.header("idempotency-key").map(IdempotencyKey::parse).transpose()
}

/// The fields of [`TextTo`] stand here once more: serde forgets the name of a wrong field when it flattens.
#[derive(Deserialize, JsonSchema)]
struct SendBody {
    /// Number (`0…`, `62…`, `+62…`) or address (`…@s.whatsapp.net`, `…@lid`).
    to: Option<String>,
    /// Accepted in place of `to`.
    phone: Option<String>,
    /// 1 to 4096 characters.
    message: Option<String>,
    /// Whether the first link of the text is shown with a card of its page; absent means yes.
    #[serde(rename = "linkPreview")]
    link_preview: Option<bool>,
    /// Up to 100 texts; chosen when present.
    messages: Option<Vec<TextTo>>,
    /// Seconds between texts, 0 to 3600; absent means random 2 to 5.
    delay: Option<Delay>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SentView {
    device_id: String,
    /// WhatsApp's message id.
    message_id: String,
    /// ISO 8601, UTC.
    timestamp: String,
    to: String,
    /// `sent`, or `pending` when WhatsApp has not answered yet: the message is stored and will be sent.
    status: &'static str,
}

impl SentView {
    /// Returns the view of a message that was sent or is under way.
    pub(super) fn new(device: &Device, sent: &Sent) -> Self {
        Self {
            device_id: device.id.to_string(),
            to: shown(&sent.to),
            timestamp: iso_ms(sent.at),
            status: sent.status(),
            message_id: sent.message_id.clone(),
        }
    }
}

/// Under which name results show to whom they went.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom {
    /// `to`
    Person,
    /// `groupId`
    Group,
}

/// What came of a bulk.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BulkView {
    total: u32,
    success_count: u32,
    error_count: u32,
    results: Vec<ItemView>,
}

impl BulkView {
    /// Returns the view of a bulk that has ended.
    pub(super) fn new(job: &Job, items: &[Item], whom: Whom, lang: Lang) -> Self {
        Self {
            total: job.total,
            success_count: job.succeeded,
            error_count: job.failed,
            results: items.iter().filter_map(|item| ItemView::new(item, whom, lang)).collect(),
        }
    }
}

/// One entry of a bulk that was handled.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemView {
    /// The person it went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The group it went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    /// `success` or `error`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// ISO 8601, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl ItemView {
    /// Returns the view of an item that is settled; none while it waits or when it was cancelled.
    pub(super) fn new(item: &Item, whom: Whom, lang: Lang) -> Option<Self> {
        let (message_id, timestamp, error) = match item.state {
            ItemState::Sent => (Some(item.message_id.clone()), item.settled_at.map(iso_ms), None),
            ItemState::Failed => (None, None, Some(item_error(item.error.as_ref()).text(lang))),
            ItemState::Pending | ItemState::Cancelled => return None,
        };
        let status = if error.is_none() { "success" } else { "error" };
        let sent_to = item.outgoing.as_ref().map(|outgoing| shown(&outgoing.to));
        let given = sent_to.unwrap_or_else(|| item.to.clone());
        let (to, group_id) = match whom {
            Whom::Person => (Some(given), None),
            Whom::Group => (None, Some(given)),
        };
        Some(Self { to, group_id, status, message_id, timestamp, error })
    }
}
