//! The running devices: start, stop, ask, send.

use super::account::Account;
use super::channels::Channels;
use super::device::{self, By};
use super::groups::Groups;
use super::http::MediaHttp;
use super::live::{Live, PairingCode};
use super::media::{self, DownloadFailure};
use super::network::Network;
use super::options::Options;
use super::outcome::{PendingAck, SendFailure};
use super::seat::{AccountChange, Change, Parts, Running, Seat, Stop};
use super::transport::Dialler;
use super::version::Versions;
use super::{history, pairing, passkey, people, send, sightings};
use crate::clock::Clock;
use crate::egress::Egress;
use crate::error::{Code, Error, Result};
use crate::model::device::{Device, DeviceStatus};
use crate::model::id::DeviceNo;
use crate::model::jid::{Jid, Phone};
use crate::model::media::{Media, Remote};
use crate::model::message::{Message, Outgoing};
use crate::model::sighting::Sighting;
use crate::store::files::Received;
use crate::store::{Store, devices};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, broadcast, watch};

/// How long a device's task has to end before it is abandoned: closing alone may take four seconds.
const HALT_TIMEOUT: Duration = Duration::from_secs(6);
/// How long all of them have at the end of the program.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// Uploads that share the line: more would not be faster, and each takes a scratch file as large as its file.
const UPLOADS: usize = 4;

/// All devices of the installation. Clones share them.
#[derive(Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Arc<Parts>,
    seats: Mutex<HashMap<DeviceNo, Arc<Seat>>>,
}

impl Fleet {
    /// Puts the fleet together; nothing connects before [`Fleet::restore`] or [`Fleet::connect`].
    ///
    /// A sandbox build refuses the real network, because it does not check its certificates.
    pub fn new(
        store: Store,
        clock: Clock,
        network: Network,
        egress: Egress,
        options: Options,
    ) -> Result<Self> {
        let media = media_http(&network, egress)?;
        let versions = match network.is_simulated() {
            true => Versions::fixed(),
            false => Versions::looked_up(store.clone(), clock.clone(), media.clone())?,
        };
        let parts = Parts {
            dialler: Dialler::new(&network)?,
            media,
            versions,
            connecting: Arc::new(Semaphore::new(options.restore_parallel.max(1))),
            uploads: Semaphore::new(UPLOADS),
            sightings: sightings::channel(),
            crashes: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            store,
            clock,
            options,
        };
        Ok(Self { inner: Arc::new(Inner { parts: Arc::new(parts), seats: Mutex::default() }) })
    }

    /// Corrects stored states that are not true after a restart and starts every device that is linked and wanted.
    ///
    /// Returns when all were started; they connect a few at a time (`Options::restore_parallel`).
    pub async fn restore(&self) -> Result<()> {
        let stored = self.inner.parts.store.scan(devices::all).await?;
        // All at once, so that their corrections share a commit.
        futures_util::future::join_all(stored.iter().map(async |device| {
            if let Err(why) = self.restore_one(device).await {
                tracing::error!(device = %device.no, "a device could not be restored: {why}");
            }
        }))
        .await;
        Ok(())
    }

    async fn restore_one(&self, device: &Device) -> Result<()> {
        let seat = self.seat(device.no)?;
        let mut control = seat.control.lock().await;
        let account = seat.backend().stored_account()?;
        let is_linked = account.is_some();
        if device.status.is_alive() || device.linked != is_linked {
            let status = if device.status.is_alive() { DeviceStatus::Disconnected } else { device.status };
            let account = account.map_or(AccountChange::Gone, AccountChange::Linked);
            let trouble = device.trouble.clone();
            seat.tell(Change { account, trouble, ..Change::to(status) }).await?;
        }
        if is_linked && device.wanted && device.status != DeviceStatus::Cancelled {
            *control = Some(device::start(seat.clone(), By::Itself));
        }
        Ok(())
    }

    /// Connects a device on a person's wish: also when it was cancelled, and at once when it waits for its next attempt.
    /// Does nothing when it is connecting or connected.
    pub async fn connect(&self, no: DeviceNo) -> Result<()> {
        if self.inner.parts.stopping.load(Ordering::SeqCst) {
            return Err(Error::new(Code::Unavailable));
        }
        let seat = self.seat(no)?;
        let mut control = seat.control.lock().await;
        let is_running = control.as_ref().is_some_and(|running| !running.task.is_finished());
        if is_running && seat.live.borrow().status.is_alive() {
            return Ok(());
        }
        halt(&mut control, Stop::Close).await;
        let change = Change { attempts: Some(1), wanted: Some(true), ..Change::to(DeviceStatus::Connecting) };
        seat.tell(change).await?;
        *control = Some(device::start(seat.clone(), By::Person));
        Ok(())
    }

