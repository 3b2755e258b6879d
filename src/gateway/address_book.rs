//! The address book: save, copy from a device, find, tag, change, delete.

use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::address_book::{Contact, NewContact, parse_tags};
use crate::model::device::Device;
use crate::model::id::{ContactId, DeviceNo, UserId};
use crate::model::jid::Phone;
use crate::store::{View, address_book, chats};
use std::collections::BTreeMap;

/// Contacts of one request, also of one copy from a device.
pub const CONTACTS_MAX: usize = 10_000;

/// Which contacts are asked for.
#[derive(Debug, Clone, Default)]
pub struct ContactFilter {
    /// Part of a name or number, without case.
    pub search: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only those who have a chat on this device.
    pub device: Option<DeviceNo>,
    /// Only of this user; administrators see those of everybody without it.
    pub user: Option<UserId>,
}

/// What a person changes about a contact; none leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ContactChange {
    /// Name.
    pub name: Option<String>,
    /// Number.
    pub phone: Option<Phone>,
    /// Tags.
    pub tags: Option<Vec<String>>,
}

/// What came of saving.
#[derive(Debug, Clone)]
pub struct SavedContacts {
    /// The contacts as they are now, in the order of the request.
    pub contacts: Vec<Contact>,
    /// How many are new.
    pub saved: usize,
    /// How many were there already.
    pub updated: usize,
}

impl Gateway {
    /// Returns the contacts that the caller may see, in the order of their names.
    pub async fn contacts(&self, caller: &Caller, filter: ContactFilter) -> Result<Vec<Contact>> {
        let user = whose(caller, filter.user);
        let search = filter.search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
        let (tag, device) = (filter.tag, filter.device);
        let found = self.store().scan(move |view| {
            let mut contacts = address_book::of(view, user)?;
            contacts.retain(|contact| {
                search.as_deref().is_none_or(|text| contains(contact, text))
                    && tag.as_ref().is_none_or(|tag| contact.tags.contains(tag))
            });
            if let Some(device) = device {
                contacts = known_to(view, device, contacts)?;
            }
            contacts.sort_by_cached_key(|contact| (contact.name.to_lowercase(), contact.id));
            Ok(contacts)
        });
        found.await
    }

    /// Returns a contact; that of somebody else counts as not there.
    pub fn contact(&self, caller: &Caller, id: ContactId) -> Result<Contact> {
        let contact = address_book::get(&self.store().view()?, id)?;
        let contact = contact.filter(|contact| caller.may_see(contact.user));
        contact.ok_or_else(|| Error::new(Code::ContactNotFound))
    }

    /// Saves contacts of the caller in one commit; those with a known number are changed.
    pub async fn save_contacts(&self, caller: &Caller, new: Vec<NewContact>) -> Result<SavedContacts> {
        if new.len() > CONTACTS_MAX {
            return Err(Error::new(Code::ContactsTooMany).with("max", CONTACTS_MAX));
        }
        let (user, now) = (caller.user, self.clock().now());
        let saved = self.store().write(move |t| {
            let saved = new.iter().map(|new| address_book::save(t, user, new, now));
            saved.collect::<Result<Vec<_>>>()
        });
        let saved = saved.await?;
        let fresh = saved.iter().filter(|(_, is_new)| *is_new).count();
        let updated = saved.len() - fresh;
        Ok(SavedContacts {
            contacts: saved.into_iter().map(|(contact, _)| contact).collect(),
            saved: fresh,
            updated,
        })
    }

    /// Copies the people of a device into the caller's address book. Names that somebody typed stay.
    pub async fn sync_contacts(&self, caller: &Caller, device: &Device) -> Result<SavedContacts> {
        let no = device.no;
        let people = self.store().scan(move |view| people_of(view, no)).await?;
        self.save_contacts(caller, people).await
    }

    /// Changes a contact.
    pub async fn change_contact(
        &self,
        caller: &Caller,
        id: ContactId,
        change: ContactChange,
    ) -> Result<Contact> {
        let (caller, now) = (caller.clone(), self.clock().now());
        self.store()
            .write(move |t| address_book::update(t, id, |contact| apply(&caller, contact, &change, now)))
            .await
    }

