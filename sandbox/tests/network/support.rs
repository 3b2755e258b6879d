//! A client over an in-memory store, and a network to point it at.

#[path = "http_client.rs"]
pub mod http_client;

use async_trait::async_trait;
use bytes::Bytes;
use http_client::Http;
use kurir_sandbox::{Control, Sandbox};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use wacore::net::{Transport, TransportEvent, TransportFactory};
use wacore::store::InMemoryBackend;
use wacore::store::device::DevicePropsOverride;
use whatsapp_rust::bot::{Bot, BotHandle};
use whatsapp_rust::client::Client as Protocol;
use whatsapp_rust::types::events::{ChannelEventHandler, Event};
use whatsapp_rust::waproto::whatsapp as wa;
use whatsapp_rust::{Jid, TokioRuntime, async_channel};
use whatsapp_rust_tokio_transport::from_websocket;

/// Longest wait for anything that should happen.
pub const SOON: Duration = Duration::from_secs(60);

/// Dials without Nagle's algorithm, which would hold small stanzas back for 40 ms.
struct Dialler(SocketAddr);

type Link = (Arc<dyn Transport>, async_channel::Receiver<TransportEvent>);

#[async_trait]
impl TransportFactory for Dialler {
    async fn create_transport(&self) -> anyhow::Result<Link> {
        let stream = TcpStream::connect(self.0).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{}/ws/chat", self.0);
        let (socket, _) = tokio_websockets::ClientBuilder::new().uri(&url)?.connect_on(stream).await?;
        Ok(from_websocket(socket))
    }
}

/// Everything a client reported, in order.
#[derive(Default)]
struct Diary {
    events: Mutex<Vec<Arc<Event>>>,
    news: Notify,
}

/// A running client.
pub struct Client {
    pub protocol: Arc<Protocol>,
    pub backend: Arc<InMemoryBackend>,
    diary: Arc<Diary>,
    _handle: BotHandle,
}

impl Client {
    /// Starts a client that is not linked yet.
    pub async fn new(network: &Sandbox) -> Self {
        Self::with(network.addr(), Arc::new(InMemoryBackend::new()), None).await
    }

    /// Starts a client on what an earlier one stored.
    pub async fn resume(addr: SocketAddr, backend: Arc<InMemoryBackend>) -> Self {
        Self::with(addr, backend, None).await
    }

    /// Starts a client, with a push name if it should have one.
    pub async fn with(addr: SocketAddr, backend: Arc<InMemoryBackend>, push_name: Option<&str>) -> Self {
        Self::start(addr, backend, push_name, DevicePropsOverride::new()).await
    }

    /// Starts a client that asks for the whole history.
    pub async fn wanting_all(addr: SocketAddr) -> Self {
        let props = DevicePropsOverride::new().with_require_full_sync(true);
        Self::start(addr, Arc::new(InMemoryBackend::new()), None, props).await
    }

    async fn start(
        addr: SocketAddr,
        backend: Arc<InMemoryBackend>,
        push_name: Option<&str>,
        props: DevicePropsOverride,
    ) -> Self {
        let builder = Bot::builder()
            .with_device_props(props)
            .with_backend_arc(backend.clone())
            .with_transport_factory(Dialler(addr))
            .with_http_client(Http(addr))
            .with_runtime(TokioRuntime)
            .with_version((2, 3000, 0))
            .with_wanted_pre_key_count(20);
        let bot = match push_name {
            Some(name) => builder.with_push_name(name).build().await,
            None => builder.build().await,
        };
        let bot = bot.expect("the client builds");
        let protocol = bot.client();
        let (handler, events) = ChannelEventHandler::new();
        protocol.subscribe_handler(handler).detach();
        let diary = Arc::new(Diary::default());
        let writer = diary.clone();
        tokio::spawn(async move {
            while let Ok(event) = events.recv().await {
                writer.events.lock().unwrap().push(event);
                writer.news.notify_waiters();
            }
        });
        Self { protocol, backend, diary, _handle: bot.spawn() }
    }

    /// Starts a client and links it to a phone by QR.
    pub async fn linked(network: &Sandbox, phone: &str) -> Self {
        let client = Self::new(network).await;
        let qr = client.qr().await;
        let reply =
            call(&network.control(), "POST", &format!("/sandbox/phones/{phone}/scan"), json!({"qr": qr}))
                .await;
        assert_eq!(reply.0, 200, "{}", reply.1);
        client.connected().await;
        client
    }

    /// Waits for the first QR.
    pub async fn qr(&self) -> String {
        self.wait_for("a QR", |event| match event {
            Event::PairingQrCode(qr) => Some(qr.code.to_string()),
            _ => None,
        })
        .await
    }

    /// Waits until the client is logged in and synced.
    pub async fn connected(&self) {
        self.protocol.wait_for_connected(SOON).await.expect("the client connects");
    }

    /// Sends a text and waits for the network's acknowledgement. Returns the id.
    pub async fn send(&self, to: &str, text: &str) -> String {
        self.send_to(&pn(to), text).await
    }

    /// Sends a text to any address, a group's for example; the network must accept it. Returns the id.
    pub async fn send_to(&self, to: &Jid, text: &str) -> String {
        let sent =
            self.protocol.send_message(to.clone(), conversation(text)).await.expect("the client sends");
        assert_eq!(self.acknowledged(&sent.message_id).await, None);
        sent.message_id.to_string()
    }

