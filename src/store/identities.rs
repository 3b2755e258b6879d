//! Who is who: the phone number behind a hidden id, per device. One person has one chat, which stands under the number.

use super::tables::{Tables, View};
use super::{chat_settings, chats, device_contacts, devices, early, messages, outbox};
use crate::error::Result;
use crate::model::event::Fact;
use crate::model::id::DeviceNo;
use crate::model::jid::{Identity, Jid};
use redb::ReadableTable;

/// Remembers who somebody is. What was known of them under the hidden id moves to the number, in the same transaction.
///
/// Returns whether it was new.
pub fn learn(tables: &mut Tables<'_>, device: DeviceNo, identity: &Identity, now: i64) -> Result<bool> {
    let (lid, phone) = (identity.lid.as_str(), identity.phone.as_str());
    let known = tables.phones_by_lid.get((device.0, lid))?.map(|row| row.value().to_owned());
    if known.as_deref() == Some(phone) {
        return Ok(false);
    }
    if let Some(former) = known {
        // The person has a new number; the old one is nobody's hidden id any more.
        let holder = tables.lids_by_phone.get((device.0, former.as_str()))?.map(|row| row.value().to_owned());
        if holder.as_deref() == Some(lid) {
            tables.lids_by_phone.remove((device.0, former.as_str()))?;
        }
    }
    let former = tables.lids_by_phone.get((device.0, phone))?.map(|row| row.value().to_owned());
    if let Some(former) = former.filter(|former| former != lid) {
        // Numbers are given to new people; who had this one before is known by the hidden id again.
        tables.phones_by_lid.remove((device.0, former.as_str()))?;
    }
    tables.phones_by_lid.insert((device.0, lid), phone)?;
    tables.lids_by_phone.insert((device.0, phone), lid)?;
    let (from, to) = (identity.lid_jid(), identity.phone_jid());
    device_contacts::merge(tables, device, &from, &to)?;
    chat_settings::merge(tables, device, &from, &to)?;
    if chats::is_known(tables, device, &from.to_string())? {
        messages::move_chat(tables, device, &from, &to)?;
        chats::merge(tables, device, &from, &to)?;
        let scope = devices::scope(&devices::existing(tables, device)?);
        let (from, chat) = (from.clone(), to.clone());
        outbox::append(tables, now, scope, Fact::ChatMerged { from, chat })?;
    }
    // What came before its message has no chat yet.
    early::move_chat(tables, device, &from, &to, now)?;
    Ok(true)
}

/// Returns the identities among `all` that are not known as they are.
pub fn unknown(view: &View, device: DeviceNo, all: Vec<Identity>) -> Result<Vec<Identity>> {
    let table = view.phones_by_lid()?;
    let mut found = Vec::new();
    for identity in all {
        if phone(&table, device, &identity.lid)?.as_deref() != Some(identity.phone.as_str()) {
            found.push(identity);
        }
    }
    Ok(found)
}

/// Returns the digits of the phone number behind a hidden id, or none.
pub fn phone_of(view: &View, device: DeviceNo, lid: &str) -> Result<Option<String>> {
    phone(&view.phones_by_lid()?, device, lid)
}

/// Returns the hidden id of the person with this address, or none.
pub fn lid_of(view: &View, device: DeviceNo, person: &Jid) -> Result<Option<Jid>> {
    lid(&view.lids_by_phone()?, device, person)
}

/// Returns the address under which a person is kept: the number where it is known. Anything else stays as it is.
pub fn canonical(view: &View, device: DeviceNo, jid: &Jid) -> Result<Jid> {
    by_number(&view.phones_by_lid()?, device, jid)
}

/// Returns every address of a person, inside a write.
pub fn names_in(tables: &Tables<'_>, device: DeviceNo, person: &Jid) -> Result<Vec<Jid>> {
    let other = match person.lid() {
        Some(_) => Some(canonical_in(tables, device, person)?).filter(|number| number != person),
        None => lid_in(tables, device, person)?,
    };
    Ok([Some(person.clone()), other].into_iter().flatten().collect())
}

/// Returns the address under which a person is kept, inside a write.
pub fn canonical_in(tables: &Tables<'_>, device: DeviceNo, jid: &Jid) -> Result<Jid> {
    by_number(&tables.phones_by_lid, device, jid)
}

/// Returns the hidden id of the person with this address, inside a write.
pub(super) fn lid_in(tables: &Tables<'_>, device: DeviceNo, person: &Jid) -> Result<Option<Jid>> {
    lid(&tables.lids_by_phone, device, person)
}

