//! The process itself: one at a time on its data, refusing what is wrong, stopping in time.

use super::BASE;
use crate::support::{Events, TestKurir, TestNetwork};
use serde_json::{Value, json};
use std::process::{Command, Output};
use std::time::Duration;

const SHOP: &str = "6281211110011";
const CUSTOMER: &str = "6281211110022";

fn run(command: &mut Command) -> Output {
    command.output().expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_second_process_on_the_same_data_is_refused_with_a_sentence() {
    let network = TestNetwork::start();
    let mut kurir = TestKurir::against(&network);
    let second = run(&mut kurir.command());
    assert_eq!(second.status.code(), Some(1), "{}", said(&second));
    let last = said(&second).lines().last().expect("a sentence").to_owned();
    assert!(last.starts_with("kurir: ") && last.contains("another"), "{last}");
    let dir = kurir.data_dir().to_owned();
    for verb in [&["admin", "list"][..], &["doctor"], &["backup", "/nonexistent/x.tar.gz"]] {
        let refused =
            run(Command::new(env!("CARGO_BIN_EXE_kurir")).env_clear().args(verb).arg("--data-dir").arg(&dir));
        assert_eq!(refused.status.code(), Some(1), "{verb:?}: {}", said(&refused));
    }
    assert!(kurir.is_alive());
    kurir.owner().get("/api/auth/profile").data(200);
}

#[test]
fn wrong_usage_ends_with_code_two_and_names_the_mistake() {
    let dir = tempfile::tempdir().expect("a directory");
    let base = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kurir"));
        command.env_clear().arg("--data-dir").arg(dir.path());
        command
    };
    type Case<'c> = (&'c [&'c str], &'c [(&'c str, &'c str)], &'c str);
    let cases: [Case<'_>; 8] = [
        (&["serve", "--no-such-flag"], &[], "--no-such-flag"),
        (&["serve", "--listen", "somewhere"], &[], "somewhere"),
        (&["serve"], &[], "sandbox build"),
        (&["serve", "--sandbox-url", "wss://web.whatsapp.com/ws/chat"], &[], "web.whatsapp.com"),
        (&["serve", "--sandbox-url", "ws://10.0.0.1:7400/ws/chat"], &[], "10.0.0.1"),
        (&["sandbox", "--sandbox-listen", "0.0.0.0:0"], &[], "loopback"),
        (&["sandbox"], &[("JWT_SECRET", "short")], "JWT_SECRET"),
        (&["sandbox", "--config", "/nonexistent/kurir.toml"], &[], "/nonexistent/kurir.toml"),
    ];
    for (arguments, env, word) in cases {
        let output = run(base().args(arguments).envs(env.iter().copied()));
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(word), "{arguments:?}: {}", said(&output));
    }
    std::fs::write(dir.path().join("kurir.toml"), "lisen = []\n").expect("written");
    let output = run(base().arg("sandbox"));
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("lisen"), "{}", said(&output));
}

#[test]
fn an_address_that_is_taken_is_told_and_ends_with_code_one() {
    let kurir = TestKurir::start();
    let dir = tempfile::tempdir().expect("a directory");
    let taken = kurir.addr().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_kurir"));
    command.env_clear().args(["sandbox", "--sandbox-listen", "127.0.0.1:0", "--listen", &taken]);
    let output = run(command.arg("--data-dir").arg(dir.path()));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains(&taken), "{}", said(&output));
}

/// A stop in the middle of everything: streams are open, texts wait for their acknowledgement, a job runs.
#[test]
fn a_stop_in_the_middle_of_work_is_quick_and_loses_nothing() {
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::against(&network);
    kurir.link(&phones, "toko-1", SHOP);
    phones.fault(json!({"phone": SHOP, "delayedAckMs": 700}));
    let messages: Vec<Value> =
        (0..20).map(|n| json!({"to": CUSTOMER, "message": format!("nomor {n}")})).collect();
    let path = format!("{BASE}/devices/toko-1/jobs/send-text");
    let job = kurir.owner().post(&path, json!({"messages": messages, "delay": 0})).data(202)["jobId"].clone();
    let _streams: Vec<Events> = (0..3).map(|_| Events::open(&kurir.owner())).collect();
    let waiting = {
        let api = kurir.owner();
        std::thread::spawn(move || {
            let body = json!({"to": CUSTOMER, "message": "tunggal"});
            api.call("POST", &format!("{BASE}/devices/toko-1/send-message")).json(&body).try_send()
        })
    };
    phones.wait_text(CUSTOMER, "nomor 1");
    let took = kurir.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
    // Answered or cut off, but not with an error that is none of the client's business.
    if let Ok(reply) = waiting.join().expect("the client ends") {
        assert!(matches!(reply.status, 200 | 202 | 503), "{}", reply.text());
    }
    phones.no_faults();
    kurir.launch();
    let ended = kurir.wait_job(job.as_str().expect("an id"), crate::support::SOON);
    assert_eq!(ended["progress"]["successCount"], 20, "{ended}");
    phones.wait_text(CUSTOMER, "nomor 19");
    let received = phones.received(CUSTOMER);
    let of_job: Vec<_> =
        received.iter().filter(|one| one["text"] != "tunggal").map(|one| one["text"].clone()).collect();
    let wanted: Vec<_> = (0..20).map(|n| json!(format!("nomor {n}"))).collect();
    assert_eq!(of_job, wanted);
    assert!(received.iter().all(|one| one["deliveries"] == 1));
}

#[test]
fn a_backup_starts_elsewhere_with_the_same_link() {
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::against(&network);
    kurir.link(&phones, "toko-1", SHOP);
    kurir.send("toko-1", CUSTOMER, "sebelum pindah");
    kurir.stop();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let archive = elsewhere.path().join("kurir.tar.gz");
    let kurir_with = |verb: &str, dir: &std::path::Path| {
        run(Command::new(env!("CARGO_BIN_EXE_kurir"))
            .env_clear()
            .arg(verb)
            .arg(&archive)
            .arg("--data-dir")
            .arg(dir))
    };
    let made = kurir_with("backup", kurir.data_dir());
    assert!(made.status.success(), "{}", said(&made));
    assert_eq!(kurir_with("restore", kurir.data_dir()).status.code(), Some(1), "nothing is overwritten");
    let moved = TestKurir::options().network(&network).prepared(|dir| {
        let restored = kurir_with("restore", dir);
        assert!(restored.status.success(), "{}", said(&restored));
    });
    let moved = moved.start();
    moved.wait_connected("toko-1");
    assert_eq!(moved.history("toko-1", CUSTOMER).len(), 1);
    moved.send("toko-1", CUSTOMER, "sesudah pindah");
    phones.wait_text(CUSTOMER, "sesudah pindah");
}
