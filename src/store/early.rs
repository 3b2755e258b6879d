//! Changes that came before the message they are about: kept until it comes, for a while.
//!
//! The network promises no order between a message and what people think of it. What somebody may not change is not kept, and
//! nothing is kept about a message that is known.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::Tables;
use super::{changes, identities};
use crate::error::Result;
use crate::model::change::{Change, Early};
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::message::Message;
use redb::ReadableTable as _;
use serde::{Deserialize, Serialize};

/// How long a change waits for its message, in milliseconds. 14 days: as long as WhatsApp keeps what nobody fetched.
pub const KEEP_MS: i64 = 14 * 86_400_000;

/// Changes that wait on a device at most; the oldest go first, so that nobody fills the disk with reactions to nothing.
const MAX: usize = 2_000;

/// A row of the table.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    chat: Jid,
    target: String,
    /// Milliseconds since 1970 at which it came.
    came: i64,
    early: Early,
}

/// Keeps a change whose message is unknown.
pub fn keep(tables: &mut Tables<'_>, early: &Early, came: i64) -> Result<()> {
    let Change { device, chat, target, .. } = early.change();
    let device = *device;
    let chat = identities::canonical_in(tables, device, chat)?;
    let row = Row { chat: chat.clone(), target: target.clone(), came, early: early.clone() };
    let seq = next(tables, "early-change")?;
    tables.early_changes.insert((device.0, seq), encode(&row)?.as_slice())?;
    tables.early_by_target.insert((device.0, chat.to_string().as_str(), target.as_str(), seq), ())?;
    bound(tables, device)
}

/// Applies what waited for a message that has just been stored, in the order in which it came; votes go on waiting for
/// whoever can open them.
pub(super) fn catch_up(tables: &mut Tables<'_>, message: &Message, now: i64) -> Result<()> {
    let is_change = |early: &Early| matches!(early, Early::Change(_));
    for early in take(tables, message.device, &message.chat, &message.id, is_change)? {
        changes::apply(tables, early.change(), now)?;
    }
    Ok(())
}

/// Takes the sealed votes that waited for a poll; opening them is the business of the protocol.
pub fn take_votes(tables: &mut Tables<'_>, device: DeviceNo, chat: &Jid, poll: &str) -> Result<Vec<Early>> {
    take(tables, device, chat, poll, |early| matches!(early, Early::Vote { .. }))
}

/// Puts what waits in a chat under the other address of the same person; the message may stand there already.
pub(super) fn move_chat(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    from: &Jid,
    to: &Jid,
    now: i64,
) -> Result<()> {
    let chat = from.to_string();
    let all = (device.0, chat.as_str(), "", 0)..=(device.0, chat.as_str(), "\u{10ffff}", u64::MAX);
    let mut moving = Vec::new();
    for row in tables.early_by_target.range(all)? {
        moving.push(row?.0.value().3);
    }
    for seq in moving {
        let Some(row) = remove(tables, device, seq)? else { continue };
        let early = row.early.in_chat(to);
        match &early {
            Early::Change(change) => {
                changes::apply_or_keep(tables, change, row.came, now)?;
            }
            Early::Vote { .. } => keep(tables, &early, row.came)?,
        }
    }
    Ok(())
}

/// Forgets up to `limit` changes that came before `before` (milliseconds since 1970); returns how many went.
pub fn prune(tables: &mut Tables<'_>, before: i64, limit: usize) -> Result<usize> {
    let mut old = Vec::new();
    for row in tables.early_changes.iter()? {
        let (at, value) = row?;
        let row: Row = decode("early_changes", at.value(), value.value())?;
        if row.came < before {
            old.push(at.value());
        }
        if old.len() == limit {
            break;
        }
    }
    for (device, seq) in &old {
        remove(tables, DeviceNo(*device), *seq)?;
    }
    Ok(old.len())
}

