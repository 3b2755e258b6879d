//! Restarts, crashes, panics.

use super::support::*;
use crate::clock::Clock;
use crate::model::device::{DeviceStatus, LinkTrouble};
use crate::model::event::Fact;
use crate::wa::seat::Stop;
use std::time::Duration;

const OURS: &str = "6281200001111";
const OTHER: &str = "6281200003333";
const ANI: &str = "6281200002222";

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_installation_connects_without_a_new_qr_and_misses_nothing() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), OURS).await;
    world.phone(ANI).await;
    rig.sends(ANI, "sebelum").await.expect("accepted");
    rig.close().await;
    for n in 0..3 {
        world.says(ANI, OURS, &format!("saat mati {n}")).await;
    }
    let rig = Rig::open(&world, dir.path(), Clock::real()).await;
    assert_eq!(rig.device().status, DeviceStatus::Disconnected);
    rig.fleet.restore().await.expect("restored");
    rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
    for n in 0..3 {
        rig.reads(ANI, &format!("saat mati {n}")).await;
    }
    assert_eq!(rig.told().iter().filter(|event| matches!(event.fact, Fact::Qr { .. })).count(), 1);
    rig.sends(ANI, "sesudah").await.expect("accepted");
    assert_eq!(world.hears(ANI, "sesudah").await, 1);
    rig.close().await;
}

/// Runs the installation in a runtime of its own and lets everything in it vanish in the middle of its work.
fn killed_while_sending(url: &World, dir: &std::path::Path, round: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let rig = runtime.block_on(async {
        let rig = Rig::open(url, dir, Clock::real()).await;
        rig.fleet.restore().await.expect("restored");
        rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
        for n in 0..20 {
            rig.sends(ANI, &format!("putaran {round} pesan {n}")).await.expect("accepted");
        }
        for n in 20..60 {
            let (fleet, no) = (rig.fleet.clone(), rig.no);
            tokio::spawn(async move {
                let what = outgoing(ANI, &format!("putaran {round} pesan {n}"));
                let id = crate::model::id::message_id();
                if let Ok(pending) = fleet.send(no, &id, &what).await {
                    let _ = pending.wait().await;
                }
            });
        }
        // Somewhere in the middle of them.
        tokio::time::sleep(Duration::from_millis(7 * round as u64)).await;
        rig
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    rig.store.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_stay_whole_when_everything_stops_in_the_middle_of_a_send() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::linked(&world, dir.path(), OURS).await;
    world.phone(ANI).await;
    rig.close().await;
    let (world, path) = (std::sync::Arc::new(world), dir.path().to_owned());
    for round in 0..4 {
        let (inner, path) = (world.clone(), path.clone());
        tokio::task::spawn_blocking(move || killed_while_sending(&inner, &path, round))
            .await
            .expect("no panic");
        let rig = Rig::open(&world, dir.path(), Clock::real()).await;
        rig.fleet.restore().await.expect("restored");
        rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
        // A ratchet key that was used twice, or lost, would leave these undecryptable.
        rig.sends(ANI, &format!("setelah putaran {round}")).await.expect("accepted");
        assert_eq!(world.hears(ANI, &format!("setelah putaran {round}")).await, 1);
        assert_eq!(world.hears(ANI, &format!("putaran {round} pesan 19")).await, 1);
        world.says(ANI, OURS, &format!("balasan {round}")).await;
        rig.reads(ANI, &format!("balasan {round}")).await;
        rig.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panicking_device_is_started_again_and_takes_no_other_with_it() {
    let (world, dir) = (World::start().await, tempfile::tempdir().expect("a directory"));
    let rig = Rig::open(&world, dir.path(), Clock::by_hand(Clock::real().now())).await;
    for number in [OURS, OTHER, ANI] {
        world.phone(number).await;
    }
    rig.link(&world, OURS).await;
    let second = add_device(&rig.store, "device-002").await;
    link(&world, &rig.fleet, second, OTHER).await;

    let seat = rig.fleet.seat_for_tests(rig.no);
    seat.control.lock().await.as_ref().expect("a task").stop.send(Stop::Panic).expect("told");
    rig.until("the crash", |live| live.trouble == Some(LinkTrouble::Crashed)).await;
    assert_eq!(rig.fleet.crashes(), 1);
    assert_eq!(rig.fleet.live(second).status, DeviceStatus::Connected);
    rig.fleet
        .send(second, "3EB0AA", &outgoing(ANI, "yang lain hidup"))
        .await
        .expect("sent")
        .wait()
        .await
        .expect("accepted");

    rig.clock.advance(Duration::from_secs(5));
    rig.until("the link", |live| live.status == DeviceStatus::Connected).await;
    rig.sends(ANI, "hidup lagi").await.expect("accepted");
    rig.close().await;
}
