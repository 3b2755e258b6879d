//! One request from its head to its answer: path and method → access → limits → handler → envelope.
//!
//! After a path is found, every way ends in a response, never in a rejection that could try another row.

use super::body::Body;
use super::diary::Deed;
use super::envelope::{Asked, Envelope, Plain, refuse};
use super::limits::{Counters, Key, Limits, Quota};
use super::listen::Peer;
use super::live::Stop;
use super::origin::{self, Origin};
use super::proxy::far;
use super::reply::{Content, Outcome};
use super::request::{Head, Request, decode_param};
use super::table::{Found, Hit, Table, is_below};
use super::{access, dashboard, guard};
use crate::error::{Code, Error, Result};
use crate::gateway::Gateway;
use crate::words::Lang;
use bytes::Buf;
use futures_util::{FutureExt, Stream};
use std::any::Any;
use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::header::{ALLOW, CONTENT_LENGTH, HeaderValue, ORIGIN};
use warp::http::{HeaderMap, Method, StatusCode};
use warp::hyper::body::Body as _;
use warp::path::FullPath;
use warp::reply::Response;

/// Below these paths lies no page, so an unknown one is an error and not the dashboard.
const NOT_PAGES: [&str; 5] = ["/api", "/health", "/media", "/sandbox", "/uploads"];
/// What stands in the log where no row was found; the path itself may hold anything.
const NO_ROW: &str = "(none)";

/// All that a request needs to be answered.
pub(super) struct Dispatch {
    gateway: Gateway,
    table: Table,
    counters: Counters,
    cors_origins: Vec<String>,
    trusted_proxies: Vec<IpAddr>,
    stop: Stop,
    /// Handlers that panicked since the start.
    panics: AtomicU64,
}

/// What the log line says about a request besides its head.
struct Line {
    pattern: String,
    caller: Option<String>,
    quiet: bool,
}

impl Dispatch {
    /// Puts the parts together.
    pub fn new(
        gateway: Gateway,
        table: Table,
        limits: Limits,
        cors_origins: Vec<String>,
        trusted_proxies: Vec<IpAddr>,
        stop: Stop,
    ) -> Self {
        let (counters, panics) = (Counters::new(limits), AtomicU64::new(0));
        Self { gateway, table, counters, cors_origins, trusted_proxies, stop, panics }
    }

    /// Returns the warp filter of the whole site. It never rejects.
    pub fn filter(self) -> BoxedFilter<(Response,)> {
        let dispatch = Arc::new(self);
        let query = warp::query::raw().or(warp::any().map(String::new)).unify();
        warp::any()
            .map(move || dispatch.clone())
            .and(warp::method())
            .and(warp::path::full())
            .and(query)
            .and(warp::header::headers_cloned())
            .and(warp::ext::optional::<Peer>())
            .and(warp::body::stream())
            .then(Self::answer)
            .boxed()
    }

    async fn answer(
        self: Arc<Self>,
        method: Method,
        path: FullPath,
        query: String,
        headers: HeaderMap,
        peer: Option<Peer>,
        body: impl Stream<Item = std::result::Result<impl Buf, warp::Error>> + Send + 'static,
    ) -> Response {
        let begun = Instant::now();
        let body = Body::new(body, &headers, peer.clone());
        let head = self.head(method, path, query, headers, peer);
        let (id, method, secure) = (head.id.clone(), head.method.clone(), head.secure);
        let shared = (head.origin == Origin::Allowed).then(|| head.headers.get(ORIGIN).cloned()).flatten();

        let mut line = Line { pattern: NO_ROW.to_owned(), caller: None, quiet: false };
        let mut response = self.route(head, body, &mut line).await;

        origin::share(response.headers_mut(), shared);
        guard::write(response.headers_mut(), &id, secure);
        if method == Method::HEAD {
            response = without_body(response);
        }
        line.write(&method, response.status(), begun, &id);
        response
    }

