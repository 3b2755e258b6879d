//! Status posts: those of the account and of its contacts, for as long as they are shown. Chats, unread counts and statistics
//! know nothing of them.

use super::codec::{decode, encode};
use super::tables::{Tables, View};
use super::{devices, identities, outbox};
use crate::error::{Error, Result};
use crate::model::change::What;
use crate::model::event::{Fact, StatusPostChange};
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use crate::model::job::{Item, ItemState, Job};
use crate::model::message::{MessageStatus, OutgoingContent};
use crate::model::status_post::{SHOWN_MS, Seen, StatusPost};
use redb::ReadableTable;

const TABLE: &str = "status_posts";
/// How the account itself stands in the key.
const OWN: &str = "";

/// Stores a post of a contact, or one that the account wrote elsewhere, and tells it, unless it is known or over already.
pub fn receive(tables: &mut Tables<'_>, post: &StatusPost, now: i64) -> Result<()> {
    let mut post = post.clone();
    if let Some(author) = &post.author {
        post.author = Some(identities::canonical_in(tables, post.device, author)?);
    }
    let is_known = named(tables, post.device, post.author.as_ref(), &post.id)?.is_some();
    if is_known || post.ends_at() <= now {
        return Ok(());
    }
    put(tables, &post)?;
    tell(tables, &post, StatusPostChange::Received, now)
}

/// Removes a post that its author deleted, and tells it; nothing happens when it is unknown.
pub fn take_back(
    tables: &mut Tables<'_>,
    device: DeviceNo,
    author: Option<&Jid>,
    id: &str,
    now: i64,
) -> Result<()> {
    let author = author.map(|author| identities::canonical_in(tables, device, author)).transpose()?;
    let Some((key, post)) = named(tables, device, author.as_ref(), id)? else { return Ok(()) };
    tables.status_posts.remove((device.0, key.as_str(), id))?;
    tell(tables, &post, StatusPostChange::Deleted, now)
}

/// Stores the post of an item that waits in the queue; a deletion is no post.
pub(super) fn insert_outgoing(tables: &mut Tables<'_>, job: &Job, item: &Item) -> Result<()> {
    match post_of(job, item)? {
        Some(post) => put(tables, &post),
        None => Ok(()),
    }
}

/// Notes how an item ended: its post was sent or failed, or the post that it deletes goes.
pub(super) fn settle(tables: &mut Tables<'_>, job: &Job, item: &Item, now: i64) -> Result<()> {
    let sent = item.state == ItemState::Sent;
    let Some(mut post) = post_of(job, item)? else {
        return match item.outgoing.as_ref().map(|outgoing| &outgoing.content) {
            Some(OutgoingContent::Change(change)) if sent && matches!(change.what, What::Deletion { .. }) => {
                take_back(tables, job.device, None, &change.target, now)
            }
            _ => Ok(()),
        };
    };
    if let Some(known) = read(&tables.status_posts, job.device, OWN, &post.id)? {
        // Who looks at once may be faster than the acceptance.
        post.seen = known.seen;
    }
    post.status = if sent { MessageStatus::Sent } else { MessageStatus::Failed };
    post.error = item.error.as_ref().map(|error| error.code.clone());
    put(tables, &post)?;
    tell(tables, &post, if sent { StatusPostChange::Sent } else { StatusPostChange::Failed }, now)
}

/// Notes that somebody looked at own posts.
pub fn seen(tables: &mut Tables<'_>, device: DeviceNo, ids: &[String], by: &Jid, at: i64) -> Result<()> {
    let by = identities::canonical_in(tables, device, by)?;
    for id in ids {
        let Some(mut post) = read(&tables.status_posts, device, OWN, id)? else { continue };
        if !post.seen.iter().any(|seen| seen.by == by) {
            post.seen.push(Seen { by: by.clone(), at });
            put(tables, &post)?;
        }
    }
    Ok(())
}

/// Returns the posts that are shown now, newest first.
pub fn shown(view: &View, device: DeviceNo, now: i64) -> Result<Vec<StatusPost>> {
    let table = view.status_posts()?;
    let mut posts = Vec::new();
    for row in table.range((device.0, OWN, "")..=(device.0, "\u{10ffff}", ""))? {
        let (at, value) = row?;
        let mut post: StatusPost = decode(TABLE, at.value(), value.value())?;
        if post.ends_at() <= now {
            continue;
        }
        if let Some(author) = &post.author {
            post.author = Some(identities::canonical(view, device, author)?);
        }
        posts.push(post);
    }
    posts.sort_by(|one, other| (other.at, &other.id).cmp(&(one.at, &one.id)));
    Ok(posts)
}

/// Returns a post of the account, or none.
pub fn own(view: &View, device: DeviceNo, id: &str) -> Result<Option<StatusPost>> {
    read(&view.status_posts()?, device, OWN, id)
}

