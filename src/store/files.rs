//! The media directory: files beside the database, named by the SHA-256 of their content.
//!
//! A file is received under a temporary name and put in its place, on disk for good, before a row names it. Which files have
//! to stay is a matter of the tables (`media.rs`); between the two stand pins, which live in memory: a file that somebody is
//! about to name is not removed under their hands.

use crate::error::{Code, Context, Error, Result};
use crate::model::media::FileHash;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::io::AsyncWriteExt as _;

/// Name of the directory inside the data directory.
pub const MEDIA_DIR: &str = "media";
/// Name of the folder for what is still being received.
const TEMP_DIR: &str = "tmp";
/// What is kept of the beginning of a file, in bytes, for whoever wants to know what it is.
pub const HEAD_BYTES: usize = 4096;
/// How old a file without a row has to be before it counts as left behind by a crash.
const ORPHAN_AFTER: Duration = Duration::from_secs(3600);

/// The media directory. Clones share it.
#[derive(Clone)]
pub struct Files {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    pins: Mutex<HashMap<FileHash, usize>>,
}

/// A file under a temporary name. It is removed when it is dropped.
#[derive(Debug)]
pub struct TempFile(PathBuf);

/// A file that is being received.
pub struct Intake {
    file: tokio::fs::File,
    temp: TempFile,
    hash: Sha256,
    size: u64,
    max: u64,
    head: Vec<u8>,
}

/// A file that was received whole and is on disk, still under a temporary name.
#[derive(Debug)]
pub struct Received {
    temp: TempFile,
    /// SHA-256 of the content.
    pub hash: FileHash,
    /// Size in bytes.
    pub size: u64,
    /// The first bytes, at most [`HEAD_BYTES`].
    pub head: Vec<u8>,
}

/// Keeps a file from being removed until a row names it. The last one that is dropped lets it go.
pub struct Pin {
    files: Files,
    hash: FileHash,
}

impl Files {
    /// Opens the media directory in `dir`, creates it when needed, and removes what was still being received.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let dir = dir.join(MEDIA_DIR);
        let temp = dir.join(TEMP_DIR);
        if temp.exists() {
            std::fs::remove_dir_all(&temp).context("removing files that were never received whole")?;
        }
        std::fs::create_dir_all(&temp).context("creating the media directory")?;
        Ok(Self { inner: Arc::new(Inner { dir, pins: Mutex::default() }) })
    }

    /// Begins to receive a file of at most `max` bytes.
    pub async fn intake(&self, max: u64) -> Result<Intake> {
        let temp = self.temp();
        let file = tokio::fs::File::create(&temp.0).await.context("creating a file")?;
        Ok(Intake { file, temp, hash: Sha256::new(), size: 0, max, head: Vec::new() })
    }

    /// Returns a new file under a temporary name, open for writing and reading.
    pub fn scratch(&self) -> Result<(File, TempFile)> {
        let temp = self.temp();
        let file = File::options().read(true).write(true).create_new(true).open(&temp.0);
        Ok((file.context("creating a file")?, temp))
    }

    /// Takes a file that was written under a temporary name, reads it once and puts it on disk. Blocks.
    pub fn received(&self, temp: TempFile) -> Result<Received> {
        let mut file = File::open(&temp.0).context("reading a received file")?;
        let (mut hash, mut size, mut head, mut buffer) = (Sha256::new(), 0, Vec::new(), vec![0; 64 << 10]);
        loop {
            let read = file.read(&mut buffer).context("reading a received file")?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            size += read as u64;
            note_head(&mut head, &buffer[..read]);
        }
        file.sync_all().context("putting a file on disk")?;
        Ok(Received { temp, hash: FileHash(hash.finalize().into()), size, head })
    }

    /// Puts a received file in its place. It stays there at least as long as the pin; a row has to name it by then. Blocks.
    ///
    /// May be repeated for the same file.
    pub fn keep(&self, received: &Received) -> Result<Pin> {
        let pin = self.pin(received.hash);
        let path = self.path(received.hash);
        let folder = path.parent().unwrap_or(&self.inner.dir);
        if !folder.exists() {
            std::fs::create_dir_all(folder).context("creating a folder for files")?;
            sync_dir(&self.inner.dir)?;
        }
        match std::fs::rename(&received.temp.0, &path) {
            Err(why) if why.kind() == std::io::ErrorKind::NotFound && path.is_file() => {}
            renamed => renamed.context("putting a file in its place")?,
        }
        sync_dir(folder)?;
        Ok(pin)
    }

    /// Keeps a file from being removed, whether it is there or not.
    pub fn pin(&self, hash: FileHash) -> Pin {
        *self.pins().entry(hash).or_default() += 1;
        Pin { files: self.clone(), hash }
    }

    /// Returns where a file stands or would stand.
    pub fn path(&self, hash: FileHash) -> PathBuf {
        let name = hash.to_string();
        self.inner.dir.join(&name[..2]).join(name)
    }

    /// Removes files that no row names any more; those with a pin, and those that `is_named` knows again, stay. Blocks.
    pub fn remove(&self, hashes: &[FileHash], is_named: impl Fn(FileHash) -> Result<bool>) -> Result<()> {
        for hash in hashes {
            // Held while the file goes, so that nobody pins it in between. A pin is dropped behind the commit of its row.
            let pins = self.pins();
            if pins.contains_key(hash) || is_named(*hash)? {
                continue;
            }
            match std::fs::remove_file(self.path(*hash)) {
                Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::internal("removing a file", why));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the files that have stood for more than an hour and that `is_named` does not know. Blocks.
    pub fn orphans(&self, is_named: impl Fn(FileHash) -> Result<bool>) -> Result<Vec<FileHash>> {
        let mut orphans = Vec::new();
        for folder in std::fs::read_dir(&self.inner.dir).context("reading the media directory")? {
            let folder = folder.context("reading the media directory")?;
            if folder.file_name() == TEMP_DIR || !folder.path().is_dir() {
                continue;
            }
            for file in std::fs::read_dir(folder.path()).context("reading the media directory")? {
                let file = file.context("reading the media directory")?;
                let name = file.file_name();
                let Some(hash) = name.to_str().and_then(|name| name.parse::<FileHash>().ok()) else {
                    continue;
                };
                let written = file.metadata().and_then(|about| about.modified());
                if written.is_ok_and(is_old) && !is_named(hash)? {
                    orphans.push(hash);
                }
            }
        }
        Ok(orphans)
    }

    fn temp(&self) -> TempFile {
        TempFile(self.inner.dir.join(TEMP_DIR).join(hex::encode(rand::random::<[u8; 16]>())))
    }

    /// The map is whole at any time.
    fn pins(&self) -> MutexGuard<'_, HashMap<FileHash, usize>> {
        self.inner.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TempFile {
    /// Returns where it stands.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // It is gone already when it was put in its place; what remains otherwise goes at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Intake {
    /// Takes the next bytes; refuses with [`Code::MediaTooLarge`] beyond the limit.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        if self.size > self.max {
            return Err(Error::new(Code::MediaTooLarge));
        }
        self.hash.update(bytes);
        note_head(&mut self.head, bytes);
        self.file.write_all(bytes).await.context("receiving a file")
    }

    /// Returns the file once it is on disk.
    pub async fn finish(mut self) -> Result<Received> {
        self.file.flush().await.context("receiving a file")?;
        self.file.sync_all().await.context("putting a file on disk")?;
        let Self { temp, hash, size, head, .. } = self;
        Ok(Received { temp, hash: FileHash(hash.finalize().into()), size, head })
    }
}

