//! Media that a phone's owner sends: the request, and the message made of it.

use super::media::{self, Sealed};
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buffa::MessageField;
use serde::Deserialize;
use std::borrow::Cow;
use wa::message::{
    AudioMessage, DocumentMessage, FutureProofMessage, ImageMessage, StickerMessage, VideoMessage,
};
use wacore::download::MediaType;
use waproto::whatsapp as wa;

/// Bars of a voice message's waveform.
const WAVEFORM: usize = 64;

/// A medium to send. Bytes are base64.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment<'a> {
    /// What it is.
    pub r#type: Kind,
    /// The bytes.
    #[serde(borrow)]
    pub base64: Cow<'a, str>,
    /// Media type, such as `image/jpeg`.
    pub mimetype: String,
    /// Name of a document.
    pub file_name: Option<String>,
    /// Caption of an image, a video or a document.
    pub caption: Option<String>,
    /// Length of sound or video.
    pub seconds: Option<u32>,
    /// Waveform of a voice message, 64 bytes from 0 to 100.
    pub waveform: Option<String>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Preview, a small JPEG (PNG for stickers).
    pub thumbnail: Option<String>,
}

/// Kinds of media.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A piece of sound.
    Audio,
    /// A voice message.
    Voice,
    /// Any file.
    Document,
    /// A sticker.
    Sticker,
}

impl Kind {
    fn sealed_as(self) -> MediaType {
        match self {
            Self::Image => MediaType::Image,
            Self::Video => MediaType::Video,
            Self::Audio | Self::Voice => MediaType::Audio,
            Self::Document => MediaType::Document,
            Self::Sticker => MediaType::Sticker,
        }
    }
}

/// A medium that was read from a request.
pub struct Medium {
    kind: Kind,
    mimetype: String,
    file_name: Option<String>,
    caption: Option<String>,
    seconds: Option<u32>,
    waveform: Option<Vec<u8>>,
    width: Option<u32>,
    height: Option<u32>,
    thumbnail: Option<Vec<u8>>,
    plain: Vec<u8>,
}

/// A medium that lies sealed in the store, ready to become a message.
pub struct Attached {
    medium: Medium,
    sealed: Sealed,
}

impl Attachment<'_> {
    /// Reads the request. Says what is wrong with it.
    pub fn read(&self) -> Result<Medium> {
        ensure!(!self.mimetype.is_empty(), "`mimetype` is missing");
        let has_caption = matches!(self.r#type, Kind::Image | Kind::Video | Kind::Document);
        ensure!(self.caption.is_none() || has_caption, "only images, videos and documents have a `caption`");
        let waveform = bytes(self.waveform.as_deref(), "waveform")?;
        let fits = waveform.as_ref().is_none_or(|bars| bars.len() == WAVEFORM);
        ensure!(fits, "`waveform` has {WAVEFORM} bytes");
        Ok(Medium {
            kind: self.r#type,
            mimetype: self.mimetype.clone(),
            file_name: self.file_name.clone(),
            caption: self.caption.clone(),
            seconds: self.seconds,
            waveform,
            width: self.width,
            height: self.height,
            thumbnail: bytes(self.thumbnail.as_deref(), "thumbnail")?,
            plain: STANDARD.decode(self.base64.as_bytes()).context("`base64` is not base64")?,
        })
    }
}

fn bytes(text: Option<&str>, name: &str) -> Result<Option<Vec<u8>>> {
    text.map(|text| STANDARD.decode(text).with_context(|| format!("`{name}` is not base64"))).transpose()
}

impl Medium {
    /// Seals the bytes and lets go of them.
    pub async fn seal(mut self, world: &World) -> Result<Attached> {
        let (world, plain, kind) = (world.clone(), std::mem::take(&mut self.plain), self.kind.sealed_as());
        let sealed = tokio::task::spawn_blocking(move || media::seal(&world, &plain, kind)).await??;
        Ok(Attached { medium: self, sealed })
    }
}

/// Writes a message of some kind: what all media have in common, and then its own members.
macro_rules! message {
    ($kind:ident of $sealed:ident under $path:ident at $url:ident { $($own:ident: $value:expr,)* }) => {
        $kind {
            url: Some($url),
            direct_path: Some($path),
            media_key: Some($sealed.key),
            file_sha256: Some($sealed.sha256),
            file_enc_sha256: Some($sealed.sealed_sha256),
            file_length: Some($sealed.length),
            media_key_timestamp: Some($sealed.sealed_at),
            $($own: $value,)*
            ..Default::default()
        }
    };
}

impl Attached {
    /// Makes the message, with the medium under a path of its own.
    pub fn into_message(self, world: &World, account: &Account, batch: &mut Batch) -> wa::Message {
        let path = self.sealed.publish(world, account, batch);
        let url = world.media.url(&path);
        let Self { medium, sealed } = self;
        let mimetype = Some(medium.mimetype);
        let mut message = wa::Message::default();
        match medium.kind {
            Kind::Image => {
                message.image_message =
                    MessageField::some(message!(ImageMessage of sealed under path at url {
                        mimetype: mimetype,
                        caption: medium.caption,
                        width: medium.width,
                        height: medium.height,
                        jpeg_thumbnail: medium.thumbnail,
                    }));
            }
            Kind::Video => {
                message.video_message =
                    MessageField::some(message!(VideoMessage of sealed under path at url {
                        mimetype: mimetype,
                        caption: medium.caption,
                        seconds: medium.seconds,
                        width: medium.width,
                        height: medium.height,
                        jpeg_thumbnail: medium.thumbnail,
                        streaming_sidecar: sealed.sidecar,
                    }));
            }
            Kind::Audio | Kind::Voice => {
                message.audio_message =
                    MessageField::some(message!(AudioMessage of sealed under path at url {
                        mimetype: mimetype,
                        seconds: medium.seconds,
                        ptt: Some(medium.kind == Kind::Voice),
                        waveform: medium.waveform,
                        streaming_sidecar: sealed.sidecar,
                    }));
            }
            Kind::Document => {
                let wrapped = medium.caption.is_some();
                message.document_message =
                    MessageField::some(message!(DocumentMessage of sealed under path at url {
                        mimetype: mimetype,
                        title: medium.file_name.clone(),
                        file_name: medium.file_name,
                        caption: medium.caption,
                        jpeg_thumbnail: medium.thumbnail,
                    }));
                if wrapped {
                    return with_caption(message);
                }
            }
            Kind::Sticker => {
                message.sticker_message =
                    MessageField::some(message!(StickerMessage of sealed under path at url {
                        mimetype: mimetype,
                        width: medium.width,
                        height: medium.height,
                        png_thumbnail: medium.thumbnail,
                    }));
            }
        }
        message
    }
}

/// Phones put a document with a caption into a wrapper of its own.
fn with_caption(document: wa::Message) -> wa::Message {
    let wrapper = FutureProofMessage { message: MessageField::some(document) };
    wa::Message { document_with_caption_message: MessageField::some(wrapper), ..Default::default() }
}
