//! What a handler answers: a code, data and extras. An envelope turns it into bytes.

use crate::error::{Error, Result};
use crate::words::{Code, Lang};
use serde::Serialize;
use serde_json::{Map, Value};
use warp::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

/// A success, before it is worded.
pub struct Outcome {
    pub(super) status: u16,
    pub(super) content: Content,
    pub(super) headers: HeaderMap,
}

/// What a success holds.
pub(super) enum Content {
    Words(Said),
    Raw(Response),
    /// A view that does not serialize or a header that is none: our mistake, answered as 500.
    Broken(Error),
}

/// A success in words and data.
#[derive(Default)]
pub struct Said {
    pub(super) code: Option<Code>,
    pub(super) args: Vec<(&'static str, String)>,
    pub(super) data: Option<Value>,
    pub(super) top: Map<String, Value>,
}

impl Said {
    /// Returns the sentence, if there is one.
    pub fn text(&self, lang: Lang) -> Option<String> {
        self.code.map(|code| code.text(lang, &self.args))
    }
}

impl Outcome {
    /// Answers with the sentence of `code` and data, under the code's own status (200 for most).
    pub fn ok(code: Code, data: impl Serialize) -> Self {
        Self::worded(code.status(), Some(code), data)
    }

    /// Answers 201 with the sentence of `code` and data.
    pub fn created(code: Code, data: impl Serialize) -> Self {
        Self::worded(201, Some(code), data)
    }

    /// Answers 202 with the sentence of `code` and data: it will happen, it has not yet.
    pub fn accepted(code: Code, data: impl Serialize) -> Self {
        Self::worded(202, Some(code), data)
    }

    /// Answers 200 with data and without a sentence.
    pub fn data(data: impl Serialize) -> Self {
        Self::worded(200, None, data)
    }

    /// Answers with the sentence of `code` alone, without `data`.
    pub fn said(code: Code) -> Self {
        let said = Said { code: Some(code), ..Said::default() };
        Self { status: code.status(), content: Content::Words(said), headers: HeaderMap::new() }
    }

    /// Answers with a response that needs no envelope: an image, a stream, a page.
    pub fn raw(response: Response) -> Self {
        let status = response.status().as_u16();
        Self { status, content: Content::Raw(response), headers: HeaderMap::new() }
    }

    fn worded(status: u16, code: Option<Code>, data: impl Serialize) -> Self {
        let content = match serde_json::to_value(data) {
            Ok(data) => Content::Words(Said { code, data: Some(data), ..Said::default() }),
            Err(why) => Content::Broken(Error::internal("writing an answer", why)),
        };
        Self { status, content, headers: HeaderMap::new() }
    }

    /// Adds a key beside `data`, for answers that repeat values at the top level.
    pub fn with_top(mut self, key: &str, value: impl Serialize) -> Self {
        match (&mut self.content, serde_json::to_value(value)) {
            (Content::Words(said), Ok(value)) => {
                said.top.insert(key.to_owned(), value);
            }
            (_, Err(why)) => self.content = Content::Broken(Error::internal("writing an answer", why)),
            _ => {}
        }
        self
    }

    /// Fills the place `name` of the sentence.
    pub fn with_arg(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Content::Words(said) = &mut self.content {
            said.args.push((name, value.to_string()));
        }
        self
    }

    /// Sets the status.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a header; the same name may come more than once.
    pub fn with_header(mut self, name: &'static str, value: impl AsRef<str>) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.as_ref())) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.content = Content::Broken(Error::broken(format!("header `{name}` cannot be written"))),
        }
        self
    }

    /// Adds a `Set-Cookie` line.
    pub fn with_cookie(self, line: impl AsRef<str>) -> Self {
        self.with_header(SET_COOKIE.as_str(), line)
    }

    /// Returns the status that the client will see.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the code of the sentence and what stands in its places, for those who word it again later.
    pub(super) fn sentence(&self) -> (Option<Code>, Vec<(String, String)>) {
        match &self.content {
            Content::Words(said) => {
                let args = said.args.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                (said.code, args.collect())
            }
            Content::Raw(_) | Content::Broken(_) => (None, Vec::new()),
        }
    }

    /// Returns `data`, for those who keep answers for `Idempotency-Key`.
    pub fn data_value(&self) -> Option<&Value> {
        match &self.content {
            Content::Words(said) => said.data.as_ref(),
            Content::Raw(_) | Content::Broken(_) => None,
        }
    }
}

/// Makes a JSON response that no cache keeps.
pub fn json_response(status: u16, body: &impl Serialize) -> Result<Response> {
    let bytes = serde_json::to_vec(body).map_err(|why| Error::internal("writing an answer", why))?;
    let mut response = Response::new(bytes.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
