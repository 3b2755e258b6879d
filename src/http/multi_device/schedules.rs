//! Scheduled messages (contract section 6); recurrence, pause, resume and edit are ours.

use super::recipient::{TextTo, shown};
use crate::clock::{iso_ms, local};
use crate::error::{Code, Result};
use crate::gateway::{Gateway, ScheduleEdit, ScheduleFilter, When, item_error};
use crate::http::paging::{Pagination, Paging};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, get, post, put};
use crate::model::device::Device;
use crate::model::message::{Outgoing, OutgoingContent, Text};
use crate::model::schedule::{Schedule, ScheduleStatus};
use crate::words::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/schedule-message", create)
            .summary("Sends a text at a time, or again and again with `cron`")
            .takes::<ScheduleBody>()
            .gives::<ScheduledView>(),
        get("/devices/:deviceId/scheduled-messages", list_of_device)
            .summary("Scheduled messages of a device, newest first")
            .query::<ListQuery>()
            .gives::<ScheduleList>(),
        get("/scheduled-messages", list)
            .summary("Scheduled messages of all devices that the caller may see, newest first")
            .query::<ListQuery>()
            .gives::<ScheduleList>(),
        get("/scheduled-messages/:messageId", show).summary("One scheduled message").gives::<ScheduleView>(),
        put("/scheduled-messages/:messageId", edit)
            .summary("Changes text, recipient or time of a scheduled message; what is absent stays")
            .takes::<ScheduleBody>()
            .gives::<ScheduleView>(),
        post("/scheduled-messages/:messageId/cancel", cancel)
            .summary("Cancels a scheduled message")
            .gives::<CancelledSchedule>(),
        post("/scheduled-messages/:messageId/pause", pause)
            .summary("Holds a scheduled message back")
            .gives::<ScheduleView>(),
        post("/scheduled-messages/:messageId/resume", resume)
            .summary("Lets a paused scheduled message go on; missed runs are not made up for")
            .gives::<ScheduleView>(),
    ]
}

async fn create(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let mut body: ScheduleBody = request.json().await?;
    let outgoing = body.text_to().outgoing(gateway.config().api.phone_rule)?;
    let written = body.schedule_time.clone();
    let schedule = gateway.schedule(request.caller(), &device, outgoing, body.when()).await?;
    let view = ScheduledView {
        scheduled_message_id: schedule.id.to_string(),
        schedule_time: written.unwrap_or_else(|| schedule.shown(schedule.at)),
        timezone: schedule.timezone.name(),
        delay_seconds: (schedule.at - schedule.created_at + 999) / 1000,
        cron: schedule.repeat.map(|repeat| repeat.cron),
        next_run_at: schedule.due.map(iso_ms),
    };
    Ok(Outcome::ok(Code::MessageScheduled, view))
}

async fn list_of_device(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    listed(gateway, request, Some(device)).await
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    listed(gateway, request, None).await
}

async fn listed(gateway: Gateway, request: Request, device: Option<Device>) -> Result<Outcome> {
    let query: ListQuery = request.query()?;
    let paging = Paging::new(query.page, query.limit, 20, 1..=100)?;
    let filter = ScheduleFilter { status: query.status };
    let (rows, pagination) = paging.cut(gateway.schedules(request.caller(), device, filter).await?);
    let view = |(schedule, device): &(Schedule, Device)| ScheduleView::new(schedule, device, request.lang());
    Ok(Outcome::data(ScheduleList { scheduled_messages: rows.iter().map(view).collect(), pagination }))
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (schedule, device) = gateway.find_schedule(request.caller(), request.param("messageId"))?;
    Ok(Outcome::data(ScheduleView::new(&schedule, &device, request.lang())))
}

async fn edit(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (now, _) = gateway.find_schedule(request.caller(), request.param("messageId"))?;
    let mut body: ScheduleBody = request.json().await?;
    let outgoing = body.changed(&now.outgoing, &gateway)?;
    let edit = ScheduleEdit { outgoing, when: body.when() };
    let changed = gateway.edit_schedule(request.caller(), request.param("messageId"), edit).await?;
    Ok(said(Code::ScheduleUpdated, &changed, &request))
}

async fn cancel(gateway: Gateway, request: Request) -> Result<Outcome> {
    let schedule = gateway.cancel_schedule(request.caller(), request.param("messageId")).await?;
    let view = CancelledSchedule {
        scheduled_message_id: schedule.id.to_string(),
        status: schedule.status,
        cancelled: true,
    };
    Ok(Outcome::ok(Code::ScheduleCancelled, view))
}

async fn pause(gateway: Gateway, request: Request) -> Result<Outcome> {
    let paused = gateway.pause_schedule(request.caller(), request.param("messageId")).await?;
    Ok(said(Code::SchedulePaused, &paused, &request))
}

async fn resume(gateway: Gateway, request: Request) -> Result<Outcome> {
    let resumed = gateway.resume_schedule(request.caller(), request.param("messageId")).await?;
    Ok(said(Code::ScheduleResumed, &resumed, &request))
}

