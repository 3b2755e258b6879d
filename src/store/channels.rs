//! Channels: those that accounts follow or run, and what was posted in them. Chats, unread counts and statistics know nothing
//! of them.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{devices, outbox};
use crate::error::{Error, Result};
use crate::model::channel::{Channel, ChannelPost};
use crate::model::event::{ChannelPostChange, Fact};
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::job::{Item, ItemState, Job};
use crate::model::message::MessageStatus;
use redb::ReadableTable;

const TABLE: &str = "channels";
const POSTS: &str = "channel_posts";
/// Posts kept per channel, the newest; WhatsApp has the others.
const POSTS_MAX: usize = 1_000;
/// Sorts behind every address.
const LAST: &str = "\u{10ffff}";

/// Takes what the network says: these are all channels that the account follows or runs.
pub fn put_all(tables: &mut Tables<'_>, device: DeviceNo, all: &[Channel]) -> Result<()> {
    tables.channels.retain_in((device.0, "")..=(device.0, LAST), |_, _| false)?;
    all.iter().try_for_each(|channel| put(tables, device, channel))
}

/// Takes what the network says of one channel.
pub fn put(tables: &mut Tables<'_>, device: DeviceNo, channel: &Channel) -> Result<()> {
    let key = channel.jid.to_string();
    tables.channels.insert((device.0, key.as_str()), encode(channel)?.as_slice())?;
    Ok(())
}

/// Forgets a channel that the account follows no more, and its posts.
pub fn remove(tables: &mut Tables<'_>, device: DeviceNo, channel: &Jid) -> Result<()> {
    let key = channel.to_string();
    tables.channels.remove((device.0, key.as_str()))?;
    tables
        .channel_posts
        .retain_in((device.0, key.as_str(), "")..=(device.0, key.as_str(), LAST), |_, _| false)?;
    let order = (device.0, key.as_str(), i64::MIN, "")..=(device.0, key.as_str(), i64::MAX, LAST);
    tables.channel_posts_by_time.retain_in(order, |_, _| false)?;
    Ok(())
}

/// Returns the channels that the account follows or runs, by address.
pub fn list(view: &View, device: DeviceNo) -> Result<Vec<Channel>> {
    let table = view.channels()?;
    let rows = table.range((device.0, "")..=(device.0, LAST))?;
    rows.map(|row| {
        let (at, value) = row?;
        decode(TABLE, at.value(), value.value())
    })
    .collect()
}

/// Returns a channel that the account follows or runs, or none.
pub fn get(view: &View, device: DeviceNo, channel: &Jid) -> Result<Option<Channel>> {
    channel_of(&view.channels()?, device, channel)
}

/// Stores a post and tells it, unless it is known already.
pub fn receive(tables: &mut Tables<'_>, post: &ChannelPost, now: i64) -> Result<()> {
    let Some(post) = take(tables, post)? else { return Ok(()) };
    trim(tables, post.device, &post.channel)?;
    tell(tables, &post, ChannelPostChange::Received, now)
}

/// Stores posts of one channel that the network was asked for; nobody is told of them.
pub fn import(tables: &mut Tables<'_>, posts: &[ChannelPost]) -> Result<()> {
    posts.iter().try_for_each(|post| take(tables, post).map(drop))?;
    match posts.first() {
        Some(post) => trim(tables, post.device, &post.channel),
        None => Ok(()),
    }
}

/// Removes a post that was deleted for everybody, and tells it; nothing happens when it is unknown.
pub fn take_back(tables: &mut Tables<'_>, device: DeviceNo, channel: &Jid, id: &str, now: i64) -> Result<()> {
    let Some(post) = post_of(&tables.channel_posts, device, &channel.to_string(), id)? else {
        return Ok(());
    };
    drop_post(tables, &post)?;
    tell(tables, &post, ChannelPostChange::Deleted, now)
}

/// Stores the post of an item that waits in the queue.
pub(super) fn insert_outgoing(tables: &mut Tables<'_>, job: &Job, item: &Item) -> Result<()> {
    let post = outgoing(job, item)?;
    put_post(tables, &post)?;
    trim(tables, post.device, &post.channel)
}

