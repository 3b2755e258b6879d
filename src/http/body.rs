//! The body of a request: read only when somebody asks, never beyond a cap, never waiting for ever.

use super::listen::Peer;
use crate::error::{Code, Error, Result};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use warp::http::HeaderMap;
use warp::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

/// How long a client may stay silent in the middle of a body.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// What is reserved at most because a header announces it, in bytes; the rest grows with what really arrives.
const RESERVE_MAX: usize = 64 * 1024;
/// A body beyond this many bytes takes one of the places for large ones.
const LARGE: usize = 1 << 20;
/// Large bodies that are in memory at one time: files as base64 are up to 48 MB, and a Raspberry Pi has few of those to give.
const LARGE_AT_ONCE: usize = 4;
/// How long a large body waits for its place.
const PLACE_WITHIN: Duration = Duration::from_secs(60);

static PLACES: Semaphore = Semaphore::const_new(LARGE_AT_ONCE);

type Chunks = BoxStream<'static, std::result::Result<Bytes, warp::Error>>;

/// A body that nobody has read yet.
pub(super) struct Body {
    chunks: Option<Chunks>,
    announced: Option<u64>,
    peer: Option<Peer>,
    place: Place,
}

/// A place among the large bodies that are in memory; empty until one is needed.
///
/// It is kept until the request is done, because what was read lives as long, unless a handler gives it back before.
#[derive(Default)]
pub(super) struct Place(Option<SemaphorePermit<'static>>);

impl Place {
    /// Takes the place when `size` bytes are large and it is not taken yet.
    ///
    /// It waits until few others are in memory; after a minute of that the client is asked to come again.
    pub async fn take_for(&mut self, size: usize) -> Result<()> {
        if self.0.is_none() && size > LARGE {
            let refused =
                || Error::new(Code::TooManyRequests).retry_after(5).detail("too many large bodies at once");
            // Nobody closes the semaphore, so that only the time can run out.
            let place = timeout(PLACE_WITHIN, PLACES.acquire()).await.ok().and_then(|place| place.ok());
            self.0 = Some(place.ok_or_else(refused)?);
        }
        Ok(())
    }
}

impl Body {
    /// Takes over the stream of a request; nothing is read.
    pub fn new<S, B>(stream: S, headers: &HeaderMap, peer: Option<Peer>) -> Self
    where
        S: Stream<Item = std::result::Result<B, warp::Error>> + Send + 'static,
        B: Buf,
    {
        let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let expected = announced.is_some_and(|length| length > 0) || headers.contains_key(TRANSFER_ENCODING);
        let chunks = stream.map(|chunk| chunk.map(|mut part| part.copy_to_bytes(part.remaining()))).boxed();
        // Bodies without either header are empty in HTTP/1; tests hand over a stream without headers.
        let chunks = (expected || peer.is_none()).then_some(chunks);
        Self { chunks, announced, peer, place: Place::default() }
    }

    /// Reads the whole body, at most `cap` bytes. A second call finds it empty. A large one waits for a place.
    pub async fn read(&mut self, cap: usize) -> Result<Bytes> {
        if self.announced.is_some_and(|length| length > cap as u64) {
            return Err(too_large(cap));
        }
        let mut all = BytesMut::with_capacity(self.announced.unwrap_or(0).min(RESERVE_MAX as u64) as usize);
        while let Some(chunk) = next(&mut self.chunks).await {
            let chunk = chunk?;
            if chunk.len() > cap - all.len() {
                return Err(too_large(cap));
            }
            self.place.take_for(all.len() + chunk.len()).await?;
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }

    /// Returns the body piece by piece, at most `cap` bytes; an error ends it. A length beyond the cap is refused at once.
    ///
    /// Whoever gathers pieces in memory takes the place that comes with them.
    pub fn pieces(
        &mut self,
        cap: usize,
    ) -> Result<(impl Stream<Item = Result<Bytes>> + Send + '_, &mut Place)> {
        if self.announced.is_some_and(|length| length > cap as u64) {
            return Err(too_large(cap));
        }
        let pieces = stream::unfold((&mut self.chunks, cap), move |(chunks, left)| async move {
            let piece = next(chunks).await?;
            let piece = piece.and_then(|chunk| match left.checked_sub(chunk.len()) {
                Some(left) => Ok((chunk, left)),
                None => Err(too_large(cap)),
            });
            let left = piece.as_ref().map_or(0, |(_, left)| *left);
            Some((piece.map(|(chunk, _)| chunk), (chunks, left)))
        });
        Ok((pieces, &mut self.place))
    }

    /// Gives the place back, when nothing of what was read is in memory any more.
    pub fn give_place_back(&mut self) {
        self.place = Place::default();
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // The connection closes now, but lets the client finish its upload, so that it sees our answer and not a reset.
        if let (Some(_), Some(peer)) = (&self.chunks, &self.peer) {
            peer.left_unread();
        }
    }
}

/// Returns the next piece; an error ends the body.
async fn next(left: &mut Option<Chunks>) -> Option<Result<Bytes>> {
    let chunks = left.as_mut()?;
    match timeout(SILENCE_MAX, chunks.next()).await {
        Ok(Some(Ok(chunk))) => Some(Ok(chunk)),
        Ok(None) => {
            *left = None;
            None
        }
        Ok(Some(Err(_))) => Some(Err(Error::new(Code::BadBody).detail("the body ended too early"))),
        Err(_) => {
            let detail = format!("no data for {} s", SILENCE_MAX.as_secs());
            Some(Err(Error::new(Code::BadBody).detail(detail)))
        }
    }
}

fn too_large(cap: usize) -> Error {
    Error::new(Code::BodyTooLarge).detail(format!("at most {cap} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::multipart::Parts;
    use proptest::prelude::*;

    fn body(chunks: Vec<Vec<u8>>, announced: Option<u64>) -> Body {
        let mut headers = HeaderMap::new();
        if let Some(length) = announced {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        Body::new(stream::iter(chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk)))), &headers, None)
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(future)
    }

    proptest! {
        #[test]
        fn reading_gives_all_bytes_or_refuses_and_never_exceeds_the_cap(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..12),
            announced in proptest::option::of(any::<u64>()),
            cap in 0usize..400,
        ) {
            let all = chunks.concat();
            match now(body(chunks, announced).read(cap)) {
                Ok(read) => {
                    prop_assert!(read.len() <= cap);
                    prop_assert_eq!(&read[..], &all[..]);
                }
                Err(error) => {
                    prop_assert_eq!(error.code(), Code::BodyTooLarge);
                    prop_assert!(all.len() > cap || announced.is_some_and(|length| length > cap as u64));
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn few_large_bodies_are_in_memory_at_one_time() {
        let large = || body(vec![vec![0; LARGE], vec![0; 1]], None);
        let mut held: Vec<Body> = (0..LARGE_AT_ONCE).map(|_| large()).collect();
        for body in &mut held {
            assert_eq!(body.read(2 * LARGE).await.expect("a place").len(), LARGE + 1);
        }
        let error = large().read(2 * LARGE).await.expect_err("no place came free");
        assert_eq!(error.code(), Code::TooManyRequests);
        assert_eq!(body(vec![vec![0; LARGE]], None).read(LARGE).await.expect("not large").len(), LARGE);
        for (text, fits) in [(LARGE, true), (LARGE + 1, false)] {
            let mut form = b"--b\r\nContent-Disposition: form-data; name=\"base64\"\r\n\r\n".to_vec();
            form.extend(vec![b'A'; text]);
            form.extend(b"\r\n--b--\r\n");
            let mut form = body(vec![form], None);
            let mut parts = Parts::of(&mut form, 3 * LARGE, "b".into(), 2 * LARGE).expect("a form");
            let refused = parts.next().await.err().map(|error| error.code());
            assert_eq!(refused, (!fits).then_some(Code::TooManyRequests), "{text} bytes of text");
        }
        held.pop();
        assert!(large().read(2 * LARGE).await.is_ok(), "the place of a request that is done");
        held[0].give_place_back();
        let mut waiting = large();
        assert!(waiting.read(2 * LARGE).await.is_ok(), "a place that was given back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_is_given_up() {
        let mut silent =
            Body::new(stream::pending::<std::result::Result<Bytes, warp::Error>>(), &HeaderMap::new(), None);
        let error = silent.read(10).await.expect_err("nothing ever arrives");
        assert_eq!(error.code(), Code::BadBody);
    }

    #[tokio::test]
    async fn a_body_is_read_once() {
        let mut once = body(vec![b"abc".to_vec()], None);
        assert_eq!(&once.read(3).await.expect("fits")[..], b"abc");
        assert!(once.read(3).await.expect("empty").is_empty());
    }
}
