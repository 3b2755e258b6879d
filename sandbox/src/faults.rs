//! Faults on demand: `PUT /sandbox/faults` sets a rule, `DELETE /sandbox/faults` clears all, `GET /sandbox/faults` lists them.
//!
//! A rule is one JSON object. `phone` (number) and `device` (companion id) narrow it down, without them it is for everybody;
//! a new rule replaces the one for the same `phone` and `device`. With `count` it wears off after that many hits, with `skip` it
//! lets that many pass before.
//!
//! | member | from then on |
//! |---|---|
//! | `"lostAck": true` | messages are stored and delivered, but not acknowledged |
//! | `"delayedAckMs": 500` | acknowledgements leave that much later |
//! | `"refuse": 463` | messages are refused with this error and not delivered (also 403, 429, 503, …) |
//! | `"iqError": 429` | requests are refused with this error; in full `{"code": 429, "backoff": 30, "xmlns": "w:g2"}`, `backoff` in seconds, `xmlns` for one family only |
//! | `"loginFailure": 401` | the next logins fail; in full `{"reason": 402, "code": 101, "expire": 3600}` for a temporary ban |
//! | `"dropConnection": true` | open connections break without a word |
//! | `"streamError": 515` | open connections get this stream error and are closed (also 401, 409, 429, 503, 516) |
//! | `"conflict": "replaced"` | open connections get this conflict and are closed (also `device_removed`) |
//! | `"pauseMs": 3000` | nothing is sent on open connections for that long: answers and acknowledgements wait, as behind a stalled disk |
//! | `"mediaStatus": 404` | media is not given out but answered with this status (also 401, 410, 500) |
//! | `"mediaTruncated": true` | half of a file arrives, as if that were all of it |
//! | `"mediaFlipped": true` | one bit in the middle of a file arrives changed |
//! | `"uploadStatus": 401` | uploads are refused with this status (also 403, 413, 500); the question where to resume is not |
//! | `"mediaExpired": true` | every file uploaded so far is gone (410) until its sender uploads it again; with `phone` only the account's (happens once) |
//! | `"rotateNoiseKey": true` | the network gets a new Noise key: short handshakes fall back to long ones (never narrowed down, happens once) |
//!
//! Faults of downloads hit clients; phones only when a rule says `"device": 0`.
//! The ones about open connections happen at once; with `count` also to later logins, until that many connections were hit.

use crate::node;
use crate::state::lock;
use crate::world::World;
use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// Rules in force; a test needs a handful.
const RULES_MAX: usize = 100;

/// One rule, as set through the control API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rule {
    /// Number of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Companion of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<u16>,
    /// Hits after which the rule wears off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Hits that pass before the rule begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<u32>,
    /// No acknowledgement.
    #[serde(alias = "lost_ack")]
    pub lost_ack: bool,
    /// Late acknowledgement, milliseconds.
    #[serde(alias = "delayed_ack_ms", skip_serializing_if = "Option::is_none")]
    pub delayed_ack_ms: Option<u64>,
    /// Error acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refuse: Option<u16>,
    /// Error answers to requests.
    #[serde(alias = "iq_error", skip_serializing_if = "Option::is_none")]
    pub iq_error: Option<IqError>,
    /// Failure of the next logins.
    #[serde(alias = "login_failure", skip_serializing_if = "Option::is_none")]
    pub login_failure: Option<LoginFailure>,
    /// Breaks connections.
    #[serde(alias = "drop_connection")]
    pub drop_connection: bool,
    /// Ends connections with an error number.
    #[serde(alias = "stream_error", skip_serializing_if = "Option::is_none")]
    pub stream_error: Option<u16>,
    /// Ends connections with a conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<String>,
    /// Stalls connections, milliseconds.
    #[serde(alias = "pause_ms", skip_serializing_if = "Option::is_none")]
    pub pause_ms: Option<u64>,
    /// Status of downloads.
    #[serde(alias = "media_status", skip_serializing_if = "Option::is_none")]
    pub media_status: Option<u16>,
    /// Downloads of half a file.
    #[serde(alias = "media_truncated")]
    pub media_truncated: bool,
    /// Downloads with a wrong bit.
    #[serde(alias = "media_flipped")]
    pub media_flipped: bool,
    /// Status of uploads.
    #[serde(alias = "upload_status", skip_serializing_if = "Option::is_none")]
    pub upload_status: Option<u16>,
    /// Lets files expire.
    #[serde(alias = "media_expired")]
    pub media_expired: bool,
    /// Changes the Noise key.
    #[serde(alias = "rotate_noise_key")]
    pub rotate_noise_key: bool,
}

