//! Sending inside the request.

use super::BASE;
use crate::support::TestKurir;
use serde_json::{Value, json};

const PHONE: &str = "6281211110011";
const FRIEND: &str = "6281211110022";

fn path() -> String {
    format!("{BASE}/devices/toko-1/send-message")
}

#[test]
fn a_single_text_needs_a_recipient_and_a_text_that_fit() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    let long = "é".repeat(4097);
    let before = kurir.snapshot();
    for (body, message) in [
        (json!({}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"to": FRIEND}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"message": "x"}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"to": "", "message": "x"}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"to": FRIEND, "message": ""}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"to": FRIEND, "message": " \n\t"}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"to": FRIEND, "message": null}), "Nomor tujuan dan pesan wajib diisi"),
        (json!({"to": FRIEND, "message": 5}), "message tidak valid"),
        (json!({"to": FRIEND, "message": {"text": "x"}}), "message tidak valid"),
        (json!({"to": 6281211110022_u64, "message": "x"}), "to tidak valid"),
        (json!({"to": [FRIEND], "message": "x"}), "to tidak valid"),
        (json!({"to": FRIEND, "message": long}), "Pesan maksimal 4096 karakter"),
        (json!({"to": "12345", "message": "x"}), "Format nomor telepon tidak valid"),
        (json!({"to": "+15551234567", "message": "x"}), "Format nomor telepon tidak valid"),
        (json!({"to": "0812-1111-0022", "message": "x"}), "Format nomor telepon tidak valid"),
        (json!({"to": "120363123456789012@g.us", "message": "x"}), "Format nomor telepon tidak valid"),
        (json!({"to": "status@broadcast", "message": "x"}), "Format nomor telepon tidak valid"),
        (json!({"to": "x@example.com", "message": "x"}), "Format nomor telepon tidak valid"),
        (json!({"to": "6281211110000", "message": "x"}), "Nomor tidak terdaftar di WhatsApp"),
    ] {
        let reply = kurir.owner().post(&path(), body.clone());
        assert_eq!(
            (reply.status, &reply.json()["message"]),
            (400, &json!(message)),
            "{}",
            body.to_string().len()
        );
        reply.refused(400, message);
    }
    assert_eq!(kurir.snapshot(), before);
    assert_eq!(phones.stats()["messages"], 0, "nothing left the house");
    // A text of the full length in characters that need several bytes each is fine.
    let full = "é😀".repeat(2048);
    kurir.send("toko-1", FRIEND, &full);
    phones.wait_text(FRIEND, &full);
}

