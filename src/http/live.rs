//! Live streams: server-sent events that end when the program stops.

use super::reply::Outcome;
use super::request::Request;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use warp::Reply;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

/// Silence after which a comment is sent, so that proxies and clients see that the stream lives.
const PING_EVERY: Duration = Duration::from_secs(15);
/// What a client should wait before it reconnects, in milliseconds.
const RETRY_MS: u32 = 3_000;

/// The signal that the program stops.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Follows a channel that becomes true; its sender's end counts as a stop, too.
    pub fn new(signal: watch::Receiver<bool>) -> Self {
        Self(signal)
    }

    /// Returns once the program stops.
    pub async fn stopped(&mut self) {
        // An error means that the sender is gone, which ends the program as well.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}

/// Answers with a stream of server-sent events: each item an optional `id` and one JSON value.
///
/// `source` is polled only as fast as the client reads; a client that reads nothing is cut by the connection's write limit.
/// The stream ends with `source` or when the program stops.
pub fn events<S>(request: &Request, source: S) -> Outcome
where
    S: Stream<Item = (Option<String>, Value)> + Send + 'static,
{
    let greeting = stream::iter([Bytes::from(format!("retry: {RETRY_MS}\n\n"))]);
    let frames = greeting.chain(frames(source.boxed(), request.stop())).map(Ok::<_, Infallible>);
    let mut response = warp::reply::stream(Exclusive::new(frames.boxed())).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Outcome::raw(response)
}

fn frames(
    source: BoxStream<'static, (Option<String>, Value)>,
    stop: Stop,
) -> impl Stream<Item = Bytes> + Send {
    stream::unfold((source, stop), |(mut source, mut stop)| async move {
        let frame = tokio::select! {
            biased;
            () = stop.stopped() => return None,
            item = source.next() => frame(item?),
            () = sleep(PING_EVERY) => Bytes::from_static(b": ping\n\n"),
        };
        Some((frame, (source, stop)))
    })
}

fn frame((id, data): (Option<String>, Value)) -> Bytes {
    // JSON from serde_json has no line breaks, so one `data:` line holds it.
    match id {
        Some(id) => Bytes::from(format!("id: {}\ndata: {data}\n\n", id.replace(['\r', '\n', '\0'], ""))),
        None => Bytes::from(format!("data: {data}\n\n")),
    }
}

/// Makes a stream shareable between threads, which a response body has to be although one task alone polls it.
pub(super) struct Exclusive<T>(Mutex<BoxStream<'static, T>>);

impl<T> Exclusive<T> {
    /// Takes a stream.
    pub fn new(stream: BoxStream<'static, T>) -> Self {
        Self(Mutex::new(stream))
    }
}

impl<T> Stream for Exclusive<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_pings_and_ends_with_the_program() {
        let (stopping, stop) = watch::channel(false);
        let item = (Some("7\n".to_owned()), json!({"type": "x\ny"}));
        let source = stream::iter([item]).chain(stream::pending()).boxed();
        let mut frames = Box::pin(frames(source, Stop::new(stop)));
        assert_eq!(frames.next().await.expect("an event"), "id: 7\ndata: {\"type\":\"x\\ny\"}\n\n");
        assert_eq!(frames.next().await.expect("a ping"), ": ping\n\n");
        stopping.send(true).expect("the stream listens");
        assert_eq!(frames.next().await, None);
    }
}
