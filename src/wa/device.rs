//! One device's life: connect, stay, connect again or stop, as the plan says. A life that panics is started again and takes
//! no other with it.

use super::connection::{self, End};
use super::plan::{Ending, Next, Plan};
use super::seat::{AccountChange, Change, Running, Seat, Stop};
use super::session::{Owned, Session, close};
use crate::clock::Millis;
use crate::error::{Code, Context as _, Error, Result};
use crate::model::device::{DeviceStatus, LinkStep, LinkTrouble};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::watch;

/// Who asked for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A person, who waits for it.
    Person,
    /// The program at its start, or after a pause; these take turns.
    Itself,
}

/// Starts the device's task.
pub(super) fn start(seat: Arc<Seat>, by: By) -> Running {
    let (stop, told) = watch::channel(Stop::Run);
    Running { stop, task: tokio::spawn(supervise(seat, told, by)) }
}

/// Keeps the life going: what panics or fails is logged and started again at the pace of lost connections.
async fn supervise(seat: Arc<Seat>, mut stop: watch::Receiver<Stop>, mut by: By) {
    let mut plan = Plan::new(seat.parts.options.max_reconnect_attempts);
    loop {
        let mut life = Owned(tokio::spawn(live(seat.clone(), stop.clone(), by)));
        let failure = match (&mut life.0).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(why) if why.is_panic() => {
                seat.parts.crashes.fetch_add(1, Ordering::Relaxed);
                Error::broken("it panicked")
            }
            // Aborted, which only happens at the end of the program.
            Err(_) => return,
        };
        // Its tasks ended with it, and the socket goes with the last of them. Nothing is flushed: what the client held in memory
        // may be what broke it, and the disk is as good as after a power cut.
        leave(&seat);
        let is_told_to_stop = matches!(*stop.borrow_and_update(), Stop::Close | Stop::LogOut);
        if is_told_to_stop || failure.code() == Code::DeviceNotFound {
            return;
        }
        tracing::error!(device = %seat.no, "a device's task failed and is started again: {failure}");
        let linked = seat.backend().stored_account().is_ok_and(|account| account.is_some());
        let next = plan.after(Ending::Crashed, None, linked, seat.parts.clock.now());
        match follow(&seat, next, &mut stop).await {
            Ok(Go::On) => by = By::Itself,
            Ok(Go::Stop) => return,
            // The store itself fails: there is nobody left to tell.
            Err(why) => {
                tracing::error!(device = %seat.no, "a device stays disconnected: {why}");
                return;
            }
        }
    }
}

/// Whether to connect again.
enum Go {
    On,
    Stop,
}

async fn live(seat: Arc<Seat>, mut stop: watch::Receiver<Stop>, mut by: By) -> Result<()> {
    let mut plan = Plan::new(seat.parts.options.max_reconnect_attempts);
    let mut session: Option<Session> = None;
    let mut step = None;
    // Whoever starts a device for a person has told so already.
    let mut is_told = by == By::Person;
    loop {
        let permit = match by {
            By::Person => None,
            By::Itself => tokio::select! {
                permit = seat.parts.connecting.clone().acquire_owned() => Some(permit.context("waiting for a turn")?),
                _ = stop.changed() => return finish(&seat, session.take()).await,
            },
        };
        if !is_told {
            let attempts = Some(plan.attempts());
            seat.tell(Change { step, attempts, ..Change::to(DeviceStatus::Connecting) }).await?;
        }
        is_told = false;
        let mut current = match session.take().filter(|session| !session.is_over()) {
            Some(current) => current,
            None => Session::open(&seat).await?,
        };
        seat.set_client(Some(current.client.clone()));
        let End { ending, open_ms } = connection::connect(&seat, &mut current, &mut stop, permit).await?;
        seat.acks.connection_lost();
        if ending == Ending::Stopped {
            leave(&seat);
            return Ok(());
        }
        tracing::info!(device = %seat.no, ?ending, "connection ended");
        let linked = seat.backend().stored_account()?.is_some();
        let is_fresh = seat.live.borrow().step == Some(LinkStep::Scanned);
        let next = plan.after(ending.clone(), open_ms, linked, seat.parts.clock.now());
        if let Next::Stay { .. } = next {
            close(&seat, &current.client, Stop::Close).await;
            leave(&seat);
        }
        if ending == Ending::LoggedOut {
            return logged_out(&seat).await;
        }
        by = if next == Next::Now { By::Person } else { By::Itself };
        step = (next == Next::Now && is_fresh).then_some(LinkStep::Synchronising);
        session = Some(current);
        if let Go::Stop = follow(&seat, next, &mut stop).await? {
            return finish(&seat, session).await;
        }
    }
}

/// Shows what the plan says and waits out its pause.
async fn follow(seat: &Seat, next: Next, stop: &mut watch::Receiver<Stop>) -> Result<Go> {
    match next {
        Next::Now => Ok(Go::On),
        Next::Stay { status, trouble } => {
            seat.tell(Change { trouble, ..Change::to(status) }).await?;
            Ok(Go::Stop)
        }
        Next::Pause { ms, trouble } => {
            let until: Millis = seat.parts.clock.now() + ms;
            seat.tell(Change { trouble: Some(trouble), ..Change::to(DeviceStatus::Disconnected) }).await?;
            tokio::select! {
                _ = stop.changed() => Ok(Go::Stop),
                () = seat.parts.clock.sleep_until(until) => Ok(Go::On),
            }
        }
    }
}

/// The credentials are worthless now, and the library keeps them.
async fn logged_out(seat: &Seat) -> Result<()> {
    seat.wipe().await?;
    let change = Change { trouble: Some(LinkTrouble::LoggedOut), ..Change::to(DeviceStatus::Disconnected) };
    seat.tell(Change { account: AccountChange::Gone, wanted: Some(false), ..change }).await
}

async fn finish(seat: &Seat, session: Option<Session>) -> Result<()> {
    if let Some(session) = session.filter(|session| !session.is_over()) {
        close(seat, &session.client, Stop::Close).await;
    }
    leave(seat);
    Ok(())
}

/// Takes the client away from the senders and ends their waits.
fn leave(seat: &Seat) {
    seat.set_client(None);
    seat.acks.connection_lost();
}
