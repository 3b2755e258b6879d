//! Hashing of passwords: argon2id, off the async threads, a bounded number at a time.

use crate::error::{Context, Error, Result};
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Hashes computed at the same time. Each takes 19 MiB and a whole core for some ten milliseconds.
const PARALLEL: usize = 2;

/// Hashes and verifies passwords. Clones share the bound.
#[derive(Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
}

impl Passwords {
    /// Returns a hasher with its own bound.
    pub fn new() -> Self {
        Self { slots: Arc::new(Semaphore::new(PARALLEL)) }
    }

    /// Returns the hash of `password` in PHC form.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.run(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
                .map_err(|why| Error::broken(format!("hashing a password: {why}")))
        })
        .await
    }

    /// Returns whether `password` belongs to `hash`.
    ///
    /// Without a hash (no such user) it takes as long as with one, so that names cannot be guessed by the clock.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
        self.run(move || {
            let Some(hash) = hash else {
                return Argon2::default()
                    .hash_password(password.as_bytes())
                    .map(|_| false)
                    .map_err(|why| Error::broken(format!("hashing a password: {why}")));
            };
            let hash = PasswordHash::new(&hash)
                .map_err(|why| Error::broken(format!("reading a password hash: {why}")))?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _slot = self.slots.acquire().await.context("waiting for a password slot")?;
        tokio::task::spawn_blocking(work).await.context("waiting for a password hash")?
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.expect("hashed");
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify("correct horse", Some(&hash)).await.expect("verified"));
        assert!(!passwords.verify("wrong horse", Some(&hash)).await.expect("verified"));
        assert!(!passwords.verify("correct horse", None).await.expect("verified"));
    }
}
