//! One file to one person: by upload, as base64, from an address; and what the recipient and the history show of it.

use super::BASE;
use crate::support::samples::{FormBody, base64, film, pdf, picture, unbase64, voice};
use crate::support::{Page, Phones, Reply, Site, TestKurir, wait_for};
use image::ImageFormat;
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const SEND: &str = "/api/whatsapp-multi-device/devices/toko-1/send-media";

fn linked() -> (TestKurir, Phones) {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    (kurir, phones)
}

fn upload(kurir: &TestKurir, form: FormBody) -> Reply {
    kurir.owner().call("POST", SEND).body(FormBody::KIND, form.end()).send()
}

/// Checks what the sender was told and returns what the recipient's phone shows.
#[track_caller]
fn arrived(phones: &Phones, reply: &Reply, bytes: &[u8]) -> Value {
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Media berhasil dikirim");
    assert_eq!(
        (&data["deviceId"], &data["to"], &data["status"]),
        (&json!("toko-1"), &json!(ANI), &json!("sent"))
    );
    assert!(data["timestamp"].as_str().is_some_and(|at| at.ends_with('Z') && at.len() == 24));
    let id = data["messageId"].as_str().expect("an id");
    let seen = phones.wait_message(ANI, id);
    assert_eq!(
        (&seen["from"], &seen["deliveries"], &seen["mediaError"]),
        (&json!(SHOP), &json!(1), &Value::Null)
    );
    assert_eq!(seen["size"], bytes.len());
    assert!(phones.media(ANI, id) == bytes, "the phone has other bytes");
    seen
}

#[test]
fn an_uploaded_picture_arrives_with_caption_size_and_thumbnail() {
    let (kurir, phones) = linked();
    let bytes = picture(640, 320, ImageFormat::Jpeg);
    let form = FormBody::default()
        .text("to", "081211110022")
        .text("mediaType", "image")
        .text("caption", "Toko kami & \"sekitarnya\"")
        .file("file", "toko.jpg", "image/jpeg", &bytes);
    let reply = upload(&kurir, form);
    let seen = arrived(&phones, &reply, &bytes);
    assert_eq!(
        [
            &seen["type"],
            &seen["caption"],
            &seen["mimetype"],
            &seen["width"],
            &seen["height"],
            &seen["hasThumbnail"]
        ],
        [
            &json!("image"),
            &json!("Toko kami & \"sekitarnya\""),
            &json!("image/jpeg"),
            &json!(640),
            &json!(320),
            &json!(true)
        ]
    );
    let stored = kurir.history("toko-1", ANI).pop().expect("a message");
    let content = &stored["content"];
    assert_eq!(
        [
            &stored["messageType"],
            &content["text"],
            &content["caption"],
            &content["mimetype"],
            &content["mediaType"]
        ],
        [&json!("imageMessage"), &seen["caption"], &seen["caption"], &json!("image/jpeg"), &json!("image")]
    );
    let small = unbase64(content["thumbnail"].as_str().expect("a thumbnail"));
    let small = image::load_from_memory_with_format(&small, ImageFormat::Jpeg).expect("a jpeg");
    assert_eq!((small.width(), small.height()), (100, 50));
    let shown = kurir.nobody().get(content["url"].as_str().expect("a link"));
    assert_eq!((shown.status, shown.body == bytes), (200, true));
}

#[test]
fn base64_is_taken_bare_as_a_data_url_and_in_a_form() {
    let (kurir, phones) = linked();
    let bytes = picture(30, 20, ImageFormat::Png);
    let code = base64(&bytes);
    let send = |body: Value| kurir.owner().post(SEND, body);
    let bare = send(json!({"to": ANI, "mediaType": "image", "base64": code}));
    assert_eq!(arrived(&phones, &bare, &bytes)["mimetype"], "image/png");
    let url = format!("data:image/png;base64,{code}");
    let named = send(
        json!({"phone": ANI, "mediaType": "document", "base64": url, "fileName": "../rahasia/stempel.png"}),
    );
    let seen = arrived(&phones, &named, &bytes);
    assert_eq!(
        [&seen["type"], &seen["fileName"], &seen["hasThumbnail"]],
        [&json!("document"), &json!("stempel.png"), &json!(true)]
    );
    let form = FormBody::default().text("to", ANI).text("mediaType", "image").text("base64", &code);
    arrived(&phones, &upload(&kurir, form), &bytes);
    // An upload goes before base64, base64 before an address.
    let other = picture(10, 10, ImageFormat::Gif);
    let form = FormBody::default()
        .text("to", ANI)
        .text("mediaType", "image")
        .text("base64", &code)
        .text("url", "http://127.0.0.1:9/")
        .file("gambar", "a.gif", "image/gif", &other);
    arrived(&phones, &upload(&kurir, form), &other);
}

