//! Our message → protocol message → the network's word on it.

use super::kinds::outgoing;
use super::media;
use super::outcome::{PendingAck, SendFailure};
use super::seat::Seat;
use super::status;
use crate::error::Error;
use crate::model::jid::Jid;
use crate::model::message::{Outgoing, OutgoingContent};
use std::time::Duration;
use whatsapp_rust::client::ClientError;
use whatsapp_rust::request::IqError;
use whatsapp_rust::send::SendOptions;

/// Sends a message under the id it was given when it was stored; returns once its frame is written.
pub(super) async fn send(seat: &Seat, message_id: &str, what: &Outgoing) -> Result<PendingAck, SendFailure> {
    let client = seat.open_client().ok_or(SendFailure::NotConnected)?;
    let to = wire_jid(&what.to)?;
    let mut message = match &what.content {
        OutgoingContent::Media(file) => {
            let mut message = media::message(seat, &client, file).await?;
            outgoing::surround(&mut message, what).map_err(SendFailure::Broken)?;
            match what.around.view_once {
                true => outgoing::once(message).map_err(SendFailure::Broken)?,
                false => message,
            }
        }
        _ => outgoing::message(what).map_err(SendFailure::Broken)?,
    };
    let mut readers = Vec::new();
    if what.to.is_status() {
        status::dress(&mut message, what);
        readers = status::readers(seat, what).await?;
    }
    let options = SendOptions::default().with_message_id(message_id);
    let ack_deadline = millis(seat.parts.options.ack_timeout_ms);
    // Registered first: the acknowledgement may arrive before the call returns.
    let pending = seat.acks.expect(message_id, ack_deadline);
    let sending = async {
        match what.to.is_status() {
            true => status::post(&client, message_id, message, &readers, what).await,
            false => client.send_message_with_options(to, message, options).await.map(drop),
        }
    };
    let failure = match tokio::time::timeout(millis(seat.parts.options.query_timeout_ms), sending).await {
        Ok(Ok(())) => return Ok(pending),
        Ok(Err(why)) => failure(&why),
        Err(_) => SendFailure::TimedOut,
    };
    seat.acks.forget(message_id);
    Err(failure)
}

/// Tells the senders of `ids` that their messages were read; `sender` names the author in a group.
pub(super) async fn mark_read(
    seat: &Seat,
    chat: &Jid,
    sender: Option<&Jid>,
    ids: &[String],
) -> Result<(), SendFailure> {
    let client = seat.open_client().ok_or(SendFailure::NotConnected)?;
    let sender = sender.map(wire_jid).transpose()?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let marked = client.mark_as_read(&wire_jid(chat)?, sender.as_ref(), &ids).await;
    marked.map_err(|why| failure(why.as_ref()))
}

pub(super) fn wire_jid(jid: &Jid) -> Result<wacore_binary::Jid, SendFailure> {
    let text = jid.to_string();
    text.parse()
        .map_err(|why| SendFailure::Broken(Error::internal("writing an address for the network", why)))
}

/// Returns what an error of the library means for the message, judged by the causes it holds.
pub(super) fn failure(error: &(dyn std::error::Error + Send + Sync + 'static)) -> SendFailure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(one) = cause {
        if let Some(found) = one.downcast_ref().and_then(iq_failure) {
            return found;
        }
        if let Some(found) = one.downcast_ref().and_then(client_failure) {
            return found;
        }
        cause = one.source();
    }
    SendFailure::Broken(Error::broken(error.to_string()).context("sending to the network"))
}

fn iq_failure(error: &IqError) -> Option<SendFailure> {
    Some(match error {
        IqError::ServerError { code, .. } => SendFailure::Refused { code: i32::from(*code) },
        IqError::NotConnected => SendFailure::NotConnected,
        IqError::Timeout
        | IqError::Socket(_)
        | IqError::EncryptSend(_)
        | IqError::Disconnected(_)
        | IqError::InternalChannelClosed => SendFailure::TimedOut,
        _ => return None,
    })
}

fn client_failure(error: &ClientError) -> Option<SendFailure> {
    Some(match error {
        ClientError::NotConnected | ClientError::NotLoggedIn => SendFailure::NotConnected,
        // Part of the frame may have left, so the network may have the message.
        ClientError::Socket(_) | ClientError::EncryptSend(_) => SendFailure::TimedOut,
        _ => return None,
    })
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use whatsapp_rust::send::SendError;

    #[test]
    fn causes_decide_what_a_failure_means() {
        let refused =
            IqError::ServerError { code: 406, text: String::new(), error_type: None, backoff: None };
        let cases: Vec<(SendError, &str)> = vec![
            (SendError::Iq(refused), "Refused { code: 406 }"),
            (SendError::Iq(IqError::Timeout), "TimedOut"),
            (SendError::Client(ClientError::Iq(IqError::NotConnected)), "NotConnected"),
            (SendError::Client(ClientError::NotLoggedIn), "NotConnected"),
            (SendError::Internal(anyhow::Error::from(IqError::Timeout)), "TimedOut"),
        ];
        for (error, expected) in cases {
            assert_eq!(format!("{:?}", failure(&error)), expected, "{error:?}");
        }
        let broken = SendError::InvalidRequest("no".into());
        assert!(matches!(failure(&broken), SendFailure::Broken(_)));
    }
}
