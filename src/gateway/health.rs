//! Health: whether the store can be written, and the figures that monitors read.

use super::Gateway;
use crate::error::Result;
use crate::model::device::DeviceStatus;
use crate::store::{devices, settings, stats};

/// How things are.
#[derive(Debug, Clone, Copy)]
pub struct Health {
    /// Whether the store can be written right now.
    pub database_ok: bool,
    /// Devices with an open link.
    pub active_devices: u64,
    /// Messages stored, in and out.
    pub total_messages: u64,
    /// Messages sent and received in the last five minutes.
    pub messages_last_5_min: u64,
    /// Milliseconds since 1970.
    pub started_at: i64,
}

/// Window of the message rate, in milliseconds.
const RATE_WINDOW_MS: i64 = 5 * 60_000;

/// How long a probe of the store stands, in milliseconds. Health needs no credential, so it must not be a way to wear a disk out.
const PROBE_EVERY_MS: i64 = 10_000;

/// When the store was probed last, and whether it could be written.
pub(super) type Probe = tokio::sync::Mutex<Option<(i64, bool)>>;

impl Gateway {
    /// Writes a probe, unless one was written a moment ago, and reads the figures.
    pub async fn health(&self) -> Health {
        let now = self.clock().now();
        let database_ok = self.probe(now).await;
        let (active_devices, total_messages, messages_last_5_min) = self.figures(now).unwrap_or_default();
        Health {
            database_ok,
            active_devices,
            total_messages,
            messages_last_5_min,
            started_at: self.started_at(),
        }
    }

    async fn probe(&self, now: i64) -> bool {
        let mut last = self.inner.probe.lock().await;
        if let Some((at, good)) = *last
            && (at..at + PROBE_EVERY_MS).contains(&now)
        {
            return good;
        }
        let written = self.store().write(move |t| settings::set(t, "health-probe", &now)).await;
        if let Err(error) = &written {
            tracing::error!(%error, "the store cannot be written");
        }
        *last = Some((now, written.is_ok()));
        written.is_ok()
    }

    fn figures(&self, now: i64) -> Result<(u64, u64, u64)> {
        let view = self.store().view()?;
        let connected = devices::all(&view)?.iter().filter(|d| d.status == DeviceStatus::Connected).count();
        Ok((connected as u64, stats::messages(&view)?, stats::messages_since(&view, now - RATE_WINDOW_MS)?))
    }
}
