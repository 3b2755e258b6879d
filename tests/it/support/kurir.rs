//! A running Kurir: the real program on a temporary directory and a free port.

use super::http::Api;
use super::network::TestNetwork;
use super::phones::Phones;
use super::wait::{SOON, wait_for, wait_until};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Email of the administrator that the tests create.
pub const OWNER_EMAIL: &str = "owner@example.com";
/// Password of the administrator that the tests create.
pub const OWNER_PASSWORD: &str = "a password nobody guesses";
/// How long a graceful stop may take.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How to start.
pub struct Options<'n> {
    network: Option<&'n TestNetwork>,
    env: Vec<(String, String)>,
    config: Option<String>,
    claimed: bool,
    prepare: Option<Prepare<'n>>,
}

/// What is done with the data directory before the first start.
type Prepare<'n> = Box<dyn FnOnce(&Path) + 'n>;

/// A Kurir that was started. It is killed when it is dropped; a failing test shows what it said.
pub struct TestKurir {
    dir: TempDir,
    env: Vec<(String, String)>,
    network_url: Option<String>,
    claimed: bool,
    process: Option<Process>,
    owner: Option<String>,
}

struct Process {
    child: Child,
    addr: SocketAddr,
    said: Arc<Mutex<Said>>,
}

/// What a process wrote.
#[derive(Default)]
struct Said {
    out: Vec<String>,
    log: Vec<String>,
}

impl<'n> Options<'n> {
    /// Connects to a network outside instead of bringing one.
    pub fn network(mut self, network: &'n TestNetwork) -> Self {
        self.network = Some(network);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes `kurir.toml` into the data directory.
    pub fn config(mut self, toml: &str) -> Self {
        self.config = Some(toml.to_owned());
        self
    }

    /// Does something with the data directory before the start.
    pub fn prepared(mut self, prepare: impl FnOnce(&Path) + 'n) -> Self {
        self.prepare = Some(Box::new(prepare));
        self
    }

    /// Starts without an administrator.
    pub fn unclaimed(mut self) -> Self {
        self.claimed = false;
        self
    }

    pub fn start(self) -> TestKurir {
        let dir = tempfile::tempdir().expect("a directory");
        if let Some(toml) = &self.config {
            std::fs::write(dir.path().join("kurir.toml"), toml).expect("the configuration is written");
        }
        if let Some(prepare) = self.prepare {
            prepare(dir.path());
        }
        let mut env = vec![("RATE_LIMIT_MAX".to_owned(), "0".to_owned())];
        if self.claimed {
            env.push(("ADMIN_EMAIL".to_owned(), OWNER_EMAIL.to_owned()));
            env.push(("ADMIN_PASSWORD".to_owned(), OWNER_PASSWORD.to_owned()));
        }
        env.extend(self.env);
        let network_url = self.network.map(|network| network.url().to_owned());
        let mut kurir =
            TestKurir { dir, env, network_url, claimed: self.claimed, process: None, owner: None };
        kurir.launch();
        kurir
    }
}

impl TestKurir {
    /// Prepares a start: with a network in the same process, an administrator, and no rate limits.
    pub fn options<'n>() -> Options<'n> {
        Options { network: None, env: Vec::new(), config: None, claimed: true, prepare: None }
    }

    /// Starts with a network in the same process, an administrator, and no rate limits.
    pub fn start() -> Self {
        Self::options().start()
    }

    /// Starts with device `toko-1` linked to the phone `number`, and with the phones of other people.
    #[track_caller]
    pub fn linked(number: &str, others: &[&str]) -> (Self, Phones) {
        let kurir = Self::start();
        let phones = kurir.phones();
        kurir.link(&phones, "toko-1", number);
        for other in others {
            phones.add(other);
        }
        (kurir, phones)
    }

    /// Starts against a network outside.
    pub fn against(network: &TestNetwork) -> Self {
        Self::options().network(network).start()
    }

    /// Starts the program on its data directory, after it was stopped or killed.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let mut command = self.command();
        let mut child = command.spawn().expect("the program starts");
        let said = Arc::new(Mutex::new(Said::default()));
        let out = child.stdout.take().expect("standard output is piped");
        let log = child.stderr.take().expect("standard error is piped");
        follow(out, said.clone(), |said, line| said.out.push(line));
        follow(log, said.clone(), |said, line| said.log.push(line));
        let mut process = Process { child, addr: SocketAddr::from(([127, 0, 0, 1], 0)), said };
        process.addr = process.await_listening();
        self.process = Some(process);
        if self.claimed && self.owner.is_none() {
            self.owner = Some(self.login(OWNER_EMAIL, OWNER_PASSWORD));
        }
    }

