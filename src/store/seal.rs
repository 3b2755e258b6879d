//! Sealing of secret tables: AES-256-GCM under a master key that does not lie in the database.
//!
//! The key comes from a systemd credential (`kurir-master-key`), from a passphrase (argon2id, salt beside the database), or from
//! a file of mode 0600 beside the database that is made on first start. Each value is bound to its table and key, so that a
//! row copied elsewhere does not open.

use crate::error::{Context, Error, Result};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use std::path::Path;

/// File that holds the key in hex, inside the data directory.
pub const KEY_FILE: &str = "master.key";
/// File that holds the salt of a passphrase, inside the data directory.
const SALT_FILE: &str = "master.salt";
/// Name of the systemd credential.
const CREDENTIAL: &str = "kurir-master-key";
const NONCE_LEN: usize = 12;

/// Seals and opens values.
#[derive(Clone)]
pub struct Seal {
    cipher: Aes256Gcm,
}

impl Seal {
    /// Finds or makes the master key of the data directory `dir`.
    pub(super) fn open(dir: &Path, passphrase: Option<&str>) -> Result<Self> {
        let key = match (credential()?, passphrase) {
            (Some(key), _) => key,
            (None, Some(passphrase)) => from_passphrase(dir, passphrase)?,
            (None, None) => from_file(&dir.join(KEY_FILE))?,
        };
        let cipher = Aes256Gcm::new(&key.into());
        Ok(Self { cipher })
    }

    /// Seals `plain` for the row `key` of `table`.
    pub fn seal_value(&self, table: &str, key: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let aad = bound_to(table, key);
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| Error::broken(format!("sealing a row of `{table}`")))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a value that was sealed for the row `key` of `table`.
    pub fn open_value(&self, table: &str, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let refuse = || {
            Error::broken(format!(
                "a sealed row of `{table}` does not open: the master key does not belong to this database, or the row is damaged; \
                 put the master key back that was in use when the database was made"
            ))
        };
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or_else(refuse)?;
        let aad = bound_to(table, key);
        self.cipher.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad: &aad }).map_err(|_| refuse())
    }
}

fn bound_to(table: &str, key: &[u8]) -> Vec<u8> {
    [table.as_bytes(), b"\0", key].concat()
}

fn credential() -> Result<Option<[u8; 32]>> {
    let Some(dir) = std::env::var_os("CREDENTIALS_DIRECTORY") else { return Ok(None) };
    let path = Path::new(&dir).join(CREDENTIAL);
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).context("reading the systemd credential of the master key")?;
    parse(&text).map(Some)
}

fn from_passphrase(dir: &Path, passphrase: &str) -> Result<[u8; 32]> {
    let path = dir.join(SALT_FILE);
    if dir.join(KEY_FILE).exists() && !path.exists() {
        return Err(Error::broken(format!(
            "a passphrase is configured, but this data directory uses the key file `{KEY_FILE}`: unset the passphrase"
        )));
    }
    let salt = match std::fs::read_to_string(&path) {
        Ok(text) => parse(&text)?,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => make(&path)?,
        Err(why) => return Err(Error::internal("reading the salt of the master key", why)),
    };
    let mut key = [0; 32];
    argon2::Argon2::default()
        .hash_password_into(passphrase.as_bytes(), &salt, &mut key)
        .map_err(|why| Error::broken(format!("deriving the master key: {why}")))?;
    Ok(key)
}

fn from_file(path: &Path) -> Result<[u8; 32]> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => make(path),
        Err(why) => Err(Error::internal(format!("reading the master key `{}`", path.display()), why)),
    }
}

fn parse(text: &str) -> Result<[u8; 32]> {
    let bytes = hex::decode(text.trim()).context("reading the master key, which has to be 64 hex digits")?;
    bytes.try_into().map_err(|_| Error::broken("the master key has to be 64 hex digits"))
}

/// Writes 32 new random bytes durably before they are used for the first time.
fn make(path: &Path) -> Result<[u8; 32]> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let key: [u8; 32] = rand::random();
    let half_done = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half_done)
        .context("creating the master key")?;
    file.write_all(hex::encode(key).as_bytes()).context("writing the master key")?;
    file.sync_all().context("writing the master key")?;
    std::fs::rename(&half_done, path).context("putting the master key in place")?;
    if let Some(dir) = path.parent() {
        std::fs::File::open(dir).and_then(|dir| dir.sync_all()).context("putting the master key in place")?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let dir = tempfile::tempdir().expect("a directory");
        let seal = Seal::open(dir.path(), None).expect("a key");
        let sealed = seal.seal_value("protocol", b"row", b"secret").expect("sealed");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(seal.open_value("protocol", b"row", &sealed).expect("opens"), b"secret");
        assert!(seal.open_value("protocol", b"other", &sealed).is_err());
        assert!(seal.open_value("secrets", b"row", &sealed).is_err());
        let again = Seal::open(dir.path(), None).expect("the same key");
        assert_eq!(again.open_value("protocol", b"row", &sealed).expect("opens"), b"secret");
    }

    #[test]
    fn the_key_file_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        Seal::open(dir.path(), None).expect("a key");
        let mode = std::fs::metadata(dir.path().join(KEY_FILE)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_passphrase_makes_the_same_key_again_and_another_one_does_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let open = |passphrase| Seal::open(dir.path(), Some(passphrase)).expect("a key");
        let sealed = open("right").seal_value("t", b"k", b"v").expect("sealed");
        assert_eq!(open("right").open_value("t", b"k", &sealed).expect("opens"), b"v");
        assert!(open("wrong").open_value("t", b"k", &sealed).is_err());
    }
}
