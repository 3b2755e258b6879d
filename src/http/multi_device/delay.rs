//! `delay` as clients write it: seconds as integer, decimal or numeric string.

use crate::error::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

/// Seconds; the range is checked where the pause is made.
#[derive(Debug, Clone, Copy, PartialEq, JsonSchema)]
#[schemars(transparent)]
pub struct Delay(pub f64);

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
        }
        let refuse = || de::Error::custom("expected seconds as a number");
        match Written::deserialize(deserializer).map_err(|_| refuse())? {
            Written::Number(seconds) => Ok(Self(seconds)),
            Written::Text(text) => text.trim().parse().map(Self).map_err(|_| refuse()),
        }
    }
}

impl Delay {
    /// Reads seconds as they stand in a form.
    pub fn parse(text: &str) -> Result<Self, Error> {
        text.trim().parse().map(Self).map_err(|_| Error::invalid("delay", "expected seconds as a number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_numeric_strings_are_seconds() {
        for (written, seconds) in [("3", 3.0), ("2.5", 2.5), ("\"4\"", 4.0), ("\" 0.5 \"", 0.5)] {
            assert_eq!(serde_json::from_str::<Delay>(written).expect("a delay").0, seconds);
        }
        for written in ["\"soon\"", "true", "[]", "{}"] {
            assert!(serde_json::from_str::<Delay>(written).is_err(), "{written}");
        }
    }
}
