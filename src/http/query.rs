//! The query of a URL: strict decoding, and typed reading with an error that names the parameter.

use super::json::field_error;
use crate::error::{Code, Error, Result};
use percent_encoding::percent_decode_str;
use serde::de::value::{Error as Failure, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;

/// Splits and decodes a query. `+` is a space; what is not UTF-8 is an error that names the parameter.
pub(super) fn pairs(query: &str) -> Result<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name).ok_or_else(|| bad("?"))?;
            let value = decode(value).ok_or_else(|| bad(&name))?;
            Ok((name, value))
        })
        .collect()
}

/// Reads a query into a type. A parameter without a value counts as absent.
pub(super) fn parse<T: DeserializeOwned>(query: &str) -> Result<T> {
    let pairs = pairs(query)?;
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    let map = MapDeserializer::<_, Failure>::new(given.map(|(name, value)| (name.as_ref(), Value(value))));
    serde_path_to_error::deserialize(map).map_err(|failure| {
        let path = failure.path().to_string();
        field_error(Code::BadQuery, &path, &failure.inner().to_string())
    })
}

/// Returns the first value of a parameter.
pub(super) fn value<'de>(query: &'de str, name: &str) -> Result<Option<Cow<'de, str>>> {
    Ok(pairs(query)?.into_iter().find(|(given, _)| given == name).map(|(_, value)| value))
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('+') {
        return percent_decode_str(text).decode_utf8().ok();
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|decoded| Cow::Owned(decoded.into_owned()))
}

fn bad(name: &str) -> Error {
    field_error(Code::BadQuery, name, "expected UTF-8")
}

/// One value of a query, which is text until somebody wants a number.
struct Value<'de>(&'de str);

impl<'de> IntoDeserializer<'de, Failure> for Value<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($deserialize:ident $visit:ident $wanted:literal)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Failure> {
            match self.0.trim().parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(expected($wanted)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Failure> {
        visitor.visit_str(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> std::result::Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> std::result::Result<V::Value, Failure> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> std::result::Result<V::Value, Failure> {
        match self.0 {
            "true" | "1" => visitor.visit_bool(true),
            "false" | "0" => visitor.visit_bool(false),
            _ => Err(expected("true or false")),
        }
    }

    numbers! {
        deserialize_i8 visit_i8 "a whole number"
        deserialize_i16 visit_i16 "a whole number"
        deserialize_i32 visit_i32 "a whole number"
        deserialize_i64 visit_i64 "a whole number"
        deserialize_u8 visit_u8 "a whole number from 0"
        deserialize_u16 visit_u16 "a whole number from 0"
        deserialize_u32 visit_u32 "a whole number from 0"
        deserialize_u64 visit_u64 "a whole number from 0"
        deserialize_f32 visit_f32 "a number"
        deserialize_f64 visit_f64 "a number"
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

fn expected(what: &str) -> Failure {
    serde::de::Error::custom(format_args!("expected {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Lang;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Source {
        Store,
        Auto,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Page {
        limit: Option<u32>,
        search: Option<String>,
        source: Option<Source>,
        #[serde(default)]
        all: bool,
    }

    #[test]
    fn a_query_is_read_into_its_types() {
        let page: Page =
            parse("limit=20&search=caf%C3%A9+au%2Blait&source=auto&all=1&token=x").expect("valid");
        let wanted = Page {
            limit: Some(20),
            search: Some("café au+lait".into()),
            source: Some(Source::Auto),
            all: true,
        };
        assert_eq!(page, wanted);
        let page: Page = parse("limit=&&source=").expect("empty values count as absent");
        assert_eq!(page, Page { limit: None, search: None, source: None, all: false });
    }

    #[test]
    fn a_bad_parameter_is_named_and_its_value_is_not_repeated() {
        for (query, field) in [
            ("limit=zz", "limit"),
            ("limit=-1", "limit"),
            ("limit=1.5", "limit"),
            ("source=zz", "source"),
            ("all=zz", "all"),
            ("search=%ff", "search"),
        ] {
            let error = parse::<Page>(query).expect_err(query);
            assert_eq!(error.code(), Code::BadQuery, "{query}");
            assert_eq!(error.text(Lang::En), format!("Parameter {field} is not valid"));
            assert!(!error.to_string().contains("zz"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_queries_never_panic(query in ".*") {
            let _ = parse::<Page>(&query);
            if let Ok(pairs) = pairs(&query) {
                prop_assert!(pairs.len() <= query.len() + 1);
            }
        }

        #[test]
        fn an_encoded_value_is_read_back(value in ".+") {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let page: Page = parse(&format!("search={encoded}")).expect("valid");
            prop_assert_eq!(page.search, Some(value));
        }
    }
}
