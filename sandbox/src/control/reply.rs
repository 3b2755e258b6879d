//! Requests read and answers written, the same way for every route.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt::Display;

/// The answer to a control request.
#[derive(Clone, Debug)]
pub struct ControlReply {
    /// HTTP status.
    pub status: u16,
    /// Media type of the body.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
    /// Methods that the path takes, when the request had another one.
    pub allow: Option<String>,
}

/// Status and body, or why not.
pub(super) type Outcome = Result<(u16, Value), Failure>;

/// A refused request.
pub(super) struct Failure {
    status: u16,
    code: &'static str,
    message: String,
}

impl Failure {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", message)
    }

    pub fn no_such_path() -> Self {
        Self::new(404, "not_found", "there is nothing at this path; `GET /sandbox` describes the network")
    }

    pub fn internal(error: impl Display) -> Self {
        tracing::error!("control request failed: {error:#}");
        Self::new(500, "internal", "the simulated network failed; see its log")
    }
}

impl ControlReply {
    pub(super) fn json(status: u16, value: &Value) -> Self {
        Self {
            status,
            content_type: "application/json".to_owned(),
            body: Bytes::from(value.to_string()),
            allow: None,
        }
    }

    pub(super) fn failure(failure: &Failure) -> Self {
        Self::json(failure.status, &json!({"error": {"code": failure.code, "message": failure.message}}))
    }

    pub(super) fn method_not_allowed(allow: &str) -> Self {
        let failure = Failure::new(405, "method_not_allowed", format!("this path takes {allow}"));
        Self { allow: Some(allow.to_owned()), ..Self::failure(&failure) }
    }

    /// The answer to a body that is too long.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::failure(&Failure::new(413, "too_large", format!("the body is longer than {limit} bytes")))
    }

    /// The answer to a body that broke off.
    pub(crate) fn broken_body() -> Self {
        Self::failure(&Failure::invalid("the body could not be read"))
    }

    /// The answer to a plain request for the WebSocket.
    pub(crate) fn upgrade_required() -> Self {
        Self::failure(&Failure::new(
            426,
            "upgrade_required",
            "clients of the network connect here by WebSocket",
        ))
    }

    /// The answer to a path outside the control API.
    pub(crate) fn not_found() -> Self {
        Self::failure(&Failure::no_such_path())
    }
}

/// Reads a JSON body.
pub(super) fn body<'b, T: Deserialize<'b>>(bytes: &'b Bytes) -> Result<T, Failure> {
    serde_json::from_slice(bytes)
        .map_err(|error| Failure::invalid(format!("the body is not what this path takes: {error}")))
}

/// Reads a parameter of the query.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| decoded(&value.replace('+', " ")))
    })
}

/// Undoes percent-encoding; what is not valid UTF-8 then matches nothing.
pub(super) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for (text, plain) in [
            ("628%40s.whatsapp.net", "628@s.whatsapp.net"),
            ("100%", "100%"),
            ("%zz", "%zz"),
            ("a%2Fb", "a/b"),
            ("é%41", "éA"),
        ] {
            assert_eq!(decoded(text), plain);
        }
        assert_eq!(parameter("chat=62%2B&since=5", "since").as_deref(), Some("5"));
        assert_eq!(parameter("all", "all").as_deref(), Some(""));
        assert_eq!(parameter("", "all"), None);
    }
}
