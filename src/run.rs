//! Serving, from start to stop: open the store, start the devices' room, bind, start work, serve, stop in reverse.

use crate::clock::Clock;
use crate::config::{Config, HistorySync, WhatsApp};
use crate::egress::Egress;
use crate::error::{Context, Error, Result};
use crate::gateway::Gateway;
use crate::http::{Limits, Server, Settings, Stop};
use crate::store::Store;
use crate::wa::{Fleet, Network, Options};
use crate::work;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// What to serve against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// WhatsApp, or with `sandbox_url` a simulated network in another process.
    Serve,
    /// A simulated network in this process.
    Sandbox,
}

/// How long loops may take to finish what is in flight, beside the 8 s of requests and before the 5 s of devices: in all less than
/// the 15 s that the unit gives.
const WORK_PATIENCE: Duration = Duration::from_secs(6);

/// Serves until SIGTERM or SIGINT.
///
/// Prints the claim link when there is no owner yet, and one line `listening on http://ADDR` per address when it is ready.
pub async fn run(config: Config, mode: Mode) -> Result<()> {
    prepare_data_dir(&config)?;
    let simulated = start_simulated(&config, mode).await?;
    let store = open_store(&config).await?;
    let clock = Clock::real();
    let egress = Egress::new(config.egress.allow_private)?;
    let network = network(&config, simulated.as_ref())?;
    let fleet = Fleet::new(store.clone(), clock.clone(), network, egress, options(&config))?;
    let gateway =
        Gateway::new(store.clone(), fleet.clone(), clock, config.clone(), simulated.is_some()).await?;
    if let Some(admin) = &config.admin
        && gateway.claim_with(&admin.email, &admin.password).await?.is_none()
    {
        tracing::debug!("ADMIN_EMAIL is set, but there is an administrator already");
    }
    let (stop, stopped) = watch::channel(false);
    let server =
        Server::bind(settings(&config, simulated.as_ref()), gateway.clone(), Stop::new(stopped)).await?;
    let addresses = server.addresses().to_vec();
    let work = work::start(&gateway);
    fleet.restore().await?;
    announce(&gateway, &addresses).await?;
    let serving = tokio::spawn(server.run());
    let watchdog = tokio::spawn(feed_watchdog());
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    stop_signal().await?;
    tracing::info!("stopping");
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    stop.send_replace(true);
    let (served, ()) = tokio::join!(serving, work.stop(WORK_PATIENCE));
    if let Err(error) = gateway.flush_notes().await {
        tracing::error!(%error, "what users did last could not be written down");
    }
    fleet.shutdown().await;
    watchdog.abort();
    stop_simulated(simulated).await;
    tokio::task::spawn_blocking(move || store.close()).await.context("closing the store")?;
    served.context("waiting for the server")?
}

/// Refuses combinations of build, command and configuration that cannot reach a network.
pub(crate) fn check_network(config: &Config, mode: Mode) -> Result<()> {
    let simulated = cfg!(feature = "sandbox");
    match (simulated, mode, &config.sandbox_url) {
        (true, Mode::Serve, None) => Err(Error::broken(
            "this is a sandbox build, which does not check the network's certificate and so must not reach WhatsApp: \
             use `kurir sandbox`, `--sandbox-url`, or a build without --features sandbox",
        )),
        (true, Mode::Sandbox, Some(_)) => {
            Err(Error::broken("`kurir sandbox` brings its own network: use `kurir serve` with --sandbox-url"))
        }
        (false, Mode::Sandbox, _) => {
            Err(Error::broken("this build has no simulated network: build with --features sandbox"))
        }
        (false, _, Some(_)) => Err(Error::broken(
            "this build cannot dial a simulated network: build with --features sandbox, or remove the sandbox address",
        )),
        _ => network(config, None).map(drop),
    }
}

/// Opens the store off the async threads: it may have to repair or migrate the file.
async fn open_store(config: &Config) -> Result<Store> {
    let (dir, passphrase) = (config.data_dir.clone(), config.passphrase.clone());
    tokio::task::spawn_blocking(move || Store::open(&dir, passphrase.as_deref()))
        .await
        .context("opening the store")?
}

/// Creates the data directory, readable for its owner only.
pub(crate) fn prepare_data_dir(config: &Config) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let dir = &config.data_dir;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|why| Error::internal(format!("creating the data directory `{}`", dir.display()), why))
}

