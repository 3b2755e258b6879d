//! Files of the history that are sent once more: those that are here, and those that have to be fetched for it.

use super::Gateway;
use crate::error::{Code, Context as _, Error, Result};
use crate::model::media::{Media, MediaState, Remote};
use crate::model::message::Message;
use crate::store::files::{Pin, Received};
use crate::wa::DownloadFailure;

impl Gateway {
    /// Returns the file of a message as it is sent once more, and what keeps it here until a job holds it. One that retention
    /// took away, or that was never fetched, is fetched for it; refuses one that nobody has any more.
    pub(super) async fn own_copy(&self, message: &Message, media: &Media) -> Result<(Media, Pin)> {
        let files = self.store().files();
        let ready = Media { remote: None, state: MediaState::Ready, ..media.clone() };
        if let Some(hash) = media.file {
            let pin = files.pin(hash);
            if files.path(hash).is_file() {
                return Ok((ready, pin));
            }
        }
        let received = self.fetch_again(message, media).await.map_err(missing)?;
        let (file, size, files) = (Some(received.hash), received.size, files.clone());
        let kept = tokio::task::spawn_blocking(move || files.keep(&received)).await;
        Ok((Media { file, size, ..ready }, kept.context("keeping a fetched file")??))
    }

    /// Fetches the file of a received message; the sender's phone is asked for what WhatsApp no longer has.
    async fn fetch_again(&self, message: &Message, media: &Media) -> Result<Received, DownloadFailure> {
        let remote = media.remote.as_ref().ok_or(DownloadFailure::Gone)?;
        match self.fleet().download(message.device, media).await {
            Err(DownloadFailure::Expired) => {}
            ended => return ended,
        }
        let direct_path = self.fleet().download_again(message, remote).await?;
        let moved = Media { remote: Some(Remote { direct_path, ..remote.clone() }), ..media.clone() };
        self.fleet().download(message.device, &moved).await
    }
}

fn missing(failure: DownloadFailure) -> Error {
    match failure {
        DownloadFailure::NotConnected => Error::new(Code::DeviceNotConnected),
        DownloadFailure::Expired | DownloadFailure::Gone => Error::new(Code::MessageFileMissing),
        DownloadFailure::Passing(why) | DownloadFailure::Broken(why) => {
            Error::new(Code::MessageFileMissing).because(why)
        }
    }
}
