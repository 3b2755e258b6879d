//! Files of messages below `/media`, under links that end: whole or in parts, and never as a page of this site.

use super::envelope::Plain;
use super::live::Exclusive;
use super::reply::Outcome;
use super::request::Request;
use super::route::{Access, Route, Surface, get};
use crate::error::{Code, Context as _, Error, Result};
use crate::gateway::links::Query;
use crate::gateway::{Gateway, StoredMedia};
use crate::words::Lang;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::{ErrorKind, SeekFrom};
use std::ops::RangeInclusive;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use warp::Reply as _;
use warp::http::StatusCode;
use warp::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
};
use warp::reply::Response;

/// Bytes that are read from the file at a time.
const PIECE: u64 = 64 << 10;
/// Letters that stay as they are in the name of a header (RFC 8187).
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');
/// Whatever the file is, it cannot run anything here.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self'; sandbox";

/// Returns the surface.
pub fn surface() -> Surface {
    Surface {
        family: "media",
        prefix: "/media",
        lang: Lang::Id,
        envelope: &Plain,
        routes: routes(),
        open: false,
    }
}

fn routes() -> Vec<Route> {
    vec![
        get("/:hash/:name", show)
            .access(Access::Public)
            .uncounted()
            .query::<Query>()
            .raw("*/*")
            .summary("The file of a message, whole or in parts; the link is made by Kurir and ends"),
    ]
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let query: Query = request.query().map_err(|_| Error::new(Code::MediaLinkInvalid))?;
    let media = gateway.linked_media(request.param("hash"), request.param("name"), &query)?;
    let file = File::open(&media.path).await.map_err(|why| match why.kind() {
        ErrorKind::NotFound => Error::new(Code::MediaLinkInvalid),
        _ => Error::internal("opening a file", why),
    })?;
    let size = file.metadata().await.context("looking at a file")?.len();
    let tag = format!("\"{}\"", media.hash);
    let mut response = match asked(&request, &tag, size) {
        Asked::Nothing => status(StatusCode::NOT_MODIFIED),
        Asked::Whole => body(file, 0..=size.saturating_sub(1), size).await?,
        Asked::Part(range) => {
            let told = format!("bytes {}-{}/{size}", range.start(), range.end());
            let mut response = body(file, range, size).await?;
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(response.headers_mut(), CONTENT_RANGE, &told)?;
            response
        }
        Asked::Beyond => {
            let mut response = status(StatusCode::RANGE_NOT_SATISFIABLE);
            set(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{size}"))?;
            response
        }
    };
    describe(response.headers_mut(), &media, &tag)?;
    Ok(Outcome::raw(response))
}

/// What of the file is asked for.
#[derive(Debug, PartialEq)]
enum Asked {
    Whole,
    Part(RangeInclusive<u64>),
    /// A part behind the end.
    Beyond,
    /// The client has it.
    Nothing,
}

fn asked(request: &Request, tag: &str, size: u64) -> Asked {
    let has =
        request.header("if-none-match").is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    if has {
        return Asked::Nothing;
    }
    let is_current = request.header("if-range").is_none_or(|known| known.trim() == tag);
    match request.header("range").filter(|_| is_current) {
        Some(range) => part(range, size),
        None => Asked::Whole,
    }
}

/// Reads one range; several at once and other units are answered with the whole, as RFC 9110 allows.
fn part(range: &str, size: u64) -> Asked {
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Asked::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let (first, last) = match (first.trim().is_empty(), number(first), last.trim().is_empty(), number(last)) {
        (true, _, _, Some(0)) => return Asked::Beyond,
        (true, _, _, Some(count)) => (size.saturating_sub(count), size.saturating_sub(1)),
        (_, Some(first), true, _) => (first, size.saturating_sub(1)),
        (_, Some(first), _, Some(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
        _ => return Asked::Whole,
    };
    if first < size { Asked::Part(first..=last) } else { Asked::Beyond }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

async fn body(mut file: File, range: RangeInclusive<u64>, size: u64) -> Result<Response> {
    let length = if size == 0 { 0 } else { range.end() - range.start() + 1 };
    file.seek(SeekFrom::Start(*range.start())).await.context("reading a file")?;
    let pieces = stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, std::io::Error>(None);
        }
        let mut piece = Vec::with_capacity(left.min(PIECE) as usize);
        let read = (&mut file).take(left.min(PIECE)).read_to_end(&mut piece).await?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(Some((Bytes::from(piece), (file, left - read as u64))))
    });
    let mut response = warp::reply::stream(Exclusive::new(pieces.boxed())).into_response();
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    Ok(response)
}

fn describe(headers: &mut HeaderMap, media: &StoredMedia, tag: &str) -> Result<()> {
    let form = if media.mime.is_safe_inline() { "inline" } else { "attachment" };
    let name = utf8_percent_encode(&media.name, PLAIN);
    set(headers, CONTENT_DISPOSITION, &format!("{form}; filename*=UTF-8''{name}"))?;
    set(headers, CONTENT_TYPE, media.mime.as_str())?;
    set(headers, CACHE_CONTROL, &format!("private, max-age={}", media.opens_for_s))?;
    set(headers, ETAG, tag)?;
    set(headers, ACCEPT_RANGES, "bytes")?;
    set(headers, CONTENT_SECURITY_POLICY, POLICY)
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<()> {
    let value = HeaderValue::from_str(value).map_err(|why| Error::internal("writing a header", why))?;
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_read_as_browsers_write_them() {
        for (range, expected) in [
            ("bytes=0-", Asked::Part(0..=9)),
            ("bytes=0-0", Asked::Part(0..=0)),
            ("bytes=3-5", Asked::Part(3..=5)),
            ("bytes=3-500", Asked::Part(3..=9)),
            ("bytes=-4", Asked::Part(6..=9)),
            ("bytes=-40", Asked::Part(0..=9)),
            ("bytes=10-", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=5-3", Asked::Whole),
            ("bytes=0-1,4-5", Asked::Whole),
            ("items=0-1", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=-", Asked::Whole),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), Asked::Beyond);
    }

    proptest! {
        #[test]
        fn any_range_lies_within_the_file(range in "bytes=[0-9]{0,20}-[0-9]{0,20}", size in 0u64..50) {
            if let Asked::Part(range) = part(&range, size) {
                prop_assert!(range.start() <= range.end() && *range.end() < size);
            }
        }
    }
}
