//! What stands around files: seen once, passed on, answered.

use super::BASE;
use crate::support::samples::{FormBody, base64, film, pdf, picture, voice};
use crate::support::{Events, Phones, TestKurir, wait_for};
use image::ImageFormat;
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
    path(&format!("chats/{chat}/messages/{id}/{verb}"))
}

fn id_of(sent: &Value) -> String {
    sent["messageId"].as_str().unwrap_or_else(|| panic!("an id in {sent}")).to_owned()
}

fn in_history(kurir: &TestKurir, chat: &str, id: &str) -> Value {
    let found = kurir.history("toko-1", chat).into_iter().find(|message| message["id"] == id);
    found.unwrap_or_else(|| panic!("{id} in the history of {chat}"))
}

fn wait_ready(kurir: &TestKurir, id: &str) {
    wait_for(&format!("the file of {id}"), || {
        let mut history = kurir.history("toko-1", ANI).into_iter();
        history.find(|message| message["id"] == id && message["content"]["mediaState"] == "ready")
    });
}

#[test]
fn what_may_be_seen_once_says_so_and_is_not_kept_to_be_seen_again() {
    let (kurir, phones) = linked();
    let owner = kurir.owner();
    let send = path("send-media");
    let document = json!({"to": ANI, "mediaType": "document", "base64": base64(&pdf(100)), "viewOnce": true});
    owner.post(&send, document).refused(400, "viewOnce hanya untuk image, video, audio, dan voice");
    let odd = FormBody::default().text("to", ANI).text("mediaType", "image").text("viewOnce", "ya");
    let odd = odd.file("file", "a.jpg", "image/jpeg", &picture(9, 9, ImageFormat::Jpeg)).end();
    owner.call("POST", &send).body(FormBody::KIND, odd).send().refused(400, "viewOnce tidak valid");

    for (kind, bytes) in
        [("image", picture(40, 30, ImageFormat::Jpeg)), ("video", film()), ("voice", voice(50))]
    {
        let body = json!({"to": ANI, "mediaType": kind, "base64": base64(&bytes), "viewOnce": true});
        let id = id_of(&owner.post(&send, body).data(200));
        let shown = phones.wait_message(ANI, &id);
        assert_eq!(
            (&shown["type"], &shown["viewOnce"], &shown["mediaError"]),
            (&json!(kind), &json!(true), &Value::Null)
        );
        assert!(phones.media(ANI, &id) == bytes, "{kind}");
        let kept = in_history(&kurir, ANI, &id);
        assert_eq!((&kept["viewOnce"], &kept["content"]["mediaState"]), (&json!(true), &json!("skipped")));
        for gone in ["url", "thumbnail", "waveform"] {
            assert_eq!(kept["content"][gone], Value::Null, "{kind}: {gone}");
        }
        let refused = owner.post(&about(ANI, &id, "forward"), json!({"to": BUDI}));
        refused.refused(400, "Pesan sekali lihat tidak dapat diteruskan");
    }
    // In a form and in a bulk; the one beside it stays as it is.
    let bytes = picture(50, 40, ImageFormat::Jpeg);
    let items = json!([
        {"to": ANI, "mediaType": "image", "caption": "sekali", "viewOnce": true},
        {"to": ANI, "mediaType": "image", "caption": "biasa"},
    ]);
    let form = FormBody::default().text("items", &items.to_string()).text("delay", "0");
    let form = form.file("file", "a.jpg", "image/jpeg", &bytes).end();
    let sent = owner.call("POST", &send).body(FormBody::KIND, form).send().data(200);
    for (result, once) in sent["results"].as_array().expect("a list").iter().zip([json!(true), Value::Null]) {
        let id = id_of(result);
        assert_eq!(phones.wait_message(ANI, &id)["viewOnce"], once);
        assert_eq!(in_history(&kurir, ANI, &id)["viewOnce"], once);
        assert_eq!(in_history(&kurir, ANI, &id)["content"]["url"].is_string(), once.is_null());
    }
}

#[test]
fn what_came_to_be_seen_once_is_marked_and_not_fetched() {
    let (kurir, phones) = linked();
    let mut events = Events::open(&kurir.owner());
    let media = json!({"type": "image", "base64": base64(&picture(40, 30, ImageFormat::Jpeg)), "mimetype": "image/jpeg"});
    let id = phones.write_as(ANI, json!({"to": SHOP, "media": media, "viewOnce": true}));
    let told =
        events.wait("the picture", |data| data["type"] == "message.received" && data["messageId"] == id);
    assert_eq!((&told["viewOnce"], &told["mediaState"]), (&json!(true), &json!("skipped")));
    // One that comes behind it is here first only when the other one is not fetched at all.
    let later = phones.send_media(ANI, SHOP, media);
    wait_ready(&kurir, &later);
    let kept = in_history(&kurir, ANI, &id);
    assert_eq!((&kept["viewOnce"], &kept["content"]["url"]), (&json!(true), &Value::Null));
    let refused = kurir.owner().post(&about(ANI, &id, "forward"), json!({"to": BUDI}));
    refused.refused(400, "Pesan sekali lihat tidak dapat diteruskan");
}

