//! Files of messages: upload, download, and the ask for a file that WhatsApp no longer has.
//!
//! Nothing here holds a whole file in memory: files are read from and written to the media directory.

mod download;
mod upload;
mod wire;

pub use download::DownloadFailure;
pub(super) use download::{download, download_again};
pub(super) use upload::message;
pub(super) use wire::{incoming, quoted, small};

use wacore::download::MediaType;

use crate::model::media::MediaKind;

/// Returns the class under which WhatsApp encrypts and stores a file.
fn class(kind: MediaKind) -> MediaType {
    match kind {
        MediaKind::Image => MediaType::Image,
        MediaKind::Video => MediaType::Video,
        MediaKind::Document => MediaType::Document,
        MediaKind::Audio | MediaKind::Voice => MediaType::Audio,
        MediaKind::Sticker => MediaType::Sticker,
    }
}