    fn head(
        &self,
        method: Method,
        path: FullPath,
        query: String,
        headers: HeaderMap,
        peer: Option<Peer>,
    ) -> Head {
        let neighbour = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.address.ip());
        let far = far(neighbour, &headers, &self.trusted_proxies);
        Head {
            id: hex::encode(rand::random::<[u8; 8]>()),
            method,
            path: path.as_str().to_owned(),
            query,
            origin: Origin::of(&headers, &self.cors_origins),
            headers,
            ip: far.ip,
            secure: far.secure,
        }
    }

    async fn route(&self, head: Head, body: Body, line: &mut Line) -> Response {
        if head.method == Method::OPTIONS && origin::is_preflight(&head) {
            return origin::preflight(head.origin);
        }
        let path = head.path.clone();
        match self.table.find(&head.method, &path) {
            Found::Row(hit, params) => self.row(hit, &params, head, body, line).await,
            Found::OtherMethods(hit, methods) => {
                line.pattern = hit.path.to_owned();
                self.other_method(&hit, &methods, &head)
            }
            Found::Nothing => self.elsewhere(&head, line),
        }
    }

    async fn row(
        &self,
        hit: Hit<'_>,
        params: &[(&'static str, &str)],
        head: Head,
        body: Body,
        line: &mut Line,
    ) -> Response {
        line.pattern = hit.path.to_owned();
        line.quiet = hit.route.quiet;
        let (lang, id) = (language(&head, hit.surface.lang), head.id.clone());
        let mut quota = None;
        let done =
            AssertUnwindSafe(self.run(&hit, params, head, body, lang, &mut quota, line)).catch_unwind().await;
        let done = done.unwrap_or_else(|panic| Err(self.panicked(panic.as_ref())));
        let mut response = self.worded(hit.surface.envelope, lang, &id, hit.path, done);
        if let Some(quota) = quota {
            quota.write(response.headers_mut());
        }
        response
    }

    #[expect(clippy::too_many_arguments, reason = "one call, and each is a different part of the request")]
    async fn run(
        &self,
        hit: &Hit<'_>,
        params: &[(&'static str, &str)],
        head: Head,
        body: Body,
        lang: Lang,
        quota: &mut Option<Quota>,
        line: &mut Line,
    ) -> Result<Outcome> {
        let known = access::recognise(&self.gateway, &head, hit.route.access, hit.surface.open).await;
        let caller_key = known.as_ref().ok().and_then(Option::as_ref).map(|caller| caller.key());
        if hit.route.counted {
            let key = caller_key.clone().map_or_else(|| Key::address(head.ip), Key::User);
            *quota = self.counters.count(key, self.gateway.clock().now());
        }
        line.caller = caller_key;
        if let Some(quota) = quota {
            quota.check()?;
        }
        let caller = known?;
        let params = params.iter().map(|(name, raw)| decode_param(name, raw)).collect::<Result<_>>()?;
        let request = Request {
            head,
            pattern: hit.path.to_owned(),
            params,
            caller,
            lang,
            body,
            body_max: hit.route.body_max,
            stop: self.stop.clone(),
        };
        let deed = Deed::of(hit, &request);
        let outcome = (hit.route.handler)(self.gateway.clone(), request).await?;
        if let Some(deed) = deed {
            self.gateway.note(deed.done(&outcome, self.gateway.clock().now()));
        }
        Ok(outcome)
    }

    fn panicked(&self, panic: &(dyn Any + Send)) -> Error {
        let count = self.panics.fetch_add(1, Ordering::Relaxed) + 1;
        let said = panic.downcast_ref::<&str>().copied();
        let said =
            said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
        Error::broken(format!("a handler panicked (number {count} since the start): {said}"))
    }

    fn other_method(&self, hit: &Hit<'_>, methods: &[&Method], head: &Head) -> Response {
        let mut allowed: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
        if methods.contains(&&Method::GET) {
            allowed.push("HEAD");
        }
        allowed.sort_unstable();
        if head.method == Method::OPTIONS {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NO_CONTENT;
            return allow(response, &allowed);
        }
        let response = self.refused(hit.surface.envelope, hit.surface.lang, head, Code::MethodNotAllowed);
        allow(response, &allowed)
    }

    /// Answers where there is no row: a page of the dashboard, or a refusal in JSON.
    fn elsewhere(&self, head: &Head, line: &mut Line) -> Response {
        let is_page = !NOT_PAGES.iter().any(|prefix| is_below(&head.path, prefix));
        let is_read = matches!(head.method, Method::GET | Method::HEAD);
        if is_page && is_read {
            if let Some(response) = dashboard::page(head) {
                line.pattern = dashboard::PATTERN.to_owned();
                line.quiet = true;
                return response;
            }
        } else if is_page {
            let response = self.refused(&Plain, Lang::default(), head, Code::MethodNotAllowed);
            return allow(response, &["GET", "HEAD"]);
        }
        let surface = self.table.surface_of(&head.path);
        let (envelope, lang): (&dyn Envelope, Lang) =
            surface.map_or((&Plain, Lang::default()), |surface| (surface.envelope, surface.lang));
        self.refused(envelope, lang, head, Code::RouteNotFound)
    }

    fn refused(&self, envelope: &dyn Envelope, lang: Lang, head: &Head, code: Code) -> Response {
        self.worded(envelope, language(head, lang), &head.id, NO_ROW, Err(Error::new(code)))
    }

    /// Turns an outcome or error into bytes. An internal failure is logged here, once, under the request's id.
    fn worded(
        &self,
        envelope: &dyn Envelope,
        lang: Lang,
        id: &str,
        path: &str,
        done: Result<Outcome>,
    ) -> Response {
        let asked = Asked { lang, at: self.gateway.clock().now(), request_id: id };
        let answered = done.and_then(|outcome| outcome.worded_by(envelope, &asked)).or_else(|error| {
            if error.is_internal() {
                tracing::error!(request = id, path, error = %error, "a request failed");
            }
            refuse(envelope, &error, &asked)
        });
        answered.unwrap_or_else(|error| {
            tracing::error!(request = id, path, error = %error, "an answer could not be written");
            let mut response = Response::default();
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        })
    }
}

impl Outcome {
    fn worded_by(self, envelope: &dyn Envelope, asked: &Asked<'_>) -> Result<Response> {
        let mut response = match self.content {
            Content::Words(said) => super::reply::json_response(self.status, &envelope.yes(said, asked))?,
            Content::Raw(response) => response,
            Content::Broken(error) => return Err(error),
        };
        for (name, value) in &self.headers {
            response.headers_mut().append(name, value.clone());
        }
        Ok(response)
    }
}

impl Line {
    fn write(&self, method: &Method, status: StatusCode, begun: Instant, id: &str) {
        let (status, ms) = (status.as_u16(), begun.elapsed().as_millis() as u64);
        let caller = self.caller.as_deref().unwrap_or("-");
        let path = self.pattern.as_str();
        if self.quiet {
            tracing::debug!(%method, path, status, ms, caller, request = id, "request");
        } else {
            tracing::info!(%method, path, status, ms, caller, request = id, "request");
        }
    }
}

fn language(head: &Head, default: Lang) -> Lang {
    head.header("accept-language").and_then(Lang::from_accept_language).unwrap_or(default)
}

fn allow(mut response: Response, methods: &[&str]) -> Response {
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// Keeps the head of an answer and the length that its body would have had.
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(length));
    }
    Response::from_parts(parts, Default::default())
}
