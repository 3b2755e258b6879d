//! What the phone had before it was linked, and what it is asked for later.

use super::BASE;
use crate::support::{Events, Phones, TestKurir, TestNetwork, wait_for};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const PHONE: &str = "6281211550011";
const FRIEND: &str = "6281211550022";
const DAY_MS: u64 = 86_400_000;

fn days_ago(days: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    now.as_millis() as u64 - days * DAY_MS
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["content"]["text"].as_str()).collect()
}

/// Waits until the phone has handed everything over, and returns how many messages were new.
fn handed_over(events: &mut Events) -> u64 {
    let mut messages = 0;
    loop {
        let part = events.wait_type("history.progress");
        messages += part["messages"].as_u64().expect("a number");
        if part["progress"] == 100 && part["kind"] == "recent" {
            return messages;
        }
    }
}

/// Links the phone, which has its history already.
fn connect(kurir: &TestKurir, phones: &Phones) {
    let connecting = kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/connect")).send().data(200);
    phones.scan(PHONE, connecting["qr"].as_str().expect("a QR"));
    kurir.wait_connected("toko-1");
}

#[test]
fn a_history_is_taken_over_as_it_stands_on_the_phone_and_only_once() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    phones.add(PHONE);
    phones.add(FRIEND);
    let chat = json!({
        "chat": FRIEND, "name": "Ani Wijaya", "unread": 2, "archived": true, "pinned": true, "mutedUntil": -1,
        "messages": [
            {"at": days_ago(5), "text": "pesan kopi dua"},
            {"at": days_ago(5) + 1000, "fromMe": true, "text": "siap"},
            {"at": days_ago(4), "text": "sudah sampai?"},
            {"at": days_ago(4) + 1000, "text": "halo?"},
        ],
    });
    phones.give_history(PHONE, json!({"chats": [chat]}));
    let mut events = Events::open(&kurir.owner());
    kurir.create_device("toko-1");
    connect(&kurir, &phones);
    assert_eq!(handed_over(&mut events), 4);
    assert_eq!(texts(&kurir.history("toko-1", FRIEND)), ["pesan kopi dua", "siap", "sudah sampai?", "halo?"]);
    let list = || kurir.owner().get(&format!("{BASE}/devices/toko-1/chats")).data(200)["chats"].clone();
    let shown = |chat: &Value| {
        ["name", "unreadCount", "archived", "pinned", "muted", "mutedUntil"].map(|key| chat[key].clone())
    };
    let expected = [json!("Ani Wijaya"), json!(2), json!(true), json!(true), json!(true), Value::Null];
    assert_eq!(shown(&list()[0]), expected);
    let found = kurir.owner().get(&format!("{BASE}/messages/search?q=kopi")).data(200);
    assert_eq!(found["total"], 1);
    let day = found["messages"][0]["timestamp"].as_i64().expect("a time");
    let totals = kurir.owner().get(&format!("{BASE}/user/statistics")).data(200);
    assert_eq!([&totals["messages"]["received"], &totals["messages"]["sent"]], [&json!(3), &json!(1)]);
    assert_eq!(totals["messages"]["today"], json!({"sent": 0, "received": 0}));
    assert!(day < days_ago(4) as i64);
    let news = kurir.owner().get("/api/notifications").data(200);
    assert!(!news.to_string().contains(FRIEND), "old messages are no news: {news}");

    // Linked once more, the phone hands the same over.
    kurir.owner().delete(&format!("{BASE}/devices/toko-1/disconnect")).expect(200);
    wait_for("the end of the link", || (kurir.status("toko-1")["isConnected"] == false).then_some(()));
    connect(&kurir, &phones);
    assert_eq!(handed_over(&mut events), 0);
    assert_eq!(kurir.history("toko-1", FRIEND).len(), 4);
    assert_eq!(shown(&list()[0]), expected);
    let kinds = events.seen.iter().filter(|event| event.data["type"] == "message.received").count();
    assert_eq!(kinds, 0, "nobody is told of each message");
}

#[test]
fn a_long_history_is_stored_as_it_streams_in() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    phones.add(PHONE);
    phones.give_history(PHONE, json!({"bulk": {"chats": 60, "messages": 50, "days": 60}}));
    let mut events = Events::open(&kurir.owner());
    kurir.create_device("toko-1");
    connect(&kurir, &phones);
    assert_eq!(handed_over(&mut events), 3_000);
    let totals = kurir.owner().get(&format!("{BASE}/user/statistics")).data(200);
    let count = |key: &str| totals["messages"][key].as_u64().expect("a number");
    assert_eq!(count("sent") + count("received"), 3_000);
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats?limit=100")).data(200);
    assert_eq!(chats["chats"].as_array().map(Vec::len), Some(60));
}

/// What has arrived is confirmed, and the phone does not hand it over again.
#[test]
fn a_part_that_arrived_before_a_crash_is_stored_after_it() {
    const CHATS: u64 = 80;
    const MESSAGES: u64 = 50;
    let network = TestNetwork::start();
    let mut kurir = TestKurir::options().network(&network).env("KURIR_LOG", "kurir=debug,warn").start();
    let phones = network.phones();
    phones.add(PHONE);
    phones.give_history(PHONE, json!({"bulk": {"chats": CHATS, "messages": MESSAGES, "days": 60}}));
    kurir.create_device("toko-1");
    connect(&kurir, &phones);
    let holds = |log: &str, words: &str, kind: &str| {
        log.lines().any(|line| line.contains(words) && line.contains(kind))
    };
    // The newest messages of all chats are the first part, the others the last one. Parts may overtake each other.
    let log = wait_for("all parts on disk", || {
        let log = kurir.log();
        let kept = |kind: &str| holds(&log, "kept a part of the phone's history", kind);
        (kept("kind=0") && kept("kind=3")).then_some(log)
    });
    kurir.kill9();
    assert!(
        !holds(&log, "stored a part of the phone's history", "kind=3"),
        "too late to see anything: {log}"
    );
    kurir.launch();
    wait_for("the whole history", || {
        let totals = kurir.owner().get(&format!("{BASE}/user/statistics")).data(200);
        let count = |key: &str| totals["messages"][key].as_u64().expect("a number");
        (count("sent") + count("received") == CHATS * MESSAGES).then_some(())
    });
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats?limit=100")).data(200);
    assert_eq!(chats["chats"].as_array().map(Vec::len), Some(CHATS as usize));
}

