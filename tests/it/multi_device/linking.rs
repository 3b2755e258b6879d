//! QR, pairing code, disconnecting and wiping.

use super::BASE;
use crate::support::{Events, TestKurir, wait_for};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const PHONE: &str = "6281211110011";

#[test]
fn without_a_connection_there_is_no_qr() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    for path in ["qr", "qr-image", "qr-base64", "qr-image?format=svg"] {
        let reply = kurir.owner().get(&format!("{BASE}/devices/toko-1/{path}"));
        reply.refused(404, "QR Code tidak tersedia");
    }
    let odd = kurir.owner().get(&format!("{BASE}/devices/toko-1/qr-image?format=gif"));
    odd.refused(400, "format harus png atau svg");
    assert_eq!(kurir.status("toko-1")["qrCode"], Value::Null);
}

#[test]
fn a_pairing_code_needs_a_number() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let ask = |body: Value| kurir.owner().post(&format!("{BASE}/devices/toko-1/pairing-code"), body);
    ask(json!({})).refused(400, "phone wajib diisi");
    ask(json!({"phone": 6281211110011_u64})).refused(400, "phone tidak valid");
    for wrong in [
        "",
        "12345",
        "+15551234567",
        "0812",
        "628121111001112345",
        "0812-1111-0011",
        "6281211110011@s.whatsapp.net",
    ] {
        ask(json!({"phone": wrong})).refused(400, "Format nomor telepon tidak valid");
    }
    assert_eq!(kurir.status("toko-1")["status"], "created");
}

#[test]
fn the_qr_is_the_same_everywhere_and_goes_when_it_was_scanned() {
    let kurir = TestKurir::start();
    let (owner, phones) = (kurir.owner(), kurir.phones());
    phones.add(PHONE);
    kurir.create_device("toko-1");
    let mut events = Events::open(&owner);
    let device = format!("{BASE}/devices/toko-1");
    let reply = owner.call("POST", &format!("{device}/connect")).send();
    assert_eq!(reply.json()["message"], "Device toko-1 berhasil dikoneksikan");
    let connect = reply.data(200);
    assert_eq!((&connect["status"], &connect["deviceId"]), (&json!("connecting"), &json!("toko-1")));
    let png = |value: &Value| {
        let url = value.as_str().unwrap_or_else(|| panic!("a data URL, not {value}"));
        let bytes =
            STANDARD.decode(url.strip_prefix("data:image/png;base64,").expect("a PNG")).expect("base64");
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
        bytes
    };
    // Callers with a token get the picture, and the text beside it.
    assert_eq!(png(&connect["qrCode"]), png(&connect["qrImage"]));
    let live = events.wait_type("qr-code");
    assert_eq!((&live["deviceId"], &live["qr"]), (&json!("toko-1"), &live["qrCode"]));
    png(&live["qrCode"]);
    let shown = owner.get(&format!("{device}/qr")).data(200);
    assert_eq!(shown["message"], "Scan QR Code ini dengan WhatsApp untuk terhubung");
    assert!(shown["qrCode"].as_str().is_some_and(|text| text.split(',').count() >= 4), "{shown}");
    assert_eq!(kurir.status("toko-1")["status"], "qr_required");
    for path in ["qr-image", "qr-base64?format=png"] {
        let image = owner.get(&format!("{device}/{path}")).data(200);
        assert_eq!((&image["format"], &image["message"]), (&json!("png"), &json!("QR Code sebagai image")));
        png(&image["qrImage"]);
    }
    let svg = owner.get(&format!("{device}/qr-image?format=svg"));
    assert_eq!(svg.header("content-type"), Some("image/svg+xml"));
    assert!(svg.text().contains("<svg"));

    let newest = owner.get(&format!("{device}/qr")).data(200)["qrCode"].clone();
    phones.scan(PHONE, newest.as_str().expect("a QR"));
    let connected = events
        .wait("the connection", |data| data["type"] == "whatsapp-status" && data["status"] == "connected");
    assert_eq!(connected["data"]["isConnected"], true);
    assert_eq!(connected["data"]["phoneNumber"], PHONE);
    owner.get(&format!("{device}/qr")).refused(404, "QR Code tidak tersedia");
    let status = kurir.status("toko-1");
    assert_eq!(
        (&status["qrCode"], &status["phoneNumber"], &status["isConnected"]),
        (&Value::Null, &json!(PHONE), &json!(true))
    );
    assert_eq!(status["connectionAttempts"], 1);
    // The text is a key to the account: it is nowhere on disk and in no log.
    let secret =
        newest.as_str().and_then(|text| text.split(',').nth(1)).expect("a part of the QR").to_owned();
    assert!(!kurir.log().contains(&secret));
    // Connecting again changes nothing.
    let again = owner.call("POST", &format!("{device}/connect")).send().data(200);
    assert_eq!((&again["status"], &again["qrCode"]), (&json!("connected"), &Value::Null));
    let list = owner.get(&format!("{BASE}/devices/connected")).data(200);
    assert_eq!((&list["total"], &list["devices"][0]["phoneNumber"]), (&json!(1), &json!(PHONE)));
    let pairing = owner.post(&format!("{device}/pairing-code"), json!({"phone": PHONE}));
    pairing.refused(400, "Device sudah tertaut, hapus session lebih dulu");
}

