//! How connections end and what follows.

use super::support::*;
use crate::clock::Clock;
use crate::model::device::{DeviceStatus, LinkTrouble};
use serde_json::json;
use std::time::Duration;

const PHONE: &str = "6281200001111";
const ANI: &str = "6281200002222";

/// An installation whose pauses pass when the test says so.
async fn linked_by_hand(world: &World, dir: &std::path::Path) -> Rig {
    let rig = Rig::open(world, dir, Clock::by_hand(Clock::real().now())).await;
    world.phone(PHONE).await;
    rig.link(world, PHONE).await;
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn unlinking_on_the_phone_ends_in_disconnected_and_needs_a_new_qr() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = linked_by_hand(&world, dir.path()).await;
    let phones = world.call("GET", "/sandbox/phones", json!(null)).await;
    let companion = phones[0]["companions"][0]["device"].as_u64().expect("a companion");
    world.call("DELETE", &format!("/sandbox/phones/{PHONE}/companions/{companion}"), json!(null)).await;
    let live = rig.until("the logout", |live| live.trouble == Some(LinkTrouble::LoggedOut)).await;
    assert_eq!(live.status, DeviceStatus::Disconnected);
    let device = rig.device();
    assert!(!device.linked && device.phone_number.is_none());
    rig.clock.advance(Duration::from_secs(3_600));
    rig.link(&world, PHONE).await;
    assert!(rig.device().trouble.is_none());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_is_opened_again_after_five_seconds() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = linked_by_hand(&world, dir.path()).await;
    world.fault(json!({ "dropConnection": true })).await;
    let live = rig.until("the loss", |live| live.status == DeviceStatus::Disconnected).await;
    assert_eq!(live.trouble, Some(LinkTrouble::Lost));
    world.clear_faults().await;
    rig.clock.advance(Duration::from_millis(4_999));
    assert_eq!(rig.fleet.live(rig.no).status, DeviceStatus::Disconnected);
    rig.clock.advance(Duration::from_millis(1));
    rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
    assert_eq!(rig.device().connection_attempts, 2);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_need_not_wait_for_the_next_attempt() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = linked_by_hand(&world, dir.path()).await;
    world.fault(json!({ "dropConnection": true })).await;
    rig.until("the loss", |live| live.status == DeviceStatus::Disconnected).await;
    world.clear_faults().await;
    rig.fleet.connect(rig.no).await.expect("connecting");
    rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
    assert_eq!(rig.device().connection_attempts, 1);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_on_the_networks_wish_is_immediate() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = linked_by_hand(&world, dir.path()).await;
    world.phone(ANI).await;
    let before = rig.statuses().len();
    world.fault(json!({ "streamError": 515, "count": 1 })).await;
    // The state in between may be over before anybody looks; what was told of it stays.
    wait_for("the restart", async || (rig.statuses().len() >= before + 2).then_some(())).await;
    assert_eq!(rig.statuses()[before..], [DeviceStatus::Connecting, DeviceStatus::Connected]);
    rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
    rig.sends(ANI, "masih di sini").await.expect("accepted");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_taken_over_is_not_taken_back() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = linked_by_hand(&world, dir.path()).await;
    world.fault(json!({ "conflict": "replaced", "count": 1 })).await;
    let live = rig.until("the conflict", |live| live.trouble.is_some()).await;
    assert_eq!((live.status, live.trouble), (DeviceStatus::Disconnected, Some(LinkTrouble::Replaced)));
    rig.clock.advance(Duration::from_secs(3_600));
    rig.fleet.connect(rig.no).await.expect("connecting");
    rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_temporary_ban_is_shown_with_its_end_and_waited_out() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = linked_by_hand(&world, dir.path()).await;
    let failure = json!({ "reason": 402, "code": 101, "expire": 600 });
    world.fault(json!({ "loginFailure": failure, "count": 1 })).await;
    world.fault(json!({ "phone": PHONE, "dropConnection": true, "count": 1 })).await;
    rig.until("the loss", |live| live.status == DeviceStatus::Disconnected).await;
    let banned_at = rig.clock.now() + 5_000;
    rig.clock.advance(Duration::from_secs(5));
    let is_banned = |trouble: &Option<LinkTrouble>| matches!(trouble, Some(LinkTrouble::Banned { .. }));
    let live = rig.until("the ban", |live| is_banned(&live.trouble)).await;
    assert_eq!(live.trouble, Some(LinkTrouble::Banned { until: Some(banned_at + 600_000) }));
    world.clear_faults().await;
    rig.clock.advance(Duration::from_secs(600));
    rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_away_is_tried_again() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = linked_by_hand(&world, dir.path()).await;
    world.sandbox.shutdown().await;
    rig.until("the loss", |live| live.status == DeviceStatus::Disconnected).await;
    for attempt in 2..=4 {
        rig.clock.advance(Duration::from_secs(5));
        wait_for("the next failure", async || {
            let device = rig.device();
            let has_failed = device.trouble == Some(LinkTrouble::Unreachable);
            (has_failed && device.connection_attempts == attempt).then_some(())
        })
        .await;
    }
    rig.clock.advance(Duration::from_secs(29));
    assert_eq!(rig.device().connection_attempts, 4);
    rig.clock.advance(Duration::from_secs(1));
    wait_for("the slow attempt", async || (rig.device().connection_attempts == 5).then_some(())).await;
    rig.close().await;
}
