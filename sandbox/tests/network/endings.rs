//! Faults: lost acknowledgements, broken connections, refused logins, changed keys.

use crate::support::*;
use serde_json::{Value, json};
use std::time::Duration;
use whatsapp_rust::SendOptions;
use whatsapp_rust::types::events::Event;

const ANN: &str = "6281300040005";
const BOB: &str = "6281300040015";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_sent_again_after_a_lost_ack_is_delivered_once() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    fault(&network, json!({"phone": ANN, "lostAck": true, "count": 1})).await;
    let options = || SendOptions::default().with_message_id("3EB0AAAAAAAAAAAAAAAAAA");
    let id = client
        .protocol
        .send_message_with_options(pn(BOB), conversation("once"), options())
        .await
        .unwrap()
        .message_id;
    phone_receives(&control, BOB, "once").await;
    assert_eq!(client.count_events(|event| matches!(event, Event::ServerAck(ack) if ack.id == id)), 0);
    client.protocol.send_message_with_options(pn(BOB), conversation("once"), options()).await.unwrap();
    client.acknowledged(&id).await;
    client.send(BOB, "behind it").await;
    phone_receives(&control, BOB, "behind it").await;
    let seen: Vec<Value> =
        inbox(&control, BOB).await.into_iter().filter(|one| one["text"] == "once").collect();
    assert_eq!((seen.len(), &seen[0]["deliveries"]), (1, &json!(1)));
    let (_, stats) = call(&control, "GET", "/sandbox/stats", Value::Null).await;
    assert_eq!(stats["resends"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgements_can_be_late_or_negative() {
    let network = network_with(&[ANN, BOB]).await;
    let client = Client::linked(&network, ANN).await;
    fault(&network, json!({"delayedAckMs": 400, "count": 1})).await;
    let started = tokio::time::Instant::now();
    client.send(BOB, "late").await;
    assert!(started.elapsed() >= Duration::from_millis(400));
    fault(&network, json!({"refuse": 429, "count": 1})).await;
    let sent = client.protocol.send_message(pn(BOB), conversation("refused")).await.unwrap();
    assert_eq!(client.acknowledged(&sent.message_id).await, Some(429));
    client.send(BOB, "fine again").await;
    phone_receives(&network.control(), BOB, "fine again").await;
    assert!(inbox(&network.control(), BOB).await.iter().all(|one| one["text"] != "refused"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_missed_is_replayed_in_order() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    client.protocol.disconnect().await;
    for n in 0..30 {
        phone_sends(&control, BOB, ANN, &format!("missed {n}")).await;
    }
    let again = Client::resume(network.addr(), client.backend.clone()).await;
    again.connected().await;
    let mut last = String::new();
    for n in 0..30 {
        last = again.receives(&format!("missed {n}")).await;
    }
    again
        .wait_for("the end of the replay", |event| {
            matches!(event, Event::OfflineSyncCompleted(_)).then_some(())
        })
        .await;
    phone_has(&control, BOB, |one| one["id"] == last.as_str() && one["status"] == "delivered").await;
    // All was cleared: a third login replays nothing.
    wait_until_empty(&network, ANN).await;
    again.protocol.disconnect().await;
    let third = Client::resume(network.addr(), client.backend.clone()).await;
    third.connected().await;
    phone_sends(&control, BOB, ANN, "fresh").await;
    third.receives("fresh").await;
    assert_eq!(third.count("missed 29"), 0);
}

async fn wait_until_empty(network: &kurir_sandbox::Sandbox, phone: &str) {
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let (_, view) =
            call(&network.control(), "GET", &format!("/sandbox/phones/{phone}"), Value::Null).await;
        if view["companions"][0]["queued"] == 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "the queue never emptied: {view}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_loses_nothing() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let reply = fault(&network, json!({"phone": ANN, "dropConnection": true})).await;
    assert_eq!(reply["connectionsHit"], 1);
    let texts: Vec<String> = (0..10).map(|n| format!("meanwhile {n}")).collect();
    for text in &texts {
        phone_sends(&control, BOB, ANN, text).await;
    }
    for text in &texts {
        client.receives(text).await;
        assert_eq!(client.count(text), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_errors_have_their_effect() {
    let network = network_with(&[ANN]).await;
    let client = Client::linked(&network, ANN).await;
    let connects = |client: &Client| client.count_events(|event| matches!(event, Event::Connected(_)));
    let before = connects(&client);
    fault(&network, json!({"streamError": 515})).await;
    let deadline = tokio::time::Instant::now() + SOON;
    while connects(&client) == before {
        assert!(tokio::time::Instant::now() < deadline, "the client never came back after 515");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    client.connected().await;
    fault(&network, json!({"conflict": "replaced"})).await;
    client.wait_for("the conflict", |event| matches!(event, Event::StreamReplaced(_)).then_some(())).await;
    let again = Client::resume(network.addr(), client.backend.clone()).await;
    again.connected().await;
    fault(&network, json!({"streamError": 401})).await;
    again.wait_for("the logout", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_login_of_the_same_device_replaces_the_first() {
    let network = network_with(&[ANN]).await;
    let first = Client::linked(&network, ANN).await;
    let second = Client::resume(network.addr(), first.backend.clone()).await;
    second.connected().await;
    first.wait_for("the conflict", |event| matches!(event, Event::StreamReplaced(_)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_fail_as_told_and_then_work_again() {
    let network = network_with(&[ANN]).await;
    let client = Client::linked(&network, ANN).await;
    client.protocol.disconnect().await;
    fault(&network, json!({"loginFailure": {"reason": 402, "code": 101, "expire": 3600}, "count": 1})).await;
    let banned = Client::resume(network.addr(), client.backend.clone()).await;
    banned.wait_for("the ban", |event| matches!(event, Event::TemporaryBan(_)).then_some(())).await;
    fault(&network, json!({"loginFailure": 503, "count": 1})).await;
    let patient = Client::resume(network.addr(), client.backend.clone()).await;
    patient.connected().await;
    patient.protocol.disconnect().await;
    fault(&network, json!({"loginFailure": 401, "count": 1})).await;
    let refused = Client::resume(network.addr(), client.backend.clone()).await;
    refused.wait_for("the logout", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_an_outdated_network_key_falls_back() {
    let network = network_with(&[ANN, BOB]).await;
    let client = Client::linked(&network, ANN).await;
    // The second login is the first one by the short handshake, the third one meets another key.
    for rotate in [false, true] {
        if rotate {
            fault(&network, json!({"rotateNoiseKey": true})).await;
        }
        client.protocol.reconnect_immediately().await;
        let text = format!("after reconnect, rotated: {rotate}");
        phone_sends(&network.control(), BOB, ANN, &text).await;
        client.receives(&text).await;
    }
    let (_, stats) = call(&network.control(), "GET", "/sandbox/stats", Value::Null).await;
    // Pairing and first login were long; a client that reconnects in a hurry may do it twice.
    assert_eq!((&stats["handshakesXx"], &stats["handshakesFallback"]), (&json!(2), &json!(1)), "{stats}");
    assert!(stats["handshakesIk"].as_u64() >= Some(1), "{stats}");
}
