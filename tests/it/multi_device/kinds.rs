//! Messages beyond text that come in: what phones react to, change, delete, ask and show.

use super::BASE;
use crate::support::{Events, Phones, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

fn linked() -> (TestKurir, Phones) {
    TestKurir::linked(SHOP, &[ANI])
}

fn find(kurir: &TestKurir, chat: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, || kurir.history("toko-1", chat).into_iter().find(|message| wanted(message)))
}

fn by_id(kurir: &TestKurir, id: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    find(kurir, ANI, what, |message| message["id"] == id && wanted(message))
}

#[test]
fn reactions_edits_and_deletions_change_the_message_they_speak_of() {
    let (kurir, phones) = linked();
    let mut events = Events::open(&kurir.owner());
    let sent = kurir.send("toko-1", ANI, "harga 50rb");
    let ours = sent["messageId"].as_str().expect("an id");
    phones.wait_text(ANI, "harga 50rb");

    phones.write_as(ANI, json!({"to": SHOP, "reaction": {"id": ours, "emoji": "👍"}}));
    let told = events.wait_type("message.reaction");
    assert_eq!((&told["messageId"], &told["emoji"]), (&json!(ours), &json!("👍")));
    assert_eq!((&told["by"], &told["byMe"]), (&json!(person(ANI)), &json!(false)));
    let liked = by_id(&kurir, ours, "the reaction", |message| message["reactions"].is_array());
    assert_eq!(liked["reactions"][0]["from"], person(ANI));
    phones.write_as(ANI, json!({"to": SHOP, "reaction": {"id": ours, "emoji": ""}}));
    by_id(&kurir, ours, "the reaction taken back", |message| message["reactions"].is_null());

    let theirs = phones.write(ANI, SHOP, "mau satuu");
    by_id(&kurir, &theirs, "the text", |_| true);
    phones.write_as(ANI, json!({"to": SHOP, "text": "mau satu", "edit": theirs}));
    let told = events.wait_type("message.edited");
    assert_eq!((&told["messageId"], &told["message"]), (&json!(theirs), &json!("mau satu")));
    let edited = by_id(&kurir, &theirs, "the edit", |message| message["edited"] == true);
    assert_eq!(edited["content"]["text"], "mau satu");

    phones.write_as(ANI, json!({"to": SHOP, "revoke": theirs}));
    let told = events.wait_type("message.deleted");
    assert_eq!((&told["messageId"], &told["message"]), (&json!(theirs), &Value::Null));
    let deleted = by_id(&kurir, &theirs, "the deletion", |message| message["deleted"] == true);
    assert_eq!((&deleted["content"]["text"], &deleted["messageType"]), (&Value::Null, &json!("deleted")));

    assert_eq!(kurir.history("toko-1", ANI).len(), 2, "changes are no messages of their own");
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats")).data(200);
    assert_eq!(chats["chats"][0]["lastMessage"]["messageType"], "deleted", "{chats}");
    assert_eq!(chats["chats"][0]["unreadCount"], 1);
}

#[test]
fn what_the_owner_changes_on_the_phone_changes_here() {
    let (kurir, phones) = linked();
    let id = phones.write(SHOP, ANI, "diketik di ponsel");
    by_id(&kurir, &id, "the text", |message| message["fromMe"] == true);
    phones.write_as(SHOP, json!({"to": ANI, "text": "diperbaiki", "edit": id}));
    by_id(&kurir, &id, "the edit", |message| message["content"]["text"] == "diperbaiki");
    phones.write_as(SHOP, json!({"to": ANI, "reaction": {"id": id, "emoji": "🎉"}}));
    let liked = by_id(&kurir, &id, "the reaction", |message| message["reactions"].is_array());
    assert_eq!(liked["reactions"][0]["fromMe"], true);
}

#[test]
fn nobody_edits_the_words_of_others() {
    let (kurir, phones) = linked();
    let ours = kurir.send("toko-1", ANI, "tetap begini")["messageId"].as_str().expect("an id").to_owned();
    phones.wait_text(ANI, "tetap begini");
    let refused = kurir
        .owner()
        .post(&format!("/sandbox/phones/{ANI}/messages"), json!({"to": SHOP, "text": "palsu", "edit": ours}));
    // The network may let the forgery through: what counts is that it changes nothing here.
    assert!([201, 400, 403].contains(&refused.status), "{}", refused.text());
    let after = phones.write(ANI, SHOP, "sesudahnya");
    by_id(&kurir, &after, "what came later", |_| true);
    let kept = by_id(&kurir, &ours, "the text", |_| true);
    assert_eq!((&kept["content"]["text"], &kept["edited"]), (&json!("tetap begini"), &Value::Null));
}

