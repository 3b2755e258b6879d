//! Profile photos: files under `uploads/` in the data directory, under names that cannot be guessed.

use super::{Caller, Gateway};
use crate::error::{Code, Context, Error, Result};
use crate::model::id::secret;
use crate::model::user::User;
use std::path::PathBuf;

/// Largest photo, in bytes.
pub const PHOTO_MAX_BYTES: usize = 5 << 20;

/// A stored file and its media type.
pub struct Upload {
    /// Media type by content.
    pub media_type: &'static str,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Gateway {
    /// Stores the caller's new photo and removes the one before.
    pub async fn save_photo(&self, caller: &Caller, bytes: Vec<u8>) -> Result<User> {
        let refuse = || Error::new(Code::PhotoInvalid);
        let (extension, _) = sniff(&bytes).filter(|_| bytes.len() <= PHOTO_MAX_BYTES).ok_or_else(refuse)?;
        let name = format!("{}.{extension}", secret());
        let dir = self.uploads();
        tokio::fs::create_dir_all(&dir).await.context("creating the folder for uploads")?;
        tokio::fs::write(dir.join(&name), bytes).await.context("storing a photo")?;
        let (user, before) = self.change_photo(caller, name).await?;
        if let Some(before) = before
            && let Err(why) = tokio::fs::remove_file(dir.join(before)).await
        {
            tracing::warn!(%why, "an old photo could not be removed");
        }
        Ok(user)
    }

    /// Returns an uploaded file.
    pub async fn upload(&self, name: &str) -> Result<Upload> {
        let missing = || Error::new(Code::RouteNotFound);
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if name.starts_with('.') || !name.chars().all(plain) {
            return Err(missing());
        }
        let bytes = tokio::fs::read(self.uploads().join(name)).await.map_err(|_| missing())?;
        let (_, media_type) = sniff(&bytes).ok_or_else(missing)?;
        Ok(Upload { media_type, bytes })
    }

    fn uploads(&self) -> PathBuf {
        self.config().data_dir.join("uploads")
    }
}

/// Returns file extension and media type of a picture by its first bytes; a name or header may lie.
fn sniff(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(("jpg", "image/jpeg")),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(("png", "image/png")),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(("gif", "image/gif")),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(("webp", "image/webp")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_content() {
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n....").map(|found| found.0), Some("png"));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 ").map(|found| found.1), Some("image/webp"));
        assert!(sniff(b"<svg onload=alert(1)>").is_none() && sniff(b"").is_none());
    }
}
