//! The card of a text's first link: as phones send it, as Kurir looks for it, and that it never keeps a text from going out.

use super::BASE;
use crate::support::samples::picture;
use crate::support::{Events, Page, Phones, SOON, Site, TestKurir, TestNetwork, wait_for};
use image::ImageFormat;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";
const OPEN: &str = "[egress]\nallow_private = true";

fn linked(config: &str) -> (TestKurir, Phones) {
    let kurir = TestKurir::options().config(config).start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(ANI);
    phones.add(BUDI);
    (kurir, phones)
}

fn path(below: &str) -> String {
    format!("{BASE}/devices/toko-1/{below}")
}

fn html(head: &str) -> Page {
    Page::File("text/html; charset=utf-8".into(), format!("<!doctype html><head>{head}</head><body>").into())
}

/// A page with all that a card shows.
fn shop() -> Page {
    html(
        "<title>Lain</title><meta property='og:title' content='Toko &amp; Jaya'>\
         <meta property='og:description' content='Buka 8-17'><meta property='og:image' content='/gambar.png'>\
         <link rel='canonical' href='/toko'>",
    )
}

fn in_history(kurir: &TestKurir, chat: &str, id: &str) -> Value {
    let found = kurir.history("toko-1", chat).into_iter().find(|message| message["id"] == id);
    found.unwrap_or_else(|| panic!("{id} in the history of {chat}"))
}

fn send(kurir: &TestKurir, body: Value) -> String {
    let sent = kurir.owner().post(&path("send-message"), body).data(200);
    sent["messageId"].as_str().expect("an id").to_owned()
}

#[test]
fn a_text_with_a_link_goes_out_with_the_card_of_the_page() {
    let (kurir, phones) = linked(OPEN);
    let site = Site::start(|path| match path {
        "/lama" => Page::To("/x/baru".into()),
        "/x/baru" => shop(),
        "/gambar.png" => Page::File("image/png".into(), picture(640, 320, ImageFormat::Png)),
        _ => Page::Status(404),
    });
    let mut events = Events::open(&kurir.owner());
    let url = site.url("/lama");
    let text = format!("Lihat ({url}), ya!");
    let id = send(&kurir, json!({"to": ANI, "message": text}));
    let shown = phones.wait_message(ANI, &id);
    assert_eq!(shown["text"], text);
    let card = json!({"url": url, "title": "Toko & Jaya", "description": "Buka 8-17", "hasThumbnail": true});
    assert_eq!(shown["preview"], card);
    let kept = in_history(&kurir, ANI, &id)["linkPreview"].clone();
    assert_eq!(
        (&kept["url"], &kept["title"], &kept["description"], &kept["canonicalUrl"]),
        (&json!(url), &card["title"], &card["description"], &json!(site.url("/toko")))
    );
    assert!(kept["thumbnail"].as_str().is_some_and(|jpeg| jpeg.starts_with("/9j/")), "{kept}");
    let told =
        events.wait("the sent message", |data| data["type"] == "message.sent" && data["messageId"] == id);
    assert_eq!(told["linkPreview"], kept);

    // The same page is not asked again for a while: page, redirect and picture were three questions.
    let second = send(&kurir, json!({"to": BUDI, "message": url}));
    assert_eq!(phones.wait_message(BUDI, &second)["preview"], card);
    assert_eq!(site.asked(), 3);
    // Who wants none gets none.
    let plain = send(&kurir, json!({"to": ANI, "message": site.url("/x/baru"), "linkPreview": false}));
    assert_eq!(phones.wait_message(ANI, &plain)["preview"], Value::Null);
    assert_eq!(in_history(&kurir, ANI, &plain)["linkPreview"], Value::Null);
    assert_eq!(site.asked(), 3);

    // An answer and a forward have it as well.
    let asked = phones.write(ANI, SHOP, "di mana?");
    wait_for("the question", || {
        kurir.history("toko-1", ANI).into_iter().find(|message| message["id"] == asked)
    });
    let answer =
        kurir.owner().post(&path(&format!("chats/{ANI}/messages/{asked}/reply")), json!({"message": url}));
    let answer = answer.data(200)["messageId"].as_str().expect("an id").to_owned();
    let shown = phones.wait_message(ANI, &answer);
    assert_eq!((&shown["preview"], &shown["target"]), (&card, &json!(asked)));
    let passed =
        kurir.owner().post(&path(&format!("chats/{ANI}/messages/{id}/forward")), json!({"to": BUDI}));
    let passed = passed.data(200)["messageId"].as_str().expect("an id").to_owned();
    let shown = phones.wait_message(BUDI, &passed);
    assert_eq!((&shown["preview"], &shown["forwarded"]), (&card, &json!(true)));
}

