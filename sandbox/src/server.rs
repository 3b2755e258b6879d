//! The loopback listener: clients of the network at `/ws/chat`, the media store, the control API under `/sandbox`.
//! Path and method decide; from there on every request gets an answer.

use crate::connection;
use crate::control::{self, Control, ControlReply};
use crate::media::site::{self as media, Ask};
use crate::world::World;
use anyhow::{Context, Result, ensure};
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use std::convert::Infallible;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use warp::Filter;
use warp::http::{HeaderMap, Method};
use warp::path::FullPath;
use warp::reply::{Reply, Response};

/// Longest WebSocket message; the clients stay far below.
const MESSAGE_MAX: usize = 32 * 1024 * 1024;
/// Connections waiting to be accepted.
const BACKLOG: u32 = 1024;

/// Opens the listener. The simulated network has no secrets, so it is for this machine only.
pub fn bind(addr: SocketAddr) -> Result<TcpListener> {
    ensure!(
        addr.ip().is_loopback(),
        "{addr} is not a loopback address: the simulated network serves this machine only"
    );
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit it; without it every short answer waits 40 ms for company.
    socket.set_nodelay(true)?;
    socket.bind(addr).with_context(|| format!("listening on {addr}"))?;
    socket.listen(BACKLOG).with_context(|| format!("listening on {addr}"))
}

/// Serves until `stop` fires.
pub async fn run(listener: TcpListener, world: World, control: Control, stop: watch::Receiver<bool>) {
    let mut stopped = stop.clone();
    let ended = async move {
        // An error means that the handle is gone, which ends the service as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let site = chat(world.clone(), stop.clone()).or(site(world, control, stop));
    warp::serve(site).incoming(listener).graceful(ended).run().await;
}

fn chat(
    world: World,
    stop: watch::Receiver<bool>,
) -> impl Filter<Extract = (impl Reply,), Error = warp::Rejection> + Clone {
    warp::path!("ws" / "chat").and(warp::ws()).map(move |ws: warp::ws::Ws| {
        let (world, stop) = (world.clone(), stop.clone());
        ws.max_message_size(MESSAGE_MAX)
            .max_frame_size(MESSAGE_MAX)
            .on_upgrade(move |socket| connection::serve(world, socket, stop))
    })
}

fn site(
    world: World,
    control: Control,
    stop: watch::Receiver<bool>,
) -> impl Filter<Extract = (Response,), Error = warp::Rejection> + Clone {
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let head = warp::method().and(warp::path::full()).and(query).and(warp::header::headers_cloned());
    head.and(warp::body::stream()).then(
        move |method: Method, path: FullPath, query: String, headers: HeaderMap, body| {
            let (world, control, stop) = (world.clone(), control.clone(), stop.clone());
            async move {
                match Ask::of(&method, path.as_str()) {
                    Some(Ask::Upload(token)) => {
                        return media::upload(&world, token, &query, &headers, body).await;
                    }
                    Some(Ask::Download) => {
                        return media::download(&world, path.as_str(), &query, &headers).await;
                    }
                    None => {}
                }
                if method == Method::GET && path.as_str() == "/sandbox/events" {
                    return events(&control, stop);
                }
                response(answer(&control, &method, path.as_str(), &query, body).await)
            }
        },
    )
}

async fn answer(
    control: &Control,
    method: &Method,
    path: &str,
    query: &str,
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
) -> ControlReply {
    let body = match collect(body, control::body_max(path)).await {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    match path {
        "/admin/mock-phone/scan-qr" if method == Method::POST => control.mock_scan(&body).await,
        "/ws/chat" => ControlReply::upgrade_required(),
        _ if path == "/sandbox" || path.starts_with("/sandbox/") => {
            control.call(method.as_str(), path, query, body).await
        }
        _ => ControlReply::not_found(),
    }
}

async fn collect(
    body: impl Stream<Item = Result<impl Buf, warp::Error>>,
    max: usize,
) -> Result<Bytes, ControlReply> {
    let mut body = std::pin::pin!(body);
    let mut all = BytesMut::new();
    while let Some(part) = body.next().await {
        let mut part = part.map_err(|_| ControlReply::broken_body())?;
        if all.len() + part.remaining() > max {
            return Err(ControlReply::too_large(max));
        }
        all.extend_from_slice(&part.copy_to_bytes(part.remaining()));
    }
    Ok(all.freeze())
}

fn response(reply: ControlReply) -> Response {
    let mut response =
        warp::http::Response::builder().status(reply.status).header("content-type", reply.content_type);
    if let Some(allow) = reply.allow {
        response = response.header("allow", allow);
    }
    match response.body(reply.body) {
        Ok(response) => response.into_response(),
        Err(error) => {
            tracing::error!("building an answer: {error}");
            warp::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The feed as server-sent events. It ends with the service; a graceful stop would wait for it otherwise.
fn events(control: &Control, mut stop: watch::Receiver<bool>) -> Response {
    let feed = stream::unfold(control.subscribe(), |mut feed| async move {
        loop {
            match feed.recv().await {
                Ok(event) => return Some((event, feed)),
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return None,
            }
        }
    });
    let events = feed.map(|event| Ok::<_, Infallible>(warp::sse::Event::default().data(event.to_string())));
    let ended = Box::pin(async move {
        // An error means that the handle is gone, which ends the service as well.
        let _ = stop.wait_for(|stop| *stop).await;
    });
    warp::sse::reply(warp::sse::keep_alive().stream(events.take_until(ended))).into_response()
}
