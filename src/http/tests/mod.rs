//! The site as a client meets it, with rows made for the tests. Refusals first.

mod answers;
mod refusals;
mod sockets;

use super::dispatch::Dispatch;
use super::route::{Access, Surface, get, post};
use super::table::Table;
use super::{Limits, Outcome, Plain, Request, Stamped, Stop, docs, health, live};
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, testing};
use crate::words::Lang;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use warp::Reply as _;
use warp::filters::BoxedFilter;
use warp::http::Response;
use warp::test::RequestBuilder;

/// Largest body of `POST /api/test/small`, in bytes.
const SMALL: usize = 100;

/// A site with a claimed gateway behind it.
struct House {
    filter: BoxedFilter<(warp::reply::Response,)>,
    gateway: Gateway,
    /// The owner's access token; empty in a house nobody has claimed.
    owner: String,
    stopping: watch::Sender<bool>,
    _dir: TempDir,
}

impl House {
    async fn claimed() -> Self {
        Self::build(true, 1_000, false).await
    }

    async fn build(claimed: bool, anonymous_max: u32, open: bool) -> Self {
        let (gateway, dir) = testing::gateway().await;
        let owner = if claimed { testing::owner(&gateway).await } else { String::new() };
        let (stopping, stop) = watch::channel(false);
        let table =
            Table::new(vec![surface(open), stamped(), health::surface(), docs::surface()]).expect("a table");
        let limits = Limits { window_ms: 60_000, anonymous_max, user_max: 50 };
        let origins = vec!["http://localhost:5173".to_owned()];
        let dispatch = Dispatch::new(gateway.clone(), table, limits, origins, vec![], Stop::new(stop));
        Self { filter: dispatch.filter(), gateway, owner, stopping, _dir: dir }
    }

    /// Sends a request without credential.
    async fn send(&self, request: RequestBuilder) -> Answer {
        Answer(request.reply(&self.filter).await)
    }

    /// Sends a request as the owner.
    async fn send_as_owner(&self, request: RequestBuilder) -> Answer {
        self.send(request.header("authorization", format!("Bearer {}", self.owner))).await
    }
}

fn request(method: &str, path: &str) -> RequestBuilder {
    warp::test::request().method(method).path(path)
}

/// What came back.
struct Answer(Response<bytes::Bytes>);

impl Answer {
    fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    fn header(&self, name: &str) -> &str {
        self.0.headers().get(name).map_or("", |value| value.to_str().expect("text"))
    }

    fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json; charset=utf-8");
        serde_json::from_slice(self.0.body()).expect("JSON")
    }

    fn message(&self) -> String {
        let body = self.json();
        assert_eq!(body["success"], self.0.status().is_success());
        body["message"].as_str().expect("a message").to_owned()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.0.body()).expect("text")
    }
}

fn surface(open: bool) -> Surface {
    let routes = vec![
        get("/things/:name", show),
        get("/page", page),
        get("/admin", caller).access(Access::Admin),
        get("/public", maybe).access(Access::Public),
        post("/public", maybe).access(Access::Public),
        post("/things", create),
        post("/small", small).body_max(SMALL),
        post("/upload", small).access(Access::Public).body_max(SMALL),
        get("/panic", panics).access(Access::Public),
        get("/fails", fails).access(Access::Public),
        get("/image", image).access(Access::Public),
        get("/live", follow).access(Access::Public).uncounted(),
        get("/slow", slow).access(Access::Public),
    ];
    Surface { family: "test", prefix: "/api/test", lang: Lang::Id, envelope: &Plain, routes, open }
}

fn stamped() -> Surface {
    let routes = vec![get("/devices/:deviceId", show)];
    Surface {
        family: "stamped",
        prefix: "/api/test/stamped",
        lang: Lang::Id,
        envelope: &Stamped,
        routes,
        open: false,
    }
}

#[derive(Deserialize)]
struct Thing {
    name: String,
    size: Option<u8>,
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
}

async fn show(_: Gateway, request: Request) -> Result<Outcome> {
    let name = [request.param("name"), request.param("deviceId")].concat();
    Ok(Outcome::data(json!({"name": name, "pattern": request.pattern()})))
}

async fn page(_: Gateway, request: Request) -> Result<Outcome> {
    let page: Page = request.query()?;
    Ok(Outcome::data(json!({"limit": page.limit})))
}

async fn caller(_: Gateway, request: Request) -> Result<Outcome> {
    Ok(Outcome::data(json!({"user": request.caller().user})))
}

async fn maybe(_: Gateway, request: Request) -> Result<Outcome> {
    Ok(Outcome::data(json!({"user": request.caller_opt().map(|caller| caller.user)})))
}

async fn create(_: Gateway, mut request: Request) -> Result<Outcome> {
    let thing: Thing = request.json().await?;
    let outcome = Outcome::created(Code::DeviceCreated, json!({"name": thing.name, "size": thing.size}));
    Ok(outcome.with_top("name", thing.name).with_cookie("a=b; HttpOnly").with_cookie("c=d"))
}

async fn small(_: Gateway, mut request: Request) -> Result<Outcome> {
    let body: Value = request.json().await?;
    Ok(Outcome::data(body))
}

async fn panics(_: Gateway, _: Request) -> Result<Outcome> {
    panic!("a secret");
}

async fn fails(_: Gateway, _: Request) -> Result<Outcome> {
    Err(Error::internal("reading job 42", "a secret path"))
}

async fn image(_: Gateway, _: Request) -> Result<Outcome> {
    Ok(Outcome::raw("<svg/>".into_response()).with_header("content-security-policy", "sandbox"))
}

async fn follow(_: Gateway, request: Request) -> Result<Outcome> {
    let source = stream::iter([(Some("1".to_owned()), json!({"type": "connected"}))]);
    Ok(live::events(&request, futures_util::StreamExt::chain(source, stream::pending())))
}

/// Answers only when the program is about to stop.
async fn slow(_: Gateway, request: Request) -> Result<Outcome> {
    request.stop().stopped().await;
    Ok(Outcome::data("done"))
}
