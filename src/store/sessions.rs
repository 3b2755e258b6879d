//! Raw protocol state per device: bytes in, bytes out. What the records mean is known in `wa/backend` alone.
//!
//! A record is addressed by device, kind and key; kinds are numbers so that a kind is a range. Values are sealed.

use super::seal::Seal;
use super::tables::{Tables, View};
use super::{Store, device_contacts, identities};
use crate::error::Result;
use crate::model::device_contact::Names;
use crate::model::id::DeviceNo;
use crate::model::jid::{Identity, Jid};

/// Kind of a protocol record; `wa/backend` gives the numbers their meaning.
pub type Kind = u8;

const TABLE: &str = "protocol";

/// Returns the record, if there is one.
pub fn get(view: &View, seal: &Seal, device: DeviceNo, kind: Kind, key: &[u8]) -> Result<Option<Vec<u8>>> {
    match view.protocol()?.get((device.0, kind, key))? {
        Some(row) => seal.open_value(TABLE, &address(device, kind, key), row.value()).map(Some),
        None => Ok(None),
    }
}

/// Returns all records of a kind whose key begins with `prefix`, in key order.
pub fn list(
    view: &View,
    seal: &Seal,
    device: DeviceNo,
    kind: Kind,
    prefix: &[u8],
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut found = Vec::new();
    each(view, seal, device, kind, prefix, |key, value| {
        found.push((key.to_vec(), value));
        Ok(())
    })?;
    Ok(found)
}

/// Shows all records of a kind whose key begins with `prefix` to `visit`, one by one in key order.
pub fn each(
    view: &View,
    seal: &Seal,
    device: DeviceNo,
    kind: Kind,
    prefix: &[u8],
    mut visit: impl FnMut(&[u8], Vec<u8>) -> Result<()>,
) -> Result<()> {
    let table = view.protocol()?;
    for row in table.range((device.0, kind, prefix)..)? {
        let (at, value) = row?;
        let (no, of, key) = at.value();
        if no != device.0 || of != kind || !key.starts_with(prefix) {
            break;
        }
        visit(key, seal.open_value(TABLE, &address(device, kind, key), value.value())?)?;
    }
    Ok(())
}

/// Returns the keys of a kind that begin with `prefix`, in order, without opening the values.
pub fn keys(view: &View, device: DeviceNo, kind: Kind, prefix: &[u8]) -> Result<Vec<Vec<u8>>> {
    let table = view.protocol()?;
    let mut found = Vec::new();
    for row in table.range((device.0, kind, prefix)..)? {
        let at = row?.0;
        let (no, of, key) = at.value();
        if no != device.0 || of != kind || !key.starts_with(prefix) {
            break;
        }
        found.push(key.to_vec());
    }
    Ok(found)
}

/// Opens one row of the table, for a look at everything.
pub(super) fn open_row(seal: &Seal, device: u32, kind: Kind, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    seal.open_value(TABLE, &address(DeviceNo(device), kind, key), sealed)
}

/// A change of one record. Values are sealed when the change is made, outside of the writer thread.
pub struct Change {
    kind: Kind,
    key: Vec<u8>,
    sealed: Option<Vec<u8>>,
}

impl Change {
    /// Writes the record, replacing an older one.
    pub fn put(seal: &Seal, device: DeviceNo, kind: Kind, key: &[u8], value: &[u8]) -> Result<Self> {
        let sealed = seal.seal_value(TABLE, &address(device, kind, key), value)?;
        Ok(Self { kind, key: key.to_vec(), sealed: Some(sealed) })
    }

    /// Removes the record, if there is one.
    pub fn delete(kind: Kind, key: &[u8]) -> Self {
        Self { kind, key: key.to_vec(), sealed: None }
    }
}

/// Applies all changes to the device's records; part of a larger transaction.
pub fn apply(tables: &mut Tables<'_>, device: DeviceNo, changes: &[Change]) -> Result<()> {
    for change in changes {
        let at = (device.0, change.kind, change.key.as_slice());
        match &change.sealed {
            Some(sealed) => drop(tables.protocol.insert(at, sealed.as_slice())?),
            None => drop(tables.protocol.remove(at)?),
        }
    }
    Ok(())
}

/// Applies all changes in one transaction and returns once they are on disk.
pub async fn write(store: &Store, device: DeviceNo, changes: Vec<Change>) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    store.write(move |tables| apply(tables, device, &changes)).await
}

/// What became known of people together with a change of the protocol state.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// Who is who.
    pub who: Vec<Identity>,
    /// How they are called.
    pub names: Vec<(Jid, Names)>,
}

impl People {
    /// Returns whether nothing became known.
    pub fn is_empty(&self) -> bool {
        self.who.is_empty() && self.names.is_empty()
    }
}

/// Applies all changes and remembers what became known of people, in one transaction.
pub async fn write_with(
    store: &Store,
    device: DeviceNo,
    changes: Vec<Change>,
    people: People,
    now: i64,
) -> Result<()> {
    let work = move |tables: &mut Tables<'_>| {
        apply(tables, device, &changes)?;
        for identity in &people.who {
            identities::learn(tables, device, identity, now)?;
        }
        people
            .names
            .iter()
            .try_for_each(|(person, names)| device_contacts::learn(tables, device, person, names))
    };
    store.write(work).await
}

/// Deletes every record of the device.
pub fn wipe(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    let first = (device.0, 0, &[][..]);
    match device.0.checked_add(1) {
        Some(next) => tables.protocol.retain_in(first..(next, 0, &[][..]), |_, _| false)?,
        None => tables.protocol.retain_in(first.., |_, _| false)?,
    }
    Ok(())
}

fn address(device: DeviceNo, kind: Kind, key: &[u8]) -> Vec<u8> {
    [&device.0.to_be_bytes()[..], &[kind], key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn records_are_sealed_listed_by_kind_and_wiped_by_device() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        let (one, two) = (DeviceNo(1), DeviceNo(2));
        for (device, kind, key) in [(one, 1, "a"), (one, 1, "ab"), (one, 2, "a"), (two, 1, "a")] {
            let change =
                Change::put(store.seal(), device, kind, key.as_bytes(), b"hidden value").expect("sealed");
            write(&store, device, vec![change]).await.expect("written");
        }
        let view = store.view().expect("a view");
        assert_eq!(get(&view, store.seal(), one, 1, b"a").expect("read"), Some(b"hidden value".to_vec()));
        assert_eq!(list(&view, store.seal(), one, 1, b"a").expect("read").len(), 2);
        assert_eq!(keys(&view, one, 1, b"ab").expect("read"), [b"ab".to_vec()]);
        drop(view);
        write(&store, one, vec![Change::delete(1, b"ab")]).await.expect("deleted");
        store.write(move |t| wipe(t, one)).await.expect("wiped");
        let view = store.view().expect("a view");
        assert!(keys(&view, one, 1, b"").expect("read").is_empty());
        assert_eq!(keys(&view, two, 1, b"").expect("read").len(), 1);
        store.close();
        let file = std::fs::read(dir.path().join(super::super::FILE_NAME)).expect("the file");
        assert!(!file.windows(12).any(|part| part == b"hidden value"));
    }
}
