//! Asking the phone for what was written before the oldest message that is known here.

use crate::error::Error;
use crate::model::message::Message;
use crate::wa::outcome::SendFailure;
use crate::wa::seat::Seat;
use crate::wa::send;
use std::time::Duration;
use tokio::sync::broadcast;

/// Answers of the phone that are remembered for those who wait.
const ANSWERS: usize = 64;

/// Tells which questions the phone has answered, once the answers are stored.
pub(in crate::wa) struct Answers(broadcast::Sender<String>);

impl Default for Answers {
    fn default() -> Self {
        Self(broadcast::channel(ANSWERS).0)
    }
}

impl Answers {
    /// Tells that the answer to a question is stored.
    pub(super) fn tell(&self, question: &str) {
        // It fails only when nobody waits.
        let _ = self.0.send(question.to_owned());
    }
}

/// Asks the phone for up to `count` messages before `oldest`, and returns once they are stored.
///
/// A phone that does not answer within `patience` may do so later; what it sends is stored all the same.
pub(in crate::wa) async fn ask(
    seat: &Seat,
    oldest: &Message,
    count: usize,
    patience: Duration,
) -> Result<(), SendFailure> {
    let client = seat.open_client().ok_or(SendFailure::NotConnected)?;
    let chat = send::wire_jid(&oldest.chat)?;
    let mut answers = seat.answers.0.subscribe();
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    let asking = client.fetch_message_history(&chat, &oldest.id, oldest.from_me, oldest.at, count);
    let question = async {
        // Boxed: the library's future nests too deep for the compiler otherwise.
        let question = Box::pin(asking).await.map_err(|why| {
            SendFailure::Broken(Error::broken(format!("asking the phone for history: {why:#}")))
        })?;
        loop {
            match answers.recv().await {
                Ok(answered) if answered == question => return Ok(()),
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return Err(SendFailure::NotConnected),
            }
        }
    };
    tokio::time::timeout(patience, question).await.map_err(|_| SendFailure::TimedOut)?
}