impl Received {
    /// Returns where the file stands for now.
    pub fn path(&self) -> &Path {
        &self.temp.0
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.files.pins();
        if let Some(count) = pins.get_mut(&self.hash) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.hash);
            }
        }
    }
}

fn note_head(head: &mut Vec<u8>, bytes: &[u8]) {
    let room = HEAD_BYTES.saturating_sub(head.len());
    head.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

fn is_old(written: SystemTime) -> bool {
    written.elapsed().is_ok_and(|age| age > ORPHAN_AFTER)
}

/// Makes the names in a folder survive a power cut.
fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).context("putting a folder on disk")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn receive(files: &Files, bytes: &[u8]) -> Received {
        let mut intake = files.intake(100).await.expect("an intake");
        for chunk in bytes.chunks(3) {
            intake.write(chunk).await.expect("fits");
        }
        intake.finish().await.expect("received")
    }

    #[tokio::test]
    async fn a_file_stands_under_its_hash_and_only_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let files = Files::open(dir.path()).expect("opens");
        let (one, two) = (receive(&files, b"hello").await, receive(&files, b"hello").await);
        assert_eq!((one.hash, one.size, &one.head[..]), (two.hash, 5, &b"hello"[..]));
        let hash = one.hash;
        assert_eq!(hash.to_string(), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
        let pins = [
            files.keep(&one).expect("kept"),
            files.keep(&two).expect("kept"),
            files.keep(&one).expect("again"),
        ];
        assert_eq!(std::fs::read(files.path(hash)).expect("there"), b"hello");
        files.remove(&[hash], |_| Ok(false)).expect("nothing fails");
        assert!(files.path(hash).exists(), "somebody is about to name it");
        drop(pins);
        files.remove(&[hash], |_| Ok(true)).expect("nothing fails");
        assert!(files.path(hash).exists(), "a row names it again");
        files.remove(&[hash, hash], |_| Ok(false)).expect("removed");
        assert!(!files.path(hash).exists());
    }

    #[tokio::test]
    async fn what_is_too_large_or_given_up_leaves_nothing_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        let files = Files::open(dir.path()).expect("opens");
        let mut intake = files.intake(4).await.expect("an intake");
        intake.write(b"1234").await.expect("fits");
        assert_eq!(intake.write(b"5").await.expect_err("too large").code(), Code::MediaTooLarge);
        drop(intake);
        drop(receive(&files, b"never kept").await);
        let left = std::fs::read_dir(dir.path().join(MEDIA_DIR).join(TEMP_DIR)).expect("a folder").count();
        assert_eq!(left, 0);
    }

    #[tokio::test]
    async fn only_old_files_without_a_row_are_orphans() {
        let dir = tempfile::tempdir().expect("a directory");
        let files = Files::open(dir.path()).expect("opens");
        let received = receive(&files, b"fresh").await;
        let hash = received.hash;
        drop(files.keep(&received).expect("kept"));
        assert!(files.orphans(|_| Ok(false)).expect("read").is_empty(), "a fresh one may get its row yet");
        let old = SystemTime::now() - 2 * ORPHAN_AFTER;
        File::options().write(true).open(files.path(hash)).expect("there").set_modified(old).expect("aged");
        assert_eq!(files.orphans(|_| Ok(false)).expect("read"), [hash]);
        assert!(files.orphans(|_| Ok(true)).expect("read").is_empty());
    }
}
