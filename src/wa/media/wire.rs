//! Files as messages of the protocol name them. Pure, in both directions.

use crate::error::{Context as _, Result};
use crate::model::media::{FileHash, Look, Media, MediaKind, MediaState, Mime, Remote, safe_name};
use crate::store::media::Upload;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use waproto::whatsapp::{self as proto, message};

/// Longest caption that is kept, in characters: WhatsApp's own limit for texts.
const CAPTION_MAX_CHARS: usize = 65_536;
/// Largest small picture that is kept, in bytes; larger ones are not small.
const THUMBNAIL_MAX_BYTES: usize = 64 << 10;

/// Returns the message for an uploaded file.
pub(super) fn outgoing(media: &Media, hash: FileHash, upload: &Upload) -> Result<proto::Message> {
    let (look, caption) = (&media.look, media.caption.clone());
    let key = Some(decoded(&upload.key)?);
    let thumbnail = look.thumbnail.as_deref().map(decoded).transpose()?;
    let sidecar = upload.sidecar.as_deref().map(decoded).transpose()?;
    let (plain, encrypted) = (Some(hash.0.to_vec()), Some(upload.encrypted.0.to_vec()));
    let (url, direct_path) = (Some(upload.url.clone()), Some(upload.direct_path.clone()));
    let (file_length, media_key_timestamp) = (Some(media.size), Some(upload.key_at));
    let mimetype = Some(media.mime.to_string());
    // Every kind has the same fields about its file, each in a type of its own.
    macro_rules! about {
        ($kind:ident { $($field:ident: $value:expr),* $(,)? }) => {
            message::$kind {
                url, direct_path, file_length, media_key_timestamp,
                media_key: key, file_sha256: plain, file_enc_sha256: encrypted,
                $($field: $value,)*
                ..Default::default()
            }
        };
    }
    let mut message = proto::Message::default();
    match media.kind {
        MediaKind::Image => {
            let image = about!(ImageMessage {
                mimetype: mimetype,
                caption: caption,
                width: look.width,
                height: look.height,
                jpeg_thumbnail: thumbnail,
            });
            message.image_message = image.into();
        }
        MediaKind::Video => {
            let video = about!(VideoMessage {
                mimetype: mimetype,
                caption: caption,
                width: look.width,
                height: look.height,
                seconds: look.seconds,
                jpeg_thumbnail: thumbnail,
                streaming_sidecar: sidecar,
            });
            message.video_message = video.into();
        }
        MediaKind::Document => {
            let name = media.download_name();
            let document = about!(DocumentMessage {
                mimetype: mimetype,
                caption: caption,
                title: Some(name.clone()),
                file_name: Some(name),
                jpeg_thumbnail: thumbnail,
            });
            message.document_message = document.into();
            if media.caption.is_some() {
                // Phones show the caption of a document only in this wrapper.
                let inner = message::FutureProofMessage { message: message.into() };
                message =
                    proto::Message { document_with_caption_message: inner.into(), ..Default::default() };
            }
        }
        MediaKind::Audio => {
            let audio = about!(AudioMessage {
                mimetype: mimetype,
                seconds: look.seconds,
                ptt: Some(false),
                streaming_sidecar: sidecar,
            });
            message.audio_message = audio.into();
        }
        MediaKind::Voice => {
            let voice = about!(AudioMessage {
                mimetype: Some("audio/ogg; codecs=opus".into()),
                seconds: look.seconds,
                ptt: Some(true),
                waveform: look.waveform.as_deref().map(decoded).transpose()?,
                streaming_sidecar: sidecar,
            });
            message.audio_message = voice.into();
        }
        MediaKind::Sticker => {
            let sticker = about!(StickerMessage {
                mimetype: mimetype,
                width: look.width,
                height: look.height,
                is_animated: Some(look.animated),
            });
            message.sticker_message = sticker.into();
        }
    }
    Ok(message)
}

