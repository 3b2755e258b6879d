//! Jobs: everything that sends. A job holds items; each item owns its WhatsApp message id from the start.

use crate::error::{Code, Error, Result};
use crate::model::id::{DeviceNo, JobId, ScheduleId, UserId};
use crate::model::message::Outgoing;
use serde::{Deserialize, Serialize};

/// What kind of sending a job is; decides its id, its place in the queue and whether clients see it in lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobKind {
    /// One message of one request; goes ahead of bulk and is not delayed.
    SendSingle,
    /// Several messages inside one request.
    SendBulk,
    /// A text job of the job routes.
    SendTextBulk,
    /// One run of a schedule; goes ahead of bulk, so that it leaves at its second.
    SendScheduled,
    /// A media job to people.
    SendMediaBulkContact,
    /// A media job to groups.
    SendMediaBulkGroup,
}

impl JobKind {
    /// Returns the kind as it stands in ids and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            JobKind::SendSingle => "send-single",
            JobKind::SendBulk => "send-bulk",
            JobKind::SendTextBulk => "send-text-bulk",
            JobKind::SendScheduled => "send-scheduled",
            JobKind::SendMediaBulkContact => "send-media-bulk-contact",
            JobKind::SendMediaBulkGroup => "send-media-bulk-group",
        }
    }

    /// Returns whether the job shows in job lists and obeys what is done with jobs. Requests that wait for their answer do
    /// not, nor do the runs of schedules, which show in their schedule.
    pub fn is_listed(self) -> bool {
        !matches!(self, JobKind::SendSingle | JobKind::SendBulk | JobKind::SendScheduled)
    }

    /// Returns whether its message shares the lane's pipeline and goes ahead of every bulk.
    pub fn is_single(self) -> bool {
        matches!(self, JobKind::SendSingle | JobKind::SendScheduled)
    }
}

/// Which of a device's bulk jobs goes first. Among equals the older one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Ahead of the others, also of those that have begun.
    High,
    /// In the order of their making.
    #[default]
    Normal,
    /// When nothing else waits.
    Low,
}

impl Priority {
    /// Returns the lane's class; the lower one goes first, 0 is for single messages.
    fn class(self) -> u8 {
        match self {
            Priority::High => 1,
            Priority::Normal => 2,
            Priority::Low => 3,
        }
    }
}

/// The state of a job, in the words of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// Waits for its first item's turn.
    Queued,
    /// At least one item was tried.
    Processing,
    /// Held back by a person; the item in flight was finished first.
    Paused,
    /// Ended with at least one success.
    Completed,
    /// Ended without a success.
    Failed,
    /// Stopped by a person; the item in flight was finished first.
    Cancelled,
}

impl JobStatus {
    /// Returns the state as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            JobStatus::Queued => "queued",
            JobStatus::Processing => "processing",
            JobStatus::Paused => "paused",
            JobStatus::Completed => "completed",
            JobStatus::Failed => "failed",
            JobStatus::Cancelled => "cancelled",
        }
    }

    /// Returns whether nothing will change any more.
    pub fn is_ended(self) -> bool {
        matches!(self, JobStatus::Completed | JobStatus::Failed | JobStatus::Cancelled)
    }
}

/// The longest pause between two items.
pub const DELAY_MAX_S: f64 = 3600.0;

/// How long a lane waits between two items of a job.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Pacing {
    /// A fresh random 2 to 5 seconds for every gap.
    #[default]
    Random,
    /// The same pause for every gap.
    Every {
        /// Milliseconds.
        ms: u64,
    },
}

impl Pacing {
    /// Reads `delay` in seconds; none means random.
    pub fn from_seconds(delay_s: Option<f64>) -> Result<Self> {
        match delay_s {
            None => Ok(Self::Random),
            Some(s) if s.is_finite() && (0.0..=DELAY_MAX_S).contains(&s) => {
                Ok(Self::Every { ms: (s * 1000.0).round() as u64 })
            }
            Some(_) => Err(Error::new(Code::DelayInvalid)),
        }
    }

    /// Returns the pause before the next item, in milliseconds.
    pub fn gap_ms(self) -> u64 {
        match self {
            Pacing::Random => rand::RngExt::random_range(&mut rand::rng(), 2_000..=5_000),
            Pacing::Every { ms } => ms,
        }
    }

    /// Returns the given pause in seconds; none when random.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Pacing::Random => None,
            Pacing::Every { ms } => Some(ms as f64 / 1000.0),
        }
    }
}