    /// Adds and takes away tags of several contacts in one commit; one that is not there fails all.
    pub async fn tag_contacts(
        &self,
        caller: &Caller,
        ids: Vec<ContactId>,
        add: Vec<String>,
        remove: Vec<String>,
    ) -> Result<usize> {
        let (caller, now, add) = (caller.clone(), self.clock().now(), parse_tags(add)?);
        self.store()
            .write(move |t| {
                for id in &ids {
                    address_book::update(t, *id, |contact| {
                        let kept = contact.tags.iter().filter(|tag| !remove.contains(tag));
                        let tags = parse_tags(kept.chain(&add).cloned().collect())?;
                        apply(
                            &caller,
                            contact,
                            &ContactChange { tags: Some(tags), ..Default::default() },
                            now,
                        )
                    })?;
                }
                Ok(ids.len())
            })
            .await
    }

    /// Deletes contacts in one commit; one that is not there fails all. Returns how many went.
    pub async fn delete_contacts(&self, caller: &Caller, mut ids: Vec<ContactId>) -> Result<usize> {
        ids.sort_unstable();
        ids.dedup();
        let caller = caller.clone();
        self.store()
            .write(move |t| {
                for id in &ids {
                    address_book::remove(t, *id, |contact| caller.may_see(contact.user))?;
                }
                Ok(ids.len())
            })
            .await
    }

    /// Returns the tags in use, each with the number of its contacts.
    pub async fn tags(&self, caller: &Caller, user: Option<UserId>) -> Result<BTreeMap<String, usize>> {
        let user = whose(caller, user);
        let counted = self.store().scan(move |view| {
            let mut counts = BTreeMap::new();
            for contact in address_book::of(view, user)? {
                for tag in contact.tags {
                    *counts.entry(tag).or_insert(0) += 1;
                }
            }
            Ok(counts)
        });
        counted.await
    }
}

/// Returns whose things a list shows: an administrator's choice or everybody's, of anybody else their own.
pub(super) fn whose(caller: &Caller, asked: Option<UserId>) -> Option<UserId> {
    if caller.is_admin() { asked } else { Some(caller.user) }
}

fn apply(caller: &Caller, contact: &mut Contact, change: &ContactChange, now: i64) -> Result<()> {
    if !caller.may_see(contact.user) {
        return Err(Error::new(Code::ContactNotFound));
    }
    if let Some(name) = &change.name {
        contact.name.clone_from(name);
        contact.from_device = false;
    }
    if let Some(phone) = &change.phone
        && contact.phone != *phone
    {
        contact.phone.clone_from(phone);
        contact.jid = crate::model::jid::Jid::of_phone(phone);
    }
    if let Some(tags) = &change.tags {
        contact.tags.clone_from(tags);
    }
    contact.updated_at = now;
    Ok(())
}

fn contains(contact: &Contact, text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    contact.name.to_lowercase().contains(text)
        || (!digits.is_empty() && contact.phone.as_str().contains(digits.trim_start_matches('0')))
}

fn known_to(view: &View, device: DeviceNo, contacts: Vec<Contact>) -> Result<Vec<Contact>> {
    let mut known = Vec::new();
    for contact in contacts {
        if chats::get(view, device, &contact.jid.to_string())?.is_some() {
            known.push(contact);
        }
    }
    Ok(known)
}

/// Returns the people that a device has a name for.
fn people_of(view: &View, device: DeviceNo) -> Result<Vec<NewContact>> {
    let chats = chats::page(view, device, None, CONTACTS_MAX)?;
    let people = chats.into_iter().filter_map(|chat| {
        // A name that is no name and an address without a number are nothing to write down.
        let new = NewContact::parse(chat.name.as_deref()?, chat.jid.phone(), None, None).ok()?;
        Some(NewContact { from_device: true, ..new })
    });
    Ok(people.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_names_and_numbers_in_every_spelling() {
        let new = NewContact::parse("Bu Ani", Some("081234567890"), None, None).expect("a contact");
        let contact = Contact {
            id: ContactId(1),
            user: UserId(1),
            name: new.name,
            phone: new.phone,
            jid: new.jid,
            tags: vec![],
            from_device: false,
            created_at: 0,
            updated_at: 0,
        };
        for text in ["ani", "bu a", "0812", "+62 812-345", "7890"] {
            assert!(contains(&contact, text), "{text}");
        }
        for text in ["budi", "0819", "ani 99"] {
            assert!(!contains(&contact, text), "{text}");
        }
    }
}
