//! The dashboard: the files of `web/dist` inside the program, with caching and compression, and its index for every page.

use super::request::Head;
use bytes::Bytes;
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, VARY};
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

/// How the log names requests to the dashboard.
pub(super) const PATTERN: &str = "(dashboard)";

/// Answered for `/` when the program was built without its pages.
const HEADLESS: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Kurir</title></head>\
    <body><h1>Kurir</h1><p>This build has no dashboard. The API is described at <a href=\"/api/docs\">/api/docs</a>.</p>\
    </body></html>";

/// A file that can be served.
struct File {
    bytes: Bytes,
    media_type: String,
    etag: String,
    /// True when the name changes with the content.
    hashed: bool,
    gzipped: bool,
}

/// Returns the file under a path, or the index for a path that may be a page; none for a file that is not there.
pub(super) fn page(head: &Head) -> Option<Response> {
    let path = head.path.trim_start_matches('/');
    let gzip = accepts_gzip(head);
    let file = if path.is_empty() { None } else { files::get(path, gzip) };
    let index = || (!looks_like_file(path)).then(|| files::get("index.html", gzip)).flatten();
    match file.or_else(index) {
        Some(file) => Some(served(file, &head.headers)),
        None if path.is_empty() => Some(headless()),
        None => None,
    }
}

fn served(file: File, request: &HeaderMap) -> Response {
    let known = request.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let is_known =
        known.flat_map(|line| line.split(',')).any(|tag| tag.trim().trim_start_matches("W/") == file.etag);
    let mut response = if is_known { Response::default() } else { Response::new(file.bytes.into()) };
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    let cache = if file.hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    for (name, value) in [(CONTENT_TYPE, &file.media_type), (ETAG, &file.etag)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    if file.gzipped {
        headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    }
    response
}

fn headless() -> Response {
    let mut response = Response::new(HEADLESS.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn accepts_gzip(head: &Head) -> bool {
    let encodings = head.header("accept-encoding").unwrap_or_default();
    encodings.split(',').any(|encoding| {
        let (name, weight) = encoding.split_once(';').unwrap_or((encoding, ""));
        name.trim().eq_ignore_ascii_case("gzip") && weight.trim().trim_start_matches("q=").parse() != Ok(0.0)
    })
}

/// Returns whether a path asks for a file rather than a page; pages may hold a JID, which has a dot, too.
fn looks_like_file(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.contains('.') && !last.contains('@') && !last.contains("%40")
}

#[cfg(feature = "dashboard")]
mod files {
    use super::File;
    use bytes::Bytes;
    use flate2::{Compression, write::GzEncoder};
    use rust_embed::{EmbeddedFile, RustEmbed};
    use std::borrow::Cow;
    use std::collections::HashMap;
    use std::io::Write;
    use std::sync::{LazyLock, Mutex, PoisonError};

    /// Files below this size gain nothing from compression, in bytes.
    const GZIP_FROM_BYTES: usize = 1_000;
    /// Compressed files that are kept; the dashboard has a few dozen.
    const GZIPPED_MAX: usize = 256;

    #[derive(RustEmbed)]
    #[folder = "web/dist"]
    #[allow_missing = true]
    struct Embedded;

    type Gzipped = Mutex<HashMap<[u8; 32], Bytes>>;
    /// Compressed when first asked for, by content, so that a program whose dashboard nobody opens stays small.
    static GZIPPED: LazyLock<Gzipped> = LazyLock::new(Gzipped::default);

    /// Returns a file by its path below `web/dist`.
    pub fn get(path: &str, gzip: bool) -> Option<File> {
        let file = Embedded::get(path)?;
        let hash = file.metadata.sha256_hash();
        let media_type = with_charset(file.metadata.mimetype());
        let tag = hex::encode(&hash[..8]);
        let gzip = gzip && file.data.len() >= GZIP_FROM_BYTES && is_text(&media_type);
        let hashed = path.starts_with("assets/");
        match gzip.then(|| gzipped(hash, &file)).flatten() {
            Some(bytes) => {
                Some(File { bytes, media_type, etag: format!("\"{tag}-gz\""), hashed, gzipped: true })
            }
            None => {
                let bytes = match file.data {
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => Bytes::from(bytes),
                };
                Some(File { bytes, media_type, etag: format!("\"{tag}\""), hashed, gzipped: false })
            }
        }
    }

    fn gzipped(hash: [u8; 32], file: &EmbeddedFile) -> Option<Bytes> {
        let kept = || GZIPPED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = kept().get(&hash) {
            return Some(bytes.clone());
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&file.data).ok()?;
        let bytes = Bytes::from(encoder.finish().ok()?);
        let mut kept = kept();
        if kept.len() >= GZIPPED_MAX {
            kept.clear();
        }
        kept.insert(hash, bytes.clone());
        Some(bytes)
    }

    fn is_text(media_type: &str) -> bool {
        media_type.starts_with("text/")
            || ["javascript", "json", "svg", "xml"].iter().any(|kind| media_type.contains(kind))
    }

    fn with_charset(media_type: &str) -> String {
        if media_type.starts_with("text/") {
            format!("{media_type}; charset=utf-8")
        } else {
            media_type.to_owned()
        }
    }
}

#[cfg(not(feature = "dashboard"))]
mod files {
    use super::File;

    /// Finds nothing: this build has no pages.
    pub fn get(_path: &str, _gzip: bool) -> Option<File> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_files_are_told_apart() {
        for page in ["", "devices", "admin/users", "devices/a/chat/628@s.whatsapp.net", "x/628%40g.us"] {
            assert!(!looks_like_file(page), "{page}");
        }
        for file in ["assets/a.js", "favicon.ico", ".env", "wp-login.php"] {
            assert!(looks_like_file(file), "{file}");
        }
    }

    #[test]
    fn a_file_is_sent_once_and_then_known_by_its_tag() {
        let file = |hashed| File {
            bytes: Bytes::from_static(b"x"),
            media_type: "text/css".into(),
            etag: "\"abc\"".into(),
            hashed,
            gzipped: true,
        };
        let fresh = served(file(true), &HeaderMap::new());
        assert_eq!(fresh.status(), 200);
        assert_eq!(fresh.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(fresh.headers()["content-encoding"], "gzip");
        let mut request = HeaderMap::new();
        request.insert(IF_NONE_MATCH, HeaderValue::from_static("\"zzz\", W/\"abc\""));
        let known = served(file(false), &request);
        assert_eq!(
            (known.status().as_u16(), &known.headers()[CACHE_CONTROL]),
            (304, &HeaderValue::from_static("no-cache"))
        );
    }

    #[cfg(feature = "dashboard")]
    #[test]
    fn no_path_leads_out_of_the_pages() {
        for path in ["../Cargo.toml", "assets/../../Cargo.toml", "/etc/passwd", "..%2fCargo.toml", ""] {
            assert!(files::get(path, false).is_none(), "{path}");
        }
    }
}
