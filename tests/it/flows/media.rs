//! Files that come from phones, and files on their way while things break.

use super::BASE;
use crate::support::samples::{FormBody, base64, pdf, picture, voice};
use crate::support::{Api, Events, Phones, TestKurir, TestNetwork, wait_for};
use image::ImageFormat;
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";

/// Waits until the history shows this message with its file in this state, and returns its content.
#[track_caller]
fn wait_state(kurir: &TestKurir, id: &str, state: &str) -> Value {
    wait_for(&format!("the file of {id} to be {state}"), || {
        let messages = kurir.history("toko-1", ANI);
        let message = messages.into_iter().find(|message| message["id"] == id)?;
        (message["content"]["mediaState"] == state).then(|| message["content"].clone())
    })
}

fn link_of(content: &Value) -> String {
    content["url"].as_str().unwrap_or_else(|| panic!("a link in {content}")).to_owned()
}

fn image(bytes: &[u8]) -> Value {
    json!({"type": "image", "base64": base64(bytes), "mimetype": "image/jpeg", "caption": "bukti", "width": 40, "height": 30})
}

fn linked() -> (TestKurir, Phones) {
    TestKurir::linked(SHOP, &[ANI])
}

#[test]
fn a_received_picture_is_told_twice_and_read_by_its_link() {
    let (kurir, phones) = linked();
    let mut events = Events::open(&kurir.owner());
    let bytes = picture(40, 30, ImageFormat::Jpeg);
    let id = phones.send_media(ANI, SHOP, image(&bytes));
    let told = events
        .wait("the message", |data| data["type"] == "message.received" && data["messageId"] == id.as_str());
    assert_eq!([&told["messageType"], &told["mimetype"]], [&json!("imageMessage"), &json!("image/jpeg")]);
    let told =
        events.wait("its file", |data| data["type"] == "message.media" && data["messageId"] == id.as_str());
    assert_eq!(told["mediaState"], "ready");
    let content = wait_state(&kurir, &id, "ready");
    assert_eq!(
        [&content["caption"], &content["width"], &content["size"]],
        [&json!("bukti"), &json!(40), &json!(bytes.len())]
    );
    let anybody = kurir.nobody();
    for link in [told["mediaUrl"].as_str().expect("a link").to_owned(), link_of(&content)] {
        let reply = anybody.get(&link);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("image/jpeg")));
        assert!(reply.body == bytes);
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("content-disposition"), Some("inline; filename*=UTF-8''image.jpg"));
        assert!(reply.header("content-security-policy").is_some_and(|policy| policy.contains("sandbox")));
    }
}

#[test]
fn a_link_serves_parts_heads_and_nothing_that_is_known() {
    let (kurir, phones) = linked();
    let bytes = pdf(200_000);
    let media = json!({"type": "document", "base64": base64(&bytes), "mimetype": "application/pdf", "fileName": "Faktur é.pdf", "caption": "tolong dicek"});
    let id = phones.send_media(ANI, SHOP, media);
    let content = wait_state(&kurir, &id, "ready");
    assert_eq!([&content["fileName"], &content["caption"]], [&json!("Faktur é.pdf"), &json!("tolong dicek")]);
    let link = link_of(&content);
    let get = |name: &str, value: &str| kurir.nobody().call("GET", &link).header(name, value).send();
    let part = get("range", "bytes=100000-150000");
    assert_eq!((part.status, part.header("content-range")), (206, Some("bytes 100000-150000/200000")));
    assert!(part.body == bytes[100_000..=150_000]);
    assert!(get("range", "bytes=-10").body == bytes[199_990..]);
    let beyond = get("range", "bytes=200000-");
    assert_eq!((beyond.status, beyond.header("content-range")), (416, Some("bytes */200000")));
    let whole = kurir.nobody().get(&link);
    assert!(whole.status == 200 && whole.body == bytes);
    assert_eq!(whole.header("content-disposition"), Some("attachment; filename*=UTF-8''Faktur%20%C3%A9.pdf"));
    let tag = whole.header("etag").expect("a tag").to_owned();
    assert_eq!(get("if-none-match", &tag).status, 304);
    let head = kurir.nobody().call("HEAD", &link).send();
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some("200000"), 0));
}

