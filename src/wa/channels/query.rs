//! The named queries in JSON by which channels are managed, and what their answers mean.
//!
//! The library has a method for each, but turns every refusal into a sentence; clients are told what to do by its number.

use crate::error::Error;
use crate::wa::outcome::SendFailure;
use serde::Serialize;
use serde_json::Value;
use wacore::iq::mex::{MexDoc, MexQuerySpec, MexResponse};
use wacore::iq::spec::IqSpec;
use wacore::request::InfoQuery;
use wacore_binary::{NodeContentRef, NodeRef};

/// What the network says when there is no such thing.
const NOT_FOUND: i32 = 404;
/// What an error without a number stands for.
const UNNAMED: i32 = 500;

/// A query whose refusal is an answer like any other.
pub(super) struct Query(MexQuerySpec);

impl Query {
    /// Writes a query of this name and id.
    pub(super) fn new(
        name: &'static str,
        id: &'static str,
        variables: impl Serialize,
    ) -> Result<Self, SendFailure> {
        let spec = MexQuerySpec::new(MexDoc { name, id }, &variables);
        spec.map(Self)
            .map_err(|why| SendFailure::Broken(Error::internal("writing a question about a channel", why)))
    }
}

impl IqSpec for Query {
    type Response = MexResponse;

    fn build_iq(&self) -> InfoQuery<'static> {
        self.0.build_iq()
    }

    fn parse_response(&self, response: &NodeRef<'_>) -> Result<MexResponse, anyhow::Error> {
        let result = response.get_optional_child("result");
        Ok(match result.and_then(|result| result.content.as_ref()) {
            Some(NodeContentRef::Bytes(bytes)) => serde_json::from_slice(bytes)?,
            Some(NodeContentRef::String(text)) => serde_json::from_str(text)?,
            _ => MexResponse { data: None, errors: None },
        })
    }
}

/// Returns what stands under `root` in an answer, or why there is nothing.
pub(super) fn data(answer: MexResponse, root: &str) -> Result<Value, SendFailure> {
    if let Some(error) = answer.fatal_error() {
        return Err(SendFailure::Refused { code: error.error_code().unwrap_or(UNNAMED) });
    }
    let found = answer.data.and_then(|mut data| data.get_mut(root).map(Value::take));
    found.filter(|found| !found.is_null()).ok_or(SendFailure::Refused { code: NOT_FOUND })
}

/// The network answered with something that is no channel.
pub(super) fn unreadable() -> SendFailure {
    SendFailure::Broken(Error::broken("the network described a channel in a way that is not known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Result<Value, SendFailure> {
        data(serde_json::from_str(text).expect("JSON"), "x")
    }

    #[test]
    fn an_answer_is_data_or_a_number() {
        assert_eq!(answer(r#"{"data":{"x":{"id":"1"}}}"#).expect("data")["id"], "1");
        let refusals = [
            (r#"{"data":{"x":null}}"#, 404),
            (r#"{"data":null}"#, 404),
            (
                r#"{"data":null,"errors":[{"message":"no","extensions":{"error_code":403,"is_summary":true}}]}"#,
                403,
            ),
            (r#"{"data":{"x":{}},"errors":[{"message":"no"}]}"#, 500),
        ];
        for (text, expected) in refusals {
            match answer(text) {
                Err(SendFailure::Refused { code }) => assert_eq!(code, expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
