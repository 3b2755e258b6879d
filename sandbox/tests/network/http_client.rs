//! The client's way to the media store: plain HTTP, whatever scheme it thinks it speaks.

use async_trait::async_trait;
use bytes::Bytes;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use wacore::net::StreamingHttpResponse;
use whatsapp_rust::http::{HttpClient, HttpRequest, HttpResponse};

/// Speaks to one host, and refuses all others.
#[derive(Clone, Copy)]
pub struct Http(pub SocketAddr);

#[async_trait]
impl HttpClient for Http {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let http = *self;
        tokio::task::spawn_blocking(move || {
            let mut answer = http.execute_streaming(request)?;
            let mut body = Vec::new();
            answer.body.read_to_end(&mut body)?;
            Ok(HttpResponse { status_code: answer.status_code, body })
        })
        .await?
    }

    fn supports_streaming(&self) -> bool {
        true
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        let body = request.body.clone().unwrap_or_default();
        let answer = self.send(&request, body.len() as u64, body)?;
        Ok(StreamingHttpResponse { status_code: answer.status, body: Box::new(answer.body) })
    }
}

/// An answer whose body is still on its way.
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Head, lower case.
    pub head: String,
    /// Body.
    pub body: std::io::Take<std::io::BufReader<TcpStream>>,
}

impl Http {
    /// Sends a request that announces `length` bytes and has these.
    pub fn send(&self, request: &HttpRequest, length: u64, body: Bytes) -> anyhow::Result<Answer> {
        let mut stream = self.begin(request, Some(length), &body)?;
        stream.flush()?;
        answer(stream)
    }

    /// Sends the head and some bytes of a request, and leaves the rest to the caller.
    pub fn begin(
        &self,
        request: &HttpRequest,
        length: Option<u64>,
        body: &[u8],
    ) -> anyhow::Result<TcpStream> {
        let rest = request.url.split_once("://").map_or(request.url.as_str(), |(_, rest)| rest);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        anyhow::ensure!(
            host == self.0.to_string(),
            "the client was told of another host than the network: {host}"
        );
        let mut head =
            format!("{} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", request.method);
        if let Some(length) = length {
            head.push_str(&format!("content-length: {length}\r\n"));
        }
        for (name, value) in &request.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = TcpStream::connect(self.0)?;
        stream.write_all(head.as_bytes())?;
        stream.write_all(b"\r\n")?;
        stream.write_all(body)?;
        Ok(stream)
    }
}

/// Reads the head of an answer.
pub fn answer(stream: TcpStream) -> anyhow::Result<Answer> {
    let mut reader = std::io::BufReader::new(stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head)?.to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    Ok(Answer {
        status: status.ok_or_else(|| anyhow::anyhow!("no status in {head}"))?,
        body: reader.take(length.unwrap_or(u64::MAX)),
        head,
    })
}
