//! Channels, as persons with phones in hand make, follow and leave them. Posting stands in `messages`.

use super::phones::find;
use super::reply::{Failure, Outcome};
use crate::channels;
use crate::stanza::iq::Refusal;
use crate::state::channel::Channel;
use crate::world::World;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::oneshot;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChannel {
    owner: String,
    name: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Follower {
    phone: String,
}

/// Makes a channel.
pub(super) async fn create(world: &World, new: NewChannel) -> Outcome {
    let owner = find(world, &new.owner)?;
    let (done, stored) = signal();
    let made = channels::create(world, &owner, &new.name, new.description, |_| done);
    let channel = made.map_err(|refusal| refused(&refusal))?;
    settled(stored).await?;
    Ok((201, channels::view(&channel)))
}

/// Lists all channels.
pub(super) fn list(world: &World) -> Outcome {
    Ok((200, Value::Array(world.channels.all().iter().map(|channel| channels::view(channel)).collect())))
}

/// Shows one channel.
pub(super) fn show(world: &World, id: &str) -> Outcome {
    Ok((200, channels::view(&*channel(world, id)?)))
}

/// Lets a phone follow a channel.
pub(super) async fn follow(world: &World, id: &str, wish: Follower) -> Outcome {
    let (channel, account) = (channel(world, id)?, find(world, &wish.phone)?);
    let (done, stored) = signal();
    channels::follow(world, &channel, &account, done);
    settled(stored).await?;
    Ok((200, channels::view(&channel)))
}

/// Lets a phone follow a channel no more.
pub(super) async fn unfollow(world: &World, id: &str, phone: &str) -> Outcome {
    let (channel, account) = (channel(world, id)?, find(world, phone)?);
    let (done, stored) = signal();
    channels::unfollow(world, &channel, &account, done).map_err(|refusal| refused(&refusal))?;
    settled(stored).await?;
    Ok((200, channels::view(&channel)))
}

/// Finds a channel by its address or the digits of it.
pub(super) fn channel(world: &World, id: &str) -> Result<Arc<Channel>, Failure> {
    let digits = id.strip_suffix("@newsletter").unwrap_or(id);
    let none = || Failure::new(404, "channel_not_found", format!("there is no channel `{id}`"));
    world.channels.get(digits).ok_or_else(none)
}

fn signal() -> (impl FnOnce() + Send + 'static, oneshot::Receiver<()>) {
    let (done, stored) = oneshot::channel();
    // The receiver is only gone when the caller of the control API is.
    let done = move || {
        let _ = done.send(());
    };
    (done, stored)
}

async fn settled(stored: oneshot::Receiver<()>) -> Result<(), Failure> {
    stored.await.map_err(|_| Failure::internal("the change was not stored"))
}

fn refused(refusal: &Refusal) -> Failure {
    match refusal.code {
        400 => Failure::invalid("the name has 1 to 100 characters, the description at most 2048"),
        code => Failure::new(code, "refused", refusal.text),
    }
}
