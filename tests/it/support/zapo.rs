//! The independent client `zapo-js` as a child process (tests/clients/zapo).

use super::wait::SOON;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A running client.
pub struct Zapo {
    child: Child,
    input: ChildStdin,
    said: Receiver<Value>,
    heard: Vec<Value>,
}

impl Zapo {
    /// Starts a client for the network that describes itself so; installs its packages when they are missing.
    pub fn start(network: &Value) -> Self {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/zapo");
        install(&dir);
        let part =
            |name: &str| network[name].as_str().unwrap_or_else(|| panic!("`{name}` in {network}")).to_owned();
        let mut child = Command::new("node")
            .args(["--experimental-websocket", "client.cjs", &part("wsUrl"), &part("noiseRoot")])
            .current_dir(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("Node 20 or newer is installed");
        let input = child.stdin.take().expect("standard input is piped");
        let output = child.stdout.take().expect("standard output is piped");
        let (sender, said) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(value) = serde_json::from_str(&line) else { panic!("the client wrote `{line}`") };
                if sender.send(value).is_err() {
                    break;
                }
            }
        });
        Self { child, input, said, heard: Vec::new() }
    }

    /// Tells the client what to do.
    pub fn tell(&mut self, command: &Value) {
        writeln!(self.input, "{command}").expect("the client listens");
    }

    /// Returns what `pick` finds in the next lines of the client; an error line fails the test.
    #[track_caller]
    pub fn wait<T>(&mut self, what: &str, pick: impl Fn(&Value) -> Option<T>) -> T {
        let end = Instant::now() + SOON;
        while let Ok(value) = self.said.recv_timeout(end.saturating_duration_since(Instant::now())) {
            assert!(value.get("error").is_none(), "waited for {what}, but {value}");
            self.heard.push(value);
            if let Some(found) = self.heard.last().and_then(&pick) {
                return found;
            }
        }
        panic!("waited for {what}; the client said {:?}", self.heard);
    }

    /// Lets the client end by itself.
    #[track_caller]
    pub fn exit(mut self, within: Duration) {
        self.tell(&serde_json::json!({"exit": true}));
        let end = Instant::now() + within;
        while self.child.try_wait().expect("its state is known").is_none() {
            assert!(Instant::now() < end, "the client did not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Zapo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn install(dir: &PathBuf) {
    // Several tests begin at the same time, and one installation is enough.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    if dir.join("node_modules/zapo-js").exists() {
        return;
    }
    let done = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(dir).status();
    assert!(done.is_ok_and(|status| status.success()), "`npm ci` in {} failed", dir.display());
}
