//! What an account shows of itself and does besides writing.

use super::BASE;
use crate::support::{Phones, TestKurir, wait_for};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::time::Duration;

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const ABSENT: &str = "6281211110000";

fn linked() -> (TestKurir, Phones) {
    TestKurir::linked(SHOP, &[ANI])
}

fn path(below: &str) -> String {
    format!("{BASE}/devices/toko-1/{below}")
}

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

#[test]
fn a_device_that_is_away_and_wishes_that_make_no_sense_are_refused() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let owner = kurir.owner();
    owner.post(&path("check-numbers"), json!({"numbers": [ANI]})).refused(400, "WhatsApp tidak terhubung");
    owner
        .post(&path("check-numbers"), json!({"numbers": []}))
        .refused(400, "numbers wajib berisi 1 sampai 100 nomor");
    owner
        .post(&path("check-numbers"), json!({"numbers": ["12"]}))
        .refused(400, "Format nomor telepon tidak valid");
    for (route, body, message) in [
        ("profile", json!({}), "name atau about wajib diisi"),
        ("profile", json!({"name": " "}), "name tidak valid"),
        ("profile", json!({"about": "x".repeat(140)}), "about tidak valid"),
        ("profile/picture", json!({"base64": "AAAA"}), "Foto profil harus JPEG dalam base64, maksimal 2MB"),
        ("privacy", json!({}), "Minimal satu pengaturan privasi wajib diisi"),
        ("privacy", json!({"online": "none"}), "Nilai privasi tidak dikenal untuk pengaturan ini"),
    ] {
        owner.put(&path(route), body).refused(400, message);
    }
    owner.post(&path("presence"), json!({"presence": "sleeping"})).expect(400);
    owner.post(&path(&format!("chats/{ANI}/presence")), json!({"state": "dancing"})).expect(400);
    owner.post(&path("blocked"), json!({})).refused(400, "Nomor tujuan wajib diisi");
    let (_, token) = kurir.register("rudi");
    let rudi = kurir.with_token(&token);
    for route in ["blocked", "profile", "privacy"] {
        rudi.get(&path(route)).expect(403);
        kurir.nobody().get(&path(route)).expect(401);
        owner.get(&path(route)).refused(400, "WhatsApp tidak terhubung");
    }
}

#[test]
fn numbers_are_told_apart_by_whether_they_are_on_whatsapp() {
    let (kurir, _) = linked();
    let asked = json!({"numbers": [format!("0{}", &ANI[2..]), ABSENT, ANI]});
    let told = kurir.owner().post(&path("check-numbers"), asked).data(200);
    let results = told["results"].as_array().expect("a list");
    let exist: Vec<_> = results.iter().map(|one| one["exists"].as_bool().expect("a word")).collect();
    assert_eq!(exist, [true, false, true]);
    assert_eq!((&results[0]["jid"], &results[0]["number"]), (&json!(person(ANI)), &json!("081211110022")));
    assert!(results[0]["lid"].as_str().is_some_and(|lid| lid.ends_with("@lid")), "{told}");
}

#[test]
fn whom_the_account_blocks_cannot_write_to_it() {
    let (kurir, phones) = linked();
    let owner = kurir.owner();
    owner.post(&path("blocked"), json!({"to": ABSENT})).refused(400, "Nomor tidak terdaftar di WhatsApp");
    let blocked = owner.post(&path("blocked"), json!({"to": ANI})).data(200);
    assert_eq!(blocked["jid"], person(ANI));
    let list = owner.get(&path("blocked")).data(200);
    assert_eq!(list["blocked"][0]["jid"], person(ANI), "{list}");
    assert_eq!(list["blocked"].as_array().map(Vec::len), Some(1));
    phones.write(ANI, SHOP, "spam");
    owner.delete(&path(&format!("blocked/{ANI}"))).data(200);
    assert_eq!(owner.get(&path("blocked")).data(200)["blocked"], json!([]));
    phones.write(ANI, SHOP, "maaf");
    wait_for("what came after the block", || {
        kurir.history("toko-1", ANI).into_iter().find(|message| message["content"]["text"] == "maaf")
    });
    let texts: Vec<_> =
        kurir.history("toko-1", ANI).iter().map(|one| one["content"]["text"].clone()).collect();
    assert_eq!(texts, ["maaf"]);
}

