//! Allowed numbers, and what they mean for the messages of a device.
//!
//! The check happens in the transaction of the message, so a change counts from the next message on; there is nothing to expire.

use super::codec::{decode, encode};
use super::devices;
use super::settings::{self, next};
use super::tables::{Tables, View};
use crate::error::{Code, Error, Result};
use crate::model::allowed::{AllowedNumber, HistoryRule, Verdict};
use crate::model::id::DeviceNo;
use redb::ReadableTable;

/// Name of the setting that holds the rule.
const RULE: &str = "history-rule";

/// Sets which messages are stored with their content from now on.
pub fn set_rule(tables: &mut Tables<'_>, rule: HistoryRule) -> Result<()> {
    settings::set(tables, RULE, &rule)
}

/// Returns all allowed numbers in the order of their making.
pub fn all(view: &View) -> Result<Vec<AllowedNumber>> {
    let table = view.allowed_numbers()?;
    table
        .iter()?
        .map(|row| {
            let (id, value) = row?;
            decode("allowed_numbers", id.value(), value.value())
        })
        .collect()
}

/// Returns an allowed number, or none.
pub fn get(view: &View, id: u32) -> Result<Option<AllowedNumber>> {
    read(&view.allowed_numbers()?, id)
}

/// Allows a number or changes what is known of it; `device` of a known one stays when none is named.
pub fn put(
    tables: &mut Tables<'_>,
    number: &str,
    active: bool,
    device: Option<DeviceNo>,
    now: i64,
) -> Result<AllowedNumber> {
    let known = match tables.allowed_by_number.get(number)?.map(|row| row.value()) {
        Some(id) => read(&tables.allowed_numbers, id)?,
        None => None,
    };
    let entry = match known {
        Some(known) => AllowedNumber { active, device: device.or(known.device), updated_at: now, ..known },
        None => AllowedNumber {
            id: next(tables, "allowed-number")? as u32,
            number: number.to_owned(),
            active,
            device,
            created_at: now,
            updated_at: now,
        },
    };
    write(tables, &entry)?;
    Ok(entry)
}

/// Sets whether an allowed number counts.
pub fn set_active(tables: &mut Tables<'_>, id: u32, active: bool, now: i64) -> Result<AllowedNumber> {
    let known = existing(tables, id)?;
    let entry = AllowedNumber { active, updated_at: now, ..known };
    write(tables, &entry)?;
    Ok(entry)
}

/// Deletes an allowed number.
pub fn remove(tables: &mut Tables<'_>, id: u32) -> Result<()> {
    let known = existing(tables, id)?;
    tables.allowed_numbers.remove(id)?;
    tables.allowed_by_number.remove(known.number.as_str())?;
    Ok(())
}

/// Returns what the rule says of a message that is stored now. A check that fails means that the number is not allowed.
pub(super) fn verdict(tables: &Tables<'_>, device: DeviceNo) -> Result<Verdict> {
    let rule: HistoryRule = settings::get_in(tables, RULE)?.unwrap_or_default();
    let allowed = is_allowed(tables, device).unwrap_or_else(|why| {
        tracing::error!(%device, "the allowed number of a device could not be read, so it is not allowed: {why}");
        false
    });
    Ok(Verdict { allowed, withheld: rule == HistoryRule::AllowedOnly && !allowed })
}

fn is_allowed(tables: &Tables<'_>, device: DeviceNo) -> Result<bool> {
    use redb::ReadableTableMetadata as _;
    if tables.allowed_by_number.is_empty()? {
        return Ok(false);
    }
    let Some(number) = devices::existing(tables, device)?.phone_number else { return Ok(false) };
    let Some(id) = tables.allowed_by_number.get(number.as_str())?.map(|row| row.value()) else {
        return Ok(false);
    };
    Ok(read(&tables.allowed_numbers, id)?.is_some_and(|entry| entry.active))
}

