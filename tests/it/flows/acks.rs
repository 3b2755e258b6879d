//! Acknowledgements that are lost, late or negative.

use super::BASE;
use crate::support::{Events, TestKurir, wait_for};
use serde_json::json;

const SHOP: &str = "6281211110011";
const CUSTOMER: &str = "6281211110022";

#[test]
fn a_text_whose_ack_was_lost_is_sent_again_under_the_same_id() {
    let kurir = TestKurir::options().config("[queue]\nack_within = \"5s\"\n").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.fault(json!({"phone": SHOP, "lostAck": true, "count": 1}));
    let sent = kurir.send("toko-1", CUSTOMER, "sekali saja");
    assert_eq!(sent["status"], "sent");
    let stats = phones.stats();
    assert_eq!((&stats["messages"], &stats["resends"]), (&json!(1), &json!(1)));
    kurir.send("toko-1", CUSTOMER, "sesudahnya");
    phones.wait_text(CUSTOMER, "sesudahnya");
    let seen: Vec<_> = phones
        .received(CUSTOMER)
        .iter()
        .map(|one| (one["text"].clone(), one["deliveries"].clone()))
        .collect();
    assert_eq!(seen, [(json!("sekali saja"), json!(1)), (json!("sesudahnya"), json!(1))]);
    assert_eq!(phones.wait_text(CUSTOMER, "sekali saja")["id"], sent["messageId"]);
    assert_eq!(kurir.history("toko-1", CUSTOMER).len(), 2);
}

#[test]
fn a_text_that_is_never_acknowledged_fails_with_a_sentence() {
    let kurir = TestKurir::options().config("[queue]\nack_within = \"5s\"\nattempts = 2\n").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.fault(json!({"phone": SHOP, "lostAck": true}));
    let path = format!("{BASE}/devices/toko-1/send-message");
    let reply = kurir.owner().post(&path, json!({"to": CUSTOMER, "message": "tanpa jawaban"}));
    assert_eq!(
        (reply.status, &reply.json()["message"]),
        (500, &json!("WhatsApp tidak menjawab pada waktunya"))
    );
    phones.no_faults();
    kurir.send("toko-1", CUSTOMER, "jalan lagi");
    let history = kurir.history("toko-1", CUSTOMER);
    let states: Vec<_> = history.iter().map(|one| one["status"].as_str().unwrap_or("?").to_owned()).collect();
    // The phone got it all the same and said so, which is stronger than a missing acknowledgement.
    assert!(matches!(states[0].as_str(), "failed" | "delivered"), "{states:?}");
}

#[test]
fn a_late_ack_is_answered_as_accepted_and_told_later() {
    let kurir = TestKurir::options().config("[queue]\nanswer_within = \"300ms\"\n").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.fault(json!({"phone": SHOP, "delayedAckMs": 2000, "count": 1}));
    let mut events = Events::open(&kurir.owner());
    let path = format!("{BASE}/devices/toko-1/send-message");
    let reply = kurir.owner().post(&path, json!({"to": CUSTOMER, "message": "pelan"}));
    let data = reply.data(202);
    assert_eq!(
        (&data["status"], &reply.json()["message"]),
        (&json!("pending"), &json!("Pesan diterima dan sedang dikirim"))
    );
    assert_eq!(kurir.history("toko-1", CUSTOMER)[0]["id"], data["messageId"]);
    events.wait("the acceptance", |event| {
        event["type"] == "message.sent" && event["messageId"] == data["messageId"]
    });
    assert_eq!(phones.wait_text(CUSTOMER, "pelan")["deliveries"], 1);
}

