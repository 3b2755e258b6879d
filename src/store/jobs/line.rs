//! The lanes of the devices: what waits, and whose turn it is.

use super::rows::{read, read_item};
use crate::error::{Error, Result};
use crate::model::id::{DeviceNo, JobId};
use crate::model::job::{Item, Job};
use crate::store::tables::View;

/// What waits at the head of a lane.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The job.
    pub job: Job,
    /// The item whose turn it is.
    pub item: Item,
}

/// Returns up to `limit` items that are next in the device's lane, single sends ahead of bulk.
///
/// `skip` names the items that the lane holds already.
pub fn waiting(
    view: &View,
    device: DeviceNo,
    limit: usize,
    skip: impl Fn(&str, u32) -> bool,
) -> Result<Vec<Waiting>> {
    let (queue, jobs, items) = (view.queue()?, view.jobs()?, view.items()?);
    let mut found = Vec::new();
    for row in queue.range((device.0, 0, i64::MIN, 0)..=(device.0, u8::MAX, i64::MAX, u64::MAX))? {
        let row = row?.1;
        let (job, index) = row.value();
        if skip(job, index) {
            continue;
        }
        let (Some(job), Some(item)) = (read(&jobs, job)?, read_item(&items, job, index)?) else {
            return Err(Error::broken(format!(
                "the queue names item {index} of job `{job}`, which does not exist"
            )));
        };
        found.push(Waiting { job, item });
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

/// Returns whether an item still stands in the queue.
pub fn is_waiting(view: &View, job: &JobId, index: u32) -> Result<bool> {
    let (Some(job), Some(item)) =
        (read(&view.jobs()?, job.as_str())?, read_item(&view.items()?, job.as_str(), index)?)
    else {
        return Ok(false);
    };
    match item.place {
        Some((due, seq)) => Ok(view.queue()?.get((job.device.0, job.class(), due, seq))?.is_some()),
        None => Ok(false),
    }
}

/// Returns the devices that have something waiting.
pub fn devices_with_work(view: &View) -> Result<Vec<DeviceNo>> {
    let queue = view.queue()?;
    let (mut found, mut from) = (Vec::new(), 0u32);
    while let Some(row) = queue.range((from, 0, i64::MIN, 0)..)?.next() {
        let device = row?.0.value().0;
        found.push(DeviceNo(device));
        match device.checked_add(1) {
            Some(next) => from = next,
            None => break,
        }
    }
    Ok(found)
}
