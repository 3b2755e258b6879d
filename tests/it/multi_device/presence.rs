//! Who types and who is there: heard while one listens, by those whose device saw it, and never again.

use super::BASE;
use crate::support::{Events, Phones, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const ABSENT: &str = "6281211110000";

fn linked() -> (TestKurir, Phones) {
    TestKurir::linked(SHOP, &[ANI])
}

fn subscription(jid: &str) -> String {
    format!("{BASE}/devices/toko-1/chats/{jid}/presence/subscription")
}

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

fn of(events: &Events, kind: &str) -> usize {
    events.seen.iter().filter(|event| event.data["type"] == kind).count()
}

#[test]
fn only_people_can_be_followed_and_only_by_a_connected_device_of_ones_own() {
    let (kurir, _) = linked();
    let owner = kurir.owner();
    owner
        .put(&subscription("120363123456789012@g.us"), json!({}))
        .refused(400, "Format nomor telepon tidak valid");
    owner.put(&subscription(ABSENT), json!({})).refused(400, "Nomor tidak terdaftar di WhatsApp");
    let (_, token) = kurir.register("rudi");
    kurir.with_token(&token).put(&subscription(ANI), json!({})).expect(403);
    kurir.create_device("toko-2");
    let away = subscription(ANI).replace("toko-1", "toko-2");
    owner.put(&away, json!({})).refused(400, "WhatsApp tidak terhubung");
    owner.delete(&away).refused(400, "WhatsApp tidak terhubung");
}

#[test]
fn the_owner_hears_who_types_and_nobody_else_does() {
    let (kurir, phones) = linked();
    let (rudi, token) = kurir.register("rudi");
    let mut others = Events::open(&kurir.with_token(&token));
    let mut events = Events::open(&kurir.owner());
    for (shown, told) in [("typing", "composing"), ("recording", "recording"), ("paused", "paused")] {
        phones.show(ANI, json!({"to": SHOP, "state": shown}));
        let event = events.wait_type("chat.presence");
        assert_eq!((&event["state"], &event["deviceId"]), (&json!(told), &json!("toko-1")));
        assert_eq!((&event["chatJid"], &event["from"]), (&json!(person(ANI)), &json!(person(ANI))));
        assert!(event["timestamp"].is_string(), "{event}");
    }
    assert!(
        events
            .seen
            .iter()
            .filter(|event| event.data["type"] == "chat.presence")
            .all(|event| event.id.is_none()),
        "what is gone with the moment has no id to resume behind"
    );
    let body = json!({"deviceId": "rudi-1", "userId": rudi});
    kurir.owner().post(&format!("{BASE}/devices"), body).data(201);
    others.wait_type("device.created");
    assert_eq!(of(&others, "chat.presence"), 0, "it is not their device");
    // Whoever comes later hears nothing of it.
    let mut late = Events::resume(&kurir.owner(), Some("0"));
    late.wait("what is stored", |data| data["type"] == "device.created" && data["deviceId"] == "rudi-1");
    assert_eq!(of(&late, "chat.presence"), 0);
}

#[test]
fn in_a_group_it_is_told_who_types_by_number() {
    let (kurir, phones) = linked();
    for mode in ["pn", "lid"] {
        let group = phones.make_group(ANI, &[SHOP], mode);
        wait_for("the group", || {
            let groups = kurir.owner().get(&format!("{BASE}/devices/toko-1/groups")).data(200);
            groups.to_string().contains(&group).then_some(())
        });
        let mut events = Events::open(&kurir.owner());
        phones.show(ANI, json!({"to": group, "state": "typing"}));
        let event = events.wait_type("chat.presence");
        assert_eq!((&event["chatJid"], &event["from"]), (&json!(group), &json!(person(ANI))), "{mode}");
        assert!(event["fromLid"].as_str().is_some_and(|lid| lid.ends_with("@lid")), "{event}");
    }
}

#[test]
fn whom_a_device_follows_is_seen_coming_and_going_also_after_a_lost_connection() {
    let (mut kurir, phones) = linked();
    let owner = kurir.owner();
    let mut events = Events::open(&owner);
    let followed = owner.put(&subscription(ANI), json!({})).data(200);
    assert_eq!(followed["jid"], person(ANI));
    let lid = followed["lid"].as_str().expect("a hidden id").to_owned();
    let next = |events: &mut Events, presence: &str| -> Value {
        let event = events.wait_type("contact.presence");
        assert_eq!((&event["jid"], &event["lid"]), (&json!(person(ANI)), &json!(lid)), "{event}");
        assert_eq!(event["presence"], presence, "{event}");
        event
    };
    assert_eq!(next(&mut events, "unavailable")["lastSeen"], Value::Null, "never seen yet");
    phones.show(ANI, json!({"state": "available"}));
    next(&mut events, "available");
    phones.show(ANI, json!({"state": "unavailable"}));
    assert!(next(&mut events, "unavailable")["lastSeen"].as_str().is_some_and(|at| at.len() == 24));

    phones.fault(json!({"phone": SHOP, "dropConnection": true}));
    // The state comes anew once the device is back and has asked for it.
    next(&mut events, "unavailable");
    phones.show(ANI, json!({"state": "available"}));
    events.wait("her coming", |data| data["type"] == "contact.presence" && data["presence"] == "available");

    let gone = owner.delete(&subscription(&lid)).data(200);
    assert_eq!(gone["jid"], person(ANI), "both addresses lead to her");
    // Her coming may be told twice: the library asks for her after a reconnect as well.
    let goings = |events: &Events| {
        let of_her = events.seen.iter().filter(|event| event.data["type"] == "contact.presence");
        of_her.filter(|event| event.data["presence"] == "unavailable").count()
    };
    let before = goings(&events);
    phones.show(ANI, json!({"state": "unavailable"}));
    phones.show(ANI, json!({"to": SHOP, "state": "typing"}));
    events.wait_type("chat.presence");
    assert_eq!(goings(&events), before, "nobody follows her any more");

    // Following is for those who look: after a restart they ask again.
    kurir.restart();
    kurir.wait_connected("toko-1");
    let mut events = Events::open(&kurir.owner());
    kurir.owner().put(&subscription(&lid), json!({})).data(200);
    assert_eq!(events.wait_type("contact.presence")["jid"], person(ANI));
}
