//! Groups, as persons with phones in hand make and run them. `by` names the phone that does something; without it the
//! group's first admin does.

use super::phones::{digits, find};
use super::reply::{Failure, Outcome, parameter};
use super::user;
use crate::groups::entry::{self, Entered};
use crate::groups::make::{self, Plan};
use crate::groups::members::{self, Asked};
use crate::groups::settings::{self, Setting};
use crate::groups::{Change, describe};
use crate::stanza::iq::Refusal;
use crate::stanza::persona;
use crate::state::account::Account;
use crate::state::group::{Group, Mode};
use crate::state::persona::Picture;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::oneshot;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewGroup {
    owner: String,
    subject: String,
    #[serde(default)]
    participants: Vec<String>,
    description: Option<String>,
    #[serde(default)]
    mode: Mode,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Edit {
    by: Option<String>,
    subject: Option<String>,
    description: Option<String>,
    announcement: Option<bool>,
    locked: Option<bool>,
    ephemeral_s: Option<u32>,
    approval: Option<bool>,
    members_add: Option<bool>,
    members_link: Option<bool>,
    mode: Option<Mode>,
    picture: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Persons {
    by: Option<String>,
    phones: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Joiner {
    phone: String,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    by: Option<String>,
    #[serde(default)]
    approve: Vec<String>,
    #[serde(default)]
    reject: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByWhom {
    by: Option<String>,
}

/// What is done to persons of a group.
#[derive(Clone, Copy)]
pub(super) enum Deed {
    Add,
    Remove,
    Promote,
    Demote,
}

/// Makes a group.
pub(super) async fn create(world: &World, new: NewGroup) -> Outcome {
    let owner = find(world, &new.owner)?;
    let invited = persons(world, &new.participants)?;
    if let Some(missing) = invited.iter().find(|who| who.account.is_none()) {
        return Err(Failure::new(422, "not_on_whatsapp", format!("`{}` is not on WhatsApp", missing.jid)));
    }
    let description = new.description.map(|text| (rand::random::<u32>().to_string(), text));
    let plan = Plan { subject: new.subject, description, mode: new.mode, invited, ..Default::default() };
    let (done, stored) = oneshot::channel();
    let made = make::create(world, &owner, plan, |_| {
        // The receiver is only gone when the caller of the control API is.
        Box::new(move || {
            let _ = done.send(());
        })
    });
    let made = made.map_err(|refusal| refused(&refusal))?;
    stored.await.map_err(|_| Failure::internal("the group was not stored"))?;
    let failed = results(made.outcomes.iter().filter(|one| !one.is_ok()));
    let mut view = view(world, &made.group);
    view["failed"] = failed;
    Ok((201, view))
}

/// Lists all groups.
pub(super) fn list(world: &World) -> Outcome {
    Ok((200, world.groups.all().iter().map(|group| view(world, group)).collect()))
}

/// Shows one group.
pub(super) fn show(world: &World, id: &str) -> Outcome {
    let group = group(world, id)?;
    Ok((200, view(world, &group)))
}

/// Changes what a group is called and how it is set up.
pub(super) async fn edit(world: &World, id: &str, edit: Edit) -> Outcome {
    let group = group(world, id)?;
    let settings: Vec<Setting> = [
        edit.announcement.map(Setting::Announcement),
        edit.locked.map(Setting::Locked),
        edit.ephemeral_s.map(Setting::Ephemeral),
        edit.approval.map(Setting::Approval),
        edit.members_add.map(Setting::MembersAdd),
        edit.members_link.map(Setting::MembersLink),
    ]
    .into_iter()
    .flatten()
    .collect();
    let jpeg = edit.picture.map(|text| STANDARD.decode(text)).transpose();
    let jpeg = jpeg.map_err(|_| Failure::invalid("`picture` is not base64"))?;
    change(world, &group, edit.by.as_deref(), |change| {
        if let Some(jpeg) = jpeg {
            settings::picture(change, keep_picture(world, change.actor, &jpeg)?)?;
        }
        if let Some(subject) = edit.subject {
            settings::rename(change, subject)?;
        }
        if let Some(text) = edit.description {
            let previous = change.facts.description.as_ref().map(|one| one.id.clone());
            let text = Some(text).filter(|text| !text.is_empty());
            settings::describe(change, rand::random::<u32>().to_string(), text, previous.as_deref())?;
        }
        if let Some(mode) = edit.mode {
            change.admin()?;
            change.facts.mode = mode;
            change.quietly();
        }
        settings::set(change, &settings)
    })
    .await?;
    show(world, id)
}

/// Puts a picture into the store; an empty one is none.
fn keep_picture(world: &World, actor: &Account, jpeg: &[u8]) -> Result<Option<Picture>, Refusal> {
    if jpeg.is_empty() {
        return Ok(None);
    }
    let mut batch = world.batch();
    let kept = persona::keep_picture(world, actor, jpeg, &mut batch).map_err(|_| Refusal::INTERNAL)?;
    world.commit(batch);
    Ok(Some(kept))
}

/// Adds, removes, promotes or demotes persons; whoever removes itself leaves.
pub(super) async fn persons_changed(world: &World, id: &str, wish: Persons, deed: Deed) -> Outcome {
    let group = group(world, id)?;
    let asked = persons(world, &wish.phones)?;
    let outcomes = change(world, &group, wish.by.as_deref(), |change| match deed {
        Deed::Add => members::add(change, &asked),
        Deed::Remove if is_self(&asked, change.actor) => {
            members::leave(change)?;
            Ok(asked.iter().cloned().map(members::Outcome::done).collect())
        }
        Deed::Remove => members::remove(change, &asked),
        Deed::Promote => members::rank(change, &asked, true),
        Deed::Demote => members::rank(change, &asked, false),
    })
    .await?;
    Ok((200, results(outcomes.iter())))
}

/// Does the same to one person named in the path.
pub(super) async fn person_changed(world: &World, id: &str, phone: &str, query: &str, deed: Deed) -> Outcome {
    let by = parameter(query, "by").filter(|by| !by.is_empty());
    let (_, results) =
        persons_changed(world, id, Persons { by, phones: vec![phone.to_owned()] }, deed).await?;
    let result = results.get(0).cloned().unwrap_or_default();
    match result["status"].as_u64() {
        Some(200) => Ok((200, result)),
        Some(403) => Err(Failure::new(403, "refused", "whoever made the group cannot be removed or demoted")),
        _ => Err(Failure::new(404, "not_a_member", format!("`{phone}` is not a member of the group"))),
    }
}

/// Lets a phone in by the invite link.
pub(super) async fn join(world: &World, id: &str, joiner: Joiner) -> Outcome {
    let group = group(world, id)?;
    let code = joiner.code.unwrap_or_else(|| group.facts().invite_code.clone());
    let entered = change(world, &group, Some(&joiner.phone), |change| entry::join(change, &code)).await?;
    let state = match entered {
        Entered::Joined => "joined",
        Entered::Waiting => "waiting",
    };
    Ok((200, json!({"state": state})))
}

/// Lets an admin agree to wishes to join, or turn them down.
pub(super) async fn decide(world: &World, id: &str, decision: Decision) -> Outcome {
    let group = group(world, id)?;
    let (approve, reject) = (persons(world, &decision.approve)?, persons(world, &decision.reject)?);
    let outcomes = change(world, &group, decision.by.as_deref(), |change| {
        let mut outcomes = entry::decide(change, &approve, true)?;
        outcomes.extend(entry::decide(change, &reject, false)?);
        Ok(outcomes)
    })
    .await?;
    Ok((200, results(outcomes.iter())))
}

/// Makes the invite link useless and shows the new code.
pub(super) async fn reset_invite(world: &World, id: &str, wish: ByWhom) -> Outcome {
    let group = group(world, id)?;
    let code = change(world, &group, wish.by.as_deref(), entry::reset).await?;
    Ok((200, json!({"inviteCode": code})))
}

/// Finds a group by its address or the digits of it.
pub(super) fn group(world: &World, id: &str) -> Result<Arc<Group>, Failure> {
    let digits = id.strip_suffix("@g.us").unwrap_or(id);
    world.groups.get(digits).ok_or_else(|| {
        Failure::new(
            404,
            "group_not_found",
            format!("there is no group `{id}`; make it with POST /sandbox/groups"),
        )
    })
}

/// Finds the addresses by which a chat names these numbers.
pub(super) fn addresses(world: &World, mode: Mode, phones: &[String]) -> Result<Vec<String>, Failure> {
    let named = persons(world, phones)?.into_iter().map(|who| match who.account {
        Some(account) => Ok(mode.address(&account, 0).to_string()),
        None => Err(Failure::new(422, "not_on_whatsapp", format!("`{}` is not on WhatsApp", who.jid))),
    });
    named.collect()
}

fn view(world: &World, group: &Group) -> Value {
    describe::view(world, group, &group.facts())
}

fn persons(world: &World, phones: &[String]) -> Result<Vec<Asked>, Failure> {
    let find = |phone: &String| {
        let jid = user(phone).filter(|jid| !jid.user.is_empty());
        let jid = jid.ok_or_else(|| Failure::invalid(format!("`{phone}` is not a number")))?;
        Asked::find(world, &jid).map_err(|refusal| refused(&refusal))
    };
    phones.iter().map(find).collect()
}

fn is_self(asked: &[Asked], actor: &Arc<Account>) -> bool {
    matches!(asked, [only] if only.account.as_ref().is_some_and(|one| Arc::ptr_eq(one, actor)))
}

/// Lets a phone change a group and waits until that is stored.
async fn change<T>(
    world: &World,
    group: &Arc<Group>,
    by: Option<&str>,
    work: impl FnOnce(&mut Change<'_>) -> Result<T, Refusal>,
) -> Result<T, Failure> {
    let actor = match by {
        Some(phone) => find(world, phone)?,
        None => first_admin(world, group)?,
    };
    let (done, stored) = oneshot::channel();
    let result = {
        let mut change = Change::begin(world, group, &actor);
        let result = work(&mut change).map_err(|refusal| refused(&refusal))?;
        // The receiver is only gone when the caller of the control API is.
        change.finish(move || {
            let _ = done.send(());
        });
        result
    };
    stored.await.map_err(|_| Failure::internal("the change was not stored"))?;
    Ok(result)
}

fn first_admin(world: &World, group: &Group) -> Result<Arc<Account>, Failure> {
    let facts = group.facts();
    let admin = facts.members.iter().max_by_key(|(_, rank)| **rank).map(|(number, _)| number);
    let account = admin.and_then(|number| world.directory.by_number(number));
    account.ok_or_else(|| Failure::new(409, "group_empty", "nobody is left in this group"))
}

fn results<'o>(outcomes: impl Iterator<Item = &'o members::Outcome>) -> Value {
    outcomes
        .map(|one| {
            let phone = match &one.who.account {
                Some(account) => account.number.clone(),
                None => digits(&one.who.jid.user),
            };
            json!({"phone": phone, "status": one.code})
        })
        .collect()
}

fn refused(refusal: &Refusal) -> Failure {
    let message = match refusal.code {
        400 => "a subject has 1 to 100 characters, a description at most 2048",
        401 => "only admins may do this",
        403 => "the phone is not a member of this group",
        409 => "the phone is a member already",
        410 => "this invite link is no longer good",
        419 => "the group is full",
        _ => "the network refused this",
    };
    Failure::new(if refusal.code == 419 { 409 } else { refusal.code }, "refused", message)
}
