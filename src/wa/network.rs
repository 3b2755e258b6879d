//! Which WhatsApp network is dialled. A build without the feature `sandbox` knows the real one only.

#[cfg(feature = "sandbox")]
use crate::error::{Error, Result};
#[cfg(feature = "sandbox")]
use std::net::IpAddr;

/// Where devices connect to.
#[derive(Debug, Clone)]
pub struct Network {
    target: Target,
}

#[derive(Debug, Clone)]
enum Target {
    Real,
    #[cfg(feature = "sandbox")]
    Simulated {
        host: String,
        port: u16,
        tls: bool,
        path: String,
    },
}

/// Host of the real network's socket.
const REAL_HOST: &str = "web.whatsapp.com";
/// Path of the socket on every network.
const SOCKET_PATH: &str = "/ws/chat";

/// The parts of a socket address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) path: String,
}

impl Network {
    /// Returns the real network.
    ///
    /// A sandbox build does not check the network's Noise certificates, so it refuses to dial the real network when it
    /// comes to it.
    pub fn real() -> Self {
        Self { target: Target::Real }
    }

    /// Returns a simulated network at `url`, `ws://` or `wss://` (self-signed certificates are accepted).
    ///
    /// Refuses every host that is not loopback: this build does not check the network's certificates.
    #[cfg(feature = "sandbox")]
    pub fn simulated(url: &str) -> Result<Self> {
        let (tls, rest) = match (url.strip_prefix("ws://"), url.strip_prefix("wss://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(refuse(url, "it has to begin with ws:// or wss://")),
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, format!("/{path}")),
            None => (rest, SOCKET_PATH.to_owned()),
        };
        let (host, port) = split_authority(authority, if tls { 443 } else { 80 })
            .ok_or_else(|| refuse(url, "host or port cannot be read"))?;
        if !is_loopback(&host) {
            return Err(refuse(
                url,
                "a sandbox build connects to this machine only (127.0.0.0/8, ::1, localhost)",
            ));
        }
        Ok(Self { target: Target::Simulated { host, port, tls, path } })
    }

    /// Returns whether this is a simulated network.
    pub fn is_simulated(&self) -> bool {
        match &self.target {
            Target::Real => false,
            #[cfg(feature = "sandbox")]
            Target::Simulated { .. } => true,
        }
    }

    pub(super) fn address(&self) -> Address {
        match &self.target {
            Target::Real => {
                Address { host: REAL_HOST.into(), port: 443, tls: true, path: SOCKET_PATH.into() }
            }
            #[cfg(feature = "sandbox")]
            Target::Simulated { host, port, tls, path } => {
                Address { host: host.clone(), port: *port, tls: *tls, path: path.clone() }
            }
        }
    }
}

#[cfg(feature = "sandbox")]
fn refuse(url: &str, why: &str) -> Error {
    Error::broken(format!("`{url}` is not the address of a simulated network: {why}"))
}

#[cfg(feature = "sandbox")]
fn split_authority(authority: &str, default_port: u16) -> Option<(String, u16)> {
    if authority.contains('@') {
        return None;
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if rest.is_empty() => default_port,
            None => return None,
        };
        return Some((host.to_owned(), port));
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
        None => Some((authority.to_owned(), default_port)),
    }
    .filter(|(host, _)| !host.is_empty())
}

#[cfg(feature = "sandbox")]
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(all(test, feature = "sandbox"))]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_network_lies_on_this_machine() {
        for good in [
            "ws://127.0.0.1:7400/ws/chat",
            "wss://localhost:7400/ws/chat",
            "ws://[::1]:7400/ws/chat",
            "ws://127.9.9.9",
        ] {
            assert!(Network::simulated(good).is_ok(), "{good}");
        }
        for bad in [
            "wss://web.whatsapp.com/ws/chat",
            "ws://10.0.0.1/ws/chat",
            "ws://127.0.0.1@example.com/",
            "ws://localhost.example.com/",
            "ws://0.0.0.0:7400/",
            "http://127.0.0.1/",
            "ws://",
            "ws://127.0.0.1:port/",
            "",
        ] {
            assert!(Network::simulated(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_address_has_all_parts() {
        let address = Network::simulated("ws://[::1]:7400/x?y").expect("a loopback address").address();
        assert_eq!(address, Address { host: "::1".into(), port: 7400, tls: false, path: "/x?y".into() });
        assert_eq!(Network::real().address().host, REAL_HOST);
    }
}
