//! The real program over HTTP.

use crate::figures::{Figures, ms};
use crate::http::Connection;
use crate::network;
use crate::pace::{self, Caller, Load};
use crate::process::Process;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::runtime::Runtime;

const EMAIL: &str = "owner@example.com";
const PASSWORD: &str = "a password nobody guesses";
/// The family that is measured.
const BASE: &str = "/api/whatsapp-multi-device";
/// Pause between two looks whether all devices are connected.
const LOOK: Duration = Duration::from_millis(10);
/// Longest wait for devices to connect.
const CONNECTED_WITHIN: Duration = Duration::from_secs(120);

/// A running Kurir. It can be started again on the same data.
pub struct Kurir {
    /// The process.
    pub process: Process,
    addr: SocketAddr,
    token: String,
    network: SocketAddr,
    devices: usize,
    runtime: Runtime,
    // Removed last.
    dir: TempDir,
}

/// How long a restart took until all devices were connected, in milliseconds.
pub struct Restored {
    /// From the start of the process.
    pub from_start: f64,
    /// From the moment it listened.
    pub from_listening: f64,
}

impl Kurir {
    /// Starts it once to make an owner and a personal token, and then as it would start on any other day.
    pub fn start(network: SocketAddr) -> Result<Self> {
        let dir = tempfile::tempdir().context("a temporary directory")?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let owner = [("ADMIN_EMAIL", EMAIL), ("ADMIN_PASSWORD", PASSWORD)];
        let (mut first, addr) = launch(dir.path(), network, &owner)?;
        let token = runtime.block_on(personal_token(addr))?;
        first.stop()?;
        let (process, addr) = launch(dir.path(), network, &[])?;
        Ok(Self { process, addr, token, network, devices: 0, runtime, dir })
    }

    /// Stops it and starts it on the same data; returns how long until all its devices were connected.
    pub fn restart(&mut self) -> Result<Restored> {
        self.process.stop()?;
        let begun = Instant::now();
        (self.process, self.addr) = launch(self.dir.path(), self.network, &[])?;
        let listening = Instant::now();
        self.wait_connected()?;
        Ok(Restored { from_start: ms(&begun.elapsed()), from_listening: ms(&listening.elapsed()) })
    }

    /// Links devices until there are this many.
    pub fn link(&mut self, devices: usize) -> Result<()> {
        for no in self.devices..devices {
            self.runtime.block_on(self.link_one(no))?;
            self.devices = no + 1;
        }
        self.wait_connected()
    }

    /// Lets devices send.
    pub fn load(&self, load: &Load) -> Result<Figures> {
        self.runtime.block_on(async {
            let mut senders = Vec::with_capacity(load.devices * load.callers);
            for device in 0..load.devices {
                for caller in 0..load.callers {
                    senders.push(Sender::open(self, device, caller).await?);
                }
            }
            pace::run(senders, load).await
        })
    }

    async fn link_one(&self, no: usize) -> Result<()> {
        let mut api = self.connection().await?;
        let device = name(no);
        api.json("POST", &format!("{BASE}/devices"), &json!({"deviceId": device, "deviceName": device}))
            .await?;
        let path = format!("{BASE}/devices/{device}/connect");
        let shown = api.json("POST", &path, &Value::Null).await?;
        let qr = shown["data"]["qr"].as_str().context("a QR")?;
        network::scan(self.network, &format!("628111{no:03}5"), qr).await
    }

    fn wait_connected(&self) -> Result<()> {
        self.runtime.block_on(async {
            let mut api = self.connection().await?;
            let begun = Instant::now();
            loop {
                let list = api.json("GET", &format!("{BASE}/devices"), &Value::Null).await?;
                let connected = list["data"]["stats"]["connected"].as_u64().context("a counter")?;
                if connected == self.devices as u64 {
                    return Ok(());
                }
                ensure!(begun.elapsed() < CONNECTED_WITHIN, "{connected} of {} devices", self.devices);
                tokio::time::sleep(LOOK).await;
            }
        })
    }

    async fn connection(&self) -> Result<Connection> {
        Connection::open(self.addr, Some(&self.token)).await
    }
}

fn launch(dir: &Path, network: SocketAddr, env: &[(&str, &str)]) -> Result<(Process, SocketAddr)> {
    let program = std::env::var_os("KURIR_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_kurir").into());
    let mut command = Command::new(program);
    command.args(["serve", "--listen", "127.0.0.1:0", "--sandbox-url", &network::url(network), "--data-dir"]);
    command.arg(dir).env_clear().env("RATE_LIMIT_MAX", "0").envs(env.iter().copied());
    // The log is written as in daily use, and thrown away.
    command.stderr(Stdio::null());
    let mut process = Process::start(command)?;
    let addr = process.hear_after("listening on http://")?.parse().context("kurir's address")?;
    Ok((process, addr))
}

async fn personal_token(addr: SocketAddr) -> Result<String> {
    let mut nobody = Connection::open(addr, None).await?;
    let login = json!({"email": EMAIL, "password": PASSWORD});
    let login = nobody.json("POST", "/api/auth/login", &login).await?;
    let session = login["data"]["token"].as_str().context("an access token")?;
    let mut owner = Connection::open(addr, Some(session)).await?;
    let made = owner.json("POST", "/api/auth/tokens", &json!({"name": "bench"})).await?;
    Ok(made["data"]["token"].as_str().context("a personal token")?.to_owned())
}

fn name(no: usize) -> String {
    format!("device-{no:03}")
}

/// One caller of a device, with a connection of its own.
struct Sender {
    connection: Connection,
    path: String,
    body: String,
}

impl Sender {
    async fn open(kurir: &Kurir, device: usize, caller: usize) -> Result<Self> {
        let path = format!("{BASE}/devices/{}/send-message", name(device));
        let body = json!({"to": pace::recipient(device, caller), "message": pace::TEXT}).to_string();
        Ok(Self { connection: kurir.connection().await?, path, body })
    }
}

impl Caller for Sender {
    async fn send(&mut self) -> Result<()> {
        let status = self.connection.call("POST", &self.path, &self.body).await?;
        // 202 would mean that the network has not acknowledged it yet.
        ensure!(status == 200, "{status} {}", String::from_utf8_lossy(self.connection.body()));
        Ok(())
    }
}
