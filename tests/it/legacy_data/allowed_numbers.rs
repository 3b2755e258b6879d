//! Whose messages the history keeps, and who manages that.

use crate::support::{Events, TestKurir, wait_for};
use serde_json::{Value, json};

const ROWS: &str = "/api/whatsapp/allowed-numbers";
const BASE: &str = "/api/whatsapp-multi-device";
const PHONE: &str = "6281211660011";
const FRIEND: &str = "6281211660022";

fn allow(kurir: &TestKurir, body: Value) -> Value {
    kurir.owner().post(ROWS, body).data(201)["allowed_number"].clone()
}

#[test]
fn the_list_is_managed_as_documented() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    kurir.nobody().get(ROWS).refused(401, "Token tidak valid atau kedaluwarsa");
    let owner = kurir.owner();
    for (body, status, message) in [
        (json!({}), 400, "whatsapp_number wajib diisi"),
        (json!({"whatsapp_number": " "}), 400, "whatsapp_number wajib diisi"),
        (json!({"whatsapp_number": "12"}), 400, "Format nomor telepon tidak valid"),
        (json!({"whatsapp_number": PHONE, "status": "mungkin"}), 400, "status tidak valid"),
        (json!({"whatsapp_number": PHONE, "session_id": "toko-2"}), 404, "Device tidak ditemukan"),
    ] {
        let reply = owner.post(ROWS, body.clone());
        assert_eq!((reply.status, reply.json()["success"].as_bool()), (status, Some(false)), "{body}");
        let said = reply.json()["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(said, message, "{body}");
    }
    assert_eq!(owner.get(ROWS).data(200), json!({"allowed_numbers": [], "total": 0}));

    let made = allow(&kurir, json!({"whatsapp_number": "081211660011"}));
    assert_eq!((&made["whatsapp_number"], &made["status"]), (&json!(PHONE), &json!("aktif")));
    assert_eq!(made["session_id"], "toko-1", "the device with this number");
    // The same number in another spelling is the same entry.
    let again = allow(&kurir, json!({"whatsapp_number": format!("+{PHONE}"), "status": "inactive"}));
    assert_eq!((&again["id"], &again["status"]), (&made["id"], &json!("nonaktif")));
    allow(&kurir, json!({"whatsapp_number": FRIEND, "session_id": 1}));
    assert_eq!(owner.get(ROWS).data(200)["total"], 2);
    let one = owner.get(&format!("{ROWS}?whatsapp_number=081211660022")).data(200);
    assert_eq!((&one["total"], &one["allowed_numbers"][0]["session_id"]), (&json!(1), &json!("toko-1")));

    let path = format!("{ROWS}/{}", made["id"]);
    owner.put(&format!("{path}/status"), json!({})).refused(400, "status wajib diisi");
    let set = owner.put(&format!("{path}/status"), json!({"status": "active"})).data(200);
    assert_eq!(set["allowed_number"]["status"], "aktif");
    owner
        .put(&format!("{ROWS}/99/status"), json!({"status": "aktif"}))
        .refused(404, "Nomor diizinkan tidak ditemukan");

    // Users manage the numbers of their own devices, and know nothing of the others.
    let (id, budi) = kurir.register("budi");
    let budi = kurir.with_token(&budi);
    assert_eq!(budi.get(ROWS).data(200)["total"], 0);
    budi.post(ROWS, json!({"whatsapp_number": PHONE})).refused(403, "Anda tidak punya akses ke device ini");
    for reply in [budi.put(&format!("{path}/status"), json!({"status": "nonaktif"})), budi.delete(&path)] {
        reply.refused(404, "Nomor diizinkan tidak ditemukan");
    }
    let device = json!({"deviceId": "toko-2", "userId": id});
    owner.post(&format!("{BASE}/devices"), device).data(201);
    budi.post(ROWS, json!({"whatsapp_number": "6281211660099", "session_id": "toko-2"}))
        .refused(403, "Anda tidak punya akses ke device ini");

    assert_eq!(owner.delete(&path).data(200)["id"], made["id"]);
    owner.delete(&path).refused(404, "Nomor diizinkan tidak ditemukan");
    // A token may come in the other header as well.
    let token = owner.token.clone().expect("a token");
    let reply = kurir.nobody().call("GET", ROWS).header("x-api-token", &token).send();
    assert_eq!(reply.data(200)["total"], 1);
}