#[test]
fn name_text_and_picture_of_the_account_change() {
    let (kurir, phones) = linked();
    let owner = kurir.owner();
    let body = json!({"name": "Toko Jaya", "about": "Buka 8-17"});
    let profile = owner.put(&path("profile"), body).data(200);
    assert_eq!((&profile["name"], &profile["about"]), (&json!("Toko Jaya"), &json!("Buka 8-17")));
    assert_eq!(phones.profile(SHOP)["about"], "Buka 8-17");
    kurir.send("toko-1", ANI, "halo dari toko");
    phones.wait_text(ANI, "halo dari toko");
    let jpeg = "/9j/4AAQSkZJRgABAQEAYABgAAD/2Q==";
    owner.put(&path("profile/picture"), json!({"base64": jpeg})).expect(200);
    assert!(phones.profile(SHOP)["picture"]["id"].is_string(), "{}", phones.profile(SHOP));
    let shown = owner.get(&path("profile")).data(200);
    assert!(shown["pictureUrl"].is_string(), "{shown}");
    owner.delete(&path("profile/picture")).expect(200);
    assert_eq!(owner.get(&path("profile")).data(200)["pictureUrl"], Value::Null);
}

#[test]
fn privacy_is_read_and_set() {
    let (kurir, phones) = linked();
    let owner = kurir.owner();
    let before = owner.get(&path("privacy")).data(200);
    assert_eq!(before["lastSeen"], "all", "{before}");
    let after = owner.put(&path("privacy"), json!({"lastSeen": "none", "groupAdd": "contacts"})).data(200);
    assert_eq!((&after["lastSeen"], &after["groupAdd"]), (&json!("none"), &json!("contacts")));
    assert_eq!(after["about"], before["about"]);
    let privacy = &phones.profile(SHOP)["privacy"];
    assert_eq!((&privacy["last"], &privacy["groupadd"]), (&json!("none"), &json!("contacts")));
}

#[test]
fn presence_and_typing_reach_the_other_side() {
    let (kurir, _) = linked();
    let owner = kurir.owner();
    owner.put(&path("profile"), json!({"name": "Toko"})).data(200);
    for presence in ["available", "unavailable"] {
        owner.post(&path("presence"), json!({"presence": presence})).expect(200);
    }
    let (stream, _) = owner.call("GET", "/sandbox/events").open().expect("an open stream");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout above zero");
    let mut lines = BufReader::new(stream).lines();
    // The stream is followed once its head has come.
    lines.next().expect("a head").expect("a line");
    for (state, seen) in [("composing", "composing"), ("recording", "composing"), ("paused", "paused")] {
        owner.post(&path(&format!("chats/{ANI}/presence")), json!({"state": state})).expect(200);
        let told = lines.by_ref().map(|line| line.expect("an event in time"));
        let told =
            told.filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data:")?.trim()).ok());
        let event = told.into_iter().find(|event| event["type"] == "chatstate").expect("a chat state");
        assert_eq!((&event["phone"], &event["from"]), (&json!(ANI), &json!(SHOP)));
        assert_eq!(event["state"], seen);
    }
}

#[test]
fn chats_are_archived_pinned_and_muted_and_messages_starred() {
    let (kurir, phones) = linked();
    let owner = kurir.owner();
    let id = phones.write(ANI, SHOP, "penting");
    wait_for("the text", || kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == id));
    let settings = path(&format!("chats/{ANI}/settings"));
    owner.put(&settings, json!({})).refused(400, "Minimal satu pengaturan chat wajib diisi");
    owner.put(&settings, json!({"mutedUntil": "besok"})).refused(400, "mutedUntil tidak valid");
    owner
        .put(&settings, json!({"mutedUntil": "2020-01-01T00:00:00Z"}))
        .refused(400, "mutedUntil tidak valid");
    let set = owner.put(&settings, json!({"pinned": true, "mutedUntil": "2099-01-01T00:00:00Z"})).data(200);
    assert_eq!((&set["pinned"], &set["archived"]), (&json!(true), &json!(false)));
    assert_eq!((&set["muted"], &set["mutedUntil"]), (&json!(true), &json!("2099-01-01T00:00:00.000Z")));
    owner.put(&settings, json!({"archived": true, "muted": false, "pinned": false})).data(200);
    let chat = &owner.get(&path("chats")).data(200)["chats"][0];
    assert_eq!(
        (&chat["archived"], &chat["muted"], &chat["pinned"]),
        (&json!(true), &json!(false), &json!(false))
    );

    let star = path(&format!("chats/{ANI}/messages/{id}/star"));
    owner.put(&star, json!({"starred": true})).expect(200);
    let read = || kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == id);
    assert_eq!(read().expect("the message")["starred"], true);
    owner.put(&star, json!({"starred": false})).expect(200);
    assert_eq!(read().expect("the message")["starred"], Value::Null);
}
