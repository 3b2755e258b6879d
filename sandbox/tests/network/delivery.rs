//! Messages and receipts between phones and clients.

use crate::support::*;
use serde_json::{Value, json};
use whatsapp_rust::types::events::Event;
use whatsapp_rust::types::presence::ReceiptType;

const ANN: &str = "6281300020005";
const BOB: &str = "6281300020015";

fn receipt(event: &Event, id: &str, kind: ReceiptType) -> Option<()> {
    match event {
        Event::Receipt(receipt)
            if receipt.r#type == kind && receipt.message_ids.iter().any(|one| one == id) =>
        {
            Some(())
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_travel_both_ways_with_receipts() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;

    let id = client.send(BOB, "hello bob").await;
    let seen = phone_receives(&control, BOB, "hello bob").await;
    assert_eq!(
        (&seen["id"], &seen["from"], &seen["chat"], &seen["fromMe"]),
        (&json!(id), &json!(ANN), &json!(ANN), &json!(false))
    );
    assert_eq!((&seen["deliveries"], &seen["type"], &seen["device"]), (&json!(1), &json!("text"), &json!(1)));
    client.wait_for("the delivery receipt", |event| receipt(event, &id, ReceiptType::Delivered)).await;

    let copy = phone_receives(&control, ANN, "hello bob").await;
    assert_eq!((&copy["fromMe"], &copy["chat"]), (&json!(true), &json!(BOB)), "the own phone got its copy");
    let path = format!("/sandbox/phones/{BOB}/receipts");
    let (status, _) = call(&control, "POST", &path, json!({"id": id, "type": "read"})).await;
    assert_eq!(status, 200);
    client.wait_for("the read receipt", |event| receipt(event, &id, ReceiptType::Read)).await;
    phone_has(&control, ANN, |one| one["id"] == id.as_str() && one["status"] == "read").await;

    let answer = phone_sends(&control, BOB, ANN, "hello ann").await;
    assert_eq!(client.receives("hello ann").await, answer);
    phone_receives(&control, ANN, "hello ann").await;
    phone_has(&control, BOB, |one| one["id"] == answer.as_str() && one["status"] == "delivered").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_own_phone_writes_shows_on_the_client() {
    let network = network_with(&[ANN]).await;
    let client = Client::linked(&network, ANN).await;
    phone_sends(&network.control(), ANN, BOB, "from my phone").await;
    client
        .wait_for("the copy", |event| {
            event
                .messages()
                .find(|one| format!("{:?}", one.message).contains("from my phone"))
                .map(|one| assert!(one.info.source.is_from_me && one.info.source.chat.user == BOB))
        })
        .await;
    phone_receives(&network.control(), BOB, "from my phone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_talk_to_each_other() {
    let network = network_with(&[ANN, BOB]).await;
    let (ann, bob) = tokio::join!(Client::linked(&network, ANN), Client::linked(&network, BOB));
    for round in 0..3 {
        let (there, back) = (format!("there {round}"), format!("back {round}"));
        ann.send(BOB, &there).await;
        bob.receives(&there).await;
        bob.send(ANN, &back).await;
        ann.receives(&back).await;
        phone_receives(&network.control(), BOB, &there).await;
        phone_receives(&network.control(), ANN, &there).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_companion_gets_its_copies() {
    let network = network_with(&[ANN, BOB]).await;
    let (first, bob) = tokio::join!(Client::linked(&network, ANN), Client::linked(&network, BOB));
    bob.send(ANN, "only one so far").await;
    first.receives("only one so far").await;
    first.send(BOB, "hello").await;
    let second = Client::linked(&network, ANN).await;
    bob.wait_for("news of the device", |event| matches!(event, Event::DeviceListUpdate(_)).then_some(()))
        .await;
    bob.send(ANN, "for both").await;
    first.receives("for both").await;
    second.receives("for both").await;
    second.send(BOB, "from the second").await;
    bob.receives("from the second").await;
    first
        .wait_for("the copy", |event| {
            event.messages().find(|one| format!("{:?}", one.message).contains("from the second")).map(drop)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn magic_numbers_behave_as_documented() {
    let network = network_with(&[ANN]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;

    let known =
        client.protocol.contacts().is_on_whatsapp(&[pn("6281300030000"), pn("6281300030007")]).await.unwrap();
    let on: Vec<(String, bool)> =
        known.iter().map(|one| (one.jid.user.to_string(), one.is_registered)).collect();
    assert!(
        on.contains(&("6281300030000".into(), false)) && on.contains(&("6281300030007".into(), true)),
        "{on:?}"
    );

    let read = client.send("6281300030002", "read me").await;
    client.wait_for("the read receipt", |event| receipt(event, &read, ReceiptType::Read)).await;

    client.send("6281300030003", "say it again").await;
    client.receives("say it again").await;

    let refused = client.protocol.send_message(pn("6281300030004"), conversation("no")).await.unwrap();
    assert_eq!(client.acknowledged(&refused.message_id).await, Some(463));
    assert!(inbox(&control, "6281300030004").await.is_empty());

    // The client finds no device to write to, or the network refuses.
    if let Ok(sent) = client.protocol.send_message(pn("6281300030000"), conversation("nobody")).await {
        assert_eq!(client.acknowledged(&sent.message_id).await, Some(404));
    }

    let silent = client.send("6281300030001", "anybody?").await;
    phone_receives(&control, "6281300030001", "anybody?").await;
    let later = client.send("6281300030002", "after it").await;
    client.wait_for("a later receipt", |event| receipt(event, &later, ReceiptType::Read)).await;
    assert_eq!(client.count_events(|event| receipt(event, &silent, ReceiptType::Delivered).is_some()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_reactions_edits_and_revocations_arrive() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let id = client.send(BOB, "original").await;
    phone_receives(&control, BOB, "original").await;
    let path = format!("/sandbox/phones/{BOB}/messages");
    let own = phone_sends(&control, BOB, ANN, "mine").await;
    for (body, kind) in [
        (json!({"to": ANN, "text": "quoting", "quote": id}), "text"),
        (json!({"to": ANN, "reaction": {"id": id, "emoji": "👍"}}), "reaction"),
        (json!({"to": ANN, "text": "changed", "edit": own}), "edit"),
        (json!({"to": ANN, "revoke": own}), "revoke"),
    ] {
        let (status, sent) = call(&control, "POST", &path, body).await;
        assert_eq!(status, 201, "{sent}");
        let arrived = phone_has(&control, ANN, |one| one["id"] == sent["id"]).await;
        assert_eq!(arrived["type"], kind);
        assert!(arrived["target"] == id.as_str() || arrived["target"] == own.as_str(), "{arrived}");
        let sent = sent["id"].as_str().unwrap();
        client.wait_for(kind, |event| event.messages().any(|one| one.info.id == sent).then_some(())).await;
    }
    let (status, body) = call(&control, "POST", &path, json!({"to": ANN, "revoke": id})).await;
    assert_eq!(status, 400, "only own messages: {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_lost_its_sessions_recovers() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    client.send(BOB, "before").await;
    phone_receives(&control, BOB, "before").await;
    phone_sends(&control, BOB, ANN, "back").await;
    client.receives("back").await;
    let (_, bob) = call(&control, "GET", &format!("/sandbox/phones/{BOB}"), Value::Null).await;
    let lid: whatsapp_rust::Jid = bob["lid"].as_str().unwrap().parse().unwrap();
    client.protocol.signal().delete_sessions(&[pn(BOB), lid]).await.unwrap();
    // The client asks for a retry, the phone sends the text again on a new session.
    let id = phone_sends(&control, BOB, ANN, "can you read this").await;
    assert_eq!(client.receives("can you read this").await, id);
    client.send(BOB, "after").await;
    assert_eq!(phone_receives(&control, BOB, "after").await["deliveries"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_short_of_prekeys_is_asked_for_more() {
    let network = network_with(&[ANN]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    // Twenty were uploaded; every new acquaintance takes one.
    for n in 0..15 {
        let stranger = format!("62813000999{n:02}");
        create(&control, &stranger).await;
        phone_sends(&control, &stranger, ANN, &format!("hello {n}")).await;
        client.receives(&format!("hello {n}")).await;
    }
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let (_, view) = call(&control, "GET", &format!("/sandbox/phones/{ANN}"), Value::Null).await;
        if view["companions"][0]["prekeys"].as_u64().unwrap() > 10 {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "the client never uploaded more keys: {view}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