/// Returns whether anything that waits came before `before` (milliseconds since 1970).
pub fn has_old(view: &super::View, before: i64) -> Result<bool> {
    for row in view.early_changes()?.iter()? {
        let (at, value) = row?;
        let row: Row = decode("early_changes", at.value(), value.value())?;
        if row.came < before {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Forgets everything that waits on a device.
pub(super) fn wipe(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    tables.early_changes.retain_in((device.0, 0)..=(device.0, u64::MAX), |_, _| false)?;
    let all = (device.0, "", "", 0)..=(device.0, "\u{10ffff}", "\u{10ffff}", u64::MAX);
    Ok(tables.early_by_target.retain_in(all, |_, _| false)?)
}

fn take(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    chat: &Jid,
    id: &str,
    is_wanted: fn(&Early) -> bool,
) -> Result<Vec<Early>> {
    let chat = chat.to_string();
    let all = (device.0, chat.as_str(), id, 0)..=(device.0, chat.as_str(), id, u64::MAX);
    let mut waiting = Vec::new();
    for row in tables.early_by_target.range(all)? {
        waiting.push(row?.0.value().3);
    }
    let mut taken = Vec::new();
    for seq in waiting {
        let found = read(tables, device, seq)?.is_some_and(|row| is_wanted(&row.early));
        if found && let Some(row) = remove(tables, device, seq)? {
            taken.push(row.early);
        }
    }
    Ok(taken)
}

fn bound(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    let mut rows = Vec::new();
    for row in tables.early_changes.range((device.0, 0)..=(device.0, u64::MAX))? {
        rows.push(row?.0.value().1);
    }
    for seq in rows.iter().take(rows.len().saturating_sub(MAX)) {
        remove(tables, device, *seq)?;
    }
    Ok(())
}

fn read(tables: &Tables<'_>, device: DeviceNo, seq: u64) -> Result<Option<Row>> {
    match tables.early_changes.get((device.0, seq))? {
        Some(row) => decode("early_changes", (device, seq), row.value()).map(Some),
        None => Ok(None),
    }
}

fn remove(tables: &mut Tables<'_>, device: DeviceNo, seq: u64) -> Result<Option<Row>> {
    let Some(row) = read(tables, device, seq)? else { return Ok(None) };
    tables.early_changes.remove((device.0, seq))?;
    let chat = row.chat.to_string();
    tables.early_by_target.remove((device.0, chat.as_str(), row.target.as_str(), seq))?;
    Ok(Some(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::What;
    use crate::model::chat::PastChat;
    use crate::model::event::Fact;
    use crate::model::jid::Identity;
    use crate::model::message::Content;
    use crate::store::messages::tests::{incoming, store_with_device};
    use crate::store::{Store, devices, messages, outbox};
    use redb::ReadableTableMetadata as _;

    const ANI: &str = "6281234567890@s.whatsapp.net";
    const BUDI: &str = "6281234567891@s.whatsapp.net";

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    fn change(device: DeviceNo, chat: &str, by: &str, what: What) -> Change {
        Change { device, chat: jid(chat), target: "A".into(), by: Some(jid(by)), at: 50, what }
    }

    fn edit(text: &str) -> What {
        What::Edit { text: text.into(), mentions: Vec::new() }
    }

    fn reaction() -> What {
        What::Reaction { emoji: "👍".into() }
    }

    async fn apply(store: &Store, change: Change, now: i64) {
        let applied = store.write(move |t| changes::apply(t, &change, now)).await.expect("heard");
        assert!(!applied, "there is no message yet");
    }

    fn waiting(store: &Store) -> u64 {
        let view = store.view().expect("a view");
        let rows = view.early_changes().expect("a table").len().expect("read");
        assert_eq!(view.early_by_target().expect("a table").len().expect("read"), rows);
        rows
    }

    fn stored(store: &Store, device: DeviceNo, chat: &str) -> Message {
        let view = store.view().expect("a view");
        messages::get(&view, device, &jid(chat), "A").expect("read").expect("stored")
    }

    #[tokio::test]
    async fn what_comes_before_its_message_is_applied_when_that_comes() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        apply(&store, change(device, ANI, ANI, edit("baru")), 1).await;
        apply(&store, change(device, ANI, ANI, reaction()), 2).await;
        // Nobody else may rewrite it; that shows only once its author is known.
        apply(&store, change(device, ANI, BUDI, edit("palsu")), 3).await;
        assert_eq!(waiting(&store), 3);
        let message = incoming(device, "A", 5);
        store.write(move |t| messages::receive(t, &message, 9)).await.expect("stored");
        let message = stored(&store, device, ANI);
        assert_eq!((message.content.text(), message.marks.reactions.len()), (Some("baru"), 1));
        assert_eq!(waiting(&store), 0);
        let told = outbox::after(&store.view().expect("a view"), 0, 9).expect("read");
        let kinds: Vec<_> = told
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::MessageReceived { .. } => Some("received"),
                Fact::MessageChanged { .. } => Some("changed"),
                _ => None,
            })
            .collect();
        assert_eq!(kinds, ["received", "changed", "changed"]);
        // What is known and not to be changed so is not kept.
        apply(&store, change(device, ANI, BUDI, edit("palsu")), 10).await;
        apply(&store, change(device, ANI, BUDI, What::Deletion { by_admin: true }), 10).await;
        assert_eq!(waiting(&store), 0);
    }

    #[tokio::test]
    async fn a_deletion_that_was_faster_deletes_what_the_phone_hands_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        apply(&store, change(device, ANI, ANI, What::Deletion { by_admin: false }), 1).await;
        let past = PastChat {
            device,
            jid: jid(ANI),
            name: None,
            unread: 0,
            archived: false,
            pinned: false,
            muted_until: None,
        };
        let messages = [incoming(device, "A", 5)];
        store.write(move |t| messages::import(t, &past, &messages, 9)).await.expect("imported");
        assert_eq!(stored(&store, device, ANI).content, Content::Deleted);
    }

    #[tokio::test]
    async fn what_waits_moves_to_the_number_of_the_person() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        apply(&store, change(device, "100@lid", "100@lid", reaction()), 1).await;
        let ani = Identity { lid: "100".into(), phone: "6281234567890".into() };
        let known = ani.clone();
        store.write(move |t| identities::learn(t, device, &known, 2)).await.expect("learned");
        assert_eq!(waiting(&store), 1);
        let message = incoming(device, "A", 5);
        store.write(move |t| messages::receive(t, &message, 9)).await.expect("stored");
        let reactions = stored(&store, device, ANI).marks.reactions;
        assert_eq!(reactions[0].by, Some(jid(ANI)));
        assert_eq!(waiting(&store), 0);
    }

    #[tokio::test]
    async fn who_becomes_known_later_has_reacted_all_the_same() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let message = incoming(device, "A", 5);
        store.write(move |t| messages::receive(t, &message, 9)).await.expect("stored");
        apply(&store, change(device, "100@lid", "100@lid", reaction()), 1).await;
        let ani = Identity { lid: "100".into(), phone: "6281234567890".into() };
        store.write(move |t| identities::learn(t, device, &ani, 2)).await.expect("learned");
        assert_eq!((stored(&store, device, ANI).marks.reactions.len(), waiting(&store)), (1, 0));
    }

    #[tokio::test]
    async fn what_waits_is_bounded_and_goes_with_age_and_with_its_device() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        store
            .write(move |t| {
                for n in 0..MAX as i64 + 5 {
                    let early = Early::Change(change(device, ANI, ANI, reaction()));
                    keep(t, &early, n)?;
                }
                Ok(())
            })
            .await
            .expect("kept");
        assert_eq!(waiting(&store), MAX as u64);
        let has_old = |before| has_old(&store.view().expect("a view"), before).expect("read");
        assert!(!has_old(5) && has_old(6), "the oldest went first");
        assert_eq!(store.write(|t| prune(t, 8, 500)).await.expect("pruned"), 3);
        assert_eq!(waiting(&store), MAX as u64 - 3);
        store.write(move |t| devices::remove(t, device, 9)).await.expect("removed");
        assert_eq!(waiting(&store), 0);
    }
}
