//! What a message says, as its reader would tell it, without its wrapping.

use super::media::medium;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use wa::message::protocol_message::Type as ProtocolType;
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp as wa;

/// What a message says, without its wrapping.
#[derive(Default)]
pub struct Content {
    /// `text`, `reaction`, `edit`, `revoke`, `image` and so on.
    pub kind: &'static str,
    /// Text, or the emoji of a reaction.
    pub text: Option<String>,
    /// Caption of a medium.
    pub caption: Option<String>,
    /// Media type of a medium.
    pub mimetype: Option<String>,
    /// SHA-256 of the medium, hexadecimal.
    pub sha256: Option<String>,
    /// Id of the message that this one reacts to, edits, revokes or quotes.
    pub target: Option<String>,
}

impl Content {
    /// Reads a message; nothing for one that only carries keys or other bookkeeping.
    pub fn of(message: &wa::Message) -> Option<Self> {
        let message = message.get_base_message();
        if let Some(text) = plain_text(message) {
            let target = quoted(message);
            return Some(Self { kind: "text", text: Some(text.to_owned()), target, ..Default::default() });
        }
        if let Some(reaction) = message.reaction_message.as_option() {
            let target = reaction.key.as_option().and_then(|key| key.id.clone());
            return Some(Self {
                kind: "reaction",
                text: reaction.text.clone(),
                target,
                ..Default::default()
            });
        }
        if let Some(protocol) = message.protocol_message.as_option() {
            return Self::of_protocol(protocol);
        }
        Self::of_media(message).or_else(|| Self::of_other(message))
    }

    fn of_protocol(protocol: &wa::message::ProtocolMessage) -> Option<Self> {
        let target = protocol.key.as_option().and_then(|key| key.id.clone());
        match protocol.r#type? {
            ProtocolType::Revoke => Some(Self { kind: "revoke", target, ..Default::default() }),
            ProtocolType::MessageEdit => {
                let text = protocol.edited_message.as_option().and_then(plain_text).map(str::to_owned);
                Some(Self { kind: "edit", text, target, ..Default::default() })
            }
            _ => None,
        }
    }

    fn of_media(message: &wa::Message) -> Option<Self> {
        let media = |kind, caption: &Option<String>, mimetype: &Option<String>, sha256: &Option<Vec<u8>>| {
            Some(Self {
                kind,
                caption: caption.clone(),
                mimetype: mimetype.clone(),
                sha256: sha256.as_ref().map(hex::encode),
                target: quoted(message),
                ..Default::default()
            })
        };
        if let Some(image) = message.image_message.as_option() {
            return media("image", &image.caption, &image.mimetype, &image.file_sha256);
        }
        if let Some(video) = message.video_message.as_option().or(message.ptv_message.as_option()) {
            return media("video", &video.caption, &video.mimetype, &video.file_sha256);
        }
        if let Some(audio) = message.audio_message.as_option() {
            let kind = if audio.ptt == Some(true) { "voice" } else { "audio" };
            return media(kind, &None, &audio.mimetype, &audio.file_sha256);
        }
        if let Some(document) = message.document_message.as_option() {
            return media("document", &document.caption, &document.mimetype, &document.file_sha256);
        }
        let sticker = message.sticker_message.as_option()?;
        media("sticker", &None, &sticker.mimetype, &sticker.file_sha256)
    }

    fn of_other(message: &wa::Message) -> Option<Self> {
        if message.location_message.is_set() {
            return Some(Self { kind: "location", ..Default::default() });
        }
        if message.contact_message.is_set() || message.contacts_array_message.is_set() {
            return Some(Self { kind: "contact", ..Default::default() });
        }
        if message.sender_key_distribution_message.is_set() {
            return None;
        }
        Some(Self { kind: "other", ..Default::default() })
    }
}

/// Returns the text of a plain text message.
pub fn plain_text(message: &wa::Message) -> Option<&str> {
    message.conversation.as_deref().or_else(|| message.extended_text_message.as_option()?.text.as_deref())
}

/// Returns the numbers of those whom a message mentions.
pub fn mentioned(world: &World, message: &wa::Message) -> Vec<String> {
    let jids = context(message).map(|context| context.mentioned_jid.as_slice()).unwrap_or_default();
    jids.iter()
        .filter_map(|jid| world.directory.resolve(&world.store, &jid.parse().ok()?).ok()?)
        .map(|account| account.number.clone())
        .collect()
}

/// Returns the id of the message that a message quotes.
fn quoted(message: &wa::Message) -> Option<String> {
    context(message)?.stanza_id.clone()
}

/// Returns what a message says about its surroundings: quote, mentions, timer.
pub fn context(message: &wa::Message) -> Option<&wa::ContextInfo> {
    let base = message.get_base_message();
    macro_rules! first {
        ($($kind:ident),*) => {
            None$(.or_else(|| base.$kind.as_option().and_then(|one| one.context_info.as_option())))*
        };
    }
    first!(
        extended_text_message,
        image_message,
        video_message,
        ptv_message,
        audio_message,
        document_message,
        sticker_message,
        location_message,
        live_location_message,
        contact_message,
        contacts_array_message,
        poll_creation_message,
        poll_creation_message_v2,
        poll_creation_message_v3
    )
}

/// Returns what only some kinds of messages have, by the names of the control API.
pub fn details(message: &wa::Message) -> Map<String, Value> {
    let Some(medium) = medium(message) else { return Map::new() };
    let base = message.get_base_message();
    let thumbnail = |bytes: &Option<Vec<u8>>| bytes.as_ref().is_some_and(|bytes| !bytes.is_empty());
    let mut details = json!({"size": medium.file_length()});
    if let Some(image) = base.image_message.as_option() {
        details["width"] = json!(image.width);
        details["height"] = json!(image.height);
        details["hasThumbnail"] = json!(thumbnail(&image.jpeg_thumbnail));
    }
    if let Some(video) = base.video_message.as_option().or(base.ptv_message.as_option()) {
        details["width"] = json!(video.width);
        details["height"] = json!(video.height);
        details["hasThumbnail"] = json!(thumbnail(&video.jpeg_thumbnail));
        details["seconds"] = json!(video.seconds);
    }
    if let Some(sticker) = base.sticker_message.as_option() {
        details["width"] = json!(sticker.width);
        details["height"] = json!(sticker.height);
        details["hasThumbnail"] = json!(thumbnail(&sticker.png_thumbnail));
    }
    if let Some(audio) = base.audio_message.as_option() {
        details["seconds"] = json!(audio.seconds);
        details["waveform"] = json!(audio.waveform.as_ref().map(|bars| STANDARD.encode(bars)));
    }
    if let Some(document) = base.document_message.as_option() {
        details["fileName"] = json!(document.file_name);
        details["hasThumbnail"] = json!(thumbnail(&document.jpeg_thumbnail));
    }
    match details {
        Value::Object(details) => details,
        _ => Map::new(),
    }
}
