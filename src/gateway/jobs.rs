//! Jobs: create, list, look at, cancel, pause, resume, retry, prefer.

use super::messages::{Entry, IdempotencyKey, asked, once_key};
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::id::{DeviceNo, JobId};
use crate::model::job::{Item, Job, JobKind, JobStatus, Pacing, Priority};
use crate::store::{Tables, devices, jobs};
use std::collections::HashMap;

/// Items of one job.
pub const JOB_MAX: usize = 10_000;

/// When and how fast a job is to be sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct JobPlan {
    /// Pause between items.
    pub pacing: Pacing,
    /// Which job of the device goes first.
    pub priority: Priority,
    /// Milliseconds since 1970 before which it must not start; none starts at once.
    pub start_at: Option<i64>,
}

/// What a job list asks for.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only this state.
    pub status: Option<JobStatus>,
    /// Only this kind, as it stands in ids.
    pub kind: Option<String>,
    /// Only this device, by the name that clients use.
    pub device: Option<String>,
}

impl JobFilter {
    fn fits(&self, device: &Device) -> bool {
        self.device.as_deref().is_none_or(|wanted| device.id.as_str() == wanted)
    }
}

impl Gateway {
    /// Stores a text job and returns it; the device's lane sends it when its turn comes. Refuses a start that has passed.
    pub async fn create_text_job(
        &self,
        caller: &Caller,
        device: &Device,
        entries: Vec<Entry>,
        plan: JobPlan,
        key: Option<IdempotencyKey>,
    ) -> Result<Job> {
        self.create_job(caller, device, JobKind::SendTextBulk, entries, plan, key).await
    }

    /// Refuses people who may not make and steer jobs here.
    pub fn require_may_bulk(&self, caller: &Caller) -> Result<()> {
        if self.config().api.bulk_admin_only { caller.require_admin() } else { Ok(()) }
    }

    /// Stores a job of this kind and returns it; the device's lane sends it when its turn comes. Refuses a start that has
    /// passed.
    pub async fn create_job(
        &self,
        caller: &Caller,
        device: &Device,
        kind: JobKind,
        entries: Vec<Entry>,
        plan: JobPlan,
        key: Option<IdempotencyKey>,
    ) -> Result<Job> {
        self.require_may_bulk(caller)?;
        let question = (asked(&entries), plan.priority, plan.start_at);
        let once = once_key(caller, device, "job", key.as_ref(), &question)?;
        if self.known(once.as_ref())?.is_none() && plan.start_at.is_some_and(|at| at <= self.clock().now()) {
            return Err(Error::new(Code::ScheduleTimePast));
        }
        let (mut job, items) = self.new_job(caller, device, kind, plan.pacing, entries);
        (job.priority, job.start_at) = (plan.priority, plan.start_at);
        let (id, _) = self.submit(job, items, once).await?;
        self.alarms().ring();
        jobs::get(&self.store().view()?, id.as_str())?.ok_or_else(|| Error::new(Code::JobNotFound))
    }

    /// Returns the job, its items and its device. Jobs of requests are not shown.
    pub async fn job(&self, caller: &Caller, id: &str) -> Result<(Job, Vec<Item>, Device)> {
        let (_, device) = self.find_job(caller, id)?;
        let (job, items) = self.job_with_items(&JobId(id.to_owned())).await?;
        Ok((job, items, device))
    }

    /// Returns up to `limit` of the jobs that the caller may see, newest first, without the first `skip`, each with its device;
    /// and how many there are.
    pub async fn jobs(
        &self,
        caller: &Caller,
        filter: JobFilter,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<(Job, Device)>, usize)> {
        let visible: HashMap<DeviceNo, Device> =
            self.devices(caller)?.into_iter().map(|d| (d.no, d)).collect();
        let found = self.store().scan(move |view| {
            let wanted = |job: &jobs::Glance| {
                filter.status.is_none_or(|status| job.status == status)
                    && filter.kind.as_deref().is_none_or(|kind| job.kind.as_str() == kind)
                    && visible.get(&job.device).is_some_and(|device| filter.fits(device))
            };
            let (page, total) = jobs::listed(view, wanted, skip, limit)?;
            let with_device = |job: Job| visible.get(&job.device).cloned().map(|device| (job, device));
            Ok((page.into_iter().filter_map(with_device).collect(), total))
        });
        found.await
    }

    /// Cancels a job. The item in flight is finished first; what waits is not sent.
    pub async fn cancel_job(&self, caller: &Caller, id: &str) -> Result<Job> {
        let withheld = self.queue().withhold();
        let held = withheld.clone();
        let cancel = move |t: &mut Tables<'_>, job: &JobId, now| {
            jobs::cancel(t, job, now, |index| held.is_in_flight(job, index))
        };
        let job = self.change_job(caller, id, cancel).await?;
        drop(withheld);
        self.queue().ended(&job.id);
        Ok(job)
    }

    /// Holds a job back. The item in flight is finished first.
    pub async fn pause_job(&self, caller: &Caller, id: &str) -> Result<Job> {
        self.steer_job(caller, id, jobs::pause).await
    }

    /// Lets a paused job go on in its old turn.
    pub async fn resume_job(&self, caller: &Caller, id: &str) -> Result<Job> {
        self.steer_job(caller, id, jobs::resume).await
    }

    /// Sends the entries of an ended job again that were not sent, each under its message id.
    pub async fn retry_job(&self, caller: &Caller, id: &str) -> Result<Job> {
        self.steer_job(caller, id, jobs::retry).await
    }

    /// Changes which job of the device goes first.
    pub async fn prioritise_job(&self, caller: &Caller, id: &str, priority: Priority) -> Result<Job> {
        self.steer_job(caller, id, move |t, job, now| jobs::prioritise(t, job, priority, now)).await
    }

    /// Refuses people who may look at a job and cancel it, but not decide when it is sent: as with its making (contract C-02),
    /// jobs to groups belong to administrators, and all of them where only administrators make any.
    pub fn require_may_steer(&self, caller: &Caller, id: &str) -> Result<()> {
        self.require_may_bulk(caller)?;
        match self.find_job(caller, id)?.0.kind {
            JobKind::SendMediaBulkGroup => caller.require_admin(),
            _ => Ok(()),
        }
    }

    async fn steer_job<F>(&self, caller: &Caller, id: &str, change: F) -> Result<Job>
    where
        F: Fn(&mut Tables<'_>, &JobId, i64) -> Result<Job> + Send + 'static,
    {
        self.require_may_steer(caller, id)?;
        self.change_job(caller, id, change).await
    }

    async fn change_job<F>(&self, caller: &Caller, id: &str, change: F) -> Result<Job>
    where
        F: Fn(&mut Tables<'_>, &JobId, i64) -> Result<Job> + Send + 'static,
    {
        let (job, _) = self.find_job(caller, id)?;
        let now = self.clock().now();
        let job = self.store().write(move |t| change(t, &job.id, now)).await?;
        self.queue().wake(job.device);
        self.alarms().ring();
        Ok(job)
    }

    /// Returns a job and its device; 404 before 403. Jobs of requests are not shown.
    pub fn find_job(&self, caller: &Caller, id: &str) -> Result<(Job, Device)> {
        let view = self.store().view()?;
        let job = jobs::get(&view, id)?.filter(|job| job.kind.is_listed());
        let job = job.ok_or_else(|| Error::new(Code::JobNotFound))?;
        let device = devices::by_no(&view, job.device)?.ok_or_else(|| Error::new(Code::JobNotFound))?;
        caller.require_device(&device)?;
        Ok((job, device))
    }
}
