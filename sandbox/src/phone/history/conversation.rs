//! A part of a chat as a chunk of history carries it.

use super::collect::Whole;
use super::plan::Part;
use crate::state::account::Account;
use crate::state::group::{Group, Rank};
use crate::world::World;
use buffa::MessageField;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wa::group_participant::Rank as WireRank;
use waproto::whatsapp as wa;

/// Builds the conversation and takes the part's messages out of the chat.
pub fn build(world: &World, chat: &mut Whole, part: &Part) -> wa::Conversation {
    let id = address(world, chat);
    let newest = chat.newest_s;
    let other = world.directory.by_number(&chat.name);
    // The phone numbers the messages of a chat from the oldest on.
    let total = chat.messages.len();
    let taken = chat.messages.get_mut(part.from..part.to).into_iter().flatten().map(std::mem::take);
    let messages = taken.zip(part.from..).map(|(mut message, at)| {
        if let Some(key) = message.key.as_option_mut() {
            key.remote_jid = Some(id.clone());
        }
        wa::HistorySyncMsg { message: MessageField::some(message), msg_order_id: Some((total - at) as u64) }
    });
    let messages: Vec<wa::HistorySyncMsg> = messages.collect();
    let facts = &chat.facts;
    wa::Conversation {
        messages,
        conversation_timestamp: newest,
        last_msg_timestamp: newest,
        unread_count: Some(facts.unread),
        marked_as_unread: Some(facts.marked_unread),
        archived: Some(facts.archived),
        pinned: facts.pinned_at,
        // For ever is -1, which the field carries as its largest number.
        mute_end_time: facts.muted_until.map(|until| until as u64),
        ephemeral_expiration: facts.expiration_s,
        end_of_history_transfer: Some(part.end.is_some()),
        end_of_history_transfer_type: part.end,
        name: facts.name.clone().or_else(|| subject(world, &chat.name)),
        participant: participants(world, &chat.name),
        pn_jid: other.as_ref().filter(|_| facts.by_lid).map(|other| other.pn(0).to_string()),
        lid_jid: other.as_ref().filter(|_| !facts.by_lid).map(|other| other.lid(0).to_string()),
        id,
        ..Default::default()
    }
}

/// Returns the address by which the phone knows a chat.
pub fn address(world: &World, chat: &Whole) -> String {
    match world.directory.by_number(&chat.name) {
        Some(other) if chat.facts.by_lid => other.lid(0).to_string(),
        Some(other) => other.pn(0).to_string(),
        None => chat.name.clone(),
    }
}

/// Returns both addresses of everybody who is in these chats or has met the account.
pub fn mappings(world: &World, account: &Account, chats: &[Whole]) -> Vec<wa::PhoneNumberToLIDMapping> {
    let mut numbers: BTreeSet<String> = account.state().peers.clone();
    for chat in chats {
        match group(world, &chat.name) {
            Some(group) => numbers.extend(group.facts().members.keys().cloned()),
            None => drop(numbers.insert(chat.name.clone())),
        }
    }
    let people = numbers.iter().filter_map(|number| world.directory.by_number(number));
    let mapping = people.map(|one| wa::PhoneNumberToLIDMapping {
        pn_jid: Some(one.pn(0).to_string()),
        lid_jid: Some(one.lid(0).to_string()),
    });
    mapping.collect()
}

/// Returns the names that the account and the people of its chats gave themselves.
pub fn push_names(world: &World, account: &Account, chats: &[Whole]) -> Vec<wa::Pushname> {
    let mut names = BTreeMap::from([(account.pn(0).to_string(), account.state().name.clone())]);
    for chat in chats {
        if let Some(other) = world.directory.by_number(&chat.name) {
            let name = chat.facts.push_name.clone().unwrap_or_else(|| other.state().name.clone());
            names.insert(address(world, chat), name);
            continue;
        }
        for message in &chat.messages {
            if let (Some(who), Some(name)) = (&message.participant, &message.push_name) {
                names.insert(who.clone(), name.clone());
            }
        }
    }
    let name = |(id, name)| wa::Pushname { id: Some(id), pushname: Some(name) };
    names.into_iter().map(name).collect()
}

fn group(world: &World, name: &str) -> Option<Arc<Group>> {
    world.groups.get(name.strip_suffix("@g.us")?)
}

fn subject(world: &World, name: &str) -> Option<String> {
    Some(group(world, name)?.facts().subject.text.clone())
}

fn participants(world: &World, name: &str) -> Vec<wa::GroupParticipant> {
    let Some(group) = group(world, name) else { return Vec::new() };
    let facts = group.facts();
    let members = facts.members.iter().filter_map(|(number, rank)| {
        let rank = match rank {
            Rank::Member => WireRank::REGULAR,
            Rank::Admin => WireRank::ADMIN,
            Rank::Superadmin => WireRank::SUPERADMIN,
        };
        let address = facts.mode.address(&*world.directory.by_number(number)?, 0);
        Some(wa::GroupParticipant { user_jid: address.to_string(), rank: Some(rank), ..Default::default() })
    });
    members.collect()
}
