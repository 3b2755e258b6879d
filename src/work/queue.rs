//! The queue's lanes: one per device. Pacing and retry live here and nowhere else.
//!
//! A lane claims what is next, hands it to WhatsApp in order, and settles it when the network has answered. Single sends
//! share the lane's pipeline; bulk items go one at a time with their pause between them, wait for singles, and never make
//! singles wait.

use crate::error::{Error, Result};
use crate::gateway::Gateway;
use crate::gateway::queue::Queue;
use crate::model::device::DeviceStatus;
use crate::model::id::{DeviceNo, JobId};
use crate::model::jid::Jid;
use crate::model::job::{Item, ItemError};
use crate::model::message::Outgoing;
use crate::store::devices;
use crate::store::jobs::{self, Outcome, Waiting};
use crate::wa::{Live, PendingAck, SendFailure};
use crate::words::Code;
use futures_util::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};

/// Look again at least this often: a wake-up that was lost costs a minute, not a message.
const POLL: Duration = Duration::from_secs(60);
/// Items looked at per round while the device is away; they stand in order, the oldest first.
const OVERDUE_BATCH: usize = 256;
/// Pause before a lane looks again after something went wrong; doubles up to [`RETRY_MAX`].
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Network refusals that may pass: too many requests, server trouble. The message keeps its id and its place.
const PASSING: [i32; 3] = [429, 500, 503];

/// Keeps a lane for every device with work; returns when the program stops and all lanes have settled what they held.
pub async fn run(gateway: Gateway, mut stopped: watch::Receiver<bool>) {
    let mut lanes = JoinSet::new();
    loop {
        match gateway.store().scan(jobs::devices_with_work).await {
            Ok(devices) => {
                for device in devices.into_iter().filter(|device| !gateway.queue().has_lane(*device)) {
                    lanes.spawn(keep_lane(
                        gateway.clone(),
                        device,
                        gateway.queue().lane(device),
                        stopped.clone(),
                    ));
                }
            }
            Err(error) => tracing::error!(%error, "looking for waiting messages failed"),
        }
        tokio::select! {
            _ = gateway.queue().lane_wanted() => {}
            _ = tokio::time::sleep(POLL) => {}
            _ = stopped.wait_for(|stop| *stop) => break,
        }
        while lanes.try_join_next().is_some() {}
    }
    while lanes.join_next().await.is_some() {}
    gateway.queue().stop();
}

/// Runs a lane; after a panic it starts anew and nothing is lost, because what it held is still in the queue.
async fn keep_lane(gateway: Gateway, device: DeviceNo, wake: Arc<Notify>, stopped: watch::Receiver<bool>) {
    loop {
        let lane = Lane::new(gateway.clone(), device, wake.clone(), stopped.clone());
        match AssertUnwindSafe(lane.run()).catch_unwind().await {
            Ok(()) => break,
            Err(_) => {
                super::count_panic("lane");
                tokio::time::sleep(RETRY_FIRST).await;
            }
        }
    }
    gateway.queue().close_lane(device);
}

struct Lane {
    gateway: Gateway,
    device: DeviceNo,
    wake: Arc<Notify>,
    stopped: watch::Receiver<bool>,
    live: watch::Receiver<Live>,
    flight: JoinSet<Landed>,
    retry: Duration,
    /// A single message needs another try.
    badly: bool,
    /// Chats with a message in flight that takes time. What follows it there waits, so that a chat keeps its order.
    slow: Vec<Jid>,
    bulk: Bulk,
}

/// The one bulk item of a lane.
struct Bulk {
    /// It is in flight.
    flies: bool,
    /// After something went wrong, the next one goes not before this time, in milliseconds since 1970.
    not_before: i64,
    /// The pause behind the next failure.
    retry: Duration,
}

/// A flight that has ended.
struct Landed {
    is_bulk: bool,
    flight: Flight,
    /// Its chat, when it took time.
    slow: Option<Jid>,
}

/// A lease that is given back when it is dropped, also by a panic.
struct Lease {
    queue: Queue,
    job: JobId,
    index: u32,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.queue.release(&self.job, self.index);
    }
}

/// How a flight ended, for the lane.
enum Flight {
    /// Settled.
    Done,
    /// Not settled; look again after a pause.
    Again,
}

/// What the lane does next.
enum Next {
    /// Something was sent; look again at once.
    Sent,
    /// Nothing to do before this time (milliseconds since 1970), if any.
    Idle(Option<i64>),
    /// Something went wrong; look again after a growing pause.
    Later,
    /// The device is gone.
    End,
}

