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
