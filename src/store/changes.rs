//! Changes of stored messages: the message as it stands now, its line in the chat list and the event, in one transaction.

use super::tables::Tables;
use super::{chats, devices, early, expiry, identities, messages, outbox};
use crate::error::Result;
use crate::model::change::{Change, Early, What};
use crate::model::event::Fact;
use crate::model::message::{Content, Message};

/// Applies a change and tells it. Returns whether it made a difference: it does not when only somebody else may change the
/// message so, when the change is known already, or when the message is still to come; then it waits.
pub fn apply(tables: &mut Tables<'_>, change: &Change, now: i64) -> Result<bool> {
    apply_or_keep(tables, change, now, now)
}

/// As [`apply`] for a change that came at `came`, in milliseconds since 1970.
pub(super) fn apply_or_keep(tables: &mut Tables<'_>, change: &Change, came: i64, now: i64) -> Result<bool> {
    let mut change = change.clone();
    change.chat = identities::canonical_in(tables, change.device, &change.chat)?;
    if let Some(by) = &change.by {
        change.by = Some(identities::canonical_in(tables, change.device, by)?);
    }
    let Some(mut message) = target(tables, &change)? else {
        if may_come(tables, &change)? {
            early::keep(tables, &Early::Change(change), came)?;
        }
        return Ok(false);
    };
    if !change.apply(&mut message) {
        // A reaction that takes back what is not there yet is kept all the same.
        messages::amend(tables, &message.kept())?;
        return Ok(false);
    }
    let kept = message.kept();
    messages::amend(tables, &kept)?;
    chats::amend(tables, &kept)?;
    if matches!(change.what, What::Keep { on: false }) {
        // Its time may have come while it was kept.
        expiry::note(tables, &kept, kept.at)?;
    }
    if let (Content::Withheld { .. }, What::Edit { text, .. }) = (&message.content, &change.what) {
        message.content = Content::Text { text: text.clone() };
    }
    let scope = devices::scope(&devices::existing(tables, change.device)?);
    outbox::append(tables, now, scope, Fact::MessageChanged { message, by: change.by, what: change.what })?;
    Ok(true)
}

/// Returns whether the message is unknown, so that the change may only have been faster.
fn may_come(tables: &Tables<'_>, change: &Change) -> Result<bool> {
    if matches!(change.what, What::Deletion { by_admin: true }) && !change.chat.is_group() {
        return Ok(false);
    }
    Ok(messages::by_anybody(tables, change.device, &change.chat, &change.target)?.is_none())
}