impl Lane {
    fn new(gateway: Gateway, device: DeviceNo, wake: Arc<Notify>, stopped: watch::Receiver<bool>) -> Self {
        let live = gateway.fleet().watch(device);
        let bulk = Bulk { flies: false, not_before: 0, retry: RETRY_FIRST };
        let flight = JoinSet::new();
        Self {
            gateway,
            device,
            wake,
            stopped,
            live,
            flight,
            retry: RETRY_FIRST,
            badly: false,
            slow: Vec::new(),
            bulk,
        }
    }

    async fn run(mut self) {
        while !*self.stopped.borrow() {
            // Register before looking, so that a wake-up in between is not missed.
            let wake = self.wake.clone();
            let woken = wake.notified();
            let next = match self.landed_badly() {
                true => Ok(Next::Later),
                false => self.step().await,
            };
            let next = match next {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(device = %self.device, %error, "a lane failed and looks again");
                    Next::Later
                }
            };
            match next {
                Next::Sent => self.retry = RETRY_FIRST,
                Next::Idle(until) => self.wait(woken, until).await,
                Next::Later => {
                    let pause = self.gateway.clock().now() + self.retry.as_millis() as i64;
                    self.retry = (self.retry * 2).min(RETRY_MAX);
                    self.pause_until(pause).await;
                }
                Next::End => break,
            }
        }
        // What is in flight is settled or stays in the queue; the caller bounds how long this takes.
        while self.flight.join_next().await.is_some() {}
    }

    /// Takes note of the flights that ended and returns whether a single message needs another try.
    fn landed_badly(&mut self) -> bool {
        while let Some(landed) = self.flight.try_join_next() {
            self.landed(landed);
        }
        std::mem::take(&mut self.badly)
    }

    fn landed(&mut self, landed: std::result::Result<Landed, JoinError>) {
        let Ok(Landed { is_bulk, flight, slow }) = landed else {
            // A flight that panicked may have been the bulk one, or a slow one; its lease is free again.
            self.bulk_landed(&Flight::Again);
            self.slow.clear();
            self.badly = true;
            return;
        };
        if let Some(place) = self.slow.iter().position(|chat| Some(chat) == slow.as_ref()) {
            self.slow.swap_remove(place);
        }
        match is_bulk {
            true => self.bulk_landed(&flight),
            false => self.badly |= matches!(flight, Flight::Again),
        }
    }

    fn bulk_landed(&mut self, flight: &Flight) {
        self.bulk.flies = false;
        match flight {
            Flight::Done => self.bulk.retry = RETRY_FIRST,
            Flight::Again => {
                self.bulk.not_before = self.gateway.clock().now() + self.bulk.retry.as_millis() as i64;
                self.bulk.retry = (self.bulk.retry * 2).min(RETRY_MAX);
            }
        }
    }

    /// Claims and sends what is next.
    async fn step(&mut self) -> Result<Next> {
        if !devices::exists(&self.gateway.store().view()?, self.device)? {
            return Ok(Next::End);
        }
        if self.live.borrow_and_update().status != DeviceStatus::Connected {
            return self.give_up_overdue().await;
        }
        let room = self.gateway.config().queue.in_flight.saturating_sub(self.flight.len());
        let mut sent_any = false;
        for waiting in self.claimable(room)? {
            if waiting.job.kind.is_single() {
                if waiting.item.outgoing.as_ref().is_some_and(|outgoing| self.slow.contains(&outgoing.to)) {
                    continue;
                }
                sent_any = true;
                match self.launch(waiting).await? {
                    Flight::Done => {}
                    Flight::Again => return Ok(Next::Later),
                }
                continue;
            }
            // What flies wakes the lane when it lands.
            if sent_any || self.bulk.flies || !self.flight.is_empty() {
                break;
            }
            return self.bulk(waiting).await;
        }
        Ok(if sent_any { Next::Sent } else { Next::Idle(None) })
    }

    fn claimable(&self, room: usize) -> Result<Vec<Waiting>> {
        if room == 0 {
            return Ok(Vec::new());
        }
        let queue = self.gateway.queue();
        jobs::waiting(&self.gateway.store().view()?, self.device, room, |job, index| {
            queue.is_leased(job, index)
        })
    }

    /// Sends one bulk item when its pause is over.
    async fn bulk(&mut self, waiting: Waiting) -> Result<Next> {
        let place = waiting.item.place.map_or(0, |(due, _)| due);
        let due = waiting.job.next_at.max(place).max(self.bulk.not_before);
        if self.gateway.clock().now() < due {
            return Ok(Next::Idle(Some(due)));
        }
        let before = self.flight.len();
        let flight = self.launch(waiting).await?;
        match self.flight.len() > before {
            // The next item of the job waits for this one's answer.
            true => self.bulk.flies = true,
            false => self.bulk_landed(&flight),
        }
        Ok(Next::Sent)
    }

    /// Hands an item to WhatsApp and leaves a task behind that waits for the answer and settles.
    async fn launch(&mut self, waiting: Waiting) -> Result<Flight> {
        let Waiting { job, item } = waiting;
        let is_bulk = !job.kind.is_single();
        let queue = self.gateway.queue().clone();
        if !queue.lease(&job.id, item.index) {
            return Ok(Flight::Done);
        }
        let lease = Lease { queue, job: job.id.clone(), index: item.index };
        // The list it came from may be older than its settling or cancelling; from the lease on nobody else touches it.
        if !jobs::is_waiting(&self.gateway.store().view()?, &lease.job, lease.index)? {
            return Ok(Flight::Done);
        }
        let gateway = self.gateway.clone();
        if job.deadline.is_some_and(|deadline| deadline <= gateway.clock().now()) {
            give_up(&gateway, &lease.job, lease.index).await?;
            return Ok(Flight::Done);
        }
        let takes_time =
            |outgoing: &Outgoing| outgoing.content.is_media() || gateway.link_of(outgoing).is_some();
        if let Some(outgoing) = item.outgoing.as_ref().filter(|outgoing| takes_time(outgoing)) {
            // Fetching, uploading and looking at pages take their time; texts to other chats do not wait for it.
            let (device, chat) = (self.device, outgoing.to.clone());
            self.slow.push(chat.clone());
            self.flight.spawn(async move {
                let flight = match carry(&gateway, device, &lease, &item).await {
                    Ok(pending) => land(&gateway, &lease, pending).await,
                    Err(failure) => conclude(&gateway, &lease, Err(failure)).await,
                };
                Landed { is_bulk, flight, slow: Some(chat) }
            });
            return Ok(Flight::Done);
        }
        match hand_over(&gateway, self.device, &item).await {
            Ok(pending) => {
                self.flight.spawn(async move {
                    Landed { is_bulk, flight: land(&gateway, &lease, pending).await, slow: None }
                });
                Ok(Flight::Done)
            }
            Err(failure) => Ok(conclude(&gateway, &lease, Err(failure)).await),
        }
    }

    /// While the device is away: gives up what has waited too long, then waits for the connection.
    async fn give_up_overdue(&mut self) -> Result<Next> {
        let patience = self.gateway.config().queue.give_up_after.millis();
        let now = self.gateway.clock().now();
        let (mut next, mut any) = (None, false);
        for waiting in self.claimable(OVERDUE_BATCH)? {
            let waiting_since = waiting.item.place.map_or(now, |(due, _)| due).max(waiting.job.next_at);
            let end = waiting.job.deadline.unwrap_or(waiting_since + patience);
            if now < end {
                next = Some(next.map_or(end, |earliest: i64| earliest.min(end)));
                continue;
            }
            give_up(&self.gateway, &waiting.job.id, waiting.item.index).await?;
            any = true;
        }
        // Behind what went there may be more of it.
        Ok(if any { Next::Sent } else { Next::Idle(next) })
    }

    /// Waits for a wake-up, a change of the connection, an answer in flight, a point in time, or the stop.
    async fn wait(&mut self, woken: tokio::sync::futures::Notified<'_>, until: Option<i64>) {
        let clock = self.gateway.clock().clone();
        let due = async {
            match until {
                Some(at) => clock.sleep_until(at).await,
                None => tokio::time::sleep(POLL).await,
            }
        };
        let landed = tokio::select! {
            _ = woken => None,
            _ = due => None,
            // The lane may be waiting for room, for its next bulk item, or for another try.
            Some(landed) = self.flight.join_next() => Some(landed),
            _ = self.live.changed() => {
                self.retry = RETRY_FIRST;
                self.bulk.not_before = 0;
                None
            }
            _ = self.stopped.wait_for(|stop| *stop) => None,
        };
        if let Some(landed) = landed {
            self.landed(landed);
        }
    }

    async fn pause_until(&mut self, at: i64) {
        let clock = self.gateway.clock().clone();
        tokio::select! {
            _ = clock.sleep_until(at) => {}
            _ = self.stopped.wait_for(|stop| *stop) => {}
        }
    }
}