type Pairs = (u32, &'static str);

fn phone(
    table: &impl ReadableTable<Pairs, &'static str>,
    device: DeviceNo,
    lid: &str,
) -> Result<Option<String>> {
    Ok(table.get((device.0, lid))?.map(|row| row.value().to_owned()))
}

fn lid(
    table: &impl ReadableTable<Pairs, &'static str>,
    device: DeviceNo,
    person: &Jid,
) -> Result<Option<Jid>> {
    let Some(phone) = person.phone() else { return Ok(person.lid().map(|_| person.clone())) };
    let lid = table.get((device.0, phone))?.map(|row| row.value().to_owned());
    Ok(lid.map(|lid| Identity { lid, phone: phone.to_owned() }.lid_jid()))
}

fn by_number(table: &impl ReadableTable<Pairs, &'static str>, device: DeviceNo, jid: &Jid) -> Result<Jid> {
    let Some(lid) = jid.lid() else { return Ok(jid.clone()) };
    let phone = phone(table, device, lid)?;
    Ok(phone.map_or_else(|| jid.clone(), |phone| Identity { lid: lid.to_owned(), phone }.phone_jid()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::{Content, Message, MessageStatus};
    use crate::store::messages::tests::store_with_device;
    use crate::store::{Store, messages};

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    fn ani() -> Identity {
        Identity { lid: "100".into(), phone: "6281234567890".into() }
    }

    fn message(device: DeviceNo, chat: &str, sender: &str, id: &str, at: i64) -> Message {
        Message {
            device,
            id: id.into(),
            chat: jid(chat),
            sender: Some(jid(sender)),
            from_me: false,
            push_name: Some("Ani".into()),
            content: Content::Text { text: id.into() },
            mentions: Vec::new(),
            marks: Default::default(),
            at,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
        }
    }

    async fn receive(store: &Store, message: Message) -> bool {
        store.write(move |t| messages::receive(t, &message, 9)).await.expect("stored")
    }

    async fn learn_ani(store: &Store, device: DeviceNo) -> bool {
        store.write(move |t| learn(t, device, &ani(), 9)).await.expect("learned")
    }

    #[tokio::test]
    async fn a_chat_that_began_under_a_hidden_id_moves_to_the_number() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        receive(&store, message(device, "100@lid", "100@lid", "M1", 1_000)).await;
        receive(
            &store,
            message(device, "6281234567890@s.whatsapp.net", "6281234567890@s.whatsapp.net", "M2", 2_000),
        )
        .await;
        receive(&store, message(device, "100@lid", "100@lid", "M3", 3_000)).await;
        assert!(learn_ani(&store, device).await && !learn_ani(&store, device).await);
        let view = store.view().expect("a view");
        let chats = chats::page(&view, device, None, 10).expect("read");
        assert_eq!(chats.len(), 1);
        assert_eq!((chats[0].jid.to_string(), chats[0].unread), ("6281234567890@s.whatsapp.net".into(), 3));
        assert_eq!((chats[0].last.id.as_str(), chats[0].name.as_deref()), ("M3", Some("Ani")));
        let page = messages::page(&view, device, &chats[0].jid, None, 10).expect("a page");
        let ids: Vec<_> = page.iter().map(|message| message.id.as_str()).collect();
        assert_eq!(ids, ["M3", "M2", "M1"]);
        assert!(page.iter().all(|message| message.sender.as_ref() == Some(&chats[0].jid)));
        drop(view);
        // What comes again under the hidden id is known.
        assert!(!receive(&store, message(device, "100@lid", "100@lid", "M1", 1_000)).await);
        assert!(receive(&store, message(device, "100@lid", "100@lid", "M4", 4_000)).await);
        assert_eq!(chats::page(&store.view().expect("a view"), device, None, 10).expect("read").len(), 1);
    }

    #[tokio::test]
    async fn a_group_message_that_comes_again_under_the_other_address_is_known() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let group = "120363123456789012@g.us";
        assert!(receive(&store, message(device, group, "100@lid", "M1", 1_000)).await);
        learn_ani(&store, device).await;
        for sender in ["100@lid", "6281234567890@s.whatsapp.net"] {
            assert!(!receive(&store, message(device, group, sender, "M1", 1_000)).await, "{sender}");
        }
    }

    #[tokio::test]
    async fn both_addresses_lead_to_the_person_until_the_number_changes() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        learn_ani(&store, device).await;
        let (phone, lid) = (ani().phone_jid(), ani().lid_jid());
        let view = store.view().expect("a view");
        assert_eq!(canonical(&view, device, &lid).expect("read"), phone);
        assert_eq!(canonical(&view, device, &jid("200@lid")).expect("read"), jid("200@lid"));
        assert_eq!(lid_of(&view, device, &phone).expect("read"), Some(lid.clone()));
        assert_eq!(lid_of(&view, device, &lid).expect("read"), Some(lid.clone()));
        drop(view);
        let moved = Identity { lid: "100".into(), phone: "6289999999999".into() };
        store.write(move |t| learn(t, device, &moved, 9)).await.expect("learned");
        let view = store.view().expect("a view");
        assert_eq!(canonical(&view, device, &lid).expect("read"), jid("6289999999999@s.whatsapp.net"));
        assert_eq!(lid_of(&view, device, &phone).expect("read"), None);
    }

    #[tokio::test]
    async fn a_number_that_is_given_to_somebody_else_does_not_join_two_people() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        learn_ani(&store, device).await;
        let (phone, next) = (ani().phone_jid(), Identity { lid: "200".into(), ..ani() });
        store.write(move |t| learn(t, device, &next, 9)).await.expect("learned");
        let view = store.view().expect("a view");
        assert_eq!(canonical(&view, device, &jid("100@lid")).expect("read"), jid("100@lid"));
        assert_eq!(lid_of(&view, device, &phone).expect("read"), Some(jid("200@lid")));
        drop(view);
        let moved = Identity { lid: "100".into(), phone: "6289999999999".into() };
        store.write(move |t| learn(t, device, &moved, 10)).await.expect("learned");
        let view = store.view().expect("a view");
        assert_eq!(lid_of(&view, device, &phone).expect("read"), Some(jid("200@lid")));
        assert_eq!(canonical(&view, device, &jid("200@lid")).expect("read"), phone);
    }
}
