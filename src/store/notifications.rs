//! What users are to be told, written in the commit of the fact itself.

use super::codec::{decode, encode};
use super::settings::next;
use super::tables::{Tables, View};
use crate::error::Result;
use crate::model::event::{Fact, Scope};
use crate::model::id::UserId;
use crate::model::jid::Jid;
use crate::model::notification::{News, Notification, subject_of_chat};
use redb::{ReadableTable as _, Table};

/// Rows that are kept of a user; older ones go.
pub const KEEP: usize = 500;

/// Tells the owner of a device what happened, when it is worth telling. Unread news of the same matter are replaced.
pub(super) fn tell(tables: &mut Tables<'_>, at: i64, scope: &Scope, fact: &Fact) -> Result<()> {
    let Some(mut news) = News::of(fact) else { return Ok(()) };
    let (user, subject) = (scope.owner, key(scope, &news.subject()));
    if let Some(unread) = take_unread(tables, user, &subject)? {
        news = news.after(&unread.news);
    }
    let id = next(tables, "notification")?;
    let device_id = scope.device_id.clone();
    let told = Notification { id, user, device_id, at, read: false, news };
    tables.notifications.insert((user.0, id), encode(&told)?.as_slice())?;
    tables.notifications_by_subject.insert((user.0, subject.as_str()), id)?;
    Ok(())
}

/// Notes that the owner of a device has read a chat.
pub(super) fn chat_read(tables: &mut Tables<'_>, scope: &Scope, chat: &str) -> Result<()> {
    let Ok(chat) = chat.parse::<Jid>() else { return Ok(()) };
    let subject = key(scope, &subject_of_chat(&chat));
    let known =
        tables.notifications_by_subject.get((scope.owner.0, subject.as_str()))?.map(|row| row.value());
    match known {
        Some(id) => mark_read(tables, scope.owner, Some(&[id])).map(drop),
        None => Ok(()),
    }
}

/// Marks notifications of a user as read, all when none are named; returns how many were unread.
pub fn mark_read(tables: &mut Tables<'_>, user: UserId, ids: Option<&[u64]>) -> Result<usize> {
    let mut unread = Vec::new();
    for row in tables.notifications.range((user.0, 0)..=(user.0, u64::MAX))? {
        let (at, value) = row?;
        if ids.is_none_or(|ids| ids.contains(&at.value().1)) {
            let told: Notification = decode("notifications", at.value(), value.value())?;
            unread.extend(Some(told).filter(|told| !told.read));
        }
    }
    for told in &mut unread {
        told.read = true;
        tables.notifications.insert((user.0, told.id), encode(told)?.as_slice())?;
    }
    Ok(unread.len())
}

/// Returns what a user was told, newest first.
pub fn of(view: &View, user: UserId) -> Result<Vec<Notification>> {
    let table = view.notifications()?;
    let rows = table.range((user.0, 0)..=(user.0, u64::MAX))?.rev().take(KEEP).map(|row| {
        let (at, value) = row?;
        decode("notifications", at.value(), value.value())
    });
    rows.collect()
}

/// Drops what is older than the newest [`KEEP`] rows of each user.
pub fn trim(tables: &mut Tables<'_>) -> Result<()> {
    keep_newest(&mut tables.notifications, KEEP)?;
    let mut gone = Vec::new();
    for row in tables.notifications_by_subject.iter()? {
        let (at, id) = row?;
        let (user, subject) = at.value();
        if tables.notifications.get((user, id.value()))?.is_none() {
            gone.push((user, subject.to_owned()));
        }
    }
    for (user, subject) in &gone {
        tables.notifications_by_subject.remove((*user, subject.as_str()))?;
    }
    Ok(())
}