/// Fetches the file of an item, or looks at its link, when that has not happened yet, and hands the message over.
async fn carry(
    gateway: &Gateway,
    device: DeviceNo,
    lease: &Lease,
    item: &Item,
) -> std::result::Result<PendingAck, SendFailure> {
    let item = gateway.fetch_for(&lease.job, item).await.map_err(SendFailure::Broken)?;
    let item = gateway.preview_for(&lease.job, &item).await.map_err(SendFailure::Broken)?;
    hand_over(gateway, device, &item).await
}

async fn hand_over(
    gateway: &Gateway,
    device: DeviceNo,
    item: &Item,
) -> std::result::Result<PendingAck, SendFailure> {
    let fleet = gateway.fleet();
    let Some(outgoing) = &item.outgoing else {
        return Err(SendFailure::Broken(Error::broken("a waiting item has nothing to send")));
    };
    if !fleet.is_on_whatsapp(device, &outgoing.to).await? {
        return Err(SendFailure::NotOnWhatsApp);
    }
    fleet.send(device, &item.message_id, outgoing).await
}

/// Waits for the network's answer and settles.
async fn land(gateway: &Gateway, lease: &Lease, pending: PendingAck) -> Flight {
    let answer = pending.wait().await;
    conclude(gateway, lease, answer).await
}

