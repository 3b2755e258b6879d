//! Places on the map that messages show.

use crate::error::{Code, Error, Result};
use serde::{Deserialize, Serialize};

/// The longest name or address of a place, in Unicode code points.
pub const PLACE_TEXT_MAX_CHARS: usize = 1024;

/// A place on the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// Degrees north of the equator, -90 to 90.
    pub latitude: f64,
    /// Degrees east of Greenwich, -180 to 180.
    pub longitude: f64,
    /// What the place is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Street and town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// A page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// True when the sender shared where they are while they move; this is where they began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub live: bool,
}

impl Place {
    /// Refuses a place that is not on the globe, or whose texts are too long; blank texts are left out.
    pub fn checked(self) -> Result<Self> {
        let within = |degrees: f64, limit: f64| degrees.is_finite() && degrees.abs() <= limit;
        if !within(self.latitude, 90.0) {
            return Err(Error::invalid("latitude", "-90 to 90"));
        }
        if !within(self.longitude, 180.0) {
            return Err(Error::invalid("longitude", "-180 to 180"));
        }
        Ok(Self {
            name: short("name", self.name)?,
            address: short("address", self.address)?,
            url: short("url", self.url)?,
            ..self
        })
    }

    /// Returns WhatsApp's name of the kind.
    pub fn message_type(&self) -> &'static str {
        if self.live { "liveLocationMessage" } else { "locationMessage" }
    }
}

fn short(field: &'static str, text: Option<String>) -> Result<Option<String>> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > PLACE_TEXT_MAX_CHARS => {
            Err(Error::new(Code::FieldInvalid).with("field", field).detail("at most 1024 characters"))
        }
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(latitude: f64, longitude: f64) -> Place {
        Place {
            latitude,
            longitude,
            name: Some(" Monas ".into()),
            address: Some(" ".into()),
            url: None,
            live: false,
        }
    }

    #[test]
    fn a_place_is_on_the_globe() {
        for (latitude, longitude, fits) in [
            (-6.1754, 106.8272, true),
            (90.0, -180.0, true),
            (90.1, 0.0, false),
            (0.0, 180.1, false),
            (f64::NAN, 0.0, false),
            (0.0, f64::INFINITY, false),
        ] {
            assert_eq!(place(latitude, longitude).checked().is_ok(), fits, "{latitude} {longitude}");
        }
    }

    #[test]
    fn blank_texts_are_none_and_long_ones_refused() {
        let kept = place(0.0, 0.0).checked().expect("a place");
        assert_eq!((kept.name.as_deref(), kept.address), (Some("Monas"), None));
        let long = Place { name: Some("x".repeat(PLACE_TEXT_MAX_CHARS + 1)), ..place(0.0, 0.0) };
        assert!(long.checked().is_err());
    }
}
