//! Channels: made, followed, read and posted in, and never mixed into chats.

use super::BASE;
use crate::support::{Events, Phones, TestKurir, TestNetwork, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211120011";
const PRESS: &str = "6281211120022";
const ANI: &str = "6281211120033";
const CHANNELS: &str = "/api/whatsapp-multi-device/devices/toko-1/channels";
const INVITE: &str = "/api/whatsapp-multi-device/devices/toko-1/channel-invite";

/// A linked shop, a phone that runs a channel, and the channel.
fn linked() -> (TestKurir, Phones, Value) {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    let channel = begun(&kurir, &phones);
    (kurir, phones, channel)
}

fn begun(kurir: &TestKurir, phones: &Phones) -> Value {
    kurir.link(phones, "toko-1", SHOP);
    phones.add(PRESS);
    phones.add(ANI);
    phones.make_channel(PRESS, "Kabar Kota")
}

fn posts(kurir: &TestKurir, channel: &str, query: &str) -> Value {
    kurir.owner().get(&format!("{CHANNELS}/{channel}/messages{query}")).data(200)
}

fn texts(page: &Value) -> Vec<&str> {
    let rows = page["messages"].as_array().expect("a list");
    rows.iter().map(|row| row["text"].as_str().expect("a text")).collect()
}

#[test]
fn what_is_no_channel_is_refused() {
    let kurir = TestKurir::start();
    let (_, token) = kurir.register("ani");
    kurir.create_device("toko-1");
    kurir.nobody().get(CHANNELS).refused(401, "Token tidak valid atau kedaluwarsa");
    kurir.with_token(&token).get(CHANNELS).refused(403, "Anda tidak punya akses ke device ini");
    let owner = kurir.owner();
    owner.get(CHANNELS).refused(400, "WhatsApp tidak terhubung");
    for bad in ["abc", "120363123456789012@g.us", "6281211120022@s.whatsapp.net"] {
        owner.get(&format!("{CHANNELS}/{bad}")).refused(400, "Format channelId tidak valid");
        owner
            .post(&format!("{CHANNELS}/{bad}/messages"), json!({"message": "halo"}))
            .refused(400, "Format channelId tidak valid");
    }
    let wrong = "Tautan saluran tidak valid";
    owner.post(INVITE, json!({})).refused(400, wrong);
    owner.get(&format!("{INVITE}?link=https://chat.whatsapp.com/AbC")).refused(400, wrong);
    let nameless = "Nama saluran wajib diisi, maksimal 100 karakter";
    owner.post(CHANNELS, json!({"name": " "})).refused(400, nameless);
    owner.post(CHANNELS, json!({"name": "x".repeat(101)})).refused(400, nameless);
    assert_eq!(owner.put(&format!("{CHANNELS}/120363123456789012/mute"), json!({})).status, 400);
    assert_eq!(owner.get(&format!("{CHANNELS}/120363123456789012/messages?limit=0")).status, 400);
}

#[test]
fn the_network_refuses_what_is_unknown_or_not_ours() {
    let (kurir, phones, channel) = linked();
    let (owner, id) = (kurir.owner(), channel["id"].as_str().expect("an id"));
    let unknown = "Saluran tidak ditemukan";
    owner.post(INVITE, json!({"link": "https://whatsapp.com/channel/none"})).refused(404, unknown);
    owner.get(&format!("{CHANNELS}/120363999999999999")).refused(404, unknown);
    owner.post(&format!("{CHANNELS}/120363999999999999/follow"), json!({})).refused(404, unknown);
    owner.delete(&format!("{CHANNELS}/120363999999999999/follow")).refused(404, unknown);
    owner.get(&format!("{CHANNELS}/120363999999999999/messages")).refused(404, unknown);

    let not_ours = "Hanya pengelola saluran yang dapat mengirim ke saluran ini";
    let path = format!("{CHANNELS}/{id}/messages");
    owner.post(&path, json!({"message": "halo"})).refused(403, not_ours);
    owner.post(&format!("{CHANNELS}/{id}/follow"), json!({})).data(200);
    owner.post(&path, json!({"message": "halo"})).refused(403, not_ours);
    assert_eq!(owner.post(&path, json!({"message": " "})).status, 400);
    assert_eq!(owner.get(&format!("{path}?before=none")).status, 404);
    owner.put(&format!("{CHANNELS}/120363999999999999/mute"), json!({"muted": true})).refused(404, unknown);
    assert!(phones.messages(PRESS).is_empty());
}

#[test]
fn a_followed_channel_is_read_live_and_from_its_past() {
    let network = TestNetwork::start();
    let (mut kurir, phones) = (TestKurir::against(&network), network.phones());
    let channel = begun(&kurir, &phones);
    let id = channel["id"].as_str().expect("an id").to_owned();
    phones.write(PRESS, &id, "kemarin");
    let owner = kurir.owner();
    let shown = owner.get(&format!("{INVITE}?link={}", channel["link"].as_str().expect("a link"))).data(200);
    assert_eq!(
        (&shown["name"], &shown["role"], &shown["channelId"]),
        (&json!("Kabar Kota"), &json!("guest"), &json!(id))
    );
    assert_eq!(owner.get(CHANNELS).data(200)["channels"], json!([]));
    let followed = owner.post(INVITE, json!({"link": channel["link"]})).data(200);
    assert_eq!((&followed["role"], &followed["followers"]), (&json!("follower"), &json!(1)));
    let listed = owner.get(CHANNELS).data(200);
    assert_eq!((&listed["total"], &listed["channels"][0]["channelId"]), (&json!(1), &json!(id)));

    let mut events = Events::open(&owner);
    let first = phones.write(PRESS, &id, "pagi");
    let told = events.wait_type("channel-post.received");
    assert_eq!((&told["messageId"], &told["message"]), (&json!(first), &json!("pagi")));
    assert_eq!((&told["channelId"], &told["fromMe"]), (&json!(id), &json!(false)));
    let second = phones.write(PRESS, &id, "siang");
    assert_eq!(events.wait_type("channel-post.received")["messageId"], second);

    let page = posts(&kurir, &id, "?limit=2");
    assert_eq!((texts(&page), &page["hasMore"]), (vec!["siang", "pagi"], &json!(true)));
    assert_eq!(page["messages"][0]["number"], json!(102));
    let older = posts(&kurir, &id, &format!("?limit=2&before={first}"));
    assert_eq!((texts(&older), &older["hasMore"]), (vec!["kemarin"], &json!(false)));

    phones.write_as(PRESS, json!({"to": id, "revoke": second}));
    assert_eq!(events.wait_type("channel-post.deleted")["messageId"], second);
    assert_eq!(texts(&posts(&kurir, &id, "")), ["pagi", "kemarin"]);

    // Neither the chats nor the search know of it.
    assert_eq!(owner.get(&format!("{BASE}/devices/toko-1/chats")).data(200)["chats"], json!([]));
    let search = owner.get(&format!("{BASE}/devices/toko-1/messages/search?q=pagi")).json();
    assert!(!search.to_string().contains(&first), "{search}");
    assert!(events.seen.iter().all(|event| event.data["type"] != "message.received"));

    // What is posted while Kurir is away comes when it is back, once.
    let last = events.last_id();
    kurir.stop();
    let third = phones.write(PRESS, &id, "malam");
    kurir.launch();
    let mut events = Events::resume(&kurir.owner(), last.as_deref());
    assert_eq!(events.wait_type("channel-post.received")["messageId"], third);
    kurir.wait_connected("toko-1");
    assert_eq!(texts(&posts(&kurir, &id, "")), ["malam", "pagi", "kemarin"]);

    let owner = kurir.owner();
    let muted = owner.put(&format!("{CHANNELS}/{id}/mute"), json!({"muted": true})).data(200);
    assert_eq!(muted["muted"], true);
    assert_eq!(phones.channel(&id)["muted"], json!([SHOP]));
    assert_eq!(owner.get(&format!("{CHANNELS}/{id}")).data(200)["muted"], true);
    owner.delete(&format!("{CHANNELS}/{id}/follow")).expect(200);
    assert_eq!(phones.channel(&id)["followers"], json!([]));
    assert_eq!(owner.get(CHANNELS).data(200)["total"], 0);
}

#[test]
fn an_own_channel_takes_posts_once_across_a_crash() {
    let (mut kurir, phones, _) = linked();
    let owner = kurir.owner();
    let body = json!({"name": "Toko Kami", "description": "Promo"});
    let made = owner.post(CHANNELS, body).data(201);
    assert_eq!((&made["name"], &made["role"]), (&json!("Toko Kami"), &json!("owner")));
    let id = made["channelId"].as_str().expect("an id").to_owned();
    phones.follow_channel(ANI, &id);
    let refusal = "Pemilik tidak dapat berhenti mengikuti salurannya sendiri";
    owner.delete(&format!("{CHANNELS}/{id}/follow")).refused(400, refusal);

    let path = format!("{CHANNELS}/{id}/messages");
    let mut events = Events::open(&owner);
    let post = |text: &str| {
        owner.call("POST", &path).header("Idempotency-Key", "promo-1").json(&json!({"message": text})).send()
    };
    let sent = post("diskon").data(200);
    assert_eq!((&sent["status"], &sent["to"]), (&json!("sent"), &json!(id)));
    assert_eq!(post("diskon").data(200)["messageId"], sent["messageId"]);
    let message_id = sent["messageId"].as_str().expect("an id");
    assert_eq!(events.wait_type("channel-post.sent")["messageId"], message_id);
    let seen = phones.wait_message(ANI, message_id);
    assert_eq!(
        (&seen["text"], &seen["chat"], &seen["deliveries"]),
        (&json!("diskon"), &json!(id), &json!(1))
    );
    phones.wait_message(SHOP, message_id);

    // The network takes a post whose acknowledgement is lost; after a crash the same one is sent again.
    phones.fault(json!({"phone": SHOP, "lostAck": true, "count": 1}));
    let late = std::thread::spawn({
        let (owner, path) = (owner.clone(), path.clone());
        move || drop(owner.call("POST", &path).json(&json!({"message": "habis"})).try_send())
    });
    let taken = wait_for("the post", || phones.received(ANI).into_iter().find(|one| one["text"] == "habis"));
    kurir.kill9();
    late.join().expect("a request");
    kurir.launch();
    kurir.wait_connected("toko-1");
    let settled = wait_for("its end", || {
        let page = posts(&kurir, &id, "");
        page["messages"]
            .as_array()?
            .iter()
            .find(|one| one["status"] == "sent" && one["text"] == "habis")
            .cloned()
    });
    assert_eq!(settled["messageId"], taken["id"]);
    assert_eq!(texts(&posts(&kurir, &id, "")), ["habis", "diskon"]);
    let phones = kurir.phones();
    let at_ani = phones.received(ANI);
    assert_eq!(at_ani.iter().filter(|one| one["text"] == "habis").count(), 1);
    assert_eq!(at_ani.iter().map(|one| &one["deliveries"]).collect::<Vec<_>>(), [&json!(1), &json!(1)]);

    // What the owner posts on the phone is the account's own.
    let mut events = Events::open(&kurir.owner());
    let own = phones.write(SHOP, &id, "dari ponsel");
    let told = events.wait_type("channel-post.received");
    assert_eq!((&told["messageId"], &told["fromMe"]), (&json!(own), &json!(true)));
}
