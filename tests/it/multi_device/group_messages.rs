//! Messages in groups, both ways.

use super::BASE;
use crate::support::{Events, Phones, TestKurir, TestNetwork, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";

fn path(below: &str) -> String {
    format!("{BASE}/devices/toko-1/{below}")
}

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

fn create(kurir: &TestKurir, participants: &[&str]) -> String {
    let body = json!({"subject": "Keluarga", "participants": participants});
    let made = kurir.owner().post(&path("groups"), body).data(201);
    made["groupId"].as_str().expect("an id").to_owned()
}

fn history(kurir: &TestKurir, group: &str) -> Vec<Value> {
    let page = kurir.owner().get(&path(&format!("group-chat-history/{group}"))).data(200);
    assert_eq!(page["groupId"], group);
    page["messages"].as_array().expect("a list").clone()
}

fn wait_in_history(kurir: &TestKurir, group: &str, text: &str) -> Value {
    wait_for(&format!("`{text}` in the history"), || {
        history(kurir, group).into_iter().find(|one| one["content"]["text"] == text)
    })
}

#[test]
fn a_group_text_needs_a_group_and_a_text() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    let group = create(&kurir, &[ANI]);
    let long = "é".repeat(4097);
    for (body, message) in [
        (json!({}), "groupId dan pesan wajib diisi"),
        (json!({"groupId": group}), "groupId dan pesan wajib diisi"),
        (json!({"groupId": group, "message": " \n"}), "groupId dan pesan wajib diisi"),
        (json!({"groupId": " ", "message": "x"}), "groupId dan pesan wajib diisi"),
        (json!({"groupId": group, "message": long}), "Pesan maksimal 4096 karakter"),
        (
            json!({"groupId": ANI.to_owned() + "@s.whatsapp.net", "message": "x"}),
            "Format groupId tidak valid",
        ),
        (json!({"items": []}), "items wajib berisi minimal satu pesan"),
        (json!({"items": [{"groupId": group}]}), "groupId dan pesan wajib diisi"),
        (
            json!({"items": vec![json!({"groupId": group, "message": "x"}); 101]}),
            "Maksimal 100 pesan per permintaan",
        ),
        (
            json!({"items": [{"groupId": group, "message": "x"}], "delay": -1}),
            "delay harus angka 0 sampai 3600 detik",
        ),
    ] {
        kurir.owner().post(&path("send-group-message"), body).refused(400, message);
    }
    for (body, message) in [
        (json!({"mentions": [ANI]}), "Pesan wajib diisi"),
        (json!({"message": "x"}), "mentions wajib berisi minimal satu nomor"),
        (json!({"message": "x", "mentions": []}), "mentions wajib berisi minimal satu nomor"),
        (json!({"message": "x", "mentions": ["12345"]}), "Format nomor telepon tidak valid"),
        (json!({"message": long, "mentions": [ANI]}), "Pesan maksimal 4096 karakter"),
    ] {
        kurir.owner().post(&path(&format!("groups/{group}/mention-message")), body).refused(400, message);
    }
    assert_eq!(history(&kurir, &group), Vec::<Value>::new());
}

#[test]
fn a_group_text_reaches_everybody_and_moves_with_their_receipts() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let group = create(&kurir, &[ANI, BUDI]);
    let mut events = Events::open(&kurir.owner());
    let reply =
        kurir.owner().post(&path("send-group-message"), json!({"groupId": group, "message": "halo semua"}));
    let sent = reply.data(200);
    assert_eq!(reply.json()["message"], "Pesan grup berhasil dikirim");
    assert_eq!(sent["groupId"], group);
    assert!(sent["timestamp"].as_str().is_some_and(|at| at.ends_with('Z') && at.len() == 24));
    for number in [ANI, BUDI] {
        let seen = phones.wait_text(number, "halo semua");
        assert_eq!(
            [&seen["id"], &seen["chat"], &seen["from"]],
            [&sent["messageId"], &json!(group), &json!(SHOP)]
        );
        assert_eq!(seen["deliveries"], 1);
    }
    let is_ours = |data: &Value, status: &str| {
        data["type"] == "message.status" && data["messageId"] == sent["messageId"] && data["status"] == status
    };
    let told = events.wait("the delivery", |data| is_ours(data, "delivered"));
    assert_eq!(told["chatJid"], group);
    phones.receipt(ANI, sent["messageId"].as_str().expect("an id"), "read");
    events.wait("the reading", |data| is_ours(data, "read"));
    let stored = wait_in_history(&kurir, &group, "halo semua");
    assert_eq!(
        [&stored["fromMe"], &stored["status"], &stored["from"]],
        [&json!(true), &json!("read"), &json!(person(SHOP))]
    );
    let chats = kurir.owner().get(&path("chats")).data(200);
    assert_eq!([&chats["chats"][0]["jid"], &chats["chats"][0]["name"]], [&json!(group), &json!("Keluarga")]);
}