fn said(code: Code, (schedule, device): &(Schedule, Device), request: &Request) -> Outcome {
    Outcome::ok(code, ScheduleView::new(schedule, device, request.lang()))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ScheduleBody {
    /// Number (`0…`, `62…`, `+62…`) or address (`…@s.whatsapp.net`, `…@lid`).
    to: Option<String>,
    /// Accepted in place of `to`.
    phone: Option<String>,
    /// 1 to 4096 characters.
    message: Option<String>,
    /// Whether the first link of the text is shown with a card of its page; absent means yes.
    link_preview: Option<bool>,
    /// `YYYY-MM-DD HH:mm:ss` in `timezone`, or ISO 8601 with an offset. With `cron` nothing runs before it.
    schedule_time: Option<String>,
    /// IANA name; absent means `Asia/Jakarta`.
    timezone: Option<String>,
    /// Crontab expression with five fields, or six with the second in front; absent means once.
    cron: Option<String>,
    /// With `cron`: nothing runs after it. Written like `scheduleTime`.
    until: Option<String>,
    /// With `cron`: number of runs, 1 to 100000.
    count: Option<u32>,
}

impl ScheduleBody {
    fn text_to(&mut self) -> TextTo {
        TextTo {
            to: self.to.take(),
            phone: self.phone.take(),
            message: self.message.take(),
            link_preview: self.link_preview,
        }
    }

    fn when(self) -> When {
        let Self { schedule_time: time, timezone, cron, until, count, .. } = self;
        When { time, timezone, cron, until, count }
    }

    /// Returns what is sent instead of `now`; none when nothing of it is named.
    fn changed(&mut self, now: &Outgoing, gateway: &Gateway) -> Result<Option<Outgoing>> {
        let given = self.text_to();
        let to = given.to.or(given.phone);
        if to.is_none() && given.message.is_none() && given.link_preview.is_none() {
            return Ok(None);
        }
        let rule = gateway.config().api.phone_rule;
        let to = to.map_or(Ok(now.to.clone()), |to| rule.recipient(&to))?;
        let content = match given.message {
            Some(message) => OutgoingContent::Text { text: Text::parse(&message)? },
            None => now.content.clone(),
        };
        let mut changed = Outgoing { to, content, ..now.clone() };
        if given.link_preview.is_some() {
            changed = changed.with_card(given.link_preview);
        }
        Ok(Some(changed))
    }
}

#[derive(Deserialize, JsonSchema)]
struct ListQuery {
    status: Option<ScheduleStatus>,
    /// From 1.
    page: Option<usize>,
    /// 1 to 100, default 20.
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ScheduledView {
    scheduled_message_id: String,
    /// As given; with `cron` alone the first run in its zone.
    schedule_time: String,
    timezone: &'static str,
    /// Seconds until the first run.
    delay_seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    /// ISO 8601, UTC.
    next_run_at: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ScheduleList {
    scheduled_messages: Vec<ScheduleView>,
    pagination: Pagination,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CancelledSchedule {
    scheduled_message_id: String,
    status: ScheduleStatus,
    cancelled: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ScheduleView {
    scheduled_message_id: String,
    device_id: String,
    to: String,
    /// The text or caption.
    message: Option<String>,
    /// The next run, or the last one, local in `timezone`.
    schedule_time: String,
    timezone: &'static str,
    status: ScheduleStatus,
    /// Why the last run failed.
    error_message: Option<String>,
    /// Local time in Asia/Jakarta.
    created_at: String,
    /// When WhatsApp accepted the last run, local time in Asia/Jakarta.
    sent_at: Option<String>,
    /// WhatsApp's id of the message of the last run.
    message_id: Option<String>,
    /// ISO 8601, UTC; null when nothing is to come.
    next_run_at: Option<String>,
    cron: Option<String>,
    /// Local in `timezone`.
    until: Option<String>,
    /// Number of runs after which it ends.
    count: Option<u32>,
    /// Runs that were made.
    runs: u32,
    /// Runs that failed.
    failed_runs: u32,
}

impl ScheduleView {
    fn new(schedule: &Schedule, device: &Device, lang: Lang) -> Self {
        let repeat = schedule.repeat.as_ref();
        Self {
            scheduled_message_id: schedule.id.to_string(),
            device_id: device.id.to_string(),
            to: shown(&schedule.outgoing.to),
            message: schedule.outgoing.content.stored().and_then(|content| content.text().map(str::to_owned)),
            schedule_time: schedule.shown(schedule.at),
            timezone: schedule.timezone.name(),
            status: schedule.status,
            error_message: schedule.error.as_ref().map(|error| item_error(Some(error)).text(lang)),
            created_at: local(schedule.created_at),
            sent_at: schedule.sent_at.map(local),
            message_id: schedule.message_id.clone(),
            next_run_at: schedule.due.map(iso_ms),
            cron: repeat.map(|repeat| repeat.cron.clone()),
            until: repeat.and_then(|repeat| repeat.until).map(|until| schedule.shown(until)),
            count: repeat.and_then(|repeat| repeat.count),
            runs: schedule.runs,
            failed_runs: schedule.failed,
        }
    }
}
