//! The media store: sealed files that clients upload and fetch over HTTP, on the address of the network itself.
//! It never has a key. Pictures of profiles are the exception: they are not sealed, and small.
//!
//! `site` is what clients see; `files` is what lies on the disk. A file has one name (its hash) and a path for every
//! upload of it; paths expire, as they do on the real network.

mod download;
mod files;
mod passes;
mod reader;
pub mod site;
mod token;
mod upload;

pub use files::Draft;
pub use passes::{Holder, VALID_S};
pub use reader::Reader;
pub use token::Token;

use crate::clock;
use crate::store::{Batch, Store, Table};
use anyhow::{Context, Result};
use files::Files;
use passes::Passes;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

/// Largest file that may be sealed and uploaded, as the real network has it for most kinds.
const FILE_MAX: u64 = 100 * 1024 * 1024;
/// What sealing adds at most: a block of padding and the code that authenticates it.
const SEAL_MAX: u64 = 16 + 10;
/// Largest upload.
pub const UPLOAD_MAX: u64 = FILE_MAX + SEAL_MAX;

const KEY_ROW: &str = "media-passes";
/// Beginning and end of every path.
const PREFIX: &str = "/v/t62.7118-24/";
const SUFFIX: &str = ".enc";

/// A path that clients fetch a file under.
#[derive(Clone, Serialize, Deserialize)]
pub struct Object {
    /// The file.
    pub token: Token,
    /// Number of the account that uploaded it.
    pub by: String,
    /// When that was, milliseconds since the epoch.
    pub uploaded: u64,
    /// It was there and is not any more.
    pub expired: bool,
}

/// Why there is nothing to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There never was.
    Unknown,
    /// Not any more.
    Expired,
}

/// The media store.
pub struct Media {
    files: Files,
    passes: Passes,
    host: String,
    objects: RwLock<HashMap<String, Object>>,
}

impl Media {
    /// Opens the store in the network's data directory, if it has one, for clients that reach it at `addr`.
    pub fn open(dir: Option<&Path>, addr: SocketAddr, store: &Store) -> Result<Self> {
        let mut objects = HashMap::new();
        store.load(Table::Media, |id, row| {
            objects.insert(id.to_owned(), serde_json::from_slice(row)?);
            Ok(())
        })?;
        Ok(Self {
            files: Files::open(dir)?,
            passes: Passes::new(pass_key(store)?),
            host: addr.to_string(),
            objects: RwLock::new(objects),
        })
    }

    /// Returns host and port, as clients are told.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the address of a path. Plain HTTP: the network serves this machine only.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// Issues a token that allows a companion to upload.
    pub fn pass(&self, number: &str, device: u16) -> String {
        self.passes.issue(number, device)
    }

    /// Starts a file whose hash shows only in the end.
    pub fn begin_unnamed(&self) -> Result<Draft> {
        self.files.begin_unnamed().context("starting a file")
    }

    /// Puts a finished file in its place. It is on disk when this returns.
    pub fn finish(&self, draft: Draft, token: &Token) -> Result<()> {
        self.files.finish(draft, token).context("putting a file in its place")
    }

    /// Gives a file a new path. It may be told once the batch is stored.
    pub fn publish(&self, token: &Token, by: &str, batch: &mut Batch) -> String {
        let id = format!("{}_{}", rand::random_range(10_000_000u64..99_999_999), rand::random::<u64>());
        let object =
            Object { token: token.clone(), by: by.to_owned(), uploaded: clock::now_ms(), expired: false };
        batch.put(Table::Media, id.clone(), || row(&object));
        let path = format!("{PREFIX}{id}{SUFFIX}");
        self.write().insert(id, object);
        path
    }

    /// Finds the file behind a path.
    pub fn find(&self, path: &str) -> Result<PathBuf, Missing> {
        let id = path.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
        let objects = self.objects.read().unwrap_or_else(PoisonError::into_inner);
        let object = id.and_then(|id| objects.get(id)).ok_or(Missing::Unknown)?;
        if object.expired { Err(Missing::Expired) } else { Ok(self.files.path(&object.token)) }
    }

    /// Returns where a file is by its hash, whatever became of its paths: whoever fetched it once has it.
    pub fn kept(&self, token: &Token) -> Option<PathBuf> {
        self.files.size(token).map(|_| self.files.path(token))
    }

    /// Lets every path go that was given so far, or those of one account.
    pub fn expire(&self, by: Option<&str>, batch: &mut Batch) {
        let mut objects = self.write();
        for (id, object) in objects.iter_mut().filter(|(_, object)| by.is_none_or(|by| by == object.by)) {
            object.expired = true;
            batch.put(Table::Media, id.clone(), || row(object));
        }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, HashMap<String, Object>> {
        self.objects.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn row(object: &Object) -> Vec<u8> {
    serde_json::to_vec(object).expect("an object of texts and numbers always serializes")
}

/// Reads the key that signs upload tokens, or makes one: clients keep their tokens over a restart of the network.
fn pass_key(store: &Store) -> Result<[u8; 32]> {
    let mut kept = None;
    store.load(Table::Meta, |key, row| {
        if key == KEY_ROW {
            kept = Some(row.try_into().context("the key has another size")?);
        }
        Ok(())
    })?;
    if let Some(key) = kept {
        return Ok(key);
    }
    let key: [u8; 32] = rand::random();
    let mut batch = store.batch();
    batch.put(Table::Meta, KEY_ROW.into(), || key.to_vec());
    store.submit(batch).release();
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn media(store: &Store) -> Media {
        Media::open(None, SocketAddr::from((Ipv4Addr::LOCALHOST, 7400)), store).unwrap()
    }

    #[test]
    fn every_upload_has_a_path_of_its_own_and_paths_expire() {
        let store = Store::open(None).unwrap();
        let (media, mut batch) = (media(&store), store.batch());
        let token = Token::of(&[1; 32]);
        let first = media.publish(&token, "6281", &mut batch);
        let second = media.publish(&token, "6282", &mut batch);
        assert_ne!(first, second);
        assert!(!first.contains('?'), "clients append their own query");
        assert_eq!(media.find(&first), media.find(&second));
        media.expire(Some("6281"), &mut batch);
        assert_eq!(media.find(&first), Err(Missing::Expired));
        assert!(media.find(&second).is_ok());
        for unknown in ["/v/t62.7118-24/1_2.enc", "/v/1.enc", ""] {
            assert_eq!(media.find(unknown), Err(Missing::Unknown), "{unknown}");
        }
    }

    #[tokio::test]
    async fn paths_and_tokens_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Some(dir.path())).unwrap();
        let first = media(&store);
        let mut batch = store.batch();
        let path = first.publish(&Token::of(&[1; 32]), "6281", &mut batch);
        store.submit(batch).release();
        let pass = first.pass("6281", 1);
        store.close().await;
        drop(store);
        let again = media(&Store::open(Some(dir.path())).unwrap());
        assert!(again.find(&path).is_ok());
        assert!(again.passes.holder(&pass).is_some());
    }
}
