//! The protocol library's HTTP needs (media, version) over our own outgoing client and its rule.
//!
//! The library asks for files on a thread that may block and reads and writes them there piece by piece; the requests
//! themselves run on the async threads.

use crate::egress::{Egress, Incoming, Request};
use async_trait::async_trait;
use bytes::{Buf as _, Bytes};
use futures_util::stream;
use reqwest::Method;
use std::io::{self, Read};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use wacore::net::{HttpClient, HttpRequest, HttpResponse, StreamingHttpResponse, UploadBody};

/// Time for one upload or download: the largest media over a slow line.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Largest answer: WhatsApp's limit for documents is 2 GB, but a small machine should not keep more than this.
const MAX_BYTES: usize = 128 << 20;
/// Bytes of an upload that are read at a time.
const PIECE: usize = 64 << 10;
/// Pieces of an upload that wait for the network.
const PIECES_AHEAD: usize = 2;

/// The library's HTTP client.
#[derive(Clone)]
pub(super) struct MediaHttp {
    egress: Egress,
    /// The port of a simulated network that serves its media without TLS; the library knows `https` only.
    plain_port: Option<u16>,
}

impl MediaHttp {
    pub(super) fn new(egress: Egress, plain_port: Option<u16>) -> Self {
        Self { egress, plain_port }
    }

    fn request(&self, request: HttpRequest) -> anyhow::Result<Request> {
        Ok(Request {
            method: Method::from_bytes(request.method.as_bytes())?,
            url: self.address(request.url),
            headers: request.headers.into_iter().collect(),
            body: request.body.unwrap_or_default(),
            timeout: TIMEOUT,
            max_bytes: MAX_BYTES,
        })
    }

    fn address(&self, url: String) -> String {
        let Some(port) = self.plain_port else { return url };
        match url.strip_prefix("https://") {
            Some(rest) if is_at_port(rest, port) => format!("http://{rest}"),
            _ => url,
        }
    }
}

/// Returns whether the host of an address without scheme ends with this port.
fn is_at_port(rest: &str, port: u16) -> bool {
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    host.rsplit_once(':').is_some_and(|(_, given)| given == port.to_string())
}

#[async_trait]
impl HttpClient for MediaHttp {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let answer = self.egress.send(self.request(request)?).await?;
        Ok(HttpResponse { status_code: answer.status, body: answer.body })
    }

    fn supports_streaming(&self) -> bool {
        true
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        let runtime = Handle::try_current()?;
        let incoming = runtime.block_on(self.egress.open(self.request(request)?))?;
        let status_code = incoming.status;
        let body = Download { runtime, incoming, piece: Bytes::new(), left: MAX_BYTES };
        Ok(StreamingHttpResponse { status_code, body: Box::new(body) })
    }

    fn supports_upload_streaming(&self) -> bool {
        true
    }

    fn execute_upload(
        &self,
        request: HttpRequest,
        body: UploadBody,
        content_length: u64,
    ) -> anyhow::Result<HttpResponse> {
        let runtime = Handle::try_current()?;
        let request = self.request(request)?;
        let (pieces, mut waiting) = mpsc::channel(PIECES_AHEAD);
        let egress = self.egress.clone();
        let exchange = runtime.spawn(async move {
            let body = stream::poll_fn(move |context| waiting.poll_recv(context));
            egress.upload(request, content_length, body).await
        });
        feed(body.take(content_length), &pieces);
        drop(pieces);
        let answer = runtime.block_on(exchange)??;
        Ok(HttpResponse { status_code: answer.status, body: answer.body })
    }
}

/// Passes a file on, piece by piece; ends early when nobody takes more, because the host has answered already.
fn feed(mut file: impl Read, pieces: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut piece = vec![0; PIECE];
        let read = match file.read(&mut piece) {
            Ok(0) => return,
            Ok(read) => {
                piece.truncate(read);
                Ok(piece.into())
            }
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => Err(why),
        };
        let is_broken = read.is_err();
        if pieces.blocking_send(read).is_err() || is_broken {
            return;
        }
    }
}

/// A body that is read on a thread that may block.
struct Download {
    runtime: Handle,
    incoming: Incoming,
    piece: Bytes,
    /// Bytes that may still come.
    left: usize,
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.runtime.block_on(self.incoming.chunk()).map_err(io::Error::other)? {
                None => return Ok(0),
                Some(piece) => {
                    self.left = self.left.checked_sub(piece.len()).ok_or_else(too_large)?;
                    self.piece = piece;
                }
            }
        }
        let count = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

fn too_large() -> io::Error {
    io::Error::other(format!("the file is larger than {MAX_BYTES} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn client(plain_port: Option<u16>) -> MediaHttp {
        MediaHttp::new(Egress::new(true).expect("a client"), plain_port)
    }

    #[test]
    fn only_the_simulated_network_itself_is_asked_without_tls() {
        let plain = client(Some(7400));
        for (given, expected) in [
            ("https://127.0.0.1:7400/mms/image/x?a=1", "http://127.0.0.1:7400/mms/image/x?a=1"),
            ("https://localhost:7400?x", "http://localhost:7400?x"),
            ("https://127.0.0.1:7401/x", "https://127.0.0.1:7401/x"),
            ("https://127.0.0.1/x:7400", "https://127.0.0.1/x:7400"),
        ] {
            assert_eq!(plain.address(given.into()), expected);
        }
        assert_eq!(client(None).address("https://a:7400/".into()), "https://a:7400/");
    }

    /// Answers one request with what it was: head and length of the body.
    async fn echo(status: &'static str) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a client");
            let (mut seen, mut buffer) = (Vec::new(), vec![0; 65536]);
            loop {
                let read = stream.read(&mut buffer).await.expect("a request");
                seen.extend_from_slice(&buffer[..read]);
                let Some(head) = seen.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
                let text = String::from_utf8_lossy(&seen[..head]).to_ascii_lowercase();
                let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
                if seen.len() < head + 4 + length {
                    continue;
                }
                let body = format!("{text}\nbytes={}", seen.len() - head - 4);
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.expect("answered");
                return;
            }
        });
        port
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_is_uploaded_in_pieces_with_its_length() {
        let port = echo("200 OK").await;
        let request = HttpRequest::post(format!("http://127.0.0.1:{port}/x"));
        let file = io::repeat(7).take(300_000);
        let sent = tokio::task::spawn_blocking(move || {
            client(None).execute_upload(request, Box::new(file), 300_000)
        });
        let answer = sent.await.expect("no panic").expect("an answer");
        let text = answer.body_string().expect("text");
        assert!(text.contains("content-length: 300000") && text.ends_with("bytes=300000"), "{text}");
        assert!(!text.contains("transfer-encoding"), "{text}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_is_read_in_pieces_whatever_its_status() {
        let port = echo("404 Not Found").await;
        let request = HttpRequest::get(format!("http://127.0.0.1:{port}/gone"));
        let read = tokio::task::spawn_blocking(move || {
            let mut answer = client(None).execute_streaming(request).expect("an answer");
            let mut text = String::new();
            answer.body.read_to_string(&mut text).expect("text");
            (answer.status_code, text)
        });
        let (status, text) = read.await.expect("no panic");
        assert_eq!(status, 404);
        assert!(text.starts_with("get /gone"), "{text}");
    }
}
