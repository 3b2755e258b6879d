//! Message templates.

use super::BASE;
use crate::support::TestKurir;
use serde_json::{Value, json};

const PHONE: &str = "6281211110011";
const FRIEND: &str = "6281211110022";

#[test]
fn what_is_no_template_is_refused() {
    let kurir = TestKurir::start();
    let owner = kurir.owner();
    let templates = format!("{BASE}/templates");
    let make = |body: Value| owner.post(&templates, body);
    make(json!({})).refused(400, "name wajib diisi");
    make(json!({"name": "Promo"})).refused(400, "content wajib diisi");
    make(json!({"name": " ", "content": "x"})).refused(400, "Nama template harus 1 sampai 100 karakter");
    make(json!({"name": "Promo", "content": " "})).refused(400, "Isi template harus 1 sampai 4096 karakter");
    make(json!({"name": "Promo", "content": "x".repeat(4097)}))
        .refused(400, "Isi template harus 1 sampai 4096 karakter");
    make(json!({"name": "Promo", "content": "x", "category": "x".repeat(51)}))
        .refused(400, "category tidak valid");
    make(json!({"name": "Promo", "content": "x"})).data(201);
    make(json!({"name": "PROMO", "content": "y"})).refused(400, "Nama template sudah dipakai");
    let none = format!("{templates}/none");
    owner.get(&none).refused(404, "Template tidak ditemukan");
    owner.put(&none, json!({})).refused(404, "Template tidak ditemukan");
    owner.delete(&none).refused(404, "Template tidak ditemukan");
    owner.post(&format!("{none}/use"), json!({})).refused(404, "Template tidak ditemukan");
    let built_in = format!("{templates}/welcome_message");
    owner
        .put(&built_in, json!({"content": "x"}))
        .refused(400, "Template bawaan tidak dapat diubah atau dihapus");
    owner.delete(&built_in).refused(400, "Template bawaan tidak dapat diubah atau dihapus");
    owner.post(&format!("{built_in}/use"), json!({})).refused(400, "Variabel wajib diisi: name, company");
    let values = json!({"name": "Ani", "company": ["Toko"]});
    owner
        .post(&format!("{built_in}/use"), json!({"variables": values}))
        .refused(400, "variables tidak valid");
    let values = json!({"name": "Ani", "company": "Toko"});
    owner
        .post(&format!("{built_in}/use"), json!({"variables": values, "to": FRIEND}))
        .refused(400, "deviceId wajib diisi");
    kurir.create_device("toko-1");
    owner
        .post(&format!("{built_in}/use"), json!({"variables": values, "deviceId": "toko-1"}))
        .refused(400, "to wajib diisi");
    owner
        .post(&format!("{built_in}/use"), json!({"variables": values, "deviceId": "toko-1", "to": FRIEND}))
        .refused(400, "WhatsApp tidak terhubung");
    let unused = owner.get(&built_in).data(200);
    assert_eq!(unused["template"]["usageCount"], 0, "what was refused is no use");
}