    /// Waits for the acknowledgement of a message and returns its error.
    pub async fn acknowledged(&self, id: &str) -> Option<u16> {
        self.wait_for("an acknowledgement", |event| match event {
            Event::ServerAck(ack) if ack.id == id => {
                Some(ack.error.as_ref().and_then(|error| error.to_string().parse().ok()))
            }
            _ => None,
        })
        .await
    }

    /// Waits for a text.
    pub async fn receives(&self, text: &str) -> String {
        self.wait_for("a text", |event| {
            event
                .messages()
                .find(|one| one.message.conversation.as_deref() == Some(text))
                .map(|one| one.info.id.to_string())
        })
        .await
    }

    /// Counts how often a text arrived so far.
    pub fn count(&self, text: &str) -> usize {
        let events = self.diary.events.lock().unwrap();
        events
            .iter()
            .flat_map(|event| event.messages())
            .filter(|one| one.message.conversation.as_deref() == Some(text))
            .count()
    }

    /// Collects from every event so far.
    pub fn collect<T>(&self, pick: impl Fn(&Event) -> Option<T>) -> Vec<T> {
        self.diary.events.lock().unwrap().iter().filter_map(|event| pick(event)).collect()
    }

    /// Waits until the client is logged in again after its connection broke.
    pub async fn wait_until_connected_again(&self) {
        let deadline = tokio::time::Instant::now() + SOON;
        while !self.protocol.is_logged_in() {
            assert!(tokio::time::Instant::now() < deadline, "the client never came back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Counts events of a kind so far.
    pub fn count_events(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.diary.events.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }

    /// Waits until some event satisfies `pick`, looking at earlier ones as well.
    pub async fn wait_for<T>(&self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let search = async {
            let mut seen = 0;
            loop {
                let news = self.diary.news.notified();
                {
                    let events = self.diary.events.lock().unwrap();
                    if let Some(found) = events[seen..].iter().find_map(|event| pick(event)) {
                        return found;
                    }
                    seen = events.len();
                }
                // A notification between the look and the wait is caught by the short timeout.
                let _ = tokio::time::timeout(Duration::from_millis(50), news).await;
            }
        };
        match tokio::time::timeout(SOON, search).await {
            Ok(found) => found,
            Err(_) => panic!("waited {SOON:?} for {what}; events: {:?}", self.kinds()),
        }
    }

    fn kinds(&self) -> Vec<String> {
        let name = |event: &Arc<Event>| {
            format!("{event:?}").chars().take_while(|letter| letter.is_alphanumeric()).collect()
        };
        self.diary.events.lock().unwrap().iter().map(name).collect()
    }
}

/// Starts a network that forgets. With `SANDBOX_LOG` set it tells what it does.
pub async fn network() -> Sandbox {
    if let Ok(filter) = std::env::var("SANDBOX_LOG") {
        // It fails when an earlier test of the process has done it.
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    }
    Sandbox::builder().start().await.expect("the network starts")
}

/// Starts a network with these phones.
pub async fn network_with(phones: &[&str]) -> Sandbox {
    let network = network().await;
    for phone in phones {
        create(&network.control(), phone).await;
    }
    network
}

/// Makes a phone.
pub async fn create(control: &Control, phone: &str) {
    let (status, body) = call(control, "POST", "/sandbox/phones", json!({"phone": phone})).await;
    assert_eq!(status, 201, "{body}");
}

/// Calls the control API with a JSON body (or none, for null).
pub async fn call(control: &Control, method: &str, target: &str, body: Value) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let reply = control.call(method, path, query, bytes).await;
    (reply.status, serde_json::from_slice(&reply.body).expect("control answers are JSON"))
}

/// Sends a plain HTTP request and reads the JSON answer.
pub async fn http(addr: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(addr).await.expect("the network listens");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // A refused body may be cut off; the answer still comes.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Sets a fault.
pub async fn fault(network: &Sandbox, rule: Value) -> Value {
    let (status, body) = call(&network.control(), "PUT", "/sandbox/faults", rule).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// Lets a phone write a text and returns the id.
pub async fn phone_sends(control: &Control, phone: &str, to: &str, text: &str) -> String {
    let (status, body) =
        call(control, "POST", &format!("/sandbox/phones/{phone}/messages"), json!({"to": to, "text": text}))
            .await;
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

/// Lists what a phone has.
pub async fn inbox(control: &Control, phone: &str) -> Vec<Value> {
    let (status, body) =
        call(control, "GET", &format!("/sandbox/phones/{phone}/messages"), Value::Null).await;
    assert_eq!(status, 200, "{body}");
    body.as_array().unwrap().clone()
}

/// Waits until a phone has a message that satisfies `wanted`.
pub async fn phone_has(control: &Control, phone: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let messages = inbox(control, phone).await;
        if let Some(found) = messages.iter().find(|one| wanted(one)) {
            return found.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "phone {phone} never got it; it has {messages:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until the network has noticed that a phone's companion left.
pub async fn offline(control: &Control, phone: &str) {
    let deadline = tokio::time::Instant::now() + SOON;
    loop {
        let (_, view) = call(control, "GET", &format!("/sandbox/phones/{phone}"), Value::Null).await;
        if view["companions"][0]["online"] == false {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "the network never noticed: {view}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until a phone has this text.
pub async fn phone_receives(control: &Control, phone: &str, text: &str) -> Value {
    phone_has(control, phone, |one| one["text"] == text).await
}

pub fn pn(number: &str) -> Jid {
    Jid::pn(number)
}

pub fn conversation(text: &str) -> wa::Message {
    wa::Message { conversation: Some(text.to_owned()), ..Default::default() }
}
