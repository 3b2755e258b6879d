//! A file on WhatsApp's media hosts → decrypted and checked in our hands.

use super::class;
use crate::error::{Context as _, Error, Result};
use crate::model::jid::Jid;
use crate::model::media::{Media, Remote};
use crate::model::message::Message;
use crate::store::files::Received;
use crate::wa::seat::Seat;
use crate::wa::send::wire_jid;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wacore::media_retry::MediaRetryResult;
use whatsapp_rust::Client;
use whatsapp_rust::download::DownloadParams;
use whatsapp_rust::error::ErrorChainExt as _;
use whatsapp_rust::features::MediaReuploadRequest;

/// Why a file did not come.
#[derive(Debug)]
pub enum DownloadFailure {
    /// The device is not connected; nothing was tried.
    NotConnected,
    /// WhatsApp no longer has it under this path; the sender's phone may still.
    Expired,
    /// Neither WhatsApp nor the sender's phone has it.
    Gone,
    /// Something that may pass: the line, a host, a busy phone.
    Passing(Error),
    /// What was said about the file cannot be right; another attempt does not help.
    Broken(Error),
}

/// Downloads the file of an incoming message, checks it, and returns it.
pub(in crate::wa) async fn download(seat: &Seat, media: &Media) -> Result<Received, DownloadFailure> {
    let client = seat.open_client().ok_or(DownloadFailure::NotConnected)?;
    let remote = media.remote.as_ref().ok_or_else(|| broken("the message names no file"))?;
    let key = STANDARD.decode(&remote.key).map_err(|_| broken("the key of the file is not base64"))?;
    let place = DownloadParams::encrypted(
        remote.direct_path.as_str(),
        &key,
        &remote.plain.0,
        &remote.encrypted.0,
        media.size,
        class(media.kind),
    );
    let files = seat.parts.store.files().clone();
    let (scratch, temp) = files.scratch().map_err(DownloadFailure::Broken)?;
    let fetched = client.download_to_writer(&place, scratch).await;
    drop(fetched.map_err(|why| unfetched(&client, why))?);
    let read = tokio::task::spawn_blocking(move || files.received(temp)).await;
    let received = read.context("checking a downloaded file").flatten().map_err(DownloadFailure::Passing)?;
    if received.hash != remote.plain {
        return Err(broken("the file is not the one that the message names"));
    }
    Ok(received)
}

/// Asks the sender's phone to give WhatsApp the file once more; returns the path where it is then.
pub(in crate::wa) async fn download_again(
    seat: &Seat,
    message: &Message,
    remote: &Remote,
) -> Result<String, DownloadFailure> {
    let client = seat.open_client().ok_or(DownloadFailure::NotConnected)?;
    let key = STANDARD.decode(&remote.key).map_err(|_| broken("the key of the file is not base64"))?;
    let address = |jid: &Jid| wire_jid(jid).map_err(|_| broken("an address cannot be written"));
    let chat = address(&message.chat)?;
    let author = message.sender.as_ref().filter(|_| message.chat.is_group()).map(address).transpose()?;
    let request = MediaReuploadRequest {
        msg_id: &message.id,
        chat_jid: &chat,
        media_key: &key,
        is_from_me: message.from_me,
        participant: author.as_ref(),
    };
    match client.media_reupload().request(&request).await {
        Ok(MediaRetryResult::Success { direct_path }) => Ok(direct_path),
        Ok(MediaRetryResult::NotFound) => Err(DownloadFailure::Gone),
        Ok(other) => Err(passing(format!("the sender's phone answered {other:?}"))),
        Err(why) if client.is_logged_in() => Err(passing(why.to_string())),
        Err(_) => Err(DownloadFailure::NotConnected),
    }
}

fn unfetched(client: &Client, why: anyhow::Error) -> DownloadFailure {
    match why.http_status() {
        Some(404 | 410) => DownloadFailure::Expired,
        _ if !client.is_logged_in() => DownloadFailure::NotConnected,
        _ => DownloadFailure::Passing(Error::internal("downloading a file", why)),
    }
}

fn broken(what: &str) -> DownloadFailure {
    DownloadFailure::Broken(Error::broken(what))
}

fn passing(what: String) -> DownloadFailure {
    DownloadFailure::Passing(Error::broken(what))
}
