//! Texts both ways, receipts, refusals.

use super::support::*;
use crate::model::id::message_id;
use crate::model::message::{Content, Message, MessageStatus};
use crate::store::messages;
use crate::wa::SendFailure;
use serde_json::json;

const OURS: &str = "6281200001111";
const ANI: &str = "6281200002222";

#[tokio::test(flavor = "multi_thread")]
async fn texts_go_both_ways_and_are_acknowledged() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), OURS).await;
    world.phone(ANI).await;
    rig.sends(ANI, "halo").await.expect("accepted");
    assert_eq!(world.hears(ANI, "halo").await, 1);
    for n in 0..5 {
        world.says(ANI, OURS, &format!("jawaban {n}")).await;
    }
    let answer = rig.reads(ANI, "jawaban 4").await;
    assert!(!answer.from_me);
    assert_eq!(answer.push_name.as_deref(), Some("P6281200002222"));
    assert_eq!(answer.sender, Some(jid(ANI)));
    let view = rig.store.view().expect("a view");
    let page = messages::page(&view, rig.no, &jid(ANI), None, 10).expect("a page");
    let order: Vec<_> = page.iter().rev().filter_map(|message| message.content.text()).collect();
    assert_eq!(order, ["jawaban 0", "jawaban 1", "jawaban 2", "jawaban 3", "jawaban 4"]);
    drop(view);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_on_the_accounts_phone_stands_in_the_right_chat() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), OURS).await;
    world.phone(ANI).await;
    world.says(OURS, ANI, "diketik di ponsel").await;
    let message = rig.reads(ANI, "diketik di ponsel").await;
    assert!(message.from_me && message.status >= MessageStatus::Sent);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_move_a_sent_message_forward() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), OURS).await;
    world.phone(ANI).await;
    let id = message_id();
    put_in_history(&rig, &id).await;
    rig.sends_as(&id, ANI, "sudah sampai?").await.expect("accepted");
    world.hears(ANI, "sudah sampai?").await;
    came_to(&rig, &id, MessageStatus::Delivered).await;
    world.call("POST", &format!("/sandbox/phones/{ANI}/receipts"), json!({ "id": id, "type": "read" })).await;
    came_to(&rig, &id, MessageStatus::Read).await;
    rig.close().await;
}

async fn put_in_history(rig: &Rig, id: &str) {
    let message = Message {
        device: rig.no,
        id: id.to_owned(),
        chat: jid(ANI),
        sender: None,
        from_me: true,
        push_name: None,
        content: Content::Text { text: "sudah sampai?".into() },
        mentions: Vec::new(),
        marks: Default::default(),
        at: rig.clock.now(),
        status: MessageStatus::Sent,
        error: None,
        job: None,
    };
    rig.store.write(move |tables| messages::receive(tables, &message, 0)).await.expect("stored");
}

async fn came_to(rig: &Rig, id: &str, status: MessageStatus) -> Message {
    wait_for(&format!("{status:?}"), async || {
        let view = rig.store.view().expect("a view");
        let found = messages::own_message(&view, rig.no, &jid(ANI), id).expect("read")?;
        (found.status >= status).then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_absence_are_told_apart() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), OURS).await;
    let (absent, refusing) = ("6281200000000", "6281200000004");
    world.phone(refusing).await;
    world.phone(ANI).await;
    assert!(rig.fleet.is_on_whatsapp(rig.no, &jid(ANI)).await.expect("an answer"));
    assert!(!rig.fleet.is_on_whatsapp(rig.no, &jid(absent)).await.expect("an answer"));
    let refused = rig.sends(refusing, "halo").await.expect_err("refused");
    assert!(matches!(refused, SendFailure::Refused { code: 463 }), "{refused:?}");
    rig.fleet.disconnect(rig.no, false).await.expect("disconnected");
    let failed = rig.sends(ANI, "halo").await.expect_err("not connected");
    assert!(matches!(failed, SendFailure::NotConnected), "{failed:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_acknowledgement_and_a_second_attempt_show_once() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), OURS).await;
    world.phone(ANI).await;
    world.fault(json!({ "lostAck": true, "count": 1 })).await;
    let id = message_id();
    let silent = rig.sends_as(&id, ANI, "sekali saja").await.expect_err("no acknowledgement");
    assert!(matches!(silent, SendFailure::TimedOut), "{silent:?}");
    rig.sends_as(&id, ANI, "sekali saja").await.expect("accepted");
    assert_eq!(world.hears(ANI, "sekali saja").await, 1);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_told_to_the_sender() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), OURS).await;
    world.phone(ANI).await;
    let id = world.says(ANI, OURS, "baca ini").await;
    rig.reads(ANI, "baca ini").await;
    rig.fleet.mark_read(rig.no, &jid(ANI), None, &[id]).await.expect("marked");
    rig.close().await;
}
