//! The hot rooms, each alone: the store's writer and readers, sealing, routing, a request's way into the queue, a QR picture.
//!
//! Everything goes through the public API and the real store on a temporary directory. `cargo bench --bench rooms`; set
//! `TMPDIR` to the disk that is meant.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use futures_util::future::join_all;
use kurir::clock::Clock;
use kurir::config::Config;
use kurir::egress::Egress;
use kurir::gateway::{Credential, Gateway};
use kurir::http::{self, Limits, Settings, Stop};
use kurir::model::device::Device;
use kurir::model::id::{DeviceId, DeviceNo, UserId, message_id};
use kurir::model::jid::Jid;
use kurir::model::job::{Item, ItemState, Job, JobKind, JobStatus, Pacing};
use kurir::model::message::{Content, Message, MessageStatus, Outgoing, Text};
use kurir::store::jobs::{self, Outcome};
use kurir::store::sessions::{self, Change};
use kurir::store::{Store, devices, messages, outbox};
use kurir::wa::{Fleet, Network, Options};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;

/// Callers that write at the same time.
const CALLERS: [usize; 4] = [1, 16, 64, 256];
/// Messages of the chat that the readers find.
const HISTORY: i64 = 10_000;
/// Size of a Signal session record, in bytes.
const RECORD_BYTES: usize = 400;
/// A linking QR has about this many characters.
const QR_CHARS: usize = 240;

fn main() {
    divan::main();
}

/// A store with one device.
struct Room {
    store: Store,
    device: DeviceNo,
    runtime: Runtime,
    // Removed last.
    _dir: TempDir,
}

impl Room {
    fn new() -> Self {
        let (dir, runtime) = (directory(), runtime());
        let store = Store::open(dir.path(), None).expect("a new store opens");
        let device = runtime.block_on(add_device(&store));
        Self { store, device, runtime, _dir: dir }
    }

    /// A store whose chat has a history, and whose outbox tells of it.
    fn with_history() -> Self {
        let room = Self::new();
        let device = room.device;
        let filled = room.store.write(move |tables| {
            (0..HISTORY).try_for_each(|n| {
                messages::receive(tables, &incoming(device, format!("M{n}"), n), n).map(drop)
            })
        });
        room.runtime.block_on(filled).expect("written");
        room
    }

    fn receive(&self, n: i64) -> impl Future<Output = kurir::error::Result<bool>> + use<> {
        let (store, message) = (self.store.clone(), incoming(self.device, message_id(), n));
        async move { store.write(move |tables| messages::receive(tables, &message, n)).await }
    }
}

/// An incoming message: message, chat and outbox row, one commit for all callers that wait together.
#[divan::bench(args = CALLERS)]
fn store_write(bencher: Bencher, callers: usize) {
    let room = Room::new();
    bencher.counter(ItemsCount::new(callers)).bench_local(|| {
        let written = room.runtime.block_on(join_all((0..callers).map(|n| room.receive(n as i64))));
        assert!(written.into_iter().all(|new| new.expect("written")));
    });
}

/// A send's two commits, one after the other: into the queue, and settled.
#[divan::bench(args = CALLERS)]
fn queue_insert_and_settle(bencher: Bencher, callers: usize) {
    let room = Room::new();
    let send = || {
        let (store, (job, item)) = (room.store.clone(), single(room.device));
        async move {
            let id = job.id.clone();
            store.write(move |tables| jobs::insert(tables, &job, std::slice::from_ref(&item), None)).await?;
            store.write(move |tables| jobs::settle(tables, &id, 0, &Outcome::Sent, 1)).await
        }
    };
    bencher.counter(ItemsCount::new(callers)).bench_local(|| {
        let settled = room.runtime.block_on(join_all((0..callers).map(|_| send())));
        assert!(settled.into_iter().all(|job| job.expect("settled").status == JobStatus::Completed));
    });
}

/// One job by its id.
#[divan::bench]
fn store_read_point(bencher: Bencher) {
    let room = Room::with_history();
    let (job, item) = single(room.device);
    let id = job.id.clone();
    let insert =
        room.store.write(move |tables| jobs::insert(tables, &job, std::slice::from_ref(&item), None));
    room.runtime.block_on(insert).expect("written");
    bencher.bench_local(|| {
        let view = room.store.view().expect("a view");
        jobs::get(&view, black_box(id.as_str())).expect("read").expect("found")
    });
}

/// The newest 50 messages of a chat.
#[divan::bench]
fn store_read_page(bencher: Bencher) {
    let room = Room::with_history();
    bencher.counter(ItemsCount::new(50usize)).bench_local(|| {
        let view = room.store.view().expect("a view");
        let page = messages::page(&view, room.device, &chat(), None, 50).expect("read");
        assert_eq!(page.len(), 50);
        page
    });
}

/// 100 events behind a cursor.
#[divan::bench]
fn outbox_read(bencher: Bencher) {
    let room = Room::with_history();
    bencher.counter(ItemsCount::new(100usize)).bench_local(|| {
        let view = room.store.view().expect("a view");
        let events = outbox::after(&view, black_box(HISTORY as u64 / 2), 100).expect("read");
        assert_eq!(events.len(), 100);
        events
    });
}

/// Sealing one protocol record.
#[divan::bench]
fn protocol_seal(bencher: Bencher) {
    let room = Room::new();
    bencher.bench_local(|| record(&room, black_box(7)));
}

