//! How far a message came: pending, sent, delivered, read.

use crate::support::{Events, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const CUSTOMER: &str = "6281211110022";

fn status(kurir: &TestKurir, chat: &str, id: &Value) -> Value {
    let history = kurir.history("toko-1", chat);
    history.iter().find(|one| one["id"] == *id).map_or(Value::Null, |one| one["status"].clone())
}

#[test]
fn receipts_move_a_message_forward_in_the_chat_and_in_the_events() {
    let mut kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let mut events = Events::open(&kurir.owner());
    let id = kurir.send("toko-1", CUSTOMER, "sudah dibaca?")["messageId"].clone();
    events.wait("delivery", |data| data["type"] == "message.delivered" && data["messageId"] == id);
    assert_eq!(status(&kurir, CUSTOMER, &id), "delivered");
    phones.receipt(CUSTOMER, id.as_str().expect("an id"), "read");
    events.wait("reading", |data| data["type"] == "message.status" && data["status"] == "read");
    assert_eq!(status(&kurir, CUSTOMER, &id), "read");
    // A receipt that comes late takes nothing back.
    phones.receipt(CUSTOMER, id.as_str().expect("an id"), "delivered");
    let next = kurir.send("toko-1", CUSTOMER, "berikutnya")["messageId"].clone();
    events.wait("delivery of the next", |data| {
        data["type"] == "message.delivered" && data["messageId"] == next
    });
    assert_eq!(status(&kurir, CUSTOMER, &id), "read");
    let told: Vec<_> = events
        .seen
        .iter()
        .map(|event| &event.data)
        .filter(|data| data["type"] == "message.status" && data["messageId"] == id)
        .map(|data| data["status"].clone())
        .collect();
    // A receipt may overtake the acceptance, which is then not told any more.
    let steps: Vec<_> =
        ["sent", "delivered", "read"].into_iter().filter(|step| told.contains(&json!(step))).collect();
    assert_eq!(json!(told), json!(steps), "each step once and in order");
    assert!(steps.ends_with(&["delivered", "read"]), "{steps:?}");
    assert!(
        events
            .seen
            .iter()
            .filter(|event| event.data["messageId"] == id)
            .all(|event| event.data["to"] == CUSTOMER)
    );
    kurir.restart();
    assert_eq!(status(&kurir, CUSTOMER, &id), "read");
}

/// What the owner reads on the phone is read in Kurir, too.
#[test]
fn an_answer_counts_as_unread_until_somebody_reads_it() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(CUSTOMER);
    let first = phones.write(CUSTOMER, SHOP, "halo?");
    let second = phones.write(CUSTOMER, SHOP, "ada orang?");
    let unread = || {
        let chats = kurir.owner().get("/api/whatsapp-multi-device/devices/toko-1/chats").data(200);
        chats["chats"][0]["unreadCount"].clone()
    };
    wait_for("two unread", || (unread() == 2).then_some(()));
    phones.receipt(SHOP, &first, "read");
    wait_for("one unread", || (unread() == 1).then_some(()));
    phones.receipt(SHOP, &second, "read");
    wait_for("none unread", || (unread() == 0).then_some(()));
}
