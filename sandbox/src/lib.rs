//! A simulated WhatsApp network: the server that clients of the multi-device web protocol connect to, and the phones
//! that link them. For tests, and for trying Kurir without a phone. It knows the wire and never Kurir.
//!
//! Reading order: `server` (listener) → `connection` (one client: `frames`, `noise`) → `stanza` (what clients say)
//! → `router` (who gets it), `groups` (who may change one) → `state` (what is known) → `store` (what survives)
//! → `phone` (who acts by itself) → `control` (the person holding the phones) → `faults`. Beside them `media`: the
//! store that files travel through.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, reason = "a test that meets the unexpected should fail right there")
)]

mod channels;
mod clock;
mod connection;
mod control;
mod events;
mod faults;
mod frames;
mod groups;
mod keys;
mod media;
mod node;
mod noise;
mod phone;
mod restore;
mod router;
mod server;
mod stanza;
mod state;
mod stats;
mod store;
mod world;

pub use control::{Control, ControlReply};

use anyhow::Result;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use world::World;

/// Time that open connections have to end.
const STOP: Duration = Duration::from_secs(5);

/// Settings of a network that is not running yet.
pub struct Builder {
    listen: SocketAddr,
    data_dir: Option<PathBuf>,
}

impl Builder {
    /// Sets the loopback address to listen on; port 0 (the default) takes a free one.
    pub fn listen(mut self, addr: SocketAddr) -> Self {
        self.listen = addr;
        self
    }

    /// Keeps everything in this directory across restarts. Without it the network forgets when it stops.
    pub fn data_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(dir.into());
        self
    }

    /// Starts the network. Fails when the address is taken or not loopback, or the directory is in use.
    pub async fn start(self) -> Result<Sandbox> {
        let listener = server::bind(self.listen)?;
        let addr = listener.local_addr()?;
        let (phones, woken) = mpsc::unbounded_channel();
        let dir = self.data_dir;
        // Reading a large journal takes a while; clients wait in the listener's backlog meanwhile.
        let world = tokio::task::spawn_blocking(move || World::open(dir.as_deref(), addr, phones)).await??;
        let control = Control::new(world.clone(), addr);
        let (stop, stopped) = watch::channel(false);
        let tasks = vec![
            tokio::spawn(phone::executor::run(world.clone(), woken, stopped.clone())),
            tokio::spawn(server::run(listener, world.clone(), control.clone(), stopped)),
        ];
        Ok(Sandbox { addr, world, control, stop, tasks })
    }
}

/// A running network. Dropping it stops it without waiting; `shutdown` waits until everything is stored.
pub struct Sandbox {
    addr: SocketAddr,
    world: World,
    control: Control,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts with the default settings: a free loopback port, nothing kept.
    pub fn builder() -> Builder {
        Builder { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), data_dir: None }
    }

    /// Returns the address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the URL for clients of the network.
    pub fn ws_url(&self) -> String {
        format!("ws://{}/ws/chat", self.addr)
    }

    /// Returns the public key that signs the network's certificates; clients that check them need it.
    pub fn noise_root(&self) -> [u8; 32] {
        self.world.keys().root_public()
    }

    /// Returns a handle of the control API.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Closes every connection and returns once everything is stored.
    pub async fn shutdown(mut self) {
        // It fails only when every task has ended already.
        let _ = self.stop.send(true);
        for mut task in std::mem::take(&mut self.tasks) {
            if tokio::time::timeout(STOP, &mut task).await.is_err() {
                tracing::warn!("a part of the simulated network did not stop within {} s", STOP.as_secs());
                task.abort();
            }
        }
        self.world.store.close().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It fails only when every task has ended already.
        let _ = self.stop.send(true);
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
