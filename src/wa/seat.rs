//! One device's place in the fleet: what its task, its senders and its watchers share.

use super::acks::Acks;
use super::backend::{Account, Backend};
use super::contacts::Owed;
use super::history::Answers;
use super::http::MediaHttp;
use super::live::{Live, PairingCode, Qr};
use super::options::Options;
use super::people::People;
use super::sightings::Followed;
use super::transport::Dialler;
use super::version::Versions;
use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::model::device::{Device, DeviceStatus, LinkStep, LinkTrouble};
use crate::model::event::Fact;
use crate::model::id::DeviceNo;
use crate::model::jid::Phone;
use crate::model::sighting::Sighting;
use crate::store::{Store, devices, outbox};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::JoinHandle;
use whatsapp_rust::Client;

/// What all devices share.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) options: Options,
    pub(super) dialler: Dialler,
    pub(super) media: MediaHttp,
    pub(super) versions: Versions,
    /// Automatic connects that may be under way at the same time.
    pub(super) connecting: Arc<Semaphore>,
    /// Uploads that may be under way at the same time.
    pub(super) uploads: Semaphore,
    /// Where it is told who types and who is there.
    pub(super) sightings: broadcast::Sender<Sighting>,
    pub(super) crashes: AtomicU64,
    pub(super) stopping: AtomicBool,
}

/// One device's place.
pub(super) struct Seat {
    pub(super) no: DeviceNo,
    pub(super) parts: Arc<Parts>,
    backend: Mutex<Arc<Backend>>,
    pub(super) acks: Acks,
    pub(super) people: People,
    pub(super) followed: Followed,
    /// Held while the network is asked about groups, so that nobody asks for what somebody else is waiting for.
    pub(super) group_question: tokio::sync::Mutex<()>,
    /// Collections of the account's settings that could not be read and have to be asked for again.
    pub(super) owed: Mutex<Owed>,
    /// What the phone has answered to questions for its history.
    pub(super) answers: Answers,
    pub(super) live: watch::Sender<Live>,
    /// The client while a connection is up or being made.
    client: Mutex<Option<Arc<Client>>>,
    /// The number that the last pairing code was asked for.
    code_for: Mutex<Option<(Phone, Millis)>>,
    /// The device's task. Held over a whole connect, disconnect or wipe, so that these never mix.
    pub(super) control: tokio::sync::Mutex<Option<Running>>,
}

/// A device's task.
pub(super) struct Running {
    pub(super) stop: watch::Sender<Stop>,
    pub(super) task: JoinHandle<()>,
}

/// What a device's task was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing yet.
    Run,
    /// Close the connection.
    Close,
    /// Unlink from the phone, then close.
    LogOut,
    /// Panic, to see that the fleet survives it.
    #[cfg(test)]
    Panic,
}

/// A change of a device's connection, for the stored row and the snapshot alike.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) status: DeviceStatus,
    pub(super) step: Option<LinkStep>,
    pub(super) trouble: Option<LinkTrouble>,
    pub(super) attempts: Option<u32>,
    pub(super) wanted: Option<bool>,
    pub(super) account: AccountChange,
    pub(super) shown: Shown,
}

/// What becomes of the link between device and account.
#[derive(Clone)]
pub(super) enum AccountChange {
    /// It stays as it is.
    Keep,
    /// The device is linked to this account.
    Linked(Account),
    /// The device is not linked any more.
    Gone,
}

/// What becomes of what a person needs for linking.
#[derive(Clone)]
pub(super) enum Shown {
    /// All of it is taken away.
    Nothing,
    /// It stays as it is.
    Same,
    /// A new QR.
    Qr(Qr),
    /// A new pairing code.
    Pairing(PairingCode),
    /// The pairing code is void; the QR stays.
    NoPairing,
    /// A passkey request, as JSON.
    Passkey(String),
}

impl Change {
    pub(super) fn to(status: DeviceStatus) -> Self {
        Self {
            status,
            step: None,
            trouble: None,
            attempts: None,
            wanted: None,
            account: AccountChange::Keep,
            shown: Shown::Nothing,
        }
    }

    fn apply(&self, device: &mut Device) {
        device.status = self.status;
        device.trouble.clone_from(&self.trouble);
        if let Some(attempts) = self.attempts {
            device.connection_attempts = attempts;
        }
        if let Some(wanted) = self.wanted {
            device.wanted = wanted;
        }
        match &self.account {
            AccountChange::Keep => {}
            AccountChange::Linked(account) => {
                device.linked = true;
                device.phone_number = Some(account.phone_number.clone());
                device.lid.clone_from(&account.lid);
            }
            AccountChange::Gone => {
                device.linked = false;
                (device.phone_number, device.lid) = (None, None);
            }
        }
    }

    fn fact(&self) -> Option<Fact> {
        match &self.shown {
            Shown::Nothing | Shown::Same | Shown::NoPairing => None,
            Shown::Qr(qr) => Some(Fact::Qr { expires_at: qr.expires_at }),
            Shown::Pairing(code) => Some(Fact::PairingCode { expires_at: code.expires_at }),
            Shown::Passkey(_) => Some(Fact::PasskeyRequested),
        }
    }
}

