//! One client's socket: handshake, then stanzas in and out until either side leaves.
//! What a stanza means is decided in `stanza`.

use crate::faults::ConnectionFault;
use crate::noise::{self, Accepted, Pattern, Step};
use crate::stanza::{Session, login};
use crate::state::companion::CLOSE_PAUSE;
use crate::world::World;
use crate::{frames::FrameStream, node, stats};
use anyhow::{Context, Result, bail};
use bytes::{Bytes, BytesMut};
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use wacore_binary::Node;
use wacore_noise::NoiseCipher;
use warp::ws::{Message, WebSocket};

/// Time a client has for the whole handshake.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// Silence after which a connection counts as dead; the clients ping at least every 30 s.
const SILENCE: Duration = Duration::from_secs(180);
/// Frames and bytes that share one WebSocket message, as long as they are ready at the same moment.
const COALESCE_FRAMES: usize = 32;
const COALESCE_BYTES: usize = 64 * 1024;

/// Something that leaves the network on a connection.
enum Out {
    Stanza(Box<Node>),
    Later(Duration, Box<Out>),
    Close,
    /// Ends the TCP connection without a word.
    Drop,
    /// Holds back everything behind it.
    Stall(Duration),
}

/// The outgoing side of a connection. Sending never waits and is lost when the client has left.
#[derive(Clone)]
pub struct Sender(mpsc::UnboundedSender<Out>);

impl Sender {
    /// Sends a stanza.
    pub fn send(&self, node: Node) {
        self.push(Out::Stanza(Box::new(node)));
    }

    /// Sends a stanza after a pause.
    pub fn send_after(&self, pause: Duration, node: Node) {
        self.push(Out::Later(pause, Box::new(Out::Stanza(Box::new(node)))));
    }

    /// Closes the connection after a pause.
    pub fn close_after(&self, pause: Duration) {
        self.push(Out::Later(pause, Box::new(Out::Close)));
    }

    /// Lets a fault happen to the connection.
    pub fn suffer(&self, fault: ConnectionFault) {
        match fault {
            ConnectionFault::Drop => self.push(Out::Drop),
            ConnectionFault::End(last) => {
                self.push(Out::Stanza(last));
                self.close_after(CLOSE_PAUSE);
            }
            ConnectionFault::Pause(pause) => self.push(Out::Stall(pause)),
        }
    }

    fn push(&self, out: Out) {
        // It fails only when the connection is gone; whatever matters is queued elsewhere.
        let _ = self.0.send(out);
    }
}

/// Serves one client until it leaves or `stop` fires.
pub async fn serve(world: World, socket: WebSocket, mut stop: watch::Receiver<bool>) {
    let conn = world.connection_opened();
    tokio::select! {
        result = converse(&world, conn, socket) => match result {
            Ok(()) => tracing::debug!(conn, "client left"),
            Err(error) => tracing::debug!(conn, "connection ended: {error:#}"),
        },
        _ = stop.wait_for(|stop| *stop) => tracing::debug!(conn, "connection closed by the stop"),
    }
    world.connection_closed();
}

async fn converse(world: &World, conn: u64, socket: WebSocket) -> Result<()> {
    let (mut sink, stream) = socket.split();
    let mut reader = Reader { world: world.clone(), stream, frames: FrameStream::new() };
    let accepted = timeout(HANDSHAKE, handshake(world, &mut reader, &mut sink))
        .await
        .context("handshake took too long")??;
    tracing::debug!(conn, pattern = ?accepted.pattern, user = accepted.payload.username, "handshake done");
    count_handshake(world, accepted.pattern);

    let (sender, outgoing) = mpsc::unbounded_channel();
    let Accepted { client_static, payload, seal, open, .. } = accepted;
    let writer = write(world, conn, sink, seal, outgoing);
    let Some(session) = login::enter(world, conn, Sender(sender), client_static, &payload)? else {
        return writer.await;
    };
    let result = tokio::select! {
        result = read(world, &session, reader, open) => result,
        result = writer => result,
    };
    session.left();
    result
}

fn count_handshake(world: &World, pattern: Pattern) {
    let counter = match pattern {
        Pattern::Xx => &world.stats.handshakes_xx,
        Pattern::Ik => &world.stats.handshakes_ik,
        Pattern::XxFallback => &world.stats.handshakes_fallback,
    };
    stats::add(counter, 1);
}

