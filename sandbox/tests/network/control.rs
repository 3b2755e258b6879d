//! The control API itself: refusals first.

use crate::support::*;
use bytes::Bytes;
use kurir_sandbox::Sandbox;
use serde_json::{Value, json};

const ANN: &str = "6281300060005";

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let network = network_with(&[ANN]).await;
    let control = network.control();
    for (method, target, body, status, code) in [
        ("GET", "/sandbox/nothing", Value::Null, 404, "not_found"),
        ("GET", "/elsewhere", Value::Null, 404, "not_found"),
        ("DELETE", "/sandbox/phones", Value::Null, 405, "method_not_allowed"),
        ("POST", "/sandbox/phones", json!({"phone": "6281300060000"}), 400, "invalid_phone"),
        ("POST", "/sandbox/phones", json!({"phone": "hello"}), 400, "invalid_phone"),
        ("POST", "/sandbox/phones", json!({"phone": ANN}), 409, "phone_exists"),
        ("POST", "/sandbox/phones", json!({"number": ANN}), 400, "invalid_request"),
        ("GET", "/sandbox/phones/6281300069995", Value::Null, 404, "phone_not_found"),
        ("POST", &format!("/sandbox/phones/{ANN}/scan"), json!({}), 400, "invalid_request"),
        ("POST", &format!("/sandbox/phones/{ANN}/messages"), json!({"to": ANN}), 400, "invalid_request"),
        (
            "POST",
            &format!("/sandbox/phones/{ANN}/messages"),
            json!({"to": "6281300060000", "text": "x"}),
            422,
            "not_on_whatsapp",
        ),
        (
            "GET",
            &format!("/sandbox/phones/{ANN}/messages?since=yesterday"),
            Value::Null,
            400,
            "invalid_request",
        ),
        (
            "POST",
            &format!("/sandbox/phones/{ANN}/receipts"),
            json!({"id": "X", "type": "read"}),
            404,
            "message_not_found",
        ),
        ("POST", &format!("/sandbox/phones/{ANN}/contacts"), json!({}), 400, "invalid_request"),
        (
            "POST",
            &format!("/sandbox/phones/{ANN}/presence"),
            json!({"state": "typing"}),
            400,
            "invalid_request",
        ),
        ("PUT", "/sandbox/faults", json!({"lostack": true}), 400, "invalid_request"),
        ("PUT", "/sandbox/faults", json!({}), 400, "invalid_request"),
        ("GET", "/sandbox/groups/120363000000000001@g.us", Value::Null, 404, "group_not_found"),
        ("POST", "/sandbox/groups", json!({"subject": "x"}), 400, "invalid_request"),
        ("POST", "/sandbox/groups", json!({"owner": ANN, "subject": ""}), 400, "refused"),
        (
            "POST",
            "/sandbox/groups",
            json!({"owner": ANN, "subject": "x", "participants": ["6281300060000"]}),
            422,
            "not_on_whatsapp",
        ),
        (
            "POST",
            &format!("/sandbox/phones/{ANN}/messages"),
            json!({"to": "120363000000000001@g.us", "text": "x"}),
            404,
            "group_not_found",
        ),
    ] {
        let (is, body) = call(&control, method, target, body).await;
        assert_eq!((is, &body["error"]["code"]), (status, &json!(code)), "{method} {target}: {body}");
        assert!(!body["error"]["message"].as_str().unwrap().is_empty());
    }
    let garbage = control.call("POST", "/sandbox/phones", "", Bytes::from_static(b"\xff\xfe{")).await;
    assert_eq!(garbage.status, 400);
    let wrong = control.call("DELETE", "/sandbox/stats", "", Bytes::new()).await;
    assert_eq!((wrong.status, wrong.allow.as_deref()), (405, Some("GET")));
}

#[tokio::test]
async fn phones_write_to_each_other_without_any_client() {
    let network = network_with(&[ANN]).await;
    let control = network.control();
    let mut events = control.subscribe();
    let id = phone_sends(&control, ANN, "+62 813-0006-0015", "hi").await;
    let seen = phone_receives(&control, "6281300060015", "hi").await;
    assert_eq!(seen["id"], id.as_str());
    phone_has(&control, ANN, |one| one["status"] == "delivered").await;
    let (_, chat) = call(
        &control,
        "GET",
        &format!("/sandbox/phones/{ANN}/messages?chat=6281300060015%40s.whatsapp.net"),
        Value::Null,
    )
    .await;
    assert_eq!(chat.as_array().unwrap().len(), 1);
    let (_, later) =
        call(&control, "GET", &format!("/sandbox/phones/{ANN}/messages?since=99999999999999"), Value::Null)
            .await;
    assert_eq!(later, json!([]));
    let (_, shown) = call(&control, "GET", "/sandbox/phones", Value::Null).await;
    assert_eq!(shown.as_array().unwrap().len(), 1, "numbers that came to life by themselves are not listed");
    let (_, all) = call(&control, "GET", "/sandbox/phones?all=true", Value::Null).await;
    assert_eq!(all.as_array().unwrap().len(), 2);
    let mut kinds = Vec::new();
    while let Ok(event) = events.try_recv() {
        kinds.push((
            event["type"].as_str().unwrap().to_owned(),
            event["phone"].as_str().unwrap_or_default().to_owned(),
        ));
    }
    assert!(
        kinds.contains(&("message".into(), ANN.into()))
            && kinds.contains(&("message".into(), "6281300060015".into())),
        "{kinds:?}"
    );
    assert!(kinds.contains(&("receipt".into(), ANN.into())), "{kinds:?}");
}

#[tokio::test]
async fn the_network_stays_on_this_machine() {
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Sandbox::builder().listen(addr.parse().unwrap()).start().await;
        assert!(format!("{:#}", refused.err().expect("refused")).contains("loopback"), "{addr}");
    }
}

#[tokio::test]
async fn it_describes_itself_to_foreign_clients() {
    let network = network().await;
    let (_, about) = call(&network.control(), "GET", "/sandbox", Value::Null).await;
    assert_eq!(about["wsUrl"], network.ws_url());
    assert_eq!(about["noiseRoot"], hex::encode(network.noise_root()));
    assert_eq!(about["name"], "kurir-sandbox");
}
