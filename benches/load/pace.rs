//! Callers that send one message after the other, each waiting for the network's acknowledgement of its own.

use crate::figures::Figures;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

/// Somebody who sends.
pub trait Caller: Send + 'static {
    /// Sends one text and returns once the network has acknowledged it.
    fn send(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// How much is sent.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Load {
    /// Devices that send.
    pub devices: usize,
    /// Callers of each device.
    pub callers: usize,
    /// How long.
    pub time: Duration,
    /// What each caller waits behind each message.
    pub pause: Duration,
}

/// Lets all callers send. Each sends once before, so that its first contact with the recipient is not counted.
pub async fn run<C: Caller>(callers: Vec<C>, load: &Load) -> Result<Figures> {
    let Load { time, pause, .. } = *load;
    let ready = Arc::new(Barrier::new(callers.len()));
    let mut running = JoinSet::new();
    for mut caller in callers {
        let ready = ready.clone();
        running.spawn(async move {
            caller.send().await?;
            ready.wait().await;
            let begun = Instant::now();
            let mut latencies = Vec::new();
            while begun.elapsed() < time {
                let sent_at = Instant::now();
                caller.send().await?;
                latencies.push(sent_at.elapsed());
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
            anyhow::Ok((latencies, begun.elapsed()))
        });
    }
    let (mut all, mut longest) = (Vec::new(), time);
    while let Some(ended) = running.join_next().await {
        let (latencies, took) = ended.context("a caller")??;
        all.extend(latencies);
        longest = longest.max(took);
    }
    Ok(Figures::of(all, longest))
}

/// Returns the phone that a caller writes to: everybody has a person of their own.
pub fn recipient(device: usize, caller: usize) -> String {
    format!("62813{device:03}{caller:03}9")
}

/// The text that is sent.
pub const TEXT: &str = "Pesanan Anda sudah kami kirim. Terima kasih!";
