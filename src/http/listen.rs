//! The sockets: accepting, one task per connection, and what keeps a connection from lasting for ever.
//!
//! warp makes the service; the loop around it is ours, because warp's own server has no time limits and no limit of
//! connections, and reports every client that hangs up as an error.

use super::live::Stop;
use crate::error::{Context as _, Error, Result};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use warp::filters::BoxedFilter;
use warp::hyper::server::conn::http1;
use warp::hyper::service::{Service as _, service_fn};
use warp::reply::Response;

/// Connections that are open at the same time; more wait in the kernel's queue. Enough for a hundred busy browsers.
const CONNECTIONS_MAX: usize = 1024;
/// How long a client may take to send a request's head, and how long a connection may be idle between two requests.
const HEAD_WITHIN: Duration = Duration::from_secs(60);
/// Largest head of a request, and largest piece of a body, in bytes.
const BUFFER_MAX_BYTES: usize = 64 * 1024;
/// How long a client may refuse to read what we write before it is cut.
const WRITE_WITHIN: Duration = Duration::from_secs(30);
/// How long and how much of an upload that nobody wanted is still taken, so that the client sees the answer.
const LINGER: Duration = Duration::from_secs(30);
const LINGER_MAX_BYTES: usize = 64 << 20;
/// How long a stop waits for requests in flight.
const STOP_WITHIN: Duration = Duration::from_secs(8);
/// Pause after an accept that failed because the machine is out of something, such as file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// The neighbour on a connection.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    /// Its address.
    pub address: SocketAddr,
    unread: Arc<AtomicBool>,
}

impl Peer {
    /// Makes a peer with nothing left unread.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, unread: Arc::default() }
    }

    /// Notes that a body was not read to its end, so the connection has to linger when it closes.
    pub fn left_unread(&self) {
        self.unread.store(true, Ordering::Release);
    }
}

/// Binds an address; port 0 takes a free one.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|why| {
        Error::internal(format!("listening on `{address}`, choose another with --listen"), why)
    })
}

/// Serves `filter` on all listeners until the stop signal, then lets requests in flight end, within a bound.
pub(super) async fn run(
    listeners: Vec<TcpListener>,
    filter: BoxedFilter<(Response,)>,
    stop: Stop,
) -> Result<()> {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut loops = JoinSet::new();
    for listener in listeners {
        loops.spawn(accept(listener, filter.clone(), permits.clone(), stop.clone()));
    }
    while let Some(ended) = loops.join_next().await {
        ended.context("serving HTTP")?;
    }
    Ok(())
}

async fn accept(
    listener: TcpListener,
    filter: BoxedFilter<(Response,)>,
    permits: Arc<Semaphore>,
    mut stop: Stop,
) {
    let mut connections = JoinSet::new();
    loop {
        let taken = async {
            let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            () = stop.stopped() => break,
            taken = taken => taken,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, address)) => {
                let connection = connection(stream, address, filter.clone(), stop.clone());
                connections.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(why) => {
                tracing::warn!(error = %why, "accepting a connection failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(STOP_WITHIN, all_ended).await.is_err() {
        tracing::warn!(connections = connections.len(), "closing connections that did not end in time");
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    filter: BoxedFilter<(Response,)>,
    mut stop: Stop,
) {
    // Small answers should not wait for more; an error only means that they may.
    let _ = stream.set_nodelay(true);
    let peer = Peer::new(address);
    let io = TokioIo::new(Socket::new(stream, peer.clone()));
    let service = TowerToHyperService::new(warp::service(filter));
    let service = service_fn(move |mut request: warp::http::Request<warp::hyper::body::Incoming>| {
        peer.unread.store(false, Ordering::Release);
        request.extensions_mut().insert(peer.clone());
        service.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(BUFFER_MAX_BYTES)
        // A client may close its sending side and still wait for the answer.
        .half_close(true)
        .serve_connection(io, service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.stopped() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(why) = ended {
        tracing::debug!(error = %why, "a connection ended early");
    }
}

/// A TCP stream that cuts clients who do not read, and closes so that clients who still send see the answer.
struct Socket {
    stream: TcpStream,
    peer: Peer,
    /// Runs while the client does not take what we write.
    stalled: Option<Pin<Box<Sleep>>>,
    lingering: Option<Lingering>,
}

struct Lingering {
    until: Pin<Box<Sleep>>,
    left_bytes: usize,
}

impl Socket {
    fn new(stream: TcpStream, peer: Peer) -> Self {
        Self { stream, peer, stalled: None, lingering: None }
    }

    /// Passes a write on and fails it when the client has not taken anything for too long.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<std::io::Result<T>>,
    ) -> Poll<std::io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(WRITE_WITHIN)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(std::io::ErrorKind::TimedOut.into()))
    }

    /// Throws away what still arrives until the client is done, or the bounds are.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(lingering) = self.lingering.as_mut() else { return Poll::Ready(()) };
        let mut waste = [0; 8 * 1024];
        while lingering.left_bytes > 0 {
            let mut buffer = ReadBuf::new(&mut waste);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    lingering.left_bytes = lingering.left_bytes.saturating_sub(buffer.filled().len());
                }
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(lingering.until.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            if !self.peer.unread.load(Ordering::Acquire) {
                return Poll::Ready(Ok(()));
            }
            let until = Box::pin(sleep(LINGER));
            self.lingering = Some(Lingering { until, left_bytes: LINGER_MAX_BYTES });
        }
        self.linger(cx).map(Ok)
    }
}
