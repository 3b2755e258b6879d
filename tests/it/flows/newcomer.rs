//! The newcomer's path with curl alone: from the claim link to an answer in the chat.

use super::BASE;
use crate::support::{Events, TestKurir, wait_for};
use serde_json::{Value, json};

const SHOP: &str = "6281211110011";
const CUSTOMER: &str = "6281211110022";

#[test]
fn from_the_claim_link_to_an_answer_in_the_chat() {
    let mut kurir = TestKurir::options().unclaimed().start();
    let link = kurir
        .out()
        .iter()
        .find_map(|line| line.split_once("/claim?token=").map(|(_, token)| token.to_owned()));
    let owner = json!({"token": link.expect("a claim link"), "username": "owner", "email": "owner@example.com",
        "password": "rahasia-sekali"});
    let claimed = kurir.nobody().post("/api/auth/claim", owner).data(201);
    kurir.set_owner(claimed["token"].as_str().expect("a token"));
    let (owner, phones) = (kurir.owner(), kurir.phones());

    let mut events = Events::open(&owner);
    owner.post(&format!("{BASE}/devices"), json!({"deviceName": "Toko"})).data(201);
    let device = events.wait_type("device.created")["deviceId"].as_str().expect("an id").to_owned();
    let path = format!("{BASE}/devices/{device}");
    assert_eq!(owner.call("POST", &format!("{path}/connect")).send().data(200)["status"], "connecting");
    let qr = wait_for("a QR", || {
        owner.get(&format!("{path}/qr")).json()["data"]["qrCode"].as_str().map(str::to_owned)
    });
    events.wait("the live QR", |data| data["type"] == "qr-code" && data["deviceId"] == device.as_str());

    phones.add(SHOP);
    phones.add(CUSTOMER);
    let scanned = phones.scan(SHOP, &qr);
    assert!(scanned["deviceJid"].as_str().is_some_and(|jid| jid.starts_with(SHOP)), "{scanned}");
    let is_step =
        |step: &'static str| move |data: &Value| data["type"] == "whatsapp-status" && data["step"] == step;
    events.wait("the scan", is_step("scanned"));
    let connected = events
        .wait("the connection", |data| data["type"] == "whatsapp-status" && data["status"] == "connected");
    assert_eq!(
        (&connected["data"]["deviceId"], &connected["data"]["phoneNumber"]),
        (&json!(device), &json!(SHOP))
    );
    events.wait("the connection in its other name", |data| {
        data["type"] == "device-status" && data["status"] == "connected"
    });
    assert_eq!(owner.get(&format!("{path}/status")).data(200)["status"], "connected");

    let body = json!({"to": "081211110022", "message": "Pesanan Anda siap"});
    let sent = owner.post(&format!("{path}/send-message"), body).data(200);
    let arrived = phones.wait_text(CUSTOMER, "Pesanan Anda siap");
    assert_eq!(
        (&arrived["deliveries"], &arrived["id"], &arrived["from"]),
        (&json!(1), &sent["messageId"], &json!(SHOP))
    );
    let is_of = |kind: &'static str, id: &Value| {
        let id = id.clone();
        move |data: &Value| data["type"] == kind && data["messageId"] == id
    };
    let told = events.wait("the sent message", is_of("message.sent", &sent["messageId"]));
    assert_eq!((&told["message"], &told["to"]), (&json!("Pesanan Anda siap"), &json!(CUSTOMER)));
    events.wait("its delivery", is_of("message.delivered", &sent["messageId"]));

    let answer = json!(phones.write(CUSTOMER, SHOP, "Terima kasih!"));
    let told = events.wait("the answer", is_of("message.received", &answer));
    assert_eq!(
        (&told["message"], &told["deviceId"], &told["fromMe"]),
        (&json!("Terima kasih!"), &json!(device), &json!(false))
    );
    assert_eq!(told["from"], format!("{CUSTOMER}@s.whatsapp.net"));
    let history = kurir.history(&device, CUSTOMER);
    let lines: Vec<_> =
        history.iter().map(|one| (one["fromMe"].clone(), one["content"]["text"].clone())).collect();
    assert_eq!(lines, [(json!(true), json!("Pesanan Anda siap")), (json!(false), json!("Terima kasih!"))]);

    let log = kurir.log();
    for secret in [
        "Pesanan Anda siap",
        "Terima kasih!",
        "rahasia-sekali",
        qr.as_str(),
        claimed["token"].as_str().expect("a token"),
    ] {
        assert!(!log.contains(secret), "`{secret}` stands in the log");
    }
    kurir.stop();
}
