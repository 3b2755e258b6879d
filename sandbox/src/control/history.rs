//! The history of a phone: chats and messages that it has before a client is linked, and what they are.

use super::messages::{Chat, chat, stored};
use super::phones::find;
use super::reply::{Failure, Outcome, parameter};
use super::{groups, user};
use crate::clock;
use crate::phone::Phone;
use crate::phone::app_state::{self, Action};
use crate::phone::chat_settings;
use crate::phone::content::{Content, details};
use crate::phone::history::made_up::Bulk;
use crate::phone::history::past::{self, Facts};
use crate::phone::history::wish::{Addresses, ChatWish, MessageWish, times};
use crate::state::account::Account;
use crate::state::group::Mode;
use crate::store::Batch;
use crate::world::World;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use waproto::whatsapp as wa;

/// What a phone is to have had all along.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewHistory<'a> {
    /// Chats word by word.
    #[serde(borrow, default)]
    chats: Vec<ChatWish<'a>>,
    /// Chats made up.
    bulk: Option<Bulk>,
}

/// Gives a phone chats; those that it has get more messages. Nothing happens when something of it is wrong.
pub(super) async fn add(world: &World, phone: &str, new: NewHistory<'_>) -> Outcome {
    let account = find(world, phone)?;
    if new.bulk.is_some_and(|bulk| !bulk.fits()) {
        return Err(Failure::invalid("`bulk` makes up 10000 chats and 500000 messages at most"));
    }
    let mut batch = world.batch();
    let mut drafts = Vec::new();
    for wish in &new.chats {
        drafts.push(Draft::of(world, &account, wish, &mut batch).await?);
    }
    let stored = stored(&mut batch);
    let mut phone = account.phone.lock().await;
    let written: Result<Vec<_>, _> = drafts.into_iter().map(|draft| draft.write(&phone)).collect();
    let mut added = Vec::new();
    let mut actions = Vec::new();
    for (name, facts, messages) in written? {
        actions.extend(app_state_of(world, &name, &facts));
        phone.past.know(&name, |known| *known = facts, &mut batch);
        messages.iter().for_each(|one| phone.past.add(&name, one, &mut batch));
        let ids: Vec<String> = messages.iter().map(past::id).collect();
        added.push(json!({"chat": name, "messages": ids}));
    }
    let made = new.bulk.map(|bulk| bulk.fill(world, &mut phone.past, clock::now_s(), &mut batch));
    let submitted = world.submit(batch);
    drop(phone);
    submitted.release();
    let made = made.transpose().map_err(Failure::internal)?.unwrap_or_default();
    stored.await.map_err(|_| Failure::internal("the history was not stored"))?;
    let phone = account.phone.lock().await;
    for (name, chat) in made.iter().filter_map(|name| Some((name, phone.past.chat(name)?))) {
        actions.extend(app_state_of(world, name, &chat.facts));
    }
    drop(phone);
    app_state::publish(world, &account, actions).await.map_err(Failure::internal)?;
    Ok((201, json!({"chats": added, "made": made})))
}

/// Returns what a phone's companions learn of a chat by app state: its name, and what is set for it.
fn app_state_of(world: &World, name: &str, facts: &Facts) -> Vec<Action> {
    let other = world.directory.by_number(name);
    let address = match &other {
        Some(other) if facts.by_lid => other.lid(0).to_string(),
        Some(other) => other.pn(0).to_string(),
        None => name.to_owned(),
    };
    chat_settings::of_past(other.as_deref(), &address, facts)
}

/// A chat whose addresses were looked up and whose media were sealed.
struct Draft<'w> {
    name: String,
    facts: Facts,
    messages: Vec<(&'w MessageWish<'w>, u64, Addresses, Option<wa::Message>)>,
}

type Written = (String, Facts, Vec<wa::WebMessageInfo>);

impl<'w> Draft<'w> {
    async fn of(
        world: &World,
        account: &Arc<Account>,
        wish: &'w ChatWish<'w>,
        batch: &mut Batch,
    ) -> Result<Self, Failure> {
        let place = chat(world, &wish.chat)?;
        let mut messages = Vec::new();
        for (message, at_ms) in wish.messages.iter().zip(times(&wish.messages)) {
            let addresses = addresses(world, account, &place, wish, message)?;
            let attached = match &message.media {
                Some(media) => {
                    let medium = media.read().map_err(|error| Failure::invalid(format!("{error:#}")))?;
                    let sealed = medium.seal(world).await.map_err(Failure::internal)?;
                    Some(sealed.into_message(world, account, batch))
                }
                None => None,
            };
            messages.push((message, at_ms, addresses, attached));
        }
        if let (Chat::Person(other), Some(name)) = (&place, &wish.push_name) {
            introduce_as(world, other, name);
        }
        let name = match &place {
            Chat::Person(other) => other.number.clone(),
            Chat::Group(group) => group.jid().to_string(),
        };
        Ok(Self { name, facts: facts(wish), messages })
    }

    /// Writes the messages as they lie on the phone.
    fn write(self, phone: &Phone) -> Result<Written, Failure> {
        let known = phone.past.chat(&self.name);
        let mut written: Vec<wa::WebMessageInfo> = Vec::new();
        for (wish, at_ms, addresses, attached) in self.messages {
            let earlier = |id: &str| {
                let here = written.iter().find(|one| past::id(one) == id).cloned();
                here.or_else(|| known.and_then(|chat| chat.message(id)))
            };
            if let Some(id) = wish.id.as_deref().filter(|id| earlier(id).is_some()) {
                return Err(Failure::invalid(format!("the chat has a message `{id}` already")));
            }
            let info = wish.info(earlier, addresses, attached, at_ms);
            written.push(info.map_err(|error| Failure::invalid(format!("{error:#}")))?);
        }
        Ok((self.name, self.facts, written))
    }
}

