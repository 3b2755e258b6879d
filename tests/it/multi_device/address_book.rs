//! Saved contacts and their tags.

use super::BASE;
use crate::support::{TestKurir, wait_for};
use serde_json::{Value, json};

const PHONE: &str = "6281211110011";
const FRIEND: &str = "6281211110022";

fn names(list: &Value) -> Vec<&str> {
    let contacts = list["contacts"].as_array().expect("a list");
    contacts.iter().filter_map(|contact| contact["name"].as_str()).collect()
}

#[test]
fn what_is_no_contact_is_refused() {
    let kurir = TestKurir::start();
    let save = |body: Value| kurir.owner().post(&format!("{BASE}/contacts"), body);
    save(json!({})).refused(400, "name wajib diisi");
    save(json!({"name": "Ani"})).refused(400, "phoneNumber wajib diisi");
    save(json!({"name": " ", "phoneNumber": "0812"})).refused(400, "Format nomor telepon tidak valid");
    save(json!({"name": " ", "phoneNumber": FRIEND})).refused(400, "Nama kontak harus 1 sampai 100 karakter");
    save(json!({"name": "Ani", "phone": FRIEND, "jid": format!("{PHONE}@s.whatsapp.net")}))
        .refused(400, "jid tidak valid");
    for tags in
        [json!([""]), json!(["x".repeat(31)]), json!((0..21).map(|n| n.to_string()).collect::<Vec<_>>())]
    {
        save(json!({"name": "Ani", "phone": FRIEND, "tags": tags}))
            .refused(400, "Maksimal 20 tag, masing-masing 1 sampai 30 karakter");
    }
    save(json!({"contacts": []})).refused(400, "contacts wajib diisi");
    let half = save(json!({"contacts": [{"name": "Ani", "phone": FRIEND}, {"name": "Budi", "phone": "x"}]}));
    half.refused(400, "Format nomor telepon tidak valid");
    assert_eq!(half.json()["error"], "contacts[1]");
    save(json!({"sync": true})).refused(400, "deviceId wajib diisi");
    save(json!({"sync": true, "deviceId": "nowhere"})).refused(404, "Device tidak ditemukan");
    for (method, path) in [("GET", "7"), ("PUT", "7"), ("DELETE", "7"), ("PUT", "7/tags"), ("GET", "x")] {
        let call = kurir.owner().call(method, &format!("{BASE}/contacts/{path}"));
        let reply = if method == "PUT" { call.json(&json!({})).send() } else { call.send() };
        reply.refused(404, "Kontak tidak ditemukan");
    }
    let list = kurir.owner().get(&format!("{BASE}/contacts")).data(200);
    assert_eq!((&list["contacts"], &list["pagination"]["total"]), (&json!([]), &json!(0)));
    kurir.owner().get(&format!("{BASE}/contacts?limit=501")).refused(400, "limit tidak valid");
    kurir.owner().get(&format!("{BASE}/contacts?page=0")).refused(400, "page tidak valid");
}

#[test]
fn an_address_book_is_kept_searched_tagged_and_emptied() {
    let kurir = TestKurir::start();
    let owner = kurir.owner();
    let contacts = format!("{BASE}/contacts");
    let body = json!({"name": "Bu Ani", "phoneNumber": "0812-1111 0022", "tags": ["guru", "vip", "guru"]});
    let reply = owner.post(&contacts, body);
    assert_eq!(reply.json()["message"], "Kontak berhasil disimpan");
    let saved = reply.data(201);
    assert_eq!((&saved["saved"], &saved["updated"]), (&json!(1), &json!(0)));
    let ani = &saved["contact"];
    assert_eq!(ani["phoneNumber"], FRIEND);
    assert_eq!(ani["jid"], format!("{FRIEND}@s.whatsapp.net"));
    assert_eq!(ani["tags"], json!(["guru", "vip"]));
    assert!(ani["createdAt"].as_str().is_some_and(|at| at.len() == 19), "local time: {ani}");

    let again = owner.post(&contacts, json!({"name": "Ani", "phone": "+62 812 1111 0022"})).data(201);
    assert_eq!((&again["saved"], &again["updated"]), (&json!(0), &json!(1)));
    assert_eq!((&again["contact"]["id"], &again["contact"]["tags"]), (&ani["id"], &json!(["guru", "vip"])));

    let more = json!({"contacts": [{"name": "Budi", "phone": "081300000001"}, {"name": "citra", "phone": "+1 555 123 4567", "tags": ["vip"]}]});
    let reply = owner.post(&contacts, more);
    assert_eq!(reply.json()["message"], "2 kontak disimpan, 0 diperbarui");
    assert_eq!(names(&owner.get(&contacts).data(200)), ["Ani", "Budi", "citra"]);
    for (query, found) in [
        ("search=AN", vec!["Ani"]),
        ("search=0812-1111", vec!["Ani"]),
        ("search=zzz", vec![]),
        ("tag=vip", vec!["Ani", "citra"]),
        ("limit=2&page=2", vec!["citra"]),
    ] {
        assert_eq!(names(&owner.get(&format!("{contacts}?{query}")).data(200)), found, "{query}");
    }
    let page = owner.get(&format!("{contacts}?limit=2")).data(200);
    assert_eq!(page["pagination"], json!({"page": 1, "limit": 2, "total": 3, "totalPages": 2}));

    let tags = owner.get(&format!("{BASE}/tags")).data(200);
    assert_eq!(tags, json!({"tags": ["guru", "vip"], "counts": {"guru": 1, "vip": 2}}));
    let path = format!("{contacts}/{}", ani["id"]);
    owner.put(&format!("{path}/tags"), json!({})).refused(400, "tags wajib diisi");
    let tagged = owner.put(&format!("{path}/tags"), json!({"tags": ["wali"]})).data(200);
    assert_eq!(tagged["contact"]["tags"], json!(["wali"]));
    let budi = owner.get(&format!("{contacts}?search=budi")).data(200)["contacts"][0]["id"].clone();
    let many = json!({"ids": [ani["id"], budi], "add": ["kelas 5"], "remove": ["wali"]});
    assert_eq!(owner.post(&format!("{contacts}/tags"), many).data(200)["count"], 2);
    assert_eq!(owner.get(&path).data(200)["contact"]["tags"], json!(["kelas 5"]));

    owner.put(&path, json!({"phoneNumber": "081300000001"})).refused(400, "Nomor ini sudah ada di kontak");
    let changed = owner.put(&path, json!({"name": "Ani S.", "phoneNumber": "081399999999"})).data(200);
    assert_eq!(changed["contact"]["jid"], "6281399999999@s.whatsapp.net");
    let gone = json!({"ids": [ani["id"], 4711]});
    owner.post(&format!("{contacts}/delete"), gone).refused(404, "Kontak tidak ditemukan");
    assert_eq!(owner.get(&contacts).data(200)["pagination"]["total"], 3, "all or none");
    owner.post(&format!("{contacts}/delete"), json!({"ids": [ani["id"], budi]})).data(200);
    let last = owner.get(&contacts).data(200);
    assert_eq!(names(&last), ["citra"]);
    owner.delete(&format!("{contacts}/{}", last["contacts"][0]["id"])).data(200);
    assert_eq!(owner.get(&format!("{BASE}/tags")).data(200), json!({"tags": [], "counts": {}}));
}