#[test]
fn links_that_were_made_up_changed_or_have_ended_open_nothing() {
    let kurir = TestKurir::options().config("[media]\nlink_ttl = \"2s\"\n").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(ANI);
    let id = phones.send_media(ANI, SHOP, image(&picture(40, 30, ImageFormat::Jpeg)));
    let link = link_of(&wait_state(&kurir, &id, "ready"));
    let (path, query) = link.split_once('?').expect("a query");
    let hash = path.split('/').nth(2).expect("a hash");
    let anybody = kurir.nobody();
    for changed in [
        path.to_owned(),
        format!("/media/{hash}/other.jpg?{query}"),
        format!("/media/{}/image.jpg?{query}", "0".repeat(64)),
        format!("/media/..%2f..%2fkurir.redb/image.jpg?{query}"),
        link.replace("image%2Fjpeg", "text%2Fhtml"),
        link.replace("expires=", "expires=9"),
        link.replace("signature=", "signature=A"),
    ] {
        let reply = anybody.get(&changed);
        assert_eq!(reply.status, 404, "{changed}: {}", reply.text());
    }
    assert_eq!(anybody.get("/media/unknown").status, 404);
    wait_for("the link to end", || (anybody.get(&link).status == 404).then_some(()));
    // The history makes a new one.
    wait_for("a link that lives", || {
        (anybody.get(&link_of(&wait_state(&kurir, &id, "ready"))).status == 200).then_some(())
    });
}

#[test]
fn a_voice_note_from_a_phone_keeps_length_and_waveform() {
    let (kurir, phones) = linked();
    let bars = base64(&[50; 64]);
    let media = json!({"type": "voice", "base64": base64(&voice(50)), "mimetype": "audio/ogg; codecs=opus", "seconds": 1, "waveform": bars});
    let id = phones.send_media(ANI, SHOP, media);
    let content = wait_state(&kurir, &id, "ready");
    assert_eq!(
        [&content["mediaType"], &content["mimetype"], &content["seconds"], &content["waveform"]],
        [&json!("voice"), &json!("audio/ogg"), &json!(1), &json!(bars)]
    );
}

#[test]
fn a_file_that_whatsapp_lost_is_asked_of_the_phone_again() {
    let (kurir, phones) = linked();
    phones.fault(json!({"mediaStatus": 500}));
    let bytes = picture(40, 30, ImageFormat::Jpeg);
    let id = phones.send_media(ANI, SHOP, image(&bytes));
    wait_state(&kurir, &id, "pending");
    phones.fault(json!({"mediaExpired": true}));
    phones.no_faults();
    let content = wait_state(&kurir, &id, "ready");
    assert!(kurir.nobody().get(&link_of(&content)).body == bytes);
}

#[test]
fn a_file_that_was_not_fetched_before_a_kill_is_fetched_after_it() {
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::against(&network);
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(ANI);
    phones.fault(json!({"mediaStatus": 500}));
    let bytes = picture(40, 30, ImageFormat::Jpeg);
    let id = phones.send_media(ANI, SHOP, image(&bytes));
    wait_state(&kurir, &id, "pending");
    kurir.kill9();
    phones.no_faults();
    kurir.launch();
    let content = wait_state(&kurir, &id, "ready");
    assert!(kurir.nobody().get(&link_of(&content)).body == bytes);
    // Links outlive restarts.
    let link = link_of(&content);
    kurir.restart();
    assert_eq!(kurir.nobody().get(&link).status, 200);
}

#[test]
fn a_file_that_was_accepted_is_sent_once_after_a_kill() {
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::against(&network);
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(ANI);
    phones.fault(json!({"uploadStatus": 500}));
    let bytes = picture(80, 60, ImageFormat::Jpeg);
    let form = FormBody::default()
        .text("items", &json!([{"to": ANI, "mediaType": "image", "caption": "satu"}, {"to": ANI, "mediaType": "image", "caption": "dua"}]).to_string())
        .text("delay", "0")
        .file("file", "a.jpg", "image/jpeg", &bytes);
    let path = format!("{BASE}/devices/toko-1/jobs/send-media");
    let made = post_form(&kurir.owner(), &path, form).data(202);
    let job = made["jobId"].as_str().expect("an id").to_owned();
    kurir.kill9();
    phones.no_faults();
    kurir.launch();
    let ended = kurir.wait_job(&job, crate::support::SOON);
    assert_eq!(ended["progress"]["successCount"], 2, "{ended}");
    let seen = phones.wait_received(ANI, 2);
    let captions: Vec<&Value> = seen.iter().map(|message| &message["caption"]).collect();
    assert_eq!(captions, [&json!("satu"), &json!("dua")]);
    for message in &seen {
        assert_eq!(message["deliveries"], 1);
        assert!(phones.media(ANI, message["id"].as_str().expect("an id")) == bytes);
    }
}

fn post_form(api: &Api, path: &str, form: FormBody) -> crate::support::Reply {
    api.call("POST", path).body(FormBody::KIND, form.end()).send()
}