/// A job with its counters; items are rows of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Name for clients.
    pub id: JobId,
    /// Kind.
    pub kind: JobKind,
    /// The device that sends.
    pub device: DeviceNo,
    /// Who asked for it.
    pub user: UserId,
    /// State.
    pub status: JobStatus,
    /// Pause between items.
    pub pacing: Pacing,
    /// Number of items.
    pub total: u32,
    /// Items that WhatsApp accepted.
    pub succeeded: u32,
    /// Items that were given up.
    pub failed: u32,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970 of the first attempt.
    #[serde(default)]
    pub started_at: Option<i64>,
    /// Milliseconds since 1970 of the end.
    #[serde(default)]
    pub finished_at: Option<i64>,
    /// Milliseconds since 1970 before which the next item must not start; survives restarts.
    #[serde(default)]
    pub next_at: i64,
    /// Which job of the device goes first.
    #[serde(default)]
    pub priority: Priority,
    /// Milliseconds since 1970 before which it must not start; none starts at once.
    #[serde(default)]
    pub start_at: Option<i64>,
    /// Milliseconds since 1970 after which what still waits is given up; none leaves it to the queue's patience.
    #[serde(default)]
    pub deadline: Option<i64>,
    /// How often its entries without success were sent again.
    #[serde(default)]
    pub retries: u32,
    /// The schedule whose run it is.
    #[serde(default)]
    pub schedule: Option<ScheduleId>,
}

impl Job {
    /// Returns a job of `total` items that waits for its turn.
    pub fn new(kind: JobKind, device: DeviceNo, user: UserId, pacing: Pacing, total: u32, now: i64) -> Self {
        Self {
            id: JobId::generate(kind.as_str(), now),
            kind,
            device,
            user,
            status: JobStatus::Queued,
            pacing,
            total,
            succeeded: 0,
            failed: 0,
            created_at: now,
            started_at: None,
            finished_at: None,
            next_at: 0,
            priority: Priority::Normal,
            start_at: None,
            deadline: None,
            retries: 0,
            schedule: None,
        }
    }

    /// Returns its class in the device's lane; the lower one goes first.
    pub fn class(&self) -> u8 {
        if self.kind.is_single() { 0 } else { self.priority.class() }
    }

    /// Returns whether its start is still to come.
    pub fn starts_later(&self, now: i64) -> bool {
        self.start_at.is_some_and(|at| at > now)
    }

    /// Holds it back. Refuses a job that is neither queued nor processing.
    pub fn pause(&mut self) -> Result<()> {
        match self.status {
            JobStatus::Queued | JobStatus::Processing => self.status = JobStatus::Paused,
            JobStatus::Paused => return Err(Error::new(Code::JobIsPaused)),
            _ => return Err(Error::new(Code::JobEnded)),
        }
        Ok(())
    }

    /// Lets it go on. Refuses a job that is not paused.
    pub fn resume(&mut self) -> Result<()> {
        self.status = match (self.status, self.started_at) {
            (JobStatus::Paused, Some(_)) => JobStatus::Processing,
            (JobStatus::Paused, None) => JobStatus::Queued,
            _ => return Err(Error::new(Code::JobNotPaused)),
        };
        Ok(())
    }

    /// Returns the number of items that are settled.
    pub fn handled(&self) -> u32 {
        self.succeeded + self.failed
    }

    /// Counts one settled item and moves the state on.
    pub fn count(&mut self, success: bool, now: i64) {
        if success {
            self.succeeded += 1
        } else {
            self.failed += 1
        }
        self.started_at.get_or_insert(now);
        if self.status == JobStatus::Queued {
            self.status = JobStatus::Processing;
        }
        self.next_at = now + self.pacing.gap_ms() as i64;
        self.end_when_handled(now);
    }

    /// Ends it when every item is settled.
    pub fn end_when_handled(&mut self, now: i64) {
        if self.handled() >= self.total && !self.status.is_ended() {
            self.status = if self.succeeded > 0 { JobStatus::Completed } else { JobStatus::Failed };
            self.finished_at = Some(now);
        }
    }
}

/// The state of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemState {
    /// Waits in the queue, or is being sent by the lane that holds its lease.
    Pending,
    /// Accepted by WhatsApp.
    Sent,
    /// Given up.
    Failed,
    /// Its job was cancelled before its turn.
    Cancelled,
}

