//! Messages beyond text that go out: places, cards, polls, answers, reactions, edits, deletions, forwards.

use super::BASE;
use crate::support::{Phones, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";

fn linked() -> (TestKurir, Phones) {
    TestKurir::linked(SHOP, &[ANI, BUDI])
}

fn path(below: &str) -> String {
    format!("{BASE}/devices/toko-1/{below}")
}

fn about(chat: &str, id: &str, verb: &str) -> String {
    path(&format!("chats/{chat}/messages/{id}{verb}"))
}

fn id_of(sent: &Value) -> String {
    assert_eq!(sent["status"], "sent", "{sent}");
    sent["messageId"].as_str().expect("an id").to_owned()
}

fn on_phone(phones: &Phones, number: &str, id: &str) -> Value {
    wait_for(&format!("message {id} on phone {number}"), || {
        phones.messages(number).into_iter().find(|message| message["id"] == id)
    })
}

fn in_history(kurir: &TestKurir, chat: &str, id: &str) -> Value {
    let found = kurir.history("toko-1", chat).into_iter().find(|message| message["id"] == id);
    found.unwrap_or_else(|| panic!("{id} in the history of {chat}"))
}

#[test]
fn what_cannot_be_sent_is_refused_in_words() {
    let (kurir, _) = linked();
    let owner = kurir.owner();
    let place = json!({"latitude": 1, "longitude": 2});
    let with = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    for (route, body, message) in [
        ("send-location", json!({"to": ANI}), "latitude dan longitude wajib diisi"),
        ("send-location", place.clone(), "Nomor tujuan wajib diisi"),
        ("send-location", json!({"to": ANI, "latitude": 91, "longitude": 2}), "latitude tidak valid"),
        ("send-location", with(place.clone(), "to", json!("123")), "Format nomor telepon tidak valid"),
        (
            "send-location",
            json!({"to": ANI, "latitude": 1, "longitude": 2, "quotedMessageId": "3EB0"}),
            "Pesan tidak ditemukan",
        ),
        ("send-contact", json!({"to": ANI, "contacts": []}), "contacts wajib berisi"),
        ("send-contact", json!({"to": ANI, "contacts": [{"phone": BUDI}]}), "Nama kontak wajib diisi"),
        ("send-contact", json!({"to": ANI, "contacts": [{"vcard": "x"}]}), "vcard tidak valid"),
        ("send-poll", json!({"to": ANI, "question": "?"}), "question dan options wajib diisi"),
        ("send-poll", json!({"to": ANI, "question": "?", "options": ["Ya"]}), "options tidak valid"),
        (
            "send-poll",
            json!({"to": ANI, "question": "?", "options": ["Ya", "Tidak"], "selectableCount": 3}),
            "selectableCount tidak valid",
        ),
    ] {
        let reply = owner.post(&path(route), body.clone());
        let status = if message == "Pesan tidak ditemukan" { 404 } else { 400 };
        assert_eq!(reply.status, status, "{route} {body}: {}", reply.text());
        let said = reply.json()["message"].as_str().unwrap_or_default().to_owned();
        assert!(said.starts_with(message), "{route} {body}: {said}");
    }
    for verb in ["/reply", "/reaction", "/forward"] {
        let body = json!({"message": "x", "emoji": "👍", "to": BUDI});
        owner.post(&about(ANI, "3EB0", verb), body).refused(404, "Pesan tidak ditemukan");
    }
    owner.delete(&about(ANI, "3EB0", "")).refused(404, "Pesan tidak ditemukan");
    let (user, token) = kurir.register("rudi");
    owner.post(&format!("{BASE}/devices"), json!({"deviceId": "rudi-1", "userId": user})).data(201);
    let rudi = kurir.with_token(&token);
    rudi.post(&path("send-location"), with(place.clone(), "to", json!(ANI))).expect(403);
    let group = json!("120363123456789012@g.us");
    rudi.post(&format!("{BASE}/devices/rudi-1/send-location"), with(place, "to", group))
        .refused(403, "Admin only");
}

#[test]
fn places_and_cards_arrive_as_what_they_are() {
    let (kurir, phones) = linked();
    let place = json!({"latitude": -6.1754, "longitude": 106.8272, "name": "Monas", "address": "Jakarta"});
    let mut body = place.clone();
    body["to"] = json!(ANI);
    let id = id_of(&kurir.owner().post(&path("send-location"), body).data(200));
    let shown = on_phone(&phones, ANI, &id);
    assert_eq!(shown["type"], "location");
    for (field, value) in place.as_object().expect("a place") {
        assert_eq!(&shown["location"][field], value);
    }
    assert_eq!(in_history(&kurir, ANI, &id)["content"]["location"], place);

    let contacts = json!([{"name": "Budi; Jaya", "phone": "081211110033", "organization": "Toko"}]);
    let sent = kurir.owner().post(&path("send-contact"), json!({"phone": ANI, "contacts": contacts}));
    let id = id_of(&sent.data(200));
    let card = &on_phone(&phones, ANI, &id)["contacts"][0];
    assert_eq!(card["name"], "Budi; Jaya");
    assert!(card["vcard"].as_str().is_some_and(|card| card.contains("waid=6281211110033:+6281211110033")));
    assert_eq!(in_history(&kurir, ANI, &id)["content"]["contacts"][0]["phones"], json!([BUDI]));
}

#[test]
fn a_poll_of_ours_is_voted_in() {
    let (kurir, phones) = linked();
    let body = json!({"to": ANI, "question": "Kirim kapan?", "options": ["Pagi", "Sore"]});
    let id = id_of(&kurir.owner().post(&path("send-poll"), body).data(200));
    let shown = on_phone(&phones, ANI, &id);
    assert_eq!(
        shown["poll"],
        json!({"question": "Kirim kapan?", "options": ["Pagi", "Sore"], "selectable": 1})
    );
    phones.write_as(ANI, json!({"to": SHOP, "vote": {"id": id, "options": ["Sore"]}}));
    let poll = wait_for("the vote", || {
        let poll = in_history(&kurir, ANI, &id)["content"]["poll"].clone();
        (poll["voters"] == 1).then_some(poll)
    });
    assert_eq!(
        poll["options"][1],
        json!({"name": "Sore", "votes": 1, "voters": [format!("{ANI}@s.whatsapp.net")]})
    );
}

#[test]
fn a_message_is_answered_reacted_to_rewritten_and_deleted() {
    let (kurir, phones) = linked();
    let owner = kurir.owner();
    let question = phones.write(ANI, SHOP, "jam berapa buka?");
    wait_for("the question", || {
        kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == question)
    });
    let ours = id_of(&owner.post(&about(ANI, &question, "/reply"), json!({"message": "jam 9"})).data(200));
    let shown = on_phone(&phones, ANI, &ours);
    assert_eq!((&shown["text"], &shown["target"]), (&json!("jam 9"), &json!(question)));
    let stored = in_history(&kurir, ANI, &ours);
    assert_eq!(stored["quoted"]["text"], "jam berapa buka?");

    owner
        .post(&about(ANI, &question, "/reaction"), json!({"emoji": "oke"}))
        .refused(400, "emoji harus satu emoji");
    let liked = id_of(&owner.post(&about(ANI, &question, "/reaction"), json!({"emoji": "🙏"})).data(200));
    let shown = on_phone(&phones, ANI, &liked);
    assert_eq!((&shown["type"], &shown["text"]), (&json!("reaction"), &json!("🙏")));
    assert_eq!(shown["target"], question);
    assert_eq!(in_history(&kurir, ANI, &question)["reactions"][0]["fromMe"], true);
    let unliked = id_of(&owner.post(&about(ANI, &question, "/reaction"), json!({})).data(200));
    assert_eq!(on_phone(&phones, ANI, &unliked)["text"], "");
    assert_eq!(in_history(&kurir, ANI, &question)["reactions"], Value::Null);

    let foreign = owner.put(&about(ANI, &question, ""), json!({"message": "palsu"}));
    foreign.refused(400, "Hanya pesan dari device ini yang dapat diubah atau dihapus");
    let edit = id_of(&owner.put(&about(ANI, &ours, ""), json!({"message": "jam 8"})).data(200));
    let shown = on_phone(&phones, ANI, &edit);
    assert_eq!((&shown["type"], &shown["text"]), (&json!("edit"), &json!("jam 8")));
    assert_eq!(shown["target"], ours);
    let stored = in_history(&kurir, ANI, &ours);
    assert_eq!((&stored["content"]["text"], &stored["edited"]), (&json!("jam 8"), &json!(true)));

    owner
        .delete(&about(ANI, &question, ""))
        .refused(400, "Hanya pesan dari device ini yang dapat diubah atau dihapus");
    let gone = id_of(&owner.delete(&about(ANI, &ours, "")).data(200));
    let shown = on_phone(&phones, ANI, &gone);
    assert_eq!((&shown["type"], &shown["target"]), (&json!("revoke"), &json!(ours)));
    assert_eq!(in_history(&kurir, ANI, &ours)["deleted"], true);
    owner.put(&about(ANI, &ours, ""), json!({"message": "lagi"})).refused(400, "Pesan sudah dihapus");
    assert_eq!(kurir.history("toko-1", ANI).len(), 2, "changes are no messages of their own");
}

