//! Reading jobs and their items, for those who ask what became of them.

use super::rows::{items_of, read};
use crate::error::Result;
use crate::model::id::DeviceNo;
use crate::model::job::{Item, Job, JobKind, JobStatus};
use crate::store::codec::decode;
use crate::store::tables::View;
use serde::Deserialize;

/// Returns the job, or none.
pub fn get(view: &View, id: &str) -> Result<Option<Job>> {
    read(&view.jobs()?, id)
}

/// Returns the items of a job from index `from`, at most `limit`.
pub fn items(view: &View, id: &str, from: u32, limit: u32) -> Result<Vec<Item>> {
    items_of(&view.items()?, id, from, limit)
}

/// Returns up to `limit` of the jobs that clients may list and `wanted` accepts, newest first, without the first `skip`; and
/// how many there are in all.
pub fn listed(
    view: &View,
    wanted: impl Fn(&Glance) -> bool,
    skip: usize,
    limit: usize,
) -> Result<(Vec<Job>, usize)> {
    let (mut ids, mut total) = (Vec::new(), 0);
    each_listed(view, |id, job| {
        if !wanted(&job) {
            return;
        }
        if total >= skip && ids.len() < limit {
            ids.push(id.to_owned());
        }
        total += 1;
    })?;
    let page: Result<Vec<Option<Job>>> = ids.iter().map(|id| get(view, id)).collect();
    Ok((page?.into_iter().flatten().collect(), total))
}

/// Goes through all jobs that clients may list, newest first.
pub fn each_listed(view: &View, mut each: impl FnMut(&str, Glance)) -> Result<()> {
    let (order, jobs) = (view.jobs_by_time()?, view.jobs()?);
    for row in order.range((1, i64::MIN, "")..)?.rev() {
        let at = row?.0;
        let id = at.value().2;
        if let Some(row) = jobs.get(id)? {
            each(id, decode("jobs", id, row.value())?);
        }
    }
    Ok(())
}

/// What of a job decides whether it is wanted in a list; of those that are only counted nothing else is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Glance {
    /// The device it sends from.
    pub device: DeviceNo,
    /// Its kind.
    pub kind: JobKind,
    /// Its state.
    pub status: JobStatus,
}
