//! Schedules: make, list, change, cancel. The loop of `work/schedule.rs` turns what is due into jobs.

use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::id::{DeviceNo, JobId, ScheduleId};
use crate::model::message::Outgoing;
use crate::model::recurrence::Recurrence;
use crate::model::schedule::{Repeat, Schedule, ScheduleStatus};
use crate::model::wall;
use crate::store::{Tables, devices, schedules};
use chrono_tz::Tz;
use std::collections::HashMap;

/// When something is to be sent, as clients write it.
#[derive(Debug, Clone, Default)]
pub struct When {
    /// `YYYY-MM-DD HH:mm:ss` in the zone, or ISO 8601 with an offset. With `cron` the time before which nothing runs.
    pub time: Option<String>,
    /// IANA name; Asia/Jakarta when absent.
    pub timezone: Option<String>,
    /// Cron expression; absent means once.
    pub cron: Option<String>,
    /// The time after which nothing runs, written like `time`.
    pub until: Option<String>,
    /// Number of runs.
    pub count: Option<u32>,
}

/// Changes of a schedule; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ScheduleEdit {
    /// What is sent and to whom.
    pub outgoing: Option<Outgoing>,
    /// When. Absent parts stay as they are.
    pub when: When,
}

/// What a list of schedules asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct ScheduleFilter {
    /// Only this state.
    pub status: Option<ScheduleStatus>,
}

impl Gateway {
    /// Stores a schedule. Refuses a time that has passed and a recurrence that never runs.
    pub async fn schedule(
        &self,
        caller: &Caller,
        device: &Device,
        outgoing: Outgoing,
        when: When,
    ) -> Result<Schedule> {
        let now = self.clock().now();
        let timezone = wall::zone(when.timezone.as_deref())?;
        let mut schedule = Schedule {
            id: ScheduleId::generate(now),
            device: device.no,
            user: caller.user,
            outgoing,
            at: now,
            due: None,
            timezone,
            repeat: when.repeat(timezone, None)?,
            status: ScheduleStatus::Pending,
            job: None,
            message_id: None,
            error: None,
            runs: 0,
            failed: 0,
            created_at: now,
            sent_at: None,
        };
        schedule.plan(when.start(timezone)?, now)?;
        let stored = schedule.clone();
        self.store().write(move |t| schedules::insert(t, &stored)).await?;
        self.alarms().ring();
        Ok(schedule)
    }

    /// Returns the schedules of a device, or of all devices that the caller may see, newest first.
    pub async fn schedules(
        &self,
        caller: &Caller,
        device: Option<Device>,
        filter: ScheduleFilter,
    ) -> Result<Vec<(Schedule, Device)>> {
        let visible: HashMap<DeviceNo, Device> = match device {
            Some(device) => HashMap::from([(device.no, device)]),
            None => self.devices(caller)?.into_iter().map(|device| (device.no, device)).collect(),
        };
        let wanted = move |schedule: &Schedule| filter.status.is_none_or(|status| schedule.status == status);
        self.store()
            .scan(move |view| {
                let mut found = Vec::new();
                for device in visible.values() {
                    let of = schedules::of(view, device.no, wanted)?;
                    found.extend(of.into_iter().map(|schedule| (schedule, device.clone())));
                }
                found.sort_by(|one, other| {
                    (other.0.created_at, &other.0.id).cmp(&(one.0.created_at, &one.0.id))
                });
                Ok(found)
            })
            .await
    }

    /// Returns a schedule and its device; 404 before 403.
    pub fn find_schedule(&self, caller: &Caller, id: &str) -> Result<(Schedule, Device)> {
        let view = self.store().view()?;
        let unknown = || Error::new(Code::ScheduleNotFound);
        let schedule = schedules::get(&view, id)?.ok_or_else(unknown)?;
        let device = devices::by_no(&view, schedule.device)?.ok_or_else(unknown)?;
        caller.require_device(&device)?;
        Ok((schedule, device))
    }