#[test]
fn documents_voice_notes_stickers_and_films_look_as_from_a_phone() {
    let (kurir, phones) = linked();
    let send = |kind: &str, name: &str, mime: &str, bytes: &[u8]| {
        let form = FormBody::default()
            .text("to", ANI)
            .text("mediaType", kind)
            .text("caption", "lihat ini")
            .file("file", name, mime, bytes);
        arrived(&phones, &upload(&kurir, form), bytes)
    };
    let document = send("document", "Laporan Mei.pdf", "application/pdf", &pdf(2000));
    assert_eq!(
        [&document["type"], &document["fileName"], &document["mimetype"], &document["caption"]],
        [&json!("document"), &json!("Laporan Mei.pdf"), &json!("application/pdf"), &json!("lihat ini")]
    );
    let note = send("voice", "catatan.ogg", "audio/ogg", &voice(101));
    assert_eq!(
        [&note["type"], &note["mimetype"], &note["seconds"], &note["caption"]],
        [&json!("voice"), &json!("audio/ogg; codecs=opus"), &json!(3), &Value::Null]
    );
    assert_eq!(unbase64(note["waveform"].as_str().expect("a waveform")).len(), 64);
    let sticker = send("sticker", "stiker.webp", "image/webp", &picture(512, 512, ImageFormat::WebP));
    assert_eq!(
        [&sticker["type"], &sticker["mimetype"], &sticker["width"], &sticker["height"]],
        [&json!("sticker"), &json!("image/webp"), &json!(512), &json!(512)]
    );
    let film = send("video", "film.mp4", "video/mp4", &film());
    assert_eq!(
        [&film["type"], &film["seconds"], &film["width"], &film["height"], &film["caption"]],
        [&json!("video"), &json!(13), &json!(640), &json!(360), &json!("lihat ini")]
    );
    let kinds: Vec<Value> =
        kurir.history("toko-1", ANI).iter().map(|message| message["messageType"].clone()).collect();
    assert_eq!(kinds, ["documentMessage", "audioMessage", "stickerMessage", "videoMessage"]);
}

#[test]
fn a_file_from_an_address_is_fetched_and_named_after_it() {
    let bytes = pdf(300_000);
    let file = bytes.clone();
    let site = Site::start(move |path| match path {
        "/a" => Page::To("/dir/faktur%20mei.pdf".into()),
        "/dir/faktur%20mei.pdf" => Page::File("application/octet-stream".into(), file.clone()),
        _ => Page::Status(404),
    });
    let kurir = TestKurir::options().config("[egress]\nallow_private = true\n").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let reply = kurir
        .owner()
        .post(SEND, json!({"to": ANI, "mediaType": "document", "url": site.url("/dir/faktur%20mei.pdf")}));
    let seen = arrived(&phones, &reply, &bytes);
    assert_eq!([&seen["mimetype"], &seen["fileName"]], [&json!("application/pdf"), &json!("faktur mei.pdf")]);
    let reply = kurir.owner().post(SEND, json!({"to": ANI, "mediaType": "document", "url": site.url("/a")}));
    arrived(&phones, &reply, &bytes);
    let missing =
        kurir.owner().post(SEND, json!({"to": ANI, "mediaType": "document", "url": site.url("/none")}));
    missing.refused(400, "File dari url tidak dapat diambil");
    assert_eq!(site.asked(), 4);
}

#[test]
fn a_file_goes_to_a_group() {
    let (kurir, phones) = linked();
    phones.add(ANI);
    let group = phones.make_group(ANI, &[SHOP], "lid");
    let bytes = picture(64, 64, ImageFormat::Jpeg);
    let path = format!("{BASE}/devices/toko-1/groups/{group}/send-media");
    let reply = wait_for("the group to be known", || {
        let body = json!({"mediaType": "image", "caption": "rapat", "base64": base64(&bytes)});
        let reply = kurir.owner().post(&path, body);
        (reply.status != 404).then_some(reply)
    });
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Media berhasil dikirim ke grup");
    assert_eq!((&data["deviceId"], &data["groupId"]), (&json!("toko-1"), &json!(group)));
    let id = data["messageId"].as_str().expect("an id");
    let seen = phones.wait_message(ANI, id);
    assert_eq!(
        [&seen["chat"], &seen["type"], &seen["caption"]],
        [&json!(group), &json!("image"), &json!("rapat")]
    );
    assert!(phones.media(ANI, id) == bytes);
    let (_, user) = kurir.register("budi");
    kurir.with_token(&user).post(&path, json!({})).refused(403, "Admin only");
}

#[test]
fn the_same_idempotency_key_sends_a_file_once() {
    let (kurir, phones) = linked();
    let bytes = picture(20, 20, ImageFormat::Png);
    let send = |bytes: &[u8]| {
        let form = FormBody::default().text("to", ANI).text("mediaType", "image").file(
            "file",
            "a.png",
            "image/png",
            bytes,
        );
        kurir
            .owner()
            .call("POST", SEND)
            .header("idempotency-key", "kunci-1")
            .body(FormBody::KIND, form.end())
            .send()
    };
    let (first, again) = (send(&bytes).data(200), send(&bytes).data(200));
    assert_eq!(first["messageId"], again["messageId"]);
    phones.wait_received(ANI, 1);
    assert_eq!(send(&picture(21, 21, ImageFormat::Png)).status, 409);
}