#[test]
fn a_refused_text_fails_for_good_and_a_busy_network_is_asked_again() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let path = format!("{BASE}/devices/toko-1/send-message");
    phones.fault(json!({"phone": SHOP, "refuse": 403, "count": 1}));
    let reply = kurir.owner().post(&path, json!({"to": CUSTOMER, "message": "ditolak"}));
    assert_eq!((reply.status, &reply.json()["message"]), (500, &json!("WhatsApp menolak pesan (kode 403)")));
    let mut events = Events::open(&kurir.owner());
    for code in [429, 503] {
        phones.fault(json!({"phone": SHOP, "refuse": code, "count": 1}));
        let text = format!("dicoba lagi setelah {code}");
        let sent = kurir.send("toko-1", CUSTOMER, &text);
        assert_eq!(phones.wait_text(CUSTOMER, &text)["id"], sent["messageId"]);
        events.wait("the acceptance", |event| {
            event["type"] == "message.sent" && event["messageId"] == sent["messageId"]
        });
    }
    assert!(phones.received(CUSTOMER).iter().all(|one| one["text"] != "ditolak"));
    let history = kurir.history("toko-1", CUSTOMER);
    assert_eq!(
        (&history[0]["status"], &history[0]["error"]),
        (&json!("failed"), &json!("WhatsApp menolak pesan (kode 403)"))
    );
}

/// Nothing moves on the connection for a while, as behind a stalled disk; then everything goes on.
#[test]
fn a_stalled_connection_delays_and_does_not_lose() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    kurir.send("toko-1", CUSTOMER, "sebelum");
    assert_eq!(phones.fault(json!({"phone": SHOP, "pauseMs": 2000})), 1);
    let texts: Vec<String> = (0..10).map(|n| format!("selama {n}")).collect();
    let messages: Vec<_> = texts.iter().map(|text| json!({"to": CUSTOMER, "message": text})).collect();
    let path = format!("{BASE}/devices/toko-1/send-message");
    let data = kurir.owner().post(&path, json!({"messages": messages, "delay": 0})).data(200);
    assert_eq!(data["successCount"], 10);
    wait_for("all of them", || (phones.received(CUSTOMER).len() == 11).then_some(()));
    assert!(phones.received(CUSTOMER).iter().all(|one| one["deliveries"] == 1));
}

#[test]
fn a_bulk_that_takes_too_long_is_answered_as_accepted_and_goes_on() {
    let kurir = TestKurir::options().config("[queue]\nbulk_answer_within = \"300ms\"\n").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.fault(json!({"phone": SHOP, "delayedAckMs": 2000}));
    let body = json!({"delay": 0, "messages": [
        {"to": CUSTOMER, "message": "satu"}, {"to": "12345", "message": "x"}, {"to": CUSTOMER, "message": "dua"},
    ]});
    let ask = || {
        let call = kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/send-message"));
        call.header("idempotency-key", "pelan").json(&body).send()
    };
    let early = ask();
    let data = early.data(202);
    assert_eq!(early.json()["message"], "Bulk diterima dan masih dikirim. 0 berhasil, 1 gagal sejauh ini");
    let states = |data: &serde_json::Value| {
        [0, 1, 2].map(|n| data["results"][n]["status"].as_str().expect("a state").to_owned())
    };
    assert_eq!(states(&data), ["pending", "error", "pending"]);
    phones.no_faults();
    // The same request asks how it went on.
    let late = wait_for("the end of the bulk", || Some(ask()).filter(|reply| reply.status == 200));
    let done = late.data(200);
    assert_eq!(late.json()["message"], "Bulk kirim selesai. 2 berhasil, 1 gagal");
    assert_eq!(states(&done), ["success", "error", "success"]);
    for n in [0, 2] {
        assert_eq!(done["results"][n]["messageId"], data["results"][n]["messageId"]);
    }
    assert_eq!(phones.received(CUSTOMER).len(), 2);
}

#[test]
fn a_bulk_ends_with_its_device() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let api = kurir.owner();
    let waiting = std::thread::spawn(move || {
        let messages = json!([{"to": CUSTOMER, "message": "satu"}, {"to": CUSTOMER, "message": "dua"}]);
        let path = format!("{BASE}/devices/toko-1/send-message");
        api.post(&path, json!({"messages": messages, "delay": 3600}))
    });
    phones.wait_text(CUSTOMER, "satu");
    wait_for("the first text to be settled", || {
        let history = kurir.history("toko-1", CUSTOMER);
        history.iter().any(|one| one["status"] != "pending").then_some(())
    });
    kurir.owner().delete(&format!("{BASE}/devices/toko-1")).expect(200);
    let data = waiting.join().expect("the request ends").data(200);
    assert_eq!([&data["successCount"], &data["errorCount"]], [&json!(1), &json!(1)]);
    assert_eq!(data["results"][1]["error"], "Pengiriman dibatalkan");
}
