//! Asking with patience: "too many requests" is answered by waiting, not by failing.

use crate::wa::outcome::SendFailure;
use crate::wa::seat::Seat;
use crate::wa::send;
use std::time::Duration;
use tokio::time::Instant;
use whatsapp_rust::features::GroupError;
use whatsapp_rust::request::IqError;

/// The network's word for "too many requests".
const TOO_MANY: u16 = 429;
/// How long a request waits in all: below common timeouts of clients, as for a message's acceptance.
const PATIENCE: Duration = Duration::from_secs(25);
/// First pause when the network does not say how long; doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Asks until the network answers something else than "too many requests", or the patience is at its end.
pub(super) async fn ask<T, F, Asking>(seat: &Seat, question: F) -> Result<T, SendFailure>
where
    F: Fn() -> Asking,
    Asking: Future<Output = Result<T, GroupError>>,
{
    let answer_within =
        Duration::from_millis(u64::try_from(seat.parts.options.query_timeout_ms).unwrap_or(0));
    repeat(answer_within, question).await
}

async fn repeat<T, F, Asking>(answer_within: Duration, question: F) -> Result<T, SendFailure>
where
    F: Fn() -> Asking,
    Asking: Future<Output = Result<T, GroupError>>,
{
    let end = Instant::now() + PATIENCE;
    let mut next = FIRST_PAUSE;
    loop {
        let why = match tokio::time::timeout(answer_within, question()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(why)) => why,
            Err(_) => return Err(SendFailure::TimedOut),
        };
        let Some(told) = pause(&why) else { return Err(failure(&why)) };
        let wait = told.unwrap_or(next);
        if Instant::now() + wait >= end {
            return Err(SendFailure::Refused { code: i32::from(TOO_MANY) });
        }
        tracing::debug!(?wait, "the network has too many requests; asking again");
        tokio::time::sleep(wait).await;
        next *= 2;
    }
}

/// Returns how long the network wants to be left alone: none when it is not about that, `Some(None)` when it did not say.
fn pause(why: &GroupError) -> Option<Option<Duration>> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(why);
    while let Some(one) = cause {
        if let Some(IqError::ServerError { code: TOO_MANY, backoff, .. }) = one.downcast_ref() {
            return Some(backoff.map(|seconds| Duration::from_secs(u64::from(seconds))));
        }
        cause = one.source();
    }
    None
}

/// What the library refuses before it asks counts as refused by the network as malformed.
fn failure(why: &GroupError) -> SendFailure {
    match why {
        GroupError::InvalidRequest(_) => SendFailure::Refused { code: 400 },
        GroupError::DescriptionConflict => SendFailure::Refused { code: 409 },
        why => send::failure(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LATE: Duration = Duration::from_secs(120);

    fn refusal(code: u16, backoff: Option<u32>) -> GroupError {
        GroupError::Iq(IqError::ServerError { code, text: String::new(), error_type: None, backoff })
    }

    /// Answers `Ok` after `refusals` times "too many requests"; returns what came, how often was asked, and how long it took.
    async fn asked(refusals: u32, backoff: Option<u32>) -> (Result<(), SendFailure>, u32, Duration) {
        let (count, begun) = (AtomicU32::new(0), Instant::now());
        let answer = repeat(LATE, || {
            let is_refused = count.fetch_add(1, Ordering::SeqCst) < refusals;
            async move { if is_refused { Err(refusal(TOO_MANY, backoff)) } else { Ok(()) } }
        });
        let answer = answer.await;
        (answer, count.load(Ordering::SeqCst), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn too_many_requests_are_waited_out() {
        let (answer, count, took) = asked(3, None).await;
        assert!(answer.is_ok());
        assert_eq!((count, took.as_secs()), (4, 1 + 2 + 4));
        let (answer, count, took) = asked(1, Some(9)).await;
        assert!(answer.is_ok());
        assert_eq!((count, took.as_secs()), (2, 9));
    }

    #[tokio::test(start_paused = true)]
    async fn patience_has_an_end() {
        for backoff in [None, Some(3600)] {
            let (answer, _, took) = asked(u32::MAX, backoff).await;
            assert!(matches!(answer, Err(SendFailure::Refused { code: 429 })));
            assert!(took <= PATIENCE, "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn other_refusals_are_told_at_once() {
        for (why, code) in [
            (|| refusal(403, Some(9)), 403),
            (|| refusal(404, None), 404),
            (|| GroupError::InvalidRequest("no".into()), 400),
            (|| GroupError::DescriptionConflict, 409),
        ] as [(fn() -> GroupError, i32); 4]
        {
            let answer: Result<(), _> = repeat(LATE, || async move { Err(why()) }).await;
            assert!(matches!(answer, Err(SendFailure::Refused { code: got }) if got == code), "{code}");
        }
    }
}
