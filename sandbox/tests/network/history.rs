//! History: what a phone had before a client was linked, given to it in chunks, and what it asks for later.

use crate::kill::Program;
use crate::support::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kurir_sandbox::{Control, Sandbox};
use serde_json::{Value, json};
use std::collections::HashSet;
use wacore::media_retry::MediaRetryResult;
use whatsapp_rust::features::MediaReuploadRequest;
use whatsapp_rust::types::events::Event;
use whatsapp_rust::waproto::whatsapp as wa;
use whatsapp_rust::waproto::whatsapp::history_sync::HistorySyncType as Kind;

const ANN: &str = "6281300160005";
const BOB: &str = "6281300160015";
const CYD: &str = "6281300160025";

async fn give(control: &Control, phone: &str, history: Value) -> Value {
    let (status, body) = call(control, "POST", &format!("/sandbox/phones/{phone}/history"), history).await;
    assert_eq!(status, 201, "{body}");
    body
}

/// Waits for all chunks up to those of the last kind and returns them in the order in which the phone made them.
/// The client works on two at a time, so that its events may overtake each other.
async fn chunks(client: &Client, last: Kind) -> Vec<wa::HistorySync> {
    const ORDER: [Kind; 4] = [Kind::INITIAL_BOOTSTRAP, Kind::PUSH_NAME, Kind::RECENT, Kind::FULL];
    let read = |event: &Event| match event {
        Event::HistorySync(sync) => Some(sync.get().expect("the chunk decodes").clone()),
        _ => None,
    };
    let expected = &ORDER[..=ORDER.iter().position(|kind| *kind == last).expect("a kind given at once")];
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let mut all = client.collect(read);
        let complete = |kind: &Kind| {
            let end = of(&all, *kind).iter().find(|one| one.progress == Some(100)).map(|one| one.chunk_order);
            end.is_some_and(|end| of(&all, *kind).len() == end.unwrap_or(1) as usize)
        };
        if expected.iter().all(complete) {
            let place = |kind| ORDER.iter().position(|one| *one == kind);
            all.sort_by_key(|one| (place(one.sync_type), one.chunk_order));
            return all;
        }
        assert!(tokio::time::Instant::now() < deadline, "only {} chunks came", all.len());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn of(chunks: &[wa::HistorySync], kind: Kind) -> Vec<&wa::HistorySync> {
    chunks.iter().filter(|chunk| chunk.sync_type == kind).collect()
}

fn texts(conversation: &wa::Conversation) -> Vec<&str> {
    let infos = conversation.messages.iter().filter_map(|one| one.message.as_option());
    infos.filter_map(|info| info.message.as_option()?.conversation.as_deref()).collect()
}

async fn full_client(network: &Sandbox, phone: &str) -> Client {
    let client = Client::wanting_all(network.addr()).await;
    let qr = client.qr().await;
    let path = format!("/sandbox/phones/{phone}/scan");
    assert_eq!(call(&network.control(), "POST", &path, json!({"qr": qr})).await.0, 200);
    client.connected().await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_the_chats_of_its_phone_word_by_word() {
    let network = network_with(&[ANN, CYD]).await;
    let control = network.control();
    let wish = json!({"owner": CYD, "subject": "Arisan", "participants": [ANN, BOB]});
    let group = call(&control, "POST", "/sandbox/groups", wish).await.1["id"].as_str().unwrap().to_owned();
    let media = json!({"type": "image", "base64": STANDARD.encode(b"a jpeg"), "mimetype": "image/jpeg", "caption": "look"});
    let history = json!({"chats": [
        {"chat": BOB, "name": "Bob from work", "pushName": "Bobby", "unread": 2, "archived": true, "pinned": true,
         "mutedUntil": -1, "messages": [
            {"id": "A1", "at": 1_700_000_000_000u64, "text": "first", "reactions": [{"emoji": "👍"}, {"from": BOB, "emoji": "🙏"}]},
            {"id": "A2", "at": 1_700_000_001_000u64, "fromMe": true, "text": "second", "status": "delivered", "starred": true},
            {"id": "A3", "quote": "A2", "text": "third"}, {"id": "A4", "media": media}, {"id": "A5", "revoked": true}]},
        {"chat": group, "messages": [{"from": BOB, "text": "in the group"}, {"fromMe": true, "text": "mine"}]},
        {"chat": CYD, "byLid": true, "messages": [{"text": "by lid"}]},
    ]});
    let given = give(&control, ANN, history).await;
    assert_eq!(given["chats"][0]["messages"], json!(["A1", "A2", "A3", "A4", "A5"]));
    phone_sends(&control, CYD, ANN, "live").await;
    phone_receives(&control, ANN, "live").await;

    let client = Client::linked(&network, ANN).await;
    let all = chunks(&client, Kind::RECENT).await;
    let kinds: Vec<Kind> = all.iter().map(|chunk| chunk.sync_type).collect();
    assert_eq!(kinds, [Kind::INITIAL_BOOTSTRAP, Kind::PUSH_NAME, Kind::RECENT]);
    let find = |id: String| all[0].conversations.iter().find(|one| one.id == id).expect("a chat");

    let bob = find(format!("{BOB}@s.whatsapp.net"));
    assert_eq!(
        (bob.name.as_deref(), bob.unread_count, bob.archived),
        (Some("Bob from work"), Some(2), Some(true))
    );
    assert_eq!((bob.pinned.is_some(), bob.mute_end_time), (true, Some(u64::MAX)));
    assert!(bob.lid_jid.as_ref().is_some_and(|lid| lid.ends_with("@lid")));
    let infos: Vec<&wa::WebMessageInfo> =
        bob.messages.iter().filter_map(|one| one.message.as_option()).collect();
    let ids: Vec<&str> = infos.iter().filter_map(|info| info.key.as_option()?.id.as_deref()).collect();
    assert_eq!(ids, ["A5", "A4", "A3", "A2", "A1"], "newest first");
    assert_eq!(infos[4].push_name.as_deref(), Some("Bobby"));
    assert_eq!((infos[4].message_timestamp, infos[4].reactions.len()), (Some(1_700_000_000), 2));
    assert_eq!(infos[3].status, Some(wa::web_message_info::Status::DELIVERY_ACK));
    assert_eq!(infos[3].starred, Some(true));
    let quoting = infos[2].message.as_option().unwrap().extended_text_message.as_option().unwrap();
    assert_eq!(quoting.context_info.as_option().unwrap().stanza_id.as_deref(), Some("A2"));
    let image = infos[1].message.as_option().unwrap().image_message.as_option().unwrap();
    assert_eq!(client.protocol.download(image).await.unwrap(), b"a jpeg");
    fault(&network, json!({"mediaExpired": true})).await;
    let asked = MediaReuploadRequest {
        msg_id: "A4",
        chat_jid: &pn(BOB),
        media_key: image.media_key.as_deref().unwrap(),
        is_from_me: false,
        participant: None,
    };
    let again = client.protocol.media_reupload().request(&asked).await.expect("an answer");
    assert!(matches!(again, MediaRetryResult::Success { .. }), "{again:?}");
    assert_eq!(infos[0].message_stub_type, Some(wa::web_message_info::StubType::REVOKE));

    let there = find(group);
    assert_eq!((there.name.as_deref(), there.participant.len()), (Some("Arisan"), 3));
    assert_eq!(texts(there), ["mine", "in the group"]);
    let info = there.messages[1].message.as_option().unwrap();
    assert!(info.participant.as_ref().is_some_and(|who| who.ends_with("@lid")), "{info:?}");
    let cyd = all[0].conversations.iter().find(|one| one.id.ends_with("@lid")).expect("a chat by its lid");
    assert_eq!(
        (cyd.pn_jid.clone(), texts(cyd)),
        (Some(format!("{CYD}@s.whatsapp.net")), vec!["live", "by lid"])
    );
    assert!(all[0].phone_number_to_lid_mappings.len() >= 2);
    assert!(all[1].pushnames.iter().any(|one| one.pushname.as_deref() == Some("Bobby")));
}

#[tokio::test(flavor = "multi_thread")]
async fn tens_of_thousands_of_messages_arrive_once_each() {
    let network = network_with(&[ANN]).await;
    let control = network.control();
    let made = give(&control, ANN, json!({"bulk": {"chats": 20, "messages": 1500, "days": 600}})).await;
    assert_eq!(made["made"].as_array().unwrap().len(), 20);
    let client = full_client(&network, ANN).await;
    let all = chunks(&client, Kind::FULL).await;
    assert_eq!(of(&all, Kind::INITIAL_BOOTSTRAP)[0].conversations.len(), 20);
    for kind in [Kind::RECENT, Kind::FULL] {
        let progress: Vec<u32> = of(&all, kind).iter().filter_map(|one| one.progress).collect();
        assert!(progress.len() > 1 && progress.is_sorted(), "{kind:?}: {progress:?}");
        let orders: Vec<u32> = of(&all, kind).iter().filter_map(|one| one.chunk_order).collect();
        assert_eq!(orders, (1..=orders.len() as u32).collect::<Vec<_>>());
    }
    let conversations = all.iter().flat_map(|chunk| &chunk.conversations);
    let messages = conversations.flat_map(|one| &one.messages).filter_map(|one| one.message.as_option());
    let ids: Vec<String> = messages.filter_map(|info| info.key.as_option()?.id.clone()).collect();
    let different: HashSet<&String> = ids.iter().collect();
    assert_eq!(ids.len(), different.len(), "no message comes twice");
    // 365 of 600 days are given at once.
    assert!((18_000..19_000).contains(&ids.len()), "{}", ids.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_given_comes_on_demand() {
    let network = network_with(&[ANN]).await;
    let control = network.control();
    give(&control, ANN, json!({"bulk": {"chats": 1, "messages": 200, "days": 600}})).await;
    let client = Client::linked(&network, ANN).await;
    let all = chunks(&client, Kind::RECENT).await;
    let mut given: Vec<&wa::WebMessageInfo> = Vec::new();
    for chunk in &all {
        let messages = chunk.conversations.iter().flat_map(|one| &one.messages);
        given.extend(messages.filter_map(|one| one.message.as_option()));
    }
    assert!((25..40).contains(&given.len()), "{}", given.len());
    let oldest = given.last().unwrap();
    let key = oldest.key.as_option().unwrap();
    let chat = key.remote_jid.as_deref().unwrap().parse().unwrap();
    let at = oldest.message_timestamp.unwrap() as i64 * 1000;
    let asked = client
        .protocol
        .fetch_message_history(&chat, key.id.as_deref().unwrap(), key.from_me == Some(true), at, 50)
        .await
        .unwrap();
    let answer = client
        .wait_for("the answer", |event| match event {
            Event::HistorySync(sync) if sync.peer_data_request_session_id() == Some(&asked) => {
                Some(sync.get().expect("the answer decodes").clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(answer.sync_type, Kind::ON_DEMAND);
    let messages = &answer.conversations[0].messages;
    let newest = messages[0].message.as_option().unwrap();
    assert_eq!(messages.len(), 50);
    assert!(newest.message_timestamp < oldest.message_timestamp, "older ones, newest first");
    let more =
        wa::conversation::EndOfHistoryTransferType::COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY;
    assert_eq!(answer.conversations[0].end_of_history_transfer_type, Some(more));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_linked_later_gets_what_was_said_meanwhile_as_it_stands() {
    let network = network_with(&[ANN, BOB]).await;
    let control = network.control();
    let wrong = phone_sends(&control, ANN, BOB, "wrong").await;
    let gone = phone_sends(&control, ANN, BOB, "gone").await;
    let path = format!("/sandbox/phones/{ANN}/messages");
    for wish in [
        json!({"to": BOB, "edit": wrong, "text": "right"}),
        json!({"to": BOB, "revoke": gone}),
        json!({"to": BOB, "reaction": {"id": wrong, "emoji": "👍"}}),
    ] {
        assert_eq!(call(&control, "POST", &path, wish).await.0, 201);
    }
    let client = Client::linked(&network, ANN).await;
    let all = chunks(&client, Kind::RECENT).await;
    let chat = &all[0].conversations[0];
    assert_eq!(texts(chat), ["right"]);
    let find = |id: &str| {
        let infos = chat.messages.iter().filter_map(|one| one.message.as_option());
        infos
            .into_iter()
            .find(|info| info.key.as_option().and_then(|key| key.id.as_deref()) == Some(id))
            .unwrap()
    };
    assert_eq!(chat.messages.len(), 2);
    assert_eq!(find(&wrong).reactions[0].text.as_deref(), Some("👍"));
    assert_eq!(find(&gone).message_stub_type, Some(wa::web_message_info::StubType::REVOKE));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_histories_are_refused_as_a_whole() {
    let network = network_with(&[ANN]).await;
    let control = network.control();
    let path = format!("/sandbox/phones/{ANN}/history");
    let right = json!({"id": "A", "text": "right"});
    for wrong in [
        json!({"text": "two", "revoked": true}),
        json!({}),
        json!({"text": "x", "quote": "nothing"}),
        json!({"text": "x", "from": BOB}),
        json!({"id": "A", "text": "again"}),
        json!({"text": "x", "colour": "red"}),
        json!({"text": "x", "mentions": ["6281300160000"]}),
    ] {
        let wish = json!({"chats": [{"chat": BOB, "messages": [right, wrong]}]});
        let (status, body) = call(&control, "POST", &path, wish).await;
        assert!(status == 400 || status == 422, "{wrong}: {status} {body}");
    }
    let (status, _) = call(&control, "POST", &path, json!({"bulk": {"chats": 10_001, "messages": 1}})).await;
    assert_eq!(status, 400);
    assert_eq!(call(&control, "GET", &path, Value::Null).await.1, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn history_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = Program::start(addr, dir.path()).await;
    let path = format!("/sandbox/phones/{ANN}/history");
    http(addr, "POST", "/sandbox/phones", &json!({"phone": ANN}).to_string()).await;
    let wish = json!({"bulk": {"chats": 3, "messages": 40}}).to_string();
    assert_eq!(http(addr, "POST", &path, &wish).await.0, 201);
    let before = http(addr, "GET", &path, "").await.1;
    drop(program);
    let _program = Program::start(addr, dir.path()).await;
    assert_eq!(http(addr, "GET", &path, "").await.1, before);
    let one = http(addr, "GET", &format!("{path}?chat=999800000015"), "").await.1;
    assert_eq!(one.as_array().map(Vec::len), Some(40));
}
