//! A phone writing in a group, or a status post: sealed once with its sender key, which goes along to every device that lacks it.

use super::Phone;
use super::inbox;
use super::log::{Entry, NewEntry};
use super::send::{self, Outgoing};
use super::signal::{Sealed, peer_name};
use crate::router::{self, group::named, status};
use crate::state::account::Account;
use crate::state::group::{Group, Mode};
use crate::stats;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeSet;
use std::sync::Arc;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _};

/// Sends a message to a group and notes it in the phone's log. Fails when the phone may not write there.
pub async fn compose(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    group: &Group,
    outgoing: Outgoing,
    batch: &mut Batch,
) -> Result<()> {
    let (mode, members) = writable(world, account, group)?;
    fan_out(world, account, phone, (&group.jid(), mode), members, outgoing, batch).await
}

/// Sends a status post to these people and the phone's own companions, and notes it in the phone's log.
pub async fn post(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    mut audience: Vec<Arc<Account>>,
    outgoing: Outgoing,
    batch: &mut Batch,
) -> Result<()> {
    audience.retain(|reader| !Arc::ptr_eq(reader, account));
    audience.retain(|reader| !router::blocks(reader, account) && !router::blocks(account, reader));
    audience.push(account.clone());
    fan_out(world, account, phone, (&status::address(), status::MODE), audience, outgoing, batch).await
}

/// Seals a message once and sends it to every device of these people.
async fn fan_out(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    (to, mode): (&Jid, Mode),
    members: Vec<Arc<Account>>,
    outgoing: Outgoing,
    batch: &mut Batch,
) -> Result<()> {
    let (chat, own) = (to.to_string(), peer_name(&account.number, 0));
    let devices: Vec<(Arc<Account>, u16)> = members
        .into_iter()
        .flat_map(|member| {
            member.state().devices().into_iter().map(|id| (member.clone(), id)).collect::<Vec<_>>()
        })
        .filter(|(member, id)| !(Arc::ptr_eq(member, account) && *id == 0))
        .collect();
    let names: BTreeSet<String> = devices.iter().map(|(member, id)| peer_name(&member.number, *id)).collect();
    let lacking = phone.sender_keys.lacking(&chat, &own, &names);
    let key = phone.sender_keys.own(&chat, &own).await?;
    let sealed = phone.sender_keys.seal(&chat, &own, &outgoing.message).await?;
    let common = send::enc(Sealed { kind: "skmsg", bytes: sealed }, &outgoing.message);
    for (member, id) in &devices {
        let mut encs = Vec::new();
        if lacking.contains(&peer_name(&member.number, *id)) {
            let sealed = send::seal(world, account, phone, member, *id, &key, batch).await?;
            encs.extend(sealed.map(|sealed| send::enc(sealed, &key)));
        }
        encs.push(common.clone());
        let stanza = stanza(account, to, mode, &outgoing).children(encs).build();
        router::enqueue(world, member, *id, stanza, batch);
    }
    stats::add(&world.stats.messages, 1);
    let entry = NewEntry {
        id: &outgoing.id,
        chat: &chat,
        from: &account.number,
        from_me: true,
        device: 0,
        author: Some(mode.address(account, 0).to_string()),
    };
    inbox::keep(world, account, phone, entry, &outgoing.message, batch);
    Ok(())
}

/// Sends a message again to a device of a member that could not open it: alone, with the phone's sender key.
pub async fn again(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    entry: &Entry,
    target: &Arc<Account>,
    device: u16,
    batch: &mut Batch,
) -> Result<()> {
    let to: Jid = entry.chat.parse().context("the address of a group does not parse")?;
    let Some(mode) = mode_for(world, &to, target) else { return Ok(()) };
    let mut message = entry.message()?;
    let key = phone.sender_keys.own(&entry.chat, &peer_name(&account.number, 0)).await?;
    message.sender_key_distribution_message = key.sender_key_distribution_message;
    let sealed = phone.sessions.seal(account, &peer_name(&target.number, device), &message).await?;
    let enc = send::enc_again(sealed, &message);
    let outgoing = Outgoing { id: entry.id.clone(), message, edit: None };
    let stanza = stanza(account, &to, mode, &outgoing).children([enc]).build();
    router::enqueue(world, target, device, stanza, batch);
    Ok(())
}

/// Returns how writers are named where something was written, or nothing when this reader has no part in it.
fn mode_for(world: &World, to: &Jid, reader: &Account) -> Option<Mode> {
    if to.is_status_broadcast() {
        return Some(status::MODE);
    }
    let group = world.groups.get(to.user())?;
    let facts = group.facts();
    facts.rank(&reader.number)?;
    Some(facts.mode)
}

fn writable(world: &World, account: &Account, group: &Group) -> Result<(Mode, Vec<Arc<Account>>)> {
    let facts = group.facts();
    ensure!(facts.rank(&account.number).is_some(), "the phone is not a member of this group");
    ensure!(facts.may_write(&account.number), "only admins write in this group");
    let members = facts.members.keys().filter_map(|number| world.directory.by_number(number));
    Ok((facts.mode, members.collect()))
}

fn stanza(account: &Account, to: &Jid, mode: Mode, outgoing: &Outgoing) -> NodeBuilder {
    let stanza = NodeBuilder::new("message").attr("from", to.clone());
    send::details(named(stanza, mode, account, 0), account, outgoing)
}
