//! A network, an installation on it, and ways to wait for what should happen.

use crate::clock::Clock;
use crate::egress::Egress;
use crate::model::device::{Device, DeviceStatus};
use crate::model::event::{Event, Fact};
use crate::model::id::{DeviceId, DeviceNo, UserId, message_id};
use crate::model::jid::Jid;
use crate::model::message::{Message, Outgoing, Text};
use crate::store::{Store, devices, messages, outbox};
use crate::wa::{Fleet, Live, Network, Options, SendFailure};
use kurir_sandbox::Sandbox;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Longest wait for anything that should happen.
pub const SOON: Duration = Duration::from_secs(30);

/// The simulated network.
pub struct World {
    pub sandbox: Sandbox,
}

impl World {
    pub async fn start() -> Self {
        Self { sandbox: Sandbox::builder().start().await.expect("the network starts") }
    }

    /// Calls the control API; anything but success fails the test.
    pub async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let reply = self.sandbox.control().call(method, path, query, body.into()).await;
        let text = String::from_utf8_lossy(&reply.body);
        assert!(reply.status < 300, "{method} {path}: {} {text}", reply.status);
        serde_json::from_slice(&reply.body).unwrap_or(Value::Null)
    }

    pub async fn phone(&self, number: &str) {
        self.call("POST", "/sandbox/phones", json!({ "phone": number, "name": format!("P{number}") })).await;
    }

    pub async fn fault(&self, fault: Value) {
        self.call("PUT", "/sandbox/faults", fault).await;
    }

    pub async fn clear_faults(&self) {
        self.call("DELETE", "/sandbox/faults", Value::Null).await;
    }

    /// Lets a phone send a text and returns its id.
    pub async fn says(&self, from: &str, to: &str, text: &str) -> String {
        let path = format!("/sandbox/phones/{from}/messages");
        let sent = self.call("POST", &path, json!({ "to": to, "text": text })).await;
        sent["id"].as_str().expect("an id").to_owned()
    }

    /// Returns once the phone has received a message with this text, and how often it arrived.
    pub async fn hears(&self, phone: &str, text: &str) -> u64 {
        let path = format!("/sandbox/phones/{phone}/messages");
        wait_for(&format!("`{text}` on the phone"), async || {
            let all = self.call("GET", &path, Value::Null).await;
            let found = all.as_array()?.iter().find(|message| message["text"] == text)?;
            found["deliveries"].as_u64()
        })
        .await
    }
}

/// An installation with one device.
pub struct Rig {
    pub store: Store,
    pub fleet: Fleet,
    pub no: DeviceNo,
    pub clock: Clock,
}

impl Rig {
    /// Opens the installation in `dir`; its first device is made when it is not there.
    pub async fn open(world: &World, dir: &Path, clock: Clock) -> Self {
        // The tasks of a former installation in this process let go of the file a moment after its end.
        let store = wait_for("the store", async || Store::open(dir, None).ok()).await;
        let network = Network::simulated(&world.sandbox.ws_url()).expect("loopback");
        let options = Options { prekeys: 20, ack_timeout_ms: 15_000, ..Options::default() };
        let egress = Egress::new(false).expect("a client");
        let fleet = Fleet::new(store.clone(), clock.clone(), network, egress, options).expect("a fleet");
        let first = devices::all(&store.view().expect("a view")).expect("devices").first().map(|one| one.no);
        let no = match first {
            Some(no) => no,
            None => add_device(&store, "device-001").await,
        };
        Self { store, fleet, no, clock }
    }

    /// Opens an installation with a device that the phone `number` has linked.
    pub async fn linked(world: &World, dir: &Path, number: &str) -> Self {
        let rig = Self::open(world, dir, Clock::real()).await;
        world.phone(number).await;
        rig.link(world, number).await;
        rig
    }

    /// Links the device by QR.
    pub async fn link(&self, world: &World, number: &str) {
        link(world, &self.fleet, self.no, number).await;
    }

    /// Returns once the snapshot of the device is as asked for.
    pub async fn until(&self, what: &str, is: impl Fn(&Live) -> bool) -> Live {
        until(&self.fleet, self.no, what, is).await
    }

    pub fn device(&self) -> Device {
        devices::by_no(&self.store.view().expect("a view"), self.no).expect("read").expect("a device")
    }

    /// Sends a text under a new id and waits for the network's word.
    pub async fn sends(&self, to: &str, text: &str) -> Result<(), SendFailure> {
        self.sends_as(&message_id(), to, text).await
    }

    pub async fn sends_as(&self, id: &str, to: &str, text: &str) -> Result<(), SendFailure> {
        self.fleet.send(self.no, id, &outgoing(to, text)).await?.wait().await
    }

    /// Returns once a message with this text is in the history of a chat.
    pub async fn reads(&self, chat: &str, text: &str) -> Message {
        let chat = jid(chat);
        wait_for(&format!("`{text}` in the history"), async || {
            let view = self.store.view().expect("a view");
            let page = messages::page(&view, self.no, &chat, None, 100).expect("a page");
            page.into_iter().find(|message| message.content.text() == Some(text))
        })
        .await
    }

    /// Returns everything that was told so far.
    pub fn told(&self) -> Vec<Event> {
        outbox::after(&self.store.view().expect("a view"), 0, 10_000).expect("read")
    }

    pub fn statuses(&self) -> Vec<DeviceStatus> {
        let link = |event: Event| match event.fact {
            Fact::Link { status, .. } => Some(status),
            _ => None,
        };
        self.told().into_iter().filter_map(link).collect()
    }

    /// Ends the installation in an orderly way.
    pub async fn close(self) {
        self.fleet.shutdown().await;
        self.store.close();
    }
}

pub async fn add_device(store: &Store, id: &str) -> DeviceNo {
    let id = DeviceId::parse(id).expect("an id");
    let device = Device::new(id, "Toko".into(), UserId(1), 0);
    store.write(move |tables| devices::insert(tables, device.clone())).await.expect("inserted").no
}

pub async fn link(world: &World, fleet: &Fleet, no: DeviceNo, number: &str) {
    fleet.connect(no).await.expect("connecting");
    let live = until(fleet, no, "a QR", |live| live.qr.is_some()).await;
    assert_eq!(live.status, DeviceStatus::QrRequired);
    let qr = live.qr.expect("a QR").text;
    world.call("POST", &format!("/sandbox/phones/{number}/scan"), json!({ "qr": qr })).await;
    until(fleet, no, "the link", |live| live.status == DeviceStatus::Connected).await;
}

pub async fn until(fleet: &Fleet, no: DeviceNo, what: &str, is: impl Fn(&Live) -> bool) -> Live {
    let mut watch = fleet.watch(no);
    let found = tokio::time::timeout(SOON, watch.wait_for(|live| is(live))).await;
    match found {
        Ok(live) => live.expect("the fleet lives").clone(),
        Err(_) => panic!("no {what} in time: {:?}", fleet.live(no)),
    }
}

/// Asks again and again until there is an answer.
pub async fn wait_for<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, asking).await.unwrap_or_else(|_| panic!("no {what} in time"))
}

pub fn outgoing(to: &str, text: &str) -> Outgoing {
    Outgoing::text(jid(to), Text::parse(text).expect("a text"))
}

pub fn jid(number: &str) -> Jid {
    format!("{number}@s.whatsapp.net").parse().expect("an address")
}
