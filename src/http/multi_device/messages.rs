//! Sending to people inside the request (contract section 6).

use super::answers::{self, SentView, Whom};
use super::delay::Delay;
use super::recipient::TextTo;
use crate::error::{Code, Error, Result};
use crate::gateway::{BULK_MAX, Gateway, IdempotencyKey};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, post};
use crate::model::device::Device;
use schemars::JsonSchema;
use serde::Deserialize;

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
    Ok(answers::sent(&device, &sent))
}

async fn send_bulk(
    gateway: Gateway,
    mut request: Request,
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
    request.give_place_back();
    let (job, items) = gateway.send_bulk(request.caller(), &device, entries, pacing, key).await?;
    Ok(answers::bulk(&job, &items, Whom::Person, Code::BulkSent, request.lang()))
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
