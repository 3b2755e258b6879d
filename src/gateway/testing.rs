//! A gateway for unit tests: the real store in a temporary directory, a clock moved by hand, nothing connected.

use super::Gateway;
use crate::clock::Clock;
use crate::config::Config;
use crate::egress::Egress;
use crate::store::Store;
use crate::wa::{Fleet, Network, Options};
use tempfile::TempDir;

/// When the test clock stands at first: 2024-01-01T12:00:00Z.
pub const NOON: i64 = 1_704_110_400_000;

/// Returns a gateway that nobody has claimed, and the directory that has to outlive it.
pub async fn gateway() -> (Gateway, TempDir) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let config = Config { data_dir: dir.path().to_owned(), ..Config::default() };
    let store = Store::open(dir.path(), None).expect("a new store");
    let (clock, egress) = (Clock::by_hand(NOON), Egress::new(false).expect("a client"));
    let fleet = Fleet::new(store.clone(), clock.clone(), nowhere(), egress, Options::default());
    let gateway = Gateway::new(store, fleet.expect("an idle fleet"), clock, config, false).await;
    (gateway.expect("a gateway"), dir)
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
