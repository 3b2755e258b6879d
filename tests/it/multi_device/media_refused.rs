//! Files that are not sent: what they are, how large they are, where they come from.

use super::BASE;
use crate::support::samples::{FormBody, base64, pdf, picture};
use crate::support::{Page, Phones, Reply, Site, TestKurir};
use image::ImageFormat;
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const SEND: &str = "/api/whatsapp-multi-device/devices/toko-1/send-media";
const LIMIT: usize = 16 << 20;
const EXE: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0";

fn linked(config: &str) -> (TestKurir, Phones) {
    let kurir = TestKurir::options().config(config).start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    (kurir, phones)
}

fn upload(kurir: &TestKurir, kind: &str, name: &str, mime: &str, bytes: &[u8]) -> Reply {
    let form = FormBody::default().text("to", ANI).text("mediaType", kind).file("file", name, mime, bytes);
    kurir.owner().call("POST", SEND).body(FormBody::KIND, form.end()).send()
}

#[track_caller]
fn nothing_was_sent(kurir: &TestKurir, phones: &Phones) {
    assert_eq!(kurir.history("toko-1", ANI), Vec::<Value>::new());
    assert_eq!(phones.messages(ANI), Vec::<Value>::new());
    let left = std::fs::read_dir(kurir.data_dir().join("media/tmp")).expect("a folder").count();
    assert_eq!(left, 0, "temporary files stay behind");
}

#[test]
fn what_is_missing_or_malformed_is_named() {
    let (kurir, phones) = linked("");
    let file = base64(&picture(5, 5, ImageFormat::Png));
    for (body, message) in [
        (json!({}), "Nomor tujuan wajib diisi"),
        (json!({"to": " ", "mediaType": "image", "base64": file}), "Nomor tujuan wajib diisi"),
        (json!({"to": "12345", "mediaType": "image", "base64": file}), "Format nomor telepon tidak valid"),
        (json!({"to": ANI, "base64": file}), "mediaType wajib diisi"),
        (json!({"to": ANI, "mediaType": "hologram", "base64": file}), "mediaType tidak valid"),
        (json!({"to": ANI, "mediaType": "image"}), "File, base64 atau url wajib diisi"),
        (
            json!({"to": ANI, "mediaType": "image", "base64": "", "url": " "}),
            "File, base64 atau url wajib diisi",
        ),
        (json!({"to": ANI, "mediaType": "image", "base64": "%%%"}), "base64 tidak valid"),
        (json!({"to": ANI, "mediaType": "image", "base64": "data:image/png,abc"}), "base64 tidak valid"),
        (json!({"to": ANI, "mediaType": "image", "base64": "data:image/png;base64,"}), "File kosong"),
        (
            json!({"to": ANI, "mediaType": "image", "base64": file, "caption": "x".repeat(4097)}),
            "Caption maksimal 4096 karakter",
        ),
    ] {
        kurir.owner().post(SEND, body).refused(400, message);
    }
    kurir
        .owner()
        .post(SEND, json!({"to": "6281200000000", "mediaType": "image", "base64": file}))
        .refused(400, "Nomor tidak terdaftar di WhatsApp");
    upload(&kurir, "image", "a.png", "image/png", b"").refused(400, "File kosong");
    nothing_was_sent(&kurir, &phones);
    kurir.owner().call("DELETE", &format!("{BASE}/devices/toko-1/disconnect")).send();
    let away = kurir.owner().post(SEND, json!({"to": ANI, "mediaType": "image", "base64": file}));
    away.refused(400, "WhatsApp tidak terhubung");
}

#[test]
fn types_that_are_not_listed_or_not_true_are_refused() {
    let (kurir, phones) = linked("");
    let (png, document) = (picture(5, 5, ImageFormat::Png), pdf(100));
    let unsupported = "Tipe file tidak didukung";
    let lies = "Isi file tidak sesuai dengan tipenya";
    for (kind, mime, bytes, message) in [
        ("image", "application/pdf", &document[..], unsupported),
        ("image", "application/octet-stream", &document, unsupported),
        ("video", "image/png", &png, unsupported),
        ("document", "text/html", b"<script>alert(1)</script>", unsupported),
        ("document", "application/x-msdownload", EXE, unsupported),
        ("document", "application/octet-stream", EXE, unsupported),
        ("image", "image/svg+xml", b"<svg onload='x'/>", unsupported),
        ("image", "image/jpeg", EXE, lies),
        ("image", "image/jpeg", &png, lies),
        ("document", "application/pdf", b"<html><script>alert(1)</script>", lies),
        ("document", "application/msword", &document, lies),
        ("video", "video/mp4", &png, lies),
    ] {
        upload(&kurir, kind, "a.bin", mime, bytes).refused(400, message);
    }
    let body = json!({"to": ANI, "mediaType": "image", "base64": base64(&png), "mimetype": "image/jpeg"});
    kurir.owner().post(SEND, body).refused(400, lies);
    nothing_was_sent(&kurir, &phones);
}