#[test]
fn a_template_has_versions_and_is_used_filled_and_deleted() {
    let kurir = TestKurir::start();
    let owner = kurir.owner();
    let templates = format!("{BASE}/templates");
    let new = json!({"name": "Tagihan", "content": "Yth. {{nama}}, tagihan {bulan}: Rp{{jumlah}}", "category": "keuangan"});
    let reply = owner.post(&templates, new);
    assert_eq!(reply.json()["message"], "Template berhasil dibuat");
    let made = reply.data(201)["template"].clone();
    assert_eq!(made["variables"], json!(["nama", "bulan", "jumlah"]));
    assert_eq!(
        [&made["version"], &made["isActive"], &made["usageCount"], &made["category"]],
        [&json!(1), &json!(true), &json!(0), &json!("keuangan")]
    );
    let path = format!("{templates}/{}", made["baseId"].as_str().expect("an id"));
    let values = json!({"nama": "Bu Ani", "bulan": "Mei {nama}", "jumlah": 25000});
    let used = owner.post(&format!("{path}/use"), json!({"variables": values})).data(200);
    assert_eq!(used["message"], "Yth. Bu Ani, tagihan Mei {nama}: Rp25000");
    assert_eq!((&used["template"]["usageCount"], used.get("messageId")), (&json!(1), None));

    let revised =
        owner.put(&path, json!({"content": "Halo {nama}", "category": ""})).data(200)["template"].clone();
    assert_eq!(
        [&revised["version"], &revised["name"], &revised["category"], &revised["usageCount"]],
        [&json!(2), &json!("Tagihan"), &Value::Null, &json!(1)]
    );
    assert_eq!(revised["baseId"], made["baseId"]);
    assert_ne!(revised["id"], made["id"]);
    let shown = owner.get(&path).data(200);
    assert_eq!(
        (&shown["versions"][0]["content"], &shown["versions"][1]["version"]),
        (&json!("Halo {nama}"), &json!(1))
    );

    owner.put(&path, json!({"isActive": false})).data(200);
    owner.post(&format!("{path}/use"), json!({"variables": values})).refused(400, "Template tidak aktif");

    let names = |list: &Value| -> Vec<(String, bool)> {
        let list = list["templates"].as_array().expect("a list").iter();
        list.map(|one| (one["name"].as_str().expect("a name").to_owned(), one["builtIn"] == true)).collect()
    };
    let listed = names(&owner.get(&templates).data(200));
    assert_eq!(
        listed,
        [
            ("Tagihan".to_owned(), false),
            ("welcome_message".to_owned(), true),
            ("greeting_template".to_owned(), true)
        ]
    );
    // One's own stands in for the built-in one.
    owner.post(&templates, json!({"name": "Welcome_Message", "content": "Hai"})).data(201);
    let listed = names(&owner.get(&templates).data(200));
    assert!(!listed.contains(&("welcome_message".to_owned(), true)), "{listed:?}");

    let gone = owner.delete(&path).data(200);
    assert_eq!(gone, json!({"success": true, "baseId": made["baseId"]}));
    owner.get(&path).refused(404, "Template tidak ditemukan");
}

#[test]
fn the_templates_of_others_do_not_exist_but_for_administrators() {
    let kurir = TestKurir::start();
    let (ani, token) = kurir.register("ani");
    let user = kurir.with_token(&token);
    let templates = format!("{BASE}/templates");
    let new = json!({"name": "Promo", "content": "x"});
    let path = |made: &Value| format!("{templates}/{}", made["template"]["baseId"].as_str().expect("an id"));
    let of_owner = path(&kurir.owner().post(&templates, new.clone()).data(201));
    let of_ani = path(&user.post(&templates, new).data(201));
    user.get(&of_owner).refused(404, "Template tidak ditemukan");
    user.put(&of_owner, json!({"content": "mine"})).refused(404, "Template tidak ditemukan");
    user.delete(&of_owner).refused(404, "Template tidak ditemukan");
    user.post(&format!("{of_owner}/use"), json!({})).refused(404, "Template tidak ditemukan");
    assert_eq!(user.get(&templates).data(200)["total"], 3);
    assert_eq!(kurir.owner().get(&templates).data(200)["total"], 4);
    assert_eq!(kurir.owner().get(&format!("{templates}?userId={ani}")).data(200)["total"], 3);
    kurir.owner().put(&of_ani, json!({"content": "seen by the administrator"})).data(200);
}

#[test]
fn a_template_is_sent_once_per_key() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    phones.add(FRIEND);
    let path = format!("{BASE}/templates/greeting_template/use");
    let body = json!({"variables": {"name": "Ani"}, "deviceId": "toko-1", "phone": FRIEND});
    let send =
        || kurir.owner().call("POST", &path).header("Idempotency-Key", "k-1").json(&body).send().data(200);
    let first = send();
    assert_eq!((&first["status"], &first["deviceId"]), (&json!("sent"), &json!("toko-1")));
    assert_eq!(send()["messageId"], first["messageId"]);
    let got = phones.wait_text(FRIEND, "Halo Ani, ada yang bisa kami bantu?");
    assert_eq!((&got["id"], &got["deliveries"]), (&first["messageId"], &json!(1)));
    assert_eq!(phones.received(FRIEND).len(), 1);
}
