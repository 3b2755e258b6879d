//! The contacts of a device, and one person under two addresses.

use super::BASE;
use crate::support::{TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

#[test]
fn contacts_belong_to_the_owner_of_the_device() {
    let kurir = TestKurir::start();
    let (_, token) = kurir.register("ani");
    kurir.create_device("toko-1");
    let path = format!("{BASE}/devices/toko-1/contacts");
    kurir.nobody().get(&path).refused(401, "Token tidak valid atau kedaluwarsa");
    kurir.with_token(&token).get(&path).refused(403, "Anda tidak punya akses ke device ini");
    kurir.owner().get(&format!("{BASE}/devices/nope/contacts")).refused(404, "Device tidak ditemukan");
    assert_eq!(kurir.owner().get(&path).data(200), json!({"deviceId": "toko-1", "contacts": [], "total": 0}));
}

#[test]
fn who_writes_becomes_a_contact_with_the_name_they_chose() {
    let mut kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let name = phones.add(ANI)["name"].clone();
    phones.write(ANI, SHOP, "halo");
    let contacts = |kurir: &TestKurir, query: &str| {
        kurir.owner().get(&format!("{BASE}/devices/toko-1/contacts{query}")).data(200)
    };
    let found = wait_for("the contact", || {
        let all = contacts(&kurir, "");
        all["contacts"].as_array()?.iter().find(|one| one["id"] == person(ANI)).cloned()
    });
    assert_eq!(
        [&found["notify"], &found["name"], &found["verifiedName"]],
        [&name, &Value::Null, &Value::Null]
    );
    assert!(found["lid"].as_str().is_some_and(|lid| lid.ends_with("@lid")), "{found}");
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats")).data(200);
    assert_eq!([&chats["chats"][0]["name"], &chats["chats"][0]["lid"]], [&name, &found["lid"]]);
    assert_eq!(contacts(&kurir, "?search=0022")["total"], 1);
    assert_eq!(contacts(&kurir, "?search=zzz")["total"], 0);
    kurir.restart();
    assert_eq!(contacts(&kurir, "")["contacts"][0]["notify"], name);
}

#[test]
fn a_hidden_id_leads_to_the_persons_chat_everywhere() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let lid = phones.add(ANI)["lid"].as_str().expect("a hidden id").to_owned();
    phones.write(ANI, SHOP, "halo");
    wait_for("the message", || {
        kurir.history("toko-1", ANI).into_iter().find(|one| one["content"]["text"] == "halo")
    });
    let sent = kurir.send("toko-1", &lid, "lewat id tersembunyi");
    assert_eq!(sent["to"], ANI);
    phones.wait_text(ANI, "lewat id tersembunyi");
    for chat in [ANI, &person(ANI), &lid] {
        let page = kurir.owner().get(&format!("{BASE}/devices/toko-1/chat-history/{chat}")).data(200);
        assert_eq!(
            [&page["jid"], &page["lid"], &page["total"]],
            [&json!(person(ANI)), &json!(lid), &json!(2)],
            "{chat}"
        );
    }
    kurir.owner().post(&format!("{BASE}/devices/toko-1/chats/{lid}/read"), json!({})).expect(200);
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats")).data(200);
    assert_eq!(chats["chats"].as_array().map(Vec::len), Some(1));
    assert_eq!(chats["chats"][0]["unreadCount"], 0);
}
