//! What clients send: JSON or a form, with the same fields. Base64 is not copied on its way into a file.

use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, ReceivedFile};
use crate::http::multi_device::delay::Delay;
use crate::http::multipart::{Part, Upload};
use crate::http::request::{JsonText, Request, json_list};
use crate::model::job::Priority;
use crate::model::media::Mime;
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;

/// Bytes that the text fields of a form may hold together: one file of full size as base64, and the longest list of items.
const TEXT_MAX: usize = 24 << 20;

/// A body that was read, with its files in our hands.
pub(super) struct Input {
    text: Text,
    /// Files in the order they came.
    pub uploads: Vec<Uploaded>,
}

enum Text {
    Json(JsonText),
    Form(Vec<(String, String)>),
}

/// A file of a form.
pub(super) struct Uploaded {
    /// Name of the form's field.
    pub field: String,
    /// Name of the file, as the client wrote it.
    pub name: Option<String>,
    /// Type that the client says it has.
    pub mime: Option<Mime>,
    /// The file.
    pub file: Arc<ReceivedFile>,
}

/// Base64, bare or as a data URL.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct Base64<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// One file and to whom it goes.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemBody<'a> {
    /// Number (`0…`, `62…`, `+62…`) or address (`…@s.whatsapp.net`, `…@lid`).
    pub to: Option<String>,
    /// Accepted in place of `to`.
    pub phone: Option<String>,
    /// In groups: address of the group or its digits; absent means the group of the path.
    pub group_id: Option<String>,
    /// `image`, `video` or `document`; also `audio`, `voice` (a voice note) and `sticker`.
    pub media_type: Option<String>,
    /// At most 4096 characters.
    pub caption: Option<String>,
    /// The file as base64, bare or as a data URL.
    #[serde(borrow)]
    pub base64: Option<Base64<'a>>,
    /// Where the file can be fetched: `http` or `https`.
    pub url: Option<String>,
    /// In forms: position of the uploaded file, from 0.
    pub file_index: Option<usize>,
    /// In forms: name of the field with the uploaded file.
    pub file_field: Option<String>,
    /// Its type, when it is not what the source says.
    pub mimetype: Option<String>,
    /// Its name, when it is not what the source says.
    pub file_name: Option<String>,
    /// Whether it may be looked at once: `image`, `video`, `audio` and `voice` only.
    pub view_once: Option<bool>,
}

/// A request to send. The fields of [`ItemBody`] stand here once more: serde forgets the name of a wrong field when it
/// flattens, and copies what could be borrowed.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MediaBody<'a> {
    /// Number (`0…`, `62…`, `+62…`) or address (`…@s.whatsapp.net`, `…@lid`).
    pub to: Option<String>,
    /// Accepted in place of `to`.
    pub phone: Option<String>,
    /// `image`, `video` or `document`; also `audio`, `voice` (a voice note) and `sticker`. In groups: for items without it, too.
    pub media_type: Option<String>,
    /// At most 4096 characters. In groups: for items without one, too.
    pub caption: Option<String>,
    /// The file as base64, bare or as a data URL.
    #[serde(borrow)]
    pub base64: Option<Base64<'a>>,
    /// Where the file can be fetched: `http` or `https`.
    pub url: Option<String>,
    /// Its type, when it is not what the source says.
    pub mimetype: Option<String>,
    /// Its name, when it is not what the source says.
    pub file_name: Option<String>,
    /// Whether it may be looked at once: `image`, `video`, `audio` and `voice` only.
    pub view_once: Option<bool>,
    /// Several files; chosen when present. In forms JSON as text.
    #[serde(borrow)]
    pub items: Option<Vec<ItemBody<'a>>>,
    /// Seconds between files, 0 to 3600; absent means random 2 to 5.
    pub delay: Option<Delay>,
    /// Jobs: which of the device's jobs goes first: `high`, `normal` (default) or `low`.
    pub priority: Option<Priority>,
    /// Jobs: when to start, `YYYY-MM-DD HH:mm:ss` in `timezone` or ISO 8601 with an offset; absent means at once.
    pub schedule_time: Option<String>,
    /// Jobs: IANA name; absent means `Asia/Jakarta`.
    pub timezone: Option<String>,
}

impl MediaBody<'_> {
    /// Takes the one file that is asked for.
    pub fn single(&mut self) -> ItemBody<'_> {
        ItemBody {
            to: self.to.take(),
            phone: self.phone.take(),
            media_type: self.media_type.take(),
            caption: self.caption.take(),
            base64: self.base64.as_ref().map(|text| Base64(Cow::Borrowed(&text.0))),
            url: self.url.take(),
            mimetype: self.mimetype.take(),
            file_name: self.file_name.take(),
            view_once: self.view_once,
            ..ItemBody::default()
        }
    }
}

