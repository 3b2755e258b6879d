//! What taking over a long history costs. A measurement: it takes minutes, so it runs when it is asked for.

use super::BASE;
use crate::support::{TestKurir, TestNetwork, wait_until};
use serde_json::json;
use std::time::{Duration, Instant};

const PHONE: &str = "6281211880011";
/// Longest wait for a history, far above what is normal.
const PATIENCE: Duration = Duration::from_secs(900);
/// Memory by which ten times the history may raise the peak, in kilobytes. Ten times the messages would be a multiple of it.
const MORE_KB: u64 = 24 * 1024;

struct Figures {
    messages: u64,
    /// Seconds from the scan to the last stored message.
    took_s: f64,
    /// Most memory before the scan, in kilobytes.
    before_kb: u64,
    /// Most memory ever, in kilobytes.
    peak_kb: u64,
}

impl Figures {
    fn grown_mb(&self) -> f64 {
        (self.peak_kb - self.before_kb) as f64 / 1024.0
    }
}

fn take_over(chats: u64, each: u64) -> Figures {
    let network = TestNetwork::start();
    let kurir = TestKurir::against(&network);
    let phones = network.phones();
    phones.add(PHONE);
    phones.give_history(PHONE, json!({"bulk": {"chats": chats, "messages": each, "days": 90}}));
    kurir.create_device("toko-1");
    let connecting = kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/connect")).send().data(200);
    let before_kb = kurir.memory_kb("VmHWM");
    let begun = Instant::now();
    phones.scan(PHONE, connecting["qr"].as_str().expect("a QR"));
    let messages = chats * each;
    wait_until("the history", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        let totals = kurir.owner().get(&format!("{BASE}/user/statistics")).data(200);
        let count = |key: &str| totals["messages"][key].as_u64().expect("a number");
        (count("sent") + count("received") == messages).then_some(())
    });
    let took_s = begun.elapsed().as_secs_f64();
    Figures { messages, took_s, before_kb, peak_kb: kurir.memory_kb("VmHWM") }
}

/// `cargo test -p kurir --test it -- --ignored --nocapture takeover`, with `KURIR_BIN` for a release build with feature `sandbox`.
#[test]
#[ignore = "a measurement that takes minutes"]
fn ten_times_the_history_takes_no_more_memory() {
    let all = [take_over(60, 50), take_over(640, 50)];
    println!(
        "| messages | s | messages per second | peak RSS, MB | growth, MB |\n|---:|---:|---:|---:|---:|"
    );
    for one in &all {
        println!(
            "| {} | {:.1} | {:.0} | {:.1} | {:.1} |",
            one.messages,
            one.took_s,
            one.messages as f64 / one.took_s,
            one.peak_kb as f64 / 1024.0,
            one.grown_mb()
        );
    }
    let more_kb = all[1].peak_kb.saturating_sub(all[0].peak_kb);
    assert!(more_kb < MORE_KB, "ten times the history took {more_kb} kB more");
}
