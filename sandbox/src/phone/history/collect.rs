//! Past and log of a phone put together, chat by chat, as one sees them on its screen: edits are made, what was
//! revoked is gone, reactions stand with their messages.

use super::past::{Facts, id};
use crate::clock;
use crate::phone::Phone;
use crate::phone::chat_settings::{self, ChatSettings};
use crate::phone::log::{Entry, Status};
use crate::router::status;
use crate::state::account::Account;
use crate::world::World;
use anyhow::Result;
use buffa::MessageField;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use wa::web_message_info::{Status as WireStatus, StubType};
use waproto::whatsapp as wa;

/// A chat with everything that the phone has of it.
pub struct Whole {
    /// Number of the other side, or the address of a group.
    pub name: String,
    /// What the phone knows of it.
    pub facts: Facts,
    /// Its messages, newest first.
    pub messages: Vec<wa::WebMessageInfo>,
    /// When the newest was written, seconds since the epoch.
    pub newest_s: Option<u64>,
}

/// Returns every chat of a phone, the one with the newest message first, with the names and settings of now.
pub fn all(world: &World, account: &Account, phone: &Phone) -> Result<Vec<Whole>> {
    let contacts = chat_settings::contacts(world, account);
    let names_of: HashMap<String, Option<String>> =
        contacts.into_iter().map(|contact| (contact.phone, contact.name)).collect();
    let mut settings = chat_settings::chats(world, account);
    let mut entries: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    // Status posts and those of channels are none of any chat.
    let status = status::address().to_string();
    let is_of_chat = |entry: &&Entry| entry.chat != status && !entry.chat.ends_with("@newsletter");
    for entry in phone.log.since(None, 0).filter(is_of_chat) {
        entries.entry(&entry.chat).or_default().push(entry);
    }
    let names: BTreeSet<&str> =
        entries.keys().copied().chain(phone.past.chats().map(|(name, _)| name)).collect();
    let mut chats = Vec::new();
    for name in names {
        let logged = entries.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut chat = whole(world, account, phone, name, logged)?;
        if let Some(known) = names_of.get(name) {
            chat.facts.name.clone_from(known);
        }
        if let Some(settings) = settings.remove(name) {
            apply(&settings, &mut chat);
        }
        chats.push(chat);
    }
    chats.sort_by_key(|chat| std::cmp::Reverse(chat.newest_s));
    Ok(chats)
}

/// Returns one chat; an unknown one is empty.
pub fn one(world: &World, account: &Account, phone: &Phone, name: &str) -> Result<Whole> {
    let logged: Vec<&Entry> = phone.log.since(Some(name), 0).collect();
    whole(world, account, phone, name, &logged)
}

fn whole(world: &World, account: &Account, phone: &Phone, name: &str, logged: &[&Entry]) -> Result<Whole> {
    let past = phone.past.chat(name);
    let mut screen = Screen::default();
    for message in past.into_iter().flat_map(|chat| chat.messages()) {
        screen.show(message?);
    }
    for entry in logged {
        screen.happened(world, account, entry)?;
    }
    screen.messages.sort_by_key(|one| std::cmp::Reverse(one.message_timestamp));
    let facts = past.map(|chat| chat.facts.clone()).unwrap_or_default();
    let newest_s = screen.messages.first().and_then(|one| one.message_timestamp);
    Ok(Whole { name: name.to_owned(), facts, messages: screen.messages, newest_s })
}

/// What was set later, on whichever device, counts more than what the phone had all along.
fn apply(settings: &ChatSettings, chat: &mut Whole) {
    let facts = &mut chat.facts;
    facts.archived = settings.archived;
    facts.pinned_at = settings.pinned.then(|| facts.pinned_at.unwrap_or(clock::now_s() as u32));
    facts.muted_until = settings.muted_until;
    if settings.read == Some(true) {
        (facts.unread, facts.marked_unread) = (0, false);
    } else if settings.read == Some(false) {
        facts.marked_unread = true;
    }
    for message in chat.messages.iter_mut().filter(|one| settings.starred.contains(&id(one))) {
        message.starred = Some(true);
    }
}

/// What stands on the screen of a chat.
#[derive(Default)]
struct Screen {
    messages: Vec<wa::WebMessageInfo>,
    by_id: HashMap<String, usize>,
}

impl Screen {
    fn show(&mut self, message: wa::WebMessageInfo) {
        self.by_id.insert(id(&message), self.messages.len());
        self.messages.push(message);
    }

    /// Lets an entry of the log show: as a message, or in the message that it is about.
    fn happened(&mut self, world: &World, account: &Account, entry: &Entry) -> Result<()> {
        let target = entry.target.as_ref().and_then(|id| self.by_id.get(id)).copied();
        let target = target.and_then(|at| self.messages.get_mut(at));
        match (entry.kind.as_str(), target) {
            ("edit", Some(target)) => {
                let message = entry.message()?;
                let protocol = message.protocol_message.as_option();
                if let Some(edited) = protocol.and_then(|one| one.edited_message.as_option()) {
                    target.message = MessageField::some(edited.clone());
                }
            }
            ("revoke", Some(target)) => {
                target.message = MessageField::none();
                target.message_stub_type = Some(StubType::REVOKE);
            }
            ("reaction", Some(target)) => {
                let from = reactor(entry);
                target.reactions.retain(|one| !same_person(one, &from));
                if let Some(emoji) = entry.text.as_ref().filter(|emoji| !emoji.is_empty()) {
                    target.reactions.push(wa::Reaction {
                        key: MessageField::some(from),
                        text: Some(emoji.clone()),
                        sender_timestamp_ms: Some(entry.timestamp as i64),
                        ..Default::default()
                    });
                }
            }
            ("edit" | "revoke" | "reaction" | "vote" | "pin" | "timer" | "other", _) => {}
            _ => self.show(message(world, account, entry)?),
        }
        Ok(())
    }
}

fn reactor(entry: &Entry) -> wa::MessageKey {
    wa::MessageKey {
        remote_jid: Some(entry.chat_jid()),
        from_me: Some(entry.from_me),
        id: Some(entry.id.clone()),
        participant: entry.author.clone(),
    }
}

fn same_person(reaction: &wa::Reaction, from: &wa::MessageKey) -> bool {
    reaction
        .key
        .as_option()
        .is_some_and(|key| key.from_me == from.from_me && key.participant == from.participant)
}

fn message(world: &World, account: &Account, entry: &Entry) -> Result<wa::WebMessageInfo> {
    let message = entry.message()?;
    let secret = message.message_context_info.as_option().and_then(|info| info.message_secret.clone());
    let writer = world.directory.by_number(&entry.from).filter(|_| !entry.from_me);
    Ok(wa::WebMessageInfo {
        key: MessageField::some(wa::MessageKey {
            remote_jid: Some(entry.chat_jid()),
            from_me: Some(entry.from == account.number),
            id: Some(entry.id.clone()),
            participant: entry.author.clone(),
        }),
        message: MessageField::some(message),
        message_timestamp: Some(entry.timestamp / 1000),
        status: entry.from_me.then_some(on_wire(entry.status)),
        participant: entry.author.clone(),
        push_name: writer.map(|writer| writer.state().push_name(entry.device)),
        message_secret: secret,
        ..Default::default()
    })
}

/// Returns how the wire names the progress of an own message.
pub fn on_wire(status: Status) -> WireStatus {
    match status {
        Status::Sent => WireStatus::SERVER_ACK,
        Status::Delivered => WireStatus::DELIVERY_ACK,
        Status::Read => WireStatus::READ,
        Status::Played => WireStatus::PLAYED,
    }
}
