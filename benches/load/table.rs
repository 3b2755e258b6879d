//! The one table, as Markdown.

use crate::figures::Figures;
use crate::plan::{Memory, Results, Sent};

/// Prints everything that was measured.
pub fn print(results: &Results) {
    let rows = [head(results), memory(results), restore(results), loads(results)].concat();
    println!("| what | Kurir | bare library | ratio |");
    println!("|---|---:|---:|---:|");
    for [what, kurir, bare, ratio] in rows {
        println!("| {what} | {kurir} | {bare} | {ratio} |");
    }
}

type Row = [String; 4];

fn head(results: &Results) -> Vec<Row> {
    let (kurir, bare) = results.idle;
    let (kurir_own, bare_own) = results.idle_own;
    vec![
        row("16 KiB written to the disk with fsync, ms", format!("{:.2}", results.disk_ms), "", ""),
        row("one lone commit of the store, ms", format!("{:.2}", results.commit_ms), "", ""),
        row("RSS without a device, MB", mb(kurir), mb(bare), ratio(kurir as f64, bare as f64)),
        row(
            "of it not mapped from files, MB",
            mb(kurir_own),
            mb(bare_own),
            ratio(kurir_own as f64, bare_own as f64),
        ),
    ]
}

fn memory(results: &Results) -> Vec<Row> {
    let first = results.memory.first();
    results.memory.iter().flat_map(|memory| devices(memory, first.unwrap_or(memory))).collect()
}

fn devices(memory: &Memory, first: &Memory) -> Vec<Row> {
    let what = |when: &str| format!("RSS with {} connected {when}, MB", memory.devices);
    // The first device brings what all share, such as the code of the protocol: the others are counted against it.
    let more = memory.devices - first.devices;
    let show = |bytes: u64, with_first: u64| match more {
        0 => mb(bytes),
        _ => format!(
            "{} ({:.2} per further device)",
            mb(bytes),
            (bytes as f64 - with_first as f64) / more as f64 / 1e6
        ),
    };
    let (linked, bare) = (show(memory.linked, first.linked), show(memory.bare, first.bare));
    let restarted = show(memory.restarted, first.restarted);
    vec![
        row(&what("just linked"), linked, bare, ratio(memory.linked as f64, memory.bare as f64)),
        row(&what("after a restart"), restarted, "", ""),
    ]
}

fn restore(results: &Results) -> Vec<Row> {
    let Some(restore) = &results.restore else { return Vec::new() };
    let what = |from: &str| format!("{} devices connected again {from}, s", restore.devices);
    let s = |ms: f64| format!("{:.2}", ms / 1000.0);
    let (start, listening, bare) = (restore.from_start, restore.from_listening, restore.bare);
    vec![
        row(&what("from the start of the process"), s(start), s(bare), ratio(start, bare)),
        row(&what("from listening"), s(listening), s(bare), ratio(listening, bare)),
    ]
}

fn loads(results: &Results) -> Vec<Row> {
    let (kurir, bare) = results.peak;
    let mut rows = vec![lone(results)];
    rows.extend(results.loads.iter().flat_map(load));
    rows.push(row("most RSS during the loads, MB", mb(kurir), mb(bare), ratio(kurir as f64, bare as f64)));
    rows
}

fn lone(results: &Results) -> Row {
    let (kurir, bare) = (&results.lone.kurir, &results.lone.bare);
    let what = "a lone text: p50 / p99 to the network's ack, ms";
    row(what, times(kurir), times(bare), ratio(kurir.p50_ms, bare.p50_ms))
}

fn load(sent: &Sent) -> Vec<Row> {
    let (kurir, bare) = (&sent.kurir, &sent.bare);
    let who = format!("{} × {}", sent.load.devices, sent.load.callers);
    vec![
        row(
            &format!("{who} (devices × callers): texts per second"),
            format!("{:.0}", kurir.per_second),
            format!("{:.0}", bare.per_second),
            ratio(kurir.per_second, bare.per_second),
        ),
        row(
            &format!("{who}: p50 / p99 to the network's ack, ms"),
            times(kurir),
            times(bare),
            ratio(kurir.p50_ms, bare.p50_ms),
        ),
        row(
            &format!("{who}: processor time per text, µs"),
            format!("{:.0}", sent.cpu_us.0),
            format!("{:.0}", sent.cpu_us.1),
            ratio(sent.cpu_us.0, sent.cpu_us.1),
        ),
    ]
}

fn row(what: &str, kurir: String, bare: impl Into<String>, ratio: impl Into<String>) -> Row {
    [what.to_owned(), kurir, bare.into(), ratio.into()]
}

fn times(figures: &Figures) -> String {
    format!("{:.2} / {:.2}", figures.p50_ms, figures.p99_ms)
}

fn mb(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

fn ratio(kurir: f64, bare: f64) -> String {
    format!("{:.2}", kurir / bare)
}