fn existing(tables: &Tables<'_>, id: u32) -> Result<AllowedNumber> {
    read(&tables.allowed_numbers, id)?.ok_or_else(|| Error::new(Code::AllowedNumberNotFound))
}

fn read(table: &impl ReadableTable<u32, &'static [u8]>, id: u32) -> Result<Option<AllowedNumber>> {
    match table.get(id)? {
        Some(row) => decode("allowed_numbers", id, row.value()).map(Some),
        None => Ok(None),
    }
}

fn write(tables: &mut Tables<'_>, entry: &AllowedNumber) -> Result<()> {
    tables.allowed_numbers.insert(entry.id, encode(entry)?.as_slice())?;
    tables.allowed_by_number.insert(entry.number.as_str(), entry.id)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::change::{Change, What};
    use crate::model::event::Fact;
    use crate::model::job::{ItemError, ItemState, JobKind};
    use crate::model::message::{Content, Message};
    use crate::model::search::Question;
    use crate::store::messages::tests::{incoming, store_with_device};
    use crate::store::search::{Filter, find};
    use crate::store::{Store, changes, chats, days, jobs, messages, notifications, outbox};

    const OWN: &str = "6281111111111";

    async fn strict_store(dir: &std::path::Path) -> (Store, DeviceNo) {
        let (store, device) = store_with_device(dir).await;
        store
            .write(move |t| {
                set_rule(t, HistoryRule::AllowedOnly)?;
                devices::update(t, device, 1, |device| device.phone_number = Some(OWN.into())).map(drop)
            })
            .await
            .expect("prepared");
        (store, device)
    }

    async fn receive(store: &Store, device: DeviceNo, id: &str, at: i64) {
        let message = incoming(device, id, at);
        assert!(store.write(move |t| messages::receive(t, &message, at)).await.expect("stored"));
    }

    fn stored(store: &Store, device: DeviceNo) -> Vec<Message> {
        let chat = incoming(device, "", 0).chat;
        messages::page(&store.view().expect("a view"), device, &chat, None, 10).expect("a page")
    }

    fn told(store: &Store) -> Vec<Fact> {
        let events = outbox::after(&store.view().expect("a view"), 0, 100).expect("read");
        events.into_iter().map(|event| event.fact).collect()
    }

    #[tokio::test]
    async fn what_is_not_allowed_is_told_and_counted_and_its_text_is_nowhere() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = strict_store(dir.path()).await;
        receive(&store, device, "A", 1_000).await;
        let view = store.view().expect("a view");
        let kept = &stored(&store, device)[0];
        assert_eq!(kept.content, Content::Withheld { kind: "conversation".into() });
        assert!(kept.marks.withheld && !kept.marks.allowed && kept.push_name.is_none());
        let question = Question::parse("text").expect("a question");
        assert!(find(&view, device, &question, &Filter::default(), None, 9).expect("found").rows.is_empty());
        let chat = &chats::page(&view, device, None, 9).expect("read")[0];
        assert_eq!((chat.last.text.as_deref(), chat.unread), (None, 1));
        let day = crate::model::day::Day::of(1_000);
        assert_eq!(days::of_device(&view, device, day, day).expect("read")[0].1.incoming, 1);
        let live = told(&store).into_iter().find_map(|fact| match fact {
            Fact::MessageReceived { message } => message.content.text().map(str::to_owned),
            _ => None,
        });
        assert_eq!(live.as_deref(), Some("text A"));
        let news = notifications::of(&view, crate::model::id::UserId(1)).expect("read");
        assert_eq!(news.len(), 1);
        assert!(!serde_json::to_string(&news[0]).expect("JSON").contains("text A"));
    }

    #[tokio::test]
    async fn a_change_of_the_list_counts_from_the_next_message_on() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = strict_store(dir.path()).await;
        let entry = store.write(move |t| put(t, OWN, true, Some(device), 5)).await.expect("allowed");
        receive(&store, device, "A", 1_000).await;
        let again = store.write(|t| put(t, OWN, false, None, 6)).await.expect("known");
        assert_eq!((again.id, again.device, again.active), (entry.id, Some(device), false));
        receive(&store, device, "B", 2_000).await;
        store.write(move |t| set_active(t, entry.id, true, 7)).await.expect("set");
        receive(&store, device, "C", 3_000).await;
        store.write(move |t| remove(t, entry.id)).await.expect("removed");
        receive(&store, device, "D", 4_000).await;
        let texts: Vec<_> = stored(&store, device)
            .into_iter()
            .map(|one| (one.content.text().map(str::to_owned), one.marks.allowed))
            .collect();
        let text = |id: &str| Some(format!("text {id}"));
        assert_eq!(texts, [(None, false), (text("C"), true), (None, false), (text("A"), true)]);
        let gone = store.write(move |t| set_active(t, entry.id, true, 8)).await.expect_err("removed");
        assert_eq!(gone.code(), Code::AllowedNumberNotFound);
    }

    #[tokio::test]
    async fn everything_is_kept_without_the_rule_and_what_is_allowed_is_marked() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = strict_store(dir.path()).await;
        store.write(|t| set_rule(t, HistoryRule::All)).await.expect("set");
        receive(&store, device, "A", 1_000).await;
        store.write(|t| put(t, OWN, true, None, 5)).await.expect("allowed");
        receive(&store, device, "B", 2_000).await;
        let marked: Vec<_> = stored(&store, device)
            .into_iter()
            .map(|one| (one.content.text().is_some(), one.marks.allowed))
            .collect();
        assert_eq!(marked, [(true, true), (true, false)]);
    }

    #[tokio::test]
    async fn what_is_sent_waits_in_its_job_and_leaves_no_text_once_it_is_sent() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = strict_store(dir.path()).await;
        jobs::tests::put_job(&store, device, "one", JobKind::SendSingle, 2, 1_000).await;
        let item = |index: usize| {
            jobs::items(&store.view().expect("a view"), "one", 0, 9).expect("read").swap_remove(index)
        };
        assert!(item(0).outgoing.is_some() && stored(&store, device)[0].content.text().is_none());
        jobs::tests::settled(&store, "one", 0, jobs::Outcome::Sent).await;
        assert!(item(0).outgoing.is_none() && item(0).state == ItemState::Sent);
        // What failed can be tried again, so it stays in its job.
        let refused = ItemError { code: "send_failed".into(), network: None };
        jobs::tests::settled(&store, "one", 1, jobs::Outcome::Failed(refused)).await;
        assert!(item(1).outgoing.is_some());
        assert!(stored(&store, device).iter().all(|one| one.content.text().is_none()));
        let live = told(&store)
            .into_iter()
            .any(|fact| matches!(fact, Fact::MessageSent { message } if message.content.text().is_some()));
        assert!(live, "the event has the text");
    }

    #[tokio::test]
    async fn edits_and_reactions_are_told_and_leave_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = strict_store(dir.path()).await;
        receive(&store, device, "A", 1_000).await;
        let edit = What::Edit { text: "rahasia".into(), mentions: Vec::new() };
        for (at, what) in [(2_000, edit), (3_000, What::Reaction { emoji: "👍".into() })] {
            let chat = incoming(device, "", 0).chat;
            let change = Change { device, by: Some(chat.clone()), chat, target: "A".into(), at, what };
            assert!(store.write(move |t| changes::apply(t, &change, at)).await.expect("applied"));
        }
        let kept = &stored(&store, device)[0];
        assert_eq!(kept.content, Content::Withheld { kind: "conversation".into() });
        assert!(kept.marks.reactions.is_empty() && kept.marks.edited_at == Some(2_000));
        let rewritten = told(&store).into_iter().any(|fact| {
            matches!(fact, Fact::MessageChanged { message, .. } if message.content.text() == Some("rahasia"))
        });
        assert!(rewritten);
    }
}