    /// Disconnects a device; it stays so until it is connected again. `logout` also unlinks it from the phone and deletes its
    /// credentials.
    pub async fn disconnect(&self, no: DeviceNo, logout: bool) -> Result<()> {
        let seat = self.seat(no)?;
        let mut control = seat.control.lock().await;
        halt(&mut control, if logout { Stop::LogOut } else { Stop::Close }).await;
        let mut change = Change { wanted: Some(false), ..Change::to(DeviceStatus::Disconnected) };
        if logout {
            seat.wipe().await?;
            change.account = AccountChange::Gone;
        }
        seat.tell(change).await
    }

    /// Stops a device, unlinks it if that is possible right now, deletes its credentials and holds automatic connecting back
    /// until a person connects it. May be repeated.
    pub async fn wipe(&self, no: DeviceNo) -> Result<()> {
        let seat = self.seat(no)?;
        let mut control = seat.control.lock().await;
        halt(&mut control, Stop::LogOut).await;
        seat.wipe().await?;
        let change = Change {
            wanted: Some(false),
            account: AccountChange::Gone,
            ..Change::to(DeviceStatus::Cancelled)
        };
        seat.tell(change).await
    }

    /// Stops a device for good and unlinks it if that is possible right now, before its rows are removed.
    pub async fn forget(&self, no: DeviceNo) -> Result<()> {
        let seat = self.seat(no)?;
        let mut control = seat.control.lock().await;
        halt(&mut control, Stop::LogOut).await;
        // Stragglers of the client must not write into the rows that are about to go.
        seat.wipe().await?;
        lock(&self.inner.seats).remove(&no);
        Ok(())
    }

    /// Asks for a pairing code for the number `phone`, and starts the connection when it is not there.
    ///
    /// Refuses with [`Code::DeviceRegistered`] when the device is linked, with [`Code::PairingCodeRefused`] when WhatsApp does
    /// not give one.
    pub async fn pairing_code(&self, no: DeviceNo, phone: &Phone) -> Result<PairingCode> {
        let seat = self.seat(no)?;
        if seat.backend().stored_account()?.is_some() {
            return Err(Error::new(Code::DeviceRegistered));
        }
        self.connect(no).await?;
        pairing::code(&seat, phone).await
    }

    /// Passes the answer to a passkey request on: a WebAuthn assertion, or `{"confirm":true}` for a code to compare.
    pub async fn answer_passkey(&self, no: DeviceNo, answer: serde_json::Value) -> Result<()> {
        passkey::answer(&*self.seat(no)?, answer).await
    }

    /// Returns what is true of the device right now.
    pub fn live(&self, no: DeviceNo) -> Live {
        self.watch(no).borrow().clone()
    }

    /// Returns a receiver of every change of [`Fleet::live`]. Of an unknown device nothing will ever be heard.
    pub fn watch(&self, no: DeviceNo) -> watch::Receiver<Live> {
        match self.seat(no) {
            Ok(seat) => seat.live.subscribe(),
            Err(_) => watch::channel(Live::default()).1,
        }
    }

    /// Returns a receiver of who types and who is there, from now on and for all devices. Who reads slowly misses some.
    pub fn sightings(&self) -> broadcast::Receiver<Sighting> {
        self.inner.parts.sightings.subscribe()
    }

    /// Returns whether the person has a WhatsApp account. What is known already is not asked again for a while; hidden ids
    /// are taken as present.
    pub async fn is_on_whatsapp(&self, no: DeviceNo, to: &Jid) -> Result<bool, SendFailure> {
        let seat = self.seat(no).map_err(SendFailure::Broken)?;
        people::is_on_whatsapp(&seat, to).await
    }

    /// Sends a message under the id it was given when it was stored; returns once its frame is written.
    ///
    /// The message counts as sent when [`PendingAck::wait`] says so.
    pub async fn send(
        &self,
        no: DeviceNo,
        message_id: &str,
        what: &Outgoing,
    ) -> Result<PendingAck, SendFailure> {
        let seat = self.seat(no).map_err(SendFailure::Broken)?;
        send::send(&seat, message_id, what).await
    }

    /// Downloads the file of an incoming message, checks it, and returns it.
    pub async fn download(&self, no: DeviceNo, file: &Media) -> Result<Received, DownloadFailure> {
        let seat = self.seat(no).map_err(DownloadFailure::Broken)?;
        media::download(&seat, file).await
    }

