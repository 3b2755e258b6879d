//! Requests about what accounts show of themselves: pictures, about texts, privacy, blocked contacts.

use super::iq::{self, Refusal, Reply};
use super::{Device, Session, notify};
use crate::groups::{Change, settings};
use crate::media::Token;
use crate::node;
use crate::state::account::Account;
use crate::state::persona::{Persona, Picture};
use crate::store::Batch;
use crate::world::World;
use anyhow::Result;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, JidExt as _, Node};

/// Answers a request; nothing when it is not about these things.
pub fn answer(session: &Session, device: &Device, xmlns: &str, kind: &str, request: &Node) -> Option<Reply> {
    let set = kind == "set";
    Some(match xmlns {
        "w:profile:picture" if set => set_picture(session, device, request),
        "w:profile:picture" => picture(session, device, request).into(),
        "status" if set => set_about(session, device, request),
        "blocklist" if set => block(session, device, request),
        "blocklist" => Reply::Now(Ok(vec![blocked(&session.world, &device.account)])),
        "privacy" if set && node::child(request, "privacy").is_some() => {
            set_privacy(session, device, request)
        }
        "privacy" if !set => Reply::Now(Ok(vec![privacy(&device.account.state().persona)])),
        _ => return None,
    })
}

/// Changes what an account shows and tells whoever should know once it is stored.
pub fn change(
    world: &World,
    account: &Arc<Account>,
    mut batch: Batch,
    work: impl FnOnce(&mut Persona),
    done: impl FnOnce() + Send + 'static,
) {
    let news = {
        let mut state = account.state();
        let before = state.persona.clone();
        work(&mut state.persona);
        state.persona.put_row(&account.number, &mut batch);
        let news = news(account, &before, &state.persona);
        batch.then(done);
        let submitted = world.submit(batch);
        drop(state);
        submitted.release();
        news
    };
    news.into_iter().for_each(|(kind, child)| notify::persona_changed(world, account, kind, &child));
}

/// Puts a picture into the store. Waits for the disk.
pub fn keep_picture(world: &World, account: &Account, jpeg: &[u8], batch: &mut Batch) -> Result<Picture> {
    let draft = world.media.begin_unnamed()?;
    std::fs::write(draft.path(), jpeg)?;
    let token = Token::of(&Sha256::digest(jpeg).into());
    world.media.finish(draft, &token)?;
    let path = world.media.publish(&token, &account.number, batch);
    Ok(Picture { id: rand::random_range(1_000_000_000u64..9_999_999_999).to_string(), path })
}

fn news(account: &Account, before: &Persona, after: &Persona) -> Vec<(&'static str, Node)> {
    let mut news = Vec::new();
    let id = |persona: &Persona| persona.picture.as_ref().map(|picture| picture.id.clone());
    if id(before) != id(after) {
        let tag = if after.picture.is_some() { "set" } else { "delete" };
        let child = NodeBuilder::new(tag).attr("jid", account.pn(0));
        let child = match id(after) {
            Some(id) => child.attr("id", id),
            None => child,
        };
        news.push(("picture", child.build()));
    }
    let text = |persona: &Persona| persona.about.as_ref().map(|about| about.text.clone());
    if let Some(said) = text(after).filter(|said| text(before).as_ref() != Some(said)) {
        news.push(("status", node::bytes("set", said.into_bytes())));
    }
    news
}

/// Changes what the companion's account shows and answers with these children once it is stored.
fn reply(
    session: &Session,
    device: &Device,
    request: &Node,
    batch: Batch,
    children: Vec<Node>,
    work: impl FnOnce(&mut Persona),
) -> Reply {
    let (sender, result) = (session.sender.clone(), iq::result(request, Ok(children)));
    change(&session.world, &device.account, batch, work, move || sender.send(result));
    Reply::Deferred
}

fn picture(session: &Session, device: &Device, request: &Node) -> iq::Answer {
    let target = node::jid_attr(request, "target").unwrap_or_else(|| device.account.pn(0));
    let absent = |code: &'static str, text: &'static str| {
        let error = NodeBuilder::new("error").attr("code", code).attr("text", text).build();
        Ok(vec![node::parent("picture", [error])])
    };
    let picture = if target.is_group() {
        session.world.groups.get(target.user()).and_then(|group| group.facts().picture.clone())
    } else {
        let found = session.world.directory.resolve(&session.world.store, &target.to_non_ad());
        let account = found.map_err(|_| Refusal::INTERNAL)?;
        let persona = account.as_ref().map(|account| account.state().persona.clone()).unwrap_or_default();
        let own = account.is_some_and(|account| Arc::ptr_eq(&account, &device.account));
        if persona.hides("profile") && !own {
            return absent("401", "not-authorized");
        }
        persona.picture
    };
    let Some(picture) = picture else { return absent("404", "item-not-found") };
    let asked = node::child(request, "picture");
    if asked.and_then(|asked| node::attr(asked, "id")).is_some_and(|known| known == picture.id) {
        return Ok(vec![node::empty("picture")]);
    }
    let kind = asked.map(|asked| node::text_attr(asked, "type")).unwrap_or_default();
    let found = NodeBuilder::new("picture")
        .attr("id", picture.id)
        .attr("type", kind)
        .attr("url", session.world.media.url(&picture.path))
        .attr("direct_path", picture.path)
        .build();
    Ok(vec![found])
}

