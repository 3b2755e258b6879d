//! `Idempotency-Key`: a request that is repeated is answered again and sent once.

use super::BASE;
use crate::support::{Reply, TestKurir, TestNetwork, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const CUSTOMER: &str = "6281211110022";

fn ask(kurir: &TestKurir, verb: &str, key: &str, body: &Value) -> Reply {
    let call = kurir.owner().call("POST", &format!("{BASE}/devices/toko-1/{verb}"));
    call.header("idempotency-key", key).json(body).send()
}

#[test]
fn the_same_key_gets_the_same_answer_and_one_delivery() {
    let mut kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    let single = json!({"to": CUSTOMER, "message": "satu"});
    let bulk = json!({"messages": [{"to": CUSTOMER, "message": "dua"}, {"to": "12345", "message": "tiga"}], "delay": 0});
    let job = json!({"messages": [{"to": CUSTOMER, "message": "empat"}], "delay": 0});
    let lone = json!({"to": CUSTOMER, "message": "lain"});
    let many = json!({"messages": [{"to": CUSTOMER, "message": "lain"}]});
    for (verb, key, body, different, status) in [
        ("send-message", "kunci 1", &single, &lone, 200),
        ("send-message", "kunci 2", &bulk, &many, 200),
        ("jobs/send-text", "kunci 3", &job, &many, 202),
    ] {
        let first = ask(&kurir, verb, key, body).data(status);
        assert_eq!(ask(&kurir, verb, key, body).data(status), first, "at once");
        kurir.restart();
        kurir.wait_connected("toko-1");
        assert_eq!(ask(&kurir, verb, key, body).data(status), first, "after a restart");
        ask(&kurir, verb, key, different).refused(409, "Idempotency-Key sudah dipakai untuk permintaan lain");
    }
    wait_for("the job's text", || {
        kurir.phones().received(CUSTOMER).iter().any(|one| one["text"] == "empat").then_some(())
    });
    let texts: Vec<_> = kurir.phones().received(CUSTOMER).iter().map(|one| one["text"].clone()).collect();
    assert_eq!(texts, [json!("satu"), json!("dua"), json!("empat")]);
    assert_eq!(kurir.history("toko-1", CUSTOMER).len(), 3);
}

#[test]
fn a_key_belongs_to_its_caller_and_its_device() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    kurir.link(&kurir.phones(), "toko-2", "6281211110033");
    let body = json!({"to": CUSTOMER, "message": "halo"});
    let first = ask(&kurir, "send-message", "k", &body).data(200);
    let call = kurir.owner().call("POST", &format!("{BASE}/devices/toko-2/send-message"));
    let other = call.header("idempotency-key", "k").json(&body).send();
    other.refused(409, "Idempotency-Key sudah dipakai untuk permintaan lain");
    let (user, token) = kurir.register("ani");
    kurir.owner().post(&format!("{BASE}/devices"), json!({"deviceId": "ani-1", "userId": user})).data(201);
    let call = kurir.with_token(&token).call("POST", &format!("{BASE}/devices/ani-1/send-message"));
    call.header("idempotency-key", "k").json(&body).send().refused(400, "WhatsApp tidak terhubung");
    for key in ["", &"x".repeat(256)] {
        ask(&kurir, "send-message", key, &body).refused(400, "Idempotency-Key harus 1 sampai 255 karakter");
    }
    // A request that was refused has not used its key up.
    ask(&kurir, "send-message", "baru", &json!({"to": "12345", "message": "x"}))
        .refused(400, "Format nomor telepon tidak valid");
    let second = ask(&kurir, "send-message", "baru", &body).data(200);
    assert_ne!(first["messageId"], second["messageId"]);
}

