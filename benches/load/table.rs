//! The one table, as Markdown.

use crate::plan::{Load, Memory, Results};

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
    vec![
        row("16 KiB written to the disk with fsync, ms", format!("{:.2}", results.disk_ms), "", ""),
        row("one lone commit of the store, ms", format!("{:.2}", results.commit_ms), "", ""),
        row("RSS without a device, MB", mb(kurir), mb(bare), ratio(kurir as f64, bare as f64)),
    ]
}

fn memory(results: &Results) -> Vec<Row> {
    results.memory.iter().flat_map(|memory| devices(memory, results.idle)).collect()
}

fn devices(memory: &Memory, (kurir_idle, bare_idle): (u64, u64)) -> Vec<Row> {
    let count = memory.devices;
    let each = |bytes: u64, idle: u64| bytes.saturating_sub(idle) as f64 / count as f64 / 1e6;
    let (linked, restarted) = (each(memory.linked, kurir_idle), each(memory.restarted, kurir_idle));
    let bare = each(memory.bare, bare_idle);
    let what = |when: &str| format!("RSS with {count} connected {when}, MB (MB more per device)");
    let show = |bytes: u64, each: f64| format!("{} ({each:.2})", mb(bytes));
    vec![
        row(&what("just linked"), show(memory.linked, linked), show(memory.bare, bare), ratio(linked, bare)),
        row(&what("after a restart"), show(memory.restarted, restarted), "", ""),
    ]
}

fn restore(results: &Results) -> Vec<Row> {
    let restore = &results.restore;
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
    let mut rows: Vec<Row> = results.loads.iter().flat_map(load).collect();
    rows.push(row("most RSS during the loads, MB", mb(kurir), mb(bare), ratio(kurir as f64, bare as f64)));
    rows
}

fn load(load: &Load) -> Vec<Row> {
    let (kurir, bare) = (&load.kurir, &load.bare);
    let who = format!("{} × {}", load.devices, load.callers);
    let times = |p50: f64, p99: f64| format!("{p50:.2} / {p99:.2}");
    vec![
        row(
            &format!("{who} (devices × callers): texts per second"),
            format!("{:.0}", kurir.per_second),
            format!("{:.0}", bare.per_second),
            ratio(kurir.per_second, bare.per_second),
        ),
        row(
            &format!("{who}: p50 / p99 to the network's ack, ms"),
            times(kurir.p50_ms, kurir.p99_ms),
            times(bare.p50_ms, bare.p99_ms),
            ratio(kurir.p50_ms, bare.p50_ms),
        ),
    ]
}

fn row(what: &str, kurir: String, bare: impl Into<String>, ratio: impl Into<String>) -> Row {
    [what.to_owned(), kurir, bare.into(), ratio.into()]
}

fn mb(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

fn ratio(kurir: f64, bare: f64) -> String {
    format!("{:.2}", kurir / bare)
}
