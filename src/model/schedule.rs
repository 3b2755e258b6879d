//! Schedules: a message at a time, once or again and again.

use crate::error::{Code, Error, Result};
use crate::model::id::{DeviceNo, JobId, ScheduleId, UserId};
use crate::model::job::ItemError;
use crate::model::message::Outgoing;
use crate::model::recurrence::Recurrence;
use crate::model::wall;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// The most runs that a recurring schedule may ask for.
pub const COUNT_MAX: u32 = 100_000;

/// The state of a schedule, in the words of the contract and one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleStatus {
    /// Waits for its time, or is being sent.
    Pending,
    /// Held back by a person.
    Paused,
    /// Ended: its last run was accepted by WhatsApp.
    Sent,
    /// Ended: its last run failed.
    Failed,
    /// Ended by a person.
    Cancelled,
}

impl ScheduleStatus {
    /// Returns the state as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            ScheduleStatus::Pending => "pending",
            ScheduleStatus::Paused => "paused",
            ScheduleStatus::Sent => "sent",
            ScheduleStatus::Failed => "failed",
            ScheduleStatus::Cancelled => "cancelled",
        }
    }

    /// Returns whether nothing will happen any more.
    pub fn is_ended(self) -> bool {
        !matches!(self, ScheduleStatus::Pending | ScheduleStatus::Paused)
    }
}

/// How a schedule comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repeat {
    /// The expression, see [`Recurrence`].
    pub cron: String,
    /// Milliseconds since 1970 after which there is no run.
    #[serde(default)]
    pub until: Option<i64>,
    /// Number of runs after which it ends.
    #[serde(default)]
    pub count: Option<u32>,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Name for clients.
    pub id: ScheduleId,
    /// The device that sends.
    pub device: DeviceNo,
    /// Who asked for it.
    pub user: UserId,
    /// What is sent, and to whom.
    pub outgoing: Outgoing,
    /// Milliseconds since 1970 of the run that is next, or was last.
    pub at: i64,
    /// As [`Schedule::at`] while it waits for that time; none while it is paused, and when there is no further run.
    pub due: Option<i64>,
    /// IANA name of the zone in which it was asked for.
    pub timezone: Tz,
    /// How it comes again; none happens once.
    #[serde(default)]
    pub repeat: Option<Repeat>,
    /// State.
    pub status: ScheduleStatus,
    /// The job of the run that is being sent.
    #[serde(default)]
    pub job: Option<JobId>,
    /// WhatsApp's id of the message of the last run.
    #[serde(default)]
    pub message_id: Option<String>,
    /// Why the last run failed.
    #[serde(default)]
    pub error: Option<ItemError>,
    /// Runs that were made.
    #[serde(default)]
    pub runs: u32,
    /// Runs that failed.
    #[serde(default)]
    pub failed: u32,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Milliseconds since 1970 of the last run that WhatsApp accepted.
    #[serde(default)]
    pub sent_at: Option<i64>,
}

/// What is to be done when the time of a schedule has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Send; the run was due at this time (milliseconds since 1970).
    Run(i64),
    /// Nothing: its time passed too long ago.
    Missed,
}

impl Schedule {
    /// Sets when it runs first: the first time of its recurrence from `from` on, or `from` itself.
    ///
    /// Refuses a time that is not after `now`, and a recurrence without a run.
    pub fn plan(&mut self, from: Option<i64>, now: i64) -> Result<()> {
        let at = match &self.repeat {
            None => from.ok_or_else(|| Error::required("scheduleTime"))?,
            Some(repeat) => {
                if repeat.count.is_some_and(|count| !(1..=COUNT_MAX).contains(&count)) {
                    return Err(Error::new(Code::ScheduleCountInvalid));
                }
                // A run at `from` itself counts.
                let from = from.map_or(now, |from| (from - 1).max(now));
                self.following(from)?.ok_or_else(|| Error::new(Code::ScheduleNeverRuns))?
            }
        };
        if at <= now {
            return Err(Error::new(Code::ScheduleTimePast));
        }
        (self.at, self.due) = (at, (self.status == ScheduleStatus::Pending).then_some(at));
        Ok(())
    }