    /// Asks the sender's phone to give WhatsApp the file of a message once more; returns the path where it is then.
    pub async fn download_again(&self, message: &Message, file: &Remote) -> Result<String, DownloadFailure> {
        let seat = self.seat(message.device).map_err(DownloadFailure::Broken)?;
        media::download_again(&seat, message, file).await
    }

    /// Tells the senders that their messages were read; `sender` names the author in a group.
    pub async fn mark_read(
        &self,
        no: DeviceNo,
        chat: &Jid,
        sender: Option<&Jid>,
        ids: &[String],
    ) -> Result<(), SendFailure> {
        let seat = self.seat(no).map_err(SendFailure::Broken)?;
        send::mark_read(&seat, chat, sender, ids).await
    }

    /// Asks the phone for up to `count` messages before `oldest`; returns once they are stored, or `patience` is over.
    pub async fn ask_for_history(
        &self,
        no: DeviceNo,
        oldest: &Message,
        count: usize,
        patience: Duration,
    ) -> Result<(), SendFailure> {
        let seat = self.seat(no).map_err(SendFailure::Broken)?;
        history::ask(&seat, oldest, count, patience).await
    }

    /// Returns the device's groups, for questions and changes.
    pub fn groups(&self, no: DeviceNo) -> Result<Groups> {
        Ok(Groups::of(self.seat(no)?))
    }

    /// Returns the device's channels.
    pub fn channels(&self, no: DeviceNo) -> Result<Channels> {
        Ok(Channels::of(self.seat(no)?))
    }

    /// Returns the device's account, for what it shows of itself.
    pub fn account(&self, no: DeviceNo) -> Result<Account> {
        Ok(Account::of(self.seat(no)?))
    }

    /// Returns how many device tasks have panicked and were started again.
    pub fn crashes(&self) -> u64 {
        self.inner.parts.crashes.load(Ordering::Relaxed)
    }

    /// Closes all connections and writes what the library still holds, within 5 seconds. Nothing connects any more.
    pub async fn shutdown(&self) {
        self.inner.parts.stopping.store(true, Ordering::SeqCst);
        self.inner.parts.versions.stop();
        let seats: Vec<Arc<Seat>> = lock(&self.inner.seats).values().cloned().collect();
        let all = futures_util::future::join_all(seats.iter().map(|seat| rest(seat)));
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, all).await.is_err() {
            tracing::warn!("some devices did not disconnect in time");
        }
    }

    /// Returns the device's place, and makes it from the stored row when it is asked for the first time.
    fn seat(&self, no: DeviceNo) -> Result<Arc<Seat>> {
        if let Some(seat) = lock(&self.inner.seats).get(&no) {
            return Ok(seat.clone());
        }
        let device = devices::by_no(&self.inner.parts.store.view()?, no)?;
        let device = device.ok_or_else(|| Error::new(Code::DeviceNotFound))?;
        let fresh = Arc::new(Seat::new(self.inner.parts.clone(), &device));
        Ok(lock(&self.inner.seats).entry(no).or_insert(fresh).clone())
    }

    #[cfg(test)]
    pub(super) fn seat_for_tests(&self, no: DeviceNo) -> Arc<Seat> {
        self.seat(no).expect("a device")
    }
}

/// Ends a device's task and waits for it.
async fn halt(control: &mut Option<Running>, how: Stop) {
    let Some(mut running) = control.take() else { return };
    // It fails only when the task has ended already.
    let _ = running.stop.send(how);
    if tokio::time::timeout(HALT_TIMEOUT, &mut running.task).await.is_err() {
        running.task.abort();
    }
}

/// Closes a device's connection at the end of the program; it will be restored at the next start.
async fn rest(seat: &Seat) {
    let mut control = seat.control.lock().await;
    let was_running = control.as_ref().is_some_and(|running| !running.task.is_finished());
    halt(&mut control, Stop::Close).await;
    if was_running && let Err(why) = seat.tell(Change::to(DeviceStatus::Disconnected)).await {
        tracing::error!(device = %seat.no, "noting the end of a connection: {why}");
    }
}

#[cfg(feature = "sandbox")]
fn media_http(network: &Network, _egress: Egress) -> Result<MediaHttp> {
    match network.is_simulated() {
        true => {
            let address = network.address();
            Ok(MediaHttp::new(Egress::loopback_only()?, (!address.tls).then_some(address.port)))
        }
        false => Err(Error::broken(
            "this is a sandbox build, which does not check WhatsApp's certificates: use the normal build for the real network",
        )),
    }
}

#[cfg(not(feature = "sandbox"))]
fn media_http(_network: &Network, egress: Egress) -> Result<MediaHttp> {
    Ok(MediaHttp::new(egress, None))
}

/// The map is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
