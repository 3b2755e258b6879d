//! The client version that the network is told. The real network refuses old ones, so it is looked up, kept, and renewed in
//! the background; a simulated network is told a fixed one.

use super::http::MediaHttp;
use crate::clock::{Clock, Millis};
use crate::error::{Error, Result};
use crate::store::{Store, settings};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use whatsapp_rust::version::fetch_latest_app_version;

/// Primary, secondary, tertiary.
pub(super) type Version = (u32, u32, u32);

/// Told when the version was never looked up successfully. The network accepts versions for weeks.
const FALLBACK: Version = (2, 3000, 1_042_742_319);
/// Name of the setting.
const SETTING: &str = "whatsapp-version";
/// Age at which a version is looked up again.
const FRESH_MS: Millis = 24 * 3_600_000;
/// Pause after a look-up before the next, so that an unreachable page is not asked at every connect.
const PAUSE_MS: Millis = 10 * 60_000;
/// How long a first connection waits for the look-up.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);

/// Knows the version to tell.
#[derive(Clone)]
pub(super) struct Versions {
    /// None on a simulated network.
    real: Option<Arc<Real>>,
}

struct Real {
    store: Store,
    clock: Clock,
    http: MediaHttp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    tried_at: Option<Millis>,
    renewal: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Known {
    version: Version,
    fetched_at: Millis,
}

impl Versions {
    /// Knows the fixed version for simulated networks.
    pub(super) fn fixed() -> Self {
        Self { real: None }
    }

    /// Knows the version that was last looked up, if any.
    pub(super) fn looked_up(store: Store, clock: Clock, http: MediaHttp) -> Result<Self> {
        let known = settings::get(&store.view()?, SETTING)?;
        let state = Mutex::new(State { known, ..State::default() });
        Ok(Self { real: Some(Arc::new(Real { store, clock, http, state })) })
    }

    /// Returns the version to tell now; waits for a look-up only when there never was one.
    pub(super) async fn current(&self) -> Version {
        let Some(real) = &self.real else { return FALLBACK };
        match real.known() {
            Some(known) => {
                if real.clock.now() - known.fetched_at >= FRESH_MS {
                    real.renew_in_background();
                }
                known.version
            }
            None => real.look_up_once().await.unwrap_or(FALLBACK),
        }
    }

    /// Looks the version up because the network called `told` outdated; returns whether there is another one now.
    pub(super) async fn is_replaced(&self, told: Version) -> bool {
        let Some(real) = &self.real else { return false };
        if real.known().is_some_and(|known| known.version != told) {
            return true;
        }
        real.look_up_once().await.is_some_and(|found| found != told)
    }

    /// Ends a look-up that is under way.
    pub(super) fn stop(&self) {
        if let Some(renewal) = self.real.as_ref().and_then(|real| real.lock().renewal.take()) {
            renewal.abort();
        }
    }
}

impl Real {
    fn known(&self) -> Option<Known> {
        self.lock().known
    }

    fn renew_in_background(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.renewal.as_ref().is_none_or(JoinHandle::is_finished) {
            let real = self.clone();
            state.renewal = Some(tokio::spawn(async move {
                let _ = real.look_up_once().await;
            }));
        }
    }

    async fn look_up_once(&self) -> Option<Version> {
        let now = self.clock.now();
        {
            let mut state = self.lock();
            if state.tried_at.is_some_and(|at| now - at < PAUSE_MS) {
                return None;
            }
            state.tried_at = Some(now);
        }
        match self.look_up(now).await {
            Ok(version) => Some(version),
            Err(why) => {
                tracing::warn!("the current WhatsApp version could not be looked up: {why}");
                None
            }
        }
    }

    async fn look_up(&self, now: Millis) -> Result<Version> {
        let http: Arc<dyn wacore::net::HttpClient> = Arc::new(self.http.clone());
        let version = tokio::time::timeout(LOOK_UP_TIMEOUT, fetch_latest_app_version(&http))
            .await
            .map_err(|_| Error::broken("no answer in time"))?
            .map_err(|why| Error::internal("reading WhatsApp's page", why))?;
        let known = Known { version, fetched_at: now };
        self.lock().known = Some(known);
        self.store.write(move |tables| settings::set(tables, SETTING, &known)).await?;
        Ok(version)
    }

    /// The values behind the lock are whole at any time.
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Egress;

    #[tokio::test]
    async fn a_kept_version_is_told_without_asking() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        let known = Known { version: (2, 3000, 77), fetched_at: 1_000 };
        store.write(move |tables| settings::set(tables, SETTING, &known)).await.expect("kept");
        let http = MediaHttp::new(Egress::new(false).expect("a client"), None);
        let versions = Versions::looked_up(store, Clock::by_hand(2_000), http).expect("a source of versions");
        assert_eq!(versions.current().await, (2, 3000, 77));
        assert_eq!(Versions::fixed().current().await, FALLBACK);
    }
}
