//! Numbers that behave in a special way in the simulated network.

use super::BASE;
use crate::support::{Events, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";

fn texts(kurir: &TestKurir, chat: &str) -> Vec<(Value, Value)> {
    kurir
        .history("toko-1", chat)
        .iter()
        .map(|one| (one["content"]["text"].clone(), one["status"].clone()))
        .collect()
}

#[test]
fn special_numbers_behave_as_documented() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let path = format!("{BASE}/devices/toko-1/send-message");
    let send = |to: &str| kurir.owner().post(&path, json!({"to": to, "message": "halo"}));
    send("6281211110000").refused(400, "Nomor tidak terdaftar di WhatsApp");
    let refused = send("6281211110004");
    let words = "WhatsApp membatasi pesan ke kontak baru untuk nomor ini (kode 463)";
    assert_eq!((refused.status, &refused.json()["message"]), (500, &json!(words)));
    assert_eq!(texts(&kurir, "6281211110000"), [], "what was refused before sending leaves no trace");
    assert_eq!(texts(&kurir, "6281211110004"), [(json!("halo"), json!("failed"))]);

    let mut events = Events::open(&kurir.owner());
    send("6281211110001").data(200);
    send("6281211110002").data(200);
    events.wait("reading at once", |data| data["status"] == "read" && data["to"] == "6281211110002");
    send("6281211110003").data(200);
    let echo = events.wait_type("message.received");
    assert_eq!((&echo["message"], &echo["from"]), (&json!("halo"), &json!("6281211110003@s.whatsapp.net")));
    wait_for("both sides of the echo", || (texts(&kurir, "6281211110003").len() == 2).then_some(()));
    assert_eq!(texts(&kurir, "6281211110001"), [(json!("halo"), json!("sent"))], "no receipt ever comes");
}
