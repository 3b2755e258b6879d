//! Configuration: every key, its default, its unit and the reason for it.
//!
//! File < environment < flags. Unknown keys of the file are refused, values are checked once, here. The commented
//! `data/kurir.toml` lists the same keys for people.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Shortest accepted signing secret, in characters (contract `accounts.md` section 1).
const SECRET_MIN_CHARS: usize = 32;

/// Largest accepted limit for incoming files: the protocol library's client reads no more of an answer.
const INCOMING_MAX_MB: u32 = 127;

/// The whole configuration, checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Directory for everything that is written. `./data`, so that a first try needs no rights and leaves one folder.
    pub data_dir: PathBuf,
    /// Addresses to listen on. Port 4000 on all interfaces, the port of most documented clients.
    pub listen: Vec<SocketAddr>,
    /// Sandbox builds: WebSocket address of a simulated network in another process.
    pub sandbox_url: Option<String>,
    /// Sandbox builds: where `kurir sandbox` lets the simulated network listen. Loopback only.
    pub sandbox_listen: SocketAddr,
    /// Which messages are stored with their content: `all`, or `allowed_only` for those of allowed numbers. `all`: a history is
    /// what most people install a gateway for.
    pub history: crate::model::allowed::HistoryRule,
    /// Logging.
    pub log: Log,
    /// Accounts and tokens.
    pub auth: Auth,
    /// What the API lets in.
    pub api: Api,
    /// Rate limits.
    pub limits: Limits,
    /// The queue.
    pub queue: Queue,
    /// Schedules.
    pub schedules: Schedules,
    /// How long things are kept.
    pub retention: Retention,
    /// The connection to WhatsApp.
    pub whatsapp: WhatsApp,
    /// Files of messages.
    pub media: Media,
    /// Outgoing HTTP.
    pub egress: Egress,
    /// Master passphrase (`KURIR_PASSPHRASE`); only from the environment, because the file lies beside the data.
    #[serde(skip)]
    pub passphrase: Option<String>,
    /// First administrator (`ADMIN_EMAIL`, `ADMIN_PASSWORD`); only from the environment.
    #[serde(skip)]
    pub admin: Option<FirstAdmin>,
}

/// How to log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `kurir=debug,warn`. `info`: one line per request.
    pub level: String,
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Accounts and tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// Signs access tokens, at least 32 characters. Made and kept sealed in the store when absent.
    pub jwt_secret: Option<String>,
    /// Signs refresh tokens, at least 32 characters. Made and kept sealed in the store when absent.
    pub jwt_refresh_secret: Option<String>,
    /// Life of an access token. 24 h as documented.
    pub access_ttl: Span,
    /// Life of a refresh token. 7 days as documented.
    pub refresh_ttl: Span,
    /// Whether anybody may register as a user. True as documented; a user owns nothing until an administrator assigns it.
    pub registration: bool,
    /// A token that acts as the first administrator (`API_TOKEN`), for scripts. None unless set.
    pub api_token: Option<String>,
}

/// What the API lets in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Families that need no credential: `multi-device`. Empty, because an open gateway sends anybody's messages.
    pub open: Vec<String>,
    /// Browser origins that may call the API. The three documented development origins.
    pub cors_origins: Vec<String>,
    /// Addresses of reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. None.
    pub trusted_proxies: Vec<IpAddr>,
    /// Which numbers are accepted as recipients: `indonesian` as documented, or `international`.
    pub phone_rule: crate::model::jid::PhoneRule,
    /// Whether only administrators may create bulk jobs. False: owners may, on their own devices.
    pub bulk_admin_only: bool,
    /// Address under which people reach the dashboard, for the claim link. Guessed from `listen` when absent.
    pub public_url: Option<String>,
}

/// Rate limits. 0 turns one off.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Length of the window. 15 minutes as documented.
    pub window: Span,
    /// Requests without valid credential per address and window. 100 as documented.
    pub anonymous: u32,
    /// Requests with a credential per user and window. 1000, because a dashboard or a job poller exhausts 100 at once.
    pub user: u32,
}

