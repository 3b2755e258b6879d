//! From the bytes of a body to a typed value, with an error that names the place and never repeats the content.

use crate::error::{Code, Error, Result};
use serde::Deserialize;

/// Longest field path that an error shows, in characters; keys come from the client.
const PATH_MAX_CHARS: usize = 100;

/// Reads a JSON body. An empty body, `null` and `[]` count as `{}`, as the contract wants for clients of every language.
pub(super) fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T> {
    let text = std::str::from_utf8(bytes)
        .map_err(|why| bad_json(format!("invalid UTF-8 after {} bytes", why.valid_up_to())))?;
    let text = if counts_as_empty(text) { "{}" } else { text };
    // Without this a list would fill the fields of a body by their order.
    if text.trim_ascii_start().starts_with('[') {
        return Err(Error::invalid("body", "expected an object"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|failure| {
        let path = failure.path().to_string();
        explain(&path, failure.inner())
    })?;
    reader.end().map_err(|why| bad_json(position(&why)))?;
    Ok(value)
}

/// Reads a list that stands in the text field `field` of a form.
pub(super) fn list<'de, T: Deserialize<'de>>(field: &'static str, text: &'de str) -> Result<Vec<T>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let items = serde_path_to_error::deserialize(&mut reader).map_err(|failure| {
        let path = failure.path().to_string();
        match failure.inner() {
            why if why.is_data() => explain(&format!("{field}{}", path.trim_start_matches('.')), why),
            why => Error::invalid(field, position(why)),
        }
    })?;
    reader.end().map_err(|why| Error::invalid(field, position(&why)))?;
    Ok(items)
}

fn counts_as_empty(text: &str) -> bool {
    let text = text.trim_ascii();
    let empty_list = || text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    text.is_empty() || text == "null" || empty_list().is_some_and(|inside| inside.trim_ascii().is_empty())
}

fn explain(path: &str, why: &serde_json::Error) -> Error {
    if !why.is_data() {
        return bad_json(position(why));
    }
    let message = why.to_string();
    // serde_json names the place behind every message; the field says it better.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(front, _)| front);
    field_error(Code::FieldInvalid, path, message)
}

/// Turns a message of serde into an error that names the field at `path`.
///
/// Such messages repeat what the client sent; only the part that comes from our own types is kept.
pub(super) fn field_error(invalid: Code, path: &str, message: &str) -> Error {
    if let Some(missing) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        let field = if path == "." { missing.to_owned() } else { format!("{path}.{missing}") };
        return Error::new(Code::FieldRequired).with("field", clip(&field));
    }
    let field = if path == "." { "body" } else { path };
    let error = Error::new(invalid).with("field", clip(field));
    match message.rsplit_once("expected ") {
        Some((_, wanted)) => error.detail(format!("expected {wanted}")),
        None => error,
    }
}

fn clip(path: &str) -> String {
    path.chars().take(PATH_MAX_CHARS).filter(|letter| !letter.is_control()).collect()
}

fn bad_json(detail: String) -> Error {
    Error::new(Code::BadJson).detail(detail)
}

fn position(why: &serde_json::Error) -> String {
    format!("line {} column {}", why.line(), why.column())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::Value;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Item {
        to: String,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Form {
        delay: Option<u32>,
        #[serde(default)]
        messages: Vec<Item>,
    }

    fn refused(body: &str) -> Error {
        parse::<Form>(body.as_bytes()).expect_err(body)
    }

    #[test]
    fn what_clients_send_for_nothing_counts_as_an_empty_object() {
        for body in ["", " \n", "{}", "null", "[]", " [ ] "] {
            assert_eq!(parse::<Form>(body.as_bytes()).expect(body), Form { delay: None, messages: vec![] });
        }
    }

    #[test]
    fn broken_json_names_the_position_and_not_the_content() {
        for body in ["{", "{\"secret", "secret", "{} secret", "{\"delay\":1,}"] {
            let error = refused(body);
            assert_eq!(error.code(), Code::BadJson, "{body}");
            let detail = error.client_detail().expect("a position");
            assert!(detail.starts_with("line 1 column") && !error.to_string().contains("secret"), "{detail}");
        }
        let utf8 = parse::<Value>(b"{\"a\":\"\xff\"}").expect_err("not UTF-8");
        assert_eq!(utf8.client_detail(), Some("invalid UTF-8 after 6 bytes"));
    }

    #[test]
    fn a_list_in_a_text_field_names_the_field() {
        assert_eq!(list::<Item>("items", r#"[{"to":"1"}]"#).expect("a list"), [Item { to: "1".into() }]);
        for (text, expected) in [
            (r#"[{"to":5}]"#, "items[0].to is not valid"),
            (r#"{"to":"1"}"#, "items is not valid"),
            ("[{", "items is not valid"),
            ("[] x", "items is not valid"),
        ] {
            assert_eq!(list::<Item>("items", text).expect_err(text).text(Lang::En), expected);
        }
    }

    #[test]
    fn a_wrong_type_names_its_field_and_what_was_expected() {
        let error = refused(r#"{"delay":"a secret, expected by nobody"}"#);
        assert_eq!(error.text(Lang::En), "delay is not valid");
        assert_eq!(error.client_detail(), Some("expected u32"));
        let error = refused(r#"{"messages":[{"to":"1"},{"to":5}]}"#);
        assert_eq!(error.text(Lang::En), "messages[1].to is not valid");
        let error = refused(r#"{"messages":[{}]}"#);
        assert_eq!(
            (error.code(), error.text(Lang::En)),
            (Code::FieldRequired, "messages[0].to is required".into())
        );
        for body in ["5", "[1,[]]"] {
            assert_eq!(refused(body).text(Lang::En), "body is not valid");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        let deep = r#"{"a":"#.to_owned() + &"[".repeat(100_000);
        assert_eq!(parse::<Value>(deep.as_bytes()).expect_err("too deep").code(), Code::BadJson);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Err(error) = parse::<Form>(&bytes) {
                prop_assert!(error.code().status() == 400);
            }
        }

        #[test]
        fn what_serde_writes_is_read_back(to in ".*", delay in proptest::option::of(any::<u32>())) {
            let body = serde_json::json!({"delay": delay, "messages": [{"to": to}]}).to_string();
            let form = parse::<Form>(body.as_bytes()).expect("our own JSON");
            prop_assert_eq!(form, Form { delay, messages: vec![Item { to }] });
        }
    }
}
