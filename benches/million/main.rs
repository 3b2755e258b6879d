//! A store of a million messages: what a page, a search, the chats of a day, statistics and a start cost, beside a store of a
//! hundredth of it. What does not grow with the store has a ratio of about one.
//!
//! `cargo bench --bench million`, `-- 20000` for another number of messages. A store is built once, below `TMPDIR`, and used
//! again by the next run; remove the directory that is printed to build it anew.

mod ask;
mod fill;

use anyhow::{Context as _, Result};
use ask::Figure;
use kurir::store::{FILE_NAME, Store};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Messages unless the command line says otherwise.
const MESSAGES: u64 = 1_000_000;
/// The small store has this part of them.
const PART: u64 = 100;
/// How often the start is measured.
const STARTS: usize = 5;

fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let number = std::env::args().skip(1).find(|argument| argument != "--bench");
    let messages: u64 = match number {
        Some(text) => text.parse().context("usage: cargo bench --bench million [-- MESSAGES]")?,
        None => MESSAGES,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let large = runtime.block_on(measured(messages))?;
    let small = runtime.block_on(measured((messages / PART).max(100)))?;
    println!("| what | {messages} messages | a hundredth of it | ratio |");
    println!("|---|---:|---:|---:|");
    for (large, small) in large.iter().zip(&small) {
        println!("| {} | {} | {} | {} |", large.what, large.shown(), small.shown(), large.ratio_to(small));
    }
    Ok(())
}

async fn measured(messages: u64) -> Result<Vec<Figure>> {
    let dir = directory(messages);
    let took = fill::fill(&dir, messages).await?;
    let mut figures = Vec::new();
    if let Some(took) = took {
        eprintln!("built {} in {:.0} s", dir.display(), took.as_secs_f64());
    }
    let bytes = std::fs::metadata(dir.join(FILE_NAME))?.len();
    figures.push(Figure::new("file, MB", bytes as f64 / 1e6));
    figures.push(Figure::new("file per message, bytes", bytes as f64 / messages as f64));
    figures.push(Figure::new("start: opening the store, ms", start_ms(&dir)?));
    let store = Store::open(&dir, None)?;
    figures.extend(ask::all(&store, messages)?);
    store.close();
    Ok(figures)
}

/// The median of several openings.
fn start_ms(dir: &Path) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let store = Store::open(dir, None)?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
        store.close();
        drop(store);
    }
    Ok(ask::median(times))
}

fn directory(messages: u64) -> PathBuf {
    std::env::temp_dir().join(format!("kurir-million-{messages}"))
}
