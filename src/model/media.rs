//! Media of messages: kinds, types, names, and what the history keeps of a file. Nothing here touches a file.

use crate::error::{Code, Error, Result};
use crate::model::message::TEXT_MAX_CHARS;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Largest file that clients may send, in bytes (contract section 3).
pub const MEDIA_MAX_BYTES: u64 = 16 << 20;
/// Longest file name, in characters; some file systems take no more than 255 bytes.
const NAME_MAX_CHARS: usize = 120;

/// What a file is shown as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A film.
    Video,
    /// A file of any listed type.
    Document,
    /// Music or another recording.
    Audio,
    /// A voice note: Opus in Ogg, with length and waveform.
    Voice,
    /// A sticker: WebP.
    Sticker,
}

impl MediaKind {
    /// Reads the kind as clients write it.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text.trim() {
            "image" => Self::Image,
            "video" => Self::Video,
            "document" => Self::Document,
            "audio" => Self::Audio,
            "voice" => Self::Voice,
            "sticker" => Self::Sticker,
            _ => {
                let wanted = "expected image, video, document, audio, voice or sticker";
                return Err(Error::new(Code::MediaTypeInvalid).detail(wanted));
            }
        })
    }

    /// Returns WhatsApp's name of the message kind.
    pub fn message_type(self) -> &'static str {
        match self {
            MediaKind::Image => "imageMessage",
            MediaKind::Video => "videoMessage",
            MediaKind::Document => "documentMessage",
            MediaKind::Audio | MediaKind::Voice => "audioMessage",
            MediaKind::Sticker => "stickerMessage",
        }
    }

    /// Returns the class that WhatsApp encrypts and stores the file under; files of one class share uploads.
    pub fn class(self) -> &'static str {
        match self {
            MediaKind::Image => "image",
            MediaKind::Video => "video",
            MediaKind::Document => "document",
            MediaKind::Audio | MediaKind::Voice => "audio",
            MediaKind::Sticker => "sticker",
        }
    }

    /// Returns whether WhatsApp shows a caption under it.
    pub fn has_caption(self) -> bool {
        matches!(self, MediaKind::Image | MediaKind::Video | MediaKind::Document)
    }

    /// Returns whether phones can let it be looked at, or heard, once.
    pub fn opens_once(self) -> bool {
        matches!(self, MediaKind::Image | MediaKind::Video | MediaKind::Audio | MediaKind::Voice)
    }

    /// Returns whether a file of this type may be sent as this kind; `listed` are the accepted types beyond the usual.
    pub fn takes(self, mime: &Mime, listed: &[Mime]) -> bool {
        let among = |types: &[&str]| types.contains(&mime.as_str()) || listed.contains(mime);
        match self {
            MediaKind::Image => mime.is("image") && among(&LISTED),
            MediaKind::Video => mime.is("video") && among(&LISTED),
            MediaKind::Document => among(&LISTED),
            MediaKind::Audio => mime.is("audio") && among(&AUDIO),
            MediaKind::Voice => mime.as_str() == "audio/ogg",
            MediaKind::Sticker => mime.as_str() == "image/webp",
        }
    }
}

/// The documented types (contract section 3).
const LISTED: [&str; 7] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "video/mp4",
    "video/avi",
    "application/pdf",
    "application/msword",
];

/// Types of audio that WhatsApp plays.
const AUDIO: [&str; 5] = ["audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr"];

/// Other names of types, and the name that Kurir uses.
const ALIASES: &[(&str, &str)] = &[
    ("image/jpg", "image/jpeg"),
    ("image/pjpeg", "image/jpeg"),
    ("image/x-png", "image/png"),
    ("video/x-msvideo", "video/avi"),
    ("video/msvideo", "video/avi"),
    ("video/x-m4v", "video/mp4"),
    ("audio/opus", "audio/ogg"),
    ("audio/mp3", "audio/mpeg"),
    ("audio/m4a", "audio/mp4"),
    ("audio/x-m4a", "audio/mp4"),
    ("application/x-pdf", "application/pdf"),
];

/// Types that say nothing about the content.
const VAGUE: [&str; 4] =
    ["application/octet-stream", "binary/octet-stream", "application/force-download", "application/unknown"];

/// File name extensions of the types that Kurir names itself.
const EXTENSIONS: &[(&str, &str)] = &[
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("video/mp4", "mp4"),
    ("video/avi", "avi"),
    ("video/3gpp", "3gp"),
    ("audio/ogg", "ogg"),
    ("audio/mpeg", "mp3"),
    ("audio/mp4", "m4a"),
    ("audio/aac", "aac"),
    ("audio/amr", "amr"),
    ("application/pdf", "pdf"),
    ("application/msword", "doc"),
];

/// A media type without parameters, in lower case and under the one name that Kurir uses for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mime(String);