#[test]
fn a_bulk_to_groups_fails_entry_by_entry() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let group = create(&kurir, &[ANI]);
    let items = json!({"delay": 0, "items": [
        {"groupId": group, "message": "satu"},
        {"groupId": "12x", "message": "dua"},
        {"groupId": "120363999999999999@g.us", "message": "tiga"},
        {"groupId": group.trim_end_matches("@g.us"), "message": "empat"},
    ]});
    let reply = kurir.owner().post(&path("send-group-message"), items);
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Bulk kirim pesan grup selesai. 2 berhasil, 2 gagal");
    assert_eq!(
        [&data["total"], &data["successCount"], &data["errorCount"]],
        [&json!(4), &json!(2), &json!(2)]
    );
    let results = data["results"].as_array().expect("a list");
    let shown: Vec<_> = results.iter().map(|one| (one["groupId"].clone(), one["status"].clone())).collect();
    let wanted =
        [(&*group, "success"), ("12x", "error"), ("120363999999999999@g.us", "error"), (&group, "success")];
    assert_eq!(shown, wanted.map(|(group, status)| (json!(group), json!(status))));
    assert_eq!(
        [&results[1]["error"], &results[2]["error"]],
        ["Format groupId tidak valid", "Grup tidak ditemukan"]
    );
    assert!(results[0]["messageId"].is_string() && results[0]["timestamp"].is_string());
    let texts: Vec<_> = phones.wait_received(ANI, 2).iter().map(|one| one["text"].clone()).collect();
    assert_eq!(texts, [json!("satu"), json!("empat")]);
}

#[test]
fn a_mention_is_written_out_and_names_everybody_in_its_context() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let group = create(&kurir, &[ANI, BUDI]);
    let send = |text: &str| {
        let body = json!({"message": text, "mentions": ["081211110022", person(BUDI)]});
        let reply = kurir.owner().post(&path(&format!("groups/{group}/mention-message")), body);
        assert_eq!(reply.json()["message"], "Pesan mention grup berhasil dikirim");
        reply.data(200)
    };
    for (text, shown) in [
        ("Halo {m1} dan {mention2}", format!("Halo @{ANI} dan @{BUDI}")),
        ("{mention[0]}, {mention[1]}, {mention[2]}", format!("@{ANI}, @{BUDI}, {{mention[2]}}")),
        ("Semua: {mentions}", format!("Semua: @{ANI} @{BUDI}")),
        ("tanpa tempat {m3}", "tanpa tempat {m3}".to_owned()),
    ] {
        let sent = send(text);
        let seen = phones.wait_text(ANI, &shown);
        assert_eq!(seen["id"], sent["messageId"]);
        let mut mentions: Vec<_> =
            seen["mentions"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        mentions.sort_unstable();
        assert_eq!(mentions, [ANI, BUDI], "{text}");
    }
    let stored = wait_in_history(&kurir, &group, &format!("Semua: @{ANI} @{BUDI}"));
    assert_eq!(stored["content"]["mentions"], json!([person(ANI), person(BUDI)]));
}

#[test]
fn what_others_write_stands_in_the_groups_chat_under_their_numbers() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(ANI);
    for mode in ["lid", "pn"] {
        let group = phones.make_group(ANI, &[SHOP, BUDI], mode);
        let text = format!("halo dari {mode}");
        let mut events = Events::open(&kurir.owner());
        let id = phones.write_as(ANI, json!({"to": group, "text": text, "mentions": [SHOP]}));
        let told = events.wait("the message", |data| data["type"] == "message.received");
        assert_eq!(
            [&told["messageId"], &told["chatJid"], &told["from"]],
            [&json!(id), &json!(group), &json!(person(ANI))]
        );
        assert!(told["fromLid"].as_str().is_some_and(|lid| lid.ends_with("@lid")), "{told}");
        let stored = wait_in_history(&kurir, &group, &text);
        assert_eq!([&stored["from"], &stored["fromMe"]], [&json!(person(ANI)), &json!(false)]);
        assert_eq!(stored["content"]["mentions"], json!([person(SHOP)]), "{mode}");
        let chats = kurir.owner().get(&path("chats")).data(200);
        assert_eq!(
            [&chats["chats"][0]["jid"], &chats["chats"][0]["name"]],
            [&json!(group), &json!("Panitia")]
        );
        assert_eq!(chats["chats"][0]["unreadCount"], 1);
        // Reading is told to who wrote.
        kurir.owner().post(&path(&format!("chats/{group}/read")), json!({})).expect(200);
        wait_for("the blue ticks", || {
            phones
                .messages(ANI)
                .iter()
                .any(|one| one["text"] == text && one["status"] == "read")
                .then_some(())
        });
    }
}

#[test]
fn group_messages_survive_a_kill_and_reach_who_was_away() {
    let network = TestNetwork::start();
    let phones: Phones = network.phones();
    let mut kurir = TestKurir::against(&network);
    kurir.link(&phones, "toko-1", SHOP);
    kurir.link(&phones, "ani-1", ANI);
    let group = create(&kurir, &[ANI, BUDI]);
    kurir.owner().delete(&format!("{BASE}/devices/ani-1/disconnect?logout=false")).data(200);
    let send = |kurir: &TestKurir, text: &str| {
        kurir.owner().post(&path("send-group-message"), json!({"groupId": group, "message": text})).data(200)
    };
    send(&kurir, "saat ani pergi");
    kurir.kill9();
    phones.write(BUDI, &group, "saat toko mati");
    kurir.launch();
    kurir.wait_connected("toko-1");
    wait_in_history(&kurir, &group, "saat toko mati");
    send(&kurir, "setelah hidup lagi");
    assert_eq!(phones.wait_text(BUDI, "setelah hidup lagi")["deliveries"], 1);
    kurir.owner().post(&format!("{BASE}/devices/ani-1/connect"), json!({})).data(200);
    kurir.wait_connected("ani-1");
    let of_ani = format!("{BASE}/devices/ani-1/group-chat-history/{group}");
    wait_for("everything on the other device", || {
        let page = kurir.owner().get(&of_ani).data(200);
        let all = page["messages"].as_array()?.clone();
        let mut texts: Vec<_> = all.iter().filter_map(|one| one["content"]["text"].as_str()).collect();
        texts.reverse();
        (texts == ["saat ani pergi", "saat toko mati", "setelah hidup lagi"]).then_some(())
    });
}
