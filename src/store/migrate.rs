//! Numbered steps from one layout of the store to the next, run at open.
//!
//! A step and its version bump are one transaction, so an interrupted migration continues where it stopped; a long step goes in
//! pieces of one transaction each. The file is copied aside before the first step.

use super::tables::Tables;
use super::{file_uses, messages, settings};
use crate::error::{Context, Error, Result};
use crate::model::message::Message;
use redb::{Database, ReadableTable as _};
use std::path::Path;

/// Does the next piece of a step and returns whether it was the last one.
type Step = fn(&mut Tables<'_>) -> Result<bool>;

/// `STEPS[n]` leads from schema `n + 1` to `n + 2`. Schema 1 is the first released layout.
const STEPS: &[Step] = &[classes_by_priority, index_messages, note_files];

/// Messages that are indexed per transaction: few enough for a small memory, many enough to share the wait for the disk.
const PIECE: usize = 2_000;
/// Name of the setting that holds how far a step through all messages has come.
const UP_TO: &str = "migration-indexed-up-to";

/// Bulk stood in class 1 before jobs had a priority; class 1 is high priority now, 2 is normal.
fn classes_by_priority(tables: &mut Tables<'_>) -> Result<bool> {
    let mut bulk = Vec::new();
    for row in tables.queue.iter()? {
        let (place, entry) = row?;
        let ((device, class, due, seq), (job, index)) = (place.value(), entry.value());
        if class == 1 {
            bulk.push(((device, due, seq), (job.to_owned(), index)));
        }
    }
    for ((device, due, seq), (job, index)) in bulk {
        tables.queue.remove((device, 1, due, seq))?;
        tables.queue.insert((device, 2, due, seq), (job.as_str(), index))?;
    }
    Ok(true)
}

/// Messages had no index of words and were not counted per day.
fn index_messages(tables: &mut Tables<'_>) -> Result<bool> {
    visit_messages(tables, PIECE, messages::index_missing)
}

/// Nobody knew which messages show a file.
fn note_files(tables: &mut Tables<'_>) -> Result<bool> {
    visit_messages(tables, PIECE, file_uses::add_missing)
}

fn visit_messages(
    tables: &mut Tables<'_>,
    piece: usize,
    visit: fn(&mut Tables<'_>, &Message) -> Result<()>,
) -> Result<bool> {
    let from = settings::get_in(tables, UP_TO)?;
    match messages::visit_next(tables, from, piece, visit)? {
        Some(up_to) => settings::set(tables, UP_TO, &up_to).map(|()| false),
        None => settings::remove(tables, UP_TO).map(|()| true),
    }
}

/// Brings the file to the layout of this program, or refuses when it comes from a newer one.
pub(super) fn run(db: &Database, path: &Path) -> Result<()> {
    run_steps(db, path, STEPS)
}

fn run_steps(db: &Database, path: &Path, steps: &[Step]) -> Result<()> {
    let newest = steps.len() as u64 + 1;
    let Some(mut schema) = read_schema(db)? else {
        return in_transaction(db, |tables| set_schema(tables, newest));
    };
    if schema > newest {
        return Err(Error::broken(format!(
            "the database was written by a newer kurir (schema {schema}, this one knows {newest}): install the newer version"
        )));
    }
    if schema < newest {
        let copy = path.with_extension(format!("before-schema-{newest}.redb"));
        copy_aside(path, &copy).context("copying the database before its migration")?;
        tracing::info!(from = schema, to = newest, copy = %copy.display(), "migrating the database");
    }
    while let Some(step) = steps.get(schema as usize - 1) {
        let next = schema + 1;
        in_transaction(db, |tables| {
            if step(tables)? {
                schema = next;
                set_schema(tables, next)?;
            }
            Ok(())
        })
        .map_err(|error| error.context(format!("migrating the database to schema {next}")))?;
    }
    // A table that is new in this version has to exist before the first reader asks for it.
    in_transaction(db, |_| Ok(()))
}

/// Copies the file under its new name at once and whole. A copy that is there is of before the migration, which was interrupted.
fn copy_aside(path: &Path, copy: &Path) -> std::io::Result<()> {
    if copy.exists() {
        return Ok(());
    }
    let part = copy.with_extension("part");
    std::fs::copy(path, &part)?;
    std::fs::File::open(&part)?.sync_all()?;
    std::fs::rename(&part, copy)
}

fn read_schema(db: &Database) -> Result<Option<u64>> {
    let mut schema = None;
    in_transaction(db, |tables| {
        schema = tables.meta.get("schema")?.map(|row| row.value());
        Ok(())
    })?;
    Ok(schema)
}

fn set_schema(tables: &mut Tables<'_>, schema: u64) -> Result<()> {
    tables.meta.insert("schema", schema)?;
    Ok(())
}

fn in_transaction(db: &Database, work: impl FnOnce(&mut Tables<'_>) -> Result<()>) -> Result<()> {
    let tx = db.begin_write().context("beginning a migration")?;
    let mut tables = Tables::open(&tx)?;
    work(&mut tables)?;
    tables.finish()?;
    drop(tables);
    tx.commit().context("committing a migration")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::DeviceNo;
    use crate::store::messages::tests::incoming;
    use redb::ReadableTableMetadata as _;

    fn open(path: &Path) -> Database {
        Database::create(path).expect("a database")
    }

    #[test]
    fn a_newer_file_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("kurir.redb");
        let db = open(&path);
        in_transaction(&db, |tables| set_schema(tables, 99)).expect("written");
        let refused = run(&db, &path).expect_err("refused").to_string();
        assert!(refused.contains("schema 99") && refused.contains("install the newer version"), "{refused}");
        assert_eq!(read_schema(&db).expect("read"), Some(99));
    }

    #[test]
    fn bulk_of_before_priorities_is_of_normal_priority() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("kurir.redb");
        let db = open(&path);
        in_transaction(&db, |tables| {
            set_schema(tables, 1)?;
            tables.queue.insert((1, 0, 5, 1), ("single", 0))?;
            tables.queue.insert((1, 1, 5, 2), ("bulk", 0))?;
            tables.queue.insert((2, 1, 4, 3), ("bulk", 1))?;
            Ok(())
        })
        .expect("written");
        run_steps(&db, &path, &[classes_by_priority]).expect("migrated");
        let mut places = Vec::new();
        in_transaction(&db, |tables| {
            for row in tables.queue.iter()? {
                places.push(row?.0.value());
            }
            Ok(())
        })
        .expect("read");
        assert_eq!(places, [(1, 0, 5, 1), (1, 2, 5, 2), (2, 2, 4, 3)]);
    }

    #[test]
    fn messages_of_before_the_index_are_found_and_counted() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("kurir.redb");
        let db = open(&path);
        let device = DeviceNo(1);
        in_transaction(&db, |tables| {
            set_schema(tables, 2)?;
            for n in 0..7 {
                let message = incoming(device, &format!("M{n}"), 1_000 * n);
                let (chat, row) = (message.chat.to_string(), super::super::codec::encode(&message)?);
                tables
                    .messages
                    .insert((1, chat.as_str(), message.at, message.id.as_str()), row.as_slice())?;
            }
            Ok(())
        })
        .expect("written");
        let in_pieces: Step = |tables| visit_messages(tables, 3, messages::index_missing);
        for _ in 0..2 {
            run_steps(&db, &path, &[classes_by_priority, in_pieces]).expect("migrated");
            in_transaction(&db, |tables| {
                assert_eq!((tables.timeline.len()?, tables.words.len()?), (7, 14));
                assert_eq!(tables.device_days.len()?, 1);
                set_schema(tables, 2)
            })
            .expect("read");
        }
    }

    #[test]
    fn steps_run_once_in_order_and_a_failing_one_leaves_its_version_behind() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("kurir.redb");
        let db = open(&path);
        run_steps(&db, &path, &[]).expect("a new file");
        let good: Step = |tables| Ok(tables.meta.insert("good", 1).map(|_| true)?);
        let bad: Step = |tables| {
            tables.meta.insert("half", 1)?;
            Err(Error::broken("on purpose"))
        };
        assert!(run_steps(&db, &path, &[good, bad]).is_err());
        assert_eq!(read_schema(&db).expect("read"), Some(2));
        let left = |name: &'static str| {
            let mut found = None;
            in_transaction(&db, |tables| {
                found = tables.meta.get(name)?.map(|row| row.value());
                Ok(())
            })
            .expect("read");
            found
        };
        assert_eq!((left("good"), left("half")), (Some(1), None));
        run_steps(&db, &path, &[good, good]).expect("continues");
        assert_eq!(read_schema(&db).expect("read"), Some(3));
    }

    #[test]
    fn an_interrupted_migration_leaves_the_copy_of_before_it_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, copy) = (dir.path().join("kurir.redb"), dir.path().join("kurir.copy.redb"));
        for text in ["before", "halfway"] {
            std::fs::write(&path, text).expect("written");
            copy_aside(&path, &copy).expect("copied");
        }
        assert_eq!(std::fs::read_to_string(&copy).expect("read"), "before");
    }
}