async fn handshake(
    world: &World,
    reader: &mut Reader,
    sink: &mut SplitSink<WebSocket, Message>,
) -> Result<Accepted> {
    let hello = reader.frame().await?.context("client left before its hello")?;
    match noise::respond(&world.keys(), &hello)? {
        Step::Done { reply, accepted } => {
            sink.send(framed(&reply)).await?;
            Ok(*accepted)
        }
        Step::Pending { reply, pending } => {
            sink.send(framed(&reply)).await?;
            let finish = reader.frame().await?.context("client left during the handshake")?;
            pending.finish(&finish)
        }
    }
}

async fn read(world: &World, session: &Session, mut reader: Reader, open: NoiseCipher) -> Result<()> {
    let mut counter = 0;
    while let Some(mut frame) = timeout(SILENCE, reader.frame()).await.context("client is silent")?? {
        open.decrypt_in_place_with_counter(counter, &mut frame).context("opening a frame")?;
        counter += 1;
        stats::add(&world.stats.stanzas_in, 1);
        match node::decode(&frame) {
            Ok(stanza) => {
                tracing::trace!(conn = session.conn, "C> {}", node::Line(&stanza));
                session.handle(&stanza);
            }
            Err(error) => tracing::warn!(conn = session.conn, "skipping a stanza: {error:#}"),
        }
        world.store.room().await;
    }
    Ok(())
}

type Pause = Pin<Box<dyn Future<Output = Out> + Send>>;

async fn write(
    world: &World,
    conn: u64,
    mut sink: SplitSink<WebSocket, Message>,
    seal: NoiseCipher,
    mut outgoing: mpsc::UnboundedReceiver<Out>,
) -> Result<()> {
    let mut counter = 0;
    let mut pauses: FuturesUnordered<Pause> = FuturesUnordered::new();
    loop {
        let first = tokio::select! {
            out = outgoing.recv() => out,
            Some(out) = pauses.next() => Some(out),
        };
        let mut next = first.or(Some(Out::Close));
        let mut buffer = BytesMut::new();
        let mut frames = 0;
        let mut end = None;
        let mut stall = None;
        while let Some(out) = next.take() {
            match out {
                Out::Stanza(stanza) => {
                    tracing::trace!(conn, "S> {}", node::Line(&stanza));
                    let sealed = seal.encrypt_with_counter(counter, &node::encode(&stanza)?)?;
                    counter += 1;
                    frames += 1;
                    node::append_frame(&mut buffer, &sealed);
                }
                Out::Later(pause, out) => pauses.push(Box::pin(async move {
                    tokio::time::sleep(pause).await;
                    *out
                })),
                Out::Stall(pause) => stall = Some(pause),
                last @ (Out::Close | Out::Drop) => end = Some(last),
            }
            if end.is_none() && stall.is_none() && frames < COALESCE_FRAMES && buffer.len() < COALESCE_BYTES {
                next = outgoing.try_recv().ok();
            }
        }
        if !buffer.is_empty() && !matches!(end, Some(Out::Drop)) {
            stats::add(&world.stats.stanzas_out, frames as u64);
            stats::add(&world.stats.bytes_out, buffer.len() as u64);
            sink.send(Message::binary(buffer.freeze())).await?;
        }
        match end {
            Some(Out::Close) => return sink.close().await.context("closing the socket"),
            Some(_) => return Ok(()),
            None => {}
        }
        if let Some(pause) = stall {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Reads frames from the socket, wherever WebSocket messages begin and end.
struct Reader {
    world: World,
    stream: SplitStream<WebSocket>,
    frames: FrameStream,
}

impl Reader {
    /// Returns the next frame, or nothing when the client closed the connection.
    async fn frame(&mut self) -> Result<Option<BytesMut>> {
        loop {
            if let Some(frame) = self.frames.next_frame() {
                return Ok(Some(frame));
            }
            let message = match self.stream.next().await {
                None => return Ok(None),
                Some(message) => message.context("reading the socket")?,
            };
            if message.is_close() {
                return Ok(None);
            }
            if message.is_text() {
                bail!("text message: the protocol is binary");
            }
            if message.is_binary() {
                stats::add(&self.world.stats.bytes_in, message.as_bytes().len() as u64);
                self.frames.feed(message.as_bytes())?;
            }
        }
    }
}

fn framed(payload: &[u8]) -> Message {
    let mut buffer = BytesMut::with_capacity(payload.len() + 3);
    node::append_frame(&mut buffer, payload);
    Message::binary(Bytes::from(buffer))
}