    /// Returns the command that `launch` runs, for running it a second time.
    pub fn command(&self) -> Command {
        // Measurements ask for another build of the program.
        let program = std::env::var("KURIR_BIN").unwrap_or_else(|_| env!("CARGO_BIN_EXE_kurir").to_owned());
        let mut command = Command::new(program);
        command.env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        match &self.network_url {
            None => command.args(["sandbox", "--sandbox-listen", "127.0.0.1:0"]),
            Some(url) => command.args(["serve", "--sandbox-url", url]),
        };
        command.args(["--listen", "127.0.0.1:0"]).arg("--data-dir").arg(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Sends SIGTERM and checks that it ends gracefully; returns how long that took.
    #[track_caller]
    pub fn stop(&mut self) -> Duration {
        let begun = Instant::now();
        let status = self.stop_within(STOP_WITHIN);
        assert_eq!(status.code(), Some(0), "exit code after SIGTERM");
        begun.elapsed()
    }

    #[track_caller]
    fn stop_within(&mut self, deadline: Duration) -> ExitStatus {
        let mut process = self.process.take().expect("it runs");
        let pid = process.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success());
        let begun = Instant::now();
        loop {
            if let Some(status) = process.child.try_wait().expect("its state is known") {
                return status;
            }
            if begun.elapsed() > deadline {
                process.show();
                let _ = process.child.kill();
                let _ = process.child.wait();
                panic!("it did not stop within {deadline:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills it without a warning.
    pub fn kill9(&mut self) {
        let mut process = self.process.take().expect("it runs");
        process.child.kill().expect("it can be killed");
        process.child.wait().expect("it ends");
    }

    /// Stops it gracefully and starts it again.
    #[track_caller]
    pub fn restart(&mut self) {
        let status = self.stop_within(SOON);
        assert_eq!(status.code(), Some(0), "exit code after SIGTERM");
        self.launch();
    }

    /// Returns whether the process still runs.
    pub fn is_alive(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// Returns where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.process().addr
    }

    /// Returns a line of what the kernel tells of its memory, such as `VmHWM` (the most it ever held), in kilobytes.
    pub fn memory_kb(&self, line: &str) -> u64 {
        let path = format!("/proc/{}/status", self.process().child.id());
        let status = std::fs::read_to_string(path).expect("the kernel tells");
        let found = status.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(':'));
        let number = found.and_then(|rest| rest.split_whitespace().next());
        number.expect("the line is there").parse().expect("a number")
    }

    /// Returns its data directory.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Returns the lines of standard output so far.
    pub fn out(&self) -> Vec<String> {
        self.process().said.lock().expect("not poisoned").out.clone()
    }

    /// Returns the log so far.
    pub fn log(&self) -> String {
        self.process().said.lock().expect("not poisoned").log.join("\n")
    }

    /// Returns the administrator's view.
    #[track_caller]
    pub fn owner(&self) -> Api {
        Api::bearer(self.addr(), self.owner.as_deref().expect("it is claimed"))
    }

    /// Returns the view of somebody with a token.
    pub fn with_token(&self, token: &str) -> Api {
        Api::bearer(self.addr(), token)
    }

    /// Returns the view of somebody without a token.
    pub fn nobody(&self) -> Api {
        Api::nobody(self.addr())
    }

    /// Takes the token of an administrator that the test made itself.
    pub fn set_owner(&mut self, token: &str) {
        self.owner = Some(token.to_owned());
    }

    /// Logs in and returns the access token.
    #[track_caller]
    pub fn login(&self, email: &str, password: &str) -> String {
        let data =
            self.nobody().post("/api/auth/login", json!({"email": email, "password": password})).data(200);
        data["token"].as_str().expect("a token").to_owned()
    }

    /// Registers a user and returns their id and access token.
    #[track_caller]
    pub fn register(&self, name: &str) -> (u64, String) {
        let email = format!("{name}@example.com");
        let body = json!({"username": name, "email": email, "password": "12345678x"});
        let user = self.nobody().post("/api/auth/register", body).data(201)["user"].clone();
        (user["id"].as_u64().expect("an id"), self.login(&email, "12345678x"))
    }

    /// Returns the phones of the network in the same process.
    pub fn phones(&self) -> Phones {
        assert!(self.network_url.is_none(), "the network is outside: ask it");
        Phones::at(self.owner())
    }

    /// Creates a device.
    #[track_caller]
    pub fn create_device(&self, id: &str) {
        self.owner()
            .post("/api/whatsapp-multi-device/devices", json!({"deviceId": id, "deviceName": id}))
            .data(201);
    }

    /// Creates a device and links it to a phone, which is made if it is new.
    #[track_caller]
    pub fn link(&self, phones: &Phones, device: &str, number: &str) {
        self.create_device(device);
        let made = self.owner();
        phones.add(number);
        made.call("POST", &format!("/api/whatsapp-multi-device/devices/{device}/connect")).send().data(200);
        phones.scan(number, &self.qr(device));
        self.wait_connected(device);
    }

    /// Returns the QR of a device that connects; on a busy machine it may come later than the answer to `connect`.
    #[track_caller]
    pub fn qr(&self, device: &str) -> String {
        wait_for(&format!("a QR of {device}"), || {
            let reply = self.owner().get(&format!("/api/whatsapp-multi-device/devices/{device}/qr"));
            (reply.status == 200).then(|| reply.json()["data"]["qrCode"].as_str().map(str::to_owned))?
        })
    }

    /// Returns the state of a device.
    #[track_caller]
    pub fn status(&self, device: &str) -> Value {
        self.owner().get(&format!("/api/whatsapp-multi-device/devices/{device}/status")).data(200)
    }

    /// Waits until a device is connected.
    #[track_caller]
    pub fn wait_connected(&self, device: &str) {
        wait_for(&format!("device {device} to connect"), || {
            (self.status(device)["status"] == "connected").then_some(())
        });
    }

    /// Sends a text and returns `data`.
    #[track_caller]
    pub fn send(&self, device: &str, to: &str, text: &str) -> Value {
        let path = format!("/api/whatsapp-multi-device/devices/{device}/send-message");
        self.owner().post(&path, json!({"to": to, "message": text})).data(200)
    }

    /// Returns the stored messages of a chat, oldest first.
    #[track_caller]
    pub fn history(&self, device: &str, chat: &str) -> Vec<Value> {
        let base =
            format!("/api/whatsapp-multi-device/devices/{device}/chat-history/{chat}?source=store&limit=100");
        let (mut all, mut before) = (Vec::new(), String::new());
        loop {
            let page = self.owner().get(&format!("{base}{before}")).data(200);
            let messages = page["messages"].as_array().expect("a list");
            all.extend(messages.iter().cloned());
            match messages.last().filter(|_| page["hasMore"] == true) {
                Some(oldest) => before = format!("&before={}", oldest["id"].as_str().expect("an id")),
                None => break,
            }
        }
        all.reverse();
        all
    }

    /// Returns a job.
    #[track_caller]
    pub fn job(&self, id: &str) -> Value {
        self.owner().get(&format!("/api/whatsapp-multi-device/jobs/{id}")).data(200)
    }

    /// Waits until a job has ended and returns it.
    #[track_caller]
    pub fn wait_job(&self, id: &str, deadline: Duration) -> Value {
        wait_until(&format!("the end of job {id}"), deadline, || {
            let job = self.job(id);
            job["finishedAt"].is_string().then_some(job)
        })
    }

    /// Returns everything that a refused request must not have changed.
    #[track_caller]
    pub fn snapshot(&self) -> Value {
        let owner = self.owner();
        let of = |path: &str| owner.get(path).data(200);
        json!({
            "devices": of("/api/whatsapp-multi-device/devices"),
            "jobs": of("/api/whatsapp-multi-device/jobs"),
            "tokens": of("/api/auth/tokens"),
            "profile": of("/api/auth/profile"),
        })
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("it runs")
    }
}

impl Process {
    fn await_listening(&mut self) -> SocketAddr {
        let begun = Instant::now();
        loop {
            let line = self.said.lock().expect("not poisoned").out.iter().find_map(|line| {
                line.strip_prefix("listening on http://").and_then(|addr| addr.parse().ok())
            });
            if let Some(addr) = line {
                return addr;
            }
            let ended = self.child.try_wait().expect("its state is known");
            if ended.is_some() || begun.elapsed() > SOON {
                self.show();
                panic!("it did not start: {ended:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The network answers a request of an unknown kind with nothing, which looks like success; here it is a failure.
    fn require_known_requests(&self) {
        let said = self.said.lock().expect("not poisoned");
        let unknown = said.log.iter().find(|line| line.contains("unknown request, answered with nothing"));
        assert!(unknown.is_none(), "the simulated network does not know what was asked: {unknown:?}");
    }

    fn show(&self) {
        let said = self.said.lock().expect("not poisoned");
        // What the tests ask again and again while they wait would hide the rest.
        let is_waiting = |line: &&String| line.contains("method=GET") && line.contains("status=200");
        let log: Vec<&str> = said.log.iter().filter(|line| !is_waiting(line)).map(String::as_str).collect();
        let from = log.len().saturating_sub(200);
        eprintln!(
            "--- what kurir said\n{}\n--- its log\n{}\n---",
            said.out.join("\n"),
            log[from..].join("\n")
        );
    }
}

impl Drop for TestKurir {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            if std::thread::panicking() {
                process.show();
            }
            let _ = process.child.kill();
            let _ = process.child.wait();
            if !std::thread::panicking() {
                process.require_known_requests();
            }
        }
    }
}

fn follow(stream: impl Read + Send + 'static, said: Arc<Mutex<Said>>, take: fn(&mut Said, String)) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            take(&mut said.lock().expect("not poisoned"), line);
        }
    });
}
