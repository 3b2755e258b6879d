//! Reading jobs and their items, for those who ask what became of them.

use super::rows::{items_of, read};
use crate::error::Result;
use crate::model::job::{Item, Job};
use crate::store::tables::View;

/// Returns the job, or none.
pub fn get(view: &View, id: &str) -> Result<Option<Job>> {
    read(&view.jobs()?, id)
}

/// Returns the items of a job from index `from`, at most `limit`.
pub fn items(view: &View, id: &str, from: u32, limit: u32) -> Result<Vec<Item>> {
    items_of(&view.items()?, id, from, limit)
}

/// Returns all jobs that clients may list, newest first, that `wanted` accepts.
pub fn listed(view: &View, wanted: impl Fn(&Job) -> bool) -> Result<Vec<Job>> {
    let (order, jobs) = (view.jobs_by_time()?, view.jobs()?);
    let mut found = Vec::new();
    for row in order.range((1, i64::MIN, "")..)?.rev() {
        let at = row?.0;
        if let Some(job) = read(&jobs, at.value().2)?
            && wanted(&job)
        {
            found.push(job);
        }
    }
    Ok(found)
}
