//! The documented clients without a credential, which work when the family is opened on purpose.

use super::BASE;
use crate::support::TestKurir;
use serde_json::json;

const PHONE: &str = "6281211110011";

#[test]
fn an_open_family_acts_as_the_administrator_and_shows_raw_qrs() {
    let kurir = TestKurir::options().env("OPEN_APIS", "multi-device").start();
    let (nobody, phones) = (kurir.nobody(), kurir.phones());
    phones.add(PHONE);
    nobody.get("/api/auth/profile").refused(401, "Token tidak valid atau kedaluwarsa");
    kurir
        .with_token("garbage")
        .get(&format!("{BASE}/devices"))
        .refused(401, "Token tidak valid atau kedaluwarsa");
    nobody
        .post(&format!("{BASE}/devices"), json!({"deviceId": "device-001", "deviceName": "Device Utama"}))
        .data(201);
    // No body and no content type, as the documented curl line sends it.
    let connect = nobody.call("POST", &format!("{BASE}/devices/device-001/connect")).send().data(200);
    assert_eq!(connect["qrCode"], connect["qr"], "the text, not the picture");
    let qr = nobody.get(&format!("{BASE}/devices/device-001/qr")).data(200)["qrCode"].clone();
    phones.scan(PHONE, qr.as_str().expect("a QR"));
    kurir.wait_connected("device-001");
    let body = json!({"to": "6281211110022", "message": "Halo"});
    nobody.post(&format!("{BASE}/devices/device-001/send-message"), body).data(200);
    phones.wait_text("6281211110022", "Halo");
    // A page of another site must not reach an open family through the browser.
    let foreign =
        nobody.call("DELETE", &format!("{BASE}/devices/device-001")).header("origin", "https://evil.example");
    foreign.send().refused(403, "Permintaan dari situs lain ditolak");
}