fn set_picture(session: &Session, device: &Device, request: &Node) -> Reply {
    let other = node::jid_attr(request, "target").filter(|target| {
        !target.is_same_user_as(&device.account.pn(0)) && !target.is_same_user_as(&device.account.lid(0))
    });
    match other {
        Some(group) if group.is_group() => return set_group_picture(session, device, &group, request),
        Some(_) => return Refusal::FORBIDDEN.into(),
        None => {}
    }
    let mut batch = session.world.batch();
    let Some(jpeg) = node::child_content(request, "picture") else {
        let work = |persona: &mut Persona| persona.picture = None;
        return reply(session, device, request, batch, Vec::new(), work);
    };
    // A picture is small, and nobody but this client waits for its write.
    let Ok(picture) = keep_picture(&session.world, &device.account, &jpeg, &mut batch) else {
        return Refusal::INTERNAL.into();
    };
    let children = vec![NodeBuilder::new("picture").attr("id", picture.id.clone()).build()];
    let work = |persona: &mut Persona| persona.picture = Some(picture);
    reply(session, device, request, batch, children, work)
}

fn set_group_picture(session: &Session, device: &Device, group: &Jid, request: &Node) -> Reply {
    let world = &session.world;
    let Some(group) = world.groups.get(group.user()) else { return Refusal::NOT_FOUND.into() };
    let mut batch = world.batch();
    let jpeg = node::child_content(request, "picture");
    let kept = jpeg.map(|jpeg| keep_picture(world, &device.account, &jpeg, &mut batch)).transpose();
    let Ok(picture) = kept else { return Refusal::INTERNAL.into() };
    // The path is stored before the group that names it.
    world.commit(batch);
    let children = picture.iter().map(|one| NodeBuilder::new("picture").attr("id", one.id.clone()).build());
    let (sender, result) = (session.sender.clone(), iq::result(request, Ok(children.collect())));
    let mut change = Change::begin(world, &group, &device.account);
    if let Err(refusal) = settings::picture(&mut change, picture) {
        return refusal.into();
    }
    change.finish(move || sender.send(result));
    Reply::Deferred
}

fn set_about(session: &Session, device: &Device, request: &Node) -> Reply {
    let Some(text) = node::child_content(request, "status") else { return Refusal::BAD_REQUEST.into() };
    let Ok(text) = String::from_utf8(text) else { return Refusal::BAD_REQUEST.into() };
    let work = |persona: &mut Persona| persona.say(text);
    reply(session, device, request, session.world.batch(), Vec::new(), work)
}

fn privacy(persona: &Persona) -> Node {
    let category = |(name, value): (&'static str, &str)| {
        NodeBuilder::new("category").attr("name", name).attr("value", value.to_owned()).build()
    };
    node::parent("privacy", persona.privacy().map(category))
}

fn set_privacy(session: &Session, device: &Device, request: &Node) -> Reply {
    let mut changed = device.account.state().persona.clone();
    let asked = node::child(request, "privacy").map(node::children).unwrap_or_default();
    for category in asked {
        let value = node::text_attr(category, "value");
        if value == "contact_blacklist" {
            return Refusal::NOT_BUILT.into();
        }
        if !changed.set_privacy(&node::text_attr(category, "name"), &value) {
            return Refusal::BAD_REQUEST.into();
        }
    }
    let asked: Vec<(String, String)> =
        asked.iter().map(|one| (node::text_attr(one, "name"), node::text_attr(one, "value"))).collect();
    let work = move |persona: &mut Persona| {
        for (name, value) in &asked {
            persona.set_privacy(name, value);
        }
    };
    reply(session, device, request, session.world.batch(), Vec::new(), work)
}

fn blocked(world: &World, account: &Account) -> Node {
    let numbers = account.state().persona.blocked.clone();
    let items = numbers
        .iter()
        .filter_map(|number| world.directory.by_number(number))
        .map(|other| NodeBuilder::new("item").attr("jid", other.lid(0)).attr("pn_jid", other.pn(0)).build());
    node::parent("list", items)
}

/// Blocks or unblocks. As the real network, it wants both addresses of whom to block.
fn block(session: &Session, device: &Device, request: &Node) -> Reply {
    let Some(item) = node::child(request, "item") else { return Refusal::BAD_REQUEST.into() };
    let Some(jid) = node::jid_attr(item, "jid") else { return Refusal::BAD_REQUEST.into() };
    let blocks = node::text_attr(item, "action") == "block";
    if blocks && (!jid.is_lid() || node::attr(item, "pn_jid").is_none()) {
        return Refusal::BAD_REQUEST.into();
    }
    let found = session.world.directory.resolve(&session.world.store, &jid.to_non_ad());
    let Ok(Some(other)) = found else { return Refusal::NOT_FOUND.into() };
    let number = other.number.clone();
    let work = move |persona: &mut Persona| {
        if blocks {
            persona.blocked.insert(number);
        } else {
            persona.blocked.remove(&number);
        }
    };
    reply(session, device, request, session.world.batch(), Vec::new(), work)
}
