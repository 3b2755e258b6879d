//! What the tests are made of: a running Kurir, a network, HTTP, live events, waiting.

mod http;
mod jwt;
mod kurir;
mod network;
mod phones;
pub mod samples;
mod site;
mod sse;
mod wait;
mod zapo;

pub use http::{Api, Reply, raw, raw_open};
pub use jwt::{ACCESS_SECRET, REFRESH_SECRET, claims, signed};
pub use kurir::{OWNER_EMAIL, OWNER_PASSWORD, TestKurir};
pub use network::TestNetwork;
pub use phones::Phones;
pub use site::{Page, Site};
pub use sse::Events;
pub use wait::{SOON, away_from_midnight, wait_for, wait_until};
pub use zapo::Zapo;
