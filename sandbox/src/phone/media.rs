//! Media of a phone: sealed and handed to the store when it sends, fetched and checked when it receives.
//! A phone keeps what it fetched: the sealed file of the store is its copy, whatever becomes of the path it came by.

use crate::clock;
use crate::faults::MediaFault;
use crate::media::{Missing, Reader, Token};
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::PathBuf;
use wacore::download::{DownloadUtils, Downloadable, MediaType};
use wacore::proto_helpers::MessageExt as _;
use wacore::upload::encrypt_media_streaming;
use waproto::whatsapp as wa;

/// A file that lies sealed in the store, not yet under a path.
pub struct Sealed {
    token: Token,
    /// Key of the medium.
    pub key: Vec<u8>,
    /// SHA-256 of the plain bytes.
    pub sha256: Vec<u8>,
    /// SHA-256 of the sealed bytes.
    pub sealed_sha256: Vec<u8>,
    /// Size of the plain bytes.
    pub length: u64,
    /// Codes that let a player begin before the end; sound and video only.
    pub sidecar: Option<Vec<u8>>,
    /// When it was sealed, seconds since the epoch.
    pub sealed_at: i64,
}

/// Seals bytes under a fresh key. Waits for the disk.
pub fn seal(world: &World, plain: &[u8], kind: MediaType) -> Result<Sealed> {
    let draft = world.media.begin_unnamed()?;
    let writer = BufWriter::new(File::create(draft.path())?);
    let sealed = encrypt_media_streaming(plain, writer, kind).context("sealing a medium")?;
    let token = Token::of(&sealed.file_enc_sha256);
    world.media.finish(draft, &token)?;
    Ok(Sealed {
        token,
        key: sealed.media_key.to_vec(),
        sha256: sealed.file_sha256.to_vec(),
        sealed_sha256: sealed.file_enc_sha256.to_vec(),
        length: sealed.file_length,
        sidecar: sealed.streaming_sidecar,
        sealed_at: clock::now_s() as i64,
    })
}

impl Sealed {
    /// Puts the file under a path and returns it. It may be told once the batch is stored.
    pub fn publish(&self, world: &World, account: &Account, batch: &mut Batch) -> String {
        world.media.publish(&self.token, &account.number, batch)
    }
}

/// Returns the medium of a message, if it has one.
pub fn medium(message: &wa::Message) -> Option<&dyn Downloadable> {
    let message = message.get_base_message();
    let image = message.image_message.as_option().map(|one| one as &dyn Downloadable);
    let video = || message.video_message.as_option().or(message.ptv_message.as_option()).map(|one| one as _);
    let audio = || message.audio_message.as_option().map(|one| one as _);
    let document = || message.document_message.as_option().map(|one| one as _);
    let sticker = || message.sticker_message.as_option().map(|one| one as _);
    image.or_else(video).or_else(audio).or_else(document).or_else(sticker)
}

/// Fetches the medium of a message and checks everything a phone checks: both hashes, the authentication, the length.
/// Says what is wrong. Waits for the disk.
pub fn check(world: &World, account: &Account, message: &wa::Message) -> Result<()> {
    let Some(medium) = medium(message) else { return Ok(()) };
    let path = medium.direct_path().context("the message names no path")?;
    let fault = world.faults.on_download(&account.number, 0);
    if let Some(MediaFault::Status(status)) = fault {
        bail!("the download failed with status {status}");
    }
    let file = world.media.find(path).map_err(|missing| match missing {
        Missing::Unknown => anyhow::anyhow!("the download failed with status 404"),
        Missing::Expired => anyhow::anyhow!("the download failed with status 410"),
    })?;
    let mut opened = Opened::default();
    let mut fetched = Hashed { inner: Reader::open(&file, fault)?, hash: Sha256::new() };
    let key = medium.media_key().filter(|key| key.len() == 32).context("the media key is not 32 bytes")?;
    let decrypted =
        DownloadUtils::decrypt_stream_to_writer(&mut fetched, key, medium.app_info(), &mut opened);
    // A wrong seal is also a wrong hash; the hash says better what happened.
    let sealed = fetched.rest()?;
    ensure!(
        medium.file_enc_sha256() == Some(&sealed),
        "the sealed file has another SHA-256 than the message says"
    );
    decrypted.context("the seal is wrong")?;
    let plain: [u8; 32] = opened.hash.finalize().into();
    ensure!(medium.file_sha256() == Some(&plain), "the file has another SHA-256 than the message says");
    ensure!(medium.file_length() == Some(opened.length), "the file has another length than the message says");
    Ok(())
}

/// Returns the plain bytes of a message's medium. Waits for the disk.
pub fn open(world: &World, message: &wa::Message) -> Result<Vec<u8>> {
    let medium = medium(message).context("the message has no medium")?;
    let file = kept(world, medium).context("the phone has no copy of the medium")?;
    let key = medium.media_key().context("the message has no media key")?;
    DownloadUtils::decrypt_stream(File::open(file)?, key, medium.app_info()).context("opening a medium")
}

/// Puts a phone's copy of a medium under a new path and returns that; nothing when the phone has no copy.
pub fn publish_again(
    world: &World,
    account: &Account,
    medium: &dyn Downloadable,
    batch: &mut Batch,
) -> Option<String> {
    kept(world, medium)?;
    Some(world.media.publish(&token(medium)?, &account.number, batch))
}

/// Finds a phone's copy of a medium.
fn kept(world: &World, medium: &dyn Downloadable) -> Option<PathBuf> {
    world.media.kept(&token(medium)?)
}

fn token(medium: &dyn Downloadable) -> Option<Token> {
    medium.file_enc_sha256()?.try_into().ok().map(Token::of)
}

/// What was decrypted, without keeping it.
#[derive(Default)]
struct Opened {
    hash: Sha256,
    length: u64,
}

impl Write for Opened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hashes what is read.
struct Hashed {
    inner: Reader,
    hash: Sha256,
}

impl Hashed {
    /// Reads to the end and returns the hash of everything.
    fn rest(mut self) -> io::Result<[u8; 32]> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(self.hash.finalize().into())
    }
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}
