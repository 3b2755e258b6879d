//! Status posts: shown to contacts for a day, and never mixed into chats.

use super::BASE;
use crate::support::{Events, Phones, TestKurir, samples, wait_for};
use image::ImageFormat;
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";
const PATH: &str = "/api/whatsapp-multi-device/devices/toko-1/status-posts";

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

/// A linked shop that has saved Ani but not Budi.
fn linked() -> (TestKurir, Phones) {
    let (kurir, phones) = TestKurir::linked(SHOP, &[ANI, BUDI]);
    phones.save_contact(SHOP, ANI, "Ani");
    wait_for("the contact", || {
        let all = kurir.owner().get(&format!("{BASE}/devices/toko-1/contacts")).data(200);
        all["contacts"].as_array()?.iter().any(|one| one["name"] == "Ani").then_some(())
    });
    (kurir, phones)
}

fn posts(kurir: &TestKurir) -> Vec<Value> {
    kurir.owner().get(PATH).data(200)["posts"].as_array().expect("a list").clone()
}

#[test]
fn what_is_no_post_is_refused() {
    let kurir = TestKurir::start();
    let (_, token) = kurir.register("ani");
    kurir.create_device("toko-1");
    let body = json!({"message": "halo"});
    kurir.nobody().post(PATH, body.clone()).refused(401, "Token tidak valid atau kedaluwarsa");
    kurir.with_token(&token).get(PATH).refused(403, "Anda tidak punya akses ke device ini");
    let owner = kurir.owner();
    for wrong in [json!({}), json!({"message": " "}), json!({"message": "x".repeat(701)})] {
        assert_eq!(owner.post(PATH, wrong.clone()).status, 400, "{wrong}");
    }
    assert_eq!(owner.post(PATH, json!({"message": "halo", "to": []})).status, 400);
    owner
        .post(PATH, json!({"message": "halo", "to": ["abc"]}))
        .refused(400, "Format nomor telepon tidak valid");
    let nobody = "Status tidak punya penerima: simpan kontak di ponsel atau isi to";
    owner.post(PATH, body).refused(400, nobody);
    owner.post(PATH, json!({"message": "halo", "to": [ANI]})).refused(400, "WhatsApp tidak terhubung");
    owner.delete(&format!("{PATH}/none")).refused(404, "Status tidak ditemukan");
    assert!(posts(&kurir).is_empty());
}

#[test]
fn a_post_reaches_the_contacts_tells_who_looked_and_goes_for_all() {
    let (mut kurir, phones) = linked();
    let mut events = Events::open(&kurir.owner());
    let sent = kurir.owner().post(PATH, json!({"message": "buka jam 9"})).data(200);
    assert_eq!((&sent["status"], &sent["to"]), (&json!("sent"), &json!("status@broadcast")));
    let id = sent["messageId"].as_str().expect("an id").to_owned();
    let seen = phones.wait_message(ANI, &id);
    assert_eq!((&seen["text"], &seen["chat"]), (&json!("buka jam 9"), &json!("status@broadcast")));
    phones.wait_message(SHOP, &id);
    assert_eq!(events.wait_type("status-post.sent")["messageId"], id);

    phones.receipt(ANI, &id, "read");
    let looked = wait_for("who looked", || posts(&kurir).into_iter().find(|post| post["seen"] != json!([])));
    assert_eq!((&looked["seen"][0]["by"], &looked["messageId"]), (&json!(person(ANI)), &json!(id)));
    assert_eq!((&looked["fromMe"], &looked["status"]), (&json!(true), &json!("sent")));

    // A post for chosen people reaches them alone.
    let body = json!({"message": "khusus Budi", "to": [BUDI]});
    let chosen = kurir.owner().post(PATH, body).data(200)["messageId"].clone();
    phones.wait_message(BUDI, chosen.as_str().expect("an id"));
    kurir.restart();
    kurir.wait_connected("toko-1");
    let phones = kurir.phones();
    let gone = kurir.owner().delete(&format!("{PATH}/{id}")).data(200);
    let deletion = phones.wait_message(ANI, gone["messageId"].as_str().expect("an id"));
    assert_eq!((&deletion["type"], &deletion["target"]), (&json!("revoke"), &json!(id)));
    assert_eq!(posts(&kurir).iter().map(|post| &post["messageId"]).collect::<Vec<_>>(), [&chosen]);
    kurir.owner().delete(&format!("{PATH}/{id}")).refused(404, "Status tidak ditemukan");
    let texts = |number| phones.received(number).into_iter().map(|one| one["text"].clone());
    assert!(texts(ANI).all(|text| text != "khusus Budi"));
    assert!(texts(BUDI).all(|text| text != "buka jam 9"));
}

