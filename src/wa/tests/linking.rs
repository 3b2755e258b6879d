//! Linking by QR and by code, unlinking, wiping.

use super::support::*;
use crate::clock::Clock;
use crate::error::Code;
use crate::model::device::{DeviceStatus, LinkStep};
use crate::model::event::Fact;
use crate::model::jid::Phone;
use serde_json::json;

const PHONE: &str = "6281200001111";

#[tokio::test(flavor = "multi_thread")]
async fn a_scanned_qr_links_the_device_and_every_step_is_told() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), PHONE).await;
    let live = rig.fleet.live(rig.no);
    assert_eq!(live.step, Some(LinkStep::Connected));
    assert!(live.qr.is_none() && live.trouble.is_none());
    assert_eq!(live.phone_number.as_deref(), Some(PHONE));
    let device = rig.device();
    assert!(device.linked && device.wanted && device.lid.is_some());
    assert_eq!((device.status, device.connection_attempts), (DeviceStatus::Connected, 1));
    let mut steps: Vec<(DeviceStatus, Option<LinkStep>)> = Vec::new();
    for event in rig.told() {
        if let Fact::Link { status, step, .. } = event.fact {
            steps.push((status, step));
        }
    }
    assert_eq!(
        steps,
        [
            (DeviceStatus::Connecting, None),
            (DeviceStatus::QrRequired, Some(LinkStep::Waiting)),
            (DeviceStatus::Connecting, Some(LinkStep::Scanned)),
            (DeviceStatus::Connecting, Some(LinkStep::Synchronising)),
            (DeviceStatus::Connected, Some(LinkStep::Connected)),
        ]
    );
    assert!(rig.told().iter().any(|event| matches!(event.fact, Fact::Qr { .. })));
    // Connecting what is connected changes nothing.
    let told = rig.told().len();
    rig.fleet.connect(rig.no).await.expect("nothing to do");
    assert_eq!(rig.told().len(), told);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_code_links_the_device() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::open(&world, dir.path(), Clock::real()).await;
    world.phone(PHONE).await;
    let number = Phone::for_pairing(PHONE).expect("a number");
    let code = rig.fleet.pairing_code(rig.no, &number).await.expect("a code");
    assert_eq!(code.code.len(), 8);
    assert!(code.expires_at > rig.clock.now());
    let live = rig.fleet.live(rig.no);
    assert_eq!(live.status, DeviceStatus::Pairing);
    assert!(live.qr.is_some(), "the QR can still be scanned");
    let again = rig.fleet.pairing_code(rig.no, &number).await.expect("the same code");
    assert_eq!(again.code, code.code);
    world.call("POST", &format!("/sandbox/phones/{PHONE}/enter-code"), json!({ "code": code.code })).await;
    let live = rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
    assert!(live.pairing.is_none());
    let refused = rig.fleet.pairing_code(rig.no, &number).await.expect_err("linked already");
    assert_eq!(refused.code(), Code::DeviceRegistered);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnecting_keeps_the_login_unless_told_otherwise() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), PHONE).await;
    rig.fleet.disconnect(rig.no, false).await.expect("disconnected");
    let device = rig.device();
    assert_eq!(device.status, DeviceStatus::Disconnected);
    assert!(device.linked && !device.wanted);
    rig.fleet.connect(rig.no).await.expect("connecting");
    rig.until("the link without QR", |live| live.status == DeviceStatus::Connected).await;
    assert_eq!(rig.told().iter().filter(|event| matches!(event.fact, Fact::Qr { .. })).count(), 1);

    rig.fleet.disconnect(rig.no, true).await.expect("logged out");
    let device = rig.device();
    assert!(!device.linked && device.phone_number.is_none());
    wait_for("the unlinked phone", async || {
        let phones = world.call("GET", "/sandbox/phones", json!(null)).await;
        phones[0]["companions"].as_array()?.is_empty().then_some(())
    })
    .await;
    rig.link(&world, PHONE).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_device_is_held_back_until_a_person_connects_it() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), PHONE).await;
    rig.fleet.wipe(rig.no).await.expect("wiped");
    rig.fleet.wipe(rig.no).await.expect("wiped again");
    let device = rig.device();
    assert_eq!(device.status, DeviceStatus::Cancelled);
    assert!(!device.linked && !device.wanted && device.phone_number.is_none());
    rig.fleet.restore().await.expect("restored");
    assert_eq!(rig.device().status, DeviceStatus::Cancelled);
    rig.link(&world, PHONE).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_leaves_nothing_in_memory() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), PHONE).await;
    let seat = rig.fleet.seat_for_tests(rig.no);
    let client = std::sync::Arc::downgrade(&seat.any_client().expect("a client"));
    rig.fleet.disconnect(rig.no, false).await.expect("disconnected");
    wait_for("the end of the client", async || client.upgrade().is_none().then_some(())).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_device_is_gone() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), PHONE).await;
    rig.fleet.forget(rig.no).await.expect("forgotten");
    let no = rig.no;
    rig.store
        .write(move |tables| crate::store::devices::remove(tables, no, 0).map(drop))
        .await
        .expect("removed");
    assert_eq!(rig.fleet.connect(no).await.expect_err("gone").code(), Code::DeviceNotFound);
    rig.close().await;
}
