//! SIGKILL at any moment: what was acknowledged is there afterwards, and nothing twice.

use crate::support::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use whatsapp_rust::types::events::Event;

const ANN: &str = "6281300080005";
const BOB: &str = "6281300080015";
const ROUNDS: u64 = 5;

/// The program, killed when the test is done with it.
pub struct Program(Child);

impl Program {
    /// Starts it and waits until it listens.
    pub async fn start(addr: SocketAddr, dir: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kurir-sandbox"));
        command
            .args(["--listen", &addr.to_string(), "--data-dir"])
            .arg(dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let program = Self(command.spawn().expect("the program starts"));
        let deadline = tokio::time::Instant::now() + SOON;
        while tokio::net::TcpStream::connect(addr).await.is_err() {
            assert!(tokio::time::Instant::now() < deadline, "the program never listened on {addr}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // On unix this is SIGKILL; it fails only when the program has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn acknowledged(client: &Client) -> Vec<String> {
    client.collect(|event| match event {
        Event::ServerAck(ack) if ack.class.as_deref() == Some("message") => Some(ack.id.to_string()),
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_doubled_by_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    // A port that was free a moment ago; the program must come back on the same one.
    let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut program = Program::start(addr, dir.path()).await;
    for phone in [ANN, BOB] {
        assert_eq!(http(addr, "POST", "/sandbox/phones", &json!({"phone": phone}).to_string()).await.0, 201);
    }
    let client = Client::with(addr, Default::default(), None).await;
    let qr = json!({"qr": client.qr().await}).to_string();
    assert_eq!(http(addr, "POST", &format!("/sandbox/phones/{ANN}/scan"), &qr).await.0, 200);
    client.connected().await;

    let mut written = Vec::new();
    for round in 0..ROUNDS {
        let mut sent = 0;
        let killed_after = 3 + round * 4;
        while sent < killed_after {
            let text = format!("round {round} text {sent}");
            if let Ok(result) = client.protocol.send_message(pn(BOB), conversation(&text)).await {
                written.push((result.message_id.to_string(), text));
                sent += 1;
            }
        }
        drop(program);
        program = Program::start(addr, dir.path()).await;
        client.wait_until_connected_again().await;
    }
    // What was never acknowledged is sent again under its id, as a careful client does.
    let known = acknowledged(&client);
    for (id, text) in written.iter().filter(|(id, _)| !known.contains(id)) {
        let options = whatsapp_rust::SendOptions::default().with_message_id(id.as_str());
        client
            .protocol
            .send_message_with_options(pn(BOB), conversation(text), options)
            .await
            .expect("the client sends again");
        client.acknowledged(id).await;
    }
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let (_, inbox) = http(addr, "GET", &format!("/sandbox/phones/{BOB}/messages"), "").await;
        let mut seen: HashMap<&str, u64> = HashMap::new();
        for message in inbox.as_array().unwrap() {
            *seen.entry(message["text"].as_str().unwrap()).or_default() +=
                message["deliveries"].as_u64().unwrap();
        }
        let missing: Vec<&String> =
            written.iter().map(|(_, text)| text).filter(|text| !seen.contains_key(text.as_str())).collect();
        if missing.is_empty() {
            assert!(seen.values().all(|count| *count == 1), "something arrived twice: {seen:?}");
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "lost: {missing:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_, phones) = http(addr, "GET", "/sandbox/phones", "").await;
    assert_eq!(phones.as_array().map(Vec::len), Some(2), "{phones}");
    assert_ne!(phones, Value::Null);
    drop(program);
}
