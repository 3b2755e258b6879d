//! Who is in a group: come, go, rise, fall; and a group as large as they come.

use super::BASE;
use crate::support::samples::{base64, picture};
use crate::support::{Events, TestKurir, wait_for};
use image::ImageFormat;
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

struct Rig {
    kurir: TestKurir,
    group: String,
}

impl Rig {
    fn new(participants: &[String]) -> Self {
        let kurir = TestKurir::start();
        kurir.link(&kurir.phones(), "toko-1", SHOP);
        let body = json!({"subject": "Keluarga", "participants": participants});
        let made = kurir.owner().post(&format!("{BASE}/devices/toko-1/groups"), body).data(201);
        let group = made["groupId"].as_str().expect("an id").to_owned();
        Self { kurir, group }
    }

    fn path(&self, below: &str) -> String {
        format!("{BASE}/devices/toko-1/groups/{}/{below}", self.group)
    }

    fn role(&self, number: &str) -> Value {
        let group = self.kurir.phones().group(&self.group);
        let members = group["participants"].as_array().expect("a list").clone();
        members.iter().find(|one| one["phone"] == number).map_or(Value::Null, |one| one["role"].clone())
    }

    fn is_admin(&self, number: &str) -> Option<bool> {
        let info = self.kurir.owner().get(&self.path("info")).data(200);
        let members = info["participants"].as_array().expect("a list");
        members.iter().find(|one| one["id"] == person(number)).and_then(|one| one["isAdmin"].as_bool())
    }
}

#[test]
fn people_are_added_each_with_their_own_answer() {
    let rig = Rig::new(&[ANI.into()]);
    let post = |body: Value| rig.kurir.owner().post(&rig.path("participants"), body);
    post(json!({})).refused(400, "participants wajib berisi minimal satu nomor");
    post(json!({"participants": ["12345"]})).refused(400, "Format nomor telepon tidak valid");
    post(json!({"participants": vec![ANI; 1025]})).refused(400, "Maksimal 1024 nomor per permintaan");
    let reply = post(json!({"participants": ["081211110033", ANI, "6281211110000", "6281211110004"]}));
    let data = reply.data(200);
    assert_eq!(reply.json()["message"], "Participants berhasil diundang");
    assert_eq!((&data["success"], &data["added"]), (&json!(true), &json!([person(BUDI)])));
    let failed = [
        json!({"jid": person(ANI), "reason": "Participant sudah ada di grup"}),
        json!({"jid": person("6281211110000"), "reason": "Nomor tidak terdaftar di WhatsApp"}),
        json!({"jid": person("6281211110004"), "reason": "Privasi participant tidak mengizinkan, kirim tautan undangan"}),
    ];
    assert_eq!(data["failed"], json!(failed));
    assert_eq!((rig.role(BUDI), rig.is_admin(BUDI)), (json!("member"), Some(false)));
}

#[test]
fn admins_are_made_and_unmade_and_members_sent_away() {
    let rig = Rig::new(&[ANI.into(), BUDI.into()]);
    let owner = rig.kurir.owner();
    let mut events = Events::open(&owner);
    let reply = owner.post(&rig.path("admins"), json!({"adminJid": "081211110022"}));
    assert_eq!(reply.data(200), json!({"success": true, "promoted": [person(ANI)]}));
    assert_eq!(reply.json()["message"], "Admin berhasil ditambahkan");
    assert_eq!((rig.role(ANI), rig.is_admin(ANI)), (json!("admin"), Some(true)));
    let told = events.wait("the promotion", |data| data["action"] == "promote");
    assert_eq!((&told["type"], &told["groupId"]), (&json!("group.participants"), &json!(rig.group)));
    assert_eq!((&told["participants"][0]["jid"], &told["by"]), (&json!(person(ANI)), &json!(person(SHOP))));
    assert!(told["participants"][0]["lid"].is_string());

    let several = owner.post(&rig.path("admins"), json!({"participants": [BUDI, ANI]})).data(200);
    assert!(
        several["promoted"].as_array().is_some_and(|all| all.contains(&json!(person(BUDI)))),
        "{several}"
    );
    let reply = owner.delete(&rig.path(&format!("admins/{}", person(ANI))));
    assert_eq!(reply.data(200), json!({"success": true, "demoted": person(ANI)}));
    assert_eq!(reply.json()["message"], "Admin berhasil dihapus");
    assert_eq!((rig.role(ANI), rig.is_admin(ANI)), (json!("member"), Some(false)));

    let reply = owner.delete(&rig.path(&format!("participants/{BUDI}")));
    assert_eq!(reply.data(200), json!({"success": true, "removed": person(BUDI)}));
    assert_eq!(reply.json()["message"], "Participant berhasil dihapus");
    assert_eq!((rig.role(BUDI), rig.is_admin(BUDI)), (Value::Null, None));
    owner.delete(&rig.path(&format!("participants/{BUDI}"))).refused(404, "Participant tidak ada di grup");
    owner.post(&rig.path("admins"), json!({"adminJid": BUDI})).refused(404, "Participant tidak ada di grup");
    owner.post(&rig.path("admins"), json!({})).refused(400, "participants wajib berisi minimal satu nomor");
}

