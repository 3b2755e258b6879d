//! Counters of the network.

use serde::Serialize;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Running counters since the start of the process.
#[derive(Default)]
pub struct Stats {
    /// Open client connections.
    pub connections: AtomicI64,
    /// Client connections ever accepted.
    pub accepted: AtomicU64,
    /// Long handshakes.
    pub handshakes_xx: AtomicU64,
    /// Short handshakes.
    pub handshakes_ik: AtomicU64,
    /// Short handshakes that had to become long ones.
    pub handshakes_fallback: AtomicU64,
    /// Stanzas received from clients.
    pub stanzas_in: AtomicU64,
    /// Stanzas sent to clients.
    pub stanzas_out: AtomicU64,
    /// Bytes received from clients.
    pub bytes_in: AtomicU64,
    /// Bytes sent to clients.
    pub bytes_out: AtomicU64,
    /// Messages accepted from clients and phones, each id once.
    pub messages: AtomicU64,
    /// Messages that came again under an id already routed.
    pub resends: AtomicU64,
    /// Acknowledgements of messages sent.
    pub acks: AtomicU64,
    /// Messages refused with an error acknowledgement.
    pub refused: AtomicU64,
    /// Media uploaded by clients, each finished upload once.
    pub uploads: AtomicU64,
    /// Bytes of uploads received, finished or not.
    pub upload_bytes: AtomicU64,
    /// Media fetched by clients, parts included.
    pub downloads: AtomicU64,
    /// IQs that the network does not know and answered with an empty result.
    pub unknown_iqs: AtomicU64,
}

/// A reading of the counters.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    connections: i64,
    accepted: u64,
    handshakes_xx: u64,
    handshakes_ik: u64,
    handshakes_fallback: u64,
    stanzas_in: u64,
    stanzas_out: u64,
    bytes_in: u64,
    bytes_out: u64,
    messages: u64,
    resends: u64,
    acks: u64,
    refused: u64,
    uploads: u64,
    upload_bytes: u64,
    downloads: u64,
    unknown_iqs: u64,
}

/// Adds to a counter.
pub fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

impl Stats {
    /// Reads all counters. They are read one after the other, not at one instant.
    pub fn read(&self) -> Reading {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Reading {
            connections: self.connections.load(Ordering::Relaxed),
            accepted: get(&self.accepted),
            handshakes_xx: get(&self.handshakes_xx),
            handshakes_ik: get(&self.handshakes_ik),
            handshakes_fallback: get(&self.handshakes_fallback),
            stanzas_in: get(&self.stanzas_in),
            stanzas_out: get(&self.stanzas_out),
            bytes_in: get(&self.bytes_in),
            bytes_out: get(&self.bytes_out),
            messages: get(&self.messages),
            resends: get(&self.resends),
            acks: get(&self.acks),
            refused: get(&self.refused),
            uploads: get(&self.uploads),
            upload_bytes: get(&self.upload_bytes),
            downloads: get(&self.downloads),
            unknown_iqs: get(&self.unknown_iqs),
        }
    }
}