    /// Cancels a schedule with the run that waits for its device. Refuses while a run is being sent.
    pub async fn cancel_schedule(&self, caller: &Caller, id: &str) -> Result<Schedule> {
        let (schedule, _) = self.find_schedule(caller, id)?;
        let (withheld, now) = (self.queue().withhold(), self.clock().now());
        let held = withheld.clone();
        let in_flight = move |job: &JobId| held.is_in_flight(job, 0);
        let cancelled =
            self.store().write(move |t| schedules::cancel(t, &schedule.id, now, &in_flight)).await;
        drop(withheld);
        cancelled
    }

    /// Holds a schedule back.
    pub async fn pause_schedule(&self, caller: &Caller, id: &str) -> Result<(Schedule, Device)> {
        self.change_schedule(caller, id, |schedule, _| schedule.pause()).await
    }

    /// Lets a paused schedule go on; runs that passed meanwhile are not made up for.
    pub async fn resume_schedule(&self, caller: &Caller, id: &str) -> Result<(Schedule, Device)> {
        self.change_schedule(caller, id, |schedule, now| schedule.resume(now)).await
    }

    /// Changes text, recipient or time of a schedule that is still to come.
    pub async fn edit_schedule(
        &self,
        caller: &Caller,
        id: &str,
        edit: ScheduleEdit,
    ) -> Result<(Schedule, Device)> {
        self.change_schedule(caller, id, move |schedule, now| apply(schedule, &edit, now)).await
    }

    async fn change_schedule<F>(&self, caller: &Caller, id: &str, change: F) -> Result<(Schedule, Device)>
    where
        F: Fn(&mut Schedule, i64) -> Result<()> + Send + 'static,
    {
        let (schedule, device) = self.find_schedule(caller, id)?;
        let now = self.clock().now();
        let change = move |t: &mut Tables<'_>| {
            schedules::update(t, &schedule.id, now, |schedule| change(schedule, now))
        };
        let schedule = self.store().write(change).await?;
        self.alarms().ring();
        Ok((schedule, device))
    }
}

impl When {
    fn start(&self, zone: Tz) -> Result<Option<i64>> {
        self.time.as_deref().map(|text| wall::point("scheduleTime", text, zone)).transpose()
    }

    /// Returns the recurrence that is asked for; parts that are not named stay as `before` has them.
    fn repeat(&self, zone: Tz, before: Option<&Repeat>) -> Result<Option<Repeat>> {
        let cron = self.cron.as_deref().or(before.map(|repeat| repeat.cron.as_str()));
        let Some(cron) = cron else { return Ok(None) };
        Recurrence::parse(cron, zone)?;
        let until = self.until.as_deref().map(|text| wall::point("until", text, zone)).transpose()?;
        Ok(Some(Repeat {
            cron: cron.trim().to_owned(),
            until: until.or(before.and_then(|repeat| repeat.until)),
            count: self.count.or(before.and_then(|repeat| repeat.count)),
        }))
    }

    fn is_empty(&self) -> bool {
        let Self { time, timezone, cron, until, count } = self;
        time.is_none() && timezone.is_none() && cron.is_none() && until.is_none() && count.is_none()
    }
}

fn apply(schedule: &mut Schedule, edit: &ScheduleEdit, now: i64) -> Result<()> {
    schedule.require_open()?;
    let is_sending = schedule.repeat.is_none() && schedule.job.is_some();
    if is_sending {
        return Err(Error::new(Code::ScheduleBeingSent));
    }
    if let Some(outgoing) = &edit.outgoing {
        schedule.outgoing = outgoing.clone();
    }
    if edit.when.is_empty() {
        return Ok(());
    }
    let given = edit.when.timezone.as_deref().map(|name| wall::zone(Some(name))).transpose()?;
    let before = schedule.timezone;
    schedule.timezone = given.unwrap_or(before);
    schedule.repeat = edit.when.repeat(schedule.timezone, schedule.repeat.as_ref())?;
    let start = match edit.when.start(schedule.timezone)? {
        Some(start) => Some(start),
        // The same time on the clocks of another zone is another moment.
        None if schedule.repeat.is_none() => {
            let shown = wall::shown(schedule.at, before);
            Some(wall::point("scheduleTime", &shown, schedule.timezone)?)
        }
        None => None,
    };
    schedule.plan(start, now)
}