pub(crate) fn options(config: &Config) -> Options {
    let WhatsApp {
        connect_timeout,
        query_timeout,
        print_qr,
        max_reconnect_attempts,
        restore_parallel,
        history_sync,
        ..
    } = config.whatsapp;
    Options {
        connect_timeout_ms: connect_timeout.millis(),
        query_timeout_ms: query_timeout.millis(),
        ack_timeout_ms: config.queue.ack_within.millis(),
        max_reconnect_attempts,
        restore_parallel,
        print_qr_terminal: print_qr,
        full_history: history_sync == HistorySync::Full,
        ..Options::default()
    }
}

async fn announce(gateway: &Gateway, addresses: &[SocketAddr]) -> Result<()> {
    let config = gateway.config();
    if !config.api.open.is_empty() && addresses.iter().any(|address| !address.ip().is_loopback()) {
        tracing::warn!(families = ?config.api.open, "OPEN_APIS lets everybody who reaches the port use these families");
    }
    if !gateway.is_claimed()? {
        let token = gateway.new_claim().await?;
        let base =
            config.api.public_url.clone().unwrap_or_else(|| format!("http://{}", reachable(addresses)));
        say(&format!(
            "claim this kurir within 30 minutes: {}/claim?token={token}",
            base.trim_end_matches('/')
        ));
    }
    for address in addresses {
        say(&format!("listening on http://{address}"));
    }
    Ok(())
}

/// Writes a line for whoever started the program; standard output may be closed, which is no reason to stop.
pub(crate) fn say(line: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Returns the address under which a person most likely reaches the first listener.
fn reachable(addresses: &[SocketAddr]) -> String {
    let Some(first) = addresses.first() else { return "localhost".into() };
    if !first.ip().is_unspecified() {
        return first.to_string();
    }
    match own_address() {
        Some(ip) => SocketAddr::new(ip, first.port()).to_string(),
        None => format!("localhost:{}", first.port()),
    }
}

/// Returns the machine's address towards the outside. Connecting a UDP socket sends nothing; the target is a documentation
/// address (RFC 5737).
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

async fn stop_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Tells systemd that the async threads still run, twice per allowed interval.
async fn feed_watchdog() {
    let Some(interval) = sd_notify::watchdog_enabled() else { return };
    let mut tick = tokio::time::interval(interval / 2);
    loop {
        tick.tick().await;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
    }
}

fn settings(config: &Config, simulated: Option<&Simulated>) -> Settings {
    let _ = simulated;
    Settings {
        listen: config.listen.clone(),
        open: config.api.open.clone(),
        cors_origins: config.api.cors_origins.clone(),
        trusted_proxies: config.api.trusted_proxies.clone(),
        limits: Limits {
            window_ms: config.limits.window.millis(),
            anonymous_max: config.limits.anonymous,
            user_max: config.limits.user,
        },
        #[cfg(feature = "sandbox")]
        sandbox: simulated.map(kurir_sandbox::Sandbox::control),
    }
}

#[cfg(feature = "sandbox")]
pub(crate) type Simulated = kurir_sandbox::Sandbox;
#[cfg(not(feature = "sandbox"))]
pub(crate) enum Simulated {}

#[cfg(feature = "sandbox")]
async fn start_simulated(config: &Config, mode: Mode) -> Result<Option<Simulated>> {
    tracing::warn!(
        "this is a sandbox build: it reaches simulated networks on this machine only, never WhatsApp"
    );
    if mode == Mode::Serve {
        return Ok(None);
    }
    let builder = kurir_sandbox::Sandbox::builder()
        .listen(config.sandbox_listen)
        .data_dir(config.data_dir.join("sandbox"));
    builder.start().await.context("starting the simulated network").map(Some)
}

#[cfg(not(feature = "sandbox"))]
async fn start_simulated(_: &Config, _: Mode) -> Result<Option<Simulated>> {
    Ok(None)
}

#[cfg(feature = "sandbox")]
pub(crate) fn network(config: &Config, simulated: Option<&Simulated>) -> Result<Network> {
    let own = simulated.map(kurir_sandbox::Sandbox::ws_url);
    // Without an address the simulated network of `kurir sandbox` is meant, which is not running yet.
    Network::simulated(
        own.as_deref().or(config.sandbox_url.as_deref()).unwrap_or("ws://127.0.0.1:7400/ws/chat"),
    )
}

#[cfg(not(feature = "sandbox"))]
pub(crate) fn network(_: &Config, _: Option<&Simulated>) -> Result<Network> {
    Ok(Network::real())
}

#[cfg(feature = "sandbox")]
async fn stop_simulated(simulated: Option<Simulated>) {
    if let Some(sandbox) = simulated {
        sandbox.shutdown().await;
    }
}

#[cfg(not(feature = "sandbox"))]
async fn stop_simulated(_: Option<Simulated>) {}
