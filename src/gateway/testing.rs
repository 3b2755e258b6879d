//! A gateway for unit tests: the real store in a temporary directory, a clock moved by hand, nothing connected.

use super::Gateway;
use crate::clock::Clock;
use crate::config::Config;
use crate::egress::Egress;
use crate::store::Store;
use crate::wa::{Fleet, Network, Options};
use std::path::Path;
use tempfile::TempDir;

/// When the test clock stands at first: 2024-01-01T12:00:00Z.
pub const NOON: i64 = 1_704_110_400_000;

/// Returns a gateway that nobody has claimed, and the directory that has to outlive it.
pub async fn gateway() -> (Gateway, TempDir) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    (gateway_in(dir.path(), NOON).await, dir)
}

/// Returns a gateway over what `dir` holds, with a clock that stands at `now` (milliseconds since 1970).
pub async fn gateway_in(dir: &Path, now: i64) -> Gateway {
    let config = Config { data_dir: dir.to_owned(), ..Config::default() };
    let store = Store::open(dir, None).expect("a store that nobody has open");
    let (clock, egress) = (Clock::by_hand(now), Egress::new(false).expect("a client"));
    let fleet = Fleet::new(store.clone(), clock.clone(), nowhere(), egress, Options::default());
    let gateway = Gateway::new(store, fleet.expect("an idle fleet"), clock, config, false).await;
    gateway.expect("a gateway")
}

/// Returns a network that a build with and without the feature accepts; nothing ever dials it.
fn nowhere() -> Network {
    #[cfg(feature = "sandbox")]
    return Network::simulated("ws://127.0.0.1:9/ws/chat").expect("a loopback address");
    #[cfg(not(feature = "sandbox"))]
    return Network::real();
}

/// Claims the gateway for `owner@example.com` and returns the owner's access token.
pub async fn owner(gateway: &Gateway) -> String {
    gateway.claim_with("owner@example.com", "password-1").await.expect("claimed");
    gateway.login("owner@example.com", "password-1").await.expect("logged in").access
}