/// Returns a file as an answer shows it: what it is and how it looks, without what would open it.
pub(in crate::wa) fn quoted(media: &Media) -> Result<proto::Message> {
    let (look, caption) = (&media.look, media.caption.clone());
    let mimetype = Some(media.mime.to_string());
    let jpeg_thumbnail = look.thumbnail.as_deref().map(decoded).transpose()?;
    let (width, height, seconds) = (look.width, look.height, look.seconds);
    let mut message = proto::Message::default();
    match media.kind {
        MediaKind::Image => {
            let image = message::ImageMessage {
                mimetype,
                caption,
                width,
                height,
                jpeg_thumbnail,
                ..Default::default()
            };
            message.image_message = image.into();
        }
        MediaKind::Video => {
            let video = message::VideoMessage {
                mimetype,
                caption,
                width,
                height,
                seconds,
                jpeg_thumbnail,
                ..Default::default()
            };
            message.video_message = video.into();
        }
        MediaKind::Document => {
            let name = Some(media.download_name());
            let document = message::DocumentMessage {
                mimetype,
                caption,
                title: name.clone(),
                file_name: name,
                jpeg_thumbnail,
                ..Default::default()
            };
            message.document_message = document.into();
        }
        MediaKind::Audio | MediaKind::Voice => {
            let ptt = Some(media.kind == MediaKind::Voice);
            let audio = message::AudioMessage { mimetype, seconds, ptt, ..Default::default() };
            message.audio_message = audio.into();
        }
        MediaKind::Sticker => {
            let is_animated = Some(look.animated);
            let sticker =
                message::StickerMessage { mimetype, width, height, is_animated, ..Default::default() };
            message.sticker_message = sticker.into();
        }
    }
    Ok(message)
}

/// Returns the file that a message names; none when it names none, or not enough of it to fetch it.
pub(in crate::wa) fn incoming(message: &proto::Message, view_once: bool) -> Option<Media> {
    macro_rules! place {
        ($from:expr) => {
            Place {
                direct_path: $from.direct_path.as_deref(),
                key: $from.media_key.as_deref(),
                encrypted: $from.file_enc_sha256.as_deref(),
                plain: $from.file_sha256.as_deref(),
                size: $from.file_length,
                mimetype: $from.mimetype.as_deref(),
            }
        };
    }
    if let Some(image) = message.image_message.as_option() {
        let look = Look {
            width: image.width,
            height: image.height,
            thumbnail: small(image.jpeg_thumbnail.as_deref()),
            ..Look::default()
        };
        return media(MediaKind::Image, place!(image), look, view_once, image.caption.as_deref(), None);
    }
    if let Some(video) = message.video_message.as_option().or(message.ptv_message.as_option()) {
        let look = Look {
            width: video.width,
            height: video.height,
            seconds: video.seconds,
            thumbnail: small(video.jpeg_thumbnail.as_deref()),
            ..Look::default()
        };
        return media(MediaKind::Video, place!(video), look, view_once, video.caption.as_deref(), None);
    }
    if let Some(document) = message.document_message.as_option() {
        let look = Look { thumbnail: small(document.jpeg_thumbnail.as_deref()), ..Look::default() };
        let name = document.file_name.as_deref().or(document.title.as_deref());
        return media(
            MediaKind::Document,
            place!(document),
            look,
            view_once,
            document.caption.as_deref(),
            name,
        );
    }
    if let Some(audio) = message.audio_message.as_option() {
        let kind = if audio.ptt == Some(true) { MediaKind::Voice } else { MediaKind::Audio };
        let waveform = audio.waveform.as_deref().filter(|bars| bars.len() <= 256);
        let look = Look {
            seconds: audio.seconds,
            waveform: waveform.map(|bars| STANDARD.encode(bars)),
            ..Look::default()
        };
        return media(kind, place!(audio), look, view_once, None, None);
    }
    if let Some(sticker) = message.sticker_message.as_option() {
        let look = Look {
            width: sticker.width,
            height: sticker.height,
            animated: sticker.is_animated.unwrap_or_default(),
            ..Look::default()
        };
        return media(MediaKind::Sticker, place!(sticker), look, view_once, None, None);
    }
    None
}

/// What every kind says about its file.
struct Place<'m> {
    direct_path: Option<&'m str>,
    key: Option<&'m [u8]>,
    encrypted: Option<&'m [u8]>,
    plain: Option<&'m [u8]>,
    size: Option<u64>,
    mimetype: Option<&'m str>,
}

fn media(
    kind: MediaKind,
    place: Place<'_>,
    look: Look,
    view_once: bool,
    caption: Option<&str>,
    name: Option<&str>,
) -> Option<Media> {
    let remote = Remote {
        direct_path: place.direct_path.filter(|path| path.starts_with('/'))?.to_owned(),
        key: STANDARD.encode(place.key.filter(|key| key.len() == 32)?),
        encrypted: FileHash(place.encrypted?.try_into().ok()?),
        plain: FileHash(place.plain?.try_into().ok()?),
        view_once,
    };
    let mime = place.mimetype.and_then(Mime::parse);
    let unknown = || Mime::parse("application/octet-stream");
    let caption = caption.filter(|caption| !caption.is_empty());
    // The small picture of what is meant to be seen once would show it for ever.
    let look = if view_once { Look { thumbnail: None, ..look } } else { look };
    Some(Media {
        kind,
        mime: mime.or_else(unknown)?,
        file_name: name.and_then(safe_name),
        caption: caption.map(|caption| caption.chars().take(CAPTION_MAX_CHARS).collect()),
        size: place.size.unwrap_or_default(),
        file: None,
        look,
        remote: Some(remote),
        state: if view_once { MediaState::Skipped } else { MediaState::Pending },
    })
}

