//! The questions, each the median of several runs.

use crate::fill::{DEVICE, YEAR, chat_address, word};
use anyhow::Result;
use kurir::model::day::Day;
use kurir::model::search::Question;
use kurir::store::search::{Filter, find};
use kurir::store::{Store, View, chats, days, messages};
use std::hint::black_box;
use std::time::Instant;

/// How often each question is asked.
const RUNS: usize = 21;
/// Messages of a page.
const PAGE: usize = 50;

/// One line of the table.
pub struct Figure {
    /// What was measured, with its unit.
    pub what: String,
    /// In that unit.
    pub value: f64,
}

impl Figure {
    pub fn new(what: impl Into<String>, value: f64) -> Self {
        Self { what: what.into(), value }
    }

    /// Returns the value with as many digits as mean something.
    pub fn shown(&self) -> String {
        if self.value >= 100.0 { format!("{:.0}", self.value) } else { format!("{:.2}", self.value) }
    }

    /// Returns how many times the other figure this one is; a dash when there is nothing to compare with, as on a day on which
    /// nobody wrote in a small store.
    pub fn ratio_to(&self, other: &Figure) -> String {
        if other.value > 0.0 { format!("{:.2}", self.value / other.value) } else { "–".to_owned() }
    }
}

/// Asks everything.
pub fn all(store: &Store, count: u64) -> Result<Vec<Figure>> {
    let lively = chat_address(0);
    let newest = messages::page(&store.view()?, DEVICE, &lively, None, count as usize)?;
    let middle = newest.get(newest.len() / 2).map(|message| message.id.clone());
    let (in_chat, day) = (newest.len(), Day::of(YEAR).plus(180));
    drop(newest);
    let chats_of_day = days::chats_of(&store.view()?, DEVICE, day)?.len();
    let found = |text: &str| question(store, text);
    let mut figures = vec![
        Figure::new("messages of the liveliest chat", in_chat as f64),
        Figure::new(
            "its newest 50, ms",
            timed(store, |view| Ok(messages::page(view, DEVICE, &lively, None, PAGE)?.len()))?,
        ),
        Figure::new(
            "50 from its middle, ms",
            timed(store, |view| Ok(messages::page(view, DEVICE, &lively, middle.as_deref(), PAGE)?.len()))?,
        ),
        Figure::new(
            "newest 50 chats, ms",
            timed(store, |view| Ok(chats::page(view, DEVICE, None, PAGE)?.len()))?,
        ),
        Figure::new("chats of one day", chats_of_day as f64),
        Figure::new(
            "the chats of one day, ms",
            timed(store, |view| Ok(days::chats_of(view, DEVICE, day)?.len()))?,
        ),
        Figure::new(
            "statistics of 366 days, ms",
            timed(store, |view| {
                Ok(days::of_device(view, DEVICE, Day::of(YEAR), Day::of(YEAR).plus(365))?.len())
            })?,
        ),
    ];
    for (what, text) in [
        ("a word in every other text", format!("{} ", word(0))),
        ("a rare word", format!("{} ", word(15_000))),
        ("a frequent and a rare word", format!("{} {} ", word(0), word(9_000))),
        ("two frequent words", format!("{} {} ", word(1), word(2))),
        ("a beginning of many words", "ba".to_owned()),
        ("a word that nobody wrote", "zzzz ".to_owned()),
    ] {
        figures.push(Figure::new(format!("search: {what}, ms"), found(&text)?));
    }
    Ok(figures)
}

fn question(store: &Store, text: &str) -> Result<f64> {
    let question = Question::parse(text)?;
    let filter = Filter { groups: true, ..Filter::default() };
    timed(store, |view| Ok(find(view, DEVICE, &question, &filter, None, PAGE)?.rows.len()))
}

fn timed(store: &Store, ask: impl Fn(&View) -> kurir::error::Result<usize>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        black_box(ask(&store.view()?)?);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(times))
}

/// Returns the median.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
