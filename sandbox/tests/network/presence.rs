//! Who is available and who is typing.

use crate::support::*;
use serde_json::json;
use whatsapp_rust::types::events::Event;

const ANN: &str = "6281300090005";
const BOB: &str = "6281300090015";

/// How often a contact was seen to be available, or not.
fn seen(client: &Client, available: bool) -> usize {
    client
        .count_events(|event| matches!(event, Event::Presence(presence) if presence.unavailable != available))
}

async fn sees(client: &Client, available: bool, times: usize) {
    let deadline = tokio::time::Instant::now() + SOON;
    while seen(client, available) < times {
        assert!(
            tokio::time::Instant::now() < deadline,
            "never saw it (available: {available}) {times} times"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_sees_who_comes_and_goes() {
    let network = network_with(&[ANN, BOB]).await;
    let ann = Client::linked(&network, ANN).await;
    ann.protocol.presence().subscribe(&pn(BOB)).await.unwrap();
    sees(&ann, false, 1).await;
    let path = format!("/sandbox/phones/{BOB}/presence");
    assert_eq!(call(&network.control(), "POST", &path, json!({"state": "available"})).await.0, 200);
    sees(&ann, true, 1).await;
    assert_eq!(call(&network.control(), "POST", &path, json!({"state": "unavailable"})).await.0, 200);
    sees(&ann, false, 2).await;
    // A companion counts as well, until its connection ends.
    let bob = Client::linked(&network, BOB).await;
    sees(&ann, true, 2).await;
    bob.protocol.disconnect().await;
    sees(&ann, false, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_shows_on_both_sides() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let ann = Client::linked(&network, ANN).await;
    let path = format!("/sandbox/phones/{BOB}/presence");
    assert_eq!(call(&control, "POST", &path, json!({"to": ANN, "state": "recording"})).await.0, 200);
    ann.wait_for("the state", |event| match event {
        Event::ChatPresence(presence) => Some(presence.source.sender.user.to_string()),
        _ => None,
    })
    .await;
    let mut events = control.subscribe();
    ann.protocol.chatstate().send_composing(&pn(BOB)).await.unwrap();
    loop {
        let event =
            tokio::time::timeout(SOON, events.recv()).await.expect("the phone is told in time").unwrap();
        if event["type"] == "chatstate" {
            assert_eq!(
                (&event["phone"], &event["from"], &event["state"]),
                (&json!(BOB), &json!(ANN), &json!("composing"))
            );
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_that_is_still_fresh_shows_after_a_reconnect() {
    let network = network_with(&[ANN, BOB]).await;
    let ann = Client::linked(&network, ANN).await;
    ann.protocol.disconnect().await;
    offline(&network.control(), ANN).await;
    let path = format!("/sandbox/phones/{BOB}/presence");
    for state in ["typing", "paused"] {
        assert_eq!(call(&network.control(), "POST", &path, json!({"to": ANN, "state": state})).await.0, 200);
    }
    let again = Client::resume(network.addr(), ann.backend.clone()).await;
    again.wait_for("the state", |event| matches!(event, Event::ChatPresence(_)).then_some(())).await;
    assert_eq!(again.count_events(|event| matches!(event, Event::ChatPresence(_))), 1, "only the latest one");
}