/// Notes how an item ended: its post was sent or failed.
pub(super) fn settle(tables: &mut Tables<'_>, job: &Job, item: &Item, now: i64) -> Result<()> {
    let mut post = outgoing(job, item)?;
    let sent = item.state == ItemState::Sent;
    if let Some(known) = post_of(&tables.channel_posts, post.device, &post.channel.to_string(), &post.id)? {
        // Whoever reads the channel meanwhile may have learnt its number and its time there.
        (post.number, post.at) = (known.number, known.at);
        drop_post(tables, &known)?;
    }
    post.status = if sent { MessageStatus::Sent } else { MessageStatus::Failed };
    post.error.clone_from(&item.error);
    put_post(tables, &post)?;
    tell(tables, &post, if sent { ChannelPostChange::Sent } else { ChannelPostChange::Failed }, now)
}

/// Returns up to `limit` posts of a channel, newest first, older than the post `before` when given.
pub fn page(
    view: &View,
    device: DeviceNo,
    channel: &Jid,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<ChannelPost>> {
    let (order, posts) = (view.channel_posts_by_time()?, view.channel_posts()?);
    let key = channel.to_string();
    let until = match before {
        None => (i64::MAX, LAST.to_owned()),
        Some(id) => match post_of(&posts, device, &key, id)? {
            Some(post) => (post.at, post.id),
            None => return Ok(Vec::new()),
        },
    };
    let range = (device.0, key.as_str(), i64::MIN, "")..(device.0, key.as_str(), until.0, until.1.as_str());
    let mut found = Vec::new();
    for row in order.range(range)?.rev().take(limit) {
        let at = row?.0;
        found.extend(post_of(&posts, device, &key, at.value().3)?);
    }
    Ok(found)
}

/// Returns a post, or none.
pub fn post(view: &View, device: DeviceNo, channel: &Jid, id: &str) -> Result<Option<ChannelPost>> {
    post_of(&view.channel_posts()?, device, &channel.to_string(), id)
}

/// Returns whether a post is older than `before` (milliseconds since 1970).
pub fn has_old(view: &View, before: i64) -> Result<bool> {
    for row in view.channel_posts_by_time()?.iter()? {
        if row?.0.value().2 < before {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes up to `limit` posts that are older than `before` (milliseconds since 1970), and returns how many went.
pub fn prune(tables: &mut Tables<'_>, before: i64, limit: usize) -> Result<usize> {
    let mut gone = Vec::new();
    for row in tables.channel_posts_by_time.iter()? {
        let key = row?.0;
        let (device, channel, at, id) = key.value();
        if at < before {
            gone.push((device, channel.to_owned(), at, id.to_owned()));
        }
        if gone.len() == limit {
            break;
        }
    }
    for (device, channel, at, id) in &gone {
        tables.channel_posts.remove((*device, channel.as_str(), id.as_str()))?;
        tables.channel_posts_by_time.remove((*device, channel.as_str(), *at, id.as_str()))?;
    }
    Ok(gone.len())
}

/// Forgets all channels of a device, when another account may take its place.
pub fn wipe(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    tables.channels.retain_in((device.0, "")..=(device.0, LAST), |_, _| false)?;
    tables.channel_posts.retain_in((device.0, "", "")..=(device.0, LAST, LAST), |_, _| false)?;
    let order = (device.0, "", i64::MIN, "")..=(device.0, LAST, i64::MAX, LAST);
    Ok(tables.channel_posts_by_time.retain_in(order, |_, _| false)?)
}

/// Stores a post of the network; returns it when it was not known. One that Kurir sent learns its number and its time.
fn take(tables: &mut Tables<'_>, post: &ChannelPost) -> Result<Option<ChannelPost>> {
    let channel = channel_of(&tables.channels, post.device, &post.channel)?;
    // The network names no writer: a channel that the account runs speaks for the account.
    let from_me = post.from_me || channel.is_some_and(|channel| channel.role.may_post());
    let post = ChannelPost { from_me, ..post.clone() };
    let Some(known) = post_of(&tables.channel_posts, post.device, &post.channel.to_string(), &post.id)?
    else {
        put_post(tables, &post)?;
        return Ok(Some(post));
    };
    if known.number.is_none() && post.number.is_some() {
        drop_post(tables, &known)?;
        put_post(tables, &ChannelPost { number: post.number, at: post.at, ..known })?;
    }
    Ok(None)
}

/// Returns the post that an item sends, as it waits.
fn outgoing(job: &Job, item: &Item) -> Result<ChannelPost> {
    let outgoing = item.outgoing.as_ref();
    let outgoing = outgoing.ok_or_else(|| Error::broken("a waiting item has nothing to send"))?;
    let content = outgoing.content.stored();
    Ok(ChannelPost {
        device: job.device,
        channel: outgoing.to.clone(),
        id: item.message_id.clone(),
        number: None,
        from_me: true,
        content: content.ok_or_else(|| Error::broken("a post of a channel has no content"))?,
        at: job.created_at,
        status: MessageStatus::Pending,
        error: None,
        job: Some(job.id.clone()),
    })
}

fn put_post(tables: &mut Tables<'_>, post: &ChannelPost) -> Result<()> {
    let key = post.channel.to_string();
    tables.channel_posts.insert((post.device.0, key.as_str(), post.id.as_str()), encode(post)?.as_slice())?;
    tables.channel_posts_by_time.insert((post.device.0, key.as_str(), post.at, post.id.as_str()), ())?;
    Ok(())
}

fn drop_post(tables: &mut Tables<'_>, post: &ChannelPost) -> Result<()> {
    let key = post.channel.to_string();
    tables.channel_posts.remove((post.device.0, key.as_str(), post.id.as_str()))?;
    tables.channel_posts_by_time.remove((post.device.0, key.as_str(), post.at, post.id.as_str()))?;
    Ok(())
}

/// Drops the oldest posts of a channel beyond the limit.
fn trim(tables: &mut Tables<'_>, device: DeviceNo, channel: &Jid) -> Result<()> {
    let key = channel.to_string();
    let all = (device.0, key.as_str(), i64::MIN, "")..=(device.0, key.as_str(), i64::MAX, LAST);
    let mut beyond = Vec::new();
    for row in tables.channel_posts_by_time.range(all)?.rev().skip(POSTS_MAX) {
        let at = row?.0;
        beyond.push((at.value().2, at.value().3.to_owned()));
    }
    for (at, id) in &beyond {
        tables.channel_posts.remove((device.0, key.as_str(), id.as_str()))?;
        tables.channel_posts_by_time.remove((device.0, key.as_str(), *at, id.as_str()))?;
    }
    Ok(())
}

fn tell(tables: &mut Tables<'_>, post: &ChannelPost, change: ChannelPostChange, now: i64) -> Result<()> {
    let scope = devices::scope(&devices::existing(tables, post.device)?);
    outbox::append(tables, now, scope, Fact::ChannelPost { change, post: Box::new(post.clone()) })
}

fn channel_of(
    table: &impl ReadableTable<(u32, &'static str), &'static [u8]>,
    device: DeviceNo,
    channel: &Jid,
) -> Result<Option<Channel>> {
    let key = channel.to_string();
    match table.get((device.0, key.as_str()))? {
        Some(row) => decode(TABLE, &key, row.value()).map(Some),
        None => Ok(None),
    }
}

fn post_of(
    table: &impl ReadableTable<(u32, &'static str, &'static str), &'static [u8]>,
    device: DeviceNo,
    channel: &str,
    id: &str,
) -> Result<Option<ChannelPost>> {
    match table.get((device.0, channel, id))? {
        Some(row) => decode(POSTS, (channel, id), row.value()).map(Some),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::channel::ChannelRole;
    use crate::model::message::Content;
    use crate::store::Store;
    use crate::store::messages::tests::store_with_device;

    fn news() -> Jid {
        "120363000000000001@newsletter".parse().expect("an address")
    }

    fn channel(role: ChannelRole) -> Channel {
        Channel {
            jid: news(),
            name: "Kabar".into(),
            description: None,
            followers: 0,
            role,
            muted: false,
            verified: false,
            invite_code: None,
            created_at: None,
        }
    }

    fn post(device: DeviceNo, id: &str, number: Option<u64>, at: i64) -> ChannelPost {
        ChannelPost {
            device,
            channel: news(),
            id: id.into(),
            number,
            from_me: false,
            content: Content::Text { text: id.into() },
            at,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
        }
    }

    fn ids(store: &Store, device: DeviceNo, before: Option<&str>) -> Vec<String> {
        let page = page(&store.view().expect("a view"), device, &news(), before, 10).expect("read");
        page.into_iter().map(|post| post.id).collect()
    }

    #[tokio::test]
    async fn a_post_is_stored_and_told_once_and_read_in_order() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let posts = [post(device, "A", Some(101), 10), post(device, "C", Some(103), 30)];
        store.write(move |t| posts.iter().try_for_each(|post| receive(t, post, 40))).await.expect("stored");
        let asked = [post(device, "A", Some(101), 10), post(device, "B", Some(102), 20)];
        store.write(move |t| import(t, &asked)).await.expect("stored");
        assert_eq!(ids(&store, device, None), ["C", "B", "A"]);
        assert_eq!(ids(&store, device, Some("B")), ["A"]);
        assert!(ids(&store, device, Some("X")).is_empty());
        let told = outbox::after(&store.view().expect("a view"), 0, 10).expect("read");
        assert_eq!(told.iter().filter(|event| matches!(event.fact, Fact::ChannelPost { .. })).count(), 2);

        store.write(move |t| take_back(t, device, &news(), "B", 50)).await.expect("taken back");
        assert_eq!(ids(&store, device, None), ["C", "A"]);
        assert!(has_old(&store.view().expect("a view"), 11).expect("read"));
        assert_eq!(store.write(move |t| prune(t, 11, 9)).await.expect("pruned"), 1);
        assert_eq!(ids(&store, device, None), ["C"]);
        store.write(move |t| remove(t, device, &news())).await.expect("removed");
        assert!(ids(&store, device, None).is_empty());
    }

    #[tokio::test]
    async fn what_kurir_sent_learns_its_number_from_the_channel() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let own = channel(ChannelRole::Owner);
        store.write(move |t| put_all(t, device, std::slice::from_ref(&own))).await.expect("stored");
        let sent = ChannelPost { status: MessageStatus::Sent, ..post(device, "A", None, 10) };
        store.write(move |t| put_post(t, &sent)).await.expect("stored");
        let seen = [post(device, "A", Some(107), 2_007), post(device, "B", Some(108), 2_008)];
        store.write(move |t| import(t, &seen)).await.expect("stored");
        let view = store.view().expect("a view");
        let kept = super::post(&view, device, &news(), "A").expect("read").expect("a post");
        assert_eq!((kept.number, kept.at, kept.status), (Some(107), 2_007, MessageStatus::Sent));
        let other = super::post(&view, device, &news(), "B").expect("read").expect("a post");
        assert!(other.from_me, "the channel speaks for who runs it");
        assert_eq!(ids(&store, device, None), ["B", "A"]);
    }

    #[tokio::test]
    async fn the_oldest_posts_make_room() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let many: Vec<_> = (0..POSTS_MAX as i64 + 3)
            .map(|n| post(device, &format!("{n:05}"), u64::try_from(n).ok(), n))
            .collect();
        store.write(move |t| import(t, &many)).await.expect("stored");
        let view = store.view().expect("a view");
        let all = page(&view, device, &news(), None, usize::MAX).expect("read");
        assert_eq!((all.len(), all[POSTS_MAX - 1].id.as_str()), (POSTS_MAX, "00003"));
        store.write(move |t| wipe(t, device)).await.expect("wiped");
        assert!(ids(&store, device, None).is_empty());
    }
}
