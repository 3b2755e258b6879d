//! Two devices of one Kurir that talk to each other.

use super::BASE;
use crate::support::{TestKurir, wait_for};
use serde_json::{Value, json};

const ONE: &str = "6281211110011";
const TWO: &str = "6281211110022";

fn texts(kurir: &TestKurir, device: &str, chat: &str) -> Vec<(Value, Value)> {
    kurir
        .history(device, chat)
        .iter()
        .map(|one| (one["fromMe"].clone(), one["content"]["text"].clone()))
        .collect()
}

#[test]
fn two_devices_talk_to_each_other_and_keep_their_chats_apart() {
    let mut kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "satu", ONE);
    kurir.link(&kurir.phones(), "dua", TWO);
    let (mut of_one, mut of_two) = (Vec::new(), Vec::new());
    for round in 0..6 {
        if round == 3 {
            kurir.restart();
            kurir.wait_connected("satu");
            kurir.wait_connected("dua");
        }
        let (there, back) = (json!(format!("ke dua {round}")), json!(format!("ke satu {round}")));
        kurir.send("satu", TWO, there.as_str().expect("a text"));
        of_one.push((json!(true), there.clone()));
        of_two.push((json!(false), there));
        wait_for("the text at the second device", || (texts(&kurir, "dua", ONE) == of_two).then_some(()));
        kurir.send("dua", ONE, back.as_str().expect("a text"));
        of_one.push((json!(false), back.clone()));
        of_two.push((json!(true), back));
        wait_for("the answer at the first device", || (texts(&kurir, "satu", TWO) == of_one).then_some(()));
    }
    for (phone, other) in [(ONE, TWO), (TWO, ONE)] {
        let messages = wait_for("all twelve on the phone", || {
            let messages = kurir.phones().messages(phone);
            (messages.len() >= 12).then_some(messages)
        });
        assert_eq!(messages.len(), 12);
        assert!(messages.iter().all(|one| one["deliveries"] == 1 && one["chat"] == other), "{messages:?}");
    }
}

/// Many at once in both directions: everything arrives, once, and each sender's texts in their order.
#[test]
fn both_directions_at_once_lose_nothing() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "satu", ONE);
    kurir.link(&kurir.phones(), "dua", TWO);
    let job = |device: &str, to: &str| {
        let messages: Vec<Value> =
            (0..50).map(|n| json!({"to": to, "message": format!("{device} {n}")})).collect();
        let path = format!("{BASE}/devices/{device}/jobs/send-text");
        kurir.owner().post(&path, json!({"messages": messages, "delay": 0})).data(202)["jobId"].clone()
    };
    for id in [job("satu", TWO), job("dua", ONE)] {
        let ended = kurir.wait_job(id.as_str().expect("an id"), crate::support::SOON);
        assert_eq!(ended["progress"]["successCount"], 50, "{ended}");
    }
    for (device, chat, other) in [("satu", TWO, "dua"), ("dua", ONE, "satu")] {
        let wanted: Vec<Value> = (0..50).map(|n| json!(format!("{other} {n}"))).collect();
        wait_for("all incoming texts", || {
            let got: Vec<Value> = texts(&kurir, device, chat)
                .into_iter()
                .filter(|(mine, _)| mine == false)
                .map(|(_, text)| text)
                .collect();
            (got == wanted).then_some(())
        });
    }
}

/// What the owner writes on the phone itself shows in Kurir's chat.
#[test]
fn what_is_written_on_the_phone_shows_as_ones_own() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "satu", ONE);
    phones.write(ONE, TWO, "dari ponsel");
    wait_for("the copy", || {
        (texts(&kurir, "satu", TWO) == [(json!(true), json!("dari ponsel"))]).then_some(())
    });
    let chats = kurir.owner().get(&format!("{BASE}/devices/satu/chats")).data(200);
    assert_eq!(chats["chats"][0]["unreadCount"], 0);
}