/// Returns whether a post is no longer shown and can go.
pub fn has_old(view: &View, now: i64) -> Result<bool> {
    for row in view.status_posts()?.iter()? {
        let (at, value) = row?;
        let post: StatusPost = decode(TABLE, at.value(), value.value())?;
        if post.at < now - SHOWN_MS {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes up to `limit` posts that are no longer shown, and returns how many went.
pub fn prune(tables: &mut Tables<'_>, now: i64, limit: usize) -> Result<usize> {
    let mut gone = Vec::new();
    for row in tables.status_posts.iter()? {
        let (at, value) = row?;
        let post: StatusPost = decode(TABLE, at.value(), value.value())?;
        if post.at < now - SHOWN_MS {
            let (device, author, id) = at.value();
            gone.push((device, author.to_owned(), id.to_owned()));
        }
        if gone.len() == limit {
            break;
        }
    }
    for (device, author, id) in &gone {
        tables.status_posts.remove((*device, author.as_str(), id.as_str()))?;
    }
    Ok(gone.len())
}

/// Forgets all posts of a device, when another account may take its place.
pub fn wipe(tables: &mut Tables<'_>, device: DeviceNo) -> Result<()> {
    let all = (device.0, OWN, "")..=(device.0, "\u{10ffff}", "");
    Ok(tables.status_posts.retain_in(all, |_, _| false)?)
}

/// The post that an item sends as it waits; none when the item deletes one.
fn post_of(job: &Job, item: &Item) -> Result<Option<StatusPost>> {
    let outgoing = item.outgoing.as_ref();
    let outgoing = outgoing.ok_or_else(|| Error::broken("a waiting item has nothing to send"))?;
    let Some(content) = outgoing.content.stored() else { return Ok(None) };
    Ok(Some(StatusPost {
        device: job.device,
        id: item.message_id.clone(),
        author: None,
        push_name: None,
        content,
        at: job.created_at,
        status: MessageStatus::Pending,
        error: None,
        job: Some(job.id.clone()),
        audience: outgoing.audience.clone(),
        seen: Vec::new(),
    }))
}

/// Finds a post under either address of its author; returns the one in its key, too.
fn named(
    tables: &Tables<'_>,
    device: DeviceNo,
    author: Option<&Jid>,
    id: &str,
) -> Result<Option<(String, StatusPost)>> {
    let names = match author {
        None => vec![OWN.to_owned()],
        Some(author) => identities::names_in(tables, device, author)?.iter().map(Jid::to_string).collect(),
    };
    for name in names {
        if let Some(post) = read(&tables.status_posts, device, &name, id)? {
            return Ok(Some((name, post)));
        }
    }
    Ok(None)
}

fn tell(tables: &mut Tables<'_>, post: &StatusPost, change: StatusPostChange, now: i64) -> Result<()> {
    let scope = devices::scope(&devices::existing(tables, post.device)?);
    outbox::append(tables, now, scope, Fact::StatusPost { change, post: Box::new(post.told()) })
}

fn read(
    table: &impl ReadableTable<(u32, &'static str, &'static str), &'static [u8]>,
    device: DeviceNo,
    author: &str,
    id: &str,
) -> Result<Option<StatusPost>> {
    match table.get((device.0, author, id))? {
        Some(row) => decode(TABLE, (author, id), row.value()).map(Some),
        None => Ok(None),
    }
}

fn put(tables: &mut Tables<'_>, post: &StatusPost) -> Result<()> {
    let author = post.author.as_ref().map_or_else(|| OWN.to_owned(), Jid::to_string);
    tables
        .status_posts
        .insert((post.device.0, author.as_str(), post.id.as_str()), encode(post)?.as_slice())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::message::Content;
    use crate::store::Store;
    use crate::store::messages::tests::store_with_device;

    const ANI: &str = "6281234567890@s.whatsapp.net";

    fn post(device: DeviceNo, id: &str, author: Option<&str>, at: i64) -> StatusPost {
        StatusPost {
            device,
            id: id.into(),
            author: author.map(|author| author.parse().expect("an address")),
            push_name: None,
            content: Content::Text { text: "halo".into() },
            at,
            status: MessageStatus::Delivered,
            error: None,
            job: None,
            audience: None,
            seen: Vec::new(),
        }
    }

    fn ids(store: &Store, device: DeviceNo, now: i64) -> Vec<String> {
        let posts = shown(&store.view().expect("a view"), device, now).expect("read");
        posts.into_iter().map(|post| post.id).collect()
    }

    #[tokio::test]
    async fn a_post_is_shown_for_a_day_and_only_its_author_takes_it_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let posts = [post(device, "A", Some(ANI), 10), post(device, "B", None, 20)];
        store.write(move |t| posts.iter().try_for_each(|post| receive(t, post, 20))).await.expect("stored");
        assert_eq!(ids(&store, device, 30), ["B", "A"]);
        store.write(move |t| take_back(t, device, None, "A", 30)).await.expect("nothing of ours");
        assert_eq!(ids(&store, device, 10 + SHOWN_MS), ["B"]);
        assert!(has_old(&store.view().expect("a view"), 11 + SHOWN_MS).expect("read"));
        assert_eq!(store.write(move |t| prune(t, 11 + SHOWN_MS, 9)).await.expect("pruned"), 1);
        let by: Jid = ANI.parse().expect("an address");
        store
            .write(move |t| {
                seen(t, device, &["B".into()], &by, 40)?;
                seen(t, device, &["B".into()], &by, 50)
            })
            .await
            .expect("noted");
        let kept = own(&store.view().expect("a view"), device, "B").expect("read").expect("a post");
        assert_eq!(kept.seen.iter().map(|seen| seen.at).collect::<Vec<_>>(), [40]);
        store.write(move |t| take_back(t, device, None, "B", 60)).await.expect("taken back");
        assert!(ids(&store, device, 60).is_empty());
    }

    #[tokio::test]
    async fn what_is_over_when_it_comes_is_not_stored() {
        let dir = tempfile::tempdir().expect("a directory");
        let (store, device) = store_with_device(dir.path()).await;
        let late = post(device, "A", Some(ANI), 0);
        store.write(move |t| receive(t, &late, SHOWN_MS)).await.expect("left out");
        assert!(own(&store.view().expect("a view"), device, "A").expect("read").is_none());
        assert!(ids(&store, device, 0).is_empty());
    }
}
