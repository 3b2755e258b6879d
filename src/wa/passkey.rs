//! The passkey step that WhatsApp asks some accounts for while they link a device.
//!
//! The passkey lies in the account owner's phone or password manager, so the request is passed on to the person and the
//! answer back, as far as the library carries it.

use super::seat::Seat;
use crate::error::{Code, Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::Arc;
use whatsapp_rust::Client;
use whatsapp_rust::passkey::Assertion;

/// Returns the request for a WebAuthn assertion as it is shown: `{"stage":"request","options":{…}}`.
pub(super) fn request(options_json: &str) -> String {
    let options: Value = serde_json::from_str(options_json).unwrap_or(Value::Null);
    json!({ "stage": "request", "options": options }).to_string()
}

/// Returns the request to compare a code with the phone: `{"stage":"confirm","code":"…"}`.
pub(super) fn confirmation(code: &str) -> String {
    json!({ "stage": "confirm", "code": code }).to_string()
}

/// Tells WhatsApp that the codes are equal.
pub(super) async fn confirm(client: &Arc<Client>) -> Result<()> {
    client.send_passkey_confirmation().await.map_err(|why| refused(&why))
}

/// Passes the answer on: a WebAuthn assertion as browsers give it, or `{"confirm":true}` for the code.
pub(super) async fn answer(seat: &Seat, answer: Value) -> Result<()> {
    let is_awaited = seat.live.borrow().passkey.is_some();
    let client = seat.any_client().filter(|_| is_awaited);
    let client = client.ok_or_else(|| Error::new(Code::PasskeyNotAwaited))?;
    if answer.get("confirm") == Some(&Value::Bool(true)) {
        return confirm(&client).await;
    }
    let assertion = assertion(&answer)?;
    client.send_passkey_response(assertion).await.map_err(|why| refused(&why))
}

fn assertion(answer: &Value) -> Result<Assertion> {
    let id = ["rawId", "id"].iter().find_map(|name| answer.get(name)?.as_str());
    let id = id.ok_or_else(|| Error::invalid("answer", "a WebAuthn assertion with `rawId` is expected"))?;
    let credential_id = URL_SAFE_NO_PAD
        .decode(id.trim_end_matches('='))
        .map_err(|_| Error::invalid("answer", "`rawId` has to be base64url"))?;
    if !answer.get("response").is_some_and(Value::is_object) {
        return Err(Error::invalid("answer", "a WebAuthn assertion with `response` is expected"));
    }
    Ok(Assertion { assertion_json: answer.to_string().into_bytes(), credential_id })
}

fn refused(why: &whatsapp_rust::passkey::PasskeyError) -> Error {
    Error::invalid("answer", why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_needs_an_id_and_a_response() {
        let good = json!({ "id": "aWQ", "rawId": "aWQ=", "type": "public-key", "response": {} });
        let read = assertion(&good).expect("an assertion");
        assert_eq!(read.credential_id, b"id");
        assert_eq!(serde_json::from_slice::<Value>(&read.assertion_json).expect("JSON"), good);
        for bad in [
            json!({}),
            json!({ "rawId": 5 }),
            json!({ "rawId": "!", "response": {} }),
            json!({ "rawId": "aWQ" }),
        ] {
            assert_eq!(assertion(&bad).expect_err("refused").code(), Code::FieldInvalid, "{bad}");
        }
    }

    #[test]
    fn requests_are_shown_as_json() {
        let shown: Value = serde_json::from_str(&request(r#"{"challenge":"x"}"#)).expect("JSON");
        assert_eq!(shown["options"]["challenge"], "x");
        let shown: Value = serde_json::from_str(&confirmation("ABCD")).expect("JSON");
        assert_eq!((&shown["stage"], &shown["code"]), (&json!("confirm"), &json!("ABCD")));
    }
}
