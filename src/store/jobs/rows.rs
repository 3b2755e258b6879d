//! The rows of jobs and of their items.

use crate::error::{Code, Error, Result};
use crate::model::id::JobId;
use crate::model::job::{Item, Job};
use crate::store::codec::{decode, encode};
use crate::store::tables::Tables;
use redb::ReadableTable;

pub(super) fn existing(tables: &Tables<'_>, id: &JobId) -> Result<Job> {
    read(&tables.jobs, id.as_str())?.ok_or_else(|| Error::new(Code::JobNotFound))
}

pub(super) fn existing_item(tables: &Tables<'_>, id: &JobId, index: u32) -> Result<Item> {
    let item = read_item(&tables.items, id.as_str(), index)?;
    item.ok_or_else(|| Error::broken(format!("item {index} of job `{id}` does not exist")))
}

pub(super) fn read(table: &impl ReadableTable<&'static str, &'static [u8]>, id: &str) -> Result<Option<Job>> {
    match table.get(id)? {
        Some(row) => decode("jobs", id, row.value()).map(Some),
        None => Ok(None),
    }
}

pub(super) fn read_item(
    table: &impl ReadableTable<(&'static str, u32), &'static [u8]>,
    id: &str,
    index: u32,
) -> Result<Option<Item>> {
    match table.get((id, index))? {
        Some(row) => decode("items", (id, index), row.value()).map(Some),
        None => Ok(None),
    }
}

pub(super) fn items_of(
    table: &impl ReadableTable<(&'static str, u32), &'static [u8]>,
    id: &str,
    from: u32,
    limit: u32,
) -> Result<Vec<Item>> {
    table
        .range((id, from)..=(id, u32::MAX))?
        .take(limit as usize)
        .map(|row| {
            let (at, value) = row?;
            decode("items", at.value(), value.value())
        })
        .collect()
}

pub(super) fn put(tables: &mut Tables<'_>, job: &Job) -> Result<()> {
    tables.jobs.insert(job.id.as_str(), encode(job)?.as_slice())?;
    Ok(())
}

pub(super) fn put_item(tables: &mut Tables<'_>, id: &JobId, item: &Item) -> Result<()> {
    tables.items.insert((id.as_str(), item.index), encode(item)?.as_slice())?;
    Ok(())
}