/// The queue.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// How long a request waits for WhatsApp's acceptance before it answers "accepted". 30 s: below common client timeouts.
    pub answer_within: Span,
    /// How long a request with several messages waits for the last of them before it answers "accepted". 10 min: the longest bulk
    /// with the usual pauses fits, and a device that goes away keeps nobody waiting for a day.
    pub bulk_answer_within: Span,
    /// How long one attempt waits for the network's acknowledgement. 10 s: a healthy network answers in well under one.
    pub ack_within: Span,
    /// Attempts without an answer before a message is given up. 5.
    pub attempts: u32,
    /// How long a message waits for a disconnected device before it is given up. 24 h: a night without power loses nothing.
    pub give_up_after: Span,
    /// Single messages in flight per device. 64: enough to share commits, few enough to resend after a crash.
    pub in_flight: usize,
    /// Pause between items of a job without `delay`, in seconds. None means random 2 to 5, which looks less like a machine.
    pub default_delay: Option<f64>,
    /// Whether texts with a link get a card of the page behind it, as those of phones do. True; the page is asked by this
    /// machine, within 3 s and by the rule of `egress`.
    pub link_previews: bool,
}

/// Schedules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedules {
    /// How late a scheduled message may be sent, because its device or Kurir was away. 15 minutes as documented.
    pub patience: Span,
}

impl Default for Schedules {
    fn default() -> Self {
        Self { patience: Span::seconds(900) }
    }
}

/// How long things are kept. `0s` keeps them for ever.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Messages, by when they were written; whole days in Asia/Jakarta go. `0s`: a history is what people come back for. What was
    /// counted per day stays.
    pub messages: Span,
    /// Jobs with their entries, by when they ended. 90 days: longer than anybody asks about a campaign.
    pub jobs: Span,
    /// Scheduled messages, by when their last run was. 90 days, as for jobs.
    pub schedules: Span,
}

impl Default for Retention {
    fn default() -> Self {
        let quarter = Span::seconds(90 * 24 * 3600);
        Self { messages: Span::seconds(0), jobs: quarter, schedules: quarter }
    }
}

/// The connection to WhatsApp.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhatsApp {
    /// How long a connection may take to open. 120 s as documented.
    pub connect_timeout: Span,
    /// How long the network may take to answer a question. 120 s as documented.
    pub query_timeout: Span,
    /// Prints each QR on the terminal. False.
    pub print_qr: bool,
    /// Automatic attempts after a lost connection; absent means for ever, with growing pauses.
    pub max_reconnect_attempts: Option<u32>,
    /// Devices that connect at the same time at start. 8: bounded memory and load, 50 devices are back in seconds.
    pub restore_parallel: usize,
    /// How much a phone is asked to hand over when it is linked. `recent`, which is a few months; `full` asks for a year and shows
    /// in the phone's list of devices as a desktop program, because WhatsApp gives browsers no more.
    pub history_sync: HistorySync,
}

/// How much a phone is asked to hand over when it is linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistorySync {
    /// What browsers get.
    #[default]
    Recent,
    /// What desktop programs get.
    Full,
}

/// Files of messages: what is fetched, how long it stays, how it is served.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Whether files of incoming messages are fetched and kept. True: WhatsApp forgets them after some weeks.
    pub download: bool,
    /// Largest incoming file that is fetched, in megabytes. 64: films from phones fit, a memory card does not fill up at once.
    pub incoming_max_mb: u32,
    /// How long files are kept after they came in or were sent last. 30 days; `0s` keeps them for ever.
    pub keep_for: Span,
    /// Room for all files together, in megabytes; the oldest go first. 2048; 0 sets no bound.
    pub max_total_mb: u32,
    /// How long a link to a file opens. 24 h: a page that was left open over night still shows its pictures.
    pub link_ttl: Span,
    /// Types of files that may be sent beside the documented ones, such as `application/zip`. None.
    pub extra_types: Vec<String>,
}

