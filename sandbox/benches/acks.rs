//! How many messages a second the network acknowledges, and what one costs it.
//!
//! Bare clients share the machine with the network, which runs in a process of its own; on a small machine they are
//! the limit. The column that is about the network alone is its CPU time per message.
//! `cargo bench -p kurir-sandbox`; `MESSAGES` sets how many each client sends (default 2000).

#![allow(clippy::unwrap_used, reason = "a bench that meets the unexpected should fail right there")]
#![allow(dead_code, reason = "the support of the tests serves here as well")]

#[path = "../tests/network/support.rs"]
mod support;

use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Client, conversation, http, pn};
use tokio::sync::Semaphore;
use wacore::types::events::ChannelEventHandler;
use whatsapp_rust::types::events::Event;

/// Kernel clock ticks per second in `/proc`.
const TICKS: u64 = 100;

struct Network {
    child: Child,
    addr: SocketAddr,
}

impl Network {
    async fn start(dir: Option<&Path>) -> Self {
        let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_kurir-sandbox"));
        command.args(["--listen", &addr.to_string()]).stdout(Stdio::null()).env("SANDBOX_LOG", "warn");
        if let Some(dir) = dir {
            command.arg("--data-dir").arg(dir);
        }
        let child = command.spawn().unwrap();
        while tokio::net::TcpStream::connect(addr).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { child, addr }
    }

    /// CPU time used so far.
    fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 1000 / TICKS)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn linked(network: &Network, number: &str) -> Client {
    assert_eq!(
        http(network.addr, "POST", "/sandbox/phones", &json!({"phone": number}).to_string()).await.0,
        201
    );
    let client = Client::with(network.addr, Default::default(), None).await;
    let qr = json!({"qr": client.qr().await}).to_string();
    assert_eq!(http(network.addr, "POST", &format!("/sandbox/phones/{number}/scan"), &qr).await.0, 200);
    client.connected().await;
    client
}

/// Sends and waits for every acknowledgement, with so many messages under way at once.
async fn send_all(client: &Client, to: &str, messages: usize, in_flight: usize) {
    let room = Arc::new(Semaphore::new(in_flight));
    let (handler, events) = ChannelEventHandler::new();
    client.protocol.subscribe_handler(handler).detach();
    let freed = room.clone();
    let counting = tokio::spawn(async move {
        let mut left = messages;
        while left > 0 {
            if let Event::ServerAck(ack) = &*events.recv().await.unwrap() {
                assert_eq!(ack.class.as_deref(), Some("message"));
                freed.add_permits(1);
                left -= 1;
            }
        }
    });
    for n in 0..messages {
        room.acquire().await.unwrap().forget();
        client.protocol.send_message(pn(to), conversation(&format!("text {n}"))).await.unwrap();
    }
    counting.await.unwrap();
}

async fn measure(dir: Option<&Path>, clients: usize, in_flight: usize, messages: usize) {
    let network = Network::start(dir).await;
    let mut all = Vec::new();
    for n in 0..clients {
        let client = linked(&network, &format!("62815{n:04}15")).await;
        let to = format!("62816{n:04}15");
        client.send(&to, "warm up").await;
        all.push((client, to));
    }
    let (cpu, started) = (network.cpu(), Instant::now());
    let sending = all.iter().map(|(client, to)| send_all(client, to, messages, in_flight));
    futures_util::future::join_all(sending).await;
    let (took, cpu) = (started.elapsed(), network.cpu() - cpu);
    let total = (clients * messages) as f64;
    println!(
        "{:>6} {clients:>8} {in_flight:>10} {:>10.0} {:>18.0}",
        if dir.is_some() { "disk" } else { "memory" },
        total / took.as_secs_f64(),
        cpu.as_micros() as f64 / total,
    );
}

#[tokio::main]
async fn main() {
    let messages = std::env::var("MESSAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(2000);
    println!(
        "{:>6} {:>8} {:>10} {:>10} {:>18}",
        "store", "clients", "in flight", "acks/s", "network us/message"
    );
    for (clients, in_flight) in [(1, 1), (1, 64), (10, 8)] {
        measure(None, clients, in_flight, messages).await;
        let dir = tempfile::tempdir().unwrap();
        measure(Some(dir.path()), clients, in_flight, messages).await;
    }
}
