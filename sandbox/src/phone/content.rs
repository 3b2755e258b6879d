//! What a message says, as its reader would tell it, without its wrapping.

use super::media::medium;
use super::place::Place;
use super::{card, poll, preview};
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
                let edited = protocol.edited_message.as_option();
                let text = edited.and_then(plain_text).map(str::to_owned);
                let caption = edited.and_then(|message| message.get_caption()).map(str::to_owned);
                Some(Self { kind: "edit", text, caption, target, ..Default::default() })
            }
            ProtocolType::EphemeralSetting => Some(Self { kind: "timer", ..Default::default() }),
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
        let of_kind = |kind| Some(Self { kind, target: quoted(message), ..Default::default() });
        if message.location_message.is_set() {
            return of_kind("location");
        }
        if message.contact_message.is_set() || message.contacts_array_message.is_set() {
            return of_kind("contact");
        }
        if poll::read(message).is_some() {
            return of_kind("poll");
        }
        if let Some(update) = message.poll_update_message.as_option() {
            return Some(Self { kind: "vote", target: poll::target(update), ..Default::default() });
        }
        if let Some(pin) = message.pin_in_chat_message.as_option() {
            let target = pin.key.as_option().and_then(|key| key.id.clone());
            return Some(Self { kind: "pin", target, ..Default::default() });
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
    let mut shown = surroundings(message);
    let base = message.get_base_message();
    if let Some(place) = base.location_message.as_option() {
        shown.insert("location".to_owned(), json!(Place::from(place)));
    }
    if let Some(poll) = poll::read(base) {
        shown.insert("poll".to_owned(), poll::view(poll));
    }
    let cards = card::read(base);
    if !cards.is_empty() {
        shown.insert("contacts".to_owned(), json!(cards));
    }
    if let Some(preview) = base.extended_text_message.as_option().and_then(preview::view) {
        shown.insert("preview".to_owned(), preview);
    }
    if let Some(pin) = base.pin_in_chat_message.as_option() {
        shown.insert("pinS".to_owned(), json!(super::pin::seconds(pin, base)));
    }
    shown.extend(media_details(message));
    shown
}

/// Returns what goes along with any kind of message.
fn surroundings(message: &wa::Message) -> Map<String, Value> {
    let mut shown = Map::new();
    let timer = message.get_base_message().protocol_message.as_option();
    let expiration = context(message).and_then(|context| context.expiration).filter(|seconds| *seconds > 0);
    if let Some(seconds) = expiration.or_else(|| timer.and_then(|timer| timer.ephemeral_expiration)) {
        shown.insert("expirationS".to_owned(), json!(seconds));
    }
    if let Some(quoted) = context(message).and_then(|context| context.quoted_message.as_option()) {
        shown.insert("quoted".to_owned(), in_short(quoted));
    }
    if message.is_forwarded() {
        shown.insert("forwarded".to_owned(), json!(true));
    }
    if message.is_view_once() {
        shown.insert("viewOnce".to_owned(), json!(true));
    }
    shown
}

/// Returns what a quote shows of a message: no more than its author's name would stand above.
fn in_short(quoted: &wa::Message) -> Value {
    let content = Content::of(quoted).unwrap_or_default();
    let mut shown = json!({"type": content.kind, "text": content.text, "caption": content.caption});
    let details = media_details(quoted);
    for name in ["hasThumbnail", "fileName", "seconds"] {
        if let Some(value) = details.get(name) {
            shown[name] = value.clone();
        }
    }
    shown
}

fn media_details(message: &wa::Message) -> Map<String, Value> {
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
