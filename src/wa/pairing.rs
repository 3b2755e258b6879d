//! The pairing code: the way to link a device without a camera.

use super::live::{Live, PairingCode};
use super::seat::Seat;
use crate::clock::Millis;
use crate::error::{Code, Error, Result};
use crate::model::device::DeviceStatus;
use crate::model::id::DeviceNo;
use crate::model::jid::Phone;
use std::time::Duration;
use whatsapp_rust::pair_code::{PairCodeError, PairCodeOptions, PairError};
use whatsapp_rust::request::IqError;

/// Tries when the connection closes under the request (contract `multi-device.md` section 5).
const TRIES: u32 = 3;
/// Pause between them.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a new connection may take until it can be asked for a code.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the code may take from the network's answer to the snapshot.
const SHOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the same code answers a repeated request, in milliseconds: a double click gets the code that is being typed, and
/// whoever mistyped it, which uses it up, gets another one.
const SAME_CODE_MS: Millis = 10_000;

enum Failure {
    /// The connection closed; another try may succeed.
    Closed(Error),
    /// Another try would fail the same way.
    Final(Error),
}

/// Asks for a pairing code for `phone` on the device's connection, which is open or being opened.
pub(super) async fn code(seat: &Seat, phone: &Phone) -> Result<PairingCode> {
    let mut tried = 0;
    loop {
        tried += 1;
        match once(seat, phone).await {
            Ok(code) => return Ok(code),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Closed(error)) if tried >= TRIES => return Err(error),
            Err(Failure::Closed(error)) => {
                tracing::info!(device = %seat.no, tried, "asking for a pairing code again: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn once(seat: &Seat, phone: &Phone) -> Result<PairingCode, Failure> {
    let live = ready(seat).await?;
    let client = seat.any_client().ok_or_else(closed)?;
    let now = seat.parts.clock.now();
    let outstanding = live.pairing.filter(|code| code.expires_at > now);
    if let Some(code) = outstanding {
        if seat.is_code_for(phone, now - SAME_CODE_MS) {
            return Ok(code);
        }
        client.cancel_pair_code().await;
    }
    seat.remember_code_for(phone, now);
    let options = PairCodeOptions { phone_number: phone.to_string(), ..PairCodeOptions::default() };
    let text = client.pair_with_code(options).await.map_err(|why| failure(seat.no, &why))?;
    let mut watch = seat.live.subscribe();
    let shown = watch.wait_for(|live| live.pairing.as_ref().is_some_and(|code| code.code == text));
    let shown = tokio::time::timeout(SHOWN_TIMEOUT, shown).await;
    let code = shown.ok().and_then(|live| live.ok()?.pairing.clone());
    code.ok_or_else(closed)
}

/// Returns once the network waits for a linking, which it says by its first QR.
async fn ready(seat: &Seat) -> Result<Live, Failure> {
    let mut watch = seat.live.subscribe();
    let is_settled = |live: &Live| {
        live.qr.is_some()
            || matches!(live.status, DeviceStatus::Connected | DeviceStatus::Error | DeviceStatus::Cancelled)
    };
    let settled = tokio::time::timeout(READY_TIMEOUT, watch.wait_for(is_settled)).await;
    let live = settled.ok().and_then(|live| Some(live.ok()?.clone())).ok_or_else(closed)?;
    match live.status {
        DeviceStatus::Connected => Err(Failure::Final(Error::new(Code::DeviceRegistered))),
        _ if live.qr.is_some() => Ok(live),
        _ => Err(closed()),
    }
}

fn closed() -> Failure {
    Failure::Closed(Error::new(Code::DeviceConnectFailed).context("asking for a pairing code"))
}

fn failure(device: DeviceNo, why: &PairError) -> Failure {
    match why {
        PairError::RequestFailed(
            IqError::NotConnected
            | IqError::Socket(_)
            | IqError::EncryptSend(_)
            | IqError::Disconnected(_)
            | IqError::InternalChannelClosed
            | IqError::Timeout,
        )
        | PairError::PairCode(PairCodeError::Cancelled) => closed(),
        refused => {
            tracing::warn!(%device, "WhatsApp refused a pairing code: {refused}");
            let mut error = Error::new(Code::PairingCodeRefused);
            if let Some(reason) = refused.rejection().and_then(|rejection| rejection.text()) {
                error = error.detail(reason);
            }
            if let Some(pause) = refused.backoff() {
                error = error.retry_after(pause.as_secs());
            }
            Failure::Final(error)
        }
    }
}