/// The client never saw the answer, because Kurir was killed; it asks again with the same key.
#[test]
fn a_repeated_request_after_a_kill_is_delivered_once() {
    let network = TestNetwork::start();
    let phones = network.phones();
    let mut kurir = TestKurir::against(&network);
    kurir.link(&phones, "toko-1", SHOP);
    phones.fault(json!({"phone": SHOP, "lostAck": true}));
    let body = json!({"to": CUSTOMER, "message": "penting"});
    let api = kurir.owner();
    let cut_off = {
        let body = body.clone();
        std::thread::spawn(move || {
            let call = api.call("POST", &format!("{BASE}/devices/toko-1/send-message"));
            call.header("idempotency-key", "pesanan-7").json(&body).try_send()
        })
    };
    let arrived = phones.wait_text(CUSTOMER, "penting");
    kurir.kill9();
    assert!(cut_off.join().expect("the client ends").is_err(), "the client got no answer");
    phones.no_faults();
    kurir.launch();
    kurir.wait_connected("toko-1");
    let data = ask(&kurir, "send-message", "pesanan-7", &body).data(200);
    assert_eq!((&data["messageId"], &data["status"]), (&arrived["id"], &json!("sent")));
    kurir.send("toko-1", CUSTOMER, "berikutnya");
    phones.wait_text(CUSTOMER, "berikutnya");
    let seen: Vec<_> = phones
        .received(CUSTOMER)
        .iter()
        .map(|one| (one["text"].clone(), one["deliveries"].clone()))
        .collect();
    assert_eq!(seen, [(json!("penting"), json!(1)), (json!("berikutnya"), json!(1))]);
}

/// Ten clients with the same key at the same time make one message.
#[test]
fn the_same_key_at_the_same_time_makes_one_message() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    let body = json!({"to": CUSTOMER, "message": "serentak"});
    let ids: Vec<Value> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| ask(&kurir, "send-message", "k", &body).data(200)["messageId"].clone()))
            .collect();
        clients.into_iter().map(|client| client.join().expect("an answer")).collect()
    });
    assert!(ids.windows(2).all(|two| two[0] == two[1]), "{ids:?}");
    kurir.send("toko-1", CUSTOMER, "berikutnya");
    kurir.phones().wait_text(CUSTOMER, "berikutnya");
    assert_eq!(kurir.phones().received(CUSTOMER).len(), 2);
}

/// What a request did must not keep its repetition from its answer: the message is gone, or the device is away.
#[test]
fn a_repeated_request_is_answered_before_anything_else_is_looked_at() {
    let kurir = TestKurir::start();
    kurir.link(&kurir.phones(), "toko-1", SHOP);
    let group = {
        let body = json!({"subject": "Panitia", "participants": [CUSTOMER]});
        let made = kurir.owner().post(&format!("{BASE}/devices/toko-1/groups"), body).data(201);
        made["groupId"].as_str().expect("an id").to_owned()
    };
    let id = kurir.send("toko-1", CUSTOMER, "salah")["messageId"].as_str().expect("an id").to_owned();
    let path = format!("{BASE}/devices/toko-1/chats/{CUSTOMER}/messages/{id}");
    let change = |verb: &str, key: &str, path: &str, body: Value| {
        kurir.owner().call(verb, path).header("idempotency-key", key).json(&body).send()
    };
    let all = [
        ("POST", format!("{path}/reaction"), json!({"emoji": "👍"})),
        ("PUT", format!("{path}/pin"), json!({})),
        ("PUT", path.clone(), json!({"message": "benar"})),
        ("POST", format!("{path}/forward"), json!({"to": CUSTOMER})),
        ("DELETE", path.clone(), json!({})),
        (
            "POST",
            format!("{BASE}/devices/toko-1/send-group-message"),
            json!({"groupId": group, "message": "satu"}),
        ),
        (
            "POST",
            format!("{BASE}/devices/toko-1/send-group-message"),
            json!({"items": [{"groupId": group, "message": "dua"}]}),
        ),
    ];
    let ask_all = || -> Vec<Value> {
        let asked = all.iter().enumerate();
        asked
            .map(|(n, (verb, path, body))| change(verb, &format!("k{n}"), path, body.clone()).data(200))
            .collect()
    };
    let first = ask_all();
    change("DELETE", "other", &path, json!({})).refused(400, "Pesan sudah dihapus");
    assert_eq!(ask_all(), first, "the message is deleted");
    kurir.owner().delete(&format!("{BASE}/devices/toko-1/disconnect?logout=false")).expect(200);
    wait_for("the end of the connection", || (kurir.status("toko-1")["isConnected"] == false).then_some(()));
    assert_eq!(ask_all(), first, "the device is away");
    change("POST", "k0", &format!("{path}/reaction"), json!({"emoji": "🎉"}))
        .refused(409, "Idempotency-Key sudah dipakai untuk permintaan lain");
}
