//! Browsers and other sites: where a request comes from, and which other sites may read the answer (CORS).

use super::request::Head;
use warp::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST, HeaderValue, ORIGIN, VARY,
};
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

/// Headers that pages of allowed origins may send.
const ALLOWED_HEADERS: &str = "Content-Type, Authorization, X-API-Token, X-Device-API-Key, user-id, Idempotency-Key, \
                               Last-Event-ID, Accept-Language";
/// Headers that such pages may read.
const EXPOSED_HEADERS: &str =
    "X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset";
const ALLOWED_METHODS: &str = "GET, HEAD, POST, PUT, DELETE";
/// How long a browser may remember a preflight, in seconds.
const PREFLIGHT_TTL_S: &str = "600";

/// From which site a browser sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Our own pages, or not a browser at all.
    Own,
    /// A site that the configuration lets read answers.
    Allowed,
    /// Any other site.
    Foreign,
}

impl Origin {
    /// Tells from the headers that browsers set and pages cannot change.
    pub fn of(headers: &HeaderMap, allowed: &[String]) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let fetch_site = text("sec-fetch-site");
        if matches!(fetch_site, Some("same-origin" | "none")) {
            return Self::Own;
        }
        match (headers.get(ORIGIN), fetch_site) {
            (None, None) => Self::Own,
            (None, Some(_)) => Self::Foreign,
            (Some(origin), _) => match origin.to_str() {
                Ok(origin) if is_own(origin, text(HOST.as_str())) => Self::Own,
                Ok(origin) if allowed.iter().any(|one| one == origin) => Self::Allowed,
                _ => Self::Foreign,
            },
        }
    }
}

fn is_own(origin: &str, host: Option<&str>) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host))
}

/// Returns whether a request only asks what another site would be allowed to send.
pub(super) fn is_preflight(head: &Head) -> bool {
    head.header(ORIGIN.as_str()).is_some() && head.header("access-control-request-method").is_some()
}

/// Answers a preflight; what is allowed is added by [`share`].
pub(super) fn preflight(origin: Origin) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    if origin != Origin::Foreign {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ALLOWED_METHODS));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_TTL_S));
    }
    response
}

/// Lets an allowed origin read the answer. Cookies are never shared: other sites use bearer tokens.
pub(super) fn share(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(headers: &[(&'static str, &'static str)]) -> Origin {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_static(value));
        }
        Origin::of(&map, &["http://localhost:5173".to_owned()])
    }

    #[test]
    fn browsers_say_where_a_request_comes_from() {
        for (headers, expected) in [
            (&[][..], Origin::Own),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://a:1"), ("host", "b")], Origin::Own),
            (&[("sec-fetch-site", "none")], Origin::Own),
            (&[("sec-fetch-site", "cross-site")], Origin::Foreign),
            (
                &[("sec-fetch-site", "same-site"), ("origin", "http://host:1"), ("host", "host:2")],
                Origin::Foreign,
            ),
            (&[("origin", "http://host:4000"), ("host", "HOST:4000")], Origin::Own),
            (&[("origin", "http://host:4001"), ("host", "host:4000")], Origin::Foreign),
            (&[("origin", "http://localhost:5173"), ("host", "localhost:4000")], Origin::Allowed),
            (&[("origin", "null"), ("host", "localhost:4000")], Origin::Foreign),
        ] {
            assert_eq!(origin(headers), expected, "{headers:?}");
        }
    }
}
