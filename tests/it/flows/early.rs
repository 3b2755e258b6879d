//! What is said about a message may arrive before the message itself.

use super::BASE;
use crate::support::{Events, TestKurir, wait_for};
use serde_json::{Value, json};

const PHONE: &str = "6281211770011";
const FRIEND: &str = "6281211770022";

fn message(kurir: &TestKurir, id: &str) -> Option<Value> {
    kurir.history("toko-1", FRIEND).into_iter().find(|message| message["id"] == id)
}

#[test]
fn changes_that_overtake_their_message_are_made_when_it_comes() {
    let mut kurir = TestKurir::start();
    let phones = kurir.phones();
    phones.add(FRIEND);
    kurir.link(&phones, "toko-1", PHONE);
    let hold = |what: Value| {
        let mut body = json!({"to": PHONE, "held": true});
        body.as_object_mut().expect("an object").extend(what.as_object().expect("an object").clone());
        phones.write_as(FRIEND, body)
    };
    let text = hold(json!({"text": "datang jam 8"}));
    let gone = hold(json!({"text": "salah kirim"}));
    let poll = hold(json!({"poll": {"question": "Hadir?", "options": ["Ya", "Tidak"]}}));
    for what in [
        json!({"text": "datang jam 9", "edit": text}),
        json!({"reaction": {"id": text, "emoji": "👍"}}),
        json!({"revoke": gone}),
        json!({"vote": {"id": poll, "options": ["Tidak"]}}),
        json!({"text": "penanda"}),
    ] {
        let mut body = json!({"to": PHONE});
        body.as_object_mut().expect("an object").extend(what.as_object().expect("an object").clone());
        phones.write_as(FRIEND, body);
    }
    wait_for("the last one", || {
        let history = kurir.history("toko-1", FRIEND);
        (history.last()?["content"]["text"] == "penanda").then_some(())
    });
    assert_eq!(kurir.history("toko-1", FRIEND).len(), 1, "nothing to change is there yet");

    // What waits survives a restart.
    kurir.kill9();
    kurir.launch();
    kurir.wait_connected("toko-1");
    let mut events = Events::open(&kurir.owner());
    let phones = kurir.phones();
    for id in [&text, &gone, &poll] {
        phones.write_as(FRIEND, json!({"to": PHONE, "release": id}));
    }
    let poll = wait_for("the vote", || {
        let poll = message(&kurir, &poll)?["content"]["poll"].clone();
        (poll["voters"] == 1).then_some(poll)
    });
    assert_eq!(poll["options"][1]["votes"], 1, "{poll}");
    let text = message(&kurir, &text).expect("it came");
    assert_eq!(text["content"]["text"], "datang jam 9", "{text}");
    assert_eq!((&text["edited"], &text["reactions"][0]["emoji"]), (&json!(true), &json!("👍")));
    let gone = message(&kurir, &gone).expect("it came");
    assert_eq!((&gone["deleted"], &gone["content"]["text"]), (&json!(true), &Value::Null), "{gone}");
    for kind in ["message.edited", "message.reaction", "message.deleted", "message.vote"] {
        events.wait_type(kind);
    }
    let found = kurir.owner().get(&format!("{BASE}/messages/search?q=salah")).data(200);
    assert_eq!(found["total"], 0, "{found}");
}
