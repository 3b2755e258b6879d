//! One connection of a device, from dialling to its end.

use super::account::{self, Setting};
use super::backend::Account;
use super::inbox::Inbox;
use super::live::{PairingCode, Qr};
use super::plan::Ending;
use super::receipts::{self, Progress};
use super::seat::{AccountChange, Change, Seat, Shown, Stop};
use super::session::{Owned, Session, close};
use super::version::Version;
use super::{contacts, groups, passkey, sightings, terminal};
use crate::clock::Millis;
use crate::error::{Context as _, Error, Result};
use crate::model::device::{DeviceStatus, LinkStep, LinkTrouble};
use crate::model::sighting::{Seen, Sighting};
use crate::store::{chat_settings, messages};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use wacore::store::traits::DeviceStore as _;
use wacore::types::events::{ConnectFailure, ConnectFailureReason, Event};
use whatsapp_rust::Client;

/// Events that are taken at once, so that their receipts share a commit.
const EVENTS_MAX: usize = 64;
/// How long the library may try to open the socket; it gives up after 40 s by itself.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(60);
/// Grace behind a pairing code's end, for a phone that typed it in the last moment.
const CODE_GRACE_MS: Millis = 10_000;

/// How a connection ended, and how long its link had been open.
pub(super) struct End {
    pub(super) ending: Ending,
    pub(super) open_ms: Option<Millis>,
}

/// Connects and stays until the connection ends or the task is told to stop.
///
/// `permit` is given back as soon as the link is open or a person is waited for.
pub(super) async fn connect(
    seat: &Arc<Seat>,
    session: &mut Session,
    stop: &mut watch::Receiver<Stop>,
    permit: Option<OwnedSemaphorePermit>,
) -> Result<End> {
    let client = session.client.clone();
    let mut run = session.run();
    let mut course = Course::new(seat, session, permit);
    let mut heard = Vec::with_capacity(EVENTS_MAX);
    let socket = client.wait_for_socket(SOCKET_TIMEOUT);
    tokio::pin!(socket);
    loop {
        let deadline = course.deadline;
        tokio::select! {
            biased;
            _ = stop.changed() => {
                let how = *stop.borrow_and_update();
                #[cfg(test)]
                assert!(how != Stop::Panic, "a test asked for it");
                close(seat, &client, how).await;
                course.ending = Some(Ending::Stopped);
                break;
            }
            _ = session.events.recv_many(&mut heard, EVENTS_MAX) => course.hear(&mut heard).await?,
            opened = &mut socket, if !course.has_socket => course.has_socket = opened.is_ok(),
            ended = run.ended() => {
                ended?;
                break;
            }
            () = seat.parts.clock.sleep_until(deadline.unwrap_or(Millis::MAX)), if deadline.is_some() => {
                if course.is_too_late() {
                    close(seat, &client, Stop::Close).await;
                    break;
                }
            }
        }
    }
    // What the library said last stands behind the end of its task.
    while let Ok(event) = session.events.try_recv() {
        heard.push(event);
    }
    course.hear(&mut heard).await?;
    Ok(course.end())
}

/// What was seen of a connection so far.
struct Course {
    seat: Arc<Seat>,
    client: Arc<Client>,
    inbox: Arc<Inbox>,
    version: Version,
    permit: Option<OwnedSemaphorePermit>,
    ending: Option<Ending>,
    has_socket: bool,
    opened_at: Option<Millis>,
    /// Until when the next step has to be made; none while a person is waited for or the link is open.
    deadline: Option<Millis>,
    was_extended: bool,
    /// What is asked for once the link is open; it ends with the connection.
    errands: Option<Owned<()>>,
}