impl Mime {
    /// Reads a type such as `image/jpeg` or `audio/ogg; codecs=opus`; none when it is not of that form.
    pub fn parse(text: &str) -> Option<Self> {
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let (top, sub) = essence.split_once('/')?;
        let is_token = |part: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
            !part.is_empty() && part.len() <= 100 && part.bytes().all(plain)
        };
        if !is_token(top) || !is_token(sub) {
            return None;
        }
        let known = ALIASES.iter().find(|(other, _)| *other == essence);
        Some(Self(known.map_or(essence, |(_, name)| (*name).to_owned())))
    }

    /// Returns the type.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the type says nothing about the content, such as `application/octet-stream`.
    pub fn is_vague(&self) -> bool {
        VAGUE.contains(&self.0.as_str())
    }

    /// Returns the file name extension, without the dot.
    pub fn extension(&self) -> &'static str {
        EXTENSIONS.iter().find(|(name, _)| *name == self.0).map_or("bin", |(_, extension)| extension)
    }

    /// Returns whether a browser may show it in place: pictures, sound and films that cannot hold scripts.
    pub fn is_safe_inline(&self) -> bool {
        let is_picture = ["image/jpeg", "image/png", "image/gif", "image/webp"].contains(&self.0.as_str());
        is_picture || self.is("audio") || self.is("video")
    }

    fn is(&self, top: &str) -> bool {
        self.0.split('/').next() == Some(top)
    }
}

impl fmt::Display for Mime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SHA-256 of a file: its name in the media directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileHash(pub [u8; 32]);

impl fmt::Display for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for FileHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileHash({self})")
    }
}

impl FromStr for FileHash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash)
            .map_err(|why| Error::internal("reading the SHA-256 of a file", why))?;
        Ok(Self(hash))
    }
}

impl Serialize for FileHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A caption that may be sent: at most [`TEXT_MAX_CHARS`] code points; a blank one is none.
pub fn caption(kind: MediaKind, text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.filter(|text| !text.trim().is_empty() && kind.has_caption()) else {
        return Ok(None);
    };
    if text.chars().count() > TEXT_MAX_CHARS {
        return Err(Error::new(Code::CaptionTooLong));
    }
    Ok(Some(text.to_owned()))
}

/// Makes a file name safe to show and to store under: no folders, no control characters, not too long.
///
/// Returns none when nothing is left of it.
pub fn safe_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_kept = |letter: &char| {
        // Marks that turn the direction of writing can make `gpj.exe` look like `exe.jpg`.
        let is_turning =
            matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        !letter.is_control() && !is_turning && !"<>:\"|?*".contains(*letter)
    };
    let clean: String = last.chars().filter(is_kept).collect();
    let clean = clean.trim().trim_start_matches('.').trim_end_matches(['.', ' ']);
    let (stem, extension) = match clean.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.chars().count() <= 10 => {
            (stem, Some(extension))
        }
        _ => (clean, None),
    };
    let room = NAME_MAX_CHARS - extension.map_or(0, |extension| extension.chars().count() + 1);
    let mut short: String = stem.chars().take(room).collect();
    if let Some(extension) = extension {
        short.push('.');
        short.push_str(extension);
    }
    (!short.is_empty()).then_some(short)
}

/// What the history keeps of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Media {
    /// What it is shown as.
    pub kind: MediaKind,
    /// Its type.
    pub mime: Mime,
    /// Its name, made safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The text under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Its size in bytes; what the sender said until it was downloaded.
    pub size: u64,
    /// Its content, once it is in the media directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileHash>,
    /// What is seen and heard of it.
    #[serde(flatten)]
    pub look: Look,
    /// Where WhatsApp keeps it, when it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
    /// How far the download of an incoming file came.
    #[serde(default)]
    pub state: MediaState,
}

/// What is seen and heard of a file, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Look {
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Length of a recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// Loudness of a voice note over its length: 64 values from 0 to 100, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waveform: Option<String>,
    /// A small JPEG, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// Whether a sticker moves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub animated: bool,
}

/// How far the download of an incoming file came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MediaState {
    /// It is here, or was until it was too old to be kept.
    #[default]
    Ready,
    /// It is being downloaded, or will be.
    Pending,
    /// It was not downloaded: too large, meant to be seen once, or downloading is switched off.
    Skipped,
    /// WhatsApp and the sender's phone no longer have it, or every attempt failed.
    Failed,
}

/// Where WhatsApp keeps an incoming file, and what opens it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remote {
    /// Path on WhatsApp's media hosts.
    pub direct_path: String,
    /// Key of the encrypted file, 32 bytes as base64.
    pub key: String,
    /// SHA-256 of the encrypted file.
    pub encrypted: FileHash,
    /// SHA-256 of the file.
    pub plain: FileHash,
    /// Meant to be seen once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub view_once: bool,
}

impl fmt::Debug for Remote {
    /// Shows no key: whoever has it can read the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("plain", &self.plain).finish_non_exhaustive()
    }
}

/// A file that clients asked to send from an address, before it was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaFromUrl {
    /// An `http` or `https` address.
    pub url: String,
    /// What it is to be shown as.
    pub kind: MediaKind,
    /// The text under it.
    #[serde(default)]
    pub caption: Option<String>,
    /// The type that the client says it has.
    #[serde(default)]
    pub mime: Option<Mime>,
    /// Its name, made safe.
    #[serde(default)]
    pub file_name: Option<String>,
}

