//! The simulated network in a process of its own; it keeps everything in memory.

use crate::http::Connection;
use crate::process::Process;
use anyhow::{Context as _, Result};
use kurir_sandbox::Sandbox;
use serde_json::json;
use std::net::SocketAddr;

/// The argument that chooses this role.
pub const ROLE: &str = "network";

/// Serves until its input ends.
pub fn serve() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let sandbox = runtime.block_on(Sandbox::builder().start())?;
    println!("{}", sandbox.addr());
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    runtime.block_on(sandbox.shutdown());
    Ok(())
}

/// The network as the other processes see it.
pub struct Network {
    /// Where it listens.
    pub addr: SocketAddr,
    // It ends with its owner.
    _process: Process,
}

impl Network {
    /// Starts it.
    pub fn start() -> Result<Self> {
        let mut process = Process::role(&[ROLE])?;
        let addr = process.hear()?.parse().context("the network's address")?;
        Ok(Self { addr, _process: process })
    }
}

/// Returns the URL for clients.
pub fn url(addr: SocketAddr) -> String {
    format!("ws://{addr}/ws/chat")
}

/// Makes a phone and lets it scan a QR.
pub async fn scan(addr: SocketAddr, phone: &str, qr: &str) -> Result<()> {
    let mut control = Connection::open(addr, None).await?;
    control.json("POST", "/sandbox/phones", &json!({"phone": phone})).await?;
    control.json("POST", &format!("/sandbox/phones/{phone}/scan"), &json!({"qr": qr})).await.map(drop)
}
