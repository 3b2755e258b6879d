//! Messages: the history of each chat, and the index that shows what is known already.
//!
//! Here stands what happens when one arrives; what becomes of it later stands in the files beside this one.

mod amend;
mod catch_up;
mod history;
mod outgoing;
mod prune;
mod read;
mod relocate;
mod rows;
mod unread;

pub use amend::star;
pub(super) use amend::{amend, set_media, vanish};
pub(super) use catch_up::{index_missing, visit_next};
pub use history::import;
pub use outgoing::advance;
pub(super) use outgoing::{insert_outgoing, remove_outgoing, settle_outgoing, wait_again};
pub use prune::{prune, with_old};
pub use read::{at, by_anybody, get, own_message, page};
pub(super) use read::{by_author, own_status};
pub(super) use relocate::move_chat;
pub use unread::{mark_read, mark_read_by_ids};

use self::rows::{find, put, sender_of};
use super::tables::Tables;
use super::{
    allowed, chat_settings, chats, device_contacts, devices, early, expiry, identities, media, outbox,
};
use crate::error::Result;
use crate::model::device_contact::Names;
use crate::model::event::Fact;
use crate::model::media::MediaState;
use crate::model::message::{Content, Message};

/// Stores an incoming message (or one that the account wrote elsewhere) and tells it, unless it is known already.
///
/// Returns whether it was new. The network delivers at least once; (chat, sender, id) names a message.
pub fn receive(tables: &mut Tables<'_>, message: &Message, now: i64) -> Result<bool> {
    let mut message = message.clone();
    message.chat = identities::canonical_in(tables, message.device, &message.chat)?;
    if let Some(sender) = &message.sender {
        message.sender = Some(identities::canonical_in(tables, message.device, sender)?);
    }
    if is_known(tables, &message)? {
        return Ok(false);
    }
    note_name(tables, &message)?;
    // The network tells seconds: within one, the order of arrival is the order of the chat, across restarts too.
    let last_at = chats::last_at(tables, message.device, &message.chat.to_string())?;
    if let Some(last_at) = last_at.filter(|last| *last >= message.at && *last / 1000 == message.at / 1000) {
        message.at = last_at + 1;
    }
    let device = devices::touch(tables, message.device, now)?;
    allowed::verdict(tables, message.device)?.mark(&mut message.marks);
    let kept = message.kept();
    put(tables, &kept)?;
    chats::note(tables, &kept)?;
    chat_settings::note(tables, &kept)?;
    expiry::note(tables, &kept, kept.at)?;
    media::want(tables, &kept, now)?;
    skip_withheld_file(&mut message);
    outbox::append(tables, now, devices::scope(&device), Fact::MessageReceived { message: message.clone() })?;
    early::catch_up(tables, &message, now)?;
    Ok(true)
}

/// A file that nobody keeps is not fetched either.
fn skip_withheld_file(message: &mut Message) {
    if message.marks.withheld
        && let Content::Media(media) = &mut message.content
        && media.state == MediaState::Pending
    {
        media.state = MediaState::Skipped;
    }
}

/// Returns whether a message is stored already, under either address of its sender.
fn is_known(tables: &Tables<'_>, message: &Message) -> Result<bool> {
    let is_stored =
        |sender: &str| find(&tables.message_ids, message.device, &message.id, &message.chat, sender);
    if is_stored(&sender_of(message))?.is_some() {
        return Ok(true);
    }
    let lid = match &message.sender {
        Some(sender) if !message.from_me => identities::lid_in(tables, message.device, sender)?,
        _ => None,
    };
    match lid {
        Some(lid) => Ok(is_stored(&lid.to_string())?.is_some()),
        None => Ok(false),
    }
}

/// The name that came with a message is how its sender wants to be called.
fn note_name(tables: &mut Tables<'_>, message: &Message) -> Result<()> {
    match &message.sender {
        Some(sender) if !message.from_me && message.push_name.is_some() => {
            let names = Names { notify: message.push_name.clone(), ..Names::default() };
            device_contacts::learn(tables, message.device, sender, &names)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::device::Device;
    use crate::model::id::{DeviceId, DeviceNo, UserId};
    use crate::model::jid::Jid;
    use crate::model::message::MessageStatus;
    use crate::store::Store;

    pub(in crate::store) async fn store_with_device(dir: &std::path::Path) -> (Store, DeviceNo) {
        let store = Store::for_tests(dir);
        let id = DeviceId::parse("device-001").expect("an id");
        let device = Device::new(id, "Toko".into(), UserId(1), 0);
        let no = store.write(move |t| devices::insert(t, device.clone())).await.expect("inserted").no;
        (store, no)
    }

    pub(in crate::store) fn incoming(device: DeviceNo, id: &str, at: i64) -> Message {
        let chat: Jid = "6281234567890@s.whatsapp.net".parse().expect("an address");
        Message {
            device,
            id: id.into(),
            chat: chat.clone(),
            sender: Some(chat),
            from_me: false,
            push_name: Some("Ani".into()),
            content: Content::Text { text: format!("text {id}") },
            mentions: Vec::new(),
            marks: Default::default(),
            at,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
        }
    }

    #[tokio::test]
    async fn a_message_that_comes_twice_is_stored_and_told_once() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let first = store.write(move |t| receive(t, &incoming(device, "A", 5), 5)).await.expect("stored");
        let second = store.write(move |t| receive(t, &incoming(device, "A", 5), 6)).await.expect("known");
        assert!(first && !second);
        let view = store.view().expect("a view");
        let told = outbox::after(&view, 0, 10).expect("read");
        assert_eq!(told.iter().filter(|e| matches!(e.fact, Fact::MessageReceived { .. })).count(), 1);
        assert_eq!(chats::page(&view, device, None, 10).expect("read")[0].unread, 1);
    }
}