/// Why requests are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "IqErrorForm")]
pub struct IqError {
    /// Error number of the wire.
    pub code: u16,
    /// Family of requests; all of them without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xmlns: Option<String>,
    /// Seconds that the client should wait.
    #[serde(rename = "backoff", skip_serializing_if = "Option::is_none")]
    pub backoff_s: Option<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IqErrorForm {
    Short(u16),
    Full {
        code: u16,
        #[serde(default)]
        xmlns: Option<String>,
        #[serde(default)]
        backoff: Option<u32>,
    },
}

impl From<IqErrorForm> for IqError {
    fn from(form: IqErrorForm) -> Self {
        match form {
            IqErrorForm::Short(code) => Self { code, xmlns: None, backoff_s: None },
            IqErrorForm::Full { code, xmlns, backoff } => Self { code, xmlns, backoff_s: backoff },
        }
    }
}

/// Why a login fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "FailureForm")]
pub struct LoginFailure {
    /// Reason number of the wire.
    pub reason: u16,
    /// Kind of a temporary ban.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// Seconds until a temporary ban ends.
    #[serde(rename = "expire", skip_serializing_if = "Option::is_none")]
    pub expire_s: Option<u64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FailureForm {
    Short(u16),
    Full {
        reason: u16,
        #[serde(default)]
        code: Option<u16>,
        #[serde(default)]
        expire: Option<u64>,
    },
}

impl From<FailureForm> for LoginFailure {
    fn from(form: FailureForm) -> Self {
        match form {
            FailureForm::Short(reason) => Self::reason(reason),
            FailureForm::Full { reason, code, expire } => Self { reason, code, expire_s: expire },
        }
    }
}

impl LoginFailure {
    /// A failure with nothing but its reason.
    pub fn reason(reason: u16) -> Self {
        Self { reason, code: None, expire_s: None }
    }
}

/// What happens to one message.
#[derive(Default)]
pub struct MessageFault {
    /// Refuse it with this error.
    pub refuse: Option<u16>,
    /// Do not acknowledge it.
    pub lose_ack: bool,
    /// Acknowledge it later.
    pub delay_ack: Option<Duration>,
}

/// What happens to one download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaFault {
    /// It is refused with this status.
    Status(u16),
    /// Half of it is missing.
    Truncated,
    /// One bit is wrong.
    Flipped,
}

/// What happens to one connection.
pub enum ConnectionFault {
    /// It breaks.
    Drop,
    /// It ends with this stanza.
    End(Box<Node>),
    /// Nothing is sent on it for a while.
    Pause(Duration),
}

/// The rules in force.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
    any: AtomicBool,
}

impl Rule {
    fn concerns(&self, phone: &str, device: u16) -> bool {
        self.phone.as_deref().is_none_or(|only| only == phone)
            && self.device.is_none_or(|only| only == device)
    }

    fn about_messages(&self) -> bool {
        self.lost_ack || self.delayed_ack_ms.is_some() || self.refuse.is_some()
    }

    fn media_fault(&self) -> Option<MediaFault> {
        let spoiled = match (self.media_truncated, self.media_flipped) {
            (true, _) => Some(MediaFault::Truncated),
            (_, true) => Some(MediaFault::Flipped),
            _ => None,
        };
        self.media_status.map(MediaFault::Status).or(spoiled)
    }

    fn about_media(&self) -> bool {
        self.media_fault().is_some() || self.upload_status.is_some()
    }