/// Outgoing HTTP.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// Lets outgoing HTTP reach loopback, private and link-local addresses. False: they are what an attacker would ask for.
    pub allow_private: bool,
}

/// The first administrator, from the environment.
#[derive(Clone)]
pub struct FirstAdmin {
    /// Email address.
    pub email: String,
    /// Password, 8 to 128 characters.
    pub password: String,
}

impl std::fmt::Debug for FirstAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstAdmin").field("email", &self.email).finish_non_exhaustive()
    }
}

/// A length of time, written `500ms`, `30s`, `15m`, `24h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Returns the length in milliseconds.
    pub fn millis(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }

    fn parse(text: &str) -> Result<Self> {
        let refuse =
            || Error::broken(format!("`{text}` is not a length of time such as 500ms, 30s, 15m, 24h or 7d"));
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let number: u64 = digits.parse().map_err(|_| refuse())?;
        let unit_ms = match &text[digits.len()..] {
            "ms" => 1,
            "s" | "" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(refuse()),
        };
        number.checked_mul(unit_ms).map(|ms| Self(Duration::from_millis(ms))).ok_or_else(refuse)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            listen: vec![SocketAddr::from(([0, 0, 0, 0], 4000))],
            sandbox_url: None,
            sandbox_listen: SocketAddr::from(([127, 0, 0, 1], 7400)),
            history: Default::default(),
            log: Log::default(),
            auth: Auth::default(),
            api: Api::default(),
            limits: Limits::default(),
            queue: Queue::default(),
            schedules: Schedules::default(),
            retention: Retention::default(),
            whatsapp: WhatsApp::default(),
            media: Media::default(),
            egress: Egress::default(),
            passphrase: None,
            admin: None,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            jwt_secret: None,
            jwt_refresh_secret: None,
            access_ttl: Span::seconds(24 * 3600),
            refresh_ttl: Span::seconds(7 * 24 * 3600),
            registration: true,
            api_token: None,
        }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            cors_origins: ["http://localhost:5173", "http://localhost:3001", "http://localhost:3002"]
                .map(String::from)
                .to_vec(),
            trusted_proxies: Vec::new(),
            phone_rule: crate::model::jid::PhoneRule::Indonesian,
            bulk_admin_only: false,
            public_url: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { window: Span::seconds(15 * 60), anonymous: 100, user: 1000 }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            answer_within: Span::seconds(30),
            bulk_answer_within: Span::seconds(600),
            ack_within: Span::seconds(10),
            attempts: 5,
            give_up_after: Span::seconds(24 * 3600),
            in_flight: 64,
            link_previews: true,
            default_delay: None,
        }
    }
}

