//! A cheap HTTP/1.1 client: one connection that is kept open, one request at a time.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A connection that is kept open.
pub struct Connection {
    stream: BufReader<TcpStream>,
    /// The headers that each request carries.
    headers: String,
    request: String,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    /// Connects; `token` is shown with every request.
    pub async fn open(addr: SocketAddr, token: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect(addr).await.context("connecting")?;
        stream.set_nodelay(true)?;
        let mut headers = format!("host: {addr}\r\ncontent-type: application/json\r\n");
        if let Some(token) = token {
            write!(headers, "authorization: Bearer {token}\r\n")?;
        }
        let stream = BufReader::new(stream);
        Ok(Self { stream, headers, request: String::new(), line: String::new(), body: Vec::new() })
    }

    /// Makes a request and returns the status; the answer's body is in [`Connection::body`].
    pub async fn call(&mut self, method: &str, path: &str, body: &str) -> Result<u16> {
        self.request.clear();
        let (headers, length) = (&self.headers, body.len());
        write!(self.request, "{method} {path} HTTP/1.1\r\n{headers}content-length: {length}\r\n\r\n{body}")?;
        self.stream.write_all(self.request.as_bytes()).await?;
        let status = self.line().await?.split(' ').nth(1).context("a status line")?.parse()?;
        let mut length = None;
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = Some(value.trim().parse()?);
            }
        }
        self.body.resize(length.context("the answer has a length")?, 0);
        self.stream.read_exact(&mut self.body).await?;
        Ok(status)
    }

    /// Makes a request that has to succeed and returns its JSON.
    pub async fn json(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let status = self.call(method, path, &text).await?;
        if !(200..300).contains(&status) {
            bail!("{method} {path}: {status} {}", String::from_utf8_lossy(&self.body));
        }
        serde_json::from_slice(&self.body).context("reading an answer")
    }

    /// Returns the body of the last answer.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    async fn line(&mut self) -> Result<&str> {
        self.line.clear();
        ensure!(self.stream.read_line(&mut self.line).await? > 0, "the connection was closed");
        Ok(self.line.trim_end())
    }
}