fn facts(wish: &ChatWish<'_>) -> Facts {
    Facts {
        name: wish.name.clone(),
        push_name: wish.push_name.clone(),
        unread: wish.unread,
        marked_unread: wish.marked_unread,
        archived: wish.archived,
        pinned_at: wish.pinned.then(|| clock::now_s() as u32),
        muted_until: wish.muted_until,
        expiration_s: wish.expiration_s,
        by_lid: wish.by_lid,
        made_up: false,
    }
}

/// A number that only came to life by this calls itself so from now on.
fn introduce_as(world: &World, other: &Account, name: &str) {
    let mut batch = world.batch();
    let mut state = other.state();
    if !state.auto {
        return;
    }
    state.name = name.to_owned();
    other.put_row(&state, &mut batch);
    let submitted = world.submit(batch);
    drop(state);
    submitted.release();
}

fn addresses(
    world: &World,
    account: &Arc<Account>,
    place: &Chat,
    chat: &ChatWish<'_>,
    message: &MessageWish<'_>,
) -> Result<Addresses, Failure> {
    let mode = match place {
        Chat::Person(_) if chat.by_lid => Mode::Lid,
        Chat::Person(_) => Mode::Pn,
        Chat::Group(group) => group.facts().mode,
    };
    let (address, author, push_name) = match place {
        Chat::Person(other) => {
            if message.from.is_some() {
                return Err(Failure::invalid("only messages in groups say `from`"));
            }
            let push_name = chat.push_name.clone().unwrap_or_else(|| other.state().name.clone());
            (mode.address(other, 0).to_string(), None, push_name)
        }
        Chat::Group(group) => {
            let writer = match (&message.from, message.from_me) {
                (None, true) => account.clone(),
                (Some(from), false) => person(world, from)?,
                _ => return Err(Failure::invalid("a message in a group is `fromMe` or says `from`")),
            };
            let push_name = writer.state().name.clone();
            (group.jid().to_string(), Some(mode.address(&writer, 0).to_string()), push_name)
        }
    };
    let mut reactors = Vec::new();
    for reaction in &message.reactions {
        let who = reaction.from.as_deref().map_or(Ok(account.clone()), |from| person(world, from))?;
        let named = author.as_ref().map(|_| mode.address(&who, 0).to_string());
        reactors.push((named, Arc::ptr_eq(&who, account)));
    }
    let mentions = groups::addresses(world, mode, &message.mentions)?;
    Ok(Addresses { chat: address, author, push_name: Some(push_name), mentions, reactors })
}

fn person(world: &World, phone: &str) -> Result<Arc<Account>, Failure> {
    let jid = user(phone).ok_or_else(|| Failure::invalid(format!("`{phone}` is not a number")))?;
    let account = world.directory.resolve(&world.store, &jid).map_err(Failure::internal)?;
    account.ok_or_else(|| Failure::new(422, "not_on_whatsapp", format!("`{phone}` is not on WhatsApp")))
}

/// Lists the chats of a phone's past, or with `chat` the messages of one, oldest first.
pub(super) async fn list(world: &World, phone: &str, query: &str) -> Outcome {
    let account = find(world, phone)?;
    let phone = account.phone.lock().await;
    let Some(wanted) = parameter(query, "chat").filter(|chat| !chat.is_empty()) else {
        let chats = phone.past.chats().map(|(name, chat)| {
            let facts = &chat.facts;
            json!({
                "chat": name, "name": facts.name, "pushName": facts.push_name, "unread": facts.unread,
                "markedUnread": facts.marked_unread, "archived": facts.archived,
                "pinned": facts.pinned_at.is_some(), "mutedUntil": facts.muted_until,
                "expirationS": facts.expiration_s, "byLid": facts.by_lid, "messages": chat.len(),
                "oldest": chat.span().map(|(oldest, _)| oldest * 1000),
                "newest": chat.span().map(|(_, newest)| newest * 1000),
            })
        });
        return Ok((200, chats.collect()));
    };
    let name = match user(&wanted).filter(|_| !wanted.ends_with("@g.us")) {
        Some(jid) => world.directory.resolve(&world.store, &jid).map_err(Failure::internal)?,
        None => None,
    };
    let name = name.map_or(wanted, |other| other.number.clone());
    let messages = phone.past.chat(&name).into_iter().flat_map(|chat| chat.messages());
    let shown: Result<Vec<Value>, Failure> =
        messages.map(|one| one.map(|one| view(&one)).map_err(Failure::internal)).collect();
    Ok((200, Value::Array(shown?)))
}

fn view(info: &wa::WebMessageInfo) -> Value {
    let message = info.message.as_option();
    let content = message.and_then(Content::of);
    let reactions = info.reactions.iter().map(|one| json!({"emoji": one.text}));
    let mut view = json!({
        "id": past::id(info), "author": info.participant, "starred": info.starred == Some(true),
        "fromMe": info.key.as_option().and_then(|key| key.from_me), "revoked": message.is_none(),
        "at": info.message_timestamp.unwrap_or_default() * 1000, "pushName": info.push_name,
        "type": content.as_ref().map(|one| one.kind), "text": content.as_ref().map(|one| &one.text),
        "caption": content.as_ref().map(|one| &one.caption),
        "target": content.as_ref().map(|one| &one.target), "reactions": reactions.collect::<Value>(),
    });
    if let (Some(view), Some(message)) = (view.as_object_mut(), message) {
        view.extend(details(message));
    }
    view
}
