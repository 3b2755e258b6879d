//! Live events: who may listen, what they hear, and how they resume.

use crate::support::{ACCESS_SECRET, Events, SOON, TestKurir, claims, signed};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

const BASE: &str = "/api/whatsapp-multi-device";
const PHONE: &str = "6281211110011";
const FRIEND: &str = "6281211110022";

#[test]
fn a_stranger_gets_json_before_any_stream() {
    let kurir = TestKurir::start();
    for path in ["/api/events", "/api/events?token=", "/api/events?token=x"] {
        let reply = kurir.nobody().call("GET", path).header("accept", "text/event-stream").send();
        reply.refused(401, "Token tidak valid atau kedaluwarsa");
    }
}

#[test]
fn the_stream_begins_as_documented_and_lets_the_documented_page_read_it() {
    let kurir = TestKurir::start();
    let mut events = Events::open(&kurir.owner());
    for line in ["content-type: text/event-stream", "cache-control: no-cache", "x-accel-buffering: no"] {
        assert!(events.head.contains(line), "{line} in {}", events.head);
    }
    assert!(
        !events.head.contains("content-encoding") && !events.head.contains("ratelimit"),
        "{}",
        events.head
    );
    let hello = events.seen[0].data.clone();
    assert_eq!((&hello["role"], &hello["userId"]), (&json!("admin"), &json!(1)));
    assert!(hello["timestamp"].as_str().is_some_and(|at| at.len() == 24));
    kurir.create_device("toko-1");
    events.wait_type("device.created");
    assert!(events.seen.iter().all(|event| event.name.is_none()), "named events never reach `onmessage`");

    let token = kurir.owner().token.expect("a token");
    let page = kurir
        .nobody()
        .call("GET", &format!("/api/events?token={token}"))
        .header("origin", "http://localhost:5173");
    let (stream, _) = page.open().expect("kurir listens");
    let mut head = [0; 1024];
    let count = std::io::Read::read(&mut &stream, &mut head).expect("an answer");
    let head = String::from_utf8_lossy(&head[..count]).to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 200")
            && head.contains("access-control-allow-origin: http://localhost:5173"),
        "{head}"
    );
}

#[test]
fn users_hear_of_their_own_devices_only() {
    let kurir = TestKurir::start();
    let (ani, token) = kurir.register("ani");
    let mut hers = Events::open(&kurir.with_token(&token));
    let mut all = Events::open(&kurir.owner());
    kurir.create_device("toko-1");
    kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": ani})).data(201);
    let first = hers.wait_type("device.created");
    assert_eq!(first["deviceId"], "ani-1", "the other device came before and was not told");
    assert_eq!(all.wait_type("device.created")["deviceId"], "toko-1");
    assert_eq!(all.wait_type("device.created")["deviceId"], "ani-1");
}

#[test]
fn the_stream_ends_with_the_token() {
    let kurir = TestKurir::options().env("JWT_SECRET", ACCESS_SECRET).start();
    let soon_over = signed(&claims(1, "admin", 15), ACCESS_SECRET);
    let mut events = Events::open(&kurir.with_token(&soon_over));
    events.wait_type("token-expired");
    assert!(events.ends_within(SOON));
}

/// A client that was away takes up where it stopped: no gap, no repeat, also over a restart.
#[test]
fn a_client_resumes_behind_the_last_event_it_saw() {
    let mut kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    let mut before = Events::open(&kurir.owner());
    let mut sent = Vec::new();
    let send = |kurir: &TestKurir, n: usize| {
        kurir.send("toko-1", FRIEND, &format!("nomor {n}"))["messageId"].clone()
    };
    let is_sent = |id: &Value| {
        let id = id.clone();
        move |data: &Value| data["type"] == "message.sent" && data["messageId"] == id
    };
    for n in 0..3 {
        sent.push(send(&kurir, n));
    }
    before.wait("the third message", is_sent(&sent[2]));
    let last = before.last_id().expect("events have ids");
    drop(before);
    for n in 3..6 {
        sent.push(send(&kurir, n));
    }
    kurir.restart();
    kurir.wait_connected("toko-1");
    for n in 6..9 {
        sent.push(send(&kurir, n));
    }
    let mut after = Events::resume(&kurir.owner(), Some(&last));
    after.wait("the ninth message", is_sent(&sent[8]));
    let told: Vec<Value> = after
        .seen
        .iter()
        .filter(|event| event.data["type"] == "message.sent")
        .map(|event| event.data["messageId"].clone())
        .collect();
    assert_eq!(told, sent[3..], "every message behind the last event, each once, in order");
    let ids: Vec<u64> = after.seen.iter().filter_map(|event| event.id.as_ref()?.parse().ok()).collect();
    assert!(
        ids.windows(2).all(|two| two[0] <= two[1])
            && ids.first().is_some_and(|first| *first > last.parse().expect("a number"))
    );
    // From nowhere: only what happens from now on, and a number of another installation is no reason to be silent.
    for odd in ["", "abc", "99999999999"] {
        let mut fresh = Events::resume(&kurir.owner(), Some(odd));
        let id = kurir.send("toko-1", FRIEND, "segar")["messageId"].clone();
        fresh.wait("what happens now", is_sent(&id));
        assert_eq!(
            fresh.seen.iter().filter(|event| event.data["type"] == "message.sent").count(),
            1,
            "`{odd}`"
        );
    }
}

/// Two readers of different speed both get everything.
#[test]
fn a_slow_reader_misses_nothing() {
    let kurir = TestKurir::start();
    let slow = Events::open(&kurir.owner());
    for n in 0..300 {
        kurir.create_device(&format!("device-{n:04}"));
    }
    let mut slow = slow;
    slow.wait("the last device", |data| data["deviceId"] == "device-0299");
    let told: Vec<_> = slow.seen.iter().filter(|event| event.data["type"] == "device.created").collect();
    assert_eq!(told.len(), 300);
    assert_eq!(told.iter().map(|event| event.id.clone()).collect::<HashSet<_>>().len(), 300);
}

#[test]
fn an_open_stream_does_not_hold_up_a_stop() {
    let mut kurir = TestKurir::start();
    let mut streams: Vec<Events> = (0..5).map(|_| Events::open(&kurir.owner())).collect();
    let took = kurir.stop();
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(streams.iter_mut().all(|stream| stream.ends_within(SOON)));
}
