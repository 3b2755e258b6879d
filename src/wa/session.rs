//! The library's client of one device: how it is put together, run and closed.

use super::events::Ear;
use super::history;
use super::inbox::{Hook, Inbox};
use super::runtime::Tasks;
use super::seat::{Seat, Stop};
use super::version::Version;
use crate::error::{Context as _, Error, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use wacore::store::DevicePropsOverride;
use wacore::store::device::default_history_sync_config;
use wacore::types::events::Event;
use waproto::whatsapp::device_props::{HistorySyncConfig, PlatformType};
use whatsapp_rust::store::commands::DeviceCommand;
use whatsapp_rust::store::persistence_manager::PersistenceManager;
use whatsapp_rust::{CacheConfig, CacheEntryConfig, Client};

/// Name under which the phone lists the device.
const OS_NAME: &str = "Kurir";
/// How often the library's own record is saved when nothing else asks for it.
const SAVER_INTERVAL: Duration = Duration::from_secs(30);
/// Sent messages that are held in memory for retry requests; older ones are read from the store.
const RECENT_MESSAGES: u64 = 256;
/// How long they are held.
const RECENT_MESSAGES_TTL: Duration = Duration::from_secs(300);
/// How far back a full history is asked for, in days. A year, as the official desktop program asks.
const FULL_HISTORY_DAYS: u32 = 365;
/// How long closing may take before it is abandoned. Below the five seconds that the program has for its end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(4);

/// A client and what it says.
pub(super) struct Session {
    pub(super) client: Arc<Client>,
    pub(super) events: UnboundedReceiver<Arc<Event>>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) version: Version,
    tasks: Tasks,
    /// Stores the phone's history; ends with the session.
    _history: Owned<()>,
}

impl Session {
    /// Puts a client together; it does not connect yet.
    pub(super) async fn open(seat: &Arc<Seat>) -> Result<Self> {
        let (parts, backend) = (&seat.parts, seat.backend());
        // What a former client still had on its way is on disk before its state is read.
        parts.store.write(|_| Ok(())).await?;
        let version = parts.versions.current().await;
        let keys =
            PersistenceManager::new(backend.clone()).await.context("reading the device's credentials")?;
        let keys = Arc::new(keys);
        let props = props(parts.options.full_history);
        keys.process_command(DeviceCommand::SetDeviceProps(props)).await;
        let inbox = Inbox::new(parts.store.clone(), parts.clock.clone(), seat.no, backend);
        let inbox = Arc::new(inbox);
        let tasks = Tasks::new(seat.no, parts.clone());
        let client = Client::builder()
            .with_runtime(tasks.clone())
            .with_persistence_manager(keys)
            .with_transport_factory(parts.dialler.clone())
            .with_http_client(parts.media.clone())
            .with_version_override(version)
            .with_cache_config(caches())
            .with_inbound_durability_hook(Hook(inbox.clone()))
            .with_wanted_pre_key_count(parts.options.prekeys)
            .with_background_saver_interval(SAVER_INTERVAL)
            .build()
            .await
            .context("putting the WhatsApp client together")?
            .into_client();
        // Senders see their second tick although nobody looks at a screen here.
        client.set_force_active_delivery_receipts(true);
        let (ear, heard) = Ear::new(seat);
        client.subscribe_handler(ear).detach();
        let history = Owned(tokio::spawn(history::run(seat.clone(), heard.history)));
        Ok(Self { client, events: heard.events, inbox, version, tasks, _history: history })
    }

    /// Returns whether the client has ended for good, so that a new connection needs a new one.
    pub(super) fn is_over(&self) -> bool {
        self.client.shutdown_signal().is_fired()
    }

    /// Starts the next connection; the handle ends with it.
    ///
    /// The library would connect again by itself, but at its own pace; the pace is the contract's (`plan.rs`).
    pub(super) fn run(&self) -> Owned<()> {
        self.client.enable_auto_reconnect.store(false, Ordering::Relaxed);
        let client = self.client.clone();
        Owned(tokio::spawn(async move { client.run().await }))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tasks.end();
    }
}

/// Closes a client's connection and writes what the library still holds; unlinks from the phone first when told so.
pub(super) async fn close(seat: &Seat, client: &Arc<Client>, how: Stop) {
    let closing = async {
        if how == Stop::LogOut && client.is_logged_in() {
            client.logout().await;
        } else {
            client.disconnect().await;
        }
        seat.backend().flush().await
    };
    match tokio::time::timeout(CLOSE_TIMEOUT, closing).await {
        Ok(Ok(())) => {}
        Ok(Err(why)) => tracing::error!(device = %seat.no, "closing a connection: {why}"),
        Err(_) => tracing::warn!(device = %seat.no, "a connection did not close in time"),
    }
}

/// A task that ends with its owner.
pub(super) struct Owned<T>(pub(super) JoinHandle<T>);

impl<T> Owned<T> {
    /// Returns once the task has ended; a panic goes on in the caller.
    pub(super) async fn ended(&mut self) -> Result<T> {
        match (&mut self.0).await {
            Ok(value) => Ok(value),
            Err(why) if why.is_panic() => std::panic::resume_unwind(why.into_panic()),
            Err(why) => Err(Error::internal("waiting for a task", why)),
        }
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the device says of itself to the phone. It becomes "Google Chrome (Kurir)" in the list of linked devices.
///
/// Phones hand a whole history over to desktop programs only, so who asks for it has to be one in every respect.
fn props(full_history: bool) -> DevicePropsOverride {
    let props = DevicePropsOverride::new().with_os(OS_NAME);
    if !full_history {
        return props.with_platform_type(PlatformType::CHROME);
    }
    let history = HistorySyncConfig {
        full_sync_days_limit: Some(FULL_HISTORY_DAYS),
        on_demand_ready: Some(true),
        complete_on_demand_ready: Some(true),
        ..default_history_sync_config()
    };
    props.with_platform_type(PlatformType::UWP).with_require_full_sync(true).with_history_sync_config(history)
}

/// The library would otherwise wait for the disk with every message it sends.
fn caches() -> CacheConfig {
    CacheConfig {
        recent_messages: CacheEntryConfig::new(Some(RECENT_MESSAGES_TTL), RECENT_MESSAGES),
        ..CacheConfig::default()
    }
}
