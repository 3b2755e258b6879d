//! What was written per local day, per chat and per device: counters that are kept in the transaction of the message.
//!
//! Retention takes messages away and leaves these: what was sent remains sent.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use crate::error::Result;
use crate::model::day::{ChatDay, Counted, Day, DeviceDay, hour};
use crate::model::id::DeviceNo;
use crate::model::message::{Message, MessageStatus};
use redb::ReadableTable as _;
use serde::Deserialize;
use std::collections::HashSet;

/// Counts the change of a message from `old` to `new`, after the messages themselves were written.
pub(super) fn note(tables: &mut Tables<'_>, old: Option<&Message>, new: Option<&Message>) -> Result<()> {
    let (old, new) = (old.map(Share::of), new.map(Share::of));
    if old == new {
        return Ok(());
    }
    if let Some(share) = old.filter(|share| share.what != Counted::Nothing) {
        share.count(tables, false)?;
    }
    if let Some(share) = new.filter(|share| share.what != Counted::Nothing) {
        share.count(tables, true)?;
    }
    Ok(())
}

/// What a message adds to the counters, and where.
#[derive(PartialEq)]
struct Share {
    device: DeviceNo,
    chat: String,
    at: i64,
    what: Counted,
}

impl Share {
    fn of(message: &Message) -> Self {
        let what = counted(message.from_me, message.status);
        Self { device: message.device, chat: message.chat.to_string(), at: message.at, what }
    }

    fn count(&self, tables: &mut Tables<'_>, is_new: bool) -> Result<()> {
        let (device, day) = (self.device, Day::of(self.at));
        let mut sum = device_day_in(tables, device, day)?;
        sum.count(self.what, hour(self.at), is_new);
        if self.what != Counted::Failed {
            self.count_chat(tables, day, &mut sum, is_new)?;
        }
        put_device_day(tables, device, day, &sum)
    }

    fn count_chat(&self, tables: &mut Tables<'_>, day: Day, sum: &mut DeviceDay, is_new: bool) -> Result<()> {
        let before = chat_day_in(tables, self.device, day, &self.chat)?.unwrap_or_default();
        let mut chat = before;
        if is_new {
            if let Some((after, until)) = chat.add(self.what, self.at) {
                chat.answered += incoming_between(tables, self.device, &self.chat, after, until)?;
            }
        } else {
            chat.subtract(self.what);
            let read = read_day(tables, self.device, &self.chat, day)?;
            (chat.answered, chat.last_in, chat.last_out) = (read.answered, read.last_in, read.last_out);
        }
        put_chat_day(tables, self.device, day, &self.chat, &before, &chat, sum)
    }
}

/// Moves the counters of a chat to the other address of the same person. `dropped` stood in both, and is counted once.
pub(super) fn move_chat(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    from: &str,
    to: &str,
    dropped: &[Message],
) -> Result<()> {
    let mut days = Vec::new();
    for row in tables.device_days.range((device.0, i32::MIN)..=(device.0, i32::MAX))? {
        days.push(Day(row?.0.value().1));
    }
    for day in days {
        let Some(old) = chat_day_in(tables, device, day, from)? else { continue };
        let known = chat_day_in(tables, device, day, to)?.unwrap_or_default();
        let mut sum = device_day_in(tables, device, day)?;
        put_chat_day(tables, device, day, from, &old, &ChatDay::default(), &mut sum)?;
        let mut joined = ChatDay {
            incoming: known.incoming + old.incoming,
            outgoing: known.outgoing + old.outgoing,
            answered: known.answered + old.answered,
            last_in: known.last_in.max(old.last_in),
            last_out: known.last_out.max(old.last_out),
        };
        for message in dropped.iter().filter(|message| Day::of(message.at) == day) {
            let what = counted(message.from_me, message.status);
            joined.subtract(what);
            sum.count(what, hour(message.at), false);
        }
        let read = read_day(tables, device, to, day)?;
        // Days that retention has emptied keep what was counted when they were full.
        if !read.is_empty() {
            joined.answered = read.answered;
        }
        put_chat_day(tables, device, day, to, &known, &joined, &mut sum)?;
        put_device_day(tables, device, day, &sum)?;
    }
    Ok(())
}

/// Returns what was written on a device from one day to another, both included; days without anything are left out.
pub fn of_device(view: &View, device: DeviceNo, from: Day, to: Day) -> Result<Vec<(Day, DeviceDay)>> {
    let table = view.device_days()?;
    let rows = table.range((device.0, from.0)..=(device.0, to.0))?;
    rows.map(|row| {
        let (at, value) = row?;
        Ok((Day(at.value().1), decode("device_days", at.value(), value.value())?))
    })
    .collect()
}

