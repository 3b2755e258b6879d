//! A phone reading what members of its groups wrote, and the status posts that came to it.

use super::Phone;
use super::inbox::{self, Origin};
use super::log::NewEntry;
use super::signal::peer_name;
use crate::node;
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result, bail};
use std::sync::Arc;
use wacore_binary::{Jid, Node};
use waproto::whatsapp as wa;

/// Handles a message that came by a group: first the keys in it, then what it says.
pub async fn message(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    group: Jid,
    stanza: &Node,
    batch: &mut Batch,
) -> Result<()> {
    let spelling = node::jid_attr(stanza, "participant").context("message in a group without its writer")?;
    let writer = world
        .directory
        .resolve(&world.store, &spelling.to_non_ad())?
        .context("message of an unknown member")?;
    let origin = Origin { account: writer, device: spelling.device, spelling, group: Some(group.clone()) };
    let id = node::text_attr(stanza, "id");
    let opened = match open(account, phone, &group.to_string(), &origin, stanza, batch).await {
        Ok(opened) => opened,
        Err(error) => {
            inbox::ask_again(world, account, phone, stanza, &origin, batch);
            bail!("opening message {id} in {group}: {error:#}");
        }
    };
    phone.retries.remove(&id);
    let Some(opened) = opened else { return Ok(()) };
    let from_me = Arc::ptr_eq(&origin.account, account);
    let entry = NewEntry {
        id: &id,
        chat: &group.to_string(),
        from: &origin.account.number,
        from_me,
        device: origin.device,
        author: Some(origin.spelling.to_non_ad().to_string()),
    };
    inbox::take(world, account, phone, entry, &opened, batch).await;
    if !from_me {
        inbox::send_receipts(world, account, &origin, &id, batch);
    }
    Ok(())
}

/// Opens every part; nothing when the message only brought keys.
async fn open(
    account: &Account,
    phone: &mut Phone,
    group: &str,
    origin: &Origin,
    stanza: &Node,
    batch: &mut Batch,
) -> Result<Option<wa::Message>> {
    let peer = peer_name(&origin.account.number, origin.device);
    let mut content = None;
    for enc in node::children(stanza).iter().filter(|child| child.tag == "enc") {
        let (kind, bytes) = (node::text_attr(enc, "type"), node::content(enc));
        if kind == "skmsg" {
            content = Some(phone.sender_keys.open(group, &peer, &bytes).await?);
            continue;
        }
        let opened = phone.sessions.open(account, &peer, &kind, &bytes, batch).await?;
        phone.sender_keys.learn(&peer, &opened).await?;
        // Sent again for this device alone, key and message share one part.
        let only_keys = wa::Message {
            sender_key_distribution_message: opened.sender_key_distribution_message.clone(),
            message_context_info: opened.message_context_info.clone(),
            ..Default::default()
        };
        if opened != only_keys {
            content = Some(opened);
        }
    }
    Ok(content)
}
