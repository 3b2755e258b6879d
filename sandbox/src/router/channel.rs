//! Messages to channels: unsealed, and only from who runs one.

use super::{Accepted, error};
use crate::stanza::Device;
use crate::state::channel::Post;
use crate::world::World;
use crate::{channels, clock, node, stats};
use wacore_binary::{Jid, JidExt as _, Node};

/// Takes a post, or the deletion of one: every device of everybody who reads the channel gets its copy.
pub fn route(world: &World, device: &Device, to: &Jid, message: &Node) -> Result<Accepted, u16> {
    let channel = world.channels.get(to.user()).ok_or(error::NOT_FOUND)?;
    let plaintext = node::child(message, "plaintext").ok_or(error::MALFORMED)?;
    let post = Post {
        id: node::text_attr(message, "id"),
        by: device.account.number.clone(),
        at: clock::now_s(),
        kind: node::attr(message, "type").map_or_else(|| "text".to_owned(), |kind| kind.into_owned()),
        mediatype: node::attr(plaintext, "mediatype").map(|kind| kind.into_owned()),
        raw: node::content(plaintext),
    };
    let edit = node::attr(message, "edit");
    let mut batch = world.batch();
    let number =
        channels::publish(world, &channel, &device.account, device.id, post, edit.as_deref(), &mut batch)
            .map_err(|refusal| refusal.code)?;
    stats::add(&world.stats.messages, 1);
    Ok(Accepted { batch, phash: None, server_id: Some(number) })
}
