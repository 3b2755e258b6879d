//! Full-text search over stored messages.

use super::BASE;
use crate::support::{Api, TestKurir, wait_for};
use serde_json::{Value, json};

const PHONE: &str = "6281211330011";
const SECOND: &str = "6281211330012";
const FRIEND: &str = "6281211330022";
const OTHER: &str = "6281211330033";

fn texts(page: &Value) -> Vec<&str> {
    let messages = page["messages"].as_array().expect("a list");
    messages.iter().filter_map(|one| one["content"]["text"].as_str()).collect()
}

fn found(api: &Api, path: &str, query: &str) -> Value {
    api.get(&format!("{BASE}{path}/search?{query}")).data(200)
}

#[test]
fn a_search_refuses_what_it_cannot_look_for() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let (_, budi) = kurir.register("budi");
    let ask = |query: &str| kurir.owner().get(&format!("{BASE}/devices/toko-1/messages/search?{query}"));
    ask("").refused(400, "q wajib diisi");
    ask("q=").refused(400, "q wajib diisi");
    ask("q=%21%3F").refused(400, "q tidak valid");
    ask("q=a+b+c+d+e+f+g+h+i").refused(400, "q tidak valid");
    ask("q=a&limit=0").refused(400, "limit tidak valid");
    ask("q=a&limit=101").refused(400, "limit tidak valid");
    ask("q=a&before=yesterday").refused(400, "before tidak valid");
    ask("q=a&jid=x@example.com").refused(400, "Format nomor telepon tidak valid");
    ask("q=a&startDate=1").refused(400, "Parameter startDate wajib diisi dengan format YYYY-MM-DD");
    kurir
        .owner()
        .get(&format!("{BASE}/devices/none/messages/search?q=a"))
        .refused(404, "Device tidak ditemukan");
    let foreign = kurir.with_token(&budi).get(&format!("{BASE}/devices/toko-1/messages/search?q=a"));
    foreign.refused(403, "Anda tidak punya akses ke device ini");
    let empty = json!({"messages": [], "total": 0, "hasMore": false, "nextBefore": null});
    assert_eq!(ask("q=a").data(200), empty);
    assert_eq!(found(&kurir.with_token(&budi), "/messages", "q=a"), empty);
}

#[test]
fn texts_are_found_by_words_page_by_page_across_devices() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    kurir.link(&phones, "toko-2", SECOND);
    phones.add(FRIEND);
    phones.add(OTHER);
    phones.write(FRIEND, PHONE, "Pesan KOPI susu dua");
    wait_for("the order", || (kurir.history("toko-1", FRIEND).len() == 1).then_some(()));
    kurir.send("toko-1", FRIEND, "kopì pesanan siap");
    phones.write(OTHER, PHONE, "kopi habis?");
    wait_for("the question", || (kurir.history("toko-1", OTHER).len() == 1).then_some(()));
    phones.write(FRIEND, SECOND, "kopi di cabang dua");
    wait_for("the other shop", || (kurir.history("toko-2", FRIEND).len() == 1).then_some(()));

    let owner = kurir.owner();
    let device = "/devices/toko-1/messages";
    let all = found(&owner, device, "q=kopi");
    assert_eq!(texts(&all), ["kopi habis?", "kopì pesanan siap", "Pesan KOPI susu dua"]);
    assert_eq!(
        (&all["total"], &all["hasMore"], &all["nextBefore"]),
        (&json!(3), &json!(false), &Value::Null)
    );
    let one = &all["messages"][1];
    assert_eq!([&one["deviceId"], &one["fromMe"]], [&json!("toko-1"), &json!(true)]);
    assert_eq!(one["jid"], format!("{FRIEND}@s.whatsapp.net"));
    assert_eq!(texts(&found(&owner, device, "q=pesan+KOP")), ["Pesan KOPI susu dua"]);
    assert_eq!(texts(&found(&owner, device, "q=kopi+pes")), ["kopì pesanan siap", "Pesan KOPI susu dua"]);
    assert_eq!(texts(&found(&owner, device, &format!("q=kopi&jid={OTHER}"))), ["kopi habis?"]);
    assert!(texts(&found(&owner, device, "q=kopi&endDate=2024-01-01")).is_empty());
    assert!(texts(&found(&owner, device, "q=teh")).is_empty());

    let (mut seen, mut before) = (Vec::new(), String::new());
    loop {
        let page = found(&owner, "/messages", &format!("q=kopi&limit=1{before}"));
        seen.extend(texts(&page).into_iter().map(str::to_owned));
        match page["nextBefore"].as_str() {
            Some(mark) => before = format!("&before={mark}"),
            None => break,
        }
    }
    assert_eq!(seen, ["kopi di cabang dua", "kopi habis?", "kopì pesanan siap", "Pesan KOPI susu dua"]);
}

#[test]
fn group_messages_are_found_by_administrators_only() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    let (user, ani) = kurir.register("ani");
    kurir.link(&phones, "toko-1", PHONE);
    let owned = kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": user}));
    owned.data(201);
    phones.add(FRIEND);
    let group = phones.make_group(FRIEND, &[PHONE], "pn");
    phones.write(FRIEND, &group, "rapat besok");
    wait_for("the group's message", || {
        let page = found(&kurir.owner(), "/messages", "q=rapat");
        (texts(&page) == ["rapat besok"]).then_some(())
    });
    let ani = kurir.with_token(&ani);
    assert!(texts(&found(&ani, "/messages", "q=rapat")).is_empty(), "not her device");
    let path = format!("{BASE}/devices/ani-1/messages/search?q=rapat&jid={group}");
    ani.get(&path).refused(403, "Admin only");
    assert_eq!(
        texts(&found(&kurir.owner(), "/devices/toko-1/messages", &format!("q=rapat&jid={group}"))).len(),
        1
    );
}