impl MediaFromUrl {
    /// Returns what the history shows before the file is there.
    pub fn announced(&self) -> Media {
        let unknown = || Mime("application/octet-stream".into());
        Media {
            kind: self.kind,
            mime: self.mime.clone().unwrap_or_else(unknown),
            file_name: self.file_name.clone(),
            caption: self.caption.clone(),
            size: 0,
            file: None,
            look: Look::default(),
            remote: None,
            state: MediaState::Pending,
        }
    }
}

impl Media {
    /// Leaves no more of it than what it was.
    pub fn forget(&mut self) {
        (self.file, self.remote, self.state) = (None, None, MediaState::Skipped);
        (self.look.thumbnail, self.look.waveform) = (None, None);
    }

    /// Returns the name under which a client may save the file.
    pub fn download_name(&self) -> String {
        self.file_name.clone().unwrap_or_else(|| {
            format!("{}.{}", self.kind.message_type().trim_end_matches("Message"), self.mime.extension())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mime(text: &str) -> Mime {
        Mime::parse(text).expect(text)
    }

    #[test]
    fn types_have_one_name() {
        for (given, expected) in [
            ("image/jpg", "image/jpeg"),
            ("IMAGE/JPEG", "image/jpeg"),
            ("video/x-msvideo", "video/avi"),
            ("audio/ogg; codecs=opus", "audio/ogg"),
            ("application/pdf", "application/pdf"),
        ] {
            assert_eq!(mime(given).as_str(), expected);
        }
        for bad in ["", "image", "image/", "/png", "a b/c", "image/pn g", "text/html\r\nX: y"] {
            assert!(Mime::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_kind_takes_its_types_and_a_document_every_listed_one() {
        let extra = [mime("application/zip"), mime("image/tiff")];
        for (kind, given, expected) in [
            (MediaKind::Image, "image/png", true),
            (MediaKind::Image, "video/mp4", false),
            (MediaKind::Image, "application/pdf", false),
            (MediaKind::Image, "image/tiff", true),
            (MediaKind::Image, "image/svg+xml", false),
            (MediaKind::Video, "video/x-msvideo", true),
            (MediaKind::Video, "image/gif", false),
            (MediaKind::Document, "image/gif", true),
            (MediaKind::Document, "application/msword", true),
            (MediaKind::Document, "application/zip", true),
            (MediaKind::Document, "application/x-executable", false),
            (MediaKind::Voice, "audio/ogg; codecs=opus", true),
            (MediaKind::Voice, "audio/mpeg", false),
            (MediaKind::Audio, "audio/mp3", true),
            (MediaKind::Sticker, "image/webp", true),
            (MediaKind::Sticker, "image/png", false),
        ] {
            assert_eq!(kind.takes(&mime(given), &extra), expected, "{kind:?} {given}");
        }
        assert!(MediaKind::parse("photo").is_err() && MediaKind::parse("image").is_ok());
    }

    #[test]
    fn names_lose_what_could_harm() {
        for (given, expected) in [
            ("laporan.pdf", Some("laporan.pdf")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\temp\\a.doc", Some("a.doc")),
            (".htaccess", Some("htaccess")),
            ("a\r\nb.pdf", Some("ab.pdf")),
            ("gpj\u{202e}exe.jpg", Some("gpjexe.jpg")),
            ("faktur 2026 – é.pdf", Some("faktur 2026 – é.pdf")),
            ("...", None),
            ("", None),
        ] {
            assert_eq!(safe_name(given).as_deref(), expected, "{given:?}");
        }
        let long = safe_name(&format!("{}.pdf", "x".repeat(500))).expect("a name");
        assert!(long.ends_with("x.pdf") && long.chars().count() == NAME_MAX_CHARS);
    }

    proptest! {
        #[test]
        fn any_name_becomes_safe(name in "\\PC*") {
            if let Some(safe) = safe_name(&name) {
                prop_assert!(!safe.contains(['/', '\\']) && !safe.starts_with('.'));
                prop_assert!(safe.chars().count() <= NAME_MAX_CHARS && !safe.chars().any(char::is_control));
            }
        }
    }

    #[test]
    fn only_what_cannot_hold_scripts_is_shown_in_place() {
        for (given, expected) in [
            ("image/png", true),
            ("audio/ogg", true),
            ("image/svg+xml", false),
            ("text/html", false),
            ("application/pdf", false),
        ] {
            assert_eq!(mime(given).is_safe_inline(), expected, "{given}");
        }
    }

    #[test]
    fn a_caption_counts_code_points_and_stickers_have_none() {
        let long = "é".repeat(TEXT_MAX_CHARS + 1);
        assert!(caption(MediaKind::Image, Some(&long)).is_err());
        assert_eq!(caption(MediaKind::Image, Some(" ")).expect("none"), None);
        assert_eq!(caption(MediaKind::Sticker, Some("x")).expect("none"), None);
        assert_eq!(caption(MediaKind::Document, Some("x")).expect("one").as_deref(), Some("x"));
    }
}