#[test]
fn the_phone_is_asked_for_what_is_older_than_its_history() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    phones.add(PHONE);
    phones.add(FRIEND);
    let old = (0..60).map(|n| json!({"at": days_ago(400) + n * 1000, "text": format!("lama {n}")}));
    let recent = json!({"at": days_ago(1), "text": "baru"});
    let messages: Vec<Value> = old.chain([recent]).collect();
    phones.give_history(PHONE, json!({"chats": [{"chat": FRIEND, "messages": messages}]}));
    let mut events = Events::open(&kurir.owner());
    kurir.create_device("toko-1");
    connect(&kurir, &phones);
    handed_over(&mut events);
    let before = kurir.history("toko-1", FRIEND).len();
    assert!(before < 61, "the phone does not hand over what is too old: {before}");
    let path = format!("{BASE}/devices/toko-1/chat-history/{FRIEND}?limit=100");
    let asked = kurir.owner().get(&format!("{path}&source=whatsapp&waitSeconds=60"));
    assert_eq!(asked.json()["message"], "Chat history berhasil diambil langsung dari WhatsApp");
    let asked = asked.data(200);
    assert_eq!((&asked["total"], &asked["messages"][60]["content"]["text"]), (&json!(61), &json!("lama 0")));
    let stored = kurir.owner().get(&format!("{path}&source=store"));
    assert_eq!(stored.json()["message"], "Chat history berhasil diambil dari store");
    assert_eq!(stored.data(200)["total"], 61);
    // The history of others is asked for as little as it is shown.
    let (_, budi) = kurir.register("budi");
    kurir
        .with_token(&budi)
        .get(&format!("{path}&source=whatsapp"))
        .refused(403, "Anda tidak punya akses ke device ini");
    // Without a connection the store answers.
    kurir.owner().delete(&format!("{BASE}/devices/toko-1/disconnect?logout=false")).expect(200);
    wait_for("the end of the connection", || (kurir.status("toko-1")["isConnected"] == false).then_some(()));
    let offline = kurir.owner().get(&format!("{path}&source=server&before=none")).status;
    assert_eq!(offline, 400);
    let offline = kurir.owner().get(&format!("{path}&source=server")).data(200);
    assert_eq!(offline["total"], 61);
}

#[test]
fn a_phone_hands_over_a_year_when_that_is_asked_for() {
    for kind in ["recent", "full"] {
        let config = format!("[whatsapp]\nhistory_sync = \"{kind}\"\n");
        let kurir = TestKurir::options().config(&config).start();
        let phones = kurir.phones();
        phones.add(PHONE);
        phones.add(FRIEND);
        let old = (0..60).map(|n| json!({"at": days_ago(300) + n * 1000, "text": format!("lama {n}")}));
        let messages: Vec<Value> = old.chain([json!({"at": days_ago(1), "text": "baru"})]).collect();
        phones.give_history(PHONE, json!({"chats": [{"chat": FRIEND, "messages": messages}]}));
        let mut events = Events::open(&kurir.owner());
        kurir.create_device("toko-1");
        connect(&kurir, &phones);
        let is_last = |event: &Value| event["kind"] == kind && event["progress"] == 100;
        events.wait("the end of the history", is_last);
        let got = kurir.history("toko-1", FRIEND).len();
        assert_eq!(got == 61, kind == "full", "{kind}: {got}");
    }
}

#[test]
fn without_a_source_the_phone_is_asked_until_it_has_nothing_older() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    phones.add(PHONE);
    phones.add(FRIEND);
    let old = (0..40).map(|n| json!({"at": days_ago(400) + n * 1000, "text": format!("lama {n}")}));
    let messages: Vec<Value> = old.chain([json!({"at": days_ago(1), "text": "baru"})]).collect();
    phones.give_history(PHONE, json!({"chats": [{"chat": FRIEND, "messages": messages}]}));
    let mut events = Events::open(&kurir.owner());
    kurir.create_device("toko-1");
    connect(&kurir, &phones);
    handed_over(&mut events);
    assert!(kurir.history("toko-1", FRIEND).len() < 41, "the phone does not hand over what is too old");
    let path = format!("{BASE}/devices/toko-1/chat-history/{FRIEND}");
    let ask = |query: &str| {
        let reply = kurir.owner().get(&format!("{path}?{query}"));
        let from = reply.json()["message"].as_str().unwrap_or_default().to_owned();
        (from, reply.data(200)["total"].as_u64().expect("a number"))
    };
    let (store, phone) =
        ("Chat history berhasil diambil dari store", "Chat history berhasil diambil langsung dari WhatsApp");
    assert_eq!(ask("limit=1"), (store.into(), 1), "the store has as many as asked for");
    wait_for("the older messages", || (ask("source=auto&limit=100").1 == 41).then_some(()));
    // Once more about what is oldest now; then it is known that there is nothing.
    wait_for("the word that there is nothing older", || {
        (ask("limit=100") == (store.into(), 41)).then_some(())
    });
    assert_eq!(ask("source=whatsapp&limit=100"), (phone.into(), 41), "who insists asks the phone");
}
