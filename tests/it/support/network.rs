//! A simulated network outside of Kurir, so that Kurir can be killed while the network lives.

use super::http::Api;
use super::phones::Phones;
use kurir_sandbox::Sandbox;
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A network in the test's own process, with everything on disk.
pub struct TestNetwork {
    addr: SocketAddr,
    url: String,
    sandbox: Option<Sandbox>,
    runtime: Runtime,
    // Removed last.
    _dir: TempDir,
}

impl TestNetwork {
    /// Starts a network.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let runtime = Runtime::new().expect("a runtime");
        let sandbox = runtime
            .block_on(Sandbox::builder().data_dir(dir.path()).start())
            .expect("the simulated network starts");
        Self { addr: sandbox.addr(), url: sandbox.ws_url(), sandbox: Some(sandbox), runtime, _dir: dir }
    }

    /// Returns the address for `--sandbox-url`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the phones.
    pub fn phones(&self) -> Phones {
        Phones::at(Api::nobody(self.addr))
    }
}

impl Drop for TestNetwork {
    fn drop(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            self.runtime.block_on(sandbox.shutdown());
        }
    }
}
