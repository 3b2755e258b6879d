//! What the disk alone takes.

use crate::figures::{median, ms};
use anyhow::{Context as _, Result};
use kurir::store::Store;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Instant;

/// Commits of one measurement.
const COMMITS: usize = 300;
/// Bytes that a small transaction of the store writes, about.
const COMMIT_BYTES: usize = 16 << 10;

/// Returns the median of a plain write with fsync, in milliseconds.
pub fn plain(dir: &Path) -> Result<f64> {
    let file = std::fs::File::create(dir.join("plain")).context("creating a file")?;
    let mut took = Vec::with_capacity(COMMITS);
    for n in 0..COMMITS {
        let page = [n as u8; COMMIT_BYTES];
        let begun = Instant::now();
        file.write_all_at(&page, (n * COMMIT_BYTES) as u64)?;
        file.sync_data()?;
        took.push(ms(&begun.elapsed()));
    }
    Ok(median(took))
}

/// Returns the median of a lone commit of the store, in milliseconds.
pub fn store(dir: &Path) -> Result<f64> {
    let store = Store::open(dir, None).context("opening a store")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut took = Vec::with_capacity(COMMITS);
    for n in 0..COMMITS as u64 {
        let begun = Instant::now();
        runtime.block_on(store.write(move |tables| Ok(tables.meta.insert("bench", n).map(drop)?)))?;
        took.push(ms(&begun.elapsed()));
    }
    Ok(median(took))
}
