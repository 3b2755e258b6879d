//! What survives when the network stops.

use crate::support::*;
use kurir_sandbox::Sandbox;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;

const ANN: &str = "6281300050005";
const BOB: &str = "6281300050015";

async fn start(addr: Option<SocketAddr>, dir: &Path) -> Sandbox {
    let builder = Sandbox::builder().data_dir(dir);
    match addr {
        Some(addr) => builder.listen(addr),
        None => builder,
    }
    .start()
    .await
    .expect("the network starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn links_queues_and_sessions_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let network = start(None, dir.path()).await;
    let (addr, root) = (network.addr(), network.noise_root());
    for phone in [ANN, BOB] {
        create(&network.control(), phone).await;
    }
    let client = Client::linked(&network, ANN).await;
    client.send(BOB, "first").await;
    phone_receives(&network.control(), BOB, "first").await;
    phone_sends(&network.control(), BOB, ANN, "answer").await;
    client.receives("answer").await;
    client.protocol.disconnect().await;
    for n in 0..5 {
        phone_sends(&network.control(), BOB, ANN, &format!("queued {n}")).await;
    }
    network.shutdown().await;

    let network = start(Some(addr), dir.path()).await;
    let control = network.control();
    assert_eq!(network.noise_root(), root);
    assert_eq!(phone_receives(&control, BOB, "first").await["deliveries"], 1);
    let client = Client::resume(addr, client.backend.clone()).await;
    client.connected().await;
    for n in 0..5 {
        client.receives(&format!("queued {n}")).await;
    }
    client.send(BOB, "second").await;
    assert_eq!(phone_receives(&control, BOB, "second").await["deliveries"], 1);
    phone_sends(&control, BOB, ANN, "still in step").await;
    client.receives("still in step").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_is_recognised_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let network = start(None, dir.path()).await;
    let addr = network.addr();
    for phone in [ANN, BOB] {
        create(&network.control(), phone).await;
    }
    let client = Client::linked(&network, ANN).await;
    fault(&network, json!({"lostAck": true, "count": 1})).await;
    let options = || whatsapp_rust::SendOptions::default().with_message_id("3EB0BBBBBBBBBBBBBBBBBB");
    client.protocol.send_message_with_options(pn(BOB), conversation("once"), options()).await.unwrap();
    phone_receives(&network.control(), BOB, "once").await;
    client.protocol.disconnect().await;
    network.shutdown().await;

    let network = start(Some(addr), dir.path()).await;
    let client = Client::resume(addr, client.backend.clone()).await;
    client.connected().await;
    client.protocol.send_message_with_options(pn(BOB), conversation("once"), options()).await.unwrap();
    client.acknowledged("3EB0BBBBBBBBBBBBBBBBBB").await;
    client.send(BOB, "behind it").await;
    phone_receives(&network.control(), BOB, "behind it").await;
    let seen: Vec<_> =
        inbox(&network.control(), BOB).await.into_iter().filter(|one| one["text"] == "once").collect();
    assert_eq!((seen.len(), &seen[0]["deliveries"]), (1, &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_serves_one_network() {
    let dir = tempfile::tempdir().unwrap();
    let _first = start(None, dir.path()).await;
    let second = Sandbox::builder().data_dir(dir.path()).start().await;
    assert!(format!("{:#}", second.err().expect("refused")).contains("another simulated network"));
}
