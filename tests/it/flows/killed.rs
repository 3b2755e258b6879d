//! SIGKILL at random moments of a bulk job: nothing is lost, nothing arrives twice, the order stays.

use super::BASE;
use crate::support::{Phones, TestKurir, TestNetwork, wait_for};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SHOP: &str = "6281211110011";
const CUSTOMERS: [&str; 3] = ["6281211110022", "6281211110033", "6281211110044"];
/// Entries of the job of one round.
const ENTRIES: usize = 30;
/// What the network counts and where a kill may strike: after so many of these since the round began.
const MOMENTS: [(&str, u64); 3] =
    [("messages", ENTRIES as u64), ("acks", ENTRIES as u64), ("stanzasIn", 3 * ENTRIES as u64)];
/// How long a job may take to end after a kill: reconnecting and an acknowledgement that never comes.
const ROUND_WITHIN: Duration = Duration::from_secs(120);

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} has to be a number")))
}

#[test]
fn every_message_of_a_bulk_arrives_exactly_once_however_often_kurir_is_killed() {
    let rounds = setting("KURIR_KILL_ROUNDS").unwrap_or(20);
    let seed = setting("KURIR_KILL_SEED").unwrap_or_else(|| rand::rng().random());
    println!("{rounds} rounds; to see the same moments again: KURIR_KILL_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::options().network(&network).config("[queue]\nack_within = \"3s\"\n").start();
    kurir.link(&phones, "toko-1", SHOP);
    for customer in CUSTOMERS {
        phones.add(customer);
    }
    let mut sent: Vec<(&str, String)> = Vec::new();
    let mut answers: Vec<String> = Vec::new();
    for round in 0..rounds {
        let entries: Vec<(&str, String)> = (0..ENTRIES)
            .map(|n| (CUSTOMERS[random.random_range(0..3)], format!("putaran {round} nomor {n}")))
            .collect();
        let (counter, most) = MOMENTS[random.random_range(0..3)];
        let moment = random.random_range(0..=most);
        let (base, acks) = (counted(&phones, counter), counted(&phones, "acks"));
        let messages: Vec<Value> =
            entries.iter().map(|(to, text)| json!({"to": to, "message": text})).collect();
        let path = format!("{BASE}/devices/toko-1/jobs/send-text");
        let job =
            kurir.owner().post(&path, json!({"messages": messages, "delay": 0})).data(202)["jobId"].clone();
        let job = job.as_str().expect("an id");
        // The customers write as well, and must not be lost either.
        let answer = format!("jawaban {round}");
        phones.write(CUSTOMERS[0], SHOP, &answer);
        answers.push(answer);

        await_count(&phones, counter, base + moment, acks + ENTRIES as u64);
        kurir.kill9();
        kurir.launch();
        let ended = kurir.wait_job(job, ROUND_WITHIN);
        let progress =
            (&ended["status"], &ended["progress"]["successCount"], &ended["progress"]["errorCount"]);
        assert_eq!(progress, (&json!("completed"), &json!(ENTRIES), &json!(0)), "round {round}: {ended}");
        sent.extend(entries.iter().cloned());
        check_phones(&phones, &sent, round);
        let results = ended["results"].as_array().expect("a list");
        for (result, (to, text)) in results.iter().zip(&entries) {
            let arrived = phones.wait_text(to, text);
            assert_eq!(
                arrived["id"], result["messageId"],
                "round {round}: `{text}` under the id it was given"
            );
        }
    }
    check_history(&kurir, &sent, &answers);
    let companions = phones.view(SHOP)["companions"].clone();
    assert_eq!(companions.as_array().map(Vec::len), Some(1), "no new QR was needed: {companions}");
    println!("{} messages, {} sent again under their ids", sent.len(), counted(&phones, "resends"));
}

/// Entries of the one large job.
const LARGE: usize = 1_000;
/// How often Kurir is killed while it sends them.
const KILLS: usize = 12;

