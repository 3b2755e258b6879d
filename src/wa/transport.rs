//! The socket to the network: dialled here so that small frames leave at once, and so that a device can later have a way of
//! its own, such as a proxy.

use super::network::{Address, Network};
use crate::egress::tls;
use crate::error::{Context as _, Result};
use async_trait::async_trait;
use reqwest::header::{HeaderValue, ORIGIN};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_websockets::ClientBuilder;
use wacore::net::{Transport, TransportEvent, TransportFactory, WHATSAPP_WEB_ORIGIN};
use whatsapp_rust::async_channel;
use whatsapp_rust_tokio_transport::from_websocket;

type Link = (Arc<dyn Transport>, async_channel::Receiver<TransportEvent>);

/// Dials the network for every device. Clones share the TLS configuration, and so the session tickets.
#[derive(Clone)]
pub(super) struct Dialler {
    address: Address,
    tls: TlsConnector,
    is_simulated: bool,
}

impl Dialler {
    pub(super) fn new(network: &Network) -> Result<Self> {
        let config = Arc::new(tls_config(network)?);
        Ok(Self {
            address: network.address(),
            tls: TlsConnector::from(config),
            is_simulated: network.is_simulated(),
        })
    }

    async fn dial(&self) -> anyhow::Result<Link> {
        let stream = self.connect().await?;
        // The library writes one small frame per request and waits for the answer; Nagle's algorithm would hold each
        // of them back for 40 ms.
        stream.set_nodelay(true)?;
        if !self.address.tls {
            return self.upgrade(stream).await;
        }
        let name = self.address.host.clone().try_into()?;
        self.upgrade(self.tls.connect(name, stream).await?).await
    }

    async fn connect(&self) -> anyhow::Result<TcpStream> {
        let found = tokio::net::lookup_host((self.address.host.as_str(), self.address.port)).await?;
        let mut last = anyhow::anyhow!("`{}` has no address", self.address.host);
        for address in found {
            if self.is_simulated && !address.ip().to_canonical().is_loopback() {
                last = anyhow::anyhow!("{address} is not on this machine");
                continue;
            }
            match TcpStream::connect::<SocketAddr>(address).await {
                Ok(stream) => return Ok(stream),
                Err(why) => last = why.into(),
            }
        }
        Err(last)
    }

    async fn upgrade<S>(&self, stream: S) -> anyhow::Result<Link>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (socket, _) = ClientBuilder::new()
            .uri(&self.url())?
            .add_header(ORIGIN, HeaderValue::from_static(WHATSAPP_WEB_ORIGIN))?
            .connect_on(stream)
            .await?;
        Ok(from_websocket(socket))
    }

    fn url(&self) -> String {
        let Address { host, port, tls, path } = &self.address;
        let scheme = if *tls { "wss" } else { "ws" };
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        match (*tls, *port) {
            (true, 443) | (false, 80) => format!("{scheme}://{host}{path}"),
            _ => format!("{scheme}://{host}:{port}{path}"),
        }
    }
}

#[async_trait]
impl TransportFactory for Dialler {
    async fn create_transport(&self) -> anyhow::Result<Link> {
        self.dial().await.inspect_err(|why| {
            tracing::info!(host = %self.address.host, "the network cannot be reached: {why:#}");
        })
    }
}

#[cfg(feature = "sandbox")]
fn tls_config(network: &Network) -> Result<rustls::ClientConfig> {
    if network.is_simulated() { tls::unchecked() } else { tls::checked() }
        .context("preparing TLS for the network")
}

#[cfg(not(feature = "sandbox"))]
fn tls_config(_network: &Network) -> Result<rustls::ClientConfig> {
    tls::checked().context("preparing TLS for the network")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    #[tokio::test]
    async fn the_upgrade_names_the_official_origin_and_the_dialled_host() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let network = Network::simulated(&format!("ws://localhost:{port}/ws/chat")).expect("loopback");
        let dialler = Dialler::new(&network).expect("a dialler");
        let dial = tokio::spawn(async move { dialler.dial().await.map(drop) });
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = vec![0; 2048];
        let read = stream.read(&mut request).await.expect("a request");
        let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
        assert!(request.starts_with("get /ws/chat http/1.1"), "{request}");
        assert!(request.contains("origin: https://web.whatsapp.com\r\n"), "{request}");
        assert!(request.contains(&format!("host: localhost:{port}\r\n")), "{request}");
        drop(stream);
        assert!(dial.await.expect("no panic").is_err());
    }

    #[test]
    fn the_url_is_what_was_given() {
        let url = |network: Network| Dialler::new(&network).expect("a dialler").url();
        assert_eq!(url(Network::real()), "wss://web.whatsapp.com/ws/chat");
        let network = Network::simulated("wss://[::1]:7400/ws/chat").expect("loopback");
        assert_eq!(url(network), "wss://[::1]:7400/ws/chat");
    }
}
