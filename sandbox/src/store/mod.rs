//! The journal of the network: what must survive SIGKILL, as rows of keys and bytes.
//! The state itself lives in memory; changes arrive here as batches, and what a batch promises to the outside
//! (acknowledgements, deliveries) happens only after its rows are on disk. Without a data directory it happens at once.

mod tables;
mod writer;

pub use tables::Table;

use anyhow::{Context, Result};
use redb::{Database, ReadableDatabase, ReadableTable};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use writer::Writer;

const FILE: &str = "network.redb";

/// One changed row; no value means that it is gone.
pub(crate) struct Row {
    table: Table,
    key: String,
    value: Option<Vec<u8>>,
}

type Effect = Box<dyn FnOnce() + Send>;

/// Rows that belong together, and what may happen once they are stored.
pub struct Batch {
    durable: bool,
    rows: Vec<Row>,
    effects: Vec<Effect>,
}

impl Batch {
    /// Writes a row. `value` runs only when there is a disk to write to.
    pub fn put(&mut self, table: Table, key: String, value: impl FnOnce() -> Vec<u8>) {
        if self.durable {
            self.rows.push(Row { table, key, value: Some(value()) });
        }
    }

    /// Writes a row that is ready, made by `prepare` while its source was at hand.
    pub fn put_prepared(&mut self, table: Table, key: String, value: Option<Vec<u8>>) {
        if let Some(value) = value {
            self.rows.push(Row { table, key, value: Some(value) });
        }
    }

    /// Makes a value now, if there is a disk to write it to.
    pub fn prepare(&self, value: impl FnOnce() -> Vec<u8>) -> Option<Vec<u8>> {
        self.durable.then(value)
    }

    /// Removes a row.
    pub fn delete(&mut self, table: Table, key: impl FnOnce() -> String) {
        if self.durable {
            self.rows.push(Row { table, key: key(), value: None });
        }
    }

    /// Lets something happen once the rows are stored. Effects must be short: they run on the writer's thread.
    pub fn then(&mut self, effect: impl FnOnce() + Send + 'static) {
        self.effects.push(Box::new(effect));
    }
}

/// A batch on its way to the disk. Rows that overwrite others are submitted under the lock that orders them,
/// and released after that lock is free, because without a disk the effects run right here.
#[must_use = "without a disk the effects only happen on release"]
pub struct Submitted(Vec<Effect>);

impl Submitted {
    /// Lets the effects happen, unless the writer does it after the commit.
    pub fn release(self) {
        self.0.into_iter().for_each(|effect| effect());
    }
}

/// The journal.
pub struct Store {
    disk: Option<Disk>,
}

struct Disk {
    /// Gone once the journal is closed, so that the next network can open the file.
    db: Mutex<Option<Arc<Database>>>,
    writer: Writer,
}

impl Store {
    /// Opens the journal in a directory, creating both when missing. Without a directory nothing is kept.
    pub fn open(dir: Option<&Path>) -> Result<Self> {
        let Some(dir) = dir else { return Ok(Self { disk: None }) };
        std::fs::create_dir_all(dir).with_context(|| format!("creating `{}`", dir.display()))?;
        let file = dir.join(FILE);
        let db = Database::create(&file).with_context(|| {
            format!("opening `{}`: is another simulated network running on it?", file.display())
        })?;
        let tx = db.begin_write()?;
        for table in Table::ALL {
            tx.open_table(table.definition())?;
        }
        tx.commit()?;
        let db = Arc::new(db);
        let writer = Writer::start(db.clone())?;
        Ok(Self { disk: Some(Disk { db: Mutex::new(Some(db)), writer }) })
    }

    /// Starts an empty batch.
    pub fn batch(&self) -> Batch {
        Batch { durable: self.disk.is_some(), rows: Vec::new(), effects: Vec::new() }
    }

    /// Hands a batch to the writer without waiting.
    pub fn submit(&self, batch: Batch) -> Submitted {
        match &self.disk {
            Some(disk) if !batch.rows.is_empty() || disk.writer.busy() => {
                disk.writer.submit(batch.rows, batch.effects);
                Submitted(Vec::new())
            }
            _ => Submitted(batch.effects),
        }
    }

    /// Waits while the writer is far behind, so that a fast client cannot fill the memory.
    pub async fn room(&self) {
        if let Some(disk) = &self.disk {
            disk.writer.room().await;
        }
    }

    /// Reads every row of a table in key order.
    pub fn load(&self, table: Table, mut row: impl FnMut(&str, &[u8]) -> Result<()>) -> Result<()> {
        let Some(disk) = &self.disk else { return Ok(()) };
        let db = disk.db().context("the journal is closed")?;
        let rows = db.begin_read()?.open_table(table.definition())?;
        for entry in rows.iter()? {
            let (key, value) = entry?;
            row(key.value(), value.value())
                .with_context(|| format!("reading row `{}` of `{}`", key.value(), table.name()))?;
        }
        Ok(())
    }

    /// Stops the writer after everything submitted so far is stored, and lets go of the file.
    pub async fn close(&self) {
        if let Some(disk) = &self.disk {
            disk.writer.close().await;
            disk.db.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

impl Disk {
    fn db(&self) -> Option<Arc<Database>> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn keys(store: &Store, table: Table) -> Vec<String> {
        let mut keys = Vec::new();
        store
            .load(table, |key, _| {
                keys.push(key.to_owned());
                Ok(())
            })
            .unwrap();
        keys
    }

    #[tokio::test]
    async fn effects_follow_their_rows_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(Some(dir.path())).unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        for n in 0..500 {
            let mut batch = store.batch();
            let key = format!("{n:04}");
            batch.put(Table::Queue, key.clone(), || b"x".to_vec());
            let (seen, reader) = (seen.clone(), store.clone());
            batch.then(move || {
                if n % 100 == 0 {
                    assert!(keys(&reader, Table::Queue).contains(&key), "the row is there before its effect");
                }
                seen.lock().unwrap().push(n);
            });
            store.submit(batch).release();
        }
        store.close().await;
        assert_eq!(*seen.lock().unwrap(), (0..500).collect::<Vec<_>>());
        drop(store);
        assert_eq!(keys(&Store::open(Some(dir.path())).unwrap(), Table::Queue).len(), 500);
    }

    #[tokio::test]
    async fn rows_survive_a_reopen_and_deletes_too() {
        let dir = tempfile::tempdir().unwrap();
        {
            let store = Store::open(Some(dir.path())).unwrap();
            let mut batch = store.batch();
            batch.put(Table::Meta, "a".into(), || vec![1]);
            batch.put(Table::Meta, "b".into(), || vec![2]);
            store.submit(batch).release();
            let mut batch = store.batch();
            batch.delete(Table::Meta, || "a".into());
            store.submit(batch).release();
            store.close().await;
        }
        assert_eq!(keys(&Store::open(Some(dir.path())).unwrap(), Table::Meta), vec!["b"]);
    }

    #[tokio::test]
    async fn a_second_network_on_the_same_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let _first = Store::open(Some(dir.path())).unwrap();
        let error = Store::open(Some(dir.path())).err().unwrap();
        assert!(format!("{error:#}").contains("another simulated network"));
    }

    #[test]
    fn without_a_disk_values_are_never_made() {
        let store = Store::open(None).unwrap();
        let mut batch = store.batch();
        batch.put(Table::Meta, "a".into(), || panic!("made a value nobody keeps"));
        let ran = Arc::new(AtomicUsize::new(0));
        let counter = ran.clone();
        batch.then(move || {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        store.submit(batch).release();
        assert_eq!(ran.load(Ordering::Relaxed), 1);
    }
}