#[test]
fn places_and_cards_are_shown_as_what_they_are() {
    let (kurir, phones) = linked();
    let place = json!({"latitude": -6.1754, "longitude": 106.8272, "name": "Monas", "address": "Jakarta"});
    let id = phones.write_as(ANI, json!({"to": SHOP, "location": place}));
    let shown = by_id(&kurir, &id, "the place", |_| true);
    assert_eq!((&shown["messageType"], &shown["content"]["location"]), (&json!("locationMessage"), &place));

    let vcard = "BEGIN:VCARD\nVERSION:3.0\nFN:Cyd\nTEL;waid=6281211110044:+62 812\nEND:VCARD";
    let cards = json!([{"name": "Cyd", "vcard": vcard}, {"name": "Dedi", "vcard": vcard}]);
    let id = phones.write_as(ANI, json!({"to": SHOP, "contacts": cards}));
    let shown = by_id(&kurir, &id, "the cards", |_| true);
    assert_eq!(shown["messageType"], "contactsArrayMessage");
    assert_eq!(shown["content"]["contacts"][1]["name"], "Dedi");
    assert_eq!(shown["content"]["contacts"][0]["phones"], json!(["6281211110044"]));
}

#[test]
fn votes_are_opened_and_counted_under_either_address() {
    for mode in ["pn", "lid"] {
        let (kurir, phones) = linked();
        phones.add(BUDI);
        let mut events = Events::open(&kurir.owner());
        let group = phones.make_group(ANI, &[SHOP, BUDI], mode);
        let poll = json!({"question": "Hadir?", "options": ["Ya", "Tidak", "Mungkin"], "selectable": 0});
        let id = phones.write_as(ANI, json!({"to": group, "poll": poll}));
        let asked = events.wait("the poll", |event| event["type"] == "message.received");
        assert_eq!(asked["poll"]["question"], "Hadir?", "{asked}");
        wait_for("the poll on the other phones", || {
            let has = |number: &str| phones.messages(number).iter().any(|message| message["id"] == id);
            (has(SHOP) && has(BUDI)).then_some(())
        });
        let vote = |number: &str, options: Value| {
            phones.write_as(number, json!({"to": group, "vote": {"id": id, "options": options}}));
        };
        vote(BUDI, json!(["Ya", "Mungkin"]));
        let told = events.wait_type("message.vote");
        assert_eq!((&told["options"], &told["by"]), (&json!(["Ya", "Mungkin"]), &json!(person(BUDI))));
        vote(ANI, json!(["Tidak"]));
        vote(SHOP, json!(["Ya"]));
        let counts = |wanted: &[u64]| {
            wait_for(&format!("{wanted:?} in mode {mode}"), || {
                let path = format!("{BASE}/devices/toko-1/group-chat-history/{group}");
                let page = kurir.owner().get(&path).data(200);
                let all = page["messages"].as_array().expect("a list").clone();
                let poll = all.into_iter().find(|message| message["id"] == id)?["content"]["poll"].clone();
                let options = poll["options"].as_array()?.clone();
                let votes: Vec<_> = options.iter().filter_map(|option| option["votes"].as_u64()).collect();
                (votes == wanted).then_some(poll)
            })
        };
        let poll = counts(&[2, 1, 1]);
        assert_eq!(poll["voters"], 3);
        assert!(!poll.to_string().contains("secret"));
        vote(BUDI, json!([]));
        counts(&[1, 1, 0]);
    }
}

#[test]
fn an_answer_shows_what_it_answers_and_whom_it_names() {
    let (kurir, phones) = linked();
    let ours = kurir.send("toko-1", ANI, "jam berapa?")["messageId"].as_str().expect("an id").to_owned();
    phones.wait_text(ANI, "jam berapa?");
    let id = phones.write_as(
        ANI,
        json!({"to": SHOP, "text": "jam 9, @6281211110033", "quote": ours, "mentions": [BUDI], "forwarded": true}),
    );
    let answer = by_id(&kurir, &id, "the answer", |_| true);
    let quoted = &answer["quoted"];
    assert_eq!((&quoted["messageId"], &quoted["fromMe"]), (&json!(ours), &json!(true)));
    assert_eq!((&quoted["text"], &quoted["from"]), (&json!("jam berapa?"), &json!(person(SHOP))));
    assert_eq!(answer["content"]["mentions"], json!([person(BUDI)]));
    assert_eq!(answer["forwarded"], true);
}

#[test]
fn a_timer_is_told_and_messages_say_when_they_go() {
    let (kurir, phones) = linked();
    let mut events = Events::open(&kurir.owner());
    phones.write_as(ANI, json!({"to": SHOP, "timerS": 86_400}));
    let told = events.wait_type("chat.timer");
    assert_eq!((&told["chatJid"], &told["expiresInSeconds"]), (&json!(person(ANI)), &json!(86_400)));
    let id = phones.write_as(ANI, json!({"to": SHOP, "text": "sebentar saja", "expirationS": 86_400}));
    let shown = by_id(&kurir, &id, "the text", |_| true);
    assert_eq!(shown["expiresInSeconds"], 86_400);
}
