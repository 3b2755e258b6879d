//! The bare protocol library on an in-memory store, in a process of its own that takes orders from standard input.

use crate::figures::{Figures, ms};
use crate::network;
use crate::pace::{self, Caller, Load};
use crate::process::Process;
use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::BufRead as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use wacore::net::{HttpClient, HttpRequest, HttpResponse, Transport, TransportEvent, TransportFactory};
use wacore::store::InMemoryBackend;
use wacore::types::events::{Event, EventHandler};
use waproto::whatsapp as wire;
use whatsapp_rust::bot::{Bot, BotHandle};
use whatsapp_rust::send::SendOptions;
use whatsapp_rust::{Client, TokioRuntime, async_channel};

/// The argument that chooses this role.
pub const ROLE: &str = "bare";
/// One-time keys per device, as many as Kurir keeps.
const PREKEYS: usize = 812;
/// Longest wait for a connection.
const CONNECTED_WITHIN: Duration = Duration::from_secs(60);

/// What the process is told to do.
#[derive(Serialize, Deserialize)]
enum Order {
    /// Link devices until there are this many.
    Link(usize),
    /// Throw all clients away and log in again with what is stored; answers with the milliseconds that took.
    Restore,
    /// Let devices send.
    Load(Load),
}

/// The bare library as the benchmark sees it.
pub struct Bare {
    /// The process.
    pub process: Process,
}

impl Bare {
    /// Starts it without a device.
    pub fn start(network: SocketAddr) -> Result<Self> {
        Ok(Self { process: Process::role(&[ROLE, &network.to_string()])? })
    }

    /// Links devices until there are this many.
    pub fn link(&mut self, devices: usize) -> Result<()> {
        self.order(&Order::Link(devices))
    }

    /// Logs all devices in again and returns the milliseconds that took.
    pub fn restore(&mut self) -> Result<f64> {
        self.order(&Order::Restore)
    }

    /// Lets devices send.
    pub fn load(&mut self, load: &Load) -> Result<Figures> {
        self.order(&Order::Load(*load))
    }

    fn order<T: for<'de> Deserialize<'de>>(&mut self, order: &Order) -> Result<T> {
        self.process.tell(&serde_json::to_string(order)?)?;
        serde_json::from_str(&self.process.hear()?).context("reading the bare library's answer")
    }
}

/// Carries out orders until its input ends.
pub fn serve(network: &str) -> Result<()> {
    let network = network.parse().context("the network's address")?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut devices: Vec<Device> = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?)? {
            Order::Link(count) => {
                while devices.len() < count {
                    devices.push(runtime.block_on(Device::link(network, devices.len()))?);
                }
                serde_json::Value::Null
            }
            Order::Restore => {
                let stores = runtime.block_on(end(std::mem::take(&mut devices)));
                let begun = Instant::now();
                devices = runtime.block_on(restore(network, stores))?;
                ms(&begun.elapsed()).into()
            }
            Order::Load(load) => {
                let callers = devices.iter().take(load.devices).enumerate().flat_map(|(no, device)| {
                    (0..load.callers).map(move |caller| Sender::new(device, &pace::recipient(no, caller)))
                });
                let callers = callers.collect::<Result<Vec<_>>>()?;
                serde_json::to_value(runtime.block_on(pace::run(callers, &load))?)?
            }
        };
        println!("{answer}");
    }
    Ok(())
}

/// A device: the library's client over a store of its own.
struct Device {
    client: Arc<Client>,
    store: Arc<InMemoryBackend>,
    handle: BotHandle,
    acks: Arc<Acks>,
    qr: mpsc::UnboundedReceiver<String>,
}

impl Device {
    async fn open(network: SocketAddr, store: Arc<InMemoryBackend>) -> Result<Self> {
        let bot = Bot::builder()
            .with_backend_arc(store.clone())
            .with_transport_factory(Dialler(network))
            .with_http_client(NoHttp)
            .with_runtime(TokioRuntime)
            .with_version((2, 3000, 0))
            .with_wanted_pre_key_count(PREKEYS)
            .skip_history_sync()
            .build()
            .await
            .context("putting a client together")?;
        let client = bot.client();
        let (shown, qr) = mpsc::unbounded_channel();
        let acks = Arc::new(Acks { waiting: Mutex::default(), shown });
        client.subscribe_handler(acks.clone()).detach();
        Ok(Self { client, store, handle: bot.spawn(), acks, qr })
    }

