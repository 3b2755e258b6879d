//! Messages from before the linking, and from while Kurir was away, as the phone hands them over.
//!
//! They are stored, found and counted on their day like all others, but nobody is told of each, and none becomes unread by it.

use super::is_known;
use super::rows::put;
use crate::error::Result;
use crate::model::chat::PastChat;
use crate::model::device_contact::Names;
use crate::model::media::MediaState;
use crate::model::message::{Content, Message};
use crate::store::tables::Tables;
use crate::store::{allowed, chat_settings, chats, device_contacts, early, expiry, identities, media};

/// Age up to which the files of handed over messages are fetched, in milliseconds. Two weeks: WhatsApp keeps them about that long.
const FILES_MS: i64 = 14 * 86_400_000;

/// Stores the messages of a chat that are not known yet, and what the phone says of the chat. Returns how many were new.
///
/// A chat that is new takes its number of unread messages from the phone; of any other it is known better here.
pub fn import(tables: &mut Tables<'_>, past: &PastChat, messages: &[Message], now: i64) -> Result<usize> {
    let chat = identities::canonical_in(tables, past.device, &past.jid)?;
    if past.name.is_some() {
        // Groups have no entry in the address book; this leaves them out.
        let names = Names { name: past.name.clone(), ..Names::default() };
        device_contacts::learn(tables, past.device, &chat, &names)?;
    }
    let was_known = chats::is_known(tables, past.device, &chat.to_string())?;
    let verdict = allowed::verdict(tables, past.device)?;
    let mut new = 0;
    for message in messages {
        let mut message = Message { chat: chat.clone(), ..message.clone() };
        if let Some(sender) = &message.sender {
            message.sender = Some(identities::canonical_in(tables, past.device, sender)?);
        }
        if is_known(tables, &message)? {
            continue;
        }
        skip_old_file(&mut message, now);
        verdict.mark(&mut message.marks);
        let kept = message.kept();
        put(tables, &kept)?;
        media::want(tables, &kept, now)?;
        chats::note_past(tables, &kept)?;
        chat_settings::note(tables, &kept)?;
        expiry::note(tables, &kept, kept.at)?;
        early::catch_up(tables, &kept, now)?;
        new += 1;
    }
    chats::take_over(tables, &chat, past, !was_known)?;
    chat_settings::take_over(tables, &chat, past)?;
    Ok(new)
}

/// Files of old messages are mostly gone from WhatsApp; asking the phones of others for all of them would not be kind.
fn skip_old_file(message: &mut Message, now: i64) {
    if let Content::Media(media) = &mut message.content
        && media.state == MediaState::Pending
        && message.at < now.saturating_sub(FILES_MS)
    {
        media.state = MediaState::Skipped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::jid::Jid;
    use crate::store::messages::tests::{incoming, store_with_device};
    use crate::store::messages::{page, receive};
    use crate::store::outbox;

    fn past(device: crate::model::id::DeviceNo, unread: u32) -> PastChat {
        PastChat {
            device,
            jid: "6281234567890@s.whatsapp.net".parse().expect("an address"),
            name: Some("Ani Wijaya".into()),
            unread,
            archived: true,
            pinned: true,
            muted_until: Some(i64::MAX),
        }
    }

    #[tokio::test]
    async fn history_is_stored_once_and_nobody_is_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let live = incoming(device, "LIVE", 90_000);
        store.write(move |t| receive(t, &live, 1)).await.expect("stored");
        let head = outbox::head(&store.view().expect("a view")).expect("read");
        for (unread, expected) in [(7, 3), (9, 0)] {
            let messages: Vec<_> = ["A", "B", "LIVE", "C"]
                .iter()
                .zip([1, 2, 90, 3])
                .map(|(id, at)| incoming(device, id, at * 1_000))
                .collect();
            let past = past(device, unread);
            let new = store.write(move |t| import(t, &past, &messages, 1)).await.expect("imported");
            assert_eq!(new, expected);
        }
        let view = store.view().expect("a view");
        assert_eq!(outbox::head(&view).expect("read"), head);
        let jid: Jid = "6281234567890@s.whatsapp.net".parse().expect("an address");
        let history = page(&view, device, &jid, None, 10).expect("a page");
        assert_eq!(history.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["LIVE", "C", "B", "A"]);
        let chat = chats::get(&view, device, &jid.to_string()).expect("read").expect("a chat");
        assert_eq!(
            (chat.unread, chat.last.id.as_str(), chat.name.as_deref()),
            (1, "LIVE", Some("Ani Wijaya"))
        );
        let set = chat_settings::get(&view, device, &jid).expect("read");
        assert!(set.archived && set.pinned && set.muted_until == Some(i64::MAX));
    }

    #[tokio::test]
    async fn a_chat_that_is_new_has_as_many_unread_messages_as_on_the_phone() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let hand_over = async |id: &'static str, unread: u32| {
            let (messages, past) = (vec![incoming(device, id, 1_000)], past(device, unread));
            store.write(move |t| import(t, &past, &messages, 1)).await.expect("imported")
        };
        hand_over("A", 4).await;
        hand_over("B", 0).await;
        let view = store.view().expect("a view");
        let chat = chats::get(&view, device, "6281234567890@s.whatsapp.net").expect("read").expect("a chat");
        assert_eq!(chat.unread, 4, "what came later in pieces changes nothing");
    }
}
