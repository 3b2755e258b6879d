//! Channels: who runs one, who follows it, and what was posted in it. Plain data and the questions it answers by itself;
//! who may do what is decided in `channels`.

use super::lock;
use crate::store::{Batch, Table};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use wacore_binary::{Jid, Server};

/// First digits of every channel's id.
const PREFIX: &str = "120363";
/// The number of the first post; clients take smaller ones for none.
const FIRST_POST: u64 = 100;
/// Posts kept per channel; older ones are forgotten.
const POSTS_MAX: usize = 1_000;

/// A channel of the network.
pub struct Channel {
    /// Digits in front of `@newsletter`.
    pub id: String,
    facts: Mutex<Facts>,
}

/// The part of a channel that changes. Without its posts, which have rows of their own, this is the stored row.
#[derive(Clone, Serialize, Deserialize)]
pub struct Facts {
    /// Number of whoever made it.
    pub owner: String,
    /// When it was made, seconds since the epoch.
    pub created_at: u64,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// The secret of its invite link.
    pub invite_code: String,
    /// Numbers of those who follow it, without the owner.
    pub followers: BTreeSet<String>,
    /// Numbers of those who do not want to be told of new posts.
    pub muted: BTreeSet<String>,
    /// Its posts by number.
    #[serde(skip)]
    pub posts: BTreeMap<u64, Post>,
    /// The number of the next post.
    pub next: u64,
}

/// A post of a channel.
#[derive(Clone, Serialize, Deserialize)]
pub struct Post {
    /// Message id.
    pub id: String,
    /// Number of the writer.
    pub by: String,
    /// When it was posted, seconds since the epoch.
    pub at: u64,
    /// The kind of message as its stanza names it.
    pub kind: String,
    /// The kind of medium as its stanza names it.
    pub mediatype: Option<String>,
    /// The message itself.
    #[serde(with = "super::companion::hexed")]
    pub raw: Vec<u8>,
}

/// What an account is to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Made it and posts in it.
    Owner,
    /// Follows it.
    Subscriber,
    /// Neither.
    Guest,
}

impl Channel {
    /// Makes a channel.
    pub fn new(id: impl Into<String>, facts: Facts) -> Self {
        Self { id: id.into(), facts: Mutex::new(facts) }
    }

    /// Locks what changes, for a few lines. Lock a channel before an account, never the other way round.
    pub fn facts(&self) -> MutexGuard<'_, Facts> {
        lock(&self.facts)
    }

    /// Returns the channel's address.
    pub fn jid(&self) -> Jid {
        Jid::new(self.id.as_str(), Server::Newsletter)
    }

    /// Adds the channel's row to a batch; call it under the lock that `facts` came from.
    pub fn put_row(&self, facts: &Facts, batch: &mut Batch) {
        batch.put(Table::Channels, self.id.clone(), || {
            serde_json::to_vec(facts).expect("a row of texts and numbers always serializes")
        });
    }

    /// Takes a post, drops the oldest beyond the limit, and returns the number of the new one.
    pub fn take(&self, facts: &mut Facts, post: Post, batch: &mut Batch) -> u64 {
        let number = facts.next;
        facts.next += 1;
        batch.put(Table::ChannelPosts, row_key(&self.id, number), || {
            serde_json::to_vec(&post).expect("a row of texts and numbers always serializes")
        });
        facts.posts.insert(number, post);
        if facts.posts.len() > POSTS_MAX
            && let Some((oldest, _)) = facts.posts.pop_first()
        {
            batch.delete(Table::ChannelPosts, || row_key(&self.id, oldest));
        }
        self.put_row(facts, batch);
        number
    }

    /// Drops a post.
    pub fn drop_post(&self, facts: &mut Facts, number: u64, batch: &mut Batch) {
        if facts.posts.remove(&number).is_some() {
            batch.delete(Table::ChannelPosts, || row_key(&self.id, number));
        }
    }
}

impl Facts {
    /// Returns a channel that nobody follows and that has no posts.
    pub fn new(
        owner: &str,
        created_at: u64,
        name: String,
        description: Option<String>,
        invite_code: String,
    ) -> Self {
        Self {
            owner: owner.to_owned(),
            created_at,
            name,
            description,
            invite_code,
            followers: BTreeSet::new(),
            muted: BTreeSet::new(),
            posts: BTreeMap::new(),
            next: FIRST_POST,
        }
    }

    /// Returns what an account is to the channel.
    pub fn role(&self, number: &str) -> Role {
        if self.owner == number {
            Role::Owner
        } else if self.followers.contains(number) {
            Role::Subscriber
        } else {
            Role::Guest
        }
    }

    /// Returns the numbers of those who get its posts, the owner first.
    pub fn readers(&self) -> Vec<String> {
        [&self.owner].into_iter().chain(&self.followers).cloned().collect()
    }

    /// Returns the number of the post with this message id.
    pub fn number_of(&self, id: &str) -> Option<u64> {
        self.posts.iter().rev().find(|(_, post)| post.id == id).map(|(number, _)| *number)
    }
}

/// The channels of the network.
#[derive(Default)]
pub struct Channels(RwLock<HashMap<String, Arc<Channel>>>);

impl Channels {
    /// Finds a channel by the digits of its id.
    pub fn get(&self, id: &str) -> Option<Arc<Channel>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Finds the channel that an invite link leads to.
    pub fn by_code(&self, code: &str) -> Option<Arc<Channel>> {
        self.all().into_iter().find(|channel| channel.facts().invite_code == code)
    }

    /// Adds a channel, or puts back one that was read from the store.
    pub fn add(&self, channel: Arc<Channel>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(channel.id.clone(), channel);
    }

    /// Returns all channels, ordered by id.
    pub fn all(&self) -> Vec<Arc<Channel>> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = all.values().cloned().collect();
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    /// Returns an id that no channel has.
    pub fn free_id(&self) -> String {
        loop {
            let id = format!("{PREFIX}{:012}", rand::random_range(0..1_000_000_000_000u64));
            if self.get(&id).is_none() {
                return id;
            }
        }
    }
}

fn row_key(id: &str, number: u64) -> String {
    format!("{id}/{number:020}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn post(id: &str) -> Post {
        Post { id: id.into(), by: "1".into(), at: 0, kind: "text".into(), mediatype: None, raw: Vec::new() }
    }

    #[test]
    fn posts_are_numbered_and_bounded() {
        let channel = Channel::new("12", Facts::new("1", 0, "x".into(), None, "code".into()));
        let mut batch = Store::open(None).unwrap().batch();
        let mut facts = channel.facts();
        for n in 0..POSTS_MAX + 5 {
            assert_eq!(channel.take(&mut facts, post(&n.to_string()), &mut batch), FIRST_POST + n as u64);
        }
        assert_eq!(
            (facts.posts.len(), facts.number_of("4"), facts.number_of("5")),
            (POSTS_MAX, None, Some(105))
        );
        channel.drop_post(&mut facts, 105, &mut batch);
        assert_eq!(facts.number_of("5"), None);
    }

    #[test]
    fn the_owner_reads_without_following() {
        let mut facts = Facts::new("1", 0, "x".into(), None, "code".into());
        facts.followers.insert("2".into());
        assert_eq!(facts.readers(), ["1", "2"]);
        let roles = ["1", "2", "3"].map(|number| facts.role(number));
        assert_eq!(roles, [Role::Owner, Role::Subscriber, Role::Guest]);
    }
}