impl ItemBody<'_> {
    /// Returns the recipient as the client wrote it.
    pub fn recipient(&self) -> Result<&str> {
        let given = self.to.as_deref().or(self.phone.as_deref()).filter(|to| !to.trim().is_empty());
        given.ok_or_else(|| Error::new(Code::MediaRecipientRequired))
    }
}

impl Input {
    /// Reads a body; the files of a form go to disk while they arrive.
    pub async fn read(gateway: &Gateway, request: &mut Request) -> Result<Self> {
        let read = match request.is_form() {
            true => read_form(gateway, request).await,
            false => {
                request.json_text().await.map(|text| Self { text: Text::Json(text), uploads: Vec::new() })
            }
        };
        // The family knows no 413: what is too large is the client's mistake like any other (contract section 3).
        read.map_err(|error| match error.code() {
            Code::BodyTooLarge => Error::new(Code::MediaTooLarge),
            _ => error,
        })
    }

    /// Returns what is asked for.
    pub fn body(&self) -> Result<MediaBody<'_>> {
        match &self.text {
            Text::Json(text) => text.parse(),
            Text::Form(fields) => of_form(fields),
        }
    }
}

async fn read_form(gateway: &Gateway, request: &mut Request) -> Result<Input> {
    let (mut fields, mut uploads) = (Vec::new(), Vec::new());
    let mut parts = request.parts(TEXT_MAX)?;
    while let Some(part) = parts.next().await? {
        match part {
            Part::Text { field, text } => fields.push((field, text)),
            Part::File(upload) => uploads.push(receive(gateway, *upload).await?),
        }
    }
    Ok(Input { text: Text::Form(fields), uploads })
}

async fn receive(gateway: &Gateway, mut upload: Upload<'_>) -> Result<Uploaded> {
    let mut intake = gateway.receive_file().await?;
    while let Some(chunk) = upload.chunk().await? {
        intake.write(&chunk).await?;
    }
    let mime = upload.media_type.as_deref().and_then(Mime::parse);
    Ok(Uploaded { field: upload.field, name: upload.name, mime, file: Arc::new(intake.finish().await?) })
}

fn of_form(fields: &[(String, String)]) -> Result<MediaBody<'_>> {
    let field = |name: &str| {
        let found = fields.iter().find(|(given, value)| given == name && !value.trim().is_empty());
        found.map(|(_, value)| value.as_str())
    };
    let text = |name: &str| field(name).map(str::to_owned);
    let view_once = field("viewOnce").map(|text| serde_json::from_str(text.trim()));
    let refuse_once = |_| Error::invalid("viewOnce", "expected true or false");
    let refuse_priority = |_| Error::invalid("priority", "expected high, normal or low");
    let priority = field("priority").map(|text| serde_json::from_value(text.trim().into()));
    Ok(MediaBody {
        to: text("to"),
        phone: text("phone"),
        media_type: text("mediaType"),
        caption: text("caption"),
        base64: field("base64").map(|text| Base64(text.into())),
        url: text("url"),
        mimetype: text("mimetype"),
        file_name: text("fileName"),
        view_once: view_once.transpose().map_err(refuse_once)?,
        items: field("items").map(|text| json_list("items", text)).transpose()?,
        delay: field("delay").map(Delay::parse).transpose()?,
        priority: priority.transpose().map_err(refuse_priority)?,
        schedule_time: text("scheduleTime"),
        timezone: text("timezone"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_stays_where_it_is_and_escapes_are_understood() {
        let json = r#"{"base64":"AAAA","items":[{"base64":"a\/b=","fileIndex":1}]}"#;
        let body: MediaBody<'_> = serde_json::from_str(json).expect("a body");
        assert!(matches!(body.base64, Some(Base64(Cow::Borrowed("AAAA")))));
        let items = body.items.expect("items");
        assert_eq!(items[0].base64.as_ref().map(|text| &*text.0), Some("a/b="));
        assert_eq!(items[0].file_index, Some(1));
    }

    #[test]
    fn a_form_has_the_same_fields_and_empty_ones_are_absent() {
        let fields =
            [("to", "0812"), ("mediaType", "image"), ("delay", "1.5"), ("caption", " "), ("priority", "low")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let body = of_form(&fields).expect("a body");
        assert_eq!(
            (body.to.as_deref(), body.caption, body.priority),
            (Some("0812"), None, Some(Priority::Low))
        );
        assert_eq!(body.delay.map(|delay| delay.0), Some(1.5));
        for (name, value) in [("delay", "soon"), ("items", "x"), ("priority", "urgent"), ("viewOnce", "ya")] {
            assert!(of_form(&[(name.to_owned(), value.to_owned())]).is_err(), "{name}");
        }
    }
}
