//! HTTP as a customer speaks it: one request per connection, the answer as it came, and raw bytes where that matters.

use super::wait::SOON;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A customer: an address and the credential it shows.
#[derive(Debug, Clone)]
pub struct Api {
    /// Where Kurir listens.
    pub addr: SocketAddr,
    /// Bearer token.
    pub token: Option<String>,
}

/// A request that is being put together.
pub struct Call {
    api: Api,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Api {
    /// A customer who shows nothing.
    pub fn nobody(addr: SocketAddr) -> Self {
        Self { addr, token: None }
    }

    /// A customer with a token.
    pub fn bearer(addr: SocketAddr, token: &str) -> Self {
        Self { addr, token: Some(token.to_owned()) }
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        let (method, path) = (method.to_owned(), path.to_owned());
        Call { api: self.clone(), method, path, headers: Vec::new(), body: None }
    }

    pub fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send()
    }

    pub fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path).json(&body).send()
    }

    pub fn put(&self, path: &str, body: Value) -> Reply {
        self.call("PUT", path).json(&body).send()
    }

    pub fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path).send()
    }
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string().into_bytes())
    }

    pub fn body(mut self, kind: &str, body: Vec<u8>) -> Self {
        self.body = Some(body);
        self.header("content-type", kind)
    }

    /// Sends and reads the whole answer; fails when there is none.
    pub fn send(self) -> Reply {
        let what = format!("{} {}", self.method, self.path);
        self.try_send().unwrap_or_else(|why| panic!("{what}: {why}"))
    }

    /// Sends and reads the whole answer; the server may be gone.
    pub fn try_send(self) -> std::io::Result<Reply> {
        let (stream, head) = self.open()?;
        drop(head);
        read_reply(stream)
    }

    /// Sends and returns the stream behind the sent bytes, for answers that do not end.
    pub fn open(self) -> std::io::Result<(TcpStream, String)> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.method, self.path, self.api.addr
        );
        if let Some(token) = &self.api.token {
            let _ = write!(head, "authorization: Bearer {token}\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            let _ = write!(head, "content-length: {}\r\n", body.len());
        }
        head.push_str("\r\n");
        let mut stream = connect(self.api.addr)?;
        stream.write_all(head.as_bytes())?;
        if let Some(body) = &self.body {
            // A server that refuses early may stop reading; its answer still counts.
            let _ = stream.write_all(body);
        }
        Ok((stream, head))
    }
}

impl Reply {
    /// Returns a header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|why| panic!("status {}: not JSON ({why}): {}", self.status, self.text()))
    }

    /// Checks the status and returns the body as JSON.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// Checks that this refuses in the documented envelope and with these words, and nothing more than that.
    #[track_caller]
    pub fn refused(&self, status: u16, message: &str) {
        let body = self.expect(status);
        assert_eq!(
            (&body["success"], body["message"].as_str()),
            (&Value::Bool(false), Some(message)),
            "{body}"
        );
        assert_eq!(
            self.header("content-type").map(|kind| kind.split(';').next()),
            Some(Some("application/json"))
        );
        let known = ["success", "message", "error", "timestamp"];
        let object = body.as_object().expect("an object");
        assert!(object.keys().all(|key| known.contains(&key.as_str())), "{body}");
        assert!(object.get("error").is_none_or(Value::is_string), "{body}");
    }

    /// Checks the status and returns `data`.
    #[track_caller]
    pub fn data(&self, status: u16) -> Value {
        let body = self.expect(status);
        assert_eq!(body["success"], true, "{body}");
        body["data"].clone()
    }
}

/// Sends bytes as they are, closes the sending side, and reads the answer. None when the server hung up without one.
pub fn raw(addr: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let mut stream = connect(addr).expect("kurir listens");
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    read_reply(stream).ok()
}

/// Sends bytes as they are and reads the answer, with the sending side left open.
pub fn raw_open(addr: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let mut stream = connect(addr).expect("kurir listens");
    let _ = stream.write_all(bytes);
    read_reply(stream).ok()
}

fn connect(addr: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(SOON))?;
    stream.set_write_timeout(Some(SOON))?;
    Ok(stream)
}

fn read_reply(mut stream: TcpStream) -> std::io::Result<Reply> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(reply) = parse(&bytes, false) {
            return Ok(reply);
        }
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            // A reset behind a complete answer does not take the answer back.
            Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(why) => return Err(why),
        }
    }
    parse(&bytes, true).ok_or_else(|| {
        let begin = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        std::io::Error::other(format!("no complete answer, but `{begin}`"))
    })
}

/// Reads an answer; none while it is not complete. `ended` tells that nothing more will come.
fn parse(bytes: &[u8], ended: bool) -> Option<Reply> {
    let split = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..split]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let find = |name: &str| headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let rest = &bytes[split + 4..];
    if status == 100 {
        return parse(rest, ended);
    }
    let body = if find("transfer-encoding") == Some("chunked") {
        dechunk(rest)?
    } else if let Some(length) = find("content-length").and_then(|length| length.parse::<usize>().ok()) {
        // The answer to HEAD announces a body and has none.
        if rest.len() < length && !(ended && rest.is_empty()) {
            return None;
        }
        rest[..length.min(rest.len())].to_vec()
    } else if matches!(status, 204 | 304) || ended {
        rest.to_vec()
    } else {
        return None;
    };
    Some(Reply { status, headers, body })
}

fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?.trim(), 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