#[test]
fn without_a_page_that_may_be_asked_the_text_goes_out_as_it_is() {
    let (kurir, phones) = linked("");
    let site = Site::start(|_| shop());
    for url in [site.url("/"), format!("http://localhost:{}/", site.port()), "http://[::1]:1/".to_owned()] {
        let id = send(&kurir, json!({"to": ANI, "message": url}));
        let shown = phones.wait_message(ANI, &id);
        assert_eq!((&shown["text"], &shown["preview"]), (&json!(url), &Value::Null));
    }
    assert_eq!(site.asked(), 0, "a private address was asked");

    let (kurir, phones) = linked("[egress]\nallow_private = true\n[queue]\nlink_previews = false");
    let id = send(&kurir, json!({"to": ANI, "message": site.url("/")}));
    assert_eq!(phones.wait_message(ANI, &id)["preview"], Value::Null);
    assert_eq!(site.asked(), 0, "the owner wants no cards");
}

#[test]
fn a_page_that_is_huge_endless_slow_or_broken_does_not_hold_a_text_back() {
    let (kurir, phones) = linked(OPEN);
    let site = Site::start(|path| match path {
        "/besar" => {
            let mut page = b"<head><title>Besar</title>".to_vec();
            page.resize(64 << 20, b' ');
            Page::File("text/html".into(), page)
        }
        "/terlambat" => {
            let mut page = vec![b' '; 300 << 10];
            page.extend_from_slice(b"<title>Di belakang batas</title>");
            Page::File("text/html".into(), page)
        }
        "/tanpa-akhir" => Page::EndlessOf("text/html"),
        path if path.starts_with("/lambat") => Page::Silent,
        "/gambar-lambat" => html("<title>Judul</title><meta property='og:image' content='/lambat'>"),
        "/gambar-besar" => html("<title>Judul</title><meta property='og:image' content='/tanpa-akhir'>"),
        "/bukan" => Page::File("application/pdf".into(), b"<title>Bukan halaman</title>".to_vec()),
        "/kosong" => html("<meta property='og:description' content='tanpa judul'>"),
        "/putar" => Page::To("/putar".into()),
        _ => Page::Status(500),
    });
    let title = |path: &str| {
        let id = send(&kurir, json!({"to": ANI, "message": format!("lihat {}", site.url(path))}));
        let shown = phones.wait_message(ANI, &id);
        assert_eq!(shown["deliveries"], 1, "{path}");
        shown["preview"]["title"].clone()
    };
    for (path, expected) in [
        ("/besar", json!("Besar")),
        ("/gambar-lambat", json!("Judul")),
        ("/gambar-besar", json!("Judul")),
        ("/terlambat", Value::Null),
        ("/tanpa-akhir", Value::Null),
        ("/lambat", Value::Null),
        ("/bukan", Value::Null),
        ("/kosong", Value::Null),
        ("/putar", Value::Null),
        ("/tidak-ada", Value::Null),
    ] {
        assert_eq!(title(path), expected, "{path}");
    }
    // While a page is waited for, texts to other people go out; what follows in the same chat keeps its place.
    let before = site.asked();
    let slow = std::thread::scope(|scope| {
        let slow = scope.spawn(|| send(&kurir, json!({"to": ANI, "message": site.url("/lambat?lagi")})));
        wait_for("the question for the page", || (site.asked() > before).then_some(()));
        let next = scope.spawn(|| send(&kurir, json!({"to": ANI, "message": "menyusul"})));
        let quick = send(&kurir, json!({"to": BUDI, "message": "cepat"}));
        phones.wait_message(BUDI, &quick);
        [slow, next].map(|sent| sent.join().expect("it was sent"))
    });
    assert_eq!(phones.wait_message(ANI, &slow[0])["preview"], Value::Null);
    phones.wait_message(ANI, &slow[1]);
    let ids: Vec<_> = phones.received(ANI).iter().map(|message| message["id"].clone()).collect();
    assert!(ids.ends_with(&slow.map(Value::from)), "{ids:?}");
}

