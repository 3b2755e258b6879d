//! What a group is called and what is set for it; invite links, requests to join, leaving.

use super::BASE;
use crate::support::{Events, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const ANI: &str = "6281211110022";
const BUDI: &str = "6281211110033";

fn person(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

/// A shop whose device has made a group with Ani.
struct Rig {
    kurir: TestKurir,
    group: String,
}

impl Rig {
    fn new() -> Self {
        let kurir = TestKurir::start();
        kurir.link(&kurir.phones(), "toko-1", SHOP);
        let body = json!({"subject": "Keluarga", "participants": [ANI]});
        let made = kurir.owner().post(&format!("{BASE}/devices/toko-1/groups"), body).data(201);
        let group = made["groupId"].as_str().expect("an id").to_owned();
        Self { kurir, group }
    }

    fn path(&self, below: &str) -> String {
        format!("{BASE}/devices/toko-1/groups/{}/{below}", self.group)
    }

    fn info(&self) -> Value {
        self.kurir.owner().get(&self.path("info")).data(200)
    }

    fn on_network(&self) -> Value {
        self.kurir.phones().group(&self.group)
    }
}

#[test]
fn subject_and_description_are_changed_here_and_on_the_network() {
    let rig = Rig::new();
    let owner = rig.kurir.owner();
    let put = |what: &str, body: Value| owner.put(&rig.path(what), body);
    put("subject", json!({})).refused(400, "subject harus 1 sampai 100 karakter");
    put("subject", json!({"subject": "x".repeat(101)})).refused(400, "subject harus 1 sampai 100 karakter");
    put("description", json!({"description": "x".repeat(2049)}))
        .refused(400, "description maksimal 2048 karakter");
    let mut events = Events::open(&owner);
    let reply = put("subject", json!({"subject": "Keluarga besar"}));
    assert_eq!(
        (reply.data(200), &reply.json()["message"]),
        (json!({"groupId": rig.group}), &json!("Grup berhasil diperbarui"))
    );
    assert_eq!(
        (&rig.info()["subject"], &rig.on_network()["subject"]),
        (&json!("Keluarga besar"), &json!("Keluarga besar"))
    );
    let told = events.wait("the new subject", |data| data["type"] == "group.updated");
    assert_eq!((&told["subject"], &told["groupId"]), (&json!("Keluarga besar"), &json!(rig.group)));
    for text in ["satu", "dua\nbaris"] {
        put("description", json!({"description": text})).data(200);
        assert_eq!(
            (&rig.info()["description"], &rig.on_network()["description"]),
            (&json!(text), &json!(text))
        );
    }
    put("description", json!({"description": ""})).data(200);
    assert_eq!((&rig.info()["description"], &rig.on_network()["description"]), (&Value::Null, &Value::Null));
    let fresh = owner.get(&rig.path("info?refresh=true")).data(200);
    assert_eq!(fresh["subject"], "Keluarga besar");
}

#[test]
fn settings_are_changed_one_by_one_or_together() {
    let rig = Rig::new();
    let owner = rig.kurir.owner();
    owner.put(&rig.path("settings"), json!({})).refused(400, "Tidak ada pengaturan yang diubah");
    owner
        .put(&rig.path("settings"), json!({"ephemeralSeconds": 60}))
        .refused(400, "ephemeralSeconds harus 0, 86400, 604800 atau 7776000");
    let all = json!({"announce": true, "locked": true, "approval": true, "ephemeralSeconds": 86400});
    let shown = owner.put(&rig.path("settings"), all).data(200);
    assert_eq!([&shown["announce"], &shown["locked"], &shown["approval"]], [&json!(true); 3]);
    assert_eq!(shown["ephemeralSeconds"], 86400);
    let network = rig.on_network();
    assert_eq!([&network["announcement"], &network["locked"], &network["approval"]], [&json!(true); 3]);
    assert_eq!(network["ephemeralS"], 86400);
    let shown = owner.put(&rig.path("settings"), json!({"announce": false, "ephemeralSeconds": 0})).data(200);
    assert_eq!(
        [&shown["announce"], &shown["locked"], &shown["ephemeralSeconds"]],
        [&json!(false), &json!(true), &json!(0)]
    );
    let fresh = owner.get(&rig.path("info?refresh=true")).data(200);
    assert_eq!(
        [&fresh["announce"], &fresh["locked"], &fresh["approval"]],
        [&json!(false), &json!(true), &json!(true)]
    );
    owner
        .put(&rig.path("picture"), json!({"base64": "AAAA"}))
        .refused(400, "Foto grup harus JPEG dalam base64, maksimal 2MB");
}

#[test]
fn an_invite_link_leads_in_until_it_is_reset() {
    let rig = Rig::new();
    rig.kurir.link(&rig.kurir.phones(), "budi-1", BUDI);
    let owner = rig.kurir.owner();
    let of_budi = |below: &str| format!("{BASE}/devices/budi-1/{below}");
    let invite = owner.get(&rig.path("invite")).data(200);
    let link = invite["link"].as_str().expect("a link").to_owned();
    assert_eq!(link, format!("https://chat.whatsapp.com/{}", invite["code"].as_str().expect("a code")));
    owner
        .get(&of_budi("group-invite?link=https://example.com/x"))
        .refused(400, "Tautan undangan tidak valid atau sudah direset");
    let shown = owner.get(&of_budi(&format!("group-invite?link={link}"))).data(200);
    assert_eq!(
        [&shown["id"], &shown["subject"], &shown["size"]],
        [&json!(rig.group), &json!("Keluarga"), &json!(2)]
    );
    let reset = owner.post(&rig.path("invite/reset"), json!({})).data(200);
    assert_ne!(reset["code"], invite["code"]);
    owner
        .post(&of_budi("group-invite"), json!({"link": link}))
        .refused(400, "Tautan undangan tidak valid atau sudah direset");
    let reply = owner.post(&of_budi("group-invite"), json!({"link": reset["link"]}));
    assert_eq!(reply.data(200), json!({"groupId": rig.group, "status": "joined"}));
    assert_eq!(reply.json()["message"], "Berhasil bergabung ke grup");
    wait_for("the newcomer", || {
        rig.info()["participants"].as_array()?.iter().find(|one| one["id"] == person(BUDI)).cloned()
    });
    let listed = owner.get(&of_budi("groups")).data(200);
    assert_eq!(listed["groups"][0]["id"], rig.group);

    let left = owner.post(&of_budi(&format!("groups/{}/leave", rig.group)), json!({}));
    assert_eq!(
        (left.data(200), &left.json()["message"]),
        (json!({"groupId": rig.group}), &json!("Grup berhasil ditinggalkan"))
    );
    assert_eq!(owner.get(&of_budi("groups")).data(200)["total"], 0);
    wait_for("the farewell", || (rig.info()["participants"].as_array()?.len() == 2).then_some(()));
    let body = json!({"groupId": rig.group, "message": "x"});
    owner.post(&of_budi("send-group-message"), body).refused(404, "Grup tidak ditemukan");
}

#[test]
fn requests_to_join_are_listed_granted_and_refused() {
    let rig = Rig::new();
    rig.kurir.link(&rig.kurir.phones(), "budi-1", BUDI);
    let owner = rig.kurir.owner();
    owner.put(&rig.path("settings"), json!({"approval": true})).data(200);
    let link = owner.get(&rig.path("invite")).data(200)["link"].clone();
    let join = || owner.post(&format!("{BASE}/devices/budi-1/group-invite"), json!({"link": link}));
    let reply = join();
    assert_eq!(reply.data(202), json!({"groupId": rig.group, "status": "pending"}));
    // The network names who asks by the hidden id alone; its news of the request brings the number.
    let listed = wait_for("the request under the number", || {
        let listed = owner.get(&rig.path("requests")).data(200);
        (listed["requests"][0]["jid"] == person(BUDI)).then_some(listed)
    });
    assert_eq!(listed["total"], 1);
    assert!(listed["requests"][0]["requestedAt"].is_string());
    let reply = owner.post(&rig.path("requests/reject"), json!({"participants": [BUDI]}));
    assert_eq!(
        (reply.data(200), &reply.json()["message"]),
        (json!({"done": [person(BUDI)]}), &json!("Permintaan bergabung ditolak"))
    );
    assert_eq!(owner.get(&rig.path("requests")).data(200)["total"], 0);
    join().data(202);
    let reply = owner.post(&rig.path("requests/approve"), json!({"participants": [BUDI]}));
    assert_eq!(
        (reply.data(200), &reply.json()["message"]),
        (json!({"done": [person(BUDI)]}), &json!("Permintaan bergabung disetujui"))
    );
    let members = rig.info()["participants"].clone();
    assert!(
        members.as_array().is_some_and(|all| all.iter().any(|one| one["id"] == person(BUDI))),
        "{members}"
    );
    wait_for("the group on the other device", || {
        let listed = owner.get(&format!("{BASE}/devices/budi-1/groups")).data(200);
        (listed["groups"][0]["id"] == rig.group).then_some(())
    });
}
