//! What a caller did: from a row and its answer to an entry of their personal log.

use super::reply::Outcome;
use super::request::Request;
use super::table::Hit;
use crate::clock::Millis;
use crate::model::activity::Activity;
use crate::model::id::UserId;
use serde_json::{Map, Value};
use warp::http::Method;

/// Keys of an answer that say what it was about. None of them holds a text or a secret.
const TELLING: [&str; 12] = [
    "messageId",
    "jobId",
    "groupId",
    "scheduledMessageId",
    "baseId",
    "to",
    "total",
    "successCount",
    "errorCount",
    "saved",
    "updated",
    "status",
];

/// What is about to be done; known before the request is used up.
pub(super) struct Deed {
    user: UserId,
    action: String,
    device_id: Option<String>,
    details: Map<String, Value>,
}

impl Deed {
    /// Returns what the caller is about to do; none when it changes nothing or is not worth a line.
    pub fn of(hit: &Hit<'_>, request: &Request) -> Option<Self> {
        let caller = request.caller_opt()?;
        if !hit.route.noted || request.method().is_safe() {
            return None;
        }
        let params = request.params.iter().filter(|(name, _)| *name != "deviceId");
        Some(Self {
            user: caller.user,
            action: action(hit.surface.family, request.method(), hit.route.pattern),
            device_id: Some(request.param("deviceId").to_owned()).filter(|id| !id.is_empty()),
            details: params.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect(),
        })
    }

    /// Returns the entry, once it has been done.
    pub fn done(mut self, outcome: &Outcome, at: Millis) -> Activity {
        let data = outcome.data_value();
        for key in TELLING {
            if let Some(value) = data.and_then(|data| data.get(key)).filter(|value| !value.is_null()) {
                self.details.insert(key.to_owned(), value.clone());
            }
        }
        let new_device = data.and_then(|data| data.get("deviceId")).and_then(Value::as_str);
        let (code, args) = outcome.sentence();
        Activity {
            id: 0,
            user: self.user,
            at,
            action: self.action,
            device_id: self.device_id.or_else(|| new_device.map(str::to_owned)),
            code: code.map(|code| code.name()),
            args,
            details: self.details,
        }
    }
}

/// Returns the name of what a row does, such as `devices.connect` or `contacts.delete`.
fn action(family: &str, method: &Method, pattern: &str) -> String {
    let mut words: Vec<&str> = match family {
        "multi-device" => vec![],
        family => vec![family],
    };
    let fixed = |segment: &&str| !segment.is_empty() && !segment.starts_with([':', '*']);
    words.extend(pattern.split('/').filter(fixed));
    let names_a_thing = pattern.split('/').next_back().is_some_and(|last| last.starts_with(':'));
    match method.as_str() {
        "DELETE" => words.push("delete"),
        "PUT" | "PATCH" => words.push("update"),
        // `POST /contacts` makes one, `POST /devices/:deviceId/connect` says what it does.
        _ if words.len() == 1 && family == "multi-device" => words.push("create"),
        _ if names_a_thing => words.push("update"),
        _ => {}
    }
    words.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_that_a_page_can_word() {
        for (family, method, pattern, name) in [
            ("multi-device", Method::POST, "/devices", "devices.create"),
            ("multi-device", Method::POST, "/devices/:deviceId/send-message", "devices.send-message"),
            ("multi-device", Method::DELETE, "/contacts/:contactId", "contacts.delete"),
            ("multi-device", Method::PUT, "/contacts/:contactId/tags", "contacts.tags.update"),
            ("multi-device", Method::POST, "/templates/:baseId/use", "templates.use"),
            ("accounts", Method::POST, "/logout", "accounts.logout"),
            ("accounts", Method::PUT, "/profile", "accounts.profile.update"),
        ] {
            assert_eq!(action(family, &method, pattern), name);
        }
    }
}