#[test]
fn received_files_are_passed_on_as_they_are() {
    let (kurir, phones) = linked();
    let report = pdf(2_000);
    for (media, bytes) in [
        (
            json!({"type": "image", "mimetype": "image/jpeg", "caption": "bukti"}),
            picture(640, 320, ImageFormat::Jpeg),
        ),
        (
            json!({"type": "document", "mimetype": "application/pdf", "fileName": "laporan.pdf", "caption": "Mei"}),
            report,
        ),
        (json!({"type": "voice", "mimetype": "audio/ogg; codecs=opus", "seconds": 1}), voice(50)),
    ] {
        let mut media = media;
        media["base64"] = json!(base64(&bytes));
        let id = phones.send_media(ANI, SHOP, media.clone());
        wait_ready(&kurir, &id);
        let passed = kurir.owner().post(&about(ANI, &id, "forward"), json!({"to": BUDI})).data(200);
        let passed = id_of(&passed);
        let shown = phones.wait_message(BUDI, &passed);
        assert_eq!(
            (&shown["type"], &shown["forwarded"], &shown["mediaError"]),
            (&media["type"], &json!(true), &Value::Null)
        );
        assert_eq!((&shown["caption"], &shown["seconds"]), (&media["caption"], &media["seconds"]));
        assert!(phones.media(BUDI, &passed) == bytes, "{} came out otherwise", media["type"]);
        if media["type"] == "document" {
            assert_eq!(shown["fileName"], "laporan.pdf");
        }
        let kept = in_history(&kurir, BUDI, &passed);
        assert_eq!((&kept["forwarded"], &kept["content"]["mediaState"]), (&json!(true), &json!("ready")));
        assert_eq!(kurir.nobody().get(kept["content"]["url"].as_str().expect("a link")).status, 200);
    }
}

#[test]
fn a_file_that_is_not_here_is_fetched_to_be_passed_on() {
    let (kurir, phones) = linked();
    let bytes = picture(320, 200, ImageFormat::Jpeg);
    let media =
        json!({"type": "image", "mimetype": "image/jpeg", "base64": base64(&bytes), "caption": "bukti"});
    let id = phones.send_media(ANI, SHOP, media);
    wait_ready(&kurir, &id);
    let remove_all = || {
        for file in files(&kurir.data_dir().join("media")) {
            std::fs::remove_file(file).expect("the file goes");
        }
    };
    remove_all();
    let forward = || kurir.owner().post(&about(ANI, &id, "forward"), json!({"to": BUDI}));
    let passed = id_of(&forward().data(200));
    assert!(phones.media(BUDI, &passed_on(&phones, &passed)) == bytes);
    // WhatsApp has forgotten it: the own phone is asked for it.
    remove_all();
    phones.fault(json!({"phone": ANI, "mediaExpired": true}));
    phones.no_faults();
    let passed = id_of(&forward().data(200));
    assert!(phones.media(BUDI, &passed_on(&phones, &passed)) == bytes);
    // Nobody has it any more.
    remove_all();
    phones.fault(json!({"mediaStatus": 404}));
    phones.fault(json!({"phone": SHOP, "device": 0, "mediaStatus": 404}));
    forward().refused(404, "File pesan tidak ada di sini dan tidak dapat diambil lagi");
    assert_eq!(phones.received(BUDI).len(), 2);
}

fn passed_on(phones: &Phones, id: &str) -> String {
    let shown = phones.wait_message(BUDI, id);
    assert_eq!((&shown["caption"], &shown["forwarded"]), (&json!("bukti"), &json!(true)));
    id.to_owned()
}

fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries =
        std::fs::read_dir(dir).expect("the media directory").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn an_answer_to_a_file_shows_what_the_file_is() {
    let (kurir, phones) = linked();
    let jpeg = base64(&picture(20, 10, ImageFormat::Jpeg));
    for (media, shown) in [
        (
            json!({"type": "image", "mimetype": "image/jpeg", "caption": "bukti", "thumbnail": jpeg}),
            json!({"type": "image", "caption": "bukti", "text": null, "hasThumbnail": true}),
        ),
        (
            json!({"type": "document", "mimetype": "application/pdf", "fileName": "mei.pdf"}),
            json!({"type": "document", "caption": null, "text": null, "hasThumbnail": false, "fileName": "mei.pdf"}),
        ),
        (
            json!({"type": "voice", "mimetype": "audio/ogg; codecs=opus", "seconds": 1}),
            json!({"type": "voice", "caption": null, "text": null, "seconds": 1}),
        ),
    ] {
        let mut media = media;
        media["base64"] = match media["type"].as_str() {
            Some("image") => json!(base64(&picture(64, 48, ImageFormat::Jpeg))),
            Some("document") => json!(base64(&pdf(500))),
            _ => json!(base64(&voice(50))),
        };
        let id = phones.send_media(ANI, SHOP, media);
        wait_ready(&kurir, &id);
        let answer = kurir.owner().post(&about(ANI, &id, "reply"), json!({"message": "terima kasih"}));
        let answer = phones.wait_message(ANI, &id_of(&answer.data(200)));
        assert_eq!((&answer["target"], &answer["text"]), (&json!(id), &json!("terima kasih")));
        assert_eq!(answer["quoted"], shown);
    }
    // What may be seen once shows in a quote that it was there, not what it was.
    let media = json!({"type": "image", "mimetype": "image/jpeg", "thumbnail": jpeg,
        "base64": base64(&picture(64, 48, ImageFormat::Jpeg))});
    let id = phones.write_as(ANI, json!({"to": SHOP, "media": media, "viewOnce": true}));
    wait_for("the picture", || kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == id));
    let answer = kurir.owner().post(&about(ANI, &id, "reply"), json!({"message": "sudah"}));
    let answer = phones.wait_message(ANI, &id_of(&answer.data(200)));
    assert_eq!(
        (&answer["quoted"]["type"], &answer["quoted"]["hasThumbnail"]),
        (&json!("image"), &json!(false))
    );
}