    fn connection_fault(&self) -> Option<ConnectionFault> {
        if self.drop_connection {
            return Some(ConnectionFault::Drop);
        }
        if let Some(code) = self.stream_error {
            let last = NodeBuilder::new("stream:error").attr("code", code.to_string()).build();
            return Some(ConnectionFault::End(Box::new(last)));
        }
        if let Some(kind) = &self.conflict {
            let conflict = NodeBuilder::new("conflict").attr("type", kind.clone()).build();
            return Some(ConnectionFault::End(Box::new(node::parent("stream:error", [conflict]))));
        }
        self.pause_ms.map(|pause| ConnectionFault::Pause(Duration::from_millis(pause)))
    }

    /// Whether anything is left to do after what happens at once.
    fn stays(&self) -> bool {
        let about_connections = self.connection_fault().is_some() && self.count.is_some();
        self.about_messages()
            || self.about_media()
            || self.iq_error.is_some()
            || self.login_failure.is_some()
            || about_connections
    }
}

impl Faults {
    /// Decides about a message of a device.
    pub fn on_message(&self, phone: &str, device: u16) -> MessageFault {
        let hit = self.hit(phone, device, |rule| rule.about_messages().then(|| rule.clone()));
        hit.map_or_else(MessageFault::default, |rule| MessageFault {
            refuse: rule.refuse,
            lose_ack: rule.lost_ack,
            delay_ack: rule.delayed_ack_ms.map(Duration::from_millis),
        })
    }

    /// Decides about a request of a family.
    pub fn on_request(&self, phone: &str, device: u16, xmlns: &str) -> Option<IqError> {
        let meant = |error: &IqError| error.xmlns.as_deref().is_none_or(|only| only == xmlns);
        self.hit(phone, device, |rule| rule.iq_error.clone().filter(meant))
    }

    /// Decides about a login.
    pub fn on_login(&self, phone: &str, device: u16) -> Option<LoginFailure> {
        self.hit(phone, device, |rule| rule.login_failure.clone())
    }

    /// Decides about a download by a device. Phones (device 0) are left alone unless a rule names them.
    pub fn on_download(&self, phone: &str, device: u16) -> Option<MediaFault> {
        self.hit(phone, device, |rule| rule.media_fault().filter(|_| device != 0 || rule.device == Some(0)))
    }

    /// Decides about an upload by a companion.
    pub fn on_upload(&self, phone: &str, device: u16) -> Option<u16> {
        self.hit(phone, device, |rule| rule.upload_status)
    }

    /// Decides about a connection.
    pub fn on_connection(&self, phone: &str, device: u16) -> Option<ConnectionFault> {
        self.hit(phone, device, Rule::connection_fault)
    }

    /// Returns the rules in force.
    pub fn list(&self) -> Vec<Rule> {
        lock(&self.rules).clone()
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.change(Vec::clear);
    }

    fn hit<T>(&self, phone: &str, device: u16, read: impl Fn(&Rule) -> Option<T>) -> Option<T> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.change(|rules| {
            let at = rules.iter().position(|rule| rule.concerns(phone, device) && read(rule).is_some())?;
            if let Some(left @ 1..) = &mut rules[at].skip {
                *left -= 1;
                return None;
            }
            let hit = read(&rules[at]);
            if let Some(count) = &mut rules[at].count {
                *count -= 1;
                if *count == 0 {
                    rules.remove(at);
                }
            }
            hit
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Rule>) -> T) -> T {
        let mut rules = lock(&self.rules);
        let result = change(&mut rules);
        self.any.store(!rules.is_empty(), Ordering::Release);
        result
    }
}

