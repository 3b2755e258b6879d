//! Groups: list, make, look at; what is remembered and when the network is asked.

use super::BASE;
use crate::support::{Reply, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";
const NOWHERE: &str = "120363999999999999@g.us";

fn path(below: &str) -> String {
    format!("{BASE}/devices/toko-1/{below}")
}

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

fn list(kurir: &TestKurir) -> Reply {
    kurir.owner().get(&path("groups"))
}

fn create(kurir: &TestKurir, participants: &[&str]) -> String {
    let body = json!({"subject": "Keluarga", "participants": participants});
    let made = kurir.owner().post(&path("groups"), body).data(201);
    made["groupId"].as_str().expect("an id").to_owned()
}

/// Every group route with a body that fits.
fn calls() -> Vec<(&'static str, String, Value)> {
    let group = |below: &str| path(&format!("groups/{NOWHERE}/{below}"));
    let people = || json!({"participants": [ANI]});
    vec![
        ("GET", path("groups"), Value::Null),
        ("POST", path("groups"), json!({"subject": "x", "participants": [ANI]})),
        ("GET", group("info"), Value::Null),
        ("POST", path("send-group-message"), json!({"groupId": NOWHERE, "message": "x"})),
        ("POST", group("mention-message"), json!({"message": "x", "mentions": [ANI]})),
        ("POST", group("participants"), people()),
        ("DELETE", group(&format!("participants/{ANI}")), Value::Null),
        ("POST", group("admins"), json!({"adminJid": ANI})),
        ("DELETE", group(&format!("admins/{ANI}")), Value::Null),
        ("PUT", group("subject"), json!({"subject": "x"})),
        ("PUT", group("description"), json!({"description": "x"})),
        ("PUT", group("settings"), json!({"locked": true})),
        ("POST", group("leave"), Value::Null),
        ("GET", group("invite"), Value::Null),
        ("POST", group("invite/reset"), Value::Null),
        ("GET", group("requests"), Value::Null),
        ("POST", group("requests/approve"), people()),
        ("POST", group("requests/reject"), people()),
        ("GET", path("group-invite?link=AbCdEf12345"), Value::Null),
        ("POST", path("group-invite"), json!({"link": "AbCdEf12345"})),
    ]
}

#[test]
fn groups_are_for_administrators_on_devices_that_exist_and_are_connected() {
    let kurir = TestKurir::start();
    let (_, token) = kurir.register("ani");
    let ask = |api: &crate::support::Api, (method, path, body): (&str, String, Value)| {
        let call = api.call(method, &path);
        if body.is_null() { call.send() } else { call.json(&body).send() }
    };
    for call in calls() {
        ask(&kurir.nobody(), call.clone()).refused(401, "Token tidak valid atau kedaluwarsa");
        ask(&kurir.with_token(&token), call.clone()).refused(403, "Admin only");
        ask(&kurir.owner(), call).refused(404, "Device tidak ditemukan");
    }
    kurir.create_device("toko-1");
    for call in calls() {
        ask(&kurir.owner(), call).refused(400, "WhatsApp tidak terhubung");
    }
}

#[test]
fn an_unknown_group_is_not_found() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    for (method, path, body) in calls().into_iter().filter(|(_, path, _)| path.contains(NOWHERE)) {
        let call = kurir.owner().call(method, &path);
        let reply = if body.is_null() { call.send() } else { call.json(&body).send() };
        assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text());
        reply.refused(404, "Grup tidak ditemukan");
    }
    let body = json!({"groupId": NOWHERE, "message": "x"});
    kurir.owner().post(&path("send-group-message"), body).refused(404, "Grup tidak ditemukan");
    kurir
        .owner()
        .get(&path("groups/6281211110022@s.whatsapp.net/info"))
        .refused(400, "Format groupId tidak valid");
}

#[test]
fn a_group_needs_a_subject_and_people() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    let long = "x".repeat(101);
    for (body, message) in [
        (json!({"participants": [ANI]}), "subject harus 1 sampai 100 karakter"),
        (json!({"subject": " ", "participants": [ANI]}), "subject harus 1 sampai 100 karakter"),
        (json!({"subject": long, "participants": [ANI]}), "subject harus 1 sampai 100 karakter"),
        (json!({"subject": "x"}), "participants wajib berisi minimal satu nomor"),
        (json!({"subject": "x", "participants": []}), "participants wajib berisi minimal satu nomor"),
        (json!({"subject": "x", "participants": ANI}), "participants tidak valid"),
        (json!({"subject": "x", "participants": ["12345"]}), "Format nomor telepon tidak valid"),
        (json!({"subject": "x", "participants": [NOWHERE]}), "Format nomor telepon tidak valid"),
    ] {
        kurir.owner().post(&path("groups"), body).refused(400, message);
    }
    assert_eq!(list(&kurir).data(200)["total"], 0);
}

