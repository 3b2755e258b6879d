//! The HTTP room: the site on one page. warp lives here and nowhere else.
//!
//! A surface is a prefix, rows and an envelope ([`route::Surface`]); [`surfaces`] lists them all. A handler reads a
//! [`Request`], calls one verb of the gateway and returns an [`Outcome`]. What a request meets on its way stands in
//! `dispatch.rs`.

mod access;
mod accounts;
mod body;
mod dashboard;
mod diary;
mod dispatch;
mod docs;
mod envelope;
mod events;
mod guard;
mod health;
mod json;
mod legacy_data;
mod limits;
mod listen;
pub mod live;
mod media;
mod message_view;
mod multi_device;
mod multipart;
mod notifications;
mod openapi;
mod origin;
mod paging;
mod proxy;
pub mod qr;
mod query;
mod reply;
mod request;
pub mod route;
#[cfg(feature = "sandbox")]
mod sandbox;
mod sightings;
mod table;
#[cfg(test)]
mod tests;
mod uploads;
mod view;

pub use access::SESSION_COOKIE;
pub use envelope::{Asked, Envelope, Plain, Stamped};
pub use limits::Limits;
pub use live::Stop;
pub use multipart::{File, Form};
pub use reply::{Outcome, Said, json_response};
pub use request::Request;

use crate::error::{Context, Result};
use crate::gateway::Gateway;
use dispatch::Dispatch;
use route::{RouteInfo, Surface};
use std::net::{IpAddr, SocketAddr};
use table::Table;
use tokio::net::TcpListener;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// What the site needs to know beyond the gateway.
#[derive(Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// Families that need no credential.
    pub open: Vec<String>,
    /// Browser origins that may call the API.
    pub cors_origins: Vec<String>,
    /// Reverse proxies whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Rate limits.
    pub limits: Limits,
    /// The simulated network when it runs in this process; its control API then appears at `/sandbox`.
    #[cfg(feature = "sandbox")]
    pub sandbox: Option<sandbox::Control>,
}

/// A site whose addresses are bound and which is ready to run.
pub struct Server {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    filter: BoxedFilter<(Response,)>,
    stop: Stop,
}

impl Server {
    /// Binds every address before anything is served; fails when one is taken.
    pub async fn bind(settings: Settings, gateway: Gateway, stop: Stop) -> Result<Self> {
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for address in &settings.listen {
            let listener = listen::bind(*address).await?;
            addresses.push(listener.local_addr().context("asking for the bound address")?);
            listeners.push(listener);
        }
        let filter = site(settings, gateway, stop.clone())?;
        Ok(Self { listeners, addresses, filter, stop })
    }

    /// Returns the bound addresses with their real ports.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until the stop signal; requests in flight get 8 seconds to end, live streams end at once.
    pub async fn run(self) -> Result<()> {
        listen::run(self.listeners, self.filter, self.stop).await
    }
}

/// Returns every surface, in the order of the documentation.
pub fn surfaces() -> Vec<Surface> {
    vec![
        accounts::surface(),
        multi_device::surface(),
        legacy_data::surface(),
        events::surface(),
        notifications::surface(),
        uploads::surface(),
        media::surface(),
        health::surface(),
        docs::surface(),
    ]
}

/// Returns the OpenAPI 3.1 document; needs no running program.
pub fn openapi() -> serde_json::Value {
    openapi::describe(&surfaces())
}

/// Returns every route as data, for `kurir routes`; needs no running program.
pub fn routes() -> Vec<RouteInfo> {
    surfaces().iter().flat_map(Surface::list).collect()
}

/// Returns the whole site as one filter, which never rejects; a server or a test can drive it.
pub fn site(settings: Settings, gateway: Gateway, stop: Stop) -> Result<BoxedFilter<(Response,)>> {
    let mut surfaces = surfaces();
    for surface in &mut surfaces {
        surface.open = settings.open.iter().any(|family| family == surface.family);
    }
    #[cfg(feature = "sandbox")]
    surfaces.extend(settings.sandbox.map(sandbox::surface));
    let table = Table::new(surfaces)?;
    let dispatch =
        Dispatch::new(gateway, table, settings.limits, settings.cors_origins, settings.trusted_proxies, stop);
    Ok(dispatch.filter())
}
