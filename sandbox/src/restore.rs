//! The way back from the journal into memory, at start.

use crate::node;
use crate::state::account::Account;
use crate::state::channel::Channel;
use crate::state::companion::{Companion, Profile};
use crate::state::group::Group;
use crate::state::lock;
use crate::store::Table;
use crate::world::World;
use anyhow::{Context, Result};
use std::sync::Arc;

/// Reads everything that was kept. Accounts first, then what belongs to them.
pub fn load(world: &World) -> Result<()> {
    let store = &world.store;
    store.load(Table::Accounts, |number, row| {
        world.directory.restore(Account::from_row(number, row)?);
        Ok(())
    })?;
    store.load(Table::Personas, |number, row| {
        let account = world.directory.by_number(number).context("a persona without its account")?;
        account.state().persona = serde_json::from_slice(row)?;
        Ok(())
    })?;
    store.load(Table::Companions, |key, row| {
        let (account, _) = owner(world, key)?;
        let profile: Profile = serde_json::from_slice(row)?;
        account.state().companions.insert(profile.id, Companion::new(profile));
        Ok(())
    })?;
    load_devices(world)?;
    load_phones(world)?;
    store.load(Table::Groups, |id, row| {
        world.groups.add(Arc::new(Group::new(id, serde_json::from_slice(row)?)));
        Ok(())
    })?;
    load_channels(world)?;
    for account in world.directory.all() {
        if crate::phone::inbox::has_work(&account) {
            world.wake(&account);
        }
    }
    Ok(())
}

/// Channels, and what was posted in them.
fn load_channels(world: &World) -> Result<()> {
    let store = &world.store;
    store.load(Table::Channels, |id, row| {
        world.channels.add(Arc::new(Channel::new(id, serde_json::from_slice(row)?)));
        Ok(())
    })?;
    store.load(Table::ChannelPosts, |key, row| {
        let (id, number) = key.split_once('/').context("key has no number")?;
        let channel = world.channels.get(id).context("a post without its channel")?;
        channel.facts().posts.insert(number.parse()?, serde_json::from_slice(row)?);
        Ok(())
    })
}

/// What belongs to devices: prekeys, queues, memory of resends, app state, acquaintances.
fn load_devices(world: &World) -> Result<()> {
    let store = &world.store;
    store.load(Table::CompanionPreKeys, |key, row| {
        let (account, rest) = owner(world, key)?;
        let (device, id) = rest.split_once('/').context("key has no id")?;
        if let Some(companion) = account.state().companions.get_mut(&device.parse()?) {
            companion.prekeys.push_back((id.parse()?, row.to_vec()));
        }
        Ok(())
    })?;
    store.load(Table::Queue, |key, row| {
        let (account, rest) = owner(world, key)?;
        let (device, seq) = rest.split_once('/').context("key has no sequence")?;
        let stanza = node::decode(row)?;
        if let Some(queue) = account.state().queue_mut(device.parse()?) {
            queue.restore(seq.parse()?, stanza);
        }
        Ok(())
    })?;
    store.load(Table::Routed, |key, row| {
        let (account, rest) = owner(world, key)?;
        let (device, id) = rest.split_once('/').context("key has no message id")?;
        if let Some(companion) = account.state().companions.get_mut(&device.parse()?) {
            companion.routed.restore(id, row);
        }
        Ok(())
    })?;
    store.load(Table::Patches, |key, row| {
        let (account, rest) = owner(world, key)?;
        let (collection, version) = rest.split_once('/').context("key has no version")?;
        account
            .state()
            .collections
            .entry(collection.to_owned())
            .or_default()
            .restore(version.parse()?, row.to_vec());
        Ok(())
    })?;
    store.load(Table::Peers, |key, _| {
        let (account, peer) = owner(world, key)?;
        account.state().peers.insert(peer.to_owned());
        Ok(())
    })
}

/// What belongs to phones: prekeys, sessions, messages, the past.
fn load_phones(world: &World) -> Result<()> {
    let store = &world.store;
    store.load(Table::PhonePreKeys, |key, row| {
        let (account, id) = owner(world, key)?;
        lock(&account.prekeys).restore(id.parse()?, row)
    })?;
    store.load(Table::Sessions, |key, row| {
        let (account, peer) = owner(world, key)?;
        let mut phone = account.phone.try_lock().context("a phone is busy before the network started")?;
        phone.sessions.restore(peer, row)
    })?;
    store.load(Table::SenderKeys, |key, row| {
        let (account, rest) = owner(world, key)?;
        let mut phone = account.phone.try_lock().context("a phone is busy before the network started")?;
        phone.sender_keys.restore(rest, row)
    })?;
    store.load(Table::KeyHolders, |key, row| {
        let (account, group) = owner(world, key)?;
        let mut phone = account.phone.try_lock().context("a phone is busy before the network started")?;
        phone.sender_keys.restore_holders(group, row);
        Ok(())
    })?;
    store.load(Table::Messages, |key, row| {
        let (account, seq) = owner(world, key)?;
        let mut phone = account.phone.try_lock().context("a phone is busy before the network started")?;
        phone.log.restore(seq.parse()?, row)
    })?;
    store.load(Table::PastChats, |key, row| {
        let (account, chat) = owner(world, key)?;
        let mut phone = account.phone.try_lock().context("a phone is busy before the network started")?;
        phone.past.restore_chat(chat, row)
    })?;
    store.load(Table::PastMessages, |key, row| {
        let (account, rest) = owner(world, key)?;
        let mut phone = account.phone.try_lock().context("a phone is busy before the network started")?;
        phone.past.restore_message(rest, row)
    })
}

fn owner<'k>(world: &World, key: &'k str) -> Result<(Arc<Account>, &'k str)> {
    let (number, rest) = key.split_once('/').context("key has no number")?;
    let account =
        world.directory.by_number(number).with_context(|| format!("account `{number}` is missing"))?;
    Ok((account, rest))
}
