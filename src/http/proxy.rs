//! Who is really at the other end when a reverse proxy stands in between.

use std::net::IpAddr;
use warp::http::HeaderMap;

/// The far end of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Far {
    pub ip: IpAddr,
    /// True when the client came through TLS.
    pub secure: bool,
}

/// Returns the client's address. Forwarding headers count only from `trusted` neighbours; anybody could send them.
pub(super) fn far(neighbour: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Far {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|one| one.to_canonical() == ip.to_canonical());
    if !is_trusted(&neighbour) {
        return Far { ip: neighbour.to_canonical(), secure: false };
    }
    let secure = texts(headers, "x-forwarded-proto")
        .next()
        .and_then(|line| line.split(',').next())
        .is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"));
    // Each proxy appends the address it saw, so the last one that is not a proxy of ours is the client.
    let mut hops: Vec<&str> = texts(headers, "x-forwarded-for").flat_map(|line| line.split(',')).collect();
    if hops.is_empty() {
        hops.extend(texts(headers, "x-real-ip"));
    }
    let mut ip = neighbour;
    for hop in hops.iter().rev() {
        let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
        ip = hop;
        if !is_trusted(&hop) {
            break;
        }
    }
    Far { ip: ip.to_canonical(), secure }
}

fn texts<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn seen(neighbour: &str, lines: &[(&'static str, &str)]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a header"));
        }
        let far = far(ip(neighbour), &headers, &[ip("127.0.0.1"), ip("10.0.0.9")]);
        (far.ip.to_string(), far.secure)
    }

    #[test]
    fn forwarding_headers_count_only_from_trusted_proxies() {
        let forged =
            [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https"), ("x-real-ip", "1.2.3.4")];
        assert_eq!(seen("8.8.8.8", &forged), ("8.8.8.8".into(), false));
        assert_eq!(seen("127.0.0.1", &forged), ("1.2.3.4".into(), true));
        assert_eq!(seen("::ffff:127.0.0.1", &forged), ("1.2.3.4".into(), true));
    }

    #[test]
    fn a_client_cannot_forge_the_hop_before_the_proxy() {
        let chain = [("x-forwarded-for", "6.6.6.6, 1.2.3.4"), ("x-forwarded-for", "10.0.0.9")];
        assert_eq!(seen("127.0.0.1", &chain).0, "1.2.3.4");
        assert_eq!(seen("127.0.0.1", &[("x-forwarded-for", "6.6.6.6, junk")]).0, "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &[("x-real-ip", "1.2.3.4")]).0, "1.2.3.4");
        assert_eq!(seen("127.0.0.1", &[]).0, "127.0.0.1");
    }
}