impl Default for WhatsApp {
    fn default() -> Self {
        Self {
            connect_timeout: Span::seconds(120),
            query_timeout: Span::seconds(120),
            print_qr: false,
            max_reconnect_attempts: None,
            restore_parallel: 8,
            history_sync: HistorySync::Recent,
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self {
            download: true,
            incoming_max_mb: 64,
            keep_for: Span::seconds(30 * 24 * 3600),
            max_total_mb: 2048,
            link_ttl: Span::seconds(24 * 3600),
            extra_types: Vec::new(),
        }
    }
}

/// What the command line says; it wins over file and environment.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--listen`, any number.
    pub listen: Vec<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--sandbox-url`.
    pub sandbox_url: Option<String>,
    /// `--sandbox-listen`.
    pub sandbox_listen: Option<String>,
}

/// Families that `api.open` may name.
const FAMILIES: &[&str] = &["multi-device", "legacy-data", "broadcast", "multi-user"];

/// Variables of the documents that have no meaning here and are named in one log line instead of being refused.
const IGNORED: &[&str] = &[
    "DB_HOST",
    "DB_PORT",
    "DB_USER",
    "DB_PASSWORD",
    "DB_PASS",
    "DB_NAME",
    "REDIS_URL",
    "AUTO_CREATE_TABLES",
    "AUTO_UPDATE_SCHEMA",
    "WEBSOCKET_URL",
    "WS_URL",
    "SESSION_SECRET",
    // The protocol library gives a sign of life every 15 to 30 s, at random as the official client does.
    "WA_KEEPALIVE_INTERVAL_MS",
];

impl Config {
    /// Reads file, environment and flags, in this order, and checks the result.
    ///
    /// The file is `--config`, else `KURIR_CONFIG`, else `kurir.toml` in the data directory when it exists.
    pub fn load(flags: &Flags, env: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let named = flags.config.clone().or_else(|| env("KURIR_CONFIG").map(PathBuf::from));
        let data_dir = flags.data_dir.clone().or_else(|| env("KURIR_DATA_DIR").map(PathBuf::from));
        let mut config = match named {
            Some(path) => Self::read(&path)?,
            None => {
                let beside = data_dir.clone().unwrap_or_else(|| Self::default().data_dir).join("kurir.toml");
                if beside.exists() { Self::read(&beside)? } else { Self::default() }
            }
        };
        config.take_environment(&env)?;
        config.take_flags(flags, data_dir)?;
        config.check()?;
        Ok(config)
    }

    /// Returns the documented variables that are set but mean nothing here.
    pub fn ignored_variables(env: impl Fn(&str) -> Option<String>) -> Vec<&'static str> {
        IGNORED.iter().copied().filter(|name| env(name).is_some()).collect()
    }

    fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|why| Error::internal(format!("reading the configuration `{}`", path.display()), why))?;
        toml::from_str(&text)
            .map_err(|why| Error::internal(format!("reading the configuration `{}`", path.display()), why))
    }

    fn take_environment(&mut self, env: &impl Fn(&str) -> Option<String>) -> Result<()> {
        let env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        if let Some(listen) = env("KURIR_LISTEN") {
            self.listen =
                listen.split(',').map(|part| address("KURIR_LISTEN", part)).collect::<Result<_>>()?;
        } else if let Some((name, port)) =
            ["DASHBOARD_PORT", "PORT"].iter().find_map(|name| env(name).map(|port| (*name, port)))
        {
            self.listen = vec![SocketAddr::from(([0, 0, 0, 0], number(name, &port)?))];
        }
        take(&mut self.sandbox_url, env("KURIR_SANDBOX_URL"));
        if let Some(level) = env("KURIR_LOG") {
            self.log.level = level;
        }
        if let Some(format) = env("KURIR_LOG_FORMAT") {
            self.log.format = match format.as_str() {
                "text" => LogFormat::Text,
                "json" => LogFormat::Json,
                _ => return Err(Error::broken("KURIR_LOG_FORMAT has to be `text` or `json`")),
            };
        }
        take(&mut self.auth.jwt_secret, env("JWT_SECRET"));
        take(&mut self.auth.jwt_refresh_secret, env("JWT_REFRESH_SECRET"));
        take(&mut self.auth.api_token, env("API_TOKEN"));
        self.api.cors_origins.extend(env("FRONTEND_URL"));
        if let Some(families) = env("OPEN_APIS") {
            self.api.open = families.split(',').map(|family| family.trim().to_owned()).collect();
        }
        if let Some(max) = env("RATE_LIMIT_MAX") {
            self.limits.anonymous = number("RATE_LIMIT_MAX", &max)?;
            // The one documented switch has to reach both limits: who widens or closes one means the other too.
            self.limits.user = match self.limits.anonymous {
                0 => 0,
                max => self.limits.user.max(max.saturating_mul(10)),
            };
        }
        for (name, span) in [
            ("JWT_EXPIRES_IN", &mut self.auth.access_ttl),
            ("JWT_REFRESH_EXPIRES_IN", &mut self.auth.refresh_ttl),
        ] {
            if let Some(text) = env(name) {
                *span = Span::parse(&text).map_err(|error| error.context(name))?;
            }
        }
        for (name, span) in [
            ("RATE_LIMIT_WINDOW_MS", &mut self.limits.window),
            ("WA_CONNECT_TIMEOUT_MS", &mut self.whatsapp.connect_timeout),
            ("WA_QUERY_TIMEOUT_MS", &mut self.whatsapp.query_timeout),
        ] {
            if let Some(text) = env(name) {
                *span = Span(Duration::from_millis(number(name, &text)?));
            }
        }
        if let Some(print) = env("WA_PRINT_QR_TERMINAL") {
            self.whatsapp.print_qr = matches!(print.as_str(), "true" | "1" | "yes");
        }
        take(&mut self.passphrase, env("KURIR_PASSPHRASE"));
        self.admin = match (env("ADMIN_EMAIL"), env("ADMIN_PASSWORD")) {
            (Some(email), Some(password)) => Some(FirstAdmin { email, password }),
            (None, None) => None,
            _ => return Err(Error::broken("ADMIN_EMAIL and ADMIN_PASSWORD have to be set together")),
        };
        Ok(())
    }

    fn take_flags(&mut self, flags: &Flags, data_dir: Option<PathBuf>) -> Result<()> {
        if let Some(dir) = data_dir {
            self.data_dir = dir;
        }
        if !flags.listen.is_empty() {
            self.listen = flags.listen.iter().map(|text| address("--listen", text)).collect::<Result<_>>()?;
        }
        take(&mut self.sandbox_url, flags.sandbox_url.clone());
        if let Some(listen) = &flags.sandbox_listen {
            self.sandbox_listen = address("--sandbox-listen", listen)?;
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let refuse = |why: String| Err(Error::broken(why));
        for (name, secret) in
            [("JWT_SECRET", &self.auth.jwt_secret), ("JWT_REFRESH_SECRET", &self.auth.jwt_refresh_secret)]
        {
            if secret.as_ref().is_some_and(|secret| secret.chars().count() < SECRET_MIN_CHARS) {
                return refuse(format!("{name} has to have at least {SECRET_MIN_CHARS} characters"));
            }
        }
        if self.auth.jwt_secret.is_some() && self.auth.jwt_secret == self.auth.jwt_refresh_secret {
            return refuse("JWT_SECRET and JWT_REFRESH_SECRET have to differ".into());
        }
        if let Some(family) = self.api.open.iter().find(|family| !FAMILIES.contains(&family.as_str())) {
            return refuse(format!("OPEN_APIS names `{family}`; known are {}", FAMILIES.join(", ")));
        }
        if !self.sandbox_listen.ip().is_loopback() {
            return refuse("sandbox_listen has to be a loopback address such as 127.0.0.1:7400".into());
        }
        if self.listen.is_empty() {
            return refuse("listen has to name at least one address such as 0.0.0.0:4000".into());
        }
        if self.queue.in_flight == 0 || self.queue.attempts == 0 || self.whatsapp.restore_parallel == 0 {
            return refuse(
                "queue.in_flight, queue.attempts and whatsapp.restore_parallel have to be at least 1".into(),
            );
        }
        if self.schedules.patience.millis() == 0 {
            return refuse(
                "schedules.patience has to be longer than 0s: a message is never sent before its time".into(),
            );
        }
        let is_no_type = |name: &&String| crate::model::media::Mime::parse(name).is_none();
        if let Some(name) = self.media.extra_types.iter().find(is_no_type) {
            return refuse(format!("media.extra_types: `{name}` is not a type such as application/zip"));
        }
        if self.media.incoming_max_mb > INCOMING_MAX_MB {
            return refuse(format!("media.incoming_max_mb has to be at most {INCOMING_MAX_MB}"));
        }
        crate::model::job::Pacing::from_seconds(self.queue.default_delay)
            .map(drop)
            .map_err(|error| error.context("queue.default_delay"))
    }
}

fn take(slot: &mut Option<String>, value: Option<String>) {
    if value.is_some() {
        *slot = value;
    }
}

fn address(name: &str, text: &str) -> Result<SocketAddr> {
    text.trim().parse().map_err(|_| {
        Error::broken(format!("{name}: `{text}` is not an address such as 127.0.0.1:4000 or [::1]:4000"))
    })
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T> {
    text.trim().parse().map_err(|_| Error::broken(format!("{name}: `{text}` is not a number that fits")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: Option<&str>, env: &[(&str, &str)], listen: &[&str]) -> Result<Config> {
        let dir = tempfile::tempdir().expect("a directory");
        if let Some(text) = file {
            std::fs::write(dir.path().join("kurir.toml"), text).expect("written");
        }
        let flags = Flags {
            data_dir: Some(dir.path().into()),
            listen: listen.iter().map(|text| (*text).to_owned()).collect(),
            ..Flags::default()
        };
        let env: Vec<(String, String)> = env.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        Config::load(&flags, |name| env.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()))
    }

    #[test]
    fn flags_win_over_environment_and_environment_over_file() {
        let file = Some("listen = [\"127.0.0.1:1\"]\n[auth]\naccess_ttl = \"1h\"");
        let ports = |config: Config| config.listen.iter().map(SocketAddr::port).collect::<Vec<_>>();
        assert_eq!(ports(load(file, &[], &[]).expect("loads")), [1]);
        assert_eq!(ports(load(file, &[("PORT", "2")], &[]).expect("loads")), [2]);
        assert_eq!(ports(load(file, &[("PORT", "2"), ("DASHBOARD_PORT", "3")], &[]).expect("loads")), [3]);
        let config = load(file, &[("PORT", "2")], &["127.0.0.1:4", "[::1]:5"]).expect("loads");
        assert_eq!(config.auth.access_ttl.millis(), 3_600_000);
        assert_eq!(ports(config), [4, 5]);
    }

    #[test]
    fn mistakes_are_refused_with_the_name_of_the_key() {
        for (file, env, word) in [
            (Some("lisen = []"), &[][..], "lisen"),
            (Some("[auth]\nacces_ttl = \"1h\""), &[], "acces_ttl"),
            (Some("[auth]\naccess_ttl = \"1 year\""), &[], "1 year"),
            (None, &[("JWT_SECRET", "short")], "JWT_SECRET"),
            (None, &[("OPEN_APIS", "everything")], "everything"),
            (None, &[("PORT", "http")], "PORT"),
            (None, &[("ADMIN_EMAIL", "a@b.c")], "ADMIN_PASSWORD"),
            (Some("sandbox_listen = \"0.0.0.0:1\""), &[], "loopback"),
        ] {
            let refused = load(file, env, &[]).expect_err("refused").to_string();
            assert!(refused.contains(word), "{refused}");
        }
    }

    #[test]
    fn the_commented_file_names_every_default() {
        let text = include_str!("../data/kurir.toml");
        let default = |line: &'static str| line.strip_prefix("#: ").or(line.starts_with('[').then_some(line));
        let shown: String = text.lines().filter_map(default).map(|line| format!("{line}\n")).collect();
        let config: Config = toml::from_str(&shown).expect("the shown defaults are valid");
        let (mut shown, mut real) = (format!("{config:?}"), format!("{:?}", Config::default()));
        shown.retain(|letter| !letter.is_whitespace());
        real.retain(|letter| !letter.is_whitespace());
        assert_eq!(shown, real);
    }

    #[test]
    fn one_switch_widens_or_closes_both_limits() {
        let limits = |max| load(None, &[("RATE_LIMIT_MAX", max)], &[]).expect("loads").limits;
        assert_eq!((limits("0").anonymous, limits("0").user), (0, 0));
        assert_eq!((limits("5000").anonymous, limits("5000").user), (5000, 50_000));
    }
}
