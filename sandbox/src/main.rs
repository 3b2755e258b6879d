//! The simulated WhatsApp network as a program of its own.

use anyhow::Result;
use clap::Parser;
use kurir_sandbox::Sandbox;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A simulated WhatsApp network for this machine.
#[derive(Parser)]
#[command(version)]
struct Flags {
    /// Loopback address to listen on.
    #[arg(long, default_value = "127.0.0.1:7400")]
    listen: SocketAddr,
    /// Directory that keeps accounts, keys, links and queues across restarts; without it they are forgotten.
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let flags = Flags::parse();
    let filter = EnvFilter::try_from_env("SANDBOX_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let mut builder = Sandbox::builder().listen(flags.listen);
    if let Some(dir) = flags.data_dir {
        builder = builder.data_dir(dir);
    }
    let sandbox = builder.start().await?;
    println!("listening on {}", sandbox.ws_url());
    println!("noise root {}", hex::encode(sandbox.noise_root()));
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    sandbox.shutdown().await;
    Ok(())
}