/// Returns a small picture that came in, as base64; none when it is not small.
pub(in crate::wa) fn small(jpeg: Option<&[u8]>) -> Option<String> {
    let jpeg = jpeg.filter(|jpeg| !jpeg.is_empty() && jpeg.len() <= THUMBNAIL_MAX_BYTES)?;
    Some(STANDARD.encode(jpeg))
}

fn decoded(text: &str) -> Result<Vec<u8>> {
    STANDARD.decode(text).context("reading a stored value as base64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore::proto_helpers::MessageExt as _;

    fn upload() -> Upload {
        Upload {
            url: "https://host/d".into(),
            direct_path: "/d".into(),
            key: STANDARD.encode([1; 32]),
            encrypted: FileHash([2; 32]),
            key_at: 1_700_000_000,
            sidecar: Some(STANDARD.encode([9; 10])),
            at: 0,
        }
    }

    fn sent(kind: MediaKind, mime: &str) -> Media {
        Media {
            kind,
            mime: Mime::parse(mime).expect("a type"),
            file_name: (kind == MediaKind::Document).then(|| "laporan.pdf".into()),
            caption: kind.has_caption().then(|| "lihat".into()),
            size: 77,
            file: Some(FileHash([3; 32])),
            look: Look {
                width: Some(4),
                height: Some(5),
                seconds: Some(6),
                waveform: Some(STANDARD.encode([7; 64])),
                thumbnail: Some(STANDARD.encode([8; 10])),
                animated: kind == MediaKind::Sticker,
            },
            remote: None,
            state: MediaState::Ready,
        }
    }

    #[test]
    fn what_goes_out_comes_in_again() {
        for (kind, mime) in [
            (MediaKind::Image, "image/jpeg"),
            (MediaKind::Video, "video/mp4"),
            (MediaKind::Document, "application/pdf"),
            (MediaKind::Audio, "audio/mpeg"),
            (MediaKind::Voice, "audio/ogg"),
            (MediaKind::Sticker, "image/webp"),
        ] {
            let out = sent(kind, mime);
            let message = outgoing(&out, FileHash([3; 32]), &upload()).expect("a message");
            let is_wrapped = message.document_with_caption_message.is_set();
            assert_eq!(is_wrapped, kind == MediaKind::Document);
            let back = incoming(message.get_base_message(), false).expect("a file");
            assert_eq!((back.kind, &back.mime, back.size), (kind, &out.mime, 77), "{kind:?}");
            assert_eq!((&back.caption, &back.file_name), (&out.caption, &out.file_name), "{kind:?}");
            assert_eq!((back.file, back.state), (None, MediaState::Pending));
            let remote = back.remote.expect("a place");
            assert_eq!((remote.plain, remote.encrypted), (FileHash([3; 32]), FileHash([2; 32])));
            assert_eq!((remote.direct_path.as_str(), remote.key), ("/d", upload().key));
            match kind {
                MediaKind::Voice => assert_eq!(back.look.waveform, out.look.waveform),
                MediaKind::Image | MediaKind::Video => {
                    assert_eq!((back.look.width, back.look.height), (Some(4), Some(5)));
                    assert_eq!(back.look.thumbnail, out.look.thumbnail);
                }
                MediaKind::Sticker => assert!(back.look.animated),
                MediaKind::Document | MediaKind::Audio => {}
            }
        }
    }

    #[test]
    fn a_quoted_file_shows_what_it_is_and_opens_nothing() {
        for (kind, mime) in [
            (MediaKind::Image, "image/jpeg"),
            (MediaKind::Video, "video/mp4"),
            (MediaKind::Document, "application/pdf"),
            (MediaKind::Voice, "audio/ogg"),
            (MediaKind::Sticker, "image/webp"),
        ] {
            let message = quoted(&sent(kind, mime)).expect("a message");
            assert_eq!(message.get_caption(), kind.has_caption().then_some("lihat"), "{kind:?}");
            assert_eq!(incoming(&message, false), None, "{kind:?}");
        }
        let image = quoted(&sent(MediaKind::Image, "image/jpeg")).expect("a message").image_message;
        assert_eq!(image.as_option().and_then(|image| image.jpeg_thumbnail.clone()), Some(vec![8; 10]));
    }

    #[test]
    fn a_message_that_does_not_say_where_its_file_is_names_none() {
        let image = message::ImageMessage { caption: Some("look".into()), ..Default::default() };
        let message = proto::Message { image_message: image.into(), ..Default::default() };
        assert_eq!(incoming(&message, false), None);
        assert_eq!(incoming(&proto::Message::default(), false), None);
    }
}
