//! App state: contacts and settings of chats travel between the phone and its clients, and every patch verifies.

use crate::support::*;
use kurir_sandbox::Control;
use serde_json::{Value, json};
use std::time::Duration;
use whatsapp_rust::types::events::Event;

const ANN: &str = "6281300170005";
const BOB: &str = "6281300170015";
const CYD: &str = "6281300170025";

async fn saves(control: &Control, contacts: Value) -> Value {
    let path = format!("/sandbox/phones/{ANN}/contacts");
    let (status, body) = call(control, "POST", &path, json!({"contacts": contacts})).await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn sets(control: &Control, change: Value) -> Value {
    let (status, body) = call(control, "PATCH", &format!("/sandbox/phones/{ANN}/chats"), change).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// Waits until the phone shows this for its chat with Bob, and that it could read every patch.
async fn phone_shows(control: &Control, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let (_, chats) = call(control, "GET", &format!("/sandbox/phones/{ANN}/chats"), Value::Null).await;
        let bob =
            chats.as_array().unwrap().iter().find(|one| one["chat"] == BOB).cloned().unwrap_or_default();
        if wanted(&bob) {
            let (_, book) =
                call(control, "GET", &format!("/sandbox/phones/{ANN}/app-state"), Value::Null).await;
            assert!(book.as_array().unwrap().iter().all(|one| one["error"].is_null()), "{book}");
            return bob;
        }
        assert!(tokio::time::Instant::now() < deadline, "the phone never showed it; it has {chats}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a client knows somebody by a name.
async fn learns(client: &Client, phone: &str, name: &str) {
    let (jid, name) = (pn(phone), name.to_owned());
    let known = client.wait_for("a contact", |event| match event {
        Event::ContactUpdate(update) if update.jid == jid => {
            (update.action.full_name.as_deref() == Some(&name)).then_some(())
        }
        _ => None,
    });
    known.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_learn_the_address_book_at_linking_and_later() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    saves(&control, json!([{"phone": BOB, "name": "Bob Work"}, {"phone": CYD, "name": "Cyd"}])).await;
    let client = Client::linked(&network, ANN).await;
    learns(&client, BOB, "Bob Work").await;
    learns(&client, CYD, "Cyd").await;

    let book =
        saves(&control, json!([{"phone": BOB, "name": "Robert", "firstName": "Rob"}, {"phone": CYD}])).await;
    assert_eq!(book, json!([{"phone": BOB, "name": "Robert", "firstName": "Rob"}]));
    learns(&client, BOB, "Robert").await;
    client
        .protocol
        .chat_actions()
        .save_contact(&pn(CYD), Some("Cyd Again".into()), None, true)
        .await
        .unwrap();
    let (_, book) = call(&control, "GET", &format!("/sandbox/phones/{ANN}/contacts"), Value::Null).await;
    assert!(
        book.as_array().unwrap().iter().any(|one| one["phone"] == CYD && one["name"] == "Cyd Again"),
        "{book}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_sets_shows_on_the_phone_and_on_the_other_client() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let one = Client::linked(&network, ANN).await;
    let other = Client::linked(&network, ANN).await;
    let id = phone_sends(&control, BOB, ANN, "star me").await;
    one.receives("star me").await;
    let (chat, actions) = (pn(BOB), one.protocol.chat_actions());
    actions.archive_chat(&chat, None).await.unwrap();
    actions.mute_chat(&chat).await.unwrap();
    actions.pin_chat(&chat).await.unwrap();
    actions.mark_chat_as_read(&chat, false, None).await.unwrap();
    actions.star_message(&chat, None, &id, false).await.unwrap();
    let shown = phone_shows(&control, |bob| bob["starred"] == json!([id])).await;
    assert_eq!(
        (&shown["archived"], &shown["mutedUntil"], &shown["read"]),
        (&json!(true), &json!(-1), &json!(false))
    );
    other
        .wait_for("the star", |event| {
            matches!(event, Event::StarUpdate(star) if star.message_id == id.as_str()).then_some(())
        })
        .await;
    other.wait_for("the pin", |event| matches!(event, Event::PinUpdate(_)).then_some(())).await;
    other.wait_for("the mute", |event| matches!(event, Event::MuteUpdate(_)).then_some(())).await;
    actions.unpin_chat(&chat).await.unwrap();
    actions.unstar_message(&chat, None, &id, false).await.unwrap();
    phone_shows(&control, |bob| bob["pinned"] == false && bob["starred"] == json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phone_and_client_write_in_turns() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let id = phone_sends(&control, ANN, BOB, "mine").await;
    for round in 0..3 {
        let (on, until) = (round % 2 == 0, 1_900_000_000_000i64 + round);
        let set = sets(
            &control,
            json!({"chat": BOB, "archived": on, "pinned": on, "mutedUntil": until, "read": on, "star": id}),
        )
        .await;
        assert_eq!(
            (&set["archived"], &set["mutedUntil"], &set["starred"]),
            (&json!(on), &json!(until), &json!([id]))
        );
        client
            .wait_for("the mute", |event| match event {
                Event::MuteUpdate(mute) => (mute.action.mute_end_timestamp == Some(until)).then_some(()),
                _ => None,
            })
            .await;
        client.protocol.chat_actions().unmute_chat(&pn(BOB)).await.unwrap();
        phone_shows(&control, |bob| bob["mutedUntil"].is_null()).await;
    }
    let deadline = tokio::time::Instant::now() + SOON;
    while client.count_events(|event| matches!(event, Event::ArchiveUpdate(_))) < 3 {
        assert!(tokio::time::Instant::now() < deadline, "the client missed a patch");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What it skips because it reads the collection already is no failure.
    let failed = client.collect(|event| match event {
        Event::AppStateSyncFailed(failed) => Some((failed.fatal.clone(), failed.retryable.clone())),
        _ => None,
    });
    assert!(failed.iter().all(|(fatal, again)| fatal.is_empty() && again.is_empty()), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_at_the_same_time_ends_with_both() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let client = Client::linked(&network, ANN).await;
    let phone = async {
        for n in 0..10 {
            sets(&control, json!({"chat": CYD, "pinned": n % 2 == 0})).await;
        }
    };
    let companion = async {
        for _ in 0..5 {
            client.protocol.chat_actions().pin_chat(&pn(BOB)).await.unwrap();
            client.protocol.chat_actions().archive_chat(&pn(BOB), None).await.unwrap();
        }
    };
    tokio::join!(phone, companion);
    phone_shows(&control, |bob| bob["pinned"] == true && bob["archived"] == true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn app_state_survives_a_restart_and_what_is_wrong_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let network = kurir_sandbox::Sandbox::builder().data_dir(dir.path()).start().await.unwrap();
    create(&network.control(), ANN).await;
    let control = network.control();
    saves(&control, json!([{"phone": BOB, "name": "Bob"}])).await;
    let set = sets(&control, json!({"chat": BOB, "mutedUntil": -1, "archived": true})).await;
    let chats = format!("/sandbox/phones/{ANN}/chats");
    for (method, path, wish, expected) in [
        ("PATCH", chats.clone(), json!({"chat": BOB, "star": "nothing"}), 404),
        ("PATCH", chats.clone(), json!({"chat": "6281300170000", "pinned": true}), 422),
        ("PATCH", chats, json!({"chat": BOB, "colour": 1}), 400),
        ("POST", format!("/sandbox/phones/{ANN}/contacts"), json!({"contacts": [{"name": "x"}]}), 400),
    ] {
        assert_eq!(call(&control, method, &path, wish).await.0, expected);
    }
    network.shutdown().await;
    let network = kurir_sandbox::Sandbox::builder().data_dir(dir.path()).start().await.unwrap();
    assert_eq!(phone_shows(&network.control(), |bob| !bob.is_null()).await, set);
    sets(&network.control(), json!({"chat": BOB, "archived": false})).await;
    let client = Client::linked(&network, ANN).await;
    learns(&client, BOB, "Bob").await;
    client.wait_for("the mute", |event| matches!(event, Event::MuteUpdate(_)).then_some(())).await;
}
