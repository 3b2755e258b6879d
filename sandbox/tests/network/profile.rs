//! What accounts show of themselves: set by clients and by phones, seen by others, and kept from the blocked.

use crate::support::*;
use serde_json::{Value, json};
use wacore::iq::privacy::{PrivacyCategory, PrivacyValue};
use whatsapp_rust::http::{HttpClient as _, HttpRequest};
use whatsapp_rust::types::events::Event;

const ANN: &str = "6281300150005";
const BOB: &str = "6281300150015";

async fn profile(control: &kurir_sandbox::Control, phone: &str, method: &str, wish: Value) -> Value {
    let (status, body) = call(control, method, &format!("/sandbox/phones/{phone}/profile"), wish).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn about_text_and_picture_are_seen_by_others_until_they_are_hidden() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let (ann, bob) = (Client::linked(&network, ANN).await, Client::linked(&network, BOB).await);
    ann.send(BOB, "we know each other").await;
    assert!(bob.protocol.contacts().get_profile_picture(&pn(ANN), false).await.unwrap().is_none());

    ann.protocol.profile().set_status_text("At work").await.unwrap();
    let set = ann.protocol.profile().set_profile_picture(b"a jpeg".to_vec()).await.unwrap();
    let shown = profile(&control, ANN, "GET", Value::Null).await;
    assert_eq!((&shown["about"], &shown["picture"]["id"]), (&json!("At work"), &json!(set.id)));
    let seen = bob.protocol.contacts().get_profile_picture(&pn(ANN), false).await.unwrap().unwrap();
    assert_eq!(seen.id, set.id);
    assert!(seen.url.starts_with("http://"), "{}", seen.url);
    let http = http_client::Http(network.addr());
    let fetched = http.execute(HttpRequest::get(seen.url)).await.unwrap();
    assert_eq!(fetched.body, b"a jpeg");
    bob.wait_for("news of the picture", |event| matches!(event, Event::PictureUpdate(_)).then_some(())).await;
    let info = bob.protocol.contacts().get_user_info(&[pn(ANN)]).await.unwrap();
    assert!(info.values().any(|one| one.status.as_deref() == Some("At work")), "{info:?}");

    let wish = json!({"picture": "", "privacy": {"status": "none"}});
    let shown = profile(&control, ANN, "PATCH", wish).await;
    assert_eq!((&shown["picture"], &shown["privacy"]["status"]), (&Value::Null, &json!("none")));
    assert!(bob.protocol.contacts().get_profile_picture(&pn(ANN), false).await.unwrap().is_none());
    let info = bob.protocol.contacts().get_user_info(&[pn(ANN)]).await.unwrap();
    assert!(info.values().all(|one| one.status.is_none()), "{info:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn privacy_settings_are_kept() {
    let network = network_with(&[ANN]).await;
    let client = Client::linked(&network, ANN).await;
    client.protocol.set_privacy_setting(PrivacyCategory::Last, PrivacyValue::None).await.unwrap();
    let settings = client.protocol.fetch_privacy_settings().await.unwrap();
    assert_eq!(settings.get_value(&PrivacyCategory::Last), Some(&PrivacyValue::None));
    let shown = profile(&network.control(), ANN, "GET", Value::Null).await;
    assert_eq!((&shown["privacy"]["last"], &shown["privacy"]["defense"]), (&json!("none"), &json!("off")));
    let path = format!("/sandbox/phones/{ANN}/profile");
    for wish in [json!({"privacy": {"shoes": "all"}}), json!({"picture": "?"}), json!({"block": [""]})] {
        let (status, body) = call(&network.control(), "PATCH", &path, wish).await;
        assert!(status == 400 || status == 422, "{status} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_the_blocked_vanish() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let (ann, bob) = (Client::linked(&network, ANN).await, Client::linked(&network, BOB).await);
    bob.send(ANN, "before").await;
    ann.receives("before").await;
    ann.protocol.blocking().block(&pn(BOB)).await.unwrap();
    assert_eq!(profile(&control, ANN, "GET", Value::Null).await["blocked"], json!([BOB]));
    assert_eq!(ann.protocol.blocking().get_blocklist().await.unwrap().len(), 1);
    bob.send(ANN, "hidden").await;
    phone_sends(&control, BOB, ANN, "hidden too").await;
    ann.protocol.blocking().unblock(&pn(BOB)).await.unwrap();
    bob.send(ANN, "after").await;
    ann.receives("after").await;
    phone_receives(&control, ANN, "after").await;
    assert_eq!((ann.count("hidden"), ann.count("hidden too")), (0, 0));
    assert!(
        inbox(&control, ANN).await.iter().all(|one| one["text"] != "hidden" && one["text"] != "hidden too")
    );
}
