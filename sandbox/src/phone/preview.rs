//! The preview of a link below a text: written by a phone's owner, and shown as the control API does.

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buffa::MessageField;
use serde::Deserialize;
use serde_json::{Value, json};
use wa::message::ExtendedTextMessage;
use waproto::whatsapp as wa;

/// What is shown of a link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preview {
    /// The link, as it stands in the text.
    url: String,
    /// Title of the page.
    title: Option<String>,
    /// What the page says about itself.
    description: Option<String>,
    /// A small JPEG, base64.
    thumbnail: Option<String>,
}

impl Preview {
    /// Makes the message of a text with this preview. Fails when the text lacks the link.
    pub fn message(&self, text: &str) -> Result<wa::Message> {
        ensure!(text.contains(&self.url), "`text` does not contain the `url` of its preview");
        let thumbnail = self.thumbnail.as_ref().map(|text| STANDARD.decode(text)).transpose();
        let message = ExtendedTextMessage {
            text: Some(text.to_owned()),
            matched_text: Some(self.url.clone()),
            title: self.title.clone(),
            description: self.description.clone(),
            jpeg_thumbnail: thumbnail.context("`thumbnail` is not base64")?,
            ..Default::default()
        };
        Ok(wa::Message { extended_text_message: MessageField::some(message), ..Default::default() })
    }
}

/// Shows the preview of a text, if it has one.
pub fn view(text: &ExtendedTextMessage) -> Option<Value> {
    let url = text.matched_text.as_ref()?;
    let thumbnail = text.jpeg_thumbnail.as_ref().is_some_and(|bytes| !bytes.is_empty());
    Some(json!({"url": url, "title": text.title, "description": text.description, "hasThumbnail": thumbnail}))
}