#[test]
fn sixteen_megabytes_go_and_one_byte_more_does_not() {
    let (kurir, phones) = linked("");
    let message = "Ukuran file maksimal 16MB";
    upload(&kurir, "document", "a.pdf", "application/pdf", &pdf(LIMIT + 1)).refused(400, message);
    let body = json!({"to": ANI, "mediaType": "document", "base64": base64(&pdf(LIMIT + 1))});
    kurir.owner().post(SEND, body).refused(400, message);
    // Refused by its announcement; the body never comes.
    let head = format!(
        "POST {SEND} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: {}\r\ncontent-length: 999999999\r\n\r\n",
        kurir.owner().token.expect("a token"),
        FormBody::KIND
    );
    let early = crate::support::raw_open(kurir.addr(), head.as_bytes()).expect("an answer");
    early.refused(400, message);
    nothing_was_sent(&kurir, &phones);
    let whole = pdf(LIMIT);
    let id = upload(&kurir, "document", "a.pdf", "application/pdf", &whole).data(200)["messageId"].clone();
    let id = id.as_str().expect("an id");
    phones.wait_message(ANI, id);
    assert!(phones.media(ANI, id) == whole);
}

#[test]
fn addresses_of_this_machine_and_its_network_are_refused_in_every_spelling() {
    let (kurir, phones) = linked("");
    let site = Site::start(|_| Page::File("image/png".into(), picture(5, 5, ImageFormat::Png)));
    let port = site.port();
    for url in [
        format!("http://127.0.0.1:{port}/a.png"),
        format!("http://localhost:{port}/a.png"),
        format!("http://2130706433:{port}/a.png"),
        format!("http://0x7f000001:{port}/a.png"),
        format!("http://0177.0.0.1:{port}/a.png"),
        format!("http://127.1:{port}/a.png"),
        format!("http://[::1]:{port}/a.png"),
        format!("http://[::ffff:127.0.0.1]:{port}/a.png"),
        format!("http://[::ffff:7f00:1]:{port}/a.png"),
        format!("http://0.0.0.0:{port}/a.png"),
        "http://10.0.0.1/a.png".into(),
        "http://172.16.0.1/a.png".into(),
        "http://192.168.1.1/a.png".into(),
        "http://169.254.169.254/latest/meta-data/".into(),
        "http://[fe80::1]/a.png".into(),
        "http://[fd00::1]/a.png".into(),
    ] {
        let body = json!({"to": ANI, "mediaType": "image", "url": url});
        let reply = kurir.owner().post(SEND, body);
        assert_eq!(reply.json()["message"], "Alamat url tidak diizinkan", "{url}: {}", reply.text());
        assert_eq!(reply.status, 400);
    }
    for url in ["ftp://example.com/a.png", "file:///etc/passwd", "a.png", "http://", "javascript:alert(1)"] {
        let reply = kurir.owner().post(SEND, json!({"to": ANI, "mediaType": "image", "url": url}));
        assert_eq!(reply.status, 400, "{url}: {}", reply.text());
    }
    assert_eq!(site.asked(), 0);
    nothing_was_sent(&kurir, &phones);
}

#[test]
fn a_site_that_lies_never_ends_or_leads_astray_is_refused() {
    let site = Site::start(|path| match path {
        "/loop" => Page::To("/loop".into()),
        "/endless" => Page::Endless,
        "/page" => Page::File("image/jpeg".into(), b"<!DOCTYPE html><html></html>".to_vec()),
        "/empty" => Page::File("image/jpeg".into(), Vec::new()),
        "/large" => Page::File("application/pdf".into(), pdf(LIMIT + 1)),
        "/elsewhere" => Page::To("ftp://example.com/a.png".into()),
        _ => Page::Status(500),
    });
    let (kurir, phones) = linked("[egress]\nallow_private = true\n");
    for (path, message) in [
        ("/loop", "File dari url tidak dapat diambil"),
        ("/elsewhere", "Alamat url tidak diizinkan"),
        ("/broken", "File dari url tidak dapat diambil"),
        ("/endless", "Ukuran file maksimal 16MB"),
        ("/large", "Ukuran file maksimal 16MB"),
        ("/page", "Tipe file tidak didukung"),
        ("/empty", "File kosong"),
    ] {
        let reply = kurir.owner().post(SEND, json!({"to": ANI, "mediaType": "image", "url": site.url(path)}));
        assert_eq!(
            (reply.status, reply.json()["message"].as_str()),
            (400, Some(message)),
            "{path}: {}",
            reply.text()
        );
    }
    nothing_was_sent(&kurir, &phones);
}

#[test]
fn types_that_the_owner_lists_are_sent_too() {
    let (kurir, _) = linked("[media]\nextra_types = [\"text/csv\"]\n");
    upload(&kurir, "document", "daftar.csv", "text/csv", b"nama;nomor\nAni;1").data(200);
    upload(&kurir, "document", "daftar.csv", "application/octet-stream", b"nama;nomor\nAni;1")
        .refused(400, "Tipe file tidak didukung");
}
