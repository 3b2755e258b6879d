//! Address book and settings of chats: changed on the phone, or by a client, and shown as the phone knows them.

use super::messages::{Chat, chat};
use super::phones::find;
use super::reply::{Failure, Outcome};
use crate::phone::app_state::{self, Action};
use crate::phone::chat_settings;
use crate::phone::history::collect;
use crate::phone::history::past::id;
use crate::state::account::Account;
use crate::world::World;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewContacts {
    contacts: Vec<NewContact>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewContact {
    phone: String,
    name: Option<String>,
    first_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChatChange {
    chat: String,
    archived: Option<bool>,
    pinned: Option<bool>,
    muted_until: Option<i64>,
    read: Option<bool>,
    star: Option<String>,
    unstar: Option<String>,
}

/// Writes names into the address book; a contact without a name goes.
pub(super) async fn save_contacts(world: &World, phone: &str, new: NewContacts) -> Outcome {
    let account = find(world, phone)?;
    let mut actions = Vec::new();
    for contact in &new.contacts {
        let Chat::Person(other) = chat(world, &contact.phone)? else {
            return Err(Failure::invalid(format!("`{}` is not a number", contact.phone)));
        };
        let name = contact.name.as_deref().filter(|name| !name.is_empty());
        actions.push(chat_settings::contact(&other, name, contact.first_name.as_deref()));
    }
    publish(world, &account, actions).await?;
    Ok((200, json!(chat_settings::contacts(world, &account))))
}

/// Shows the address book.
pub(super) fn contacts(world: &World, phone: &str) -> Outcome {
    let account = find(world, phone)?;
    Ok((200, json!(chat_settings::contacts(world, &account))))
}

/// Changes what is set for a chat.
pub(super) async fn change_chat(world: &World, phone: &str, change: ChatChange) -> Outcome {
    let account = find(world, phone)?;
    let place = chat(world, &change.chat)?;
    let (name, address) = match &place {
        Chat::Person(other) => (other.number.clone(), address(&account, other).await),
        Chat::Group(group) => (group.jid().to_string(), group.jid().to_string()),
    };
    let mut actions = Vec::new();
    actions.extend(change.archived.map(|archived| chat_settings::archive(&address, archived)));
    actions.extend(change.pinned.map(|pinned| chat_settings::pin(&address, pinned)));
    actions.extend(change.muted_until.map(|until| chat_settings::mute(&address, until)));
    actions.extend(change.read.map(|read| chat_settings::mark(&address, read)));
    for (message, starred) in [(&change.star, true), (&change.unstar, false)] {
        if let Some(message) = message {
            actions.push(star(world, &account, &name, &address, message, starred).await?);
        }
    }
    publish(world, &account, actions).await?;
    let settings = chat_settings::chats(world, &account).remove(&name).unwrap_or_default();
    Ok((200, view(&name, &settings)))
}

/// Shows the chats for which something is set.
pub(super) fn chats(world: &World, phone: &str) -> Outcome {
    let account = find(world, phone)?;
    let chats = chat_settings::chats(world, &account);
    Ok((200, chats.iter().map(|(name, settings)| view(name, settings)).collect()))
}

/// Shows everything that is set, collection by collection, as the phone read it from the patches.
pub(super) fn everything(world: &World, phone: &str) -> Outcome {
    let account = find(world, phone)?;
    let shown = app_state::read(&account, |book| {
        let pages = book.iter().map(|(name, page)| {
            let set = page.values().map(|(index, value)| json!({"index": index, "value": said(value)}));
            json!({"collection": name, "version": page.version(), "error": page.broken(), "set": set.collect::<Value>()})
        });
        pages.collect()
    });
    Ok((200, shown))
}

/// Leaves out what a value does not say.
fn said(value: &waproto::whatsapp::SyncActionValue) -> Value {
    fn without_nulls(value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let said = members.into_iter().filter(|(_, value)| !value.is_null());
                Value::Object(said.map(|(name, value)| (name, without_nulls(value))).collect::<Map<_, _>>())
            }
            other => other,
        }
    }
    without_nulls(json!(value))
}

fn view(name: &str, settings: &chat_settings::ChatSettings) -> Value {
    let mut view = json!(settings);
    view["chat"] = json!(name);
    view
}

/// Returns the address by which the phone knows a chat with a person.
async fn address(account: &Account, other: &Account) -> String {
    let phone = account.phone.lock().await;
    let by_lid = phone.past.chat(&other.number).is_some_and(|chat| chat.facts.by_lid);
    if by_lid { other.lid(0).to_string() } else { other.pn(0).to_string() }
}

async fn star(
    world: &World,
    account: &Arc<Account>,
    name: &str,
    address: &str,
    message: &str,
    starred: bool,
) -> Result<Action, Failure> {
    let phone = account.phone.lock().await;
    let whole = collect::one(world, account, &phone, name).map_err(Failure::internal)?;
    let found = whole.messages.iter().find(|one| id(one) == message).and_then(|one| one.key.as_option());
    let key = found.ok_or_else(|| {
        Failure::new(404, "message_not_found", format!("the chat has no message `{message}`"))
    })?;
    Ok(chat_settings::star(address, key, starred))
}

/// Publishes changes; an empty list is none.
async fn publish(world: &World, account: &Arc<Account>, actions: Vec<Action>) -> Result<(), Failure> {
    let published = app_state::publish(world, account, actions).await;
    published.map_err(|error| Failure::new(409, "app_state_broken", format!("{error:#}")))
}