impl Seat {
    /// Makes the place of a device as its stored row says.
    pub(super) fn new(parts: Arc<Parts>, device: &Device) -> Self {
        let no = device.no;
        Self {
            no,
            backend: Mutex::new(Arc::new(Backend::new(parts.store.clone(), parts.clock.clone(), no))),
            acks: Acks::default(),
            people: People::default(),
            followed: Followed::default(),
            group_question: tokio::sync::Mutex::new(()),
            owed: Mutex::default(),
            answers: Answers::default(),
            live: watch::Sender::new(Live::at_rest(device)),
            client: Mutex::new(None),
            code_for: Mutex::new(None),
            control: tokio::sync::Mutex::new(None),
            parts,
        }
    }

    /// Stores and tells a change of the connection, then shows it to the watchers.
    pub(super) async fn tell(&self, change: Change) -> Result<()> {
        let (no, now, told) = (self.no, self.parts.clock.now(), change.clone());
        let is_known = self.is_known(&change);
        // Whoever hears of a code asks the live state for its text, so it stands there before the event does.
        if change.fact().is_some() {
            self.live.send_modify(|live| show_new(live, &change));
        }
        let device = self
            .parts
            .store
            .write(move |tables| {
                let device = match is_known {
                    true => devices::existing(tables, no)?,
                    false => devices::update_link(tables, no, now, told.step, |device| told.apply(device))?,
                };
                if let Some(fact) = told.fact() {
                    outbox::append(tables, now, devices::scope(&device), fact)?;
                }
                Ok(device)
            })
            .await?;
        self.live.send_modify(|live| show(live, &device, change));
        Ok(())
    }

    /// Returns whether the change is about what is shown alone, as with each new QR of a series.
    fn is_known(&self, change: &Change) -> bool {
        let live = self.live.borrow();
        let is_same =
            (live.status, live.step, &live.trouble) == (change.status, change.step, &change.trouble);
        let is_kept = matches!(change.account, AccountChange::Keep);
        is_same && is_kept && change.attempts.is_none() && change.wanted.is_none() && change.fact().is_some()
    }

    /// Returns whether the last pairing code was asked for this number after `since`.
    pub(super) fn is_code_for(&self, phone: &Phone, since: Millis) -> bool {
        lock(&self.code_for).as_ref().is_some_and(|(asked, at)| asked == phone && *at > since)
    }

    /// Notes for which number a pairing code is asked, and when.
    pub(super) fn remember_code_for(&self, phone: &Phone, now: Millis) {
        *lock(&self.code_for) = Some((phone.clone(), now));
    }

    /// Returns the protocol state of the device.
    pub(super) fn backend(&self) -> Arc<Backend> {
        lock(&self.backend).clone()
    }

    /// Deletes the protocol state of the device, so that it can be linked anew.
    ///
    /// Stragglers of the former client keep the former backend, which refuses their writes: none of them can bring deleted
    /// credentials back.
    pub(super) async fn wipe(&self) -> Result<()> {
        self.backend().wipe().await?;
        let (store, clock) = (self.parts.store.clone(), self.parts.clock.clone());
        *lock(&self.backend) = Arc::new(Backend::new(store, clock, self.no));
        // The next account has other people.
        self.followed.clear();
        Ok(())
    }

    /// Returns the client when its link is open.
    pub(super) fn open_client(&self) -> Option<Arc<Client>> {
        let client = self.any_client()?;
        let is_open = self.live.borrow().status == DeviceStatus::Connected && client.is_logged_in();
        is_open.then_some(client)
    }

    /// Returns the client, whatever its state.
    pub(super) fn any_client(&self) -> Option<Arc<Client>> {
        lock(&self.client).clone()
    }

    /// Sets or takes away the client that senders use.
    pub(super) fn set_client(&self, client: Option<Arc<Client>>) {
        *lock(&self.client) = client;
    }
}

fn show(live: &mut Live, device: &Device, change: Change) {
    let (qr, pairing, passkey) = (live.qr.take(), live.pairing.take(), live.passkey.take());
    *live = Live { step: change.step, ..Live::of_stored(device) };
    (live.qr, live.pairing, live.passkey) = match change.shown {
        Shown::Nothing => (None, None, None),
        Shown::Same => (qr, pairing, passkey),
        Shown::Qr(qr) => (Some(qr), pairing, passkey),
        Shown::Pairing(code) => (qr, Some(code), passkey),
        Shown::NoPairing => (qr, None, passkey),
        Shown::Passkey(request) => (qr, pairing, Some(request)),
    };
}

/// Shows a new code and the state that goes with it beside what is shown already.
fn show_new(live: &mut Live, change: &Change) {
    (live.status, live.step) = (change.status, change.step);
    match &change.shown {
        Shown::Qr(qr) => live.qr = Some(qr.clone()),
        Shown::Pairing(code) => live.pairing = Some(code.clone()),
        Shown::Passkey(request) => live.passkey = Some(request.clone()),
        Shown::Nothing | Shown::Same | Shown::NoPairing => {}
    }
}

/// The values behind the locks of a seat are whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