/// Settles an attempt, or leaves the item in its place for another one.
async fn conclude(gateway: &Gateway, lease: &Lease, answer: std::result::Result<(), SendFailure>) -> Flight {
    match try_conclude(gateway, lease, answer).await {
        Ok(flight) => flight,
        Err(error) => {
            // The item is still in the queue and will be sent again under the same id.
            tracing::error!(job = %lease.job, item = lease.index, %error, "settling failed");
            Flight::Again
        }
    }
}

async fn try_conclude(
    gateway: &Gateway,
    lease: &Lease,
    answer: std::result::Result<(), SendFailure>,
) -> Result<Flight> {
    let failed = |code: Code, network: Option<i32>| Outcome::Failed(ItemError { code: code.name(), network });
    let outcome = match answer {
        Ok(()) => Outcome::Sent,
        Err(SendFailure::NotConnected) => return Ok(Flight::Again),
        Err(SendFailure::NotOnWhatsApp) => failed(Code::NotOnWhatsApp, None),
        Err(SendFailure::Refused { code }) if !PASSING.contains(&code) => match code {
            463 => failed(Code::SendRestricted, Some(code)),
            _ => failed(Code::SendRefused, Some(code)),
        },
        // What is wrong with a file or its address stays wrong.
        Err(SendFailure::Broken(error))
            if error.code() != Code::Internal && error.code() != Code::MediaUrlFailed =>
        {
            failed(error.code(), None)
        }
        Err(failure) => {
            let (id, index) = (lease.job.clone(), lease.index);
            let attempts = gateway.store().write(move |t| jobs::count_attempt(t, &id, index)).await?;
            if attempts < gateway.config().queue.attempts {
                tracing::warn!(job = %lease.job, item = lease.index, attempts, ?failure, "sending will be tried again");
                return Ok(Flight::Again);
            }
            match failure {
                SendFailure::TimedOut => failed(Code::SendTimedOut, None),
                SendFailure::Refused { code } => failed(Code::SendRefused, Some(code)),
                SendFailure::Broken(error) if error.code() == Code::MediaUrlFailed => {
                    failed(error.code(), None)
                }
                _ => failed(Code::SendFailed, None),
            }
        }
    };
    settle(gateway, &lease.job, lease.index, outcome).await?;
    Ok(Flight::Done)
}

/// Settles an item that the device was away for too long to send.
async fn give_up(gateway: &Gateway, job: &JobId, index: u32) -> Result<()> {
    let error = ItemError { code: Code::SendGaveUp.name(), network: None };
    settle(gateway, job, index, Outcome::Overdue(error)).await
}

/// Settles an item in one commit and tells who waits when that was the job's last.
async fn settle(gateway: &Gateway, job: &JobId, index: u32, outcome: Outcome) -> Result<()> {
    let (id, now) = (job.clone(), gateway.clock().now());
    let job = gateway.store().write(move |t| jobs::settle(t, &id, index, &outcome, now)).await?;
    if job.status.is_ended() {
        gateway.queue().ended(&job.id);
    }
    Ok(())
}
