//! Jobs: bulk sending that outlives its request (contract section 8).

use super::answers::{ItemView, Whom};
use super::delay::Delay;
use super::messages::idempotency_key;
use super::recipient::TextTo;
use crate::clock::local;
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, JOB_MAX, JobFilter, JobPlan};
use crate::http::paging::{Pagination, Paging};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, get, post, put};
use crate::http::view::Progress;
use crate::model::device::Device;
use crate::model::job::{ItemState, Job, JobKind, JobStatus, Priority};
use crate::model::wall;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest body of a job, in bytes, as documented: 10,000 texts of 2,500 bytes each. Longer ones belong into several jobs.
const JOB_BODY_MAX: usize = 25 << 20;

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/jobs/send-text", create_text)
            .body_max(JOB_BODY_MAX)
            .summary("Stores up to 10,000 texts and sends them one after the other")
            .takes::<TextJobBody>()
            .gives::<CreatedJob>()
            .status(202),
        get("/jobs", list).summary("Jobs, newest first").query::<ListQuery>().gives::<JobList>(),
        get("/jobs/:jobId", show).summary("One job with what came of its entries").gives::<JobView>(),
        post("/jobs/:jobId/cancel", cancel)
            .summary("Cancels a job; the entry that is being sent is finished first")
            .gives::<CancelledJob>(),
        post("/jobs/:jobId/pause", pause)
            .summary("Holds a job back; the entry that is being sent is finished first")
            .gives::<ChangedJob>(),
        post("/jobs/:jobId/resume", resume).summary("Lets a paused job go on").gives::<ChangedJob>(),
        post("/jobs/:jobId/retry", retry)
            .summary("Sends the entries of an ended job again that were not sent, under their message ids")
            .gives::<RetriedJob>(),
        put("/jobs/:jobId", change)
            .summary("Changes which of the device's jobs goes first")
            .takes::<ChangeBody>()
            .gives::<ChangedJob>(),
    ]
}

