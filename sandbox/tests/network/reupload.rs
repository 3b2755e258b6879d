//! Media that is gone from the store, and comes back because the own phone still has it.

use crate::support::*;
use kurir_sandbox::{Control, Sandbox};
use serde_json::{Value, json};
use wacore::media_retry::MediaRetryResult;
use whatsapp_rust::Jid;
use whatsapp_rust::features::MediaReuploadRequest;
use whatsapp_rust::waproto::whatsapp::message::ImageMessage;

const ANN: &str = "6281300140005";
const BOB: &str = "6281300140015";

/// A picture as it arrived at a client.
struct Picture {
    id: String,
    chat: Jid,
    sender: Jid,
    image: ImageMessage,
}

impl Picture {
    async fn from_phone(client: &Client, control: &Control, to: &str) -> Self {
        let media = json!({"type": "image", "base64": "aGVsbG8=", "mimetype": "image/jpeg"});
        let path = format!("/sandbox/phones/{BOB}/messages");
        let (status, body) = call(control, "POST", &path, json!({"to": to, "media": media})).await;
        assert_eq!(status, 201, "{body}");
        let id = body["id"].as_str().unwrap().to_owned();
        let arrived = client.wait_for("a picture", |event| {
            let one = event.messages().find(|one| one.info.id == id.as_str())?;
            let source = &one.info.source;
            Some(Self {
                id: id.clone(),
                chat: source.chat.clone(),
                sender: source.sender.clone(),
                image: one.message.image_message.as_option()?.clone(),
            })
        });
        arrived.await
    }

    async fn ask_again(&self, client: &Client, key: &[u8]) -> MediaRetryResult {
        let request = MediaReuploadRequest {
            msg_id: &self.id,
            chat_jid: &self.chat,
            media_key: key,
            is_from_me: false,
            participant: (self.sender != self.chat).then_some(&self.sender),
        };
        client.protocol.media_reupload().request(&request).await.expect("an answer")
    }

    fn key(&self) -> Vec<u8> {
        self.image.media_key.clone().unwrap()
    }
}

async fn all_media_is_gone(network: &Sandbox) {
    fault(network, json!({"mediaExpired": true})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_phone_uploads_again_what_is_gone() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let wish = json!({"owner": BOB, "subject": "Foto", "participants": [ANN]});
    let group = call(&control, "POST", "/sandbox/groups", wish).await.1["id"].as_str().unwrap().to_owned();
    for to in [ANN.to_owned(), group] {
        let mut picture = Picture::from_phone(&client, &control, &to).await;
        phone_has(&control, ANN, |one| one["id"] == picture.id.as_str()).await;
        all_media_is_gone(&network).await;
        assert!(client.protocol.download(&picture.image).await.is_err());
        let answer = picture.ask_again(&client, &picture.key()).await;
        let MediaRetryResult::Success { direct_path } = answer else { panic!("{answer:?}") };
        picture.image.direct_path = Some(direct_path);
        assert_eq!(client.protocol.download(&picture.image).await.expect("a download"), b"hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_phone_does_not_have_stays_gone() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let picture = Picture::from_phone(&client, &control, ANN).await;
    phone_has(&control, ANN, |one| one["id"] == picture.id.as_str()).await;
    let answer = picture.ask_again(&client, &[7; 32]).await;
    assert!(matches!(answer, MediaRetryResult::DecryptionError), "{answer:?}");

    fault(&network, json!({"phone": ANN, "device": 0, "mediaStatus": 404, "count": 1})).await;
    let missed = Picture::from_phone(&client, &control, ANN).await;
    let seen = phone_has(&control, ANN, |one| one["id"] == missed.id.as_str()).await;
    assert_ne!(seen["mediaError"], Value::Null);
    let answer = missed.ask_again(&client, &missed.key()).await;
    assert!(matches!(answer, MediaRetryResult::NotFound), "{answer:?}");
}