#[test]
fn an_admin_of_a_group_deletes_the_words_of_others() {
    for mode in ["pn", "lid"] {
        let (kurir, phones) = linked();
        let group = phones.make_group(SHOP, &[ANI, BUDI], mode);
        let spam = phones.write(ANI, &group, "promo!");
        let read = || {
            let page = kurir.owner().get(&path(&format!("group-chat-history/{group}"))).data(200);
            let all = page["messages"].as_array().expect("a list").clone();
            all.into_iter().find(|message| message["id"] == spam)
        };
        wait_for("the text", read);
        let liked = kurir.owner().post(&about(&group, &spam, "/reaction"), json!({"emoji": "👎"})).data(200);
        assert_eq!(on_phone(&phones, BUDI, &id_of(&liked))["target"], spam);
        let gone = id_of(&kurir.owner().delete(&about(&group, &spam, "")).data(200));
        let shown = on_phone(&phones, BUDI, &gone);
        assert_eq!((&shown["type"], &shown["target"]), (&json!("revoke"), &json!(spam)));
        assert_eq!(read().expect("the message")["deleted"], true);
    }
}

#[test]
fn what_is_passed_on_says_so() {
    let (kurir, phones) = linked();
    let id = phones.write(ANI, SHOP, "alamat: Jl. Merdeka 1");
    wait_for("the text", || kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == id));
    let passed = kurir.owner().post(&about(ANI, &id, "/forward"), json!({"to": BUDI}));
    let passed = id_of(&passed.data(200));
    let shown = on_phone(&phones, BUDI, &passed);
    assert_eq!((&shown["text"], &shown["forwarded"]), (&json!("alamat: Jl. Merdeka 1"), &json!(true)));
    assert_eq!(in_history(&kurir, BUDI, &passed)["forwarded"], true);
}

