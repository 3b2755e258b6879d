//! How a send ended.

use crate::error::{Code, Error};
use std::time::Duration;
use tokio::sync::oneshot;

/// Why a message was not accepted by the network.
#[derive(Debug)]
pub enum SendFailure {
    /// The device is not connected; nothing was sent.
    NotConnected,
    /// The recipient has no WhatsApp account; nothing was sent.
    NotOnWhatsApp,
    /// The network refused the message with this code; sending it again does not help.
    Refused {
        /// The network's number, such as 463.
        code: i32,
    },
    /// The network did not acknowledge in time. It may have the message: send again under the same id only.
    TimedOut,
    /// Something of ours failed, such as the store.
    Broken(Error),
}

impl SendFailure {
    /// Returns the error for the client.
    pub fn error(self) -> Error {
        match self {
            SendFailure::NotConnected => Error::new(Code::DeviceNotConnected),
            SendFailure::NotOnWhatsApp => Error::new(Code::NotOnWhatsApp),
            SendFailure::Refused { code: 463 } => Error::new(Code::SendRestricted),
            SendFailure::Refused { code } => Error::new(Code::SendRefused).with("code", code),
            SendFailure::TimedOut => Error::new(Code::SendTimedOut),
            SendFailure::Broken(error) => error,
        }
    }
}

/// What the network said about one message id.
pub(super) type Verdict = Result<(), SendFailure>;

/// A message whose frame was written and that waits for the network's acknowledgement.
#[must_use = "a message counts as sent only once the network acknowledged it"]
pub struct PendingAck {
    pub(super) verdict: oneshot::Receiver<Verdict>,
    pub(super) deadline: Duration,
}

impl PendingAck {
    /// Returns once the network acknowledged or refused the message, the connection went away, or the deadline passed.
    pub async fn wait(self) -> Result<(), SendFailure> {
        match tokio::time::timeout(self.deadline, self.verdict).await {
            Ok(Ok(verdict)) => verdict,
            // The connection ended, or a second attempt under the same id took the place of this one.
            Ok(Err(_)) | Err(_) => Err(SendFailure::TimedOut),
        }
    }
}
