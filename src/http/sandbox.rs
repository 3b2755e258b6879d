//! The simulated network's control API under our own address, for administrators (sandbox builds).
//!
//! A foreign dialect: requests go through as they are, answers and errors keep the network's own form.

use super::envelope::{Asked, Envelope};
use super::live;
use super::reply::{Outcome, Said};
use super::request::Request;
use super::route::{Access, Route, Surface};
use crate::error::{Error, Result};
use crate::words::Lang;
use futures_util::{Stream, stream};
pub use kurir_sandbox::Control;
use kurir_sandbox::ControlReply;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use warp::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use warp::http::{Method, StatusCode};
use warp::reply::Response;

/// Largest control request in bytes: 16 MB of media as base64.
const BODY_MAX_BYTES: usize = 25 << 20;

/// Returns the rows.
pub(super) fn surface(control: Control) -> Surface {
    let watched = control.clone();
    let events = Route::new(Method::GET, "/events", move |_, request: Request| {
        let events = watched.subscribe();
        async move { Ok(live::events(&request, follow(events))) }
    });
    let passed = |method: Method, pattern| {
        let control = control.clone();
        Route::new(method, pattern, move |_, request| pass_on(control.clone(), request))
    };
    let mut routes = vec![events, passed(Method::GET, "/")];
    routes.extend(
        [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
            .map(|method| passed(method, "/*rest")),
    );
    let routes =
        routes.into_iter().map(|route| route.access(Access::Admin).uncounted().unnoted().hidden()).collect();
    Surface { family: "sandbox", prefix: "/sandbox", lang: Lang::En, envelope: &Coded, routes, open: false }
}

async fn pass_on(control: Control, mut request: Request) -> Result<Outcome> {
    let body = request.bytes(BODY_MAX_BYTES).await?;
    let (method, path) = (request.head.method.as_str(), request.head.path.as_str());
    // Our own token is nobody else's business.
    let query: Vec<&str> = request.head.query.split('&').filter(|pair| !pair.starts_with("token=")).collect();
    let reply = control.call(method, path, &query.join("&"), body).await;
    Ok(Outcome::raw(response(reply)))
}

fn response(reply: ControlReply) -> Response {
    let mut response = Response::new(reply.body.into());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in [(CONTENT_TYPE, Some(reply.content_type)), (ALLOW, reply.allow)] {
        if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// Follows the network's events; a reader that is too slow misses the oldest.
fn follow(events: Receiver<Value>) -> impl Stream<Item = (Option<String>, Value)> + Send {
    stream::unfold(events, |mut events| async move {
        loop {
            match events.recv().await {
                Ok(event) => return Some(((None, event), events)),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    })
}

/// `{"error": {"code", "message"}}`, the form of the control API.
struct Coded;

impl Envelope for Coded {
    fn yes(&self, said: Said, _: &Asked<'_>) -> Value {
        said.data.unwrap_or_else(|| json!({}))
    }

    fn no(&self, error: &Error, asked: &Asked<'_>) -> Value {
        json!({"error": {"code": error.code().name(), "message": error.text(asked.lang)}})
    }

    fn yes_schema(&self, data: Option<Value>) -> Value {
        data.unwrap_or_else(|| json!({"type": "object"}))
    }

    fn no_schema(&self) -> Value {
        let error = json!({"code": {"type": "string"}, "message": {"type": "string"}});
        json!({"type": "object", "properties": {"error": {"type": "object", "properties": error}}})
    }
}
