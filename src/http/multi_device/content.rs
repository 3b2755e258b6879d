//! What a message holds, as the history shows it: a text, or a file with a link under which it can be read for a while.

use crate::gateway::Gateway;
use crate::http::message_view::PartsView;
use crate::model::jid::Jid;
use crate::model::media::{Media, MediaKind, MediaState};
use crate::model::message::Message;
use schemars::JsonSchema;
use serde::Serialize;

/// What a message holds.
#[derive(Serialize, JsonSchema)]
pub(super) struct ContentView {
    /// Text or caption.
    text: Option<String>,
    /// Addresses of those whom it speaks of; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<String>,
    #[serde(flatten)]
    parts: PartsView,
    /// Of files only.
    #[serde(flatten)]
    file: Option<FileView>,
}

/// A file of a message. What is not known is absent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FileView {
    /// What it is shown as.
    media_type: MediaKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<String>,
    mimetype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
    /// Bytes.
    size: u64,
    /// Address of the file, for a while; absent while or because it is not here, see `mediaState`.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// `ready`, `pending` while it is fetched, `skipped` when it is not to be, `failed` when nobody has it any more.
    media_state: MediaState,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Length of a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
    /// Loudness of a voice note: 64 values from 0 to 100, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    waveform: Option<String>,
    /// A small JPEG, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
}

impl ContentView {
    /// Returns the view of what a message holds; `own` is the account's address.
    pub(super) fn new(gateway: &Gateway, message: &Message, own: Option<&str>) -> Self {
        Self {
            text: message.content.text().map(str::to_owned),
            mentions: message.mentions.iter().map(Jid::to_string).collect(),
            parts: PartsView::new(&message.content, own),
            file: message.content.media().map(|media| FileView::new(gateway, media)),
        }
    }
}

impl FileView {
    fn new(gateway: &Gateway, media: &Media) -> Self {
        let look = &media.look;
        Self {
            media_type: media.kind,
            caption: media.caption.clone(),
            mimetype: media.mime.to_string(),
            file_name: media.file_name.clone(),
            size: media.size,
            url: gateway.media_link(media),
            media_state: media.state,
            width: look.width,
            height: look.height,
            seconds: look.seconds,
            waveform: look.waveform.clone(),
            thumbnail: look.thumbnail.clone(),
        }
    }
}
