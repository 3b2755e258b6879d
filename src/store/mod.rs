//! The store: one redb file. redb lives here and nowhere else.
//!
//! Writes go through the one writer (`writer.rs`), reads take a consistent view. A table and its indexes are written only by
//! the file named after them.

pub mod activity;
pub mod address_book;
pub mod allowed;
pub mod changes;
pub mod channels;
pub mod chat_settings;
pub mod chats;
mod codec;
pub mod days;
pub mod device_contacts;
pub mod devices;
pub mod early;
mod examine;
pub mod expiry;
pub mod file_uses;
pub mod files;
pub mod groups;
pub mod history_parts;
pub mod identities;
pub mod jobs;
pub mod logins;
pub mod media;
pub mod messages;
mod migrate;
pub mod notifications;
pub mod outbox;
pub mod schedules;
pub mod seal;
pub mod search;
pub mod sessions;
pub mod settings;
pub mod stats;
pub mod status_posts;
mod tables;
pub mod templates;
pub mod tokens;
pub mod users;
mod writer;

pub use tables::{Tables, View};

use crate::error::{Code, Context, Error, Result};
use redb::{Database, DatabaseError};
use seal::Seal;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// Name of the database file inside the data directory.
pub const FILE_NAME: &str = "kurir.redb";

/// Memory for pages that redb keeps, in bytes. Small, because the machine is small and the kernel caches the file too.
const CACHE_BYTES: usize = 8 << 20;

/// The open store. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    db: Arc<Database>,
    writer: writer::Writer,
    seal: Seal,
    outbox: watch::Receiver<u64>,
    files: files::Files,
}

impl Store {
    /// Opens the store in `dir`, creates or migrates it when needed.
    ///
    /// Refuses with a sentence that says what to do when another process has it open, when it was written by a newer version,
    /// or when the master key does not fit.
    pub fn open(dir: &Path, passphrase: Option<&str>) -> Result<Self> {
        let path = dir.join(FILE_NAME);
        let db = Database::builder().set_cache_size(CACHE_BYTES).create(&path).map_err(|why| match why {
            DatabaseError::DatabaseAlreadyOpen => Error::new(Code::Internal).because(format!(
                "`{}` is in use by another process: stop the running kurir first, or choose another --data-dir",
                path.display()
            )),
            why => Error::internal(format!("opening `{}`", path.display()), why),
        })?;
        private(&path)?;
        migrate::run(&db, &path)?;
        let seal = Seal::open(dir, passphrase)?;
        let files = files::Files::open(dir)?;
        let db = Arc::new(db);
        let (head, outbox) = watch::channel(0);
        let writer = writer::Writer::start(db.clone(), head)?;
        let store = Self { inner: Arc::new(Inner { db, writer, seal, outbox, files }) };
        store.check_seal()?;
        Ok(store)
    }

    /// Runs `work` in the next transaction and returns its value once it is on disk.
    ///
    /// `work` may run twice: look first, write last, and have no effect but on the tables.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnMut(&mut Tables<'_>) -> Result<T> + Send + 'static,
    {
        self.inner.writer.write(work).await
    }

    /// Returns a consistent view for a few quick look-ups. Drop it before waiting for anything.
    pub fn view(&self) -> Result<View> {
        use redb::ReadableDatabase as _;
        let tx = self.inner.db.begin_read().context("beginning a read")?;
        Ok(View { tx })
    }

    /// Runs a scan on the blocking pool.
    pub async fn scan<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&View) -> Result<T> + Send + 'static,
    {
        let view = self.view()?;
        tokio::task::spawn_blocking(move || work(&view)).await.context("waiting for a scan of the store")?
    }

    /// Returns what seals and opens the values of secret tables.
    pub fn seal(&self) -> &Seal {
        &self.inner.seal
    }

    /// Returns the media directory beside the database.
    pub fn files(&self) -> &files::Files {
        &self.inner.files
    }

    /// Returns a receiver that hears the highest outbox number after each commit that wrote one.
    pub fn outbox_head(&self) -> watch::Receiver<u64> {
        self.inner.outbox.clone()
    }

    /// Finishes queued writes and refuses later ones; for the end of the program.
    pub fn close(&self) {
        self.inner.writer.stop();
    }

    /// Proves that the master key fits this file, with a sealed known value.
    fn check_seal(&self) -> Result<()> {
        const PROBE: &str = "seal-probe";
        let view = self.view()?;
        let table = view.secrets()?;
        match table.get(PROBE).context("reading the seal probe")? {
            Some(row) => self.seal().open_value("secrets", PROBE.as_bytes(), row.value()).map(drop),
            None => {
                let sealed = self.seal().seal_value("secrets", PROBE.as_bytes(), b"kurir")?;
                let tx = self.inner.db.begin_write().context("beginning a write")?;
                Tables::open(&tx)?.secrets.insert(PROBE, sealed.as_slice())?;
                tx.commit().context("writing the seal probe")
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn for_tests(dir: &Path) -> Self {
        Self::open(dir, None).expect("a store in an empty directory opens")
    }
}

impl From<redb::StorageError> for Error {
    fn from(source: redb::StorageError) -> Self {
        Error::internal("reading or writing the store", source)
    }
}

/// Takes the right to read the file from everybody but its owner.
fn private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .context("making the database readable for its owner only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_is_refused_with_a_sentence_that_says_what_to_do() {
        let dir = tempfile::tempdir().expect("a directory");
        let _first = Store::for_tests(dir.path());
        let refused = Store::open(dir.path(), None).err().expect("refused").to_string();
        assert!(refused.contains("stop the running kurir first"), "{refused}");
    }

    #[test]
    fn a_foreign_master_key_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        Store::for_tests(dir.path()).close();
        std::fs::write(dir.path().join(seal::KEY_FILE), hex::encode([7u8; 32])).expect("written");
        let refused = Store::open(dir.path(), None).err().expect("refused").to_string();
        assert!(refused.contains("master key"), "{refused}");
    }
}
