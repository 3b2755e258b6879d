//! Contacts and settings of chats as app state: what an owner changes on the phone, and what stands there, whichever
//! device set it.

use super::app_state::{self, Action, stamped};
use super::history::past::Facts;
use crate::state::account::Account;
use crate::world::World;
use buffa::MessageField;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use wa::sync_action_value::{
    ArchiveChatAction, ContactAction, MarkChatAsReadAction, MuteAction, PinAction, StarAction,
};
use wacore_binary::{Jid, JidExt as _};
use waproto::whatsapp as wa;

/// An entry of the address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Number.
    pub phone: String,
    /// Full name.
    pub name: Option<String>,
    /// First name.
    pub first_name: Option<String>,
}

/// What is set for a chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatSettings {
    /// Put away.
    pub archived: bool,
    /// Pinned to the top.
    pub pinned: bool,
    /// Muted until then, milliseconds since the epoch; -1 for ever.
    pub muted_until: Option<i64>,
    /// Marked as read or as unread.
    pub read: Option<bool>,
    /// Ids of messages with a star.
    pub starred: BTreeSet<String>,
}

/// Writes a name into the address book; without a name the contact goes.
pub fn contact(other: &Account, name: Option<&str>, first_name: Option<&str>) -> Action {
    let action = |name: &str| ContactAction {
        full_name: Some(name.to_owned()),
        first_name: first_name.or_else(|| name.split_whitespace().next()).map(str::to_owned),
        lid_jid: Some(other.lid(0).to_string()),
        save_on_primary_addressbook: Some(true),
        ..Default::default()
    };
    let value = name
        .map(|name| wa::SyncActionValue { contact_action: MessageField::some(action(name)), ..stamped() });
    action_of("critical_unblock_low", "contact", &other.pn(0).to_string(), 2, value)
}

/// Puts a chat away, or back.
pub fn archive(chat: &str, archived: bool) -> Action {
    let action = ArchiveChatAction { archived: Some(archived), ..Default::default() };
    let value = wa::SyncActionValue { archive_chat_action: MessageField::some(action), ..stamped() };
    action_of("regular_low", "archive", chat, 3, Some(value))
}

/// Pins a chat, or lets it go.
pub fn pin(chat: &str, pinned: bool) -> Action {
    let action = PinAction { pinned: Some(pinned) };
    let value = wa::SyncActionValue { pin_action: MessageField::some(action), ..stamped() };
    action_of("regular_low", "pin_v1", chat, 5, Some(value))
}

/// Mutes a chat until a moment in milliseconds since the epoch, -1 for ever; 0 ends that.
pub fn mute(chat: &str, until: i64) -> Action {
    let action = MuteAction {
        muted: Some(until != 0),
        mute_end_timestamp: (until != 0).then_some(until),
        ..Default::default()
    };
    let value = wa::SyncActionValue { mute_action: MessageField::some(action), ..stamped() };
    action_of("regular_high", "mute", chat, 2, Some(value))
}

/// Marks a chat as read or unread.
pub fn mark(chat: &str, read: bool) -> Action {
    let action = MarkChatAsReadAction { read: Some(read), ..Default::default() };
    let value = wa::SyncActionValue { mark_chat_as_read_action: MessageField::some(action), ..stamped() };
    action_of("regular_low", "markChatAsRead", chat, 3, Some(value))
}

/// Gives a message a star, or takes it away.
pub fn star(chat: &str, key: &wa::MessageKey, starred: bool) -> Action {
    let own = key.from_me == Some(true);
    let author = key.participant.clone().filter(|_| !own).unwrap_or_else(|| "0".to_owned());
    let index = ["star", chat, key.id.as_deref().unwrap_or_default(), if own { "1" } else { "0" }, &author];
    let action = StarAction { starred: Some(starred) };
    let value = wa::SyncActionValue { star_action: MessageField::some(action), ..stamped() };
    Action {
        collection: "regular_high",
        index: index.map(str::to_owned).to_vec(),
        version: 2,
        value: Some(value),
    }
}

