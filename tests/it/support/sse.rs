//! Live events as a browser reads them.

use super::http::Api;
use super::wait::SOON;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// One event.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    /// Its `id` line.
    pub id: Option<String>,
    /// Its `event` line; documented clients need it to be absent.
    pub name: Option<String>,
    pub data: Value,
}

/// An open stream of events.
pub struct Events {
    stream: TcpStream,
    arriving: Receiver<LiveEvent>,
    /// All events that were taken so far.
    pub seen: Vec<LiveEvent>,
    /// The answer's head, in lower case.
    pub head: String,
}

impl Events {
    /// Opens the stream and takes its greeting.
    pub fn open(api: &Api) -> Self {
        Self::resume(api, None)
    }

    /// Opens the stream behind the event with this id.
    pub fn resume(api: &Api, last: Option<&str>) -> Self {
        let mut call = api.call("GET", "/api/events").header("accept", "text/event-stream");
        if let Some(id) = last {
            call = call.header("last-event-id", id);
        }
        let (stream, _) = call.open().expect("kurir listens");
        // Pings come every 15 seconds, so silence means that the other side is gone.
        stream.set_read_timeout(Some(SOON)).expect("a timeout above zero");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let head = read_head(&mut reader);
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let (sender, arriving) = channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(Chunked { inner: reader, left: 0 }).lines();
            let (mut id, mut name, mut data) = (None, None, String::new());
            while let Some(Ok(line)) = lines.next() {
                match line.split_once(':').map(|(field, value)| (field, value.trim_start_matches(' '))) {
                    Some(("id", value)) => id = Some(value.to_owned()),
                    Some(("event", value)) => name = Some(value.to_owned()),
                    Some(("data", value)) => data.push_str(value),
                    _ if line.is_empty() && !data.is_empty() => {
                        let data = serde_json::from_str(&std::mem::take(&mut data)).expect("events are JSON");
                        if sender.send(LiveEvent { id: id.take(), name: name.take(), data }).is_err() {
                            break;
                        }
                    }
                    _ => {}
                }
            }
        });
        let mut events = Self { stream, arriving, seen: Vec::new(), head };
        events.wait("the greeting", |data| data["type"] == "connected");
        events
    }

    /// Returns the next event that satisfies `wanted`; those before it are kept in `seen`.
    #[track_caller]
    pub fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + SOON;
        while let Some(event) = self.next(end.saturating_duration_since(Instant::now())) {
            if wanted(&event.data) {
                return event.data;
            }
        }
        let kinds: Vec<_> = self.seen.iter().map(|event| event.data["type"].to_string()).collect();
        panic!("waited for {what}; there were {kinds:?}");
    }

    /// Returns the next event of this type.
    #[track_caller]
    pub fn wait_type(&mut self, kind: &str) -> Value {
        self.wait(kind, |data| data["type"] == kind)
    }

    /// Returns the next event; none when the stream ended or nothing came in time.
    pub fn next(&mut self, within: Duration) -> Option<LiveEvent> {
        let event = self.arriving.recv_timeout(within).ok()?;
        self.seen.push(event.clone());
        Some(event)
    }

    /// Returns whether the stream ends in time; events before that are kept in `seen`.
    pub fn ends_within(&mut self, within: Duration) -> bool {
        let end = Instant::now() + within;
        loop {
            match self.arriving.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event) => self.seen.push(event),
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    /// Returns the id of the last event that had one.
    pub fn last_id(&self) -> Option<String> {
        self.seen.iter().rev().find_map(|event| event.id.clone())
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // Ends the reading thread.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn read_head(reader: &mut impl BufRead) -> String {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        let count = reader.read_line(&mut line).expect("a head");
        if count == 0 || line == "\r\n" {
            return head.to_ascii_lowercase();
        }
        head.push_str(&line);
    }
}

/// Takes the chunks of a body apart.
struct Chunked<R> {
    inner: R,
    left: usize,
}

impl<R: BufRead> Read for Chunked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.left == 0 {
            let mut line = String::new();
            if self.inner.read_line(&mut line)? == 0 {
                return Ok(0);
            }
            if line.trim().is_empty() {
                continue;
            }
            self.left = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
            if self.left == 0 {
                return Ok(0);
            }
        }
        let wanted = buffer.len().min(self.left);
        let count = self.inner.read(&mut buffer[..wanted])?;
        self.left -= count;
        Ok(count)
    }
}
