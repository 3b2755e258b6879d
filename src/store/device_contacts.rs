//! The names that a linked account knows people by. Chats take their names from here.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{chats, identities};
use crate::error::Result;
use crate::model::device_contact::{DeviceContact, Names};
use crate::model::id::DeviceNo;
use crate::model::jid::{Jid, Server};
use redb::ReadableTable;

const TABLE: &str = "device_contacts";

/// Takes what became known of a person's names; their chat is renamed in the same transaction.
pub fn learn(tables: &mut Tables<'_>, device: DeviceNo, person: &Jid, names: &Names) -> Result<()> {
    let jid = identities::canonical_in(tables, device, person)?;
    if !matches!(jid.server(), Server::User | Server::Lid) {
        return Ok(());
    }
    let key = jid.to_string();
    let known = read(&tables.device_contacts, device, &key)?;
    let mut contact = known.unwrap_or_else(|| DeviceContact::new(jid));
    if !contact.learn(names) {
        return Ok(());
    }
    put(tables, device, &key, &contact)?;
    chats::set_name(tables, device, &key, contact.shown_name())
}

/// Returns all people that the account knows, in the order of their addresses.
pub fn all(view: &View, device: DeviceNo) -> Result<Vec<DeviceContact>> {
    let table = view.device_contacts()?;
    let rows = table.range((device.0, "")..=(device.0, "\u{10ffff}"))?;
    rows.map(|row| {
        let (at, value) = row?;
        decode(TABLE, at.value(), value.value())
    })
    .collect()
}

/// Returns a person, or none.
pub fn get(view: &View, device: DeviceNo, person: &str) -> Result<Option<DeviceContact>> {
    read(&view.device_contacts()?, device, person)
}

/// Returns the name under which a person is shown, or none.
pub(super) fn shown_name(tables: &Tables<'_>, device: DeviceNo, person: &str) -> Result<Option<String>> {
    let contact = read(&tables.device_contacts, device, person)?;
    Ok(contact.and_then(|contact| contact.shown_name().map(str::to_owned)))
}

/// Moves what is known of a person to their other address.
pub(super) fn merge(tables: &mut Tables<'_>, device: DeviceNo, from: &Jid, to: &Jid) -> Result<()> {
    let (old_key, key) = (from.to_string(), to.to_string());
    let Some(old) = read(&tables.device_contacts, device, &old_key)? else { return Ok(()) };
    tables.device_contacts.remove((device.0, old_key.as_str()))?;
    let known = read(&tables.device_contacts, device, &key)?;
    let mut contact = known.unwrap_or_else(|| DeviceContact::new(to.clone()));
    contact.absorb(old);
    put(tables, device, &key, &contact)?;
    chats::set_name(tables, device, &key, contact.shown_name())
}

/// Forgets all people of a device, when another account may take its place.
pub fn wipe(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    let all = (device.0, "")..=(device.0, "\u{10ffff}");
    Ok(tables.device_contacts.retain_in(all, |_, _| false)?)
}

fn read(
    table: &impl ReadableTable<(u32, &'static str), &'static [u8]>,
    device: DeviceNo,
    key: &str,
) -> Result<Option<DeviceContact>> {
    match table.get((device.0, key))? {
        Some(row) => decode(TABLE, key, row.value()).map(Some),
        None => Ok(None),
    }
}

fn put(tables: &mut Tables<'_>, device: DeviceNo, key: &str, contact: &DeviceContact) -> Result<()> {
    tables.device_contacts.insert((device.0, key), encode(contact)?.as_slice())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::jid::Identity;
    use crate::store::messages::tests::store_with_device;

    #[tokio::test]
    async fn what_was_known_under_a_hidden_id_belongs_to_the_number() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let identity = Identity { lid: "100".into(), phone: "6281234567890".into() };
        let (lid, phone) = (identity.lid_jid(), identity.phone_jid());
        let names = |name: Option<&str>, notify: Option<&str>| Names {
            name: name.map(str::to_owned),
            notify: notify.map(str::to_owned),
            verified_name: None,
        };
        let (first, second, third) =
            (names(Some("Ani"), Some("a")), names(None, Some("ani")), names(None, Some("ani 2")));
        let (by_lid, by_phone) = (lid.clone(), phone.clone());
        store
            .write(move |t| {
                learn(t, device, &by_lid, &first)?;
                learn(t, device, &by_phone, &second)?;
                learn(t, device, &"120363123456789012@g.us".parse()?, &first)?;
                identities::learn(t, device, &identity, 9)?;
                learn(t, device, &by_lid, &third)
            })
            .await
            .expect("learned");
        let all = all(&store.view().expect("a view"), device).expect("read");
        let expected = DeviceContact {
            jid: phone,
            name: Some("Ani".into()),
            notify: Some("ani 2".into()),
            verified_name: None,
        };
        assert_eq!(all, [expected]);
        store.write(move |t| wipe(t, device)).await.expect("wiped");
        assert!(super::all(&store.view().expect("a view"), device).expect("read").is_empty());
    }
}
