//! Ways in which a connection ends, what is told about it, and what happens next.

use super::BASE;
use crate::support::{Events, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const CUSTOMER: &str = "6281211110022";

fn linked() -> TestKurir {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    kurir
}

fn shown(kurir: &TestKurir, lang: &str) -> Value {
    let call = kurir.owner().call("GET", &format!("{BASE}/devices/toko-1"));
    call.header("accept-language", lang).send().data(200)
}

/// Checks that the device still works: it sends, and the customer's phone has it once.
fn works(kurir: &TestKurir, text: &str) {
    kurir.send("toko-1", CUSTOMER, text);
    assert_eq!(kurir.phones().wait_text(CUSTOMER, text)["deliveries"], 1);
}

#[test]
fn a_logout_from_the_phone_is_told_in_both_languages_and_needs_a_new_qr() {
    let mut kurir = linked();
    let mut events = Events::open(&kurir.owner());
    let companion = kurir.phones().view(SHOP)["companions"][0]["device"].as_u64().expect("a number");
    kurir.phones().unlink(SHOP, companion);
    let told = events
        .wait("the logout", |data| data["type"] == "whatsapp-status" && data["status"] == "disconnected");
    assert_eq!((&told["reason"], &told["isConnected"]), (&json!("logged_out"), &json!(false)));
    let id = "Device dilepas dari ponsel. Tautkan lagi dengan QR atau pairing code";
    let en = "The device was unlinked from the phone. Link it again with a QR or pairing code";
    for _ in 0..2 {
        for (lang, words) in [("id", id), ("en", en)] {
            let device = shown(&kurir, lang);
            assert_eq!(
                [&device["status"], &device["reason"], &device["statusMessage"]],
                [&json!("disconnected"), &json!("logged_out"), &json!(words)]
            );
            assert_eq!(device["isLinked"], false);
        }
        // It stays so: no start connects what is not linked.
        kurir.restart();
    }
    let body = json!({"to": CUSTOMER, "message": "x"});
    kurir
        .owner()
        .post(&format!("{BASE}/devices/toko-1/send-message"), body)
        .refused(400, "WhatsApp tidak terhubung");
    let qr =
        kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/connect")).send().data(200)["qr"].clone();
    kurir.phones().scan(SHOP, qr.as_str().expect("a new QR"));
    kurir.wait_connected("toko-1");
    assert_eq!(shown(&kurir, "id")["reason"], Value::Null, "the trouble is over");
    works(&kurir, "tertaut lagi");
}

#[test]
fn a_stream_error_and_a_broken_connection_are_healed_without_a_person() {
    let kurir = linked();
    let mut events = Events::open(&kurir.owner());
    for (round, fault) in [
        json!({"phone": SHOP, "streamError": 515}),
        json!({"phone": SHOP, "dropConnection": true}),
        json!({"phone": SHOP, "streamError": 503}),
    ]
    .into_iter()
    .enumerate()
    {
        let accepted = kurir.phones().stats()["accepted"].as_u64().expect("a number");
        assert_eq!(kurir.phones().fault(fault.clone()), 1, "{fault}");
        wait_for(&format!("a new connection after {fault}"), || {
            (kurir.phones().stats()["accepted"].as_u64() > Some(accepted)).then_some(())
        });
        wait_for(&format!("the device to work again after {fault}"), || {
            let body = json!({"to": CUSTOMER, "message": format!("putaran {round}")});
            let reply = kurir.owner().post(&format!("{BASE}/devices/toko-1/send-message"), body);
            (reply.status == 200).then_some(())
        });
        let text = format!("putaran {round}");
        assert_eq!(kurir.phones().wait_text(CUSTOMER, &text)["deliveries"], 1);
        assert_eq!(shown(&kurir, "id")["status"], "connected");
    }
    events
        .wait("the reconnection", |data| data["type"] == "whatsapp-status" && data["status"] == "connected");
    let companions = kurir.phones().view(SHOP)["companions"].clone();
    assert_eq!(companions.as_array().map(Vec::len), Some(1));
}

#[test]
fn messages_that_were_in_flight_when_the_connection_broke_arrive_once() {
    let kurir = linked();
    let phones = kurir.phones();
    let messages: Vec<Value> =
        (0..40).map(|n| json!({"to": CUSTOMER, "message": format!("nomor {n}")})).collect();
    let path = format!("{BASE}/devices/toko-1/jobs/send-text");
    let job = kurir.owner().post(&path, json!({"messages": messages, "delay": 0})).data(202)["jobId"].clone();
    for n in [5, 15, 25] {
        phones.wait_text(CUSTOMER, &format!("nomor {n}"));
        phones.fault(json!({"phone": SHOP, "dropConnection": true}));
    }
    let ended = kurir.wait_job(job.as_str().expect("an id"), crate::support::SOON * 2);
    assert_eq!(ended["progress"]["successCount"], 40, "{ended}");
    phones.wait_text(CUSTOMER, "nomor 39");
    let seen: Vec<_> = phones
        .received(CUSTOMER)
        .iter()
        .map(|one| (one["text"].clone(), one["deliveries"].clone()))
        .collect();
    let wanted: Vec<_> = (0..40).map(|n| (json!(format!("nomor {n}")), json!(1))).collect();
    assert_eq!(seen, wanted);
}

#[test]
fn a_temporary_ban_says_until_when() {
    let kurir = linked();
    let mut events = Events::open(&kurir.owner());
    kurir
        .phones()
        .fault(json!({"phone": SHOP, "loginFailure": {"reason": 402, "code": 101, "expire": 3600}}));
    kurir.phones().fault(json!({"dropConnection": true}));
    let told = events.wait("the ban", |data| data["type"] == "whatsapp-status" && data["reason"] == "banned");
    assert_eq!(told["isConnected"], false);
    let device = shown(&kurir, "en");
    assert_ne!(device["status"], "connected");
    let words = device["statusMessage"].as_str().expect("words");
    assert!(words.starts_with("WhatsApp has blocked this number temporarily until "), "{words}");
    assert!(words.contains(" (Jakarta time)"), "{words}");
    assert_eq!(told["bannedUntil"], device["bannedUntil"]);
    assert!(device["bannedUntil"].as_str().is_some_and(|until| until.ends_with('Z')), "{device}");
    assert_eq!(device["isLinked"], true, "the link is still there");
    // The ban ends; the owner connects again without a QR.
    kurir.phones().no_faults();
    kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/connect")).send().data(200);
    kurir.wait_connected("toko-1");
    works(&kurir, "boleh lagi");
}

#[test]
fn a_session_that_is_used_elsewhere_does_not_fight_for_it() {
    let kurir = linked();
    let mut events = Events::open(&kurir.owner());
    kurir.phones().fault(json!({"phone": SHOP, "conflict": "replaced"}));
    events.wait("the conflict", |data| data["type"] == "whatsapp-status" && data["reason"] == "replaced");
    let device = shown(&kurir, "en");
    assert_eq!((&device["status"], &device["isLinked"]), (&json!("disconnected"), &json!(true)));
    assert!(
        device["statusMessage"]
            .as_str()
            .is_some_and(|words| words.starts_with("Another connection uses this session"))
    );
    kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/connect")).send().data(200);
    kurir.wait_connected("toko-1");
    works(&kurir, "kembali ke sini");
}