#[test]
fn a_made_group_is_answered_listed_and_shown_as_documented() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let given = json!(["081211110022", person(BUDI), "6281211110000"]);
    let reply = kurir.owner().post(&path("groups"), json!({"subject": "Keluarga", "participants": given}));
    let made = reply.data(201);
    assert_eq!(reply.json()["message"], "Grup berhasil dibuat");
    assert_eq!(
        (&made["subject"], &made["participants"], &made["totalParticipants"]),
        (&json!("Keluarga"), &given, &json!(3))
    );
    assert_eq!(
        made["failed"],
        json!([{"jid": person("6281211110000"), "reason": "Participant tidak dapat ditambahkan"}])
    );
    let id = made["groupId"].as_str().expect("an id");
    assert!(id.ends_with("@g.us"));

    let listed = list(&kurir).data(200);
    assert_eq!((&listed["deviceId"], &listed["total"]), (&json!("toko-1"), &json!(1)));
    let group = &listed["groups"][0];
    assert_eq!(
        (&group["id"], &group["subject"], &group["owner"]),
        (&json!(id), &json!("Keluarga"), &json!(person(SHOP)))
    );
    assert!(
        group["creation"].as_i64().is_some_and(|at| (1_600_000_000..10_000_000_000).contains(&at)),
        "seconds"
    );
    let mut members: Vec<_> =
        group["participants"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, [person(SHOP), person(ANI), person(BUDI)]);

    // Digits alone and a percent-encoded address name the same group.
    let digits = id.trim_end_matches("@g.us");
    for name in [id, digits, &id.replace('@', "%40")] {
        let info = kurir.owner().get(&path(&format!("groups/{name}/info"))).data(200);
        assert_eq!((&info["id"], &info["description"]), (&json!(id), &Value::Null), "{name}");
        let people = info["participants"].as_array().expect("a list");
        let of = |number: &str| people.iter().find(|one| one["id"] == person(number)).expect("a member");
        assert_eq!((&of(SHOP)["isAdmin"], &of(SHOP)["isSuperAdmin"]), (&json!(true), &json!(true)));
        assert_eq!((&of(ANI)["isAdmin"], &of(ANI)["isSuperAdmin"]), (&json!(false), &json!(false)));
        assert!(of(ANI)["lid"].as_str().is_some_and(|lid| lid.ends_with("@lid")));
    }
}

#[test]
fn what_is_known_is_not_asked_again_and_survives_a_restart() {
    let mut kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    let id = create(&kurir, &[ANI]);
    let asked_at = list(&kurir).data(200)["askedAt"].clone();
    // From here on every question about groups is refused; changes still come as news.
    phones.fault(json!({"iqError": {"code": 429, "backoff": 3600, "xmlns": "w:g2"}}));
    let known = list(&kurir).data(200);
    assert_eq!((&known["total"], &known["askedAt"]), (&json!(1), &asked_at));
    phones.edit_group(&id, json!({"by": SHOP, "subject": "Keluarga besar"}));
    wait_for("the new subject", || {
        (list(&kurir).data(200)["groups"][0]["subject"] == "Keluarga besar").then_some(())
    });
    kurir.restart();
    kurir.phones().fault(json!({"iqError": {"code": 429, "backoff": 3600, "xmlns": "w:g2"}}));
    kurir.wait_connected("toko-1");
    let known = list(&kurir).data(200);
    assert_eq!((&known["groups"][0]["subject"], &known["askedAt"]), (&json!("Keluarga besar"), &asked_at));
    let info = kurir.owner().get(&path(&format!("groups/{id}/info"))).data(200);
    assert_eq!(info["subject"], "Keluarga besar");
    // Asked for expressly, the network's refusal shows, with when to come again.
    let refused = kurir.owner().get(&path("groups?refresh=true"));
    assert!(refused.header("retry-after").is_some());
    refused.refused(429, "WhatsApp membatasi permintaan grup, coba lagi sebentar");
    kurir.phones().no_faults();
    let fresh = kurir.owner().get(&path("groups?refresh=true")).data(200);
    assert!(fresh["askedAt"].as_str() > asked_at.as_str(), "{fresh}");
}

#[test]
fn too_many_requests_are_waited_out() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    create(&kurir, &[ANI]);
    phones.fault(json!({"count": 2, "iqError": {"code": 429, "xmlns": "w:g2"}}));
    let begun = std::time::Instant::now();
    assert_eq!(kurir.owner().get(&path("groups?refresh=true")).data(200)["total"], 1);
    assert!(begun.elapsed().as_secs() >= 3, "one second, then two");
}

/// The network makes the group and then refuses every question about groups.
#[test]
fn a_group_that_was_made_is_told_even_when_it_cannot_be_asked_for() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    list(&kurir).data(200);
    phones.fault(json!({"phone": SHOP, "skip": 1, "iqError": {"code": 500, "xmlns": "w:g2"}}));
    let body = json!({"subject": "Keluarga", "participants": [ANI]});
    let made = kurir.owner().post(&path("groups"), body).data(201);
    let group = made["groupId"].as_str().expect("an id");
    assert_eq!(made["subject"], "Keluarga");
    phones.no_faults();
    let info = kurir.owner().get(&path(&format!("groups/{group}/info"))).data(200);
    assert_eq!((&info["id"], info["participants"].as_array().map(Vec::len)), (&json!(group), Some(2)));
}