/// A batch of protocol records, sealed and committed in one transaction.
#[divan::bench(args = [1, 64])]
fn protocol_seal_and_write(bencher: Bencher, records: u32) {
    let room = Room::new();
    bencher.counter(ItemsCount::new(records)).bench_local(|| {
        let changes = (0..records).map(|n| record(&room, n)).collect();
        room.runtime.block_on(sessions::write(&room.store, room.device, changes)).expect("written");
    });
}

/// A whole site over an idle store, and the token of its owner.
struct Site {
    filter: BoxedFilter<(Response,)>,
    token: String,
    room: Room,
    _stop: watch::Sender<bool>,
}

impl Site {
    fn new() -> Self {
        let room = Room::new();
        let (stop, stopped) = watch::channel(false);
        let (gateway, token) = room.runtime.block_on(gateway(&room.store));
        let settings = Settings {
            listen: Vec::new(),
            open: Vec::new(),
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: Limits { window_ms: 60_000, anonymous_max: 0, user_max: 0 },
            sandbox: None,
        };
        let filter = http::site(settings, gateway, Stop::new(stopped)).expect("the rows are consistent");
        Self { filter, token, room, _stop: stop }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> StatusCode {
        let request = warp::test::request()
            .method(method)
            .path(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body);
        self.room.runtime.block_on(request.reply(&self.filter)).status()
    }
}

/// A path that no row has: the tables and the envelope, no caller.
#[divan::bench]
fn dispatch_unknown_path(bencher: Bencher) {
    let site = Site::new();
    bencher.bench_local(|| {
        let path = "/api/whatsapp-multi-device/devices/device-001/nothing";
        assert_eq!(site.ask("GET", path, ""), StatusCode::NOT_FOUND);
    });
}

/// A row with a parameter, its caller recognised by a personal token, answered from the store.
#[divan::bench]
fn dispatch_device_status(bencher: Bencher) {
    let site = Site::new();
    bencher.bench_local(|| {
        let path = "/api/whatsapp-multi-device/devices/device-001/status";
        assert_eq!(site.ask("GET", path, ""), StatusCode::OK);
    });
}

/// From the bytes of a body into the queue, durable: parse, check every entry, one commit.
#[divan::bench(args = [1, 100, 10_000], sample_size = 1, sample_count = 20)]
fn json_to_queue(bencher: Bencher, entries: usize) {
    let site = Site::new();
    let entry = |n| json!({"to": format!("62812{n:07}"), "message": "Pesanan Anda sudah kami kirim."});
    let body = json!({"messages": (0..entries).map(entry).collect::<Vec<_>>(), "delay": 1}).to_string();
    bencher.counter(ItemsCount::new(entries)).bench_local(|| {
        let path = "/api/whatsapp-multi-device/devices/device-001/jobs/send-text";
        assert_eq!(site.ask("POST", path, &body), StatusCode::ACCEPTED);
    });
}

/// A linking code as the picture of the documented clients.
#[divan::bench]
fn qr_png(bencher: Bencher) {
    let code = "2@".to_owned() + &"aB3/".repeat(QR_CHARS / 4);
    bencher.bench_local(|| http::qr::png_data_url(black_box(&code)).expect("a picture"));
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

async fn gateway(store: &Store) -> (Gateway, String) {
    let network = Network::simulated("ws://127.0.0.1:9/ws/chat").expect("a loopback address");
    let egress = Egress::new(false).expect("a client");
    let fleet = Fleet::new(store.clone(), Clock::real(), network, egress, Options::default());
    let fleet = fleet.expect("an idle fleet");
    let gateway = Gateway::new(store.clone(), fleet, Clock::real(), Config::default(), false).await;
    let gateway = gateway.expect("a gateway");
    gateway.claim_with("owner@example.com", "a password nobody guesses").await.expect("claimed");
    let login = gateway.login("owner@example.com", "a password nobody guesses").await.expect("logged in");
    let owner = gateway.authenticate(Credential::Bearer(&login.access)).await.expect("recognised");
    let (_, token) = gateway.create_token(&owner, "bench", None).await.expect("a token");
    (gateway, token)
}

async fn add_device(store: &Store) -> DeviceNo {
    let id = DeviceId::parse("device-001").expect("an id");
    let device = Device::new(id, "Toko".into(), UserId(1), 0);
    store.write(move |tables| devices::insert(tables, device.clone())).await.expect("inserted").no
}

fn chat() -> Jid {
    "6281234567890@s.whatsapp.net".parse().expect("an address")
}

fn incoming(device: DeviceNo, id: String, at: i64) -> Message {
    Message {
        device,
        id,
        chat: chat(),
        sender: Some(chat()),
        from_me: false,
        push_name: Some("Ani".into()),
        content: Content::Text { text: "Apakah pesanan saya sudah dikirim?".into() },
        mentions: Vec::new(),
        marks: Default::default(),
        at,
        status: MessageStatus::Delivered,
        error: None,
        job: None,
    }
}

fn single(device: DeviceNo) -> (Job, Item) {
    let text = Text::parse("Pesanan Anda sudah kami kirim.").expect("a text");
    let job = Job::new(JobKind::SendSingle, device, UserId(1), Pacing::Every { ms: 0 }, 1, 0);
    let item = Item {
        index: 0,
        to: chat().to_string(),
        outgoing: Some(Outgoing::text(chat(), text)),
        message_id: message_id(),
        state: ItemState::Pending,
        error: None,
        attempts: 0,
        settled_at: None,
        place: None,
    };
    (job, item)
}

fn record(room: &Room, n: u32) -> Change {
    let value = [0x5a; RECORD_BYTES];
    Change::put(room.store.seal(), room.device, 1, &n.to_be_bytes(), &value).expect("sealed")
}
