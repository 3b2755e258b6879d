//! The whole network in one handle: accounts, journal, faults, feed, and the phones that act on their own.

use crate::events::Events;
use crate::faults::Faults;
use crate::keys::NetworkKeys;
use crate::media::Media;
use crate::state::account::Account;
use crate::state::channel::Channels;
use crate::state::directory::Directory;
use crate::state::groups::Groups;
use crate::state::registration::Registrations;
use crate::stats::{self, Stats};
use crate::store::{Batch, Store, Submitted, Table};
use anyhow::Result;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::mpsc;

const KEYS_ROW: &str = "network-keys";

/// Cheap handle of the network.
#[derive(Clone)]
pub struct World(Arc<Inner>);

/// What the handle leads to.
pub struct Inner {
    /// The journal.
    pub store: Store,
    /// All accounts.
    pub directory: Directory,
    /// All groups.
    pub groups: Groups,
    /// All channels.
    pub channels: Channels,
    /// Clients that are not linked yet.
    pub registrations: Registrations,
    /// Faults in force.
    pub faults: Faults,
    /// Files that clients and phones exchange.
    pub media: Media,
    /// Counters.
    pub stats: Stats,
    /// The live feed.
    pub events: Events,
    keys: RwLock<Arc<NetworkKeys>>,
    phones: mpsc::UnboundedSender<Arc<Account>>,
    last_conn: AtomicU64,
}

impl Deref for World {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl World {
    /// Opens the network that listens on `addr` and keeps what must survive in `dir`, if it has one.
    /// Phones with something to do are sent to `phones`.
    pub fn open(
        dir: Option<&Path>,
        addr: SocketAddr,
        phones: mpsc::UnboundedSender<Arc<Account>>,
    ) -> Result<Self> {
        let store = Store::open(dir)?;
        let media = Media::open(dir, addr, &store)?;
        let keys = Arc::new(load_keys(&store)?);
        let world = Self(Arc::new(Inner {
            directory: Directory::default(),
            groups: Groups::default(),
            channels: Channels::default(),
            registrations: Registrations::default(),
            faults: Faults::default(),
            media,
            stats: Stats::default(),
            events: Events::new(),
            keys: RwLock::new(keys),
            phones,
            last_conn: AtomicU64::new(0),
            store,
        }));
        crate::restore::load(&world)?;
        Ok(world)
    }

    /// Returns the keys that answer handshakes now.
    pub fn keys(&self) -> Arc<NetworkKeys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the Noise key; clients that cached the old one fall back to the long handshake.
    pub fn rotate_keys(&self) -> Result<()> {
        let rotated = self.keys().rotated()?;
        let mut batch = self.batch();
        batch.put(Table::Meta, KEYS_ROW.into(), || rotated.to_row());
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rotated);
        self.commit(batch);
        Ok(())
    }

    /// Starts an empty batch.
    pub fn batch(&self) -> Batch {
        self.store.batch()
    }

    /// Submits a batch whose rows nobody else overwrites; its effects follow the commit.
    pub fn commit(&self, batch: Batch) {
        self.store.submit(batch).release();
    }

    /// Submits a batch under the lock that orders its rows; release it after the lock is free.
    pub fn submit(&self, batch: Batch) -> Submitted {
        self.store.submit(batch)
    }

    /// Lets a phone look at its queue soon. Once is enough until it has looked.
    pub fn wake(&self, account: &Arc<Account>) {
        if !account.scheduled.swap(true, Ordering::AcqRel) {
            // It fails only while the network stops; the queue is kept.
            let _ = self.phones.send(account.clone());
        }
    }

    /// Counts a new connection and returns its number.
    pub fn connection_opened(&self) -> u64 {
        self.stats.connections.fetch_add(1, Ordering::Relaxed);
        stats::add(&self.stats.accepted, 1);
        self.last_conn.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Counts a connection that ended.
    pub fn connection_closed(&self) {
        self.stats.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn load_keys(store: &Store) -> Result<NetworkKeys> {
    let mut kept = None;
    store.load(Table::Meta, |key, row| {
        if key == KEYS_ROW {
            kept = Some(NetworkKeys::from_row(row)?);
        }
        Ok(())
    })?;
    if let Some(keys) = kept {
        return Ok(keys);
    }
    let keys = NetworkKeys::generate()?;
    let mut batch = store.batch();
    batch.put(Table::Meta, KEYS_ROW.into(), || keys.to_row());
    store.submit(batch).release();
    Ok(keys)
}