fn action_of(
    collection: &'static str,
    name: &str,
    about: &str,
    version: i32,
    value: Option<wa::SyncActionValue>,
) -> Action {
    Action { collection, index: vec![name.to_owned(), about.to_owned()], version, value }
}

/// Lists the address book.
pub fn contacts(world: &World, account: &Account) -> Vec<Contact> {
    let found =
        set(account, |index, value| Some((index.to_vec(), value.contact_action.as_option()?.clone())));
    let contacts = found.into_iter().filter_map(|(index, action)| {
        let [_, who] = index.as_slice() else { return None };
        Some(Contact { phone: chat_name(world, who), name: action.full_name, first_name: action.first_name })
    });
    contacts.collect()
}

/// Lists the chats for which something is set.
pub fn chats(world: &World, account: &Account) -> BTreeMap<String, ChatSettings> {
    let mut chats: BTreeMap<String, ChatSettings> = BTreeMap::new();
    for (index, change) in set(account, |index, value| Some((index.to_vec(), Change::of(value)?))) {
        let [_, chat, rest @ ..] = index.as_slice() else { continue };
        let settings = chats.entry(chat_name(world, chat)).or_default();
        match (change, rest) {
            (Change::Archived(archived), _) => settings.archived = archived,
            (Change::Pinned(pinned), _) => settings.pinned = pinned,
            (Change::MutedUntil(until), _) => settings.muted_until = until,
            (Change::Read(read), _) => settings.read = read,
            (Change::Starred(true), [id, ..]) => drop(settings.starred.insert(id.clone())),
            (Change::Starred(_), _) => {}
        }
    }
    chats
}

/// What a value says about a chat.
enum Change {
    Archived(bool),
    Pinned(bool),
    MutedUntil(Option<i64>),
    Read(Option<bool>),
    Starred(bool),
}

impl Change {
    fn of(value: &wa::SyncActionValue) -> Option<Self> {
        if let Some(action) = value.archive_chat_action.as_option() {
            return Some(Self::Archived(action.archived == Some(true)));
        }
        if let Some(action) = value.pin_action.as_option() {
            return Some(Self::Pinned(action.pinned == Some(true)));
        }
        if let Some(action) = value.mute_action.as_option() {
            let until = action.mute_end_timestamp.unwrap_or(-1);
            return Some(Self::MutedUntil((action.muted == Some(true)).then_some(until)));
        }
        if let Some(action) = value.mark_chat_as_read_action.as_option() {
            return Some(Self::Read(action.read));
        }
        let action = value.star_action.as_option()?;
        Some(Self::Starred(action.starred == Some(true)))
    }
}

/// Picks from everything that is set.
fn set<T>(account: &Account, pick: impl Fn(&[String], &wa::SyncActionValue) -> Option<T>) -> Vec<T> {
    app_state::read(account, |book| {
        let values = book.values().flat_map(|page| page.values());
        values.filter_map(|(index, value)| pick(index, value)).collect()
    })
}

/// Returns what of the past of a phone is app state as well.
pub fn of_past(other: Option<&Account>, chat: &str, facts: &Facts) -> Vec<Action> {
    let mut actions = Vec::new();
    if let (Some(other), Some(name)) = (other, &facts.name) {
        actions.push(contact(other, Some(name), None));
    }
    if facts.archived {
        actions.push(archive(chat, true));
    }
    if facts.pinned_at.is_some() {
        actions.push(pin(chat, true));
    }
    actions.extend(facts.muted_until.map(|until| mute(chat, until)));
    actions
}

/// Returns how the control API names the chat behind an address.
fn chat_name(world: &World, jid: &str) -> String {
    let parsed: Option<Jid> = jid.parse().ok();
    let person = parsed.filter(|jid| !jid.is_group());
    let account =
        person.and_then(|jid| world.directory.resolve(&world.store, &jid.to_non_ad()).ok().flatten());
    account.map_or_else(|| jid.to_owned(), |account| account.number.clone())
}