#[test]
fn a_picture_is_posted_like_a_text() {
    let (kurir, phones) = linked();
    let picture = samples::picture(64, 48, ImageFormat::Png);
    let path = format!("{PATH}/media");
    let body =
        |kind: &str| json!({"mediaType": kind, "base64": samples::base64(&picture), "caption": "buka!"});
    kurir.owner().post(&path, body("document")).refused(400, "Status hanya menerima image atau video");
    kurir.owner().post(&path, json!({"mediaType": "image"})).expect(400);
    let sent = kurir.owner().post(&path, body("image")).data(200);
    let id = sent["messageId"].as_str().expect("an id");
    let seen = phones.wait_message(ANI, id);
    assert_eq!((&seen["chat"], &seen["type"]), (&json!("status@broadcast"), &json!("image")));
    assert_eq!((&seen["caption"], phones.media(ANI, id)), (&json!("buka!"), picture.clone()));
    let shown = posts(&kurir).into_iter().find(|post| post["messageId"] == id).expect("the post");
    assert_eq!((&shown["text"], &shown["mimetype"]), (&json!("buka!"), &json!("image/png")));
    let mut chosen = body("image");
    chosen["to"] = json!(format!("{BUDI}, {ANI}"));
    let chosen = kurir.owner().post(&path, chosen).data(200)["messageId"].clone();
    phones.wait_message(BUDI, chosen.as_str().expect("an id"));
}

#[test]
fn posts_of_contacts_stand_beside_the_chats_and_are_counted_nowhere() {
    let (kurir, phones) = linked();
    phones.save_contact(ANI, SHOP, "Toko");
    let mut events = Events::open(&kurir.owner());
    let id = phones.write(ANI, "status@broadcast", "liburan!");
    let told = events.wait_type("status-post.received");
    assert_eq!((&told["messageId"], &told["from"]), (&json!(id), &json!(person(ANI))));
    assert_eq!((&told["message"], &told["fromMe"]), (&json!("liburan!"), &json!(false)));
    let post = posts(&kurir).pop().expect("the post");
    assert_eq!((&post["messageId"], &post["text"]), (&json!(id), &json!("liburan!")));
    kurir.owner().delete(&format!("{PATH}/{id}")).refused(404, "Status tidak ditemukan");

    let owner = kurir.owner();
    assert_eq!(owner.get(&format!("{BASE}/devices/toko-1/chats")).data(200)["chats"], json!([]));
    let search = owner.get(&format!("{BASE}/devices/toko-1/messages/search?q=liburan")).json();
    assert!(!search.to_string().contains(&id), "{search}");
    assert!(events.seen.iter().all(|event| event.data["type"] != "message.received"));

    let own = phones.write(SHOP, "status@broadcast", "dari ponsel");
    let told = events.wait_type("status-post.received");
    assert_eq!((&told["messageId"], &told["fromMe"]), (&json!(own), &json!(true)));
    phones.write_as(ANI, json!({"to": "status@broadcast", "revoke": id}));
    assert_eq!(events.wait_type("status-post.deleted")["messageId"], id);
    assert_eq!(posts(&kurir).len(), 1);
}