    async fn link(network: SocketAddr, no: usize) -> Result<Self> {
        let mut device = Self::open(network, Arc::new(InMemoryBackend::new())).await?;
        let qr = device.qr.recv().await.context("a QR")?;
        network::scan(network, &format!("628112{no:03}5"), &qr).await?;
        device.client.wait_for_connected(CONNECTED_WITHIN).await.context("connecting")?;
        Ok(device)
    }
}

async fn end(devices: Vec<Device>) -> Vec<Arc<InMemoryBackend>> {
    let mut stores = Vec::with_capacity(devices.len());
    for device in devices {
        device.client.disconnect().await;
        device.handle.shutdown().await;
        stores.push(device.store);
    }
    stores
}

async fn restore(network: SocketAddr, stores: Vec<Arc<InMemoryBackend>>) -> Result<Vec<Device>> {
    let mut opening = JoinSet::new();
    for store in stores {
        opening.spawn(async move {
            let device = Device::open(network, store).await?;
            device.client.wait_for_connected(CONNECTED_WITHIN).await.context("connecting")?;
            anyhow::Ok(device)
        });
    }
    opening.join_all().await.into_iter().collect()
}

/// One caller of a device.
struct Sender {
    client: Arc<Client>,
    acks: Arc<Acks>,
    to: wacore_binary::Jid,
}

impl Sender {
    fn new(device: &Device, to: &str) -> Result<Self> {
        let to = format!("{to}@s.whatsapp.net").parse().context("an address")?;
        Ok(Self { client: device.client.clone(), acks: device.acks.clone(), to })
    }
}

impl Caller for Sender {
    async fn send(&mut self) -> Result<()> {
        let id = kurir::model::id::message_id();
        // Registered first: the acknowledgement may arrive before the call returns.
        let acknowledged = self.acks.expect(&id);
        let message = wire::Message { conversation: Some(pace::TEXT.to_owned()), ..Default::default() };
        let options = SendOptions::default().with_message_id(id);
        self.client.send_message_with_options(self.to.clone(), message, options).await?;
        acknowledged.await.context("the network's acknowledgement")
    }
}

/// What waits for the network, and the QRs of a device that is not linked yet.
struct Acks {
    waiting: Mutex<HashMap<String, oneshot::Sender<()>>>,
    shown: mpsc::UnboundedSender<String>,
}

impl Acks {
    fn expect(&self, id: &str) -> oneshot::Receiver<()> {
        let (sender, acknowledged) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), sender);
        acknowledged
    }
}

impl EventHandler for Acks {
    fn handle_event(&self, event: Arc<Event>) {
        match &*event {
            // A refusal drops the sender, which fails the run.
            Event::ServerAck(ack) => {
                let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&*ack.id);
                if let Some(sender) = waiting.filter(|_| ack.error.is_none()) {
                    let _ = sender.send(());
                }
            }
            Event::PairingQrCode(qr) => drop(self.shown.send(qr.code.to_string())),
            _ => {}
        }
    }
}

/// Dials without Nagle's algorithm, like Kurir: the library's own way is several times slower over loopback.
struct Dialler(SocketAddr);

#[async_trait]
impl TransportFactory for Dialler {
    async fn create_transport(
        &self,
    ) -> Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>)> {
        let stream = TcpStream::connect(self.0).await?;
        stream.set_nodelay(true)?;
        let url = network::url(self.0);
        let (socket, _) = tokio_websockets::ClientBuilder::new().uri(&url)?.connect_on(stream).await?;
        Ok(whatsapp_rust_tokio_transport::from_websocket(socket))
    }
}

struct NoHttp;

#[async_trait]
impl HttpClient for NoHttp {
    async fn execute(&self, _: HttpRequest) -> Result<HttpResponse> {
        bail!("texts need no HTTP")
    }
}
