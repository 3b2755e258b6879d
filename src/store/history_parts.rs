//! Parts of a phone's history that have arrived and are still to be stored as messages. They are here as they came, packed.
//!
//! The protocol library has confirmed a part before anybody else sees it, so this is the only place that has it.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use crate::error::Result;
use crate::model::id::DeviceNo;
use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

/// How often storing a part is begun. One that ends the program every time must not do so for ever.
const ATTEMPTS: u32 = 5;

/// What is known of a part beside its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// WhatsApp's number of the kind.
    pub kind: i32,
    /// Position among the parts of its kind.
    #[serde(default)]
    pub order: Option<u32>,
    /// How much of the history has come with it, in percent.
    #[serde(default)]
    pub progress: Option<u32>,
    /// The question that it answers.
    #[serde(default)]
    pub question: Option<String>,
    /// Bytes once it is unpacked.
    pub size: usize,
    /// How often storing it was begun.
    #[serde(default)]
    pub attempts: u32,
}

/// A part in its place.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its number; parts of a device come in the order of their numbers.
    pub seq: u64,
    /// What is known of it.
    pub part: Part,
    /// The content, packed.
    pub packed: Vec<u8>,
}

/// Keeps a part until it is stored.
pub fn keep(tables: &mut Tables<'_>, device: DeviceNo, part: &Part, packed: &[u8]) -> Result<()> {
    let seq = next(tables, "history-part")?;
    tables.history_parts.insert((device.0, seq), encode(part)?.as_slice())?;
    tables.history_packed.insert((device.0, seq), packed)?;
    Ok(())
}

/// Returns the oldest part behind `seq`, or none.
pub fn after(view: &View, device: DeviceNo, seq: u64) -> Result<Option<Kept>> {
    let (parts, packed) = (view.history_parts()?, view.history_packed()?);
    let Some(row) = parts.range((device.0, seq.saturating_add(1))..=(device.0, u64::MAX))?.next() else {
        return Ok(None);
    };
    let (at, value) = row?;
    let part = decode("history_parts", at.value(), value.value())?;
    let packed = packed.get(at.value())?.map(|row| row.value().to_vec()).unwrap_or_default();
    Ok(Some(Kept { seq: at.value().1, part, packed }))
}

/// Notes that storing a part begins; returns whether it may. One that was begun too often goes.
pub fn begin(tables: &mut Tables<'_>, device: DeviceNo, seq: u64) -> Result<bool> {
    let Some(row) = tables.history_parts.get((device.0, seq))?.map(|row| row.value().to_vec()) else {
        return Ok(false);
    };
    let mut part: Part = decode("history_parts", (device, seq), &row)?;
    if part.attempts >= ATTEMPTS {
        return remove(tables, device, seq).map(|()| false);
    }
    part.attempts += 1;
    tables.history_parts.insert((device.0, seq), encode(&part)?.as_slice())?;
    Ok(true)
}

/// Forgets a part: its messages are stored.
pub fn remove(tables: &mut Tables<'_>, device: DeviceNo, seq: u64) -> Result<()> {
    tables.history_parts.remove((device.0, seq))?;
    tables.history_packed.remove((device.0, seq))?;
    Ok(())
}

/// Forgets all parts of a device whose link has ended: they belong to an account that may not be the next one.
pub fn wipe(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    let all = || (device.0, 0)..=(device.0, u64::MAX);
    tables.history_parts.retain_in(all(), |_, _| false)?;
    Ok(tables.history_packed.retain_in(all(), |_, _| false)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::store::messages::tests::store_with_device;

    fn part(order: u32) -> Part {
        let (kind, size) = (3, 10);
        Part { kind, order: Some(order), progress: Some(50), question: None, size, attempts: 0 }
    }

    fn orders(store: &Store, device: DeviceNo) -> Vec<(Option<u32>, Vec<u8>)> {
        let (view, mut seq, mut all) = (store.view().expect("a view"), 0, Vec::new());
        while let Some(kept) = after(&view, device, seq).expect("read") {
            seq = kept.seq;
            all.push((kept.part.order, kept.packed));
        }
        all
    }

    #[tokio::test]
    async fn parts_wait_in_their_order_until_they_are_stored() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for order in 1..=3u32 {
            let keep = move |t: &mut Tables<'_>| keep(t, device, &part(order), &[order as u8; 4]);
            store.write(keep).await.expect("kept");
        }
        let first = after(&store.view().expect("a view"), device, 0).expect("read").expect("a part");
        assert!(store.write(move |t| begin(t, device, first.seq)).await.expect("begun"));
        store.write(move |t| remove(t, device, first.seq)).await.expect("stored");
        assert_eq!(orders(&store, device), [(Some(2), vec![2; 4]), (Some(3), vec![3; 4])]);
        assert!(!store.write(move |t| begin(t, device, first.seq)).await.expect("gone"));
        store.write(move |t| wipe(t, device)).await.expect("wiped");
        assert!(orders(&store, device).is_empty());
    }

    #[tokio::test]
    async fn a_part_that_never_ends_well_goes() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        store.write(move |t| keep(t, device, &part(1), b"x")).await.expect("kept");
        for attempt in 0..=ATTEMPTS {
            let may = store.write(move |t| begin(t, device, 1)).await.expect("asked");
            assert_eq!(may, attempt < ATTEMPTS);
        }
        assert!(orders(&store, device).is_empty());
    }
}
