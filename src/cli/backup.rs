//! `kurir backup` and `kurir restore`: one archive with everything that is needed to start again elsewhere.
//!
//! The archive holds the master key beside the data it seals, so it is as secret as the machine: it is written for its owner
//! only. The service has to be stopped, because one process owns the store.

use crate::config::Config;
use crate::error::{Context, Error, Result};
use crate::run::{prepare_data_dir, say};
use crate::store::files::MEDIA_DIR;
use crate::store::{FILE_NAME, Store};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs::File;
use std::path::Path;

/// Files and folders of the data directory that belong into a backup, as far as they exist.
const PARTS: [&str; 7] =
    [FILE_NAME, "master.key", "master.salt", "kurir.toml", "uploads", MEDIA_DIR, "sandbox"];

/// Writes the archive; an existing file is never overwritten.
pub fn backup(config: &Config, file: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if file.exists() {
        return Err(Error::broken(format!("`{}` exists already: choose another name", file.display())));
    }
    if !config.data_dir.join(FILE_NAME).exists() {
        return Err(Error::broken(format!(
            "`{}` holds no kurir: check --data-dir",
            config.data_dir.display()
        )));
    }
    // Holding the store open proves that nobody writes while its file is read.
    let store = Store::open(&config.data_dir, config.passphrase.as_deref())?;
    let half_done = file.with_extension("partial");
    let target = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half_done)
        .context("creating the archive")?;
    let mut archive = tar::Builder::new(GzEncoder::new(target, Compression::default()));
    for part in PARTS {
        let path = config.data_dir.join(part);
        if path.is_dir() {
            archive.append_dir_all(part, &path).context("writing the archive")?;
        } else if path.is_file() {
            archive.append_path_with_name(&path, part).context("writing the archive")?;
        }
    }
    let target = archive.into_inner().and_then(GzEncoder::finish).context("finishing the archive")?;
    target.sync_all().context("finishing the archive")?;
    std::fs::rename(&half_done, file).context("putting the archive in place")?;
    store.close();
    say(&format!("wrote `{}`; it holds the master key, so keep it as secret as the machine", file.display()));
    Ok(())
}

/// Unpacks an archive into a data directory that holds no kurir yet, and proves that it opens.
pub fn restore(config: &Config, file: &Path) -> Result<()> {
    if config.data_dir.join(FILE_NAME).exists() {
        return Err(Error::broken(format!(
            "`{}` holds a kurir already: move it away or choose another --data-dir",
            config.data_dir.display()
        )));
    }
    let archive =
        File::open(file).map_err(|why| Error::internal(format!("opening `{}`", file.display()), why))?;
    prepare_data_dir(config)?;
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries().context("reading the archive")? {
        let mut entry = entry.context("reading the archive")?;
        let path = entry.path().context("reading the archive")?.into_owned();
        if !PARTS.iter().any(|part| path.starts_with(part)) {
            return Err(Error::broken(format!(
                "`{}` does not belong into a backup of kurir",
                path.display()
            )));
        }
        entry.unpack_in(&config.data_dir).context("unpacking the archive")?;
    }
    Store::open(&config.data_dir, config.passphrase.as_deref())?.close();
    say(&format!(
        "restored into `{}`; start kurir only here, not where the backup was made",
        config.data_dir.display()
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::settings;

    #[tokio::test]
    async fn a_backup_restores_elsewhere_and_overwrites_nothing() {
        let (from, to) =
            (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        let at = |dir: &Path| Config { data_dir: dir.to_owned(), ..Config::default() };
        let store = Store::for_tests(from.path());
        store.write(|t| settings::set(t, "kept", &7)).await.expect("written");
        let file = to.path().join("kurir.tar.gz");
        let refused = backup(&at(from.path()), &file).expect_err("the store is open").to_string();
        assert!(refused.contains("stop the running kurir first"), "{refused}");
        store.close();
        drop(store);
        backup(&at(from.path()), &file).expect("a backup");
        assert!(backup(&at(from.path()), &file).is_err(), "an existing file is kept");
        let home = to.path().join("data");
        restore(&at(&home), &file).expect("restored");
        let store = Store::for_tests(&home);
        assert_eq!(settings::get::<u32>(&store.view().expect("a view"), "kept").expect("read"), Some(7));
        store.close();
        drop(store);
        assert!(restore(&at(&home), &file).is_err(), "an existing kurir is kept");
    }
}
