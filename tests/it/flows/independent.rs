//! A client that nobody here wrote links itself to the simulated network and talks with a device of Kurir.

use super::BASE;
use crate::support::samples::{base64, picture, unbase64};
use crate::support::{Phones, SOON, TestKurir, Zapo, wait_for};
use image::ImageFormat;
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const OTHER: &str = "6281211110022";
const THIRD: &str = "6281211110033";

/// Returns a client that is linked to the phone of [`OTHER`].
fn linked(phones: &Phones) -> Zapo {
    phones.add(OTHER);
    let mut zapo = Zapo::start(&phones.describe());
    let qr = zapo.wait("a QR", |said| said["qr"].as_str().map(str::to_owned));
    phones.scan(OTHER, &qr);
    zapo.wait("its login", |said| (said["connected"] == true).then_some(()));
    zapo
}

/// Waits for what the client shows of a message of Kurir.
fn heard(zapo: &mut Zapo, id: &Value) -> Value {
    zapo.wait("kurir's message", |said| (said["message"]["id"] == *id).then(|| said["message"].clone()))
}

#[test]
fn an_independent_client_joins_a_group_of_kurir_and_reads_what_is_said_there() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let mut zapo = linked(&phones);
    let owner = kurir.owner();
    let groups = format!("{BASE}/devices/toko-1/groups");
    let made = owner.post(&groups, json!({"subject": "Pelanggan", "participants": [THIRD]})).data(201);
    let group = made["groupId"].as_str().expect("an id");
    let link = owner.get(&format!("{groups}/{group}/invite")).data(200);
    let link = link["link"].as_str().expect("a link").to_owned();
    zapo.tell(&json!({"join": link.rsplit('/').next()}));
    zapo.wait("its joining", |said| (said["joined"] == true).then_some(()));
    wait_for("the new member", || {
        let info = owner.get(&format!("{groups}/{group}/info")).data(200);
        info["participants"].as_array()?.iter().any(|one| one["id"] == person(OTHER)).then_some(())
    });

    let mention = json!({"message": "Halo {m1}", "mentions": [OTHER]});
    let sent = owner.post(&format!("{groups}/{group}/mention-message"), mention).data(200);
    let shown = heard(&mut zapo, &sent["messageId"]);
    let mentioned = shown["mentions"][0].as_str().and_then(|jid| jid.split('@').next()).expect("somebody");
    assert_eq!((&shown["chat"], &shown["text"]), (&json!(group), &json!(format!("Halo @{mentioned}"))));

    let poll = json!({"to": group, "question": "Kapan?", "options": ["Sabtu", "Minggu"]});
    let sent = owner.post(&format!("{BASE}/devices/toko-1/send-poll"), poll).data(200);
    let shown = heard(&mut zapo, &sent["messageId"]);
    assert_eq!(shown["poll"], json!({"question": "Kapan?", "options": ["Sabtu", "Minggu"]}));

    zapo.tell(&json!({"send": {"to": group, "text": "Halo semua"}}));
    let id = zapo.wait("its own sending", |said| said["sent"]["id"].as_str().map(str::to_owned));
    wait_for("zapo's text in the group", || {
        let history = owner.get(&format!("{BASE}/devices/toko-1/group-chat-history/{group}")).data(200);
        let found = history["messages"].as_array()?.iter().find(|one| one["id"] == id.as_str())?.clone();
        (found["content"]["text"] == "Halo semua" && found["from"] == person(OTHER)).then_some(())
    });
    zapo.exit(SOON);
}

#[test]
fn an_independent_client_and_kurir_exchange_pictures() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let mut zapo = linked(&phones);
    let bytes = picture(320, 200, ImageFormat::Jpeg);
    let send = json!({"to": OTHER, "mediaType": "image", "base64": base64(&bytes), "caption": "Toko kami"});
    let sent = kurir.owner().post(&format!("{BASE}/devices/toko-1/send-media"), send).data(200);
    let shown = heard(&mut zapo, &sent["messageId"])["media"].clone();
    assert_eq!(unbase64(shown["base64"].as_str().expect("a file")), bytes);
    assert_eq!(
        [&shown["type"], &shown["mimetype"], &shown["caption"], &shown["thumbnail"]],
        [&json!("image"), &json!("image/jpeg"), &json!("Toko kami"), &json!(true)]
    );

    let back = picture(64, 64, ImageFormat::Png);
    let file =
        json!({"type": "image", "mimetype": "image/png", "base64": base64(&back), "caption": "Punya saya"});
    zapo.tell(&json!({"send": {"to": SHOP, "media": file}}));
    let id = zapo.wait("its own sending", |said| said["sent"]["id"].as_str().map(str::to_owned));
    let url = wait_for("zapo's picture in the chat", || {
        let history = kurir.history("toko-1", OTHER);
        let found = history.iter().find(|one| one["id"] == id.as_str())?.clone();
        assert_eq!(found["content"]["caption"], "Punya saya");
        found["content"]["url"].as_str().map(str::to_owned)
    });
    let served = kurir.nobody().get(path_of(&url));
    assert!(served.status == 200 && served.body == back, "Kurir serves other bytes");
    zapo.exit(SOON);
}

/// Returns the path and query of an address.
fn path_of(url: &str) -> &str {
    url.find("/media/").map_or(url, |at| &url[at..])
}

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

#[test]
fn an_independent_client_and_kurir_exchange_texts_in_both_directions() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let mut zapo = linked(&phones);

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
