//! Sealed files on disk, named by their hash, and what has arrived so far of unfinished ones.
//! Who may fetch a file, and under which path, is decided in the module above.

use super::token::Token;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Bytes read at a time for hashing.
const CHUNK: usize = 64 * 1024;

/// The files of the store.
pub struct Files {
    whole: PathBuf,
    partial: PathBuf,
    /// Removes everything in the end when nothing is to be kept.
    _temporary: Option<TempDir>,
}

impl Files {
    /// Opens the files below a data directory, or in a temporary one that goes with the network.
    pub fn open(dir: Option<&Path>) -> Result<Self> {
        let (root, temporary) = match dir {
            Some(dir) => (dir.join("media"), None),
            None => {
                let dir = tempfile::Builder::new().prefix("kurir-sandbox-").tempdir();
                let dir = dir.context("making a temporary directory for media")?;
                (dir.path().to_owned(), Some(dir))
            }
        };
        let files = Self { whole: root.join("whole"), partial: root.join("partial"), _temporary: temporary };
        for dir in [&files.whole, &files.partial] {
            fs::create_dir_all(dir).with_context(|| format!("creating `{}`", dir.display()))?;
        }
        files.recover().context("looking through unfinished uploads")?;
        Ok(files)
    }

    /// Returns where the file with this hash is, or would be.
    pub fn path(&self, token: &Token) -> PathBuf {
        self.whole.join(token.as_str())
    }

    /// Returns the size of a whole file in bytes, or nothing when there is none.
    pub fn size(&self, token: &Token) -> Option<u64> {
        fs::metadata(self.path(token)).ok().map(|found| found.len())
    }

    /// Returns how many bytes of an unfinished upload are here.
    pub fn received(&self, token: &Token) -> u64 {
        fs::metadata(self.partial.join(token.as_str())).map_or(0, |found| found.len())
    }

    /// Starts a file whose hash is known, keeping `offset` bytes of an earlier attempt.
    /// Returns nothing when there are not that many.
    pub fn begin(&self, token: &Token, offset: u64) -> io::Result<Option<Draft>> {
        let resume_as = self.partial.join(token.as_str());
        let path = self.partial.join(format!("{}.{:016x}", token.as_str(), rand::random::<u64>()));
        if offset == 0 {
            File::create_new(&path)?;
            return Ok(Some(Draft { path, resume_as: Some(resume_as) }));
        }
        // Taking the partial file away keeps a second request from writing to it as well.
        match fs::rename(&resume_as, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            moved => moved?,
        }
        let draft = Draft { path, resume_as: Some(resume_as) };
        if fs::metadata(&draft.path)?.len() < offset {
            return Ok(None);
        }
        File::options().write(true).open(&draft.path)?.set_len(offset)?;
        Ok(Some(draft))
    }

    /// Starts a file whose hash is not known yet; it is gone when it is not finished.
    pub fn begin_unnamed(&self) -> io::Result<Draft> {
        let path = self.partial.join(format!("unnamed.{:016x}", rand::random::<u64>()));
        File::create_new(&path)?;
        Ok(Draft { path, resume_as: None })
    }

    /// Puts a finished file in its place. It is on disk when this returns.
    pub fn finish(&self, draft: Draft, token: &Token) -> io::Result<()> {
        File::open(&draft.path)?.sync_all()?;
        fs::rename(&draft.path, self.path(token))?;
        File::open(&self.whole)?.sync_all()
    }

    /// Makes what was being uploaded when the process died available for a resume.
    fn recover(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.partial)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some((token, _)) = name.split_once('.') else { continue };
            match Token::parse(token) {
                Some(token) => fs::rename(&path, self.partial.join(token.as_str()))?,
                None => fs::remove_file(&path)?,
            }
        }
        Ok(())
    }
}

/// A file that is being written. Dropped unfinished, it stays for a resume, or goes when it was never going to have one.
pub struct Draft {
    path: PathBuf,
    resume_as: Option<PathBuf>,
}

impl Draft {
    /// Returns where to write.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Throws the bytes away: they are not what they were said to be.
    pub fn discard(mut self) {
        self.resume_as = None;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let left = match &self.resume_as {
            Some(partial) => fs::rename(&self.path, partial),
            None => fs::remove_file(&self.path),
        };
        if let Err(error) = left.or_else(gone) {
            tracing::warn!("leaving an unfinished file: {error}");
        }
    }
}

/// A draft that was finished is not there any more.
fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Reads a file and returns its hash.
pub fn hash(path: &Path) -> io::Result<Token> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(Token::of(&hash.finalize().into()));
        }
        hash.update(&chunk[..read]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(byte: u8) -> Token {
        Token::of(&[byte; 32])
    }

    #[test]
    fn an_unfinished_upload_goes_on_where_it_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::open(Some(dir.path())).unwrap();
        let draft = files.begin(&token(1), 0).unwrap().unwrap();
        fs::write(draft.path(), b"0123456789").unwrap();
        drop(draft);
        assert_eq!(files.received(&token(1)), 10);
        assert!(files.begin(&token(1), 11).unwrap().is_none(), "more than there is");
        let draft = files.begin(&token(1), 4).unwrap().unwrap();
        assert_eq!(files.received(&token(1)), 0, "nobody else resumes meanwhile");
        assert_eq!(fs::read(draft.path()).unwrap(), b"0123");
        files.finish(draft, &token(1)).unwrap();
        assert_eq!((files.size(&token(1)), files.received(&token(1))), (Some(4), 0));
    }

    #[test]
    fn a_killed_upload_is_found_again_and_a_wrong_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::open(Some(dir.path())).unwrap();
        let killed = files.begin(&token(1), 0).unwrap().unwrap();
        fs::write(killed.path(), b"012").unwrap();
        let unnamed = files.begin_unnamed().unwrap();
        // What SIGKILL leaves: nobody ran the destructors.
        std::mem::forget(killed);
        std::mem::forget(unnamed);
        let wrong = files.begin(&token(2), 0).unwrap().unwrap();
        wrong.discard();
        let files = Files::open(Some(dir.path())).unwrap();
        assert_eq!((files.received(&token(1)), files.received(&token(2))), (3, 0));
        assert_eq!(fs::read_dir(dir.path().join("media/partial")).unwrap().count(), 1);
    }

    #[test]
    fn without_a_data_directory_nothing_stays() {
        let files = Files::open(None).unwrap();
        let root = files.whole.clone();
        assert!(root.exists());
        drop(files);
        assert!(!root.exists());
    }
}
