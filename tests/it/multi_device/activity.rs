//! The personal log and the notifications.

use super::BASE;
use crate::support::{TestKurir, wait_for};
use serde_json::{Value, json};

const PHONE: &str = "6281211110011";
const FRIEND: &str = "6281211110022";

#[test]
fn what_a_user_did_stands_in_their_own_log_only() {
    let mut kurir = TestKurir::start();
    let (_, token) = kurir.register("ani");
    let path = format!("{BASE}/activity");
    kurir.owner().get(&format!("{path}?limit=0")).refused(400, "limit tidak valid");
    kurir.create_device("toko-1");
    let contact = json!({"name": "Bu Ani", "phone": FRIEND});
    kurir.owner().post(&format!("{BASE}/contacts"), contact).data(201);
    kurir.owner().put(&format!("{BASE}/devices/toko-1"), json!({"deviceName": "Toko"})).data(200);
    kurir.owner().put(&format!("{BASE}/devices/toko-1"), json!({"deviceName": ""})).expect(400);
    // It survives the end of the program, also the last second.
    kurir.restart();
    let list = kurir.owner().get(&path).data(200);
    let actions: Vec<&str> = list["activity"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["action"].as_str())
        .collect();
    assert_eq!(actions, ["devices.update", "contacts.create", "devices.create"]);
    assert_eq!(list["usage"], json!({"contacts.create": 1, "devices.create": 1, "devices.update": 1}));
    let renamed = &list["activity"][0];
    assert_eq!(
        (&renamed["deviceId"], &renamed["message"]),
        (&json!("toko-1"), &json!("Device berhasil diperbarui"))
    );
    let english = kurir.owner().call("GET", &path).header("accept-language", "en").send().data(200);
    assert_eq!(english["activity"][0]["message"], "Device updated");
    let only = kurir.owner().get(&format!("{path}?deviceId=toko-1&action=devices.create")).data(200);
    assert_eq!(only["pagination"]["total"], 1);
    assert!(!list.to_string().contains("Bu Ani"), "no content of what was saved: {list}");
    assert_eq!(kurir.with_token(&token).get(&path).data(200)["activity"], json!([]));
}

#[test]
fn notifications_tell_of_the_connection_of_messages_and_of_jobs() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    phones.add(FRIEND);
    let path = "/api/notifications";
    kurir.owner().get(&format!("{path}?page=0")).refused(400, "page tidak valid");
    let shown = || kurir.owner().get(path).data(200);
    let of = |kind: &str| -> Vec<Value> {
        let all = shown()["notifications"].as_array().expect("a list").clone();
        all.into_iter().filter(|one| one["type"] == kind).collect()
    };
    assert_eq!(of("connection")[0]["message"], "Device toko-1 terhubung ke WhatsApp");
    for n in 0..3 {
        phones.write(FRIEND, PHONE, &format!("halo {n}"));
    }
    let messages = wait_for("three messages in one notification", || {
        Some(of("message")).filter(|told| told.first().is_some_and(|one| one["count"] == 3))
    });
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["preview"], "halo 2");
    assert_eq!(messages[0]["chatJid"], format!("{FRIEND}@s.whatsapp.net"));
    assert_eq!(shown()["unreadCount"], 2);
    // Who reads the chat has seen it.
    kurir.owner().post(&format!("{BASE}/devices/toko-1/chats/{FRIEND}/read"), json!({})).expect(200);
    assert_eq!((of("message")[0]["read"].clone(), shown()["unreadCount"].clone()), (json!(true), json!(1)));

    let body = json!({"messages": [{"to": FRIEND, "message": "a"}, {"to": "x", "message": "b"}], "delay": 0});
    let job =
        kurir.owner().post(&format!("{BASE}/devices/toko-1/jobs/send-text"), body).data(202)["jobId"].clone();
    let told = wait_for("the end of the job", || of("job").into_iter().next());
    assert_eq!((&told["jobId"], &told["message"]), (&job, &json!("Job selesai: 1 berhasil, 1 gagal")));
    let (_, token) = kurir.register("ani");
    let user = kurir.with_token(&token);
    assert_eq!(user.get(path).data(200)["notifications"], json!([]));
    assert_eq!(user.post(&format!("{path}/read"), json!({"ids": [told["id"]]})).data(200)["count"], 0);
    assert_eq!(
        kurir.owner().post(&format!("{path}/read"), json!({"ids": [told["id"]]})).data(200)["count"],
        1
    );
    assert_eq!(kurir.owner().post(&format!("{path}/read"), json!({})).data(200)["count"], 1);
    let left = kurir.owner().get(&format!("{path}?unread=true")).data(200);
    assert_eq!((&left["notifications"], &left["unreadCount"]), (&json!([]), &json!(0)));
    assert!(shown()["notifications"].as_array().is_some_and(|all| all.len() == 3));
}
