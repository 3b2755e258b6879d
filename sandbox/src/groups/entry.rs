//! Ways into a group from outside: its invite link, an invitation for one person, and the wishes that wait for an admin.

use super::members::{self, Asked, Outcome};
use super::{Change, MEMBERS_MAX};
use crate::stanza::iq::Refusal;
use crate::state::account::Account;
use crate::state::group::Rank;
use crate::{clock, node};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// What a joiner is now.
pub enum Entered {
    /// A member.
    Joined,
    /// Somebody who waits for an admin.
    Waiting,
}

/// Makes the secret of an invite link.
pub fn new_code() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// Returns the secret of the invite link, to whoever may share it.
pub fn code(change: &Change<'_>) -> Result<String, Refusal> {
    let rank = change.member()?;
    if rank < Rank::Admin && !change.facts.settings.members_link {
        return Err(Refusal::NOT_AUTHORIZED);
    }
    Ok(change.facts.invite_code.clone())
}

/// Makes the invite link useless and returns the secret of a new one.
pub fn reset(change: &mut Change<'_>) -> Result<String, Refusal> {
    change.admin()?;
    let code = new_code();
    change.facts.invite_code = code.clone();
    let news = NodeBuilder::new("invite").attr("code", code.clone()).build();
    change.tell_members(news);
    Ok(code)
}

/// Lets the actor in by the invite link.
pub fn join(change: &mut Change<'_>, code: &str) -> Result<Entered, Refusal> {
    if change.facts.invite_code != code {
        return Err(Refusal::GONE);
    }
    newcomer(change)?;
    let actor = change.actor.clone();
    if change.facts.settings.approval {
        members::request(change, &[actor], "invite_link");
        return Ok(Entered::Waiting);
    }
    enter(change, &actor);
    Ok(Entered::Joined)
}

/// Lets the actor in by an invitation of their own. An admin gave it, so nobody has to agree again.
pub fn accept(change: &mut Change<'_>, code: &str) -> Result<Entered, Refusal> {
    newcomer(change)?;
    let actor = change.actor.clone();
    let invitation = change.facts.invitations.get(&actor.number).filter(|one| one.code == code);
    match invitation {
        None => return Err(Refusal::NOT_FOUND),
        Some(invitation) if invitation.expires_at < clock::now_s() => return Err(Refusal::GONE),
        Some(_) => {}
    }
    change.facts.invitations.remove(&actor.number);
    enter(change, &actor);
    Ok(Entered::Joined)
}

fn newcomer(change: &Change<'_>) -> Result<(), Refusal> {
    if change.facts.members.contains_key(&change.actor.number) {
        return Err(Refusal::CONFLICT);
    }
    if change.facts.members.len() >= MEMBERS_MAX { Err(Refusal::FULL) } else { Ok(()) }
}

fn enter(change: &mut Change<'_>, account: &Arc<Account>) {
    let before: Vec<String> = change.facts.members.keys().cloned().collect();
    change.facts.requests.remove(&account.number);
    change.facts.members.insert(account.number.clone(), Rank::Member);
    members::welcome(change, &before, std::slice::from_ref(account), Some("invite"));
}

/// Lists who waits, for admins.
pub fn waiting(change: &Change<'_>) -> Result<Node, Refusal> {
    change.admin()?;
    let mode = change.facts.mode;
    let waiting = change.facts.requests.iter().filter_map(|(number, request)| {
        let account = change.world.directory.by_number(number)?;
        let mut one = NodeBuilder::new("membership_approval_request")
            .attr("jid", mode.address(&account, 0))
            .attr("request_time", request.at.to_string())
            .attr("request_method", request.method.clone());
        if mode == crate::state::group::Mode::Lid {
            one = one.attr("phone_number", account.pn(0));
        }
        Some(one.build())
    });
    Ok(node::parent("membership_approval_requests", waiting))
}

/// Agrees to wishes to join, or turns them down.
pub fn decide(change: &mut Change<'_>, asked: &[Asked], agree: bool) -> Result<Vec<Outcome>, Refusal> {
    change.admin()?;
    let (waiting, strangers): (Vec<Asked>, Vec<Asked>) =
        asked.iter().cloned().partition(|who| waits(change, who));
    let mut outcomes: Vec<Outcome> = strangers.into_iter().map(Outcome::not_found).collect();
    if agree {
        let before: Vec<String> = change.facts.members.keys().cloned().collect();
        let admitted = members::admit(change, &waiting);
        let added = members::succeeded(&admitted);
        members::welcome(change, &before, &added, None);
        outcomes.extend(admitted);
    } else {
        outcomes.extend(drop_requests(change, waiting));
    }
    Ok(outcomes)
}

/// Takes back wishes: the actor's own, or, for an admin, those of others.
pub fn withdraw(change: &mut Change<'_>, asked: &[Asked]) -> Result<Vec<Outcome>, Refusal> {
    let own = |who: &Asked| who.account.as_ref().is_some_and(|one| Arc::ptr_eq(one, change.actor));
    if !asked.iter().all(own) {
        change.admin()?;
    }
    let (waiting, strangers): (Vec<Asked>, Vec<Asked>) =
        asked.iter().cloned().partition(|who| waits(change, who));
    let mut outcomes: Vec<Outcome> = strangers.into_iter().map(Outcome::not_found).collect();
    outcomes.extend(drop_requests(change, waiting));
    Ok(outcomes)
}

/// Makes the invitations of persons useless.
pub fn uninvite(change: &mut Change<'_>, asked: &[Asked]) -> Result<Vec<Outcome>, Refusal> {
    change.admin()?;
    let outcomes = asked.iter().map(|who| {
        let number = who.account.as_ref().map(|one| one.number.as_str()).unwrap_or_default();
        match change.facts.invitations.remove(number) {
            Some(_) => Outcome::done(who.clone()),
            None => Outcome::not_found(who.clone()),
        }
    });
    let outcomes = outcomes.collect();
    change.quietly();
    Ok(outcomes)
}

fn waits(change: &Change<'_>, who: &Asked) -> bool {
    who.account.as_ref().is_some_and(|one| change.facts.requests.contains_key(&one.number))
}

fn drop_requests(change: &mut Change<'_>, waiting: Vec<Asked>) -> Vec<Outcome> {
    let mode = change.facts.mode;
    let accounts: Vec<Arc<Account>> = waiting.iter().filter_map(|who| who.account.clone()).collect();
    if accounts.is_empty() {
        return Vec::new();
    }
    accounts.iter().for_each(|one| drop(change.facts.requests.remove(&one.number)));
    let named =
        accounts.iter().map(|one| NodeBuilder::new("participant").attr("jid", mode.address(one, 0)).build());
    let news = node::parent("revoked_membership_requests", named);
    let told: Vec<String> = change
        .facts
        .members
        .keys()
        .filter(|number| change.facts.is_admin(number))
        .chain(accounts.iter().map(|one| &one.number))
        .cloned()
        .collect();
    change.tell(told.iter().map(String::as_str), news);
    waiting.into_iter().map(Outcome::done).collect()
}