/// Drops all but the newest rows of each user from a table of (user, position).
pub(super) fn keep_newest(table: &mut Table<'_, (u32, u64), &'static [u8]>, keep: usize) -> Result<()> {
    let mut from = 0;
    while let Some(user) = first_user(table, from)? {
        let oldest = table.range((user, 0)..=(user, u64::MAX))?.rev().nth(keep - 1).transpose()?;
        let oldest = oldest.map(|row| row.0.value().1);
        if let Some(oldest) = oldest {
            table.retain_in((user, 0)..(user, oldest), |_, _| false)?;
        }
        let Some(next) = user.checked_add(1) else { break };
        from = next;
    }
    Ok(())
}

fn first_user(table: &Table<'_, (u32, u64), &'static [u8]>, from: u32) -> Result<Option<u32>> {
    Ok(table.range((from, 0)..)?.next().transpose()?.map(|row| row.0.value().0))
}

/// Removes and returns the news of a matter that its user has not seen yet.
fn take_unread(tables: &mut Tables<'_>, user: UserId, subject: &str) -> Result<Option<Notification>> {
    let id = tables.notifications_by_subject.get((user.0, subject))?.map(|row| row.value());
    let Some(id) = id else { return Ok(None) };
    let known = match tables.notifications.get((user.0, id))? {
        Some(row) => Some(decode::<Notification>("notifications", id, row.value())?),
        None => None,
    };
    let unread = known.filter(|known| !known.read);
    if unread.is_some() {
        tables.notifications.remove((user.0, id))?;
    }
    Ok(unread)
}

fn key(scope: &Scope, subject: &str) -> String {
    format!("{}:{subject}", scope.device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::{DeviceStatus, LinkTrouble};
    use crate::model::id::{DeviceId, DeviceNo};
    use crate::store::Store;

    fn scope() -> Scope {
        let device_id = DeviceId::parse("toko-1").expect("an id");
        Scope { device: DeviceNo(1), device_id, owner: UserId(1) }
    }

    fn link(trouble: Option<LinkTrouble>) -> Fact {
        let status = if trouble.is_some() { DeviceStatus::Disconnected } else { DeviceStatus::Connected };
        Fact::Link { status, phone_number: None, step: None, trouble }
    }

    async fn told(store: &Store, fact: Fact) {
        store.write(move |t| tell(t, 1, &scope(), &fact)).await.expect("told");
    }

    fn list(store: &Store) -> Vec<Notification> {
        of(&store.view().expect("a view"), UserId(1)).expect("read")
    }

    #[tokio::test]
    async fn unread_news_of_one_matter_are_one_notification() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        told(&store, link(Some(LinkTrouble::Lost))).await;
        told(&store, link(Some(LinkTrouble::Unreachable))).await;
        told(&store, link(None)).await;
        let shown = list(&store);
        assert_eq!(shown.len(), 1);
        assert!(matches!(&shown[0].news, News::Connection { trouble: None, .. }));
        let id = shown[0].id;
        let count = |ids: Option<Vec<u64>>| store.write(move |t| mark_read(t, UserId(1), ids.as_deref()));
        assert_eq!(count(Some(vec![id + 1])).await.expect("marked"), 0);
        assert_eq!(count(Some(vec![id])).await.expect("marked"), 1);
        assert_eq!(count(None).await.expect("marked"), 0);
        told(&store, link(Some(LinkTrouble::LoggedOut))).await;
        assert_eq!(list(&store).iter().map(|one| one.read).collect::<Vec<_>>(), [false, true]);
    }

    #[tokio::test]
    async fn only_the_newest_rows_of_each_user_stay() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        store
            .write(|t| {
                for user in [1, 7] {
                    for id in 0..5u64 {
                        t.notifications.insert((user, id), &b"{}"[..])?;
                    }
                }
                keep_newest(&mut t.notifications, 3)
            })
            .await
            .expect("trimmed");
        let table = store.view().expect("a view").notifications().expect("a table");
        let left: Vec<_> = table.iter().expect("rows").map(|row| row.expect("a row").0.value()).collect();
        assert_eq!(left, [(1, 2), (1, 3), (1, 4), (7, 2), (7, 3), (7, 4)]);
    }
}
