//! The store as clients see it over HTTP: `POST …/<hash>` uploads, `GET /v/…` fetches.

use super::download::{self, Answer};
use super::upload::{self, Refused, Request};
use super::{Reader, Token};
use crate::world::World;
use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use std::io::{self, Read};
use std::pin::Pin;
use std::time::Duration;
use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::{Reply, Response};

/// Bytes handed to the connection at a time.
const CHUNK: usize = 64 * 1024;
/// Bytes read of a body that was refused, so that the client sees the answer instead of a broken connection.
const DRAIN_MAX: usize = 256 * 1024 * 1024;

/// Longest time for that.
const DRAIN: Duration = Duration::from_secs(10);

/// A request to the store.
pub enum Ask {
    /// An upload of the file with this hash.
    Upload(Token),
    /// A download.
    Download,
}

impl Ask {
    /// Recognises the store's requests. Any path that ends in a hash takes uploads: clients have many kinds of media.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        if *method == Method::GET && path.starts_with("/v/") {
            return Some(Self::Download);
        }
        let upload =
            *method == Method::POST && !path.starts_with("/sandbox/") && !path.starts_with("/admin/");
        let token = upload.then(|| path.rsplit_once('/')).flatten().and_then(|(_, last)| Token::parse(last));
        token.map(Self::Upload)
    }
}

/// Answers an upload.
pub async fn upload<B: Buf>(
    world: &World,
    token: Token,
    query: &str,
    headers: &HeaderMap,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Response {
    let mut body = std::pin::pin!(body);
    let request = Request { token, query, length: number(headers, "content-length") };
    match upload::take(world, &request, &mut body).await {
        Ok(answer) => json_response(200, &answer),
        Err(Refused { status, why }) => {
            tracing::debug!(status, "upload refused: {why}");
            // Whoever stopped sending gets its answer all the same.
            let _ = tokio::time::timeout(DRAIN, drain(&mut body)).await;
            json_response(status, &json!({"error": why}))
        }
    }
}

/// Answers a download.
pub async fn download(world: &World, path: &str, query: &str, headers: &HeaderMap) -> Response {
    let range = headers.get("range").and_then(|range| range.to_str().ok());
    match download::give(world, path, query, range).await {
        Answer::Whole(reader) => bytes(reader),
        Answer::Part(reader, first, last, size) => {
            let part = warp::reply::with_status(bytes(reader), StatusCode::PARTIAL_CONTENT);
            warp::reply::with_header(part, "content-range", format!("bytes {first}-{last}/{size}"))
                .into_response()
        }
        Answer::BehindEnd(size) => {
            let none = json_response(416, &json!({"error": "the range lies behind the end"}));
            warp::reply::with_header(none, "content-range", format!("bytes */{size}")).into_response()
        }
        Answer::Refused(status, why) => json_response(status, &json!({"error": why})),
    }
}

fn bytes(reader: Reader) -> Response {
    let length = reader.left();
    let response = warp::reply::stream(chunks(reader));
    let response = warp::reply::with_header(response, "content-type", "application/octet-stream");
    let response = warp::reply::with_header(response, "accept-ranges", "bytes");
    warp::reply::with_header(response, "content-length", length).into_response()
}

/// Reads a file on threads that may wait for the disk. A failed read ends the connection before the announced length.
fn chunks(reader: Reader) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    stream::try_unfold(reader, |mut reader| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK];
            let read = reader.read(&mut chunk)?;
            chunk.truncate(read);
            io::Result::Ok((Bytes::from(chunk), reader))
        });
        let (chunk, reader) = read.await.map_err(io::Error::other)??;
        Ok((!chunk.is_empty()).then_some((chunk, reader)))
    })
}

async fn drain<B: Buf>(body: &mut Pin<&mut impl Stream<Item = Result<B, warp::Error>>>) {
    let mut read = 0;
    while let Some(Ok(part)) = body.next().await {
        read += part.remaining();
        if read > DRAIN_MAX {
            return;
        }
    }
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

fn json_response(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    warp::reply::with_status(warp::reply::json(body), status).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_and_downloads_are_told_from_the_rest() {
        let token = Token::of(&[1; 32]);
        let upload = |path: String| matches!(Ask::of(&Method::POST, &path), Some(Ask::Upload(_)));
        for kind in ["/mms/image", "/mms/ptt", "/product/image", "/newsletter/newsletter-image"] {
            assert!(upload(format!("{kind}/{}", token.as_str())), "{kind}");
        }
        assert!(!upload(format!("/sandbox/phones/{}", token.as_str())) && !upload("/mms/image/x".into()));
        assert!(matches!(Ask::of(&Method::GET, "/v/t62.7118-24/1_2.enc"), Some(Ask::Download)));
        assert!(Ask::of(&Method::GET, "/sandbox").is_none());
    }
}