/// Returns the message that changes; what only its author may do finds it among theirs alone.
fn target(tables: &Tables<'_>, change: &Change) -> Result<Option<Message>> {
    let (device, chat, id) = (change.device, &change.chat, change.target.as_str());
    match (&change.what, &change.by) {
        (what, by) if what.is_for_author() => messages::by_author(tables, device, chat, id, by.as_ref()),
        // The network lets admins of groups do it, and nobody anywhere else.
        (What::Deletion { by_admin: true }, Some(_)) if !chat.is_group() => Ok(None),
        _ => messages::by_anybody(tables, device, chat, id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::DeviceNo;
    use crate::model::jid::Jid;
    use crate::model::marks::Marks;
    use crate::model::message::MessageStatus;
    use crate::store::messages::tests::store_with_device;
    use crate::store::{Store, View};

    const ANI: &str = "6281234567890@s.whatsapp.net";
    const BUDI: &str = "6281234567891@s.whatsapp.net";
    const GROUP: &str = "120363123456789012@g.us";

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    fn message(device: DeviceNo, chat: &str, sender: Option<&str>, id: &str, at: i64) -> Message {
        Message {
            device,
            id: id.into(),
            chat: jid(chat),
            sender: sender.map(jid),
            from_me: sender.is_none(),
            push_name: None,
            content: Content::Text { text: format!("isi {id}") },
            mentions: Vec::new(),
            marks: Marks::default(),
            at,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
        }
    }

    fn change(device: DeviceNo, chat: &str, target: &str, by: Option<&str>, what: What) -> Change {
        Change { device, chat: jid(chat), target: target.into(), by: by.map(jid), at: 50, what }
    }

    async fn store(dir: &std::path::Path) -> (Store, DeviceNo) {
        let (store, device) = store_with_device(dir).await;
        for message in [
            message(device, ANI, Some(ANI), "M1", 1),
            message(device, ANI, None, "M2", 2),
            message(device, GROUP, Some(ANI), "G1", 3),
        ] {
            store.write(move |t| messages::receive(t, &message, 9)).await.expect("stored");
        }
        (store, device)
    }

    async fn applied(store: &Store, change: Change) -> bool {
        store.write(move |t| apply(t, &change, 60)).await.expect("applied")
    }

    fn read(view: &View, device: DeviceNo, chat: &str, id: &str) -> Message {
        let page = messages::page(view, device, &jid(chat), None, 10).expect("a page");
        page.into_iter().find(|message| message.id == id).expect("the message")
    }

    fn edit() -> What {
        What::Edit { text: "baru".into(), mentions: Vec::new() }
    }

    #[tokio::test]
    async fn only_the_author_edits_and_deletes() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store(dir.path()).await;
        let deletion = |by_admin| What::Deletion { by_admin };
        for (target, by, what, expected) in [
            ("M1", None, edit(), false),
            ("M2", Some(ANI), edit(), false),
            ("M2", Some(ANI), deletion(false), false),
            ("M2", Some(ANI), deletion(true), false),
            ("M3", Some(ANI), edit(), false),
            ("M1", Some(ANI), edit(), true),
            ("M2", None, deletion(false), true),
        ] {
            let did = applied(&store, change(device, ANI, target, by, what.clone())).await;
            assert_eq!(did, expected, "{target} {by:?} {what:?}");
        }
        for (by, by_admin, expected) in [(BUDI, false, false), (BUDI, true, true)] {
            let did = applied(&store, change(device, GROUP, "G1", Some(by), deletion(by_admin))).await;
            assert_eq!(did, expected, "{by} {by_admin}");
        }
        let view = store.view().expect("a view");
        assert_eq!(read(&view, device, ANI, "M1").content.text(), Some("baru"));
        assert_eq!(read(&view, device, ANI, "M2").content, Content::Deleted);
        assert_eq!(read(&view, device, GROUP, "G1").content, Content::Deleted);
    }

    #[tokio::test]
    async fn a_change_is_told_once_and_shows_in_the_chat_list() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store(dir.path()).await;
        let last = |view: &View| {
            let chats = chats::page(view, device, None, 10).expect("read");
            chats.into_iter().find(|chat| chat.jid == jid(ANI)).expect("the chat")
        };
        let own = change(device, ANI, "M2", None, edit());
        assert!(applied(&store, own.clone()).await && !applied(&store, own).await);
        // An older message of the chat is none of the list's business.
        assert!(applied(&store, change(device, ANI, "M1", Some(ANI), edit())).await);
        let view = store.view().expect("a view");
        let chat = last(&view);
        assert_eq!((chat.last.id.as_str(), chat.last.text.as_deref()), ("M2", Some("baru")));
        assert_eq!((chat.unread, chat.last_at), (1, 2));
        let told = outbox::after(&view, 0, 100).expect("read");
        let changes: Vec<_> =
            told.iter().filter(|event| matches!(event.fact, Fact::MessageChanged { .. })).collect();
        assert_eq!(changes.len(), 2);
    }

    #[tokio::test]
    async fn a_person_reacts_once_under_both_addresses() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store(dir.path()).await;
        let ani = crate::model::jid::Identity { lid: "100".into(), phone: "6281234567890".into() };
        store.write(move |t| identities::learn(t, device, &ani, 9)).await.expect("learned");
        let reaction = |emoji: &str| What::Reaction { emoji: emoji.into() };
        assert!(applied(&store, change(device, ANI, "M2", Some(ANI), reaction("👍"))).await);
        let mut later = change(device, "100@lid", "M2", Some("100@lid"), reaction("🙏"));
        later.at = 51;
        assert!(applied(&store, later).await);
        let reactions = read(&store.view().expect("a view"), device, ANI, "M2").marks.reactions;
        assert_eq!(reactions.len(), 1);
        assert_eq!((reactions[0].emoji.as_str(), reactions[0].by.clone()), ("🙏", Some(jid(ANI))));
    }
}