#[test]
fn a_bulk_refuses_mistakes_as_a_whole_and_bad_numbers_one_by_one() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    let one = json!({"to": FRIEND, "message": "x"});
    let many = |count: usize| Value::Array(vec![one.clone(); count]);
    let jobs = "Maksimal 100 pesan per permintaan, gunakan jobs/send-text untuk jumlah lebih besar";
    for (body, message) in [
        (json!({"messages": []}), "messages wajib berisi minimal satu pesan"),
        (json!({"messages": {}}), "messages tidak valid"),
        (json!({"messages": "x"}), "messages tidak valid"),
        (json!({"messages": [one, 5]}), "messages[1] tidak valid"),
        (json!({"messages": [one, {"to": 5, "message": "x"}]}), "messages[1].to tidak valid"),
        (json!({"messages": [one, {"to": FRIEND}]}), "Nomor tujuan dan pesan wajib diisi"),
        (
            json!({"messages": [one, {"to": FRIEND, "message": "x".repeat(4097)}]}),
            "Pesan maksimal 4096 karakter",
        ),
        (json!({"messages": many(101)}), jobs),
        (json!({"messages": [one], "delay": -1}), "delay harus angka 0 sampai 3600 detik"),
        (json!({"messages": [one], "delay": 3601}), "delay harus angka 0 sampai 3600 detik"),
        (json!({"messages": [one], "delay": "NaN"}), "delay harus angka 0 sampai 3600 detik"),
        (json!({"messages": [one], "delay": "soon"}), "delay tidak valid"),
        (json!({"messages": [one], "delay": []}), "delay tidak valid"),
    ] {
        let reply = kurir.owner().post(&path(), body.clone());
        assert_eq!((reply.status, &reply.json()["message"]), (400, &json!(message)), "{body}");
        reply.refused(400, message);
    }
    assert_eq!(phones.stats()["messages"], 0, "nothing left the house");

    let mixed = json!({"delay": "0", "messages": [
        {"phone": "081211110022", "message": "satu"},
        {"to": "12345", "message": "dua"},
        {"to": "6281211110000", "message": "tiga"},
        {"to": format!("{FRIEND}@s.whatsapp.net"), "phone": "12345", "message": "empat"},
    ]});
    let reply = kurir.owner().post(&path(), mixed);
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Bulk kirim selesai. 2 berhasil, 2 gagal");
    assert_eq!(
        [&data["total"], &data["successCount"], &data["errorCount"]],
        [&json!(4), &json!(2), &json!(2)]
    );
    let results = data["results"].as_array().expect("a list");
    let states: Vec<_> = results.iter().map(|one| (one["to"].clone(), one["status"].clone())).collect();
    let wanted = [(FRIEND, "success"), ("12345", "error"), ("6281211110000", "error"), (FRIEND, "success")];
    assert_eq!(states, wanted.map(|(to, status)| (json!(to), json!(status))));
    assert_eq!(results[1]["error"], "Format nomor telepon tidak valid");
    assert_eq!(results[2]["error"], "Nomor tidak terdaftar di WhatsApp");
    assert!(results[0]["messageId"].is_string() && results[0]["timestamp"].is_string());
    let seen = phones.wait_received(FRIEND, 2);
    let texts: Vec<_> = seen.iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, [json!("satu"), json!("empat")]);
}

/// A hundred texts of the longest kind are within the documented limits, however many bytes they take.
#[test]
fn the_largest_bulk_is_not_too_large() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let one = json!({"to": FRIEND, "message": "😀".repeat(4096)});
    let reply = kurir.owner().post(&path(), json!({"messages": vec![one; 100], "delay": 0}));
    reply.refused(400, "WhatsApp tidak terhubung");
}

#[test]
fn a_device_that_is_not_connected_cannot_send() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let one = json!({"to": FRIEND, "message": "x"});
    kurir.owner().post(&path(), one.clone()).refused(400, "WhatsApp tidak terhubung");
    kurir.owner().post(&path(), json!({"messages": [one]})).refused(400, "WhatsApp tidak terhubung");
    // Mistakes are told first.
    kurir.owner().post(&path(), json!({})).refused(400, "Nomor tujuan dan pesan wajib diisi");
}

#[test]
fn a_sent_text_is_answered_as_documented() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    let reply = kurir
        .owner()
        .post(&path(), json!({"phone": "+6281211110022", "message": "halo *dunia* 👋\nbaris dua"}));
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Pesan berhasil dikirim");
    assert_eq!(
        [&data["deviceId"], &data["to"], &data["status"]],
        [&json!("toko-1"), &json!(FRIEND), &json!("sent")]
    );
    let id = data["messageId"].as_str().expect("an id");
    assert!(
        id.len() >= 16 && id.chars().all(|letter| letter.is_ascii_digit() || letter.is_ascii_uppercase()),
        "{id}"
    );
    assert!(data["timestamp"].as_str().is_some_and(|at| at.ends_with('Z') && at.len() == 24));
    let arrived = phones.wait_text(FRIEND, "halo *dunia* 👋\nbaris dua");
    assert_eq!(
        [&arrived["id"], &arrived["deliveries"], &arrived["from"]],
        [&json!(id), &json!(1), &json!(PHONE)]
    );
    assert!(!kurir.log().contains("halo *dunia*"), "a text stands in the log");
}

#[test]
fn numbers_of_other_countries_can_be_allowed() {
    let kurir = TestKurir::options().config("[api]\nphone_rule = \"international\"\n").start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    assert_eq!(kurir.send("toko-1", "+15551230011", "hello")["to"], "15551230011");
    phones.wait_text("15551230011", "hello");
    kurir
        .owner()
        .post(&path(), json!({"to": "12345", "message": "x"}))
        .refused(400, "Format nomor telepon tidak valid");
}
