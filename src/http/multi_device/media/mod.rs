//! Sending files: one, several inside the request, or as a job; to people and to groups (contract sections 6, 8 and 9).

mod body;
mod items;
mod jobs;
mod status;

use super::answers::{self, GroupSentView, SentView, Whom};
use super::messages::idempotency_key;
use crate::error::{Code, Error, Result};
use crate::gateway::{BULK_MAX, Caller, Gateway, IdempotencyKey, MediaDraft, MediaEntries, MediaEntry};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, post};
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::model::job::{Item, Job, Pacing};
use body::{Input, MediaBody};
use items::{Audience, Defaults};

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
    let rule = gateway.config().api.phone_rule;
    match wanted(&gateway, &mut request, |_| Audience::People(rule)).await? {
        Wanted::Many(entries, pacing) => {
            let key = idempotency_key(&request)?;
            let (job, items) = send_bulk(&gateway, request.caller(), &device, entries, pacing, key).await?;
            Ok(answers::bulk(&job, &items, Whom::Person, Code::MediaBulkSent, request.lang()))
        }
        Wanted::One(to, draft) => {
            let key = idempotency_key(&request)?;
            let sent = gateway.send_media(request.caller(), &device, to, draft, key).await?;
            let view = SentView::new(&device, &sent);
            Ok(answers::sent_as(&sent, Code::MediaSent, Code::MediaAccepted, view))
        }
    }
}

async fn send_to_group(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let group = Jid::group(request.param("groupId"))?;
    match wanted(&gateway, &mut request, |body| Audience::groups(group, body)).await? {
        Wanted::Many(entries, pacing) => {
            let key = idempotency_key(&request)?;
            let (job, items) = send_bulk(&gateway, request.caller(), &device, entries, pacing, key).await?;
            Ok(answers::bulk(&job, &items, Whom::Group, Code::MediaGroupBulkSent, request.lang()))
        }
        Wanted::One(to, draft) => {
            let key = idempotency_key(&request)?;
            let sent = gateway.send_media(request.caller(), &device, to, draft, key).await?;
            let view = GroupSentView::new(&device, &sent);
            Ok(answers::sent_as(&sent, Code::MediaSentToGroup, Code::MediaAccepted, view))
        }
    }
}

/// What a request asks for.
enum Wanted {
    /// One file to one recipient.
    One(Jid, MediaDraft),
    /// Several files with a pause between them.
    Many(Vec<MediaEntry>, Pacing),
}

/// Reads what is asked for. The body is not in memory any more when it returns: what follows may take minutes.
async fn wanted(
    gateway: &Gateway,
    request: &mut Request,
    audience: impl FnOnce(&MediaBody<'_>) -> Audience,
) -> Result<Wanted> {
    let wanted = {
        let input = Input::read(gateway, request).await?;
        let mut body = input.body()?;
        let audience = audience(&body);
        match body.items.take() {
            Some(items) => {
                let entries = bulk(gateway, items, &input, &audience).await?;
                Wanted::Many(entries, gateway.pacing(body.delay.map(|delay| delay.0))?)
            }
            None => {
                let item = body.single();
                let to = audience.of(&item)?.1?;
                let draft = items::draft(gateway, &item, &input.uploads, None, &Defaults::default()).await?;
                Wanted::One(to, draft)
            }
        }
    };
    request.give_place_back();
    Ok(wanted)
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
    gateway: &Gateway,
    caller: &Caller,
    device: &Device,
    entries: Vec<MediaEntry>,
    pacing: Pacing,
    key: Option<IdempotencyKey>,
) -> Result<(Job, Vec<Item>)> {
    let MediaEntries { entries, pins } = gateway.media_entries(entries).await?;
    let sent = gateway.send_bulk(caller, device, entries, pacing, key).await;
    drop(pins);
    sent
}
