//! Address books: the saved contacts of each user, and the index by number.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use crate::error::{Code, Error, Result};
use crate::model::address_book::{Contact, NewContact};
use crate::model::id::{ContactId, UserId};
use redb::ReadableTable;

/// Saves a contact; one that the user has under this number is changed. Returns it and whether it is new.
///
/// A copy from a device never replaces a name that a person typed.
pub fn save(tables: &mut Tables<'_>, user: UserId, new: &NewContact, now: i64) -> Result<(Contact, bool)> {
    let known = tables.contacts_by_number.get((user.0, new.phone.as_str()))?.map(|row| row.value());
    let Some(mut contact) = known.map(|id| existing(tables, ContactId(id))).transpose()? else {
        let contact = Contact {
            id: ContactId(next(tables, "contact")? as u32),
            user,
            name: new.name.clone(),
            phone: new.phone.clone(),
            jid: new.jid.clone(),
            tags: new.tags.clone().unwrap_or_default(),
            from_device: new.from_device,
            created_at: now,
            updated_at: now,
        };
        put(tables, &contact)?;
        return Ok((contact, true));
    };
    if new.from_device && !contact.from_device {
        return Ok((contact, false));
    }
    contact.name.clone_from(&new.name);
    contact.jid.clone_from(&new.jid);
    if let Some(tags) = &new.tags {
        contact.tags.clone_from(tags);
    }
    contact.from_device = new.from_device;
    contact.updated_at = now;
    put(tables, &contact)?;
    Ok((contact, false))
}

/// Changes a contact; refuses a number that the user has already.
pub fn update(
    tables: &mut Tables<'_>,
    id: ContactId,
    change: impl FnOnce(&mut Contact) -> Result<()>,
) -> Result<Contact> {
    let mut contact = existing(tables, id)?;
    let old = contact.phone.clone();
    change(&mut contact)?;
    if contact.phone != old {
        if tables.contacts_by_number.get((contact.user.0, contact.phone.as_str()))?.is_some() {
            return Err(Error::new(Code::ContactExists));
        }
        tables.contacts_by_number.remove((contact.user.0, old.as_str()))?;
    }
    put(tables, &contact)?;
    Ok(contact)
}

/// Removes a contact that `may` accepts; another one counts as not there.
pub fn remove(tables: &mut Tables<'_>, id: ContactId, may: impl FnOnce(&Contact) -> bool) -> Result<Contact> {
    let contact = existing(tables, id)?;
    if !may(&contact) {
        return Err(Error::new(Code::ContactNotFound));
    }
    tables.contacts.remove(id.0)?;
    tables.contacts_by_number.remove((contact.user.0, contact.phone.as_str()))?;
    Ok(contact)
}

/// Returns the contact, or none.
pub fn get(view: &View, id: ContactId) -> Result<Option<Contact>> {
    read(&view.contacts()?, id)
}

/// Returns the address book of a user, or all of them, in no particular order.
pub fn of(view: &View, user: Option<UserId>) -> Result<Vec<Contact>> {
    let contacts = view.contacts()?;
    let Some(user) = user else {
        let all = contacts.iter()?.map(|row| {
            let (id, value) = row?;
            decode("contacts", id.value(), value.value())
        });
        return all.collect();
    };
    let mut found = Vec::new();
    let numbers = view.contacts_by_number()?;
    for row in numbers.range((user.0, "")..=(user.0, "\u{10ffff}"))? {
        found.extend(read(&contacts, ContactId(row?.1.value()))?);
    }
    Ok(found)
}

/// Returns how many contacts a user has saved.
pub fn count(view: &View, user: UserId) -> Result<usize> {
    Ok(view.contacts_by_number()?.range((user.0, "")..=(user.0, "\u{10ffff}"))?.count())
}

fn existing(tables: &Tables<'_>, id: ContactId) -> Result<Contact> {
    read(&tables.contacts, id)?.ok_or_else(|| Error::new(Code::ContactNotFound))
}

fn read(table: &impl ReadableTable<u32, &'static [u8]>, id: ContactId) -> Result<Option<Contact>> {
    match table.get(id.0)? {
        Some(row) => decode("contacts", id, row.value()).map(Some),
        None => Ok(None),
    }
}

fn put(tables: &mut Tables<'_>, contact: &Contact) -> Result<()> {
    tables.contacts.insert(contact.id.0, encode(contact)?.as_slice())?;
    tables.contacts_by_number.insert((contact.user.0, contact.phone.as_str()), contact.id.0)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn new(name: &str, phone: &str, from_device: bool) -> NewContact {
        NewContact { from_device, ..NewContact::parse(name, Some(phone), None, None).expect("a contact") }
    }

    #[tokio::test]
    async fn a_number_stands_once_per_user_and_a_typed_name_wins() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        let save_as = |user: u32, new: NewContact| {
            let store = store.clone();
            async move { store.write(move |t| save(t, UserId(user), &new, 1)).await.expect("saved") }
        };
        let (first, is_new) = save_as(1, new("Ani WA", "081234567890", true)).await;
        assert!(is_new);
        let (typed, is_new) = save_as(1, new("Bu Ani", "+62 812-3456-7890", false)).await;
        assert!(!is_new && typed.id == first.id && typed.name == "Bu Ani");
        let (copied, _) = save_as(1, new("Ani WA", "081234567890", true)).await;
        assert_eq!(copied.name, "Bu Ani");
        let (other, is_new) = save_as(2, new("Ani", "081234567890", false)).await;
        assert!(is_new && other.id != first.id);
        let view = store.view().expect("a view");
        assert_eq!((count(&view, UserId(1)).expect("read"), of(&view, None).expect("read").len()), (1, 2));
    }

    #[tokio::test]
    async fn a_changed_number_is_found_and_the_old_one_free_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        let user = UserId(1);
        let ani =
            store.write(move |t| save(t, user, &new("Ani", "0811111111", false), 1)).await.expect("saved").0;
        let budi =
            store.write(move |t| save(t, user, &new("Budi", "0822222222", false), 1)).await.expect("saved").0;
        let to = |id: ContactId, phone: &'static str| {
            let store = store.clone();
            let phone = crate::model::address_book::number(phone).expect("a number");
            async move {
                store
                    .write(move |t| {
                        update(t, id, |contact| {
                            contact.phone.clone_from(&phone);
                            Ok(())
                        })
                    })
                    .await
            }
        };
        assert_eq!(to(ani.id, "0822222222").await.expect_err("taken").code(), Code::ContactExists);
        to(ani.id, "0833333333").await.expect("changed");
        to(budi.id, "0811111111").await.expect("free again");
        let gone = store.write(move |t| remove(t, ani.id, |contact| contact.user == UserId(2))).await;
        assert_eq!(gone.expect_err("not theirs").code(), Code::ContactNotFound);
        store.write(move |t| remove(t, ani.id, |_| true)).await.expect("removed");
        assert_eq!(count(&store.view().expect("a view"), user).expect("read"), 1);
    }
}