#[test]
fn who_is_no_admin_changes_nothing() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", SHOP);
    phones.add(ANI);
    let group = phones.make_group(ANI, &[SHOP], "lid");
    let path = |below: &str| format!("{BASE}/devices/toko-1/groups/{group}/{below}");
    let owner = kurir.owner();
    wait_for("the group", || (owner.get(&path("info")).status == 200).then_some(()));
    owner.post(&path("admins"), json!({"adminJid": SHOP})).refused(400, "Device bukan admin grup");
    owner.delete(&path(&format!("participants/{ANI}"))).refused(400, "Device bukan admin grup");
    owner.post(&path("invite/reset"), json!({})).refused(400, "Device bukan admin grup");
    phones.edit_group(&group, json!({"announcement": true}));
    wait_for("the announcement mode", || {
        (owner.get(&path("info")).data(200)["announce"] == true).then_some(())
    });
    let body = json!({"groupId": group, "message": "x"});
    owner
        .post(&format!("{BASE}/devices/toko-1/send-group-message"), body)
        .refused(400, "Device bukan admin grup");
    // News of others: an admin appears, the device is sent away.
    phones.in_group(&group, "admins", json!({"phones": [SHOP]}));
    wait_for("the new rank", || {
        let info = owner.get(&path("info")).data(200);
        let own = info["participants"].as_array()?.iter().find(|one| one["id"] == person(SHOP))?.clone();
        (own["isAdmin"] == true).then_some(())
    });
    owner.call("DELETE", &format!("/sandbox/groups/{group}/participants/{SHOP}?by={ANI}")).send().expect(200);
    wait_for("the farewell", || (owner.get(&path("info")).status == 404).then_some(()));
    assert_eq!(owner.get(&format!("{BASE}/devices/toko-1/groups")).data(200)["total"], 0);
}

#[test]
fn a_group_of_256_is_made_mentioned_promoted_and_emptied() {
    let others: Vec<String> = (0..255).map(|n| format!("62813{:08}", 10_007 + 10 * n)).collect();
    let rig = Rig::new(&others);
    let owner = rig.kurir.owner();
    let info = owner.get(&rig.path("info")).data(200);
    assert_eq!(info["participants"].as_array().map(Vec::len), Some(256));
    let body = json!({"message": "Halo {mentions}", "mentions": others});
    owner.post(&rig.path("mention-message"), body).data(200);
    let phones = rig.kurir.phones();
    for number in [&others[0], &others[254]] {
        let seen = wait_for("the mention", || {
            phones
                .received(number)
                .into_iter()
                .find(|one| one["text"].as_str().is_some_and(|text| text.starts_with("Halo @")))
        });
        assert_eq!(seen["mentions"].as_array().map(Vec::len), Some(255));
        assert!(seen["text"].as_str().is_some_and(|text| text.contains(&format!("@{}", others[254]))));
    }
    let photo = picture(320, 200, ImageFormat::Jpeg);
    let media = json!({"mediaType": "image", "base64": base64(&photo), "caption": "Kita semua"});
    let sent = owner.post(&rig.path("send-media"), media).data(200);
    let id = sent["messageId"].as_str().expect("an id");
    for number in [&others[0], &others[254]] {
        assert_eq!(phones.wait_message(number, id)["caption"], "Kita semua");
        assert!(phones.media(number, id) == photo, "{number} has other bytes");
    }
    let promoted = owner.post(&rig.path("admins"), json!({"participants": others})).data(200);
    assert_eq!(promoted["promoted"].as_array().map(Vec::len), Some(255));
    assert_eq!(rig.is_admin(&others[100]), Some(true));
    owner.delete(&rig.path(&format!("admins/{}", others[100]))).data(200);
    assert_eq!(rig.role(&others[100]), json!("member"));
    // The network's own news of the promotion may come after the answer to the demotion; that of the demotion follows it.
    wait_for("a plain member", || (rig.is_admin(&others[100]) == Some(false)).then_some(()));
    for number in &others[..3] {
        owner.delete(&rig.path(&format!("participants/{number}"))).data(200);
    }
    let fresh = owner.get(&rig.path("info?refresh=true")).data(200);
    assert_eq!(fresh["participants"].as_array().map(Vec::len), Some(253));
}
