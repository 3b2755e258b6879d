//! What a handler sees of a request.

use super::body::Body;
use super::live::Stop;
use super::origin::Origin;
use super::{json, query};
use crate::error::{Code, Error, Result};
use crate::gateway::Caller;
use crate::words::Lang;
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::net::IpAddr;
use warp::http::header::{CONTENT_TYPE, COOKIE};
use warp::http::{HeaderMap, Method};

/// A request whose row is found and whose caller was let in. The body is read only when a handler asks for it.
pub struct Request {
    pub(super) head: Head,
    pub(super) pattern: String,
    pub(super) params: Vec<(&'static str, String)>,
    pub(super) caller: Option<Caller>,
    pub(super) lang: Lang,
    pub(super) body: Body,
    pub(super) body_max: usize,
    pub(super) stop: Stop,
}

/// A JSON body that was read and not yet understood.
pub struct JsonText(Bytes);

impl JsonText {
    /// Reads it as `T`, which may borrow from it. Empty, `null` and `[]` count as `{}`.
    pub fn parse<'de, T: Deserialize<'de>>(&'de self) -> Result<T> {
        json::parse(&self.0)
    }
}

/// Reads the list that the text field `field` of a form holds.
pub fn json_list<'de, T: Deserialize<'de>>(field: &'static str, text: &'de str) -> Result<Vec<T>> {
    json::list(field, text)
}

/// Everything known of a request before its row is.
pub(super) struct Head {
    pub id: String,
    pub method: Method,
    /// Raw path, still percent-encoded; never logged.
    pub path: String,
    /// Raw query; never logged, it may hold a token.
    pub query: String,
    pub headers: HeaderMap,
    pub ip: IpAddr,
    pub secure: bool,
    /// From which site a browser sent it.
    pub origin: Origin,
}

impl Request {
    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// Returns the path of the row with its parameters as `:name`, such as `/api/auth/tokens/:id`.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Returns a path parameter, percent-decoded; empty when the row has no such parameter.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| value)
    }

    /// Reads the query into `T`; refuses with the name of the parameter that does not fit.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T> {
        query::parse(&self.head.query)
    }

    /// Returns a header when it is there and readable text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    /// Returns the value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.head.cookie(name)
    }

    /// Returns who asks.
    ///
    /// # Panics
    ///
    /// In a handler of a public row without a caller; such handlers use [`Request::caller_opt`].
    pub fn caller(&self) -> &Caller {
        self.caller.as_ref().expect("rows that are not public are dispatched with a caller only")
    }

    /// Returns who asks, if a valid credential came with the request.
    pub fn caller_opt(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }

    /// Returns the language of the answer.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// Returns the address of the client; behind a trusted proxy the one that the proxy names.
    pub fn ip(&self) -> IpAddr {
        self.head.ip
    }

    /// Returns whether the client came through TLS, as far as a trusted proxy says so.
    pub fn is_secure(&self) -> bool {
        self.head.secure
    }

    /// Returns the id that stands in the log and in `X-Request-Id`.
    pub fn id(&self) -> &str {
        &self.head.id
    }

    /// Refuses a request that a page of another site made the browser send, cookies and all.
    pub fn require_same_origin(&self) -> Result<()> {
        match self.head.origin {
            Origin::Own => Ok(()),
            Origin::Allowed | Origin::Foreign => Err(Error::new(Code::OriginRefused)),
        }
    }

    /// Returns the signal that the program stops, for streams that would last otherwise.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Reads the body, at most `cap` bytes, whatever its type.
    pub async fn bytes(&mut self, cap: usize) -> Result<Bytes> {
        self.body.read(cap).await
    }

    /// Reads a JSON body up to the row's limit. Empty, `null` and `[]` count as `{}`.
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.require_json()?;
        let bytes = self.body.read(self.body_max).await?;
        json::parse(&bytes)
    }

    /// Reads a JSON body up to the row's limit and leaves it as it came, for bodies whose long texts are not to be copied.
    pub async fn json_text(&mut self) -> Result<JsonText> {
        self.require_json()?;
        Ok(JsonText(self.body.read(self.body_max).await?))
    }

    /// Lets the next large body in, when nothing of this one is in memory any more: before a wait that has little to do with it.
    pub fn give_place_back(&mut self) {
        self.body.give_place_back();
    }

    fn require_json(&self) -> Result<()> {
        let Some(value) = self.head.headers.get(CONTENT_TYPE) else { return Ok(()) };
        let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
            Ok(())
        } else {
            Err(Error::new(Code::UnsupportedMediaType).detail("expected application/json"))
        }
    }
}

impl Head {
    /// Returns a header when it is there and readable text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        cookies.flat_map(|line| line.split(';')).find_map(|cookie| {
            let (given, value) = cookie.trim().split_once('=')?;
            (given == name).then_some(value)
        })
    }

    /// Returns a parameter of the query.
    pub fn query_value(&self, name: &str) -> Result<Option<Cow<'_, str>>> {
        query::value(&self.query, name)
    }

    /// Returns whether the method changes nothing.
    pub fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

/// Decodes a path parameter; broken UTF-8 is the client's mistake, not another path.
pub(super) fn decode_param(name: &'static str, raw: &str) -> Result<(&'static str, String)> {
    match percent_decode_str(raw).decode_utf8() {
        Ok(value) => Ok((name, value.into_owned())),
        Err(_) => Err(Error::invalid(name, "expected UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_survives_the_path(value in ".*") {
            let raw = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).to_string();
            prop_assert_eq!(decode_param("jid", &raw).expect("UTF-8").1, value);
        }

        #[test]
        fn arbitrary_segments_never_panic(raw in "[ -~]*") {
            if let Err(error) = decode_param("jid", &raw) {
                prop_assert_eq!(error.code(), Code::FieldInvalid);
            }
        }
    }

    #[test]
    fn broken_utf8_in_the_path_is_refused() {
        assert_eq!(decode_param("jid", "%ff").expect_err("not UTF-8").code(), Code::FieldInvalid);
        assert_eq!(decode_param("jid", "628%40s.whatsapp.net").expect("valid").1, "628@s.whatsapp.net");
    }
}
