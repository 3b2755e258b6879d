//! What the library says, taken off its synchronous bus.

use super::contacts;
use super::seat::Seat;
use std::sync::{Arc, Weak};
use tokio::sync::mpsc;
use wacore::types::events::{Event, EventHandler, EventInterest, EventKind};

/// What a device's task wants to hear. Everything else is not even put together by the library.
const WANTED: &[EventKind] = &[
    EventKind::Connected,
    EventKind::Disconnected,
    EventKind::PairSuccess,
    EventKind::PairError,
    EventKind::LoggedOut,
    EventKind::PairingQrCode,
    EventKind::PairingQrCodesExhausted,
    EventKind::PairingCode,
    EventKind::PairingCodeRefresh,
    EventKind::QrScannedWithoutMultidevice,
    EventKind::PairPasskeyRequest,
    EventKind::PairPasskeyConfirmation,
    EventKind::PairPasskeyError,
    EventKind::ClientOutdated,
    EventKind::StreamReplaced,
    EventKind::TemporaryBan,
    EventKind::ConnectFailure,
    EventKind::StreamError,
    EventKind::AppStateSyncFailed,
    EventKind::Messages,
    EventKind::Receipt,
    EventKind::UndecryptableMessage,
    EventKind::ServerAck,
    EventKind::GroupUpdate,
    EventKind::ContactUpdate,
    EventKind::ArchiveUpdate,
    EventKind::PinUpdate,
    EventKind::MuteUpdate,
    EventKind::StarUpdate,
    EventKind::HistorySync,
    EventKind::ChatPresence,
    EventKind::Presence,
];

/// Passes events to the device's task in their order.
///
/// The way is unbounded because the bus must not be held up and nothing may be lost; what goes through it are receipts and
/// changes of the connection, which the network itself paces.
pub(super) struct Ear {
    seat: Weak<Seat>,
    task: mpsc::UnboundedSender<Arc<Event>>,
    history: mpsc::UnboundedSender<Arc<Event>>,
}

/// Where what was heard arrives.
pub(super) struct Heard {
    /// For the device's task.
    pub(super) events: mpsc::UnboundedReceiver<Arc<Event>>,
    /// Parts of the phone's history. Each goes to the disk as it is, and is read when its turn comes.
    pub(super) history: mpsc::UnboundedReceiver<Arc<Event>>,
}

impl Ear {
    pub(super) fn new(seat: &Arc<Seat>) -> (Arc<Self>, Heard) {
        let (task, events) = mpsc::unbounded_channel();
        let (to_history, history) = mpsc::unbounded_channel();
        (Arc::new(Self { seat: Arc::downgrade(seat), task, history: to_history }), Heard { events, history })
    }
}

impl EventHandler for Ear {
    fn handle_event(&self, event: Arc<Event>) {
        match &*event {
            // Settled on the spot: a sender waits for it, and the task may be waiting for the disk.
            Event::ServerAck(ack) => {
                let is_message = ack.class.as_deref().is_none_or(|class| class == "message");
                if let Some(seat) = self.seat.upgrade().filter(|_| is_message) {
                    seat.acks.settle(&ack.id, ack.error.as_deref());
                }
            }
            Event::ContactUpdate(update) => {
                if let Some(seat) = self.seat.upgrade() {
                    contacts::hold(&seat, update);
                }
                drop(self.task.send(event));
            }
            // It fails only when the session has ended.
            Event::HistorySync(_) => drop(self.history.send(event)),
            // The hook has stored these already.
            Event::Messages(batch) if batch.hook_committed => {}
            // It fails only when the task has ended, and then nobody is there to hear it.
            _ => drop(self.task.send(event)),
        }
    }

    fn interest(&self) -> EventInterest {
        EventInterest::of(WANTED)
    }
}