/// The page has changed after the crash; what was decided before it goes out again, under the same id.
#[test]
fn a_text_goes_out_with_the_same_card_after_a_crash() {
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::options().network(&network).config(OPEN).start();
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(ANI);
    let asked = AtomicUsize::new(0);
    let site = Site::start(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => html("<title>Sebelum</title>"),
        _ => html("<title>Sesudah</title>"),
    });
    phones.fault(json!({"phone": SHOP, "lostAck": true}));
    let body = json!({"messages": [{"to": ANI, "message": site.url("/")}], "delay": 0});
    let job = kurir.owner().post(&path("jobs/send-text"), body).data(202)["jobId"].clone();
    let first = wait_for("the text", || phones.received(ANI).into_iter().next());
    assert_eq!(first["preview"]["title"], "Sebelum");
    kurir.kill9();
    phones.no_faults();
    kurir.launch();
    let ended = kurir.wait_job(job.as_str().expect("an id"), SOON);
    assert_eq!(ended["progress"]["successCount"], 1, "{ended}");
    let all = phones.received(ANI);
    assert_eq!((all.len(), &all[0]["id"]), (1, &first["id"]), "the reader sees it once");
    let id = first["id"].as_str().expect("an id");
    assert_eq!(in_history(&kurir, ANI, id)["linkPreview"]["title"], "Sebelum");
    assert_eq!(site.asked(), 1);
}

#[test]
fn the_card_that_somebody_else_sent_is_kept() {
    let (kurir, phones) = linked("");
    let mut events = Events::open(&kurir.owner());
    let jpeg = "/9j/4AAQSkZJRgABAQEAYABgAAD/2Q==";
    let card =
        |url: &str| json!({"url": url, "title": "Toko\nJaya", "description": "Buka", "thumbnail": jpeg});
    let write = |url: &str| {
        phones.write_as(ANI, json!({"to": SHOP, "text": format!("lihat {url}"), "preview": card(url)}))
    };
    let id = write("https://toko.example/a");
    let told = events.wait("the text", |data| data["type"] == "message.received" && data["messageId"] == id);
    let expected = json!({
        "url": "https://toko.example/a", "title": "Toko Jaya", "description": "Buka", "thumbnail": jpeg,
    });
    assert_eq!(told["linkPreview"], expected);
    assert_eq!(told["messageType"], "conversation");
    assert_eq!(in_history(&kurir, ANI, &id)["linkPreview"], expected);
    // What could run something is no link.
    let odd = write("javascript:alert(1)");
    let told = events.wait("the text", |data| data["type"] == "message.received" && data["messageId"] == odd);
    assert_eq!(told["linkPreview"], Value::Null);
    // A text that speaks of another page loses the card of the former one.
    phones.write_as(ANI, json!({"to": SHOP, "text": "salah alamat", "edit": id}));
    let told = events.wait_type("message.edited");
    assert_eq!((&told["message"], &told["linkPreview"]), (&json!("salah alamat"), &Value::Null));
}