async fn create_text(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    gateway.require_may_bulk(request.caller())?;
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let key = idempotency_key(&request)?;
    let body: TextJobBody = request.json().await?;
    let messages = body.messages.filter(|messages| !messages.is_empty());
    let messages = messages.ok_or_else(|| Error::new(Code::BulkEmpty))?;
    if messages.len() > JOB_MAX {
        return Err(Error::new(Code::JobTooLarge).with("max", JOB_MAX));
    }
    let rule = gateway.config().api.phone_rule;
    let entries = messages.into_iter().map(|message| message.entry(rule)).collect::<Result<_>>()?;
    let zone = wall::zone(body.timezone.as_deref())?;
    let start_at = body.schedule_time.map(|text| wall::point("scheduleTime", &text, zone)).transpose()?;
    let pacing = gateway.pacing(body.delay.map(|delay| delay.0))?;
    let plan = JobPlan { pacing, priority: body.priority.unwrap_or_default(), start_at };
    let job = gateway.create_text_job(request.caller(), &device, entries, plan, key).await?;
    Ok(Outcome::accepted(Code::JobCreated, CreatedJob::from(&job)))
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let query: ListQuery = request.query()?;
    let paging = Paging::new(query.page, query.limit, 20, 1..=100)?;
    let filter = JobFilter { status: query.status, kind: query.r#type, device: query.device_id };
    let (rows, total) = gateway.jobs(request.caller(), filter, paging.skip(), paging.limit()).await?;
    let pagination = paging.of(total);
    let jobs = rows.iter().map(|(job, device)| JobView::new(job, device)).collect();
    Ok(Outcome::data(JobList { jobs, pagination }))
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (job, items, device) = gateway.job(request.caller(), request.param("jobId")).await?;
    let whom = match job.kind {
        JobKind::SendMediaBulkGroup => Whom::Group,
        _ => Whom::Person,
    };
    let handled = items.iter().filter(|item| matches!(item.state, ItemState::Sent | ItemState::Failed));
    let results = handled.map(|item| ItemView::new(item, whom, request.lang())).collect();
    Ok(Outcome::data(JobView { results: Some(results), ..JobView::new(&job, &device) }))
}

async fn cancel(gateway: Gateway, request: Request) -> Result<Outcome> {
    let job = gateway.cancel_job(request.caller(), request.param("jobId")).await?;
    let view = CancelledJob { id: job.id.to_string(), status: job.status, cancelled: true };
    Ok(Outcome::ok(Code::JobCancelled, view))
}

async fn pause(gateway: Gateway, request: Request) -> Result<Outcome> {
    let job = gateway.pause_job(request.caller(), request.param("jobId")).await?;
    Ok(Outcome::ok(Code::JobPaused, ChangedJob::from(&job)))
}

async fn resume(gateway: Gateway, request: Request) -> Result<Outcome> {
    let job = gateway.resume_job(request.caller(), request.param("jobId")).await?;
    Ok(Outcome::ok(Code::JobResumed, ChangedJob::from(&job)))
}

async fn retry(gateway: Gateway, request: Request) -> Result<Outcome> {
    let job = gateway.retry_job(request.caller(), request.param("jobId")).await?;
    let view = RetriedJob { id: job.id.to_string(), status: job.status, retry_count: job.retries };
    Ok(Outcome::ok(Code::JobRetried, view))
}

async fn change(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    gateway.require_may_steer(request.caller(), request.param("jobId"))?;
    let body: ChangeBody = request.json().await?;
    let priority = body.priority.ok_or_else(|| Error::required("priority"))?;
    let job = gateway.prioritise_job(request.caller(), request.param("jobId"), priority).await?;
    Ok(Outcome::ok(Code::JobUpdated, ChangedJob::from(&job)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TextJobBody {
    /// 1 to 10,000 texts.
    messages: Option<Vec<TextTo>>,
    /// Seconds between texts, 0 to 3600; absent means random 2 to 5.
    delay: Option<Delay>,
    /// Which of the device's jobs goes first: `high`, `normal` (default) or `low`.
    priority: Option<Priority>,
    /// When to start: `YYYY-MM-DD HH:mm:ss` in `timezone`, or ISO 8601 with an offset; absent means at once.
    schedule_time: Option<String>,
    /// IANA name; absent means `Asia/Jakarta`.
    timezone: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct ChangeBody {
    /// `high`, `normal` or `low`.
    priority: Option<Priority>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    status: Option<JobStatus>,
    r#type: Option<String>,
    device_id: Option<String>,
    /// From 1.
    page: Option<usize>,
    /// 1 to 100, default 20.
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedJob {
    job_id: String,
    status: JobStatus,
    /// The given pause in seconds; null when random.
    delay_sec: Option<f64>,
    total: u32,
}

impl From<&Job> for CreatedJob {
    fn from(job: &Job) -> Self {
        Self {
            job_id: job.id.to_string(),
            status: JobStatus::Queued,
            delay_sec: job.pacing.seconds(),
            total: job.total,
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct JobList {
    jobs: Vec<JobView>,
    pagination: Pagination,
}

#[derive(Serialize, JsonSchema)]
struct CancelledJob {
    id: String,
    status: JobStatus,
    cancelled: bool,
}

#[derive(Serialize, JsonSchema)]
struct ChangedJob {
    id: String,
    status: JobStatus,
    priority: Priority,
}

impl From<&Job> for ChangedJob {
    fn from(job: &Job) -> Self {
        Self { id: job.id.to_string(), status: job.status, priority: job.priority }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RetriedJob {
    id: String,
    status: JobStatus,
    /// How often entries were sent again.
    retry_count: u32,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct JobView {
    id: String,
    job_id: String,
    r#type: &'static str,
    device_id: String,
    status: JobStatus,
    priority: Priority,
    /// How often entries without success were sent again.
    retry_count: u32,
    /// When it starts or was to start, local time in Asia/Jakarta; null when it started at once.
    scheduled_at: Option<String>,
    /// Local time in Asia/Jakarta.
    created_at: String,
    /// Local time in Asia/Jakarta.
    started_at: Option<String>,
    /// Local time in Asia/Jakarta.
    finished_at: Option<String>,
    progress: Progress,
    /// What came of the entries that were handled; not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    results: Option<Vec<ItemView>>,
    options: JobOptions,
}

impl JobView {
    fn new(job: &Job, device: &Device) -> Self {
        Self {
            id: job.id.to_string(),
            job_id: job.id.to_string(),
            r#type: job.kind.as_str(),
            device_id: device.id.to_string(),
            status: job.status,
            priority: job.priority,
            retry_count: job.retries,
            scheduled_at: job.start_at.map(local),
            created_at: local(job.created_at),
            started_at: job.started_at.map(local),
            finished_at: job.finished_at.map(local),
            progress: Progress::new(job.total, job.succeeded, job.failed),
            results: None,
            options: JobOptions { delay_sec: job.pacing.seconds() },
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct JobOptions {
    /// The given pause in seconds; null when random.
    delay_sec: Option<f64>,
}
