//! Places: written by a phone's owner, and shown as the control API does.

use anyhow::{Result, ensure};
use buffa::MessageField;
use serde::{Deserialize, Serialize};
use wa::message::LocationMessage;
use waproto::whatsapp as wa;

/// A place on the map.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Degrees north.
    latitude: f64,
    /// Degrees east.
    longitude: f64,
    /// What the place is called.
    name: Option<String>,
    /// Its address.
    address: Option<String>,
    /// Its page.
    url: Option<String>,
}

impl Place {
    /// Makes the message. Fails off the globe.
    pub fn message(&self) -> Result<wa::Message> {
        ensure!(self.latitude.abs() <= 90.0, "`latitude` goes from -90 to 90");
        ensure!(self.longitude.abs() <= 180.0, "`longitude` goes from -180 to 180");
        let location = LocationMessage {
            degrees_latitude: Some(self.latitude),
            degrees_longitude: Some(self.longitude),
            name: self.name.clone(),
            address: self.address.clone(),
            url: self.url.clone(),
            ..Default::default()
        };
        Ok(wa::Message { location_message: MessageField::some(location), ..Default::default() })
    }
}

impl From<&LocationMessage> for Place {
    fn from(location: &LocationMessage) -> Self {
        Self {
            latitude: location.degrees_latitude.unwrap_or_default(),
            longitude: location.degrees_longitude.unwrap_or_default(),
            name: location.name.clone(),
            address: location.address.clone(),
            url: location.url.clone(),
        }
    }
}
