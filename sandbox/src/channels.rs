//! What happens in channels: making one, following it, posting in it. How it looks on the wire stands in
//! `stanza::channels` and `router::channel`.

use crate::clock;
use crate::groups::entry::new_code;
use crate::router;
use crate::stanza::iq::Refusal;
use crate::state::account::Account;
use crate::state::channel::{Channel, Facts, Post, Role};
use crate::store::Batch;
use crate::world::World;
use serde_json::json;
use std::sync::{Arc, MutexGuard};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// Longest name of a channel, in characters.
const NAME_MAX: usize = 100;
/// Longest description of a channel, in characters.
const DESCRIPTION_MAX: usize = 2048;
/// Edit number of the stanza that deletes a post.
pub const DELETED: &str = "8";

/// Makes a channel; what `done` returns runs once it is stored.
pub fn create<Done: FnOnce() + Send + 'static>(
    world: &World,
    owner: &Account,
    name: &str,
    description: Option<String>,
    done: impl FnOnce(&Arc<Channel>) -> Done,
) -> Result<Arc<Channel>, Refusal> {
    let description = description.filter(|text| !text.is_empty());
    let is_long = |text: &String| text.chars().count() > DESCRIPTION_MAX;
    if name.is_empty() || name.chars().count() > NAME_MAX || description.as_ref().is_some_and(is_long) {
        return Err(Refusal::BAD_REQUEST);
    }
    let facts = Facts::new(&owner.number, clock::now_s(), name.to_owned(), description, new_code());
    let channel = Arc::new(Channel::new(world.channels.free_id(), facts));
    world.channels.add(channel.clone());
    let done = done(&channel);
    store(world, &channel, channel.facts(), done);
    Ok(channel)
}

/// Lets an account follow a channel; `done` runs once that is stored.
pub fn follow(world: &World, channel: &Channel, account: &Account, done: impl FnOnce() + Send + 'static) {
    let mut facts = channel.facts();
    if facts.role(&account.number) == Role::Guest {
        facts.followers.insert(account.number.clone());
    }
    store(world, channel, facts, done);
}

/// Lets an account follow a channel no more; refused to its owner.
pub fn unfollow(
    world: &World,
    channel: &Channel,
    account: &Account,
    done: impl FnOnce() + Send + 'static,
) -> Result<(), Refusal> {
    let mut facts = channel.facts();
    if facts.role(&account.number) == Role::Owner {
        return Err(Refusal::FORBIDDEN);
    }
    facts.followers.remove(&account.number);
    facts.muted.remove(&account.number);
    store(world, channel, facts, done);
    Ok(())
}

/// Sets whether an account wants to be told of new posts; refused to those who do not get any.
pub fn mute(
    world: &World,
    channel: &Channel,
    account: &Account,
    muted: bool,
    done: impl FnOnce() + Send + 'static,
) -> Result<(), Refusal> {
    let mut facts = channel.facts();
    if facts.role(&account.number) == Role::Guest {
        return Err(Refusal::FORBIDDEN);
    }
    match muted {
        true => facts.muted.insert(account.number.clone()),
        false => facts.muted.remove(&account.number),
    };
    store(world, channel, facts, done);
    Ok(())
}

/// Takes a post, or the deletion of one, and puts a copy into the queue of every device that reads it but `from`, which sent it.
///
/// Returns the number of the post; the same id is the same post however often it comes.
pub fn publish(
    world: &World,
    channel: &Channel,
    account: &Account,
    from: u16,
    post: Post,
    edit: Option<&str>,
    batch: &mut Batch,
) -> Result<u64, Refusal> {
    let mut facts = channel.facts();
    if facts.role(&account.number) != Role::Owner {
        return Err(Refusal::FORBIDDEN);
    }
    let known = facts.number_of(&post.id);
    let number = match (edit, known) {
        (Some(DELETED), Some(number)) => {
            channel.drop_post(&mut facts, number, batch);
            number
        }
        (Some(DELETED), None) => return Err(Refusal::NOT_FOUND),
        (Some(_), _) => return Err(Refusal::NOT_BUILT),
        (None, Some(number)) => return Ok(number),
        (None, None) => channel.take(&mut facts, post.clone(), batch),
    };
    let readers = facts.readers();
    drop(facts);
    for reader in readers.iter().filter_map(|number| world.directory.by_number(number)) {
        let is_own = reader.number == account.number;
        let devices = reader.state().devices();
        for device in devices.into_iter().filter(|device| !(is_own && *device == from)) {
            router::enqueue(world, &reader, device, stanza(channel, number, &post, edit, is_own), batch);
        }
    }
    Ok(number)
}

/// Returns what the control API shows of a channel.
pub fn view(channel: &Channel) -> serde_json::Value {
    let facts = channel.facts();
    json!({
        "id": channel.jid().to_string(), "owner": facts.owner, "name": facts.name,
        "description": facts.description, "inviteCode": facts.invite_code,
        "link": format!("https://whatsapp.com/channel/{}", facts.invite_code),
        "followers": facts.followers, "muted": facts.muted, "posts": facts.posts.len(),
    })
}

fn store(
    world: &World,
    channel: &Channel,
    facts: MutexGuard<'_, Facts>,
    done: impl FnOnce() + Send + 'static,
) {
    let mut batch = world.batch();
    channel.put_row(&facts, &mut batch);
    batch.then(done);
    let submitted = world.submit(batch);
    drop(facts);
    submitted.release();
    world.events.tell(|| json!({"type": "channel", "channel": view(channel)}));
}

fn stanza(channel: &Channel, number: u64, post: &Post, edit: Option<&str>, is_own: bool) -> Node {
    let mut stanza = NodeBuilder::new("message")
        .attr("from", channel.jid())
        .attr("id", post.id.clone())
        .attr("server_id", number.to_string())
        .attr("t", post.at.to_string())
        .attr("type", post.kind.clone());
    if is_own {
        stanza = stanza.attr("is_sender", "true");
    }
    if let Some(edit) = edit {
        stanza = stanza.attr("edit", edit.to_owned());
    }
    stanza.children([plaintext(post)]).build()
}

/// Builds the element that holds the post, unsealed.
pub fn plaintext(post: &Post) -> Node {
    let mut element = NodeBuilder::new("plaintext");
    if let Some(mediatype) = &post.mediatype {
        element = element.attr("mediatype", mediatype.clone());
    }
    element.bytes(post.raw.clone()).build()
}
