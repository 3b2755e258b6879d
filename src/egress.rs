//! The one outgoing HTTP client and its rule: resolve, check every address, connect to what was checked.
//!
//! Whoever can make Kurir fetch a URL could otherwise look around in the network that Kurir runs in. The rule holds for the
//! first request and for each redirect. What is done with an answer does not belong here.

mod address;
pub mod tls;

use crate::error::{Context, Error, Result};
use bytes::Bytes;
use futures_util::Stream;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Body, Client, Method, Url};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// Redirects that are followed at most.
const REDIRECTS_MAX: usize = 3;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Idle connections kept per host: calls to one host come in bursts, and each idle connection costs memory.
const IDLE_PER_HOST: usize = 2;

/// The outgoing HTTP client. Clones share it.
#[derive(Clone)]
pub struct Egress {
    client: Client,
    rule: Rule,
}

/// Which hosts may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Public hosts only.
    Public,
    /// All hosts, because the owner said so.
    Any,
    /// This machine only, with any certificate: the media hosts of a simulated network.
    #[cfg(feature = "sandbox")]
    Loopback,
}

/// An outgoing request.
pub struct Request {
    /// `GET`, `POST` and so on.
    pub method: Method,
    /// An `http` or `https` address.
    pub url: String,
    /// Headers besides those that the client sets itself.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// Time for the whole exchange.
    pub timeout: Duration,
    /// Largest accepted answer in bytes.
    pub max_bytes: usize,
}

/// An answer whose body is still on its way.
pub struct Incoming {
    /// HTTP status.
    pub status: u16,
    /// Media type as the server named it.
    pub content_type: Option<String>,
    /// Size of the body in bytes as the server named it.
    pub announced: Option<u64>,
    response: reqwest::Response,
    doing: String,
}

/// The answer to a request, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Media type as the server named it.
    pub content_type: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Egress {
    /// Makes the client; `allow_private` lets it reach loopback, private and link-local addresses.
    pub fn new(allow_private: bool) -> Result<Self> {
        Self::with(if allow_private { Rule::Any } else { Rule::Public }, tls::checked()?)
    }

    /// Makes a client that reaches this machine only and accepts self-signed certificates there.
    #[cfg(feature = "sandbox")]
    pub fn loopback_only() -> Result<Self> {
        Self::with(Rule::Loopback, tls::unchecked()?)
    }

    fn with(rule: Rule, tls: rustls::ClientConfig) -> Result<Self> {
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(CheckedDns(rule)))
            .redirect(Policy::custom(move |attempt| follow(rule, attempt)))
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .tcp_nodelay(true)
            .build()
            .context("building the outgoing HTTP client")?;
        Ok(Self { client, rule })
    }

    /// Sends the request and reads the whole answer.
    ///
    /// Fails when the rule forbids the address, when nothing answers in time, and when the answer is too large. A status of
    /// 400 or more is an answer like any other.
    pub async fn send(&self, request: Request) -> Result<Answer> {
        let max_bytes = request.max_bytes;
        self.open(request).await?.read(max_bytes).await
    }

    /// Sends the request and returns once the head of the answer is there; `max_bytes` is left to the caller.
    ///
    /// The timeout covers the reading of the body, too.
    pub async fn open(&self, mut request: Request) -> Result<Incoming> {
        let body = std::mem::take(&mut request.body);
        self.dispatch(request, (!body.is_empty()).then(|| body.into())).await
    }

    /// Sends the request with a body of exactly `length` bytes that is made while it is sent, and reads the whole answer.
    pub async fn upload<S>(&self, mut request: Request, length: u64, body: S) -> Result<Answer>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    {
        let max_bytes = request.max_bytes;
        // Without it the body would go in chunks, which media hosts refuse.
        request.headers.push(("content-length".into(), length.to_string()));
        self.dispatch(request, Some(Body::wrap_stream(body))).await?.read(max_bytes).await
    }

    async fn dispatch(&self, request: Request, body: Option<Body>) -> Result<Incoming> {
        let url: Url = request.url.parse().context("reading the address of an outgoing request")?;
        // The address may carry a secret in its path or query, so errors name the host only.
        let doing = format!("calling `{}`", url.host_str().unwrap_or_default());
        self.rule.check_url(&url).map_err(|why| Error::internal(&doing, why))?;
        let mut outgoing = self.client.request(request.method, url).timeout(request.timeout);
        for (name, value) in request.headers {
            outgoing = outgoing.header(name, value);
        }
        if let Some(body) = body {
            outgoing = outgoing.body(body);
        }
        let response = outgoing.send().await.map_err(|why| Error::internal(&doing, why.without_url()))?;
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        Ok(Incoming {
            status: response.status().as_u16(),
            content_type: content_type.map(str::to_owned),
            announced: response.content_length(),
            response,
            doing,
        })
    }
}

impl Incoming {
    /// Returns the address that answered, behind the redirects.
    pub fn url(&self) -> &Url {
        self.response.url()
    }

