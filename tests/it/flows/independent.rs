//! A client that nobody here wrote links itself to the simulated network and talks with a device of Kurir.

use crate::support::{SOON, TestKurir, Zapo, wait_for};
use serde_json::json;

const SHOP: &str = "6281211110011";
const OTHER: &str = "6281211110022";

#[test]
fn an_independent_client_and_kurir_exchange_texts_in_both_directions() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(OTHER);
    let mut zapo = Zapo::start(&phones.describe());
    let qr = zapo.wait("a QR", |said| said["qr"].as_str().map(str::to_owned));
    phones.scan(OTHER, &qr);
    zapo.wait("its login", |said| (said["connected"] == true).then_some(()));

    for round in 0..3 {
        let (there, back) = (format!("dari kurir {round} 👋"), format!("dari zapo {round} ✅"));
        let sent = kurir.send("toko-1", OTHER, &there);
        let heard = zapo.wait("kurir's text", |said| {
            (said["message"]["text"] == there.as_str()).then(|| said["message"].clone())
        });
        assert_eq!(heard["id"], sent["messageId"]);
        zapo.tell(&json!({"send": {"to": SHOP, "text": back}}));
        let id = zapo.wait("its own sending", |said| said["sent"]["id"].as_str().map(str::to_owned));
        wait_for("zapo's text in the chat", || {
            let history = kurir.history("toko-1", OTHER);
            history
                .iter()
                .any(|one| one["id"] == id.as_str() && one["content"]["text"] == back.as_str())
                .then_some(())
        });
    }
    let texts: Vec<_> =
        kurir.history("toko-1", OTHER).iter().map(|one| one["content"]["text"].clone()).collect();
    let wanted: Vec<_> = (0..3)
        .flat_map(|n| [json!(format!("dari kurir {n} 👋")), json!(format!("dari zapo {n} ✅"))])
        .collect();
    assert_eq!(texts, wanted);
    zapo.exit(SOON);
}