/// Sets a rule and lets happen what happens at once. Returns how many open connections were hit.
pub fn set(world: &World, rule: Rule) -> Result<usize> {
    ensure!(rule.count != Some(0), "`count` is at least 1");
    let once = rule.connection_fault().is_some() || rule.rotate_noise_key || rule.media_expired;
    let known = rule.stays() || once;
    ensure!(known, "the rule does nothing: name at least one fault");
    if rule.rotate_noise_key {
        world.rotate_keys()?;
    }
    if rule.media_expired {
        let mut batch = world.batch();
        world.media.expire(rule.phone.as_deref(), &mut batch);
        world.commit(batch);
    }
    let immediate = rule.connection_fault().is_some();
    let temporary = !rule.stays();
    world.faults.change(|rules| {
        rules.retain(|known| (&known.phone, known.device) != (&rule.phone, rule.device));
        ensure!(rules.len() < RULES_MAX, "more than {RULES_MAX} rules: clear them first");
        if !temporary {
            rules.push(rule.clone());
        }
        Ok(())
    })?;
    Ok(if immediate { strike(world, &rule) } else { 0 })
}

/// Lets a rule hit the open connections.
fn strike(world: &World, rule: &Rule) -> usize {
    let mut hits = 0;
    for account in world.directory.all() {
        let state = account.state();
        for companion in state.companions.values() {
            let Some(link) =
                companion.link.as_ref().filter(|_| rule.concerns(&account.number, companion.profile.id))
            else {
                continue;
            };
            let fault = match rule.count {
                Some(_) => world.faults.on_connection(&account.number, companion.profile.id),
                None => rule.connection_fault(),
            };
            if let Some(fault) = fault {
                link.sender.suffer(fault);
                hits += 1;
            }
        }
    }
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).unwrap()
    }

    fn with(rules: &[&str]) -> Faults {
        let faults = Faults::default();
        faults.change(|all| all.extend(rules.iter().map(|json| rule(json))));
        faults
    }

    #[test]
    fn a_rule_wears_off() {
        let faults = with(&[r#"{"lostAck": true, "count": 2}"#]);
        assert!(faults.on_message("1", 1).lose_ack && faults.on_message("2", 9).lose_ack);
        assert!(!faults.on_message("1", 1).lose_ack && faults.list().is_empty());
    }

    #[test]
    fn a_rule_keeps_to_its_device() {
        let faults = with(&[r#"{"phone": "1", "device": 2, "refuse": 429}"#]);
        assert_eq!(faults.on_message("1", 2).refuse, Some(429));
        assert_eq!(faults.on_message("1", 3).refuse, None);
        assert_eq!(faults.on_message("2", 2).refuse, None);
        assert!(faults.on_login("1", 2).is_none(), "a message fault leaves logins alone");
    }

    #[test]
    fn requests_of_one_family_are_refused() {
        let faults = with(&[r#"{"iqError": {"code": 429, "backoff": 30, "xmlns": "w:g2"}, "count": 1}"#]);
        assert_eq!(faults.on_request("1", 1, "usync"), None);
        assert_eq!(faults.on_request("1", 1, "w:g2").unwrap().backoff_s, Some(30));
        assert_eq!(faults.on_request("1", 1, "w:g2"), None, "worn off");
        assert_eq!(rule(r#"{"iqError": 500}"#).iq_error.unwrap().code, 500);
    }

    #[test]
    fn a_phone_fetches_undisturbed_unless_it_is_meant() {
        let faults =
            with(&[r#"{"mediaStatus": 404}"#, r#"{"phone": "1", "device": 0, "mediaFlipped": true}"#]);
        assert_eq!(faults.on_download("1", 1), Some(MediaFault::Status(404)));
        assert_eq!(faults.on_download("2", 0), None);
        assert_eq!(faults.on_download("1", 0), Some(MediaFault::Flipped));
        assert_eq!(faults.on_upload("1", 1), None, "downloads and uploads fail on their own");
    }

    #[test]
    fn both_forms_of_a_login_failure_are_read() {
        assert_eq!(rule(r#"{"loginFailure": 401}"#).login_failure, Some(LoginFailure::reason(401)));
        let ban =
            rule(r#"{"login_failure": {"reason": 402, "code": 101, "expire": 60}}"#).login_failure.unwrap();
        assert_eq!((ban.reason, ban.code, ban.expire_s), (402, Some(101), Some(60)));
        assert!(
            serde_json::from_str::<Rule>(r#"{"lostack": true}"#).is_err(),
            "a typing error is not a fault"
        );
    }
}
