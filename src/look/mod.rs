//! What a file is and how it looks: its type by content, dimensions, length, a small picture, a waveform; what a web page
//! says about itself.
//!
//! Everything here reads files that strangers made, so every reader has limits, and a file that cannot be read has no look
//! instead of failing a send. Nothing here sends, stores, or waits; callers bring a thread that may block.

mod film;
mod page;
mod picture;
mod sniff;
mod voice;

pub use page::{Page, page};
pub use picture::thumbnail;
pub use sniff::{Claim, type_of};

use crate::model::media::{Look, MediaKind, Mime};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Looks at a file of a known kind and type. Blocks, for a large picture about a second.
pub fn look(path: &Path, kind: MediaKind, mime: &Mime) -> Look {
    match kind {
        MediaKind::Image => picture::look(path, mime),
        MediaKind::Sticker => Look { thumbnail: None, ..picture::look(path, mime) },
        MediaKind::Video => film::look(path, mime),
        MediaKind::Voice => voice::look(path, true),
        MediaKind::Audio if mime.as_str() == "audio/ogg" => voice::look(path, false),
        MediaKind::Audio if mime.as_str() == "audio/mp4" => film::look(path, mime),
        // A document's preview is the picture itself, when it is one.
        MediaKind::Document => Look { thumbnail: picture::look(path, mime).thumbnail, ..Look::default() },
        MediaKind::Audio => Look::default(),
    }
}

/// Lets one file at a time be decoded: two large ones would take twice the memory.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}