/// One message of a job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Position in the job, from 0.
    pub index: u32,
    /// Recipient as the client wrote it; shown again when it was not a valid number.
    pub to: String,
    /// What to send; none when the entry was malformed and failed at once, or when it was sent and may not be kept.
    pub outgoing: Option<Outgoing>,
    /// WhatsApp's message id, the same through every attempt.
    pub message_id: String,
    /// State.
    pub state: ItemState,
    /// Why it failed, as the name of a code of the catalogue.
    #[serde(default)]
    pub error: Option<ItemError>,
    /// How often it was handed to WhatsApp without an answer.
    #[serde(default)]
    pub attempts: u32,
    /// Milliseconds since 1970 of the network's acceptance or of the giving up.
    #[serde(default)]
    pub settled_at: Option<i64>,
    /// Its place in the lane while it waits: when it is due (milliseconds since 1970) and its number in line.
    #[serde(default)]
    pub place: Option<(i64, u64)>,
}

/// Why an item, or its message, failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct ItemError {
    /// Name of a code of the catalogue, such as `phone_invalid`.
    pub code: String,
    /// The network's number, when it gave one.
    pub network: Option<i32>,
}

/// How an [`ItemError`] may stand in a row.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    /// In messages of before the number was kept.
    Name(String),
    Whole {
        code: String,
        #[serde(default)]
        network: Option<i32>,
    },
}

impl From<Written> for ItemError {
    fn from(written: Written) -> Self {
        match written {
            Written::Name(code) => Self { code, network: None },
            Written::Whole { code, network } => Self { code, network },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(total: u32) -> Job {
        Job::new(JobKind::SendTextBulk, DeviceNo(1), UserId(1), Pacing::Every { ms: 0 }, total, 0)
    }

    #[test]
    fn a_job_ends_completed_when_one_item_succeeded() {
        let mut job = job(2);
        job.count(false, 5);
        assert_eq!((job.status, job.started_at), (JobStatus::Processing, Some(5)));
        job.count(true, 9);
        assert_eq!((job.status, job.finished_at), (JobStatus::Completed, Some(9)));
    }

    #[test]
    fn a_job_without_success_has_failed_and_a_cancelled_one_stays_so() {
        let mut failed = job(1);
        failed.count(false, 5);
        assert_eq!(failed.status, JobStatus::Failed);
        let mut cancelled = job(1);
        cancelled.status = JobStatus::Cancelled;
        cancelled.count(true, 5);
        assert_eq!(cancelled.status, JobStatus::Cancelled);
    }

    #[test]
    fn a_paused_job_goes_on_where_it_stood_and_ends_when_its_last_item_lands() {
        let mut job = job(2);
        job.pause().expect("queued jobs pause");
        assert_eq!(job.pause().expect_err("paused already").code(), Code::JobIsPaused);
        job.resume().expect("resumed");
        assert_eq!(job.status, JobStatus::Queued);
        assert_eq!(job.resume().expect_err("not paused").code(), Code::JobNotPaused);
        job.count(true, 5);
        job.pause().expect("processing jobs pause");
        job.resume().expect("resumed");
        assert_eq!(job.status, JobStatus::Processing);
        job.pause().expect("paused");
        job.count(false, 6);
        assert_eq!(job.status, JobStatus::Completed);
        assert_eq!(job.pause().expect_err("ended").code(), Code::JobEnded);
    }

    #[test]
    fn single_messages_go_first_and_bulk_goes_by_priority() {
        let class = |kind, priority| Job { kind, priority, ..job(1) }.class();
        let order = [
            class(JobKind::SendScheduled, Priority::Low),
            class(JobKind::SendTextBulk, Priority::High),
            class(JobKind::SendBulk, Priority::Normal),
            class(JobKind::SendTextBulk, Priority::Low),
        ];
        assert!(order.is_sorted() && order[0] == class(JobKind::SendSingle, Priority::Normal));
    }

    #[test]
    fn a_delay_is_a_number_of_seconds_up_to_an_hour() {
        assert_eq!(Pacing::from_seconds(None).expect("random"), Pacing::Random);
        assert_eq!(Pacing::from_seconds(Some(1.5)).expect("fits").gap_ms(), 1500);
        assert!((2_000..=5_000).contains(&Pacing::Random.gap_ms()));
        for bad in [-1.0, 3600.1, f64::NAN, f64::INFINITY] {
            assert!(Pacing::from_seconds(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reason_is_read_with_and_without_its_number() {
        for (text, network) in [
            ("\"send_refused\"", None),
            ("{\"code\":\"send_refused\"}", None),
            ("{\"code\":\"send_refused\",\"network\":403}", Some(403)),
        ] {
            let error: ItemError = serde_json::from_str(text).expect("a reason");
            assert_eq!(error, ItemError { code: "send_refused".into(), network });
        }
    }
}
