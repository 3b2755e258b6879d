//! What is set for everybody in a chat: pinned messages and the disappearing timer.

use super::BASE;
use crate::support::{Events, Phones, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";

fn linked() -> (TestKurir, Phones) {
    TestKurir::linked(SHOP, &[ANI])
}

fn chat(below: &str) -> String {
    format!("{BASE}/devices/toko-1/chats/{ANI}/{below}")
}

fn pin(id: &str) -> String {
    chat(&format!("messages/{id}/pin"))
}

fn id_of(sent: &Value) -> String {
    assert_eq!(sent["status"], "sent", "{sent}");
    sent["messageId"].as_str().expect("an id").to_owned()
}

fn shown(kurir: &TestKurir, id: &str) -> Value {
    let found = kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == id);
    found.unwrap_or_else(|| panic!("{id} in the history"))
}

fn timer(kurir: &TestKurir) -> Value {
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats")).data(200);
    let chats = chats["chats"].as_array().or(chats.as_array()).expect("chats").clone();
    let own = chats.into_iter().find(|chat| chat["jid"].as_str().is_some_and(|jid| jid.starts_with(ANI)));
    own.expect("the chat")["expiresInSeconds"].clone()
}

#[test]
fn a_message_is_pinned_for_everyone_and_taken_down() {
    let (kurir, phones) = linked();
    let mut events = Events::open(&kurir.owner());
    let id = id_of(&kurir.send("toko-1", ANI, "alamat toko"));
    let pinned = id_of(&kurir.owner().put(&pin(&id), json!({"seconds": 86_400})).data(200));
    let on_phone = phones.wait_message(ANI, &pinned);
    assert_eq!(on_phone["type"], "pin", "{on_phone}");
    assert_eq!((&on_phone["target"], &on_phone["pinS"]), (&json!(id), &json!(86_400)));
    let told = events.wait_type("message.pinned");
    assert_eq!(
        (&told["messageId"], &told["pinned"], &told["byMe"]),
        (&json!(id), &json!(true), &json!(true))
    );
    let message = shown(&kurir, &id);
    let (at, until) = (message["timestamp"].as_i64(), message["pinnedUntil"].as_i64());
    assert!(until.zip(at).is_some_and(|(until, at)| until >= at + 86_400_000), "{message}");

    let down = id_of(&kurir.owner().delete(&pin(&id)).data(200));
    let on_phone = phones.wait_message(ANI, &down);
    assert_eq!((&on_phone["target"], &on_phone["pinS"]), (&json!(id), &json!(0)));
    assert_eq!(shown(&kurir, &id)["pinnedUntil"], Value::Null);
    assert_eq!(kurir.history("toko-1", ANI).len(), 1, "pins are no messages of the chat");
}

#[test]
fn what_others_pin_is_shown() {
    let (kurir, phones) = linked();
    let id = phones.write(ANI, SHOP, "nomor rekening");
    wait_for("the text", || kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == id));
    phones.write_as(ANI, json!({"to": SHOP, "pin": {"id": id, "seconds": 604_800}}));
    wait_for("the pin", || shown(&kurir, &id)["pinnedUntil"].as_i64());
    phones.write_as(ANI, json!({"to": SHOP, "pin": {"id": id, "seconds": 0}}));
    wait_for("the end of the pin", || shown(&kurir, &id)["pinnedUntil"].is_null().then_some(()));
}

#[test]
fn the_timer_of_a_conversation_is_set_for_both_sides() {
    let (kurir, phones) = linked();
    let mut events = Events::open(&kurir.owner());
    let before = id_of(&kurir.send("toko-1", ANI, "tetap"));
    let set = |seconds: u32| {
        let body = json!({"expiresInSeconds": seconds});
        let id = id_of(&kurir.owner().put(&chat("timer"), body).data(200));
        let on_phone = phones.wait_message(ANI, &id);
        assert_eq!((&on_phone["type"], &on_phone["expirationS"]), (&json!("timer"), &json!(seconds)));
    };
    set(604_800);
    let told = events.wait_type("chat.timer");
    assert_eq!((&told["expiresInSeconds"], &told["by"]), (&json!(604_800), &Value::Null));
    assert_eq!(timer(&kurir), 604_800);
    let later = id_of(&kurir.send("toko-1", ANI, "sepekan"));
    assert_eq!(phones.wait_message(ANI, &later)["expirationS"], 604_800);
    assert_eq!(shown(&kurir, &later)["expiresInSeconds"], 604_800);
    assert_eq!(shown(&kurir, &before)["expiresInSeconds"], Value::Null);
    set(0);
    let last = id_of(&kurir.send("toko-1", ANI, "tetap lagi"));
    assert_eq!(phones.wait_message(ANI, &last)["expirationS"], Value::Null);
    assert_eq!(timer(&kurir), 0);
}

#[test]
fn what_whatsapp_does_not_offer_is_refused() {
    let (kurir, _) = linked();
    let owner = kurir.owner();
    let id = id_of(&kurir.send("toko-1", ANI, "halo"));
    for seconds in [0, 60] {
        let reply = owner.put(&pin(&id), json!({"seconds": seconds}));
        reply.refused(400, "seconds harus 86400, 604800 atau 2592000");
    }
    owner.put(&pin("3EB0"), json!({})).refused(404, "Pesan tidak ditemukan");
    owner.delete(&pin("3EB0")).refused(404, "Pesan tidak ditemukan");
    owner
        .put(&chat("timer"), json!({"expiresInSeconds": 60}))
        .refused(400, "expiresInSeconds harus 0, 86400, 604800 atau 7776000");
    let group = format!("{BASE}/devices/toko-1/chats/120363123456789012@g.us/timer");
    owner
        .put(&group, json!({"expiresInSeconds": 0}))
        .refused(400, "Pesan sementara grup diatur dengan ephemeralSeconds di pengaturan grup");
    let (_, token) = kurir.register("rudi");
    let rudi = kurir.with_token(&token);
    rudi.put(&pin(&id), json!({})).expect(403);
    rudi.put(&chat("timer"), json!({"expiresInSeconds": 0})).expect(403);
}