#[test]
fn the_timer_of_a_chat_holds_for_what_is_sent() {
    let (kurir, phones) = linked();
    phones.write_as(ANI, json!({"to": SHOP, "timerS": 86_400}));
    let first = phones.write(ANI, SHOP, "pakai waktu ya");
    wait_for("what came after the timer", || {
        kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == first)
    });
    let sent = kurir.send("toko-1", ANI, "sebentar saja");
    let id = id_of(&sent);
    assert_eq!(on_phone(&phones, ANI, &id)["expirationS"], 86_400);
    assert_eq!(in_history(&kurir, ANI, &id)["expiresInSeconds"], 86_400);
    let to_others = id_of(&kurir.send("toko-1", BUDI, "tetap"));
    assert_eq!(on_phone(&phones, BUDI, &to_others)["expirationS"], Value::Null);
}

#[test]
fn a_reaction_leaves_once_under_one_id_across_a_crash() {
    let (mut kurir, phones) = linked();
    let question = phones.write(ANI, SHOP, "sudah dikirim?");
    wait_for("the question", || {
        kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == question)
    });
    let body = json!({"emoji": "👍"});
    let call = |kurir: &TestKurir| {
        let call = kurir.owner().call("POST", &about(ANI, &question, "/reaction"));
        call.header("idempotency-key", "reaksi-1").json(&body).send()
    };
    let id = id_of(&call(&kurir).data(200));
    kurir.kill9();
    kurir.launch();
    kurir.wait_connected("toko-1");
    let again = call(&kurir);
    assert_eq!(again.status, 200, "{}", again.text());
    assert_eq!(again.data(200)["messageId"], id);
    let reactions =
        kurir.phones().messages(ANI).into_iter().filter(|message| message["type"] == "reaction").count();
    assert_eq!(reactions, 1);
}

#[test]
fn the_device_votes_in_polls_of_others() {
    for mode in ["pn", "lid"] {
        let (kurir, phones) = linked();
        let owner = kurir.owner();
        let group = phones.make_group(ANI, &[SHOP, BUDI], mode);
        let poll = json!({"question": "Hadir?", "options": ["Ya", "Tidak"], "selectable": 1});
        let id = phones.write_as(ANI, json!({"to": group, "poll": poll}));
        let read = || {
            let page = owner.get(&path(&format!("group-chat-history/{group}"))).data(200);
            let all = page["messages"].as_array().expect("a list").clone();
            all.into_iter().find(|message| message["id"] == id)
        };
        wait_for("the poll", read);
        let route = about(&group, &id, "/vote");
        owner.post(&route, json!({"options": ["Mungkin"]})).refused(400, "options tidak valid");
        owner.post(&route, json!({"options": ["Ya", "Tidak"]})).refused(400, "options tidak valid");
        let vote = id_of(&owner.post(&route, json!({"options": ["Ya"]})).data(200));
        for phone in [ANI, BUDI] {
            let shown = on_phone(&phones, phone, &vote);
            assert_eq!((&shown["votes"], &shown["target"]), (&json!(["Ya"]), &json!(id)), "{mode} {phone}");
        }
        assert_eq!(read().expect("the poll")["content"]["poll"]["options"][0]["votes"], 1);
    }
}