#[test]
fn a_job_of_a_thousand_is_sent_exactly_once_under_kills_at_random_moments() {
    let seed = setting("KURIR_KILL_SEED").unwrap_or_else(|| rand::rng().random());
    println!("to see the same moments again: KURIR_KILL_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::options().network(&network).config("[queue]\nack_within = \"3s\"\n").start();
    kurir.link(&phones, "toko-1", SHOP);
    for customer in CUSTOMERS {
        phones.add(customer);
    }
    let entries: Vec<(&str, String)> =
        (0..LARGE).map(|n| (CUSTOMERS[random.random_range(0..3)], format!("nomor {n}"))).collect();
    let messages: Vec<Value> = entries.iter().map(|(to, text)| json!({"to": to, "message": text})).collect();
    let path = format!("{BASE}/devices/toko-1/jobs/send-text");
    let job = kurir.owner().post(&path, json!({"messages": messages, "delay": 0})).data(202)["jobId"].clone();
    let mut moments: Vec<u64> = (0..KILLS).map(|_| random.random_range(1..LARGE as u64)).collect();
    moments.sort_unstable();
    let acks = counted(&phones, "acks");
    for moment in moments {
        await_count(&phones, "acks", acks + moment, acks + LARGE as u64);
        kurir.kill9();
        kurir.launch();
    }
    let ended = kurir.wait_job(job.as_str().expect("an id"), 2 * ROUND_WITHIN);
    let progress = (&ended["progress"]["successCount"], &ended["progress"]["errorCount"]);
    assert_eq!(progress, (&json!(LARGE), &json!(0)), "{}", ended["progress"]);
    check_phones(&phones, &entries, "of all");
    println!("{LARGE} messages, {} sent again under their ids", counted(&phones, "resends"));
}

fn counted(phones: &Phones, counter: &str) -> u64 {
    phones.stats()[counter].as_u64().unwrap_or_else(|| panic!("the network counts no `{counter}`"))
}

/// Waits for the moment, or for the acknowledgement of the last entry, behind which nothing is counted any more. Looks often,
/// so that the kill strikes close to the counted moment.
fn await_count(phones: &Phones, counter: &str, wanted: u64, last_ack: u64) {
    let begun = Instant::now();
    loop {
        let stats = phones.stats();
        if stats[counter].as_u64() >= Some(wanted) || stats["acks"].as_u64() >= Some(last_ack) {
            return;
        }
        assert!(begun.elapsed() < ROUND_WITHIN, "waited for {wanted} {counter}: {stats}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn check_phones(phones: &Phones, sent: &[(&str, String)], round: impl std::fmt::Display) {
    for customer in CUSTOMERS {
        let wanted: Vec<&str> =
            sent.iter().filter(|(to, _)| *to == customer).map(|(_, text)| text.as_str()).collect();
        if let Some(last) = wanted.last() {
            phones.wait_text(customer, last);
        }
        let received = phones.received(customer);
        let texts: Vec<&str> = received.iter().filter_map(|one| one["text"].as_str()).collect();
        assert_eq!(texts, wanted, "round {round}: what {customer} received, in order");
        let twice: Vec<&Value> = received.iter().filter(|one| one["deliveries"] != 1).collect();
        assert!(twice.is_empty(), "round {round}: delivered more than once: {twice:?}");
    }
}

fn check_history(kurir: &TestKurir, sent: &[(&str, String)], answers: &[String]) {
    for customer in CUSTOMERS {
        let wanted: &[String] = if customer == CUSTOMERS[0] { answers } else { &[] };
        // What was written last may still be on its way.
        let history = wait_for("all answers in the history", || {
            let history = kurir.history("toko-1", customer);
            let theirs = history.iter().filter(|one| one["fromMe"] == false).count();
            (theirs >= wanted.len()).then_some(history)
        });
        let texts = |mine: bool| -> Vec<&str> {
            let lines = history.iter().filter(|one| one["fromMe"] == mine);
            lines.filter_map(|one| one["content"]["text"].as_str()).collect()
        };
        let mine: Vec<&str> =
            sent.iter().filter(|(to, _)| *to == customer).map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts(true), mine, "the chat with {customer} is complete and in order");
        assert_eq!(texts(false), wanted, "what {customer} wrote");
        assert!(history.iter().all(|one| one["status"] != "pending" && one["status"] != "failed"));
    }
}
