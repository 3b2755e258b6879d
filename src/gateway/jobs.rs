//! Jobs: create, list, look at, cancel.

use super::messages::{Entry, IdempotencyKey, asked, once_key};
use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::device::Device;
use crate::model::id::DeviceNo;
use crate::model::job::{Item, Job, JobKind, JobStatus, Pacing};
use crate::store::{devices, jobs};
use std::collections::HashMap;

/// Items of one job.
pub const JOB_MAX: usize = 10_000;

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
    /// Stores a text job and returns it; the device's lane sends it when its turn comes.
    pub async fn create_text_job(
        &self,
        caller: &Caller,
        device: &Device,
        entries: Vec<Entry>,
        pacing: Pacing,
        key: Option<IdempotencyKey>,
    ) -> Result<Job> {
        if self.config().api.bulk_admin_only {
            caller.require_admin()?;
        }
        let once = key.map(|key| once_key(caller, device, "job", &key, &asked(&entries))).transpose()?;
        let (job, items) = self.new_job(caller, device, JobKind::SendTextBulk, pacing, entries);
        let (id, _) = self.submit(job, items, once).await?;
        jobs::get(&self.store().view()?, id.as_str())?.ok_or_else(|| Error::new(Code::JobNotFound))
    }

    /// Returns the job, its items and its device. Jobs of requests are not shown.
    pub fn job(&self, caller: &Caller, id: &str) -> Result<(Job, Vec<Item>, Device)> {
        let view = self.store().view()?;
        let (job, device) = self.visible_job(caller, id)?;
        let items = jobs::items(&view, id, 0, u32::MAX)?;
        Ok((job, items, device))
    }

    /// Returns the jobs that the caller may see, newest first, each with its device.
    pub async fn jobs(&self, caller: &Caller, filter: JobFilter) -> Result<Vec<(Job, Device)>> {
        let visible: HashMap<DeviceNo, Device> =
            self.devices(caller)?.into_iter().map(|d| (d.no, d)).collect();
        let found = self.store().scan(move |view| {
            let jobs = jobs::listed(view, |job| {
                filter.status.is_none_or(|status| job.status == status)
                    && filter.kind.as_deref().is_none_or(|kind| job.kind.as_str() == kind)
                    && visible.get(&job.device).is_some_and(|device| filter.fits(device))
            })?;
            Ok(jobs
                .into_iter()
                .filter_map(|job| visible.get(&job.device).cloned().map(|d| (job, d)))
                .collect())
        });
        found.await
    }

    /// Cancels a job. The item in flight is finished first; what waits is not sent.
    pub async fn cancel_job(&self, caller: &Caller, id: &str) -> Result<Job> {
        let (job, _) = self.visible_job(caller, id)?;
        let (queue, now) = (self.queue().clone(), self.clock().now());
        let job = self
            .store()
            .write(move |t| jobs::cancel(t, &job.id, now, |index| queue.is_leased(job.id.as_str(), index)))
            .await?;
        self.queue().ended(&job.id);
        self.queue().wake(job.device);
        Ok(job)
    }

    fn visible_job(&self, caller: &Caller, id: &str) -> Result<(Job, Device)> {
        let view = self.store().view()?;
        let job = jobs::get(&view, id)?.filter(|job| job.kind.is_listed());
        let job = job.ok_or_else(|| Error::new(Code::JobNotFound))?;
        let device = devices::by_no(&view, job.device)?.ok_or_else(|| Error::new(Code::JobNotFound))?;
        caller.require_device(&device)?;
        Ok((job, device))
    }
}
