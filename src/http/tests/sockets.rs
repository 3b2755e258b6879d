//! Over real sockets: what a connection does when client or program misbehave.

use super::*;
use crate::http::listen;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine, shorter than a stop that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A house that listens.
struct Open {
    house: House,
    address: SocketAddr,
    serving: JoinHandle<Result<()>>,
}

impl Open {
    async fn start() -> Self {
        let house = House::claimed().await;
        let listener = listen::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let stop = Stop::new(house.stopping.subscribe());
        let serving = tokio::spawn(listen::run(vec![listener], house.filter.clone(), stop));
        Self { house, address, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }

    /// Sends bytes, closes the sending side, and returns everything that comes back.
    async fn ask(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.expect("sent");
        stream.shutdown().await.expect("half closed");
        rest(&mut stream).await
    }

    async fn stop(self) {
        self.house.stopping.send(true).expect("the site listens");
        timeout(PATIENCE, self.serving).await.expect("a stop in time").expect("no panic").expect("served");
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("an end in time").expect("no reset");
    String::from_utf8_lossy(&all).into_owned()
}

/// Reads until `wanted` has arrived.
async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut all = String::new();
    let mut piece = [0; 1024];
    while !all.contains(wanted) {
        let read = timeout(PATIENCE, stream.read(&mut piece)).await.expect("in time").expect("no reset");
        assert!(read > 0, "ended before `{wanted}`: {all}");
        all.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    all
}

#[tokio::test]
async fn a_client_that_uploads_far_too_much_sees_the_refusal() {
    let open = Open::start().await;
    let garbage = vec![b'x'; 5 << 20];
    for head in ["content-length: 5242880", "transfer-encoding: chunked"] {
        let mut stream = open.connect().await;
        let head = format!("POST /api/test/upload HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("sent");
        if head.contains("chunked") {
            stream.write_all(b"500000\r\n").await.expect("sent");
        }
        stream.write_all(&garbage).await.expect("the upload is taken to its end");
        let answer = rest(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 413") && answer.contains("Isi permintaan terlalu besar"),
            "{answer}"
        );
    }
    open.stop().await;
}

#[tokio::test]
async fn a_stranger_who_uploads_sees_401() {
    let open = Open::start().await;
    let mut stream = open.connect().await;
    let head = "POST /api/test/things HTTP/1.1\r\nhost: a\r\ncontent-length: 5242880\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(&vec![b'x'; 5 << 20]).await.expect("the upload is taken to its end");
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    open.stop().await;
}

#[tokio::test]
async fn half_closed_and_cut_requests_are_answered() {
    let open = Open::start().await;
    let answer = open.ask(b"GET /api/test/public HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = open.ask(b"GET /api/test/public HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let answer =
        open.ask(b"POST /api/test/upload HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\n{\"a\"").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("tidak dapat dibaca"), "{answer}");
    let answer = open.ask(b"GARBAGE\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let chunked = b"POST /api/test/upload HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n";
    let answer = open.ask(chunked).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#"{"a":1}"#), "{answer}");
    open.stop().await;
}

#[tokio::test]
async fn a_stop_ends_live_streams_and_waits_for_requests_in_flight() {
    let open = Open::start().await;
    let mut live = open.connect().await;
    live.write_all(b"GET /api/test/live HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
    until(&mut live, "id: 1\ndata: {\"type\":\"connected\"}").await;
    let mut idle = open.connect().await;
    idle.write_all(b"GET /api/test/public HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
    until(&mut idle, "\"success\":true").await;
    let mut slow = open.connect().await;
    slow.write_all(b"GET /api/test/slow HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
    let mut silent = open.connect().await;
    // A second answer on another connection proves that the first request has been taken up.
    open.ask(b"GET /api/test/public HTTP/1.1\r\nhost: a\r\n\r\n").await;
    open.stop().await;
    assert!(rest(&mut slow).await.contains("\"done\""));
    for stream in [&mut live, &mut idle, &mut silent] {
        rest(stream).await;
    }
}