/// Returns the chats in which something was written on a day.
pub fn chats_of(view: &View, device: DeviceNo, day: Day) -> Result<Vec<(String, ChatDay)>> {
    let table = view.chat_days()?;
    let rows = table.range((device.0, day.0, "")..=(device.0, day.0, "\u{10ffff}"))?;
    rows.map(|row| {
        let (at, value) = row?;
        Ok((at.value().2.to_owned(), decode("chat_days", at.value(), value.value())?))
    })
    .collect()
}

/// Returns in how many chats something was written from one day to another, both included.
pub fn active_chats(view: &View, device: DeviceNo, from: Day, to: Day) -> Result<usize> {
    let table = view.chat_days()?;
    let mut chats = HashSet::new();
    for row in table.range((device.0, from.0, "")..=(device.0, to.0, "\u{10ffff}"))? {
        let place = row?.0;
        let (_, _, chat) = place.value();
        if !chats.contains(chat) {
            chats.insert(chat.to_owned());
        }
    }
    Ok(chats.len())
}

/// Returns how many of the day's incoming messages nobody has read, when the newest `unread` of the chat are unread.
pub fn unread_of_day(
    view: &View,
    device: DeviceNo,
    chat: &str,
    day: Day,
    incoming: u32,
    unread: u32,
) -> Result<u32> {
    let mut left = unread;
    if left == 0 {
        return Ok(0);
    }
    let (days, chats) = (view.device_days()?, view.chat_days()?);
    for row in days.range((device.0, day.0.saturating_add(1))..=(device.0, i32::MAX))?.rev() {
        let later = row?.0.value().1;
        if let Some(row) = chats.get((device.0, later, chat))? {
            let later: ChatDay = decode("chat_days", chat, row.value())?;
            left = left.saturating_sub(later.incoming);
        }
        if left == 0 {
            break;
        }
    }
    Ok(left.min(incoming))
}

fn counted(from_me: bool, status: MessageStatus) -> Counted {
    match (from_me, status) {
        (false, _) => Counted::Incoming,
        (true, MessageStatus::Pending) => Counted::Nothing,
        (true, MessageStatus::Failed) => Counted::Failed,
        (true, _) => Counted::Outgoing,
    }
}

/// The part of a stored message that is counted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Direction {
    from_me: bool,
    status: MessageStatus,
}

/// Counts the incoming messages of a chat between two moments, both excluded.
fn incoming_between(
    tables: &Tables<'_>,
    device: DeviceNo,
    chat: &str,
    after: i64,
    until: i64,
) -> Result<u32> {
    let mut count = 0;
    // The day's messages only: before its first outgoing one `after` is 0.
    let from = Day::of(until).start().max(after.saturating_add(1));
    for row in tables.messages.range((device.0, chat, from, "")..(device.0, chat, until, ""))? {
        let (at, value) = row?;
        let one: Direction = decode("messages", at.value(), value.value())?;
        count += u32::from(!one.from_me);
    }
    Ok(count)
}

/// Counts a day of a chat from its messages.
fn read_day(tables: &Tables<'_>, device: DeviceNo, chat: &str, day: Day) -> Result<ChatDay> {
    let mut read = ChatDay::default();
    let range = (device.0, chat, day.start(), "")..=(device.0, chat, day.end(), "\u{10ffff}");
    for row in tables.messages.range(range)? {
        let (at, value) = row?;
        let one: Direction = decode("messages", at.value(), value.value())?;
        read.add(counted(one.from_me, one.status), at.value().2);
    }
    Ok(read)
}

fn device_day_in(tables: &Tables<'_>, device: DeviceNo, day: Day) -> Result<DeviceDay> {
    match tables.device_days.get((device.0, day.0))? {
        Some(row) => decode("device_days", day, row.value()),
        None => Ok(DeviceDay::default()),
    }
}

fn put_device_day(tables: &mut Tables<'_>, device: DeviceNo, day: Day, sum: &DeviceDay) -> Result<()> {
    tables.device_days.insert((device.0, day.0), encode(sum)?.as_slice())?;
    Ok(())
}

fn chat_day_in(tables: &Tables<'_>, device: DeviceNo, day: Day, chat: &str) -> Result<Option<ChatDay>> {
    match tables.chat_days.get((device.0, day.0, chat))? {
        Some(row) => decode("chat_days", chat, row.value()).map(Some),
        None => Ok(None),
    }
}