/// Returns everything that pages show of what was said.
fn pages(kurir: &TestKurir) -> String {
    let owner = kurir.owner();
    let mut all = String::new();
    for path in [
        format!("{BASE}/devices/toko-1/chat-history/{FRIEND}?limit=100"),
        format!("{BASE}/devices/toko-1/chats"),
        format!("{BASE}/messages/search?q=rahasia"),
        format!("{BASE}/devices/toko-1/statistics"),
        format!("{BASE}/jobs"),
        format!("{BASE}/activity"),
        "/api/notifications".to_owned(),
    ] {
        all.push_str(&owner.get(&path).expect(200).to_string());
    }
    all
}

fn received(kurir: &TestKurir) -> u64 {
    let totals = kurir.owner().get(&format!("{BASE}/user/statistics")).data(200);
    totals["messages"]["received"].as_u64().expect("a number")
}

#[test]
fn with_allowed_only_the_history_keeps_what_allowed_numbers_say() {
    let mut kurir = TestKurir::options().config("history = \"allowed_only\"\n").start();
    let phones = kurir.phones();
    phones.add(FRIEND);
    kurir.link(&phones, "toko-1", PHONE);
    let mut events = Events::open(&kurir.owner());
    phones.write(FRIEND, PHONE, "rahasia satu");
    let told = events.wait_type("message.received");
    assert_eq!((&told["message"], &told["withheld"]), (&json!("rahasia satu"), &json!(true)));
    kurir.send("toko-1", FRIEND, "rahasia dua");
    phones.wait_text(FRIEND, "rahasia dua");
    assert_eq!(events.wait_type("message.sent")["message"], "rahasia dua");
    wait_for("both messages", || (kurir.history("toko-1", FRIEND).len() == 2).then_some(()));
    assert!(!pages(&kurir).contains("rahasia"), "{}", pages(&kurir));
    assert_eq!(received(&kurir), 1, "it counts all the same");

    // The number is allowed: from now on what it says is kept.
    let entry = allow(&kurir, json!({"whatsapp_number": PHONE}));
    phones.write(FRIEND, PHONE, "terbuka satu");
    kurir.send("toko-1", FRIEND, "terbuka dua");
    let texts = |kurir: &TestKurir| -> Vec<String> {
        let history = kurir.history("toko-1", FRIEND);
        history.iter().filter_map(|one| one["content"]["text"].as_str().map(str::to_owned)).collect()
    };
    wait_for("what is kept", || (texts(&kurir).len() == 2).then_some(()));
    assert!(!pages(&kurir).contains("rahasia"), "a change is not retroactive");
    assert!(pages(&kurir).contains("terbuka dua"));

    // Both hold after a restart, and nothing is kept once the number does not count any more.
    kurir.restart();
    kurir.wait_connected("toko-1");
    phones_again(&kurir, &entry);
    let mut events = Events::open(&kurir.owner());
    kurir.phones().write(FRIEND, PHONE, "rahasia tiga");
    assert_eq!(events.wait_type("message.received")["message"], "rahasia tiga");
    assert_eq!(texts(&kurir).len(), 2);
    assert!(!pages(&kurir).contains("rahasia"));
    assert_eq!(received(&kurir), 3);
    let last = kurir.history("toko-1", FRIEND).pop().expect("a message");
    let id = last["id"].as_str().expect("an id");
    let path = format!("{BASE}/devices/toko-1/chats/{FRIEND}/messages/{id}/forward");
    kurir.owner().post(&path, json!({"to": FRIEND})).refused(400, "Isi pesan ini tidak disimpan");
}

fn phones_again(kurir: &TestKurir, entry: &Value) {
    let path = format!("{ROWS}/{}/status", entry["id"]);
    assert_eq!(kurir.owner().get(ROWS).data(200)["allowed_numbers"][0]["status"], "aktif");
    kurir.owner().put(&path, json!({"status": "nonaktif"})).data(200);
}

#[test]
fn by_default_everything_is_kept_and_what_is_allowed_is_marked() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    phones.add(FRIEND);
    kurir.link(&phones, "toko-1", PHONE);
    phones.write(FRIEND, PHONE, "satu");
    wait_for("the message", || (kurir.history("toko-1", FRIEND).len() == 1).then_some(()));
    allow(&kurir, json!({"whatsapp_number": PHONE}));
    phones.write(FRIEND, PHONE, "dua");
    let history = wait_for("both", || {
        let history = kurir.history("toko-1", FRIEND);
        (history.len() == 2).then_some(history)
    });
    let marks: Vec<_> = history.iter().map(|one| (&one["content"]["text"], &one["allowed"])).collect();
    assert_eq!(marks, [(&json!("satu"), &Value::Null), (&json!("dua"), &json!(true))]);
}
