//! How families say yes and no: the outer shape of their JSON.

use super::reply::{Said, json_response};
use crate::clock::{self, Millis};
use crate::error::{Error, Result};
use crate::words::Lang;
use serde_json::{Map, Value, json};
use warp::http::header::{HeaderValue, RETRY_AFTER};
use warp::reply::Response;

/// How a request was asked, as far as the wording of its answer goes.
pub struct Asked<'a> {
    /// Language of the answer.
    pub lang: Lang,
    /// When it is answered.
    pub at: Millis,
    /// The id under which an internal failure stands in the log.
    pub request_id: &'a str,
}

/// The outer shape of a family's answers.
pub trait Envelope: Send + Sync {
    /// Returns the body of a success.
    fn yes(&self, said: Said, asked: &Asked<'_>) -> Value;
    /// Returns the body of a refusal or failure.
    fn no(&self, error: &Error, asked: &Asked<'_>) -> Value;
    /// Returns the JSON schema of a success around the schema of its `data`.
    fn yes_schema(&self, data: Option<Value>) -> Value;
    /// Returns the JSON schema of a refusal.
    fn no_schema(&self) -> Value;
}

/// `success`, `message`, `data`: the families `accounts`, `admin`, `bot`, and whatever belongs to none.
pub struct Plain;

impl Envelope for Plain {
    fn yes(&self, said: Said, asked: &Asked<'_>) -> Value {
        let message = said.text(asked.lang);
        let mut body = said.top;
        body.insert("success".into(), true.into());
        if let Some(message) = message {
            body.insert("message".into(), message.into());
        }
        if let Some(data) = said.data {
            body.insert("data".into(), data);
        }
        body.into()
    }

    fn no(&self, error: &Error, asked: &Asked<'_>) -> Value {
        let mut body = Map::new();
        body.insert("success".into(), false.into());
        body.insert("message".into(), error.text(asked.lang).into());
        if let Some(detail) = detail(error) {
            body.insert("error".into(), detail.into());
        }
        if error.is_internal() {
            body.insert("requestId".into(), asked.request_id.into());
        }
        body.into()
    }

    fn yes_schema(&self, data: Option<Value>) -> Value {
        let mut properties = json!({"success": {"const": true}, "message": {"type": "string"}});
        let mut required = vec!["success"];
        if let Some(data) = data {
            properties["data"] = data;
            required.push("data");
        }
        json!({"type": "object", "properties": properties, "required": required})
    }

    fn no_schema(&self) -> Value {
        json!({
            "type": "object",
            "properties": {
                "success": {"const": false},
                "message": {"type": "string"},
                "error": {"type": "string", "description": "What exactly, when there is more to say"},
                "requestId": {"type": "string", "description": "Under which id the log holds the cause of a failure"},
            },
            "required": ["success", "message"],
        })
    }
}

/// As [`Plain`] and `timestamp` in local time: the family `multi-device`.
pub struct Stamped;

impl Envelope for Stamped {
    fn yes(&self, said: Said, asked: &Asked<'_>) -> Value {
        stamp(Plain.yes(said, asked), asked)
    }

    fn no(&self, error: &Error, asked: &Asked<'_>) -> Value {
        stamp(Plain.no(error, asked), asked)
    }

    fn yes_schema(&self, data: Option<Value>) -> Value {
        stamp_schema(Plain.yes_schema(data))
    }

    fn no_schema(&self) -> Value {
        stamp_schema(Plain.no_schema())
    }
}

fn stamp(mut body: Value, asked: &Asked<'_>) -> Value {
    body["timestamp"] = clock::local(asked.at).into();
    body
}

fn stamp_schema(mut schema: Value) -> Value {
    schema["properties"]["timestamp"] =
        json!({"type": "string", "description": "YYYY-MM-DD HH:mm:ss in Asia/Jakarta"});
    schema
}

/// Returns what a client may read beyond the sentence; of an internal failure nothing.
fn detail(error: &Error) -> Option<&str> {
    if error.is_internal() { None } else { error.client_detail() }
}

/// Words an error in an envelope.
pub(super) fn refuse(envelope: &dyn Envelope, error: &Error, asked: &Asked<'_>) -> Result<Response> {
    let mut response = json_response(error.code().status(), &envelope.no(error, asked))?;
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn asked(lang: Lang) -> Asked<'static> {
        Asked { lang, at: 1_704_110_400_000, request_id: "abc" }
    }

    #[test]
    fn a_success_of_multi_device_is_stamped_in_local_time() {
        let said = Said { code: Some(Code::DeviceCreated), data: Some(json!({"a": 1})), ..Said::default() };
        let body = Stamped.yes(said, &asked(Lang::Id));
        let wanted = json!({"success": true, "message": "Device berhasil dibuat", "data": {"a": 1},
            "timestamp": "2024-01-01 19:00:00"});
        assert_eq!(body, wanted);
    }

    #[test]
    fn data_without_a_sentence_has_no_message_and_keys_can_stand_beside_it() {
        let mut said = Said { data: Some(json!({})), ..Said::default() };
        said.top.insert("token".into(), "t".into());
        let body = Plain.yes(said, &asked(Lang::Id));
        assert_eq!(body, json!({"success": true, "data": {}, "token": "t"}));
    }

    #[test]
    fn the_client_of_a_failure_sees_the_request_id_and_not_the_cause() {
        let error = Error::internal("writing job 42", "disk full").detail("/var/lib");
        let body = Plain.no(&error, &asked(Lang::En));
        let wanted =
            json!({"success": false, "message": "Something went wrong on the server", "requestId": "abc"});
        assert_eq!(body, wanted);
    }

    #[test]
    fn a_refusal_carries_its_detail() {
        let body = Plain.no(&Error::invalid("delay", "expected a number"), &asked(Lang::Id));
        let wanted = json!({"success": false, "message": "delay tidak valid", "error": "expected a number"});
        assert_eq!(body, wanted);
    }
}