/// Writes the row of a chat, or removes an empty one; `sum` takes what changes for the device.
fn put_chat_day(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    day: Day,
    chat: &str,
    before: &ChatDay,
    after: &ChatDay,
    sum: &mut DeviceDay,
) -> Result<()> {
    sum.answered = (sum.answered + u64::from(after.answered)).saturating_sub(u64::from(before.answered));
    match (before.is_empty(), after.is_empty()) {
        (true, false) => sum.chats += 1,
        (false, true) => sum.chats = sum.chats.saturating_sub(1),
        _ => {}
    }
    let place = (device.0, day.0, chat);
    if after.is_empty() {
        tables.chat_days.remove(place)?;
    } else {
        tables.chat_days.insert(place, encode(after)?.as_slice())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::jid::{Identity, Jid};
    use crate::model::job::JobKind;
    use crate::store::messages::tests::{incoming, store_with_device};
    use crate::store::{Store, identities, jobs, messages};

    const MORNING: i64 = 1_704_042_000_000;
    const DAY: Day = Day(19_723);

    async fn receive(store: &Store, device: DeviceNo, id: &str, at: i64) {
        let message = incoming(device, id, at);
        store.write(move |t| messages::receive(t, &message, at)).await.expect("stored");
    }

    async fn answer(store: &Store, device: DeviceNo, id: &str, at: i64) {
        let message =
            Message { from_me: true, sender: None, status: MessageStatus::Sent, ..incoming(device, id, at) };
        store.write(move |t| messages::receive(t, &message, at)).await.expect("stored");
    }

    fn sum(store: &Store, device: DeviceNo) -> DeviceDay {
        let view = store.view().expect("a view");
        of_device(&view, device, DAY, DAY).expect("read").pop().map(|(_, sum)| sum).unwrap_or_default()
    }

    fn chats(store: &Store, device: DeviceNo) -> Vec<(String, ChatDay)> {
        chats_of(&store.view().expect("a view"), device, DAY).expect("read")
    }

    #[tokio::test]
    async fn a_day_is_counted_per_chat_and_per_device_in_whatever_order_it_comes() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        for (id, at) in [("A", 10_000), ("B", 20_000), ("C", 40_000)] {
            receive(&store, device, id, MORNING + at).await;
        }
        receive(&store, device, "A", MORNING + 10_000).await;
        answer(&store, device, "X", MORNING + 30_000).await;
        receive(&store, device, "D", MORNING - 1).await;
        let (counted, all) = (chats(&store, device), sum(&store, device));
        assert_eq!(counted.len(), 1);
        let (chat, day) = &counted[0];
        assert_eq!(chat, "6281234567890@s.whatsapp.net");
        assert_eq!((day.incoming, day.outgoing, day.answered), (3, 1, 2));
        assert_eq!((all.incoming, all.outgoing, all.answered, all.chats), (3, 1, 2, 1));
        assert_eq!((all.hours_in[0], all.hours_out[0]), (3, 1));
        let view = store.view().expect("a view");
        let unread = |day: Day, incoming| unread_of_day(&view, device, chat, day, incoming, 4).expect("read");
        assert_eq!((unread(DAY, 3), unread(DAY.plus(-1), 1)), (3, 1));
        assert_eq!(active_chats(&view, device, DAY.plus(-1), DAY).expect("read"), 1);
    }

    #[tokio::test]
    async fn what_is_sent_counts_once_it_is_sent_and_what_fails_once_it_fails() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let put =
            |id: &'static str| jobs::tests::put_job(&store, device, id, JobKind::SendSingle, 1, MORNING);
        put("one").await;
        put("two").await;
        assert!(chats(&store, device).is_empty());
        let refused = crate::model::job::ItemError { code: "send_failed".into(), network: None };
        jobs::tests::settled(&store, "one", 0, jobs::Outcome::Sent).await;
        jobs::tests::settled(&store, "two", 0, jobs::Outcome::Failed(refused)).await;
        let all = sum(&store, device);
        assert_eq!((all.outgoing, all.failed, all.chats), (1, 1, 1));
        let chat: Jid = "6281234567890@s.whatsapp.net".parse().expect("an address");
        let ids = vec!["one-0".to_owned(), "two-0".to_owned()];
        let read =
            store.write(move |t| messages::advance(t, device, &chat, &ids, MessageStatus::Read, MORNING));
        read.await.expect("advanced");
        let all = sum(&store, device);
        assert_eq!((all.outgoing, all.failed), (2, 0), "a receipt proves that it was sent");
    }

    #[tokio::test]
    async fn a_person_who_gets_a_number_keeps_the_counters() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        receive(&store, device, "A", MORNING).await;
        let lid: Jid = "100@lid".parse().expect("an address");
        for (id, at) in [("A", 0), ("B", 5_000)] {
            let (chat, at) = (lid.clone(), MORNING + at);
            let message = Message { sender: Some(chat.clone()), chat, ..incoming(device, id, at) };
            store.write(move |t| messages::receive(t, &message, at)).await.expect("stored");
        }
        assert_eq!(sum(&store, device).chats, 2);
        let identity = Identity { lid: "100".into(), phone: "6281234567890".into() };
        store.write(move |t| identities::learn(t, device, &identity, MORNING)).await.expect("learned");
        let (counted, all) = (chats(&store, device), sum(&store, device));
        assert_eq!((counted.len(), counted[0].1.incoming), (1, 2), "A stood under both addresses");
        assert_eq!((all.incoming, all.chats, all.hours_in[0]), (2, 1, 2));
    }
}
