//! A file of ours → encrypted on WhatsApp's media hosts → the message that names it.

use super::{class, wire};
use crate::error::{Code, Context as _, Error, Result};
use crate::model::media::{FileHash, Media};
use crate::store::media::{self, Upload};
use crate::wa::outcome::SendFailure;
use crate::wa::seat::Seat;
use crate::wa::send::failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, SeekFrom};
use std::path::PathBuf;
use wacore::upload::{EncryptedMediaInfo, UploadSource, encrypt_media_streaming};
use waproto::whatsapp as proto;
use whatsapp_rust::Client;

/// Returns the message for a file of the media directory; uploads the file unless an upload of it is still good.
pub(in crate::wa) async fn message(
    seat: &Seat,
    client: &Client,
    media: &Media,
) -> Result<proto::Message, SendFailure> {
    let hash = media.file.ok_or_else(|| SendFailure::Broken(Error::broken("the message has no file")))?;
    let upload = match known(seat, media, hash).map_err(SendFailure::Broken)? {
        Some(upload) => upload,
        None => {
            // The permit bounds what a burst of pictures takes of the line and of the disk.
            let _permit = seat.parts.uploads.acquire().await;
            match known(seat, media, hash).map_err(SendFailure::Broken)? {
                Some(upload) => upload,
                None => upload(seat, client, media, hash).await?,
            }
        }
    };
    wire::outgoing(media, hash, &upload).map_err(SendFailure::Broken)
}

fn known(seat: &Seat, media: &Media, hash: FileHash) -> Result<Option<Upload>> {
    let now = seat.parts.clock.now();
    media::upload(&seat.parts.store.view()?, seat.no, media.kind.class(), hash, now)
}

async fn upload(seat: &Seat, client: &Client, media: &Media, hash: FileHash) -> Result<Upload, SendFailure> {
    let path = seat.parts.store.files().path(hash);
    if !path.is_file() {
        return Err(SendFailure::Broken(Error::new(Code::MediaGone)));
    }
    let (sealed, info) = encrypt(seat, media, path).await.map_err(SendFailure::Broken)?;
    if info.file_sha256 != hash.0 {
        return Err(SendFailure::Broken(Error::broken("a file of the media directory has changed")));
    }
    let sent = client.upload_stream(sealed, info, class(media.kind)).await;
    let sent = sent.map_err(|why| failure(why.as_ref()))?;
    let upload = Upload {
        url: sent.url,
        direct_path: sent.direct_path,
        key: STANDARD.encode(sent.media_key),
        encrypted: FileHash(sent.file_enc_sha256),
        key_at: sent.media_key_timestamp,
        sidecar: sent.streaming_sidecar.map(|sidecar| STANDARD.encode(sidecar)),
        at: seat.parts.clock.now(),
    };
    let (no, kind, kept) = (seat.no, media.kind.class(), upload.clone());
    let noted = seat.parts.store.write(move |t| media::put_upload(t, no, kind, hash, &kept)).await;
    noted.map_err(SendFailure::Broken)?;
    Ok(upload)
}

/// Encrypts a file into a scratch file.
async fn encrypt(seat: &Seat, media: &Media, path: PathBuf) -> Result<(Sealed, EncryptedMediaInfo)> {
    let (scratch, temp) = seat.parts.store.files().scratch()?;
    let class = class(media.kind);
    let work = tokio::task::spawn_blocking(move || {
        let plain = File::open(path).context("reading a file for its upload")?;
        let info = encrypt_media_streaming(BufReader::new(plain), BufWriter::new(scratch), class)
            .context("encrypting a file for its upload")?;
        let size = temp.path().metadata().context("reading an encrypted file")?.len();
        Ok((Sealed { temp, size }, info))
    });
    work.await.context("encrypting a file for its upload")?
}

/// An encrypted file that is read again for each attempt.
struct Sealed {
    temp: crate::store::files::TempFile,
    size: u64,
}

impl UploadSource for Sealed {
    fn len(&self) -> u64 {
        self.size
    }

    fn reader_from(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut file = File::open(self.temp.path())?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(file))
    }
}
