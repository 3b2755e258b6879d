//! Everything that is not a text or a medium: written by phones and by clients, and shown where it arrives.

use crate::support::*;
use kurir_sandbox::Control;
use serde_json::{Value, json};
use wacore::proto_helpers::MessageExt as _;
use whatsapp_rust::Jid;
use whatsapp_rust::features::PollVoteCiphertext;
use whatsapp_rust::send::RevokeType;
use whatsapp_rust::waproto::whatsapp as wa;

const ANN: &str = "6281300130005";
const BOB: &str = "6281300130015";
const CYD: &str = "6281300130025";
const VCARD: &str = "BEGIN:VCARD\nVERSION:3.0\nFN:Cyd\nTEL;waid=6281300130025:+62 813-0013-0025\nEND:VCARD";

/// Lets a phone write anything and returns the id.
async fn writes(control: &Control, phone: &str, wish: Value) -> String {
    let (status, body) = call(control, "POST", &format!("/sandbox/phones/{phone}/messages"), wish).await;
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

async fn shows(control: &Control, phone: &str, id: &str) -> Value {
    phone_has(control, phone, |one| one["id"] == id).await
}

/// Waits for a message at a client.
async fn arrives(client: &Client, id: &str) -> wa::Message {
    let found = client.wait_for("a message", |event| {
        event.messages().find(|one| one.info.id == id).map(|one| one.message.as_ref().clone())
    });
    found.await
}

/// Lets a client send anything and returns the id.
async fn sends(client: &Client, to: &str, message: wa::Message) -> String {
    let chat: Jid = if to.contains('@') { to.parse().unwrap() } else { pn(to) };
    let sent = client.protocol.send_message(chat, message).await.expect("the client sends");
    client.acknowledged(&sent.message_id).await;
    sent.message_id.to_string()
}

async fn group_of(control: &Control, owner: &str, others: &[&str]) -> String {
    let wish = json!({"owner": owner, "subject": "Panitia", "participants": others});
    let (status, group) = call(control, "POST", "/sandbox/groups", wish).await;
    assert_eq!(status, 201, "{group}");
    group["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn places_cards_and_previews_arrive_as_they_were_written() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let place =
        json!({"latitude": -6.2, "longitude": 106.8, "name": "Monas", "address": "Jakarta", "url": null});
    let id = writes(&control, BOB, json!({"to": ANN, "location": place})).await;
    let location = arrives(&client, &id).await.location_message.into_option().unwrap();
    assert_eq!((location.degrees_latitude, location.name.as_deref()), (Some(-6.2), Some("Monas")));
    let back =
        sends(&client, BOB, wa::Message { location_message: location.into(), ..Default::default() }).await;
    let seen = shows(&control, BOB, &back).await;
    assert_eq!((&seen["type"], &seen["location"]), (&json!("location"), &place));

    let card = json!({"name": "Cyd", "vcard": VCARD});
    let id = writes(&control, BOB, json!({"to": ANN, "contacts": [card]})).await;
    let contact = arrives(&client, &id).await.contact_message.into_option().unwrap();
    assert_eq!((contact.display_name.as_deref(), contact.vcard.as_deref()), (Some("Cyd"), Some(VCARD)));
    let id = writes(&control, BOB, json!({"to": ANN, "contacts": [card, card]})).await;
    let several = arrives(&client, &id).await;
    assert_eq!(several.contacts_array_message.as_option().unwrap().contacts.len(), 2);
    let back = sends(&client, BOB, several).await;
    let seen = shows(&control, BOB, &back).await;
    assert_eq!((&seen["type"], &seen["contacts"]), (&json!("contact"), &json!([card, card])));

    let preview = json!({"url": "https://kurir.example", "title": "Kurir", "description": "A gateway"});
    let wish = json!({"to": ANN, "text": "see https://kurir.example", "preview": preview});
    let id = writes(&control, BOB, wish).await;
    let message = arrives(&client, &id).await;
    let text = message.extended_text_message.as_option().unwrap();
    assert_eq!(
        (text.matched_text.as_deref(), text.title.as_deref()),
        (Some("https://kurir.example"), Some("Kurir"))
    );
    let back = sends(&client, BOB, message).await;
    let seen = shows(&control, BOB, &back).await;
    assert_eq!((&seen["type"], &seen["text"]), (&json!("text"), &json!("see https://kurir.example")));
    assert_eq!(
        (&seen["preview"]["title"], &seen["preview"]["hasThumbnail"]),
        (&json!("Kurir"), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_along_with_a_message_is_kept() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let quoted = client.send(BOB, "quote me").await;
    phone_receives(&control, BOB, "quote me").await;
    let wish = json!({"to": ANN, "text": "all of it", "quote": quoted, "mentions": [ANN], "forwarded": true,
        "expirationS": 86_400});
    let id = writes(&control, BOB, wish).await;
    let message = arrives(&client, &id).await;
    let context = message.extended_text_message.as_option().unwrap().context_info.as_option().unwrap();
    assert_eq!((context.stanza_id.as_deref(), context.expiration), (Some(quoted.as_str()), Some(86_400)));
    assert_eq!((&context.mentioned_jid, context.is_forwarded), (&vec![pn(ANN).to_string()], Some(true)));
    let back = sends(&client, BOB, message.clone()).await;
    for (phone, id) in [(BOB, back), (ANN, id)] {
        let seen = shows(&control, phone, &id).await;
        assert_eq!(
            (&seen["target"], &seen["mentions"], &seen["forwarded"], &seen["expirationS"]),
            (&json!(quoted), &json!([ANN]), &json!(true), &json!(86_400))
        );
    }

    let id = writes(&control, BOB, json!({"to": ANN, "timerS": 604_800})).await;
    let message = arrives(&client, &id).await;
    assert_eq!(message.protocol_message.as_option().unwrap().ephemeral_expiration, Some(604_800));
    let seen = shows(&control, ANN, &id).await;
    assert_eq!((&seen["type"], &seen["expirationS"]), (&json!("timer"), &json!(604_800)));

    let media = json!({"type": "image", "base64": "aGVsbG8=", "mimetype": "image/jpeg"});
    let id = writes(&control, BOB, json!({"to": ANN, "media": media, "viewOnce": true})).await;
    let message = arrives(&client, &id).await;
    assert!(message.is_view_once() && message.get_base_message().image_message.is_set());
    let seen = shows(&control, ANN, &id).await;
    assert_eq!(
        (&seen["type"], &seen["viewOnce"], &seen["mediaError"]),
        (&json!("image"), &json!(true), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_votes_in_a_poll_of_a_client() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let group = group_of(&control, BOB, &[ANN]).await;
    let options = ["Ya".to_owned(), "Tidak".to_owned(), "Mungkin".to_owned()];
    let chats: [(Jid, &str); 2] = [(pn(BOB), ANN), (group.parse().unwrap(), &group)];
    for (chat, to) in chats {
        let (sent, secret) =
            client.protocol.polls().create(chat.clone(), "Hadir?", &options, 2).await.unwrap();
        let poll = sent.message_id.to_string();
        let seen = shows(&control, BOB, &poll).await;
        let shown = json!({"question": "Hadir?", "options": options, "selectable": 2});
        assert_eq!((&seen["type"], &seen["poll"]), (&json!("poll"), &shown));
        let wish = json!({"to": to, "vote": {"id": poll, "options": ["Tidak", "Mungkin"]}});
        let vote = writes(&control, BOB, wish).await;
        let seen = shows(&control, ANN, &vote).await;
        assert_eq!(
            (&seen["type"], &seen["target"], &seen["votes"]),
            (&json!("vote"), &json!(poll), &json!(["Tidak", "Mungkin"])),
            "the phone of the asker opens it too"
        );
        let (update, voter, creator) = client
            .wait_for("a vote", |event| {
                let arrived = event.messages().find(|one| one.info.id == vote.as_str())?;
                let update = arrived.message.poll_update_message.as_option()?.clone();
                let lid = arrived.info.source.sender.is_lid();
                let own = if lid { client.protocol.lid() } else { client.protocol.pn() };
                Some((update, arrived.info.source.sender.clone(), own?))
            })
            .await;
        let sealed = update.vote.as_option().unwrap();
        let sealed = PollVoteCiphertext {
            enc_payload: sealed.enc_payload.as_deref().unwrap(),
            enc_iv: sealed.enc_iv.as_deref().unwrap(),
        };
        let votes = [(&voter, sealed)];
        let counted = client
            .protocol
            .polls()
            .aggregate_votes(&options, &votes, &secret, &poll, &creator)
            .await
            .unwrap();
        let counts: Vec<usize> = counted.iter().map(|option| option.voters.len()).collect();
        assert_eq!(counts, [0, 1, 1], "voter {voter}, creator {creator}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_votes_in_a_poll_of_a_phone() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let group = group_of(&control, BOB, &[ANN]).await;
    for to in [ANN.to_owned(), group] {
        let wish = json!({"to": to, "poll": {"question": "Kapan?", "options": ["Senin", "Selasa"]}});
        let poll = writes(&control, BOB, wish).await;
        let (message, creator, chat) = client
            .wait_for("a poll", |event| {
                let arrived = event.messages().find(|one| one.info.id == poll.as_str())?;
                let source = &arrived.info.source;
                Some((arrived.message.as_ref().clone(), source.sender.clone(), source.chat.clone()))
            })
            .await;
        let secret = message.message_context_info.as_option().unwrap().message_secret.clone().unwrap();
        assert_eq!(message.poll_creation_message_v3.as_option().unwrap().options.len(), 2);
        let polls = client.protocol.polls();
        let sent = polls.vote(chat, &poll, &creator, &secret, &["Selasa".to_owned()]).await.unwrap();
        for phone in [BOB, ANN] {
            let seen = shows(&control, phone, &sent.message_id).await;
            assert_eq!(
                (&seen["type"], &seen["target"], &seen["votes"]),
                (&json!("vote"), &json!(poll), &json!(["Selasa"]))
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_says_about_earlier_messages_is_shown() {
    let network = network_with(&[ANN, BOB]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let mine = client.send(BOB, "first").await;
    let theirs = phone_sends(&control, BOB, ANN, "second").await;
    client.receives("second").await;

    let key = wa::MessageKey {
        remote_jid: Some(pn(BOB).to_string()),
        from_me: Some(false),
        id: Some(theirs.clone()),
        participant: None,
    };
    let reaction = wa::message::ReactionMessage {
        key: key.into(),
        text: Some("👍".into()),
        sender_timestamp_ms: Some(1),
        ..Default::default()
    };
    let id =
        sends(&client, BOB, wa::Message { reaction_message: reaction.into(), ..Default::default() }).await;
    let seen = shows(&control, BOB, &id).await;
    assert_eq!(
        (&seen["type"], &seen["text"], &seen["target"]),
        (&json!("reaction"), &json!("👍"), &json!(theirs))
    );

    client.protocol.edit_message(pn(BOB), mine.as_str(), conversation("first, changed")).await.unwrap();
    let seen = phone_has(&control, BOB, |one| one["type"] == "edit").await;
    assert_eq!((&seen["target"], &seen["text"]), (&json!(mine), &json!("first, changed")));

    client.protocol.revoke_message(pn(BOB), mine.as_str(), RevokeType::Sender).await.unwrap();
    let seen = phone_has(&control, BOB, |one| one["type"] == "revoke").await;
    assert_eq!(seen["target"], json!(mine));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_revokes_what_others_wrote() {
    let network = network_with(&[ANN, BOB, CYD]).await;
    let (client, control) = (Client::linked(&network, ANN).await, network.control());
    let group = group_of(&control, BOB, &[ANN, CYD]).await;
    let id = client.send_to(&group.parse().unwrap(), "not here").await;
    for phone in [BOB, CYD] {
        phone_receives(&control, phone, "not here").await;
    }
    let path = format!("/sandbox/phones/{CYD}/messages");
    let (status, _) = call(&control, "POST", &path, json!({"to": group, "revoke": id})).await;
    assert_eq!(status, 400, "an ordinary member may not");
    let revoked = writes(&control, BOB, json!({"to": group, "revoke": id})).await;
    let message = arrives(&client, &revoked).await;
    let key = message.protocol_message.as_option().unwrap().key.as_option().unwrap();
    assert_eq!((key.id.as_deref(), key.from_me), (Some(id.as_str()), Some(false)));
    assert_eq!(shows(&control, CYD, &revoked).await["target"], json!(id));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_refused() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let text = phone_sends(&control, BOB, ANN, "not a poll").await;
    let poll =
        writes(&control, BOB, json!({"to": ANN, "poll": {"question": "?", "options": ["a", "b"]}})).await;
    for wish in [
        json!({}),
        json!({"text": "a", "timerS": 5}),
        json!({"location": {"latitude": 91, "longitude": 0}}),
        json!({"contacts": []}),
        json!({"poll": {"question": "?", "options": ["a"]}}),
        json!({"poll": {"question": "?", "options": ["a", "a"]}}),
        json!({"poll": {"question": "?", "options": ["a", "b"], "selectable": 3}}),
        json!({"vote": {"id": text, "options": []}}),
        json!({"vote": {"id": "none", "options": []}}),
        json!({"vote": {"id": poll, "options": ["c"]}}),
        json!({"vote": {"id": poll, "options": ["a", "b"]}}),
        json!({"text": "once", "viewOnce": true}),
        json!({"text": "no link", "preview": {"url": "https://kurir.example"}}),
        json!({"reaction": {"id": text, "emoji": "👍"}, "quote": text}),
    ] {
        let mut whole = wish.clone();
        whole["to"] = json!(ANN);
        let (status, body) = call(&control, "POST", &format!("/sandbox/phones/{BOB}/messages"), whole).await;
        assert_eq!((status, &body["error"]["code"]), (400, &json!("invalid_request")), "{wish}");
    }
}
