//! Chat history and the chat list.

use super::BASE;
use crate::support::{TestKurir, wait_for};
use serde_json::{Value, json};

const PHONE: &str = "6281211110011";
const FRIEND: &str = "6281211110022";

#[test]
fn a_history_refuses_what_is_out_of_range() {
    let kurir = TestKurir::start();
    kurir.create_device("toko-1");
    let ask = |chat: &str, query: &str| {
        kurir.owner().get(&format!("{BASE}/devices/toko-1/chat-history/{chat}?{query}"))
    };
    ask(FRIEND, "limit=0").refused(400, "limit tidak valid");
    ask(FRIEND, "limit=101").refused(400, "limit tidak valid");
    ask(FRIEND, "limit=ten").refused(400, "Parameter limit tidak valid");
    ask(FRIEND, "waitSeconds=121").refused(400, "waitSeconds tidak valid");
    ask(FRIEND, "source=memory").refused(400, "Parameter source tidak valid");
    ask(FRIEND, "before=3EB0UNKNOWN").refused(400, "Pesan before tidak dikenal");
    for no_chat in ["x@example.com", "status@broadcast", "120363000000000001@newsletter"] {
        ask(no_chat, "").refused(400, "Format nomor telepon tidak valid");
    }
    ask("%20", "").refused(400, "Format nomor telepon tidak valid");
    for source in ["auto", "store", "server", "whatsapp", ""] {
        let empty = ask(FRIEND, &format!("source={source}")).data(200);
        assert_eq!(
            empty,
            json!({"jid": format!("{FRIEND}@s.whatsapp.net"), "lid": null, "messages": [], "total": 0, "hasMore": false})
        );
    }
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats?limit=101"));
    chats.refused(400, "limit tidak valid");
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats?before=kemarin"));
    chats.refused(400, "before tidak valid");
}

#[test]
fn group_chats_are_for_administrators() {
    let kurir = TestKurir::start();
    let (user, token) = kurir.register("ani");
    kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": user})).data(201);
    let path = format!("{BASE}/devices/ani-1/chat-history/120363123456789012@g.us");
    kurir.with_token(&token).get(&path).refused(403, "Admin only");
    kurir.owner().get(&path).data(200);
}

#[test]
fn a_history_holds_both_sides_newest_first_page_by_page() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    kurir.link(&phones, "toko-1", PHONE);
    phones.add(FRIEND);
    for n in 0..3 {
        kurir.send("toko-1", FRIEND, &format!("tanya {n}"));
        phones.write(FRIEND, PHONE, &format!("jawab {n}"));
        wait_for("the answer", || {
            let history = kurir.history("toko-1", FRIEND);
            history.iter().any(|one| one["content"]["text"] == format!("jawab {n}")).then_some(())
        });
    }
    let path = format!("{BASE}/devices/toko-1/chat-history/{FRIEND}");
    let reply = kurir.owner().get(&format!("{path}?source=store"));
    assert_eq!(reply.json()["message"], "Chat history berhasil diambil dari store");
    let all = reply.data(200);
    let text = |message: &Value| message["content"]["text"].as_str().map(str::to_owned);
    let texts: Vec<_> = all["messages"].as_array().expect("a list").iter().filter_map(text).collect();
    assert_eq!(texts, ["jawab 2", "tanya 2", "jawab 1", "tanya 1", "jawab 0", "tanya 0"]);
    assert_eq!((&all["total"], &all["hasMore"]), (&json!(6), &json!(false)));
    let (answer, question) = (&all["messages"][0], &all["messages"][1]);
    assert_eq!([&answer["fromMe"], &question["fromMe"]], [&json!(false), &json!(true)]);
    assert_eq!(answer["from"], format!("{FRIEND}@s.whatsapp.net"));
    assert_eq!(question["from"], format!("{PHONE}@s.whatsapp.net"));
    assert_eq!(question["messageType"], "conversation");
    assert!(
        question["timestamp"].as_i64().is_some_and(|at| at > 1_600_000_000_000),
        "milliseconds: {question}"
    );

    let first = kurir.owner().get(&format!("{path}?limit=4")).data(200);
    assert_eq!(first["hasMore"], true);
    let last = first["messages"][3]["id"].as_str().expect("an id").to_owned();
    let second = kurir.owner().get(&format!("{path}?limit=4&before={last}")).data(200);
    let texts: Vec<_> = second["messages"].as_array().expect("a list").iter().filter_map(text).collect();
    assert_eq!(
        (texts, &second["hasMore"]),
        (vec!["jawab 0".to_owned(), "tanya 0".to_owned()], &json!(false))
    );

    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats")).data(200);
    let chat = &chats["chats"][0];
    assert_eq!(
        [&chat["phoneNumber"], &chat["unreadCount"], &chat["lastMessage"]["text"]],
        [&json!(FRIEND), &json!(3), &json!("jawab 2")]
    );
    kurir.owner().post(&format!("{BASE}/devices/toko-1/chats/{FRIEND}/read"), json!({})).expect(200);
    let chats = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats?search=JAWAB")).data(200);
    assert_eq!(chats["chats"][0]["unreadCount"], 0);
    let nothing = kurir.owner().get(&format!("{BASE}/devices/toko-1/chats?search=zzz")).data(200);
    assert_eq!(nothing["chats"], json!([]));
    // The friend's phone was told.
    wait_for("the blue ticks", || {
        let answers = phones.messages(FRIEND);
        answers.iter().any(|one| one["text"] == "jawab 2" && one["status"] == "read").then_some(())
    });
}

#[test]
fn the_chats_of_groups_are_listed_for_administrators() {
    let kurir = TestKurir::start();
    let phones = kurir.phones();
    let (user, token) = kurir.register("ani");
    kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": user})).data(201);
    for number in [PHONE, FRIEND] {
        phones.add(number);
    }
    let connecting = kurir.owner().call("POST", &format!("{BASE}/devices/ani-1/connect")).send().data(200);
    phones.scan(PHONE, connecting["qr"].as_str().expect("a QR"));
    kurir.wait_connected("ani-1");
    let group = phones.make_group(FRIEND, &[PHONE], "lid");
    phones.write(FRIEND, PHONE, "untuk toko");
    phones.write(FRIEND, &group, "untuk semua");
    let chats = |token: Option<&str>, query: &str| -> Vec<Value> {
        let api = token.map_or_else(|| kurir.owner(), |token| kurir.with_token(token));
        let list = api.get(&format!("{BASE}/devices/ani-1/chats{query}")).data(200);
        list["chats"].as_array().expect("a list").iter().map(|chat| chat["jid"].clone()).collect()
    };
    let person = json!(format!("{FRIEND}@s.whatsapp.net"));
    wait_for("both chats", || (chats(None, "").len() == 2).then_some(()));
    assert_eq!(chats(None, "?search=semua"), [json!(group)]);
    assert_eq!(chats(Some(&token), ""), [person]);
    assert_eq!(chats(Some(&token), "?search=semua"), [] as [Value; 0]);
    // The list goes on where a page ended; a time alone is understood as well.
    let first = kurir.owner().get(&format!("{BASE}/devices/ani-1/chats?limit=1")).data(200);
    let next = first["nextBefore"].as_str().expect("a place").to_owned();
    let (at, _) = next.split_once('.').expect("a time and a chat");
    assert_eq!(first["chats"][0]["lastMessage"]["timestamp"].to_string(), at);
    let rest = chats(None, &format!("?before={next}"));
    assert!(rest.len() == 1 && rest[0] != first["chats"][0]["jid"], "{rest:?}");
    assert_eq!(chats(None, "?before=1000"), [] as [Value; 0]);
}
