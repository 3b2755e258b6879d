//! Media jobs: bulk sending of files that outlives its request (contract section 8).

use super::body::{Input, MediaBody};
use super::items::{self, Audience};
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, JOB_MAX, JobPlan, MediaEntries};
use crate::http::multi_device::jobs::CreatedJob;
use crate::http::multi_device::messages::idempotency_key;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, post};
use crate::model::jid::Jid;
use crate::model::job::JobKind;
use crate::model::wall;

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/jobs/send-media", to_people)
            .summary("Stores up to 10,000 files and sends them one after the other")
            .body_max(super::BODY_MAX)
            .takes::<MediaBody<'static>>()
            .gives::<CreatedJob>()
            .status(202),
        post("/devices/:deviceId/groups/:groupId/jobs/send-media", to_groups)
            .access(Access::Admin)
            .summary("Stores up to 10,000 files for groups and sends them one after the other")
            .body_max(super::BODY_MAX)
            .takes::<MediaBody<'static>>()
            .gives::<CreatedJob>()
            .status(202),
    ]
}

async fn to_people(gateway: Gateway, request: Request) -> Result<Outcome> {
    let rule = gateway.config().api.phone_rule;
    let kind = JobKind::SendMediaBulkContact;
    create(gateway, request, kind, Code::MediaJobCreated, |_| Ok(Audience::People(rule))).await
}

async fn to_groups(gateway: Gateway, request: Request) -> Result<Outcome> {
    let group = request.param("groupId").to_owned();
    let audience = |body: &MediaBody<'_>| Ok(Audience::groups(Jid::group(&group)?, body));
    create(gateway, request, JobKind::SendMediaBulkGroup, Code::MediaGroupJobCreated, audience).await
}

async fn create(
    gateway: Gateway,
    mut request: Request,
    kind: JobKind,
    code: Code,
    audience: impl FnOnce(&MediaBody<'_>) -> Result<Audience>,
) -> Result<Outcome> {
    gateway.require_may_bulk(request.caller())?;
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let input = Input::read(&gateway, &mut request).await?;
    let mut body = input.body()?;
    let given = body.items.take().filter(|items| !items.is_empty());
    let given = given.ok_or_else(|| Error::new(Code::MediaItemsEmpty))?;
    if given.len() > JOB_MAX {
        return Err(Error::new(Code::MediaJobTooLarge).with("max", JOB_MAX));
    }
    let plan = plan(&gateway, &body)?;
    let entries = items::entries(&gateway, given, &input.uploads, &audience(&body)?).await?;
    let MediaEntries { entries, pins } = gateway.media_entries(entries).await?;
    let key = idempotency_key(&request)?;
    let job = gateway.create_job(request.caller(), &device, kind, entries, plan, key).await?;
    drop(pins);
    Ok(Outcome::accepted(code, CreatedJob::from(&job)))
}

fn plan(gateway: &Gateway, body: &MediaBody<'_>) -> Result<JobPlan> {
    let zone = wall::zone(body.timezone.as_deref())?;
    let start_at = body.schedule_time.as_ref().map(|text| wall::point("scheduleTime", text, zone));
    let pacing = gateway.pacing(body.delay.map(|delay| delay.0))?;
    Ok(JobPlan { pacing, priority: body.priority.unwrap_or_default(), start_at: start_at.transpose()? })
}
