//! Channels: made by clients and by phones, followed by link, posted in by who runs them, and read back in time.

use crate::support::*;
use serde_json::{Value, json};
use whatsapp_rust::features::NewsletterError;
use whatsapp_rust::types::events::Event;
use whatsapp_rust::{Jid, waproto::whatsapp as wa};

const ANN: &str = "6281300120005";
const BOB: &str = "6281300120015";
const CYD: &str = "6281300120025";

async fn channel_of(control: &kurir_sandbox::Control, owner: &str) -> Value {
    let (status, channel) =
        call(control, "POST", "/sandbox/channels", json!({"owner": owner, "name": "Kabar"})).await;
    assert_eq!(status, 201, "{channel}");
    channel
}

fn jid(channel: &Value) -> Jid {
    channel["id"].as_str().unwrap().parse().unwrap()
}

fn text_of(message: &Option<wa::Message>) -> String {
    message.as_ref().and_then(|message| message.conversation.clone()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_follows_a_channel_reads_it_and_leaves() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let channel = channel_of(&control, BOB).await;
    let (id, to) = (jid(&channel), channel["id"].as_str().unwrap());
    phone_sends(&control, BOB, to, "before").await;
    let client = Client::linked(&network, ANN).await;
    let newsletter = client.protocol.newsletter();

    let shown = newsletter.get_metadata_by_invite(channel["inviteCode"].as_str().unwrap()).await.unwrap();
    assert_eq!((shown.jid.clone(), shown.name.as_str(), shown.subscriber_count), (id.clone(), "Kabar", 0));
    assert!(newsletter.list_subscribed().await.unwrap().is_empty());
    assert_eq!(newsletter.join(&id).await.unwrap().subscriber_count, 1);
    assert_eq!(newsletter.list_subscribed().await.unwrap().len(), 1);

    let sent = phone_sends(&control, BOB, to, "fresh").await;
    let number = client
        .wait_for("the post", |event| match event {
            Event::Messages(batch) => batch.messages.iter().find_map(|one| {
                let is_it = one.message.conversation.as_deref() == Some("fresh");
                (is_it && one.info.id == sent && one.info.source.chat == id).then_some(one.info.server_id)
            }),
            _ => None,
        })
        .await;
    let past = newsletter.get_messages(id.clone(), 10, None).await.unwrap();
    let numbers: Vec<(String, i64)> =
        past.iter().map(|one| (text_of(&one.message), one.server_id as i64)).collect();
    assert_eq!(
        numbers,
        [("before".to_owned(), i64::from(number) - 1), ("fresh".to_owned(), i64::from(number))]
    );
    let older = newsletter.get_messages(id.clone(), 10, Some(past[1].server_id)).await.unwrap();
    assert_eq!(older.iter().map(|one| text_of(&one.message)).collect::<Vec<_>>(), ["before"]);

    newsletter.set_follower_mute(&id, true).await.unwrap();
    let path = format!("/sandbox/channels/{to}");
    assert_eq!(call(&control, "GET", &path, Value::Null).await.1["muted"], json!([ANN]));
    assert!(newsletter.subscribe_live_updates(id.clone()).await.unwrap() > 0);
    newsletter.leave(&id).await.unwrap();
    assert_eq!(call(&control, "GET", &path, Value::Null).await.1["followers"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_makes_a_channel_and_posts_in_it() {
    let network = network_with(&[ANN, BOB, CYD]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let newsletter = client.protocol.newsletter();
    let made = newsletter.create("Promo", Some("Every day")).await.unwrap();
    assert_eq!((made.name.as_str(), made.description.as_deref()), ("Promo", Some("Every day")));
    let path = format!("/sandbox/channels/{}/followers", made.jid);
    assert_eq!(call(&control, "POST", &path, json!({"phone": BOB})).await.0, 200);

    let sent = client.send_to(&made.jid, "cheap").await;
    for phone in [ANN, BOB] {
        let seen = phone_receives(&control, phone, "cheap").await;
        assert_eq!((&seen["id"], &seen["chat"]), (&json!(sent), &json!(made.jid.to_string())));
        assert_eq!(seen["fromMe"], json!(phone == ANN));
    }
    newsletter.revoke_message(&made.jid, sent).await.unwrap();
    assert!(newsletter.get_messages(made.jid.clone(), 10, None).await.unwrap().is_empty());
    let (_, log) = call(&control, "GET", &format!("/sandbox/phones/{CYD}/messages"), Value::Null).await;
    assert_eq!(log, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_neither_post_nor_find_what_is_not_there() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let channel = channel_of(&control, BOB).await;
    let to = channel["id"].as_str().unwrap();
    let client = Client::linked(&network, ANN).await;
    let none: Jid = "120363999999999999@newsletter".parse().unwrap();
    let newsletter = client.protocol.newsletter();
    assert!(matches!(newsletter.get_metadata(&none).await, Err(NewsletterError::Mex(_))));
    assert!(newsletter.join(&none).await.is_err());
    assert!(newsletter.get_messages(none, 1, None).await.is_err());
    let body = json!({"to": to, "text": "mine"});
    let (status, _) = call(&control, "POST", &format!("/sandbox/phones/{ANN}/messages"), body).await;
    assert_eq!(status, 403);
    let sent = client.protocol.send_message(jid(&channel), conversation("mine")).await.unwrap();
    assert_eq!(client.acknowledged(&sent.message_id).await, Some(403));
    for (method, path) in [("GET", "/sandbox/channels/1"), ("DELETE", "/sandbox/channels/1/followers/1")] {
        assert_eq!(call(&control, method, path, Value::Null).await.0, 404, "{path}");
    }
    let nameless = json!({"owner": BOB, "name": ""});
    assert_eq!(call(&control, "POST", "/sandbox/channels", nameless).await.0, 400);
    let path = format!("/sandbox/channels/{to}/followers/{BOB}");
    assert_eq!(call(&control, "DELETE", &path, Value::Null).await.0, 403);
}