    /// Takes the run that is due at `now` and moves on to the next one.
    ///
    /// A run that is late by up to `patience_ms` is made up for; of several the newest one. What is later is missed.
    pub fn take_due(&mut self, now: i64, patience_ms: i64) -> Result<Due> {
        let oldest = now.saturating_sub(patience_ms);
        let mut run = Some(self.at).filter(|at| *at >= oldest);
        let mut next = match self.repeat {
            None => None,
            Some(_) => self.following(run.unwrap_or(oldest - 1))?,
        };
        while let Some(at) = next.filter(|at| *at <= now) {
            run = Some(at);
            next = self.following(at)?;
        }
        self.runs += u32::from(run.is_some());
        if self.repeat.as_ref().is_some_and(|repeat| repeat.count.is_some_and(|count| self.runs >= count)) {
            next = None;
        }
        self.at = next.or(run).unwrap_or(self.at);
        self.due = next;
        Ok(run.map_or(Due::Missed, Due::Run))
    }

    /// Takes what came of a run into account; `error` is why it failed.
    pub fn run_ended(&mut self, job: Option<&JobId>, error: Option<ItemError>, now: i64) {
        match &error {
            None => self.sent_at = Some(now),
            Some(_) => self.failed += 1,
        }
        if self.job.as_ref() == job {
            self.job = None;
        }
        if self.status == ScheduleStatus::Pending && self.due.is_none() {
            self.status = if error.is_none() { ScheduleStatus::Sent } else { ScheduleStatus::Failed };
        }
        self.error = error;
    }

    /// Ends it.
    pub fn cancel(&mut self) -> Result<()> {
        self.require_open()?;
        (self.status, self.due) = (ScheduleStatus::Cancelled, None);
        Ok(())
    }

    /// Holds it back.
    pub fn pause(&mut self) -> Result<()> {
        self.require_open()?;
        if self.status == ScheduleStatus::Paused {
            return Err(Error::new(Code::ScheduleIsPaused));
        }
        if self.due.is_none() {
            return Err(Error::new(Code::ScheduleBeingSent));
        }
        (self.status, self.due) = (ScheduleStatus::Paused, None);
        Ok(())
    }

    /// Lets it go on. Refuses a single time that has passed while it was paused.
    pub fn resume(&mut self, now: i64) -> Result<()> {
        if self.status != ScheduleStatus::Paused {
            return Err(Error::new(Code::ScheduleNotPaused));
        }
        let mut resumed = Self { status: ScheduleStatus::Pending, ..self.clone() };
        resumed.plan(Some(self.at), now)?;
        *self = resumed;
        Ok(())
    }

    /// Refuses a schedule that has ended.
    pub fn require_open(&self) -> Result<()> {
        if self.status.is_ended() { Err(Error::new(Code::ScheduleEnded)) } else { Ok(()) }
    }

    /// Returns `at` on the clocks of its zone.
    pub fn shown(&self, at: i64) -> String {
        wall::shown(at, self.timezone)
    }

