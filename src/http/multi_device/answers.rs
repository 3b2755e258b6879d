//! What sends answer, one message or several: sent, or accepted and still under way.

use super::recipient::shown;
use crate::clock::iso_ms;
use crate::error::{Code, Error};
use crate::gateway::{Sent, item_error};
use crate::http::reply::Outcome;
use crate::model::device::Device;
use crate::model::job::{Item, ItemState, Job};
use crate::words::Lang;
use schemars::JsonSchema;
use serde::Serialize;

/// Returns the answer of a message that was sent or is under way.
pub(super) fn sent(device: &Device, sent: &Sent) -> Outcome {
    sent_as(sent, Code::MessageSent, Code::MessageAccepted, SentView::new(device, sent))
}

/// Returns the answer of a message: `done` and 200 when WhatsApp has it, `accepted` and 202 while it is under way.
pub(super) fn sent_as(sent: &Sent, done: Code, accepted: Code, view: impl Serialize) -> Outcome {
    match sent.accepted {
        true => Outcome::ok(done, view),
        false => Outcome::accepted(accepted, view),
    }
}

/// Returns the answer of several messages of one request: `done` and 200 when all are settled, 202 when some are under way.
pub(super) fn bulk(job: &Job, items: &[Item], whom: Whom, done: Code, lang: Lang) -> Outcome {
    let view = BulkView::new(job, items, whom, lang);
    let (ok, failed) = (view.success_count, view.error_count);
    let outcome = match job.status.is_ended() {
        true => Outcome::ok(done, view),
        false => Outcome::accepted(Code::BulkAccepted, view),
    };
    outcome.with_arg("ok", ok).with_arg("failed", failed)
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

/// A message to a group that was sent or is under way.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct GroupSentView {
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
    /// Returns the view of a message that was sent or is under way.
    pub(super) fn new(device: &Device, sent: &Sent) -> Self {
        Self {
            device_id: device.id.to_string(),
            group_id: sent.to.to_string(),
            message_id: sent.message_id.clone(),
            timestamp: iso_ms(sent.at),
            status: sent.status(),
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
struct BulkView {
    total: u32,
    success_count: u32,
    error_count: u32,
    /// In the order of the request.
    results: Vec<ItemView>,
}

impl BulkView {
    fn new(job: &Job, items: &[Item], whom: Whom, lang: Lang) -> Self {
        let count =
            |wanted: fn(ItemState) -> bool| items.iter().filter(|item| wanted(item.state)).count() as u32;
        Self {
            total: job.total,
            success_count: count(|state| state == ItemState::Sent),
            error_count: count(|state| matches!(state, ItemState::Failed | ItemState::Cancelled)),
            results: items.iter().map(|item| ItemView::new(item, whom, lang)).collect(),
        }
    }
}

/// One entry of a bulk.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemView {
    /// The person it went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// The group it went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<String>,
    /// `success`, `error`, or `pending` while it is under way.
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
    /// Returns the view of an entry as it stands.
    pub(super) fn new(item: &Item, whom: Whom, lang: Lang) -> Self {
        let id = || Some(item.message_id.clone());
        let (status, message_id, error) = match item.state {
            ItemState::Sent => ("success", id(), None),
            ItemState::Pending => ("pending", id(), None),
            ItemState::Failed => ("error", None, Some(item_error(item.error.as_ref()))),
            ItemState::Cancelled => ("error", None, Some(Error::new(Code::SendCancelled))),
        };
        let sent_to = item.outgoing.as_ref().map(|outgoing| shown(&outgoing.to));
        let given = sent_to.unwrap_or_else(|| item.to.clone());
        let (to, group_id) = match whom {
            Whom::Person => (Some(given), None),
            Whom::Group => (None, Some(given)),
        };
        let timestamp = item.settled_at.filter(|_| item.state == ItemState::Sent).map(iso_ms);
        Self { to, group_id, status, message_id, timestamp, error: error.map(|error| error.text(lang)) }
    }
}