impl Course {
    fn new(seat: &Arc<Seat>, session: &Session, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            seat: seat.clone(),
            client: session.client.clone(),
            inbox: session.inbox.clone(),
            version: session.version,
            permit,
            ending: None,
            has_socket: false,
            opened_at: None,
            deadline: Some(seat.parts.clock.now() + seat.parts.options.connect_timeout_ms),
            was_extended: false,
            errands: None,
        }
    }

    fn now(&self) -> Millis {
        self.seat.parts.clock.now()
    }

    /// Takes events in their order; receipts that follow each other share a commit.
    async fn hear(&mut self, events: &mut Vec<Arc<Event>>) -> Result<()> {
        let backend = self.seat.backend();
        let phone_of = |lid: &str| backend.phone_of(lid);
        let mut progress: Vec<Progress> = Vec::new();
        let mut has_contacts = false;
        let mut settings: Vec<Setting> = Vec::new();
        for event in events.drain(..) {
            match &*event {
                Event::ChatPresence(update) => self.tell_of(sightings::typing(update, &phone_of)),
                Event::Presence(update) => {
                    let seen = sightings::presence(update, &phone_of);
                    self.tell_of(seen.filter(|seen| self.seat.followed.covers(seen)));
                }
                Event::Receipt(receipt) => progress.extend(receipts::progress(receipt, &phone_of)),
                Event::ContactUpdate(_) => has_contacts = true,
                Event::ArchiveUpdate(_)
                | Event::PinUpdate(_)
                | Event::MuteUpdate(_)
                | Event::StarUpdate(_) => {
                    settings.extend(account::setting(&event, &phone_of));
                }
                other => {
                    self.commit(&mut progress).await?;
                    self.take(other).await?;
                }
            }
        }
        if has_contacts {
            // The bus has handed them to the backend; usually the library's next write has taken them along already.
            self.seat.backend().flush().await?;
        }
        self.set(settings).await?;
        self.commit(&mut progress).await
    }

    /// Tells those who listen what was seen of somebody; it is no failure that nobody does.
    fn tell_of(&self, seen: Option<Seen>) {
        let (device, at) = (self.seat.no, self.now());
        if let Some(seen) = seen {
            let _ = self.seat.parts.sightings.send(Sighting { device, at, seen });
        }
    }

    /// Stores what the owner set on another device; the first connection tells it of all chats at once.
    async fn set(&self, settings: Vec<Setting>) -> Result<()> {
        if settings.is_empty() {
            return Ok(());
        }
        let (device, now) = (self.seat.no, self.now());
        let store = &self.seat.parts.store;
        store
            .write(move |tables| {
                settings.iter().try_for_each(|setting| match setting {
                    Setting::Chat { chat, change, at } => {
                        chat_settings::set(tables, device, chat, *change, *at, now)
                    }
                    Setting::Star { chat, id, on } => messages::star(tables, device, chat, id, *on),
                })
            })
            .await
    }

    async fn commit(&self, progress: &mut Vec<Progress>) -> Result<()> {
        receipts::commit(&self.seat.parts.store, self.seat.no, std::mem::take(progress), self.now()).await
    }

    async fn take(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::PairingQrCode(qr) => self.show_qr(&qr.code, qr.timeout).await,
            Event::PairingCode(code) => self.show_code(&code.code, code.timeout).await,
            Event::PairingCodeRefresh(_) => self.take_code_away().await,
            Event::PairSuccess(_) => self.linked().await,
            Event::PairError(_) | Event::QrScannedWithoutMultidevice(_) => self.pair_failed().await,
            Event::PairPasskeyRequest(request) => {
                self.ask(passkey::request(&request.request_options_json)).await
            }
            Event::PairPasskeyConfirmation(confirmation) if confirmation.skip_handoff_ux => {
                passkey::confirm(&self.client).await
            }
            Event::PairPasskeyConfirmation(confirmation) => {
                self.ask(passkey::confirmation(&confirmation.code)).await
            }
            Event::PairPasskeyError(_) => self.pair_failed().await,
            Event::PairingQrCodesExhausted(series) => {
                self.series_ended(series.disconnected);
                Ok(())
            }
            Event::Connected(_) => self.opened().await,
            Event::Messages(batch) => self.inbox.commit(&batch.messages).await,
            Event::GroupUpdate(update) => groups::note(&self.seat, update).await,
            Event::ClientOutdated(_) => {
                let renewed = self.seat.parts.versions.is_replaced(self.version).await;
                self.ending = Some(Ending::Outdated { renewed });
                Ok(())
            }
            other => {
                self.note(other);
                Ok(())
            }
        }
    }

    /// Takes what only says how the connection ends, and what is only logged.
    fn note(&mut self, event: &Event) {
        let ending = match event {
            Event::LoggedOut(_) => Ending::LoggedOut,
            Event::StreamReplaced(_) => Ending::Replaced,
            Event::TemporaryBan(ban) => {
                Ending::Banned { until: Some(self.now() + ban.expire.num_milliseconds()) }
            }
            Event::ConnectFailure(failure) => refusal(failure),
            Event::Disconnected(_) => Ending::Lost,
            Event::StreamError(error) => {
                tracing::info!(device = %self.seat.no, code = %error.code, "stream error of the network");
                return;
            }
            Event::UndecryptableMessage(_) => {
                tracing::info!(device = %self.seat.no, "a message could not be decrypted and was asked for again");
                return;
            }
            Event::AppStateSyncFailed(failed) => {
                contacts::note_failure(&self.seat, failed);
                let (fatal, later) = (failed.fatal.len(), failed.retryable.len());
                tracing::warn!(device = %self.seat.no, fatal, later, "settings of the account are incomplete");
                return;
            }
            _ => return,
        };
        // The first reason is the reason; what follows is the socket closing because of it.
        self.ending.get_or_insert(ending);
    }

    async fn show_qr(&mut self, code: &str, timeout: Duration) -> Result<()> {
        self.waits_for_a_person();
        if self.seat.parts.options.print_qr_terminal {
            terminal::print_qr(self.seat.no, code);
        }
        let qr = Qr { text: code.to_owned(), expires_at: self.now() + timeout.as_millis() as Millis };
        let has_code = self.seat.live.borrow().pairing.is_some();
        let status = if has_code { DeviceStatus::Pairing } else { DeviceStatus::QrRequired };
        self.tell(Change { step: Some(LinkStep::Waiting), shown: Shown::Qr(qr), ..Change::to(status) }).await
    }

    async fn show_code(&mut self, code: &str, timeout: Duration) -> Result<()> {
        self.waits_for_a_person();
        let code =
            PairingCode { code: code.to_owned(), expires_at: self.now() + timeout.as_millis() as Millis };
        let shown = Shown::Pairing(code);
        self.tell(Change { step: Some(LinkStep::Waiting), shown, ..Change::to(DeviceStatus::Pairing) }).await
    }

    async fn take_code_away(&self) -> Result<()> {
        let has_qr = self.seat.live.borrow().qr.is_some();
        let status = if has_qr { DeviceStatus::QrRequired } else { DeviceStatus::Connecting };
        let shown = Shown::NoPairing;
        self.tell(Change { step: Some(LinkStep::Waiting), shown, ..Change::to(status) }).await
    }

    async fn ask(&mut self, request: String) -> Result<()> {
        self.waits_for_a_person();
        let status = self.seat.live.borrow().status;
        let shown = Shown::Passkey(request);
        self.tell(Change { step: Some(LinkStep::Waiting), shown, ..Change::to(status) }).await
    }

    async fn linked(&mut self) -> Result<()> {
        // The phone believes in the link from here on, so the credentials go to disk before anybody is told. The library
        // saves them too, but in the background.
        let device = self.client.persistence_manager().get_device_snapshot().to_serializable();
        let backend = self.seat.backend();
        backend.save(&device).await.context("saving the device's credentials")?;
        let account = Account::of(&device).ok_or_else(|| Error::broken("a linked device has no account"))?;
        tracing::info!(device = %self.seat.no, "linked by the phone");
        self.deadline = Some(self.now() + self.seat.parts.options.connect_timeout_ms);
        let change = Change { step: Some(LinkStep::Scanned), ..Change::to(DeviceStatus::Connecting) };
        self.tell(Change { account: AccountChange::Linked(account), ..change }).await
    }

    async fn pair_failed(&self) -> Result<()> {
        tracing::warn!(device = %self.seat.no, "the phone's answer did not complete the linking");
        let status = self.seat.live.borrow().status;
        let change =
            Change { trouble: Some(LinkTrouble::PairFailed), shown: Shown::Same, ..Change::to(status) };
        self.tell(Change { step: Some(LinkStep::Waiting), ..change }).await
    }

    async fn opened(&mut self) -> Result<()> {
        self.opened_at.get_or_insert(self.now());
        self.deadline = None;
        self.permit = None;
        self.errands.get_or_insert_with(|| run_errands(self.seat.clone(), self.client.clone()));
        let account =
            self.seat.backend().stored_account()?.map_or(AccountChange::Keep, AccountChange::Linked);
        let change =
            Change { step: Some(LinkStep::Connected), account, ..Change::to(DeviceStatus::Connected) };
        self.tell(change).await
    }

    fn series_ended(&mut self, is_disconnected: bool) {
        // With a pairing code outstanding the library stays connected: the code lives longer than the QRs.
        let code_ends = self.seat.live.borrow().pairing.as_ref().map(|code| code.expires_at);
        match code_ends.filter(|_| !is_disconnected) {
            Some(at) => self.deadline = Some(at + CODE_GRACE_MS),
            None => self.ending = Some(Ending::QrExpired),
        }
    }

    fn waits_for_a_person(&mut self) {
        self.deadline = None;
        self.permit = None;
    }

    /// Returns whether the deadline that just passed ends the connection.
    fn is_too_late(&mut self) -> bool {
        if self.seat.live.borrow().pairing.is_some() {
            self.ending = Some(Ending::QrExpired);
            return true;
        }
        // Logged in but not open: settings of a fresh link or a long offline queue are still on their way.
        if self.client.is_logged_in() && !self.was_extended {
            self.was_extended = true;
            self.deadline = Some(self.now() + self.seat.parts.options.connect_timeout_ms);
            return false;
        }
        self.ending = Some(if self.has_socket { Ending::Lost } else { Ending::Unreachable });
        true
    }

    fn end(self) -> End {
        let open_ms = self.opened_at.map(|at| self.now() - at);
        // The library ends without a word when the network asks for a restart, and when it could not connect at all.
        let silent = if self.has_socket { Ending::Restart } else { Ending::Unreachable };
        End { ending: self.ending.unwrap_or(silent), open_ms }
    }

    async fn tell(&self, change: Change) -> Result<()> {
        self.seat.tell(change).await
    }
}

fn run_errands(seat: Arc<Seat>, client: Arc<Client>) -> Owned<()> {
    Owned(tokio::spawn(async move {
        // Boxed: the library's futures nest too deep for the compiler otherwise.
        let of_groups = Box::pin(groups::catch_up(seat.clone()));
        let of_people = Box::pin(sightings::follow_again(seat.clone(), client.clone()));
        let of_contacts = Box::pin(contacts::catch_up(seat, client));
        futures_util::join!(of_groups, of_people, of_contacts);
    }))
}

fn refusal(failure: &ConnectFailure) -> Ending {
    match failure.reason {
        ConnectFailureReason::TempBanned => Ending::Banned { until: None },
        reason => Ending::Refused { code: reason.code(), again: reason.should_reconnect() },
    }
}