    fn following(&self, at: i64) -> Result<Option<i64>> {
        let Some(repeat) = &self.repeat else { return Ok(None) };
        let next = Recurrence::parse(&repeat.cron, self.timezone)?.next_after(at);
        Ok(next.filter(|next| repeat.until.is_none_or(|until| *next <= until)))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::model::message::Text;

    const MINUTE: i64 = 60_000;
    const PATIENCE: i64 = 15 * MINUTE;

    /// Returns a schedule that is due at `at`.
    pub fn schedule(at: i64, repeat: Option<Repeat>) -> Schedule {
        Schedule {
            id: ScheduleId::generate(at),
            device: DeviceNo(1),
            user: UserId(1),
            outgoing: Outgoing::text(
                "6281234567890@s.whatsapp.net".parse().expect("an address"),
                Text::parse("hello").expect("a text"),
            ),
            at,
            due: Some(at),
            timezone: Tz::UTC,
            repeat,
            status: ScheduleStatus::Pending,
            job: None,
            message_id: None,
            error: None,
            runs: 0,
            failed: 0,
            created_at: 0,
            sent_at: None,
        }
    }

    pub fn every_minute(count: Option<u32>, until: Option<i64>) -> Option<Repeat> {
        Some(Repeat { cron: "* * * * *".into(), until, count })
    }

    #[test]
    fn a_time_runs_once_and_not_when_it_is_too_late() {
        let mut once = schedule(MINUTE, None);
        assert_eq!(once.take_due(MINUTE + PATIENCE, PATIENCE).expect("taken"), Due::Run(MINUTE));
        assert_eq!((once.due, once.runs), (None, 1));
        once.run_ended(None, None, 7);
        assert_eq!((once.status, once.sent_at), (ScheduleStatus::Sent, Some(7)));
        let mut late = schedule(MINUTE, None);
        assert_eq!(late.take_due(MINUTE + PATIENCE + 1, PATIENCE).expect("taken"), Due::Missed);
        assert_eq!((late.due, late.runs), (None, 0));
    }

    #[test]
    fn of_several_late_runs_the_newest_is_made_up_for() {
        let mut often = schedule(MINUTE, every_minute(None, None));
        assert_eq!(often.take_due(5 * MINUTE + 10, PATIENCE).expect("taken"), Due::Run(5 * MINUTE));
        assert_eq!((often.due, often.runs), (Some(6 * MINUTE), 1));
        let mut hourly = schedule(0, Some(Repeat { cron: "@hourly".into(), until: None, count: None }));
        assert_eq!(hourly.take_due(100 * MINUTE, PATIENCE).expect("taken"), Due::Missed);
        assert_eq!(hourly.due, Some(120 * MINUTE));
    }

    #[test]
    fn a_recurrence_ends_by_count_or_by_date_with_what_came_of_its_last_run() {
        let mut counted = schedule(MINUTE, every_minute(Some(2), None));
        counted.take_due(MINUTE, PATIENCE).expect("taken");
        counted.run_ended(None, None, MINUTE);
        assert_eq!((counted.status, counted.due), (ScheduleStatus::Pending, Some(2 * MINUTE)));
        counted.take_due(2 * MINUTE, PATIENCE).expect("taken");
        counted.run_ended(None, Some(ItemError { code: "send_failed".into(), network: None }), 2 * MINUTE);
        assert_eq!((counted.status, counted.runs, counted.failed), (ScheduleStatus::Failed, 2, 1));
        let mut dated = schedule(MINUTE, every_minute(None, Some(2 * MINUTE)));
        dated.take_due(2 * MINUTE, PATIENCE).expect("taken");
        assert_eq!(dated.due, None);
        assert_eq!(dated.plan(None, 3 * MINUTE).expect_err("over").code(), Code::ScheduleNeverRuns);
    }

    #[test]
    fn pausing_skips_runs_and_refuses_a_time_that_has_passed() {
        let mut often = schedule(MINUTE, every_minute(None, None));
        often.pause().expect("paused");
        assert_eq!((often.due, often.pause().expect_err("paused").code()), (None, Code::ScheduleIsPaused));
        often.resume(10 * MINUTE).expect("resumed");
        assert_eq!(often.due, Some(11 * MINUTE));
        let mut once = schedule(MINUTE, None);
        once.pause().expect("paused");
        assert_eq!(once.resume(2 * MINUTE).expect_err("passed").code(), Code::ScheduleTimePast);
        once.plan(Some(3 * MINUTE), 2 * MINUTE).expect("planned anew");
        once.resume(2 * MINUTE).expect("resumed");
        once.cancel().expect("cancelled");
        assert_eq!(once.cancel().expect_err("ended").code(), Code::ScheduleEnded);
    }

    #[test]
    fn a_recurrence_begins_at_the_time_it_was_given() {
        let mut often = schedule(0, every_minute(None, None));
        often.plan(Some(5 * MINUTE), MINUTE).expect("planned");
        assert_eq!(often.due, Some(5 * MINUTE));
        often.plan(None, MINUTE).expect("planned");
        assert_eq!(often.due, Some(2 * MINUTE));
        assert_eq!(schedule(0, None).plan(Some(5), 5).expect_err("passed").code(), Code::ScheduleTimePast);
        let mut zero = schedule(0, every_minute(Some(0), None));
        assert_eq!(zero.plan(None, 0).expect_err("no run").code(), Code::ScheduleCountInvalid);
    }
}
