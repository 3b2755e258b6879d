//! `kurir doctor`: checks configuration, master key and every stored row, while the service is stopped.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::run::say;
use crate::store::{FILE_NAME, Store};

/// Checks everything and says what it found; fails when something is wrong.
pub fn run(config: &Config) -> Result<()> {
    say(&format!("configuration: good; data directory `{}`", config.data_dir.display()));
    if !config.data_dir.join(FILE_NAME).exists() {
        say("store: none yet, the first start makes it");
        return Ok(());
    }
    let store = Store::open(&config.data_dir, config.passphrase.as_deref())?;
    say("store: opens, and the master key fits");
    let report = store.examine()?;
    for (table, rows) in &report.rows {
        say(&format!("  {table:20} {rows:>10} rows"));
    }
    for fault in &report.faults {
        say(&format!("  fault: {fault}"));
    }
    match report.faults.len() {
        0 => {
            say("all rows can be read");
            Ok(())
        }
        faults => Err(Error::broken(format!(
            "{faults} rows cannot be read: restore a backup, or ask for help with this list"
        ))),
    }
}
