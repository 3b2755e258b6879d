//! What a message says, as its reader would tell it, without its wrapping.

use wa::message::protocol_message::Type as ProtocolType;
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
        if let Some(text) = plain_text(message) {
            let context =
                message.extended_text_message.as_option().and_then(|text| text.context_info.as_option());
            let target = context.and_then(|context| context.stanza_id.clone());
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
        if let Some(edited) = message.edited_message.as_option().and_then(|edited| edited.message.as_option())
        {
            return Self::of(edited);
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
                ..Default::default()
            })
        };
        if let Some(image) = message.image_message.as_option() {
            return media("image", &image.caption, &image.mimetype, &image.file_sha256);
        }
        if let Some(video) = message.video_message.as_option() {
            return media("video", &video.caption, &video.mimetype, &video.file_sha256);
        }
        if let Some(audio) = message.audio_message.as_option() {
            return media("audio", &None, &audio.mimetype, &audio.file_sha256);
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