#[test]
fn a_pairing_code_links_as_well() {
    let kurir = TestKurir::start();
    let (owner, phones) = (kurir.owner(), kurir.phones());
    phones.add(PHONE);
    kurir.create_device("toko-1");
    let mut events = Events::open(&owner);
    let path = format!("{BASE}/devices/toko-1/pairing-code");
    let reply = owner.post(&path, json!({"phone": "081211110011"}));
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Pairing code berhasil dibuat");
    let code = data["pairingCode"].as_str().expect("a code").to_owned();
    assert!(code.len() == 8 && code.chars().all(|letter| letter.is_ascii_alphanumeric()), "{code}");
    assert!(data["expiresIn"].as_u64().is_some_and(|seconds| (1..=600).contains(&seconds)), "{data}");
    assert_eq!(kurir.status("toko-1")["status"], "pairing");
    assert_eq!(events.wait_type("pairing-code")["pairingCode"], json!(code));
    assert_eq!(phones.enter_code(PHONE, &code).status, 200);
    kurir.wait_connected("toko-1");
    assert_eq!(kurir.status("toko-1")["phoneNumber"], PHONE);
    assert!(!kurir.log().contains(&code), "the code stands in the log");
    phones.add("6281211110022");
    kurir.send("toko-1", "6281211110022", "tertaut dengan kode");
    phones.wait_text("6281211110022", "tertaut dengan kode");
}

/// A mistyped code is used up, as on the real network; the person asks for another one and is not shown the dead one again.
#[test]
fn after_a_mistyped_code_another_one_works() {
    let kurir = TestKurir::start();
    let (owner, phones) = (kurir.owner(), kurir.phones());
    phones.add(PHONE);
    kurir.create_device("toko-1");
    let path = format!("{BASE}/devices/toko-1/pairing-code");
    let ask = || {
        let data = owner.post(&path, json!({"phone": PHONE})).data(200);
        data["pairingCode"].as_str().expect("a code").to_owned()
    };
    let first = ask();
    let wrong: String = first.chars().map(|letter| if letter == 'A' { 'B' } else { 'A' }).collect();
    assert_eq!(phones.enter_code(PHONE, &wrong).status, 422);
    let second = wait_for("another code", || Some(ask()).filter(|code| *code != first));
    assert_eq!(phones.enter_code(PHONE, &second).status, 200);
    kurir.wait_connected("toko-1");
}

#[test]
fn a_disconnect_logs_out_unless_the_login_is_to_be_kept() {
    let kurir = TestKurir::start();
    let (owner, phones) = (kurir.owner(), kurir.phones());
    kurir.link(&phones, "toko-1", PHONE);
    let device = format!("{BASE}/devices/toko-1");
    owner.delete(&format!("{device}/disconnect?logout=perhaps")).refused(400, "Parameter logout tidak valid");
    let words = "Device toko-1 berhasil diputuskan";
    let kept = owner.delete(&format!("{device}/disconnect?logout=false"));
    assert_eq!(
        (kept.data(200)["message"].clone(), kept.json()["message"].clone()),
        (json!("Device disconnected"), json!(words))
    );
    assert_eq!(kurir.status("toko-1")["status"], "disconnected");
    let send = json!({"to": "6281211110022", "message": "x"});
    owner.post(&format!("{device}/send-message"), send).refused(400, "WhatsApp tidak terhubung");
    assert_eq!(phones.view(PHONE)["companions"].as_array().map(Vec::len), Some(1));
    // The login is still there: no QR is needed.
    let data = owner.call("POST", &format!("{device}/connect")).send().data(200);
    assert_eq!(
        (&data["status"], &data["qr"], &data["phoneNumber"]),
        (&json!("connected"), &Value::Null, &json!(PHONE))
    );

    owner.delete(&format!("{device}/disconnect")).data(200);
    wait_for("the phone to lose its companion", || {
        (phones.view(PHONE)["companions"] == json!([])).then_some(())
    });
    let status = kurir.status("toko-1");
    assert_eq!((&status["status"], &status["isConnected"]), (&json!("disconnected"), &json!(false)));
    owner.call("POST", &format!("{device}/connect")).send().data(200);
    assert!(!kurir.qr("toko-1").is_empty(), "a new QR is needed");
}

#[test]
fn a_wipe_forgets_the_login_and_can_be_repeated() {
    let mut kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", PHONE);
    for (method, path) in [("POST", "cancel-and-wipe"), ("DELETE", "session")] {
        let reply = kurir.owner().call(method, &format!("{BASE}/devices/toko-1/{path}")).send();
        assert_eq!(reply.data(200), json!({"success": true, "message": "Session wiped"}));
        assert_eq!(reply.json()["message"], "Koneksi dibatalkan dan data session dihapus");
        assert_eq!(kurir.status("toko-1")["status"], "cancelled");
    }
    kurir.restart();
    assert_eq!(kurir.status("toko-1")["status"], "cancelled", "nothing connects by itself");
    kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/connect")).send().data(200);
    assert!(!kurir.qr("toko-1").is_empty());
}

#[test]
fn a_passkey_answer_that_nobody_awaits_is_refused() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let reply = kurir.owner().post(&format!("{BASE}/devices/toko-1/passkey"), json!({"id": "x"}));
    reply.refused(400, "WhatsApp tidak meminta passkey untuk device ini");
}