#[test]
fn the_contacts_of_others_do_not_exist_but_for_administrators() {
    let kurir = TestKurir::start();
    let (ani, token) = kurir.register("ani");
    let user = kurir.with_token(&token);
    let owner = kurir.owner();
    let contacts = format!("{BASE}/contacts");
    let of_owner = owner.post(&contacts, json!({"name": "Milik owner", "phone": FRIEND})).data(201);
    let of_ani = user.post(&contacts, json!({"name": "Milik Ani", "phone": FRIEND, "tags": ["x"]})).data(201);
    let path = format!("{contacts}/{}", of_owner["contact"]["id"]);
    user.get(&path).refused(404, "Kontak tidak ditemukan");
    user.put(&path, json!({"name": "Diambil"})).refused(404, "Kontak tidak ditemukan");
    user.put(&format!("{path}/tags"), json!({"tags": []})).refused(404, "Kontak tidak ditemukan");
    user.delete(&path).refused(404, "Kontak tidak ditemukan");
    let ids = json!({"ids": [of_owner["contact"]["id"]], "add": ["x"]});
    user.post(&format!("{contacts}/tags"), ids.clone()).refused(404, "Kontak tidak ditemukan");
    user.post(&format!("{contacts}/delete"), ids).refused(404, "Kontak tidak ditemukan");
    assert_eq!(names(&user.get(&format!("{contacts}?userId=1")).data(200)), ["Milik Ani"]);
    assert_eq!(names(&owner.get(&contacts).data(200)), ["Milik Ani", "Milik owner"]);
    assert_eq!(names(&owner.get(&format!("{contacts}?userId={ani}")).data(200)), ["Milik Ani"]);
    assert_eq!(owner.get(&format!("{BASE}/tags?userId={ani}")).data(200)["tags"], json!(["x"]));
    owner.get(&format!("{contacts}/{}", of_ani["contact"]["id"])).data(200);
}

#[test]
fn the_people_of_a_device_are_copied_and_typed_names_stay() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    phones.add(FRIEND);
    let contacts = format!("{BASE}/contacts");
    let sync = || kurir.owner().post(&contacts, json!({"deviceId": "toko-1", "sync": true})).data(201);
    assert_eq!(sync(), json!({"saved": 0, "updated": 0}));
    phones.write(FRIEND, PHONE, "halo");
    wait_for("the greeting", || (kurir.history("toko-1", FRIEND).len() == 1).then_some(()));
    assert_eq!(sync(), json!({"saved": 1, "updated": 0}));
    let copied = kurir.owner().get(&format!("{contacts}?deviceId=toko-1")).data(200)["contacts"][0].clone();
    assert_eq!(copied["phoneNumber"], FRIEND);
    kurir.owner().put(&format!("{contacts}/{}", copied["id"]), json!({"name": "Pak Budi"})).data(200);
    kurir.owner().post(&contacts, json!({"name": "Tak pernah menulis", "phone": "081300000001"})).data(201);
    assert_eq!(sync(), json!({"saved": 0, "updated": 1}));
    let on_device = kurir.owner().get(&format!("{contacts}?deviceId=toko-1")).data(200);
    assert_eq!(names(&on_device), ["Pak Budi"]);
}