    /// Returns the next piece of the body; none at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        self.response.chunk().await.map_err(|why| Error::internal(&self.doing, why.without_url()))
    }

    /// Reads the whole body, at most `max_bytes`.
    async fn read(mut self, max_bytes: usize) -> Result<Answer> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > max_bytes {
                let too_large = Error::broken(format!("the answer is larger than {max_bytes} bytes"));
                return Err(too_large.context(self.doing));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: self.status, content_type: self.content_type, body })
    }
}

/// Returns whether a request failed because the rule forbids its address.
pub fn is_refusal(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(one) = cause {
        if one.is::<Refusal>() {
            return true;
        }
        cause = one.source();
    }
    false
}

/// An address that the rule forbids.
#[derive(Debug)]
struct Refusal(String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl Rule {
    fn allows(self, address: IpAddr) -> bool {
        match self {
            Rule::Public => address::is_public(address),
            Rule::Any => true,
            #[cfg(feature = "sandbox")]
            Rule::Loopback => address.to_canonical().is_loopback(),
        }
    }

    /// Checks what can be seen without resolving: the scheme, and a host that is an address itself.
    ///
    /// Host names are checked when they are resolved; a literal address never reaches the resolver.
    fn check_url(self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal(format!("only http and https are called, not `{}`", url.scheme())));
        }
        let host = url.host_str().unwrap_or_default();
        match host.trim_start_matches('[').trim_end_matches(']').parse() {
            Ok(address) if !self.allows(address) => Err(refusal(address)),
            _ => Ok(()),
        }
    }
}

fn refusal(address: IpAddr) -> Refusal {
    Refusal(format!(
        "the address {address} may not be called: set `egress.allow_private` if it is meant to be"
    ))
}

fn follow(rule: Rule, attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error(format!("more than {REDIRECTS_MAX} redirects"));
    }
    match rule.check_url(attempt.url()) {
        Ok(()) => attempt.follow(),
        Err(why) => attempt.error(why),
    }
}

/// Resolves names and hands the addresses on only when each of them may be reached, so that the connection goes to what was
/// checked and not to what a second look-up would give.
struct CheckedDns(Rule);

impl Resolve for CheckedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let rule = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if let Some(address) = found.iter().map(SocketAddr::ip).find(|address| !rule.allows(*address)) {
                return Err(refusal(address).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn get(url: String) -> Request {
        Request {
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(30),
            max_bytes: 64,
        }
    }

    /// Answers every connection with `answer` and returns the port.
    async fn server(answer: String) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 2048]).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        port
    }

    fn ok(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    fn redirect(to: &str) -> String {
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    #[tokio::test]
    async fn private_hosts_are_refused_by_address_and_by_name() {
        let port = server(ok("secret")).await;
        let egress = Egress::new(false).expect("a client");
        for host in
            ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0.0.0.0"]
        {
            let refused = egress.send(get(format!("http://{host}:{port}/"))).await.expect_err(host);
            assert!(refused.to_string().contains("may not be called"), "{host}: {refused}");
            assert!(is_refusal(&refused), "{host}");
        }
        let refused = egress.send(get("file:///etc/passwd".into())).await.expect_err("refused");
        assert!(refused.to_string().contains("only http and https"), "{refused}");
    }

    #[tokio::test]
    async fn the_owner_may_allow_private_hosts() {
        let port = server(ok("hello")).await;
        let egress = Egress::new(true).expect("a client");
        let answer = egress.send(get(format!("http://127.0.0.1:{port}/"))).await.expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"hello".as_slice()));
    }

    #[cfg(feature = "sandbox")]
    #[tokio::test]
    async fn a_redirect_away_from_what_is_allowed_is_refused() {
        let egress = Egress::loopback_only().expect("a client");
        for target in ["http://10.0.0.1/", "http://[::ffff:10.0.0.1]/", "ftp://127.0.0.1/"] {
            let port = server(redirect(target)).await;
            let refused = egress.send(get(format!("http://127.0.0.1:{port}/"))).await.expect_err(target);
            let text = refused.to_string();
            assert!(text.contains("may not be called") || text.contains("only http"), "{target}: {text}");
            assert!(is_refusal(&refused), "{target}");
        }
    }

    #[tokio::test]
    async fn redirects_are_followed_three_times() {
        let egress = Egress::new(true).expect("a client");
        let mut port = server(ok("there")).await;
        for _ in 0..REDIRECTS_MAX {
            port = server(redirect(&format!("http://127.0.0.1:{port}/"))).await;
        }
        let answer = egress.send(get(format!("http://127.0.0.1:{port}/"))).await.expect("an answer");
        assert_eq!(answer.body, b"there");
        let once_more = server(redirect(&format!("http://127.0.0.1:{port}/"))).await;
        let refused = egress.send(get(format!("http://127.0.0.1:{once_more}/"))).await.expect_err("refused");
        assert!(refused.to_string().contains("more than 3 redirects"), "{refused}");
    }

    #[tokio::test]
    async fn an_answer_that_is_too_large_is_cut_off() {
        let port = server(ok(&"x".repeat(65))).await;
        let egress = Egress::new(true).expect("a client");
        let refused = egress.send(get(format!("http://127.0.0.1:{port}/"))).await.expect_err("refused");
        assert!(refused.to_string().contains("larger than 64 bytes"), "{refused}");
    }
}
