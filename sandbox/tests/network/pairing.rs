//! Linking and unlinking.

use crate::support::*;
use serde_json::{Value, json};
use std::sync::Arc;
use wacore::store::InMemoryBackend;
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::types::events::Event;

const PHONE: &str = "6281300010005";

#[tokio::test(flavor = "multi_thread")]
async fn a_client_pairs_by_qr_and_learns_its_name() {
    let network = network_with(&[PHONE]).await;
    let client = Client::linked(&network, PHONE).await;
    assert_eq!(client.protocol.pn().unwrap().user, PHONE);
    assert_eq!(client.protocol.push_name(), format!("Phone {PHONE}"));
    let (_, phone) = call(&network.control(), "GET", &format!("/sandbox/phones/{PHONE}"), Value::Null).await;
    assert_eq!(phone["companions"][0]["device"], 1);
    assert_eq!(phone["companions"][0]["online"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_pairs_by_code() {
    let network = network_with(&[PHONE]).await;
    let client = Client::new(&network).await;
    client.qr().await;
    let options = PairCodeOptions { phone_number: PHONE.into(), ..Default::default() };
    let code = client.protocol.pair_with_code(options).await.expect("the network takes the request");
    let path = format!("/sandbox/phones/{PHONE}/enter-code");
    let (status, body) = call(&network.control(), "POST", &path, json!({"code": "ABC"})).await;
    assert_eq!((status, &body["error"]["code"]), (422, &json!("pairing_failed")));
    let (status, body) = call(&network.control(), "POST", &path, json!({"code": code})).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["deviceJid"], format!("{PHONE}:1@s.whatsapp.net"));
    client.connected().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_links_nothing() {
    let network = network_with(&[PHONE]).await;
    let client = Client::new(&network).await;
    client.qr().await;
    let options = PairCodeOptions { phone_number: PHONE.into(), ..Default::default() };
    let code = client.protocol.pair_with_code(options).await.unwrap();
    let wrong: String = code.chars().map(|letter| if letter == 'A' { 'B' } else { 'A' }).collect();
    let path = format!("/sandbox/phones/{PHONE}/enter-code");
    let (status, body) = call(&network.control(), "POST", &path, json!({"code": wrong})).await;
    assert_eq!(status, 422, "{body}");
    let (_, phone) = call(&network.control(), "GET", &format!("/sandbox/phones/{PHONE}"), Value::Null).await;
    assert_eq!(phone["companions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_qr_is_refused() {
    let network = network_with(&[PHONE]).await;
    let path = format!("/sandbox/phones/{PHONE}/scan");
    let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for qr in ["hello".to_owned(), format!("2@nobody,{key},{key},{key},1")] {
        let (status, body) = call(&network.control(), "POST", &path, json!({"qr": qr})).await;
        assert_eq!((status, &body["error"]["code"]), (422, &json!("pairing_failed")), "{qr}");
    }
    let client = Client::new(&network).await;
    let qr = client.qr().await;
    let mut fields: Vec<&str> = qr.split(',').collect();
    fields[2] = key;
    let (status, _) = call(&network.control(), "POST", &path, json!({"qr": fields.join(",")})).await;
    assert_eq!(status, 422, "the reference is known but the identity is another one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_name_chooses_the_account_for_foreign_suites() {
    let network = network().await;
    let mut numbers = Vec::new();
    for name in ["ann", "ann", "bob"] {
        let client = Client::with(network.addr(), Arc::new(InMemoryBackend::new()), Some(name)).await;
        let qr = client.qr().await;
        let (status, body) = http(network.addr(), "POST", "/admin/mock-phone/scan-qr", &qr).await;
        assert_eq!(status, 200, "{body}");
        client.connected().await;
        let pn = client.protocol.pn().unwrap();
        numbers.push((pn.user.to_string(), pn.device));
    }
    assert_eq!(numbers[0].0, numbers[1].0);
    assert_eq!((numbers[0].1, numbers[1].1), (1, 2));
    assert_ne!(numbers[0].0, numbers[2].0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_unlinks_a_client() {
    let network = network_with(&[PHONE]).await;
    let client = Client::linked(&network, PHONE).await;
    let (status, body) =
        call(&network.control(), "DELETE", &format!("/sandbox/phones/{PHONE}/companions/1"), Value::Null)
            .await;
    assert_eq!(status, 200, "{body}");
    client.wait_for("the logout", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
    let again = Client::resume(network.addr(), client.backend.clone()).await;
    again.wait_for("the refusal", |event| matches!(event, Event::LoggedOut(_)).then_some(())).await;
    let (status, _) =
        call(&network.control(), "DELETE", &format!("/sandbox/phones/{PHONE}/companions/1"), Value::Null)
            .await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_logs_out_by_itself() {
    let network = network_with(&[PHONE]).await;
    let client = Client::linked(&network, PHONE).await;
    client.protocol.logout().await;
    let (_, phone) = call(&network.control(), "GET", &format!("/sandbox/phones/{PHONE}"), Value::Null).await;
    assert_eq!(phone["companions"], json!([]));
}
