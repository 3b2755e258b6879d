//! Who is in a group: adding, removing, promoting, demoting, leaving. Each person has a result of their own;
//! what happened to the others does not depend on it.

use super::change::action;
use super::{Change, MEMBERS_MAX, describe};
use crate::clock;
use crate::stanza::iq::Refusal;
use crate::state::account::Account;
use crate::state::group::{Invitation, JoinRequest, Mode, Rank};
use crate::state::magic::Manner;
use crate::world::World;
use std::sync::Arc;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

/// Lifetime of an invitation for one person, seconds.
const INVITATION_S: u64 = 3 * 86_400;

/// What happened to one person; the numbers are those of the wire.
mod code {
    pub const OK: u16 = 200;
    pub const REFUSED: u16 = 403;
    pub const NOT_FOUND: u16 = 404;
    pub const ALREADY: u16 = 409;
    pub const FULL: u16 = 419;
}

/// Somebody a request names.
#[derive(Clone)]
pub struct Asked {
    /// As the request wrote it.
    pub jid: Jid,
    /// The account, if there is one.
    pub account: Option<Arc<Account>>,
}

impl Asked {
    /// Finds out who an address belongs to. Numbers that can exist come to life.
    pub fn find(world: &World, jid: &Jid) -> Result<Self, Refusal> {
        let jid = jid.to_non_ad();
        let account = world.directory.resolve(&world.store, &jid).map_err(|_| Refusal::INTERNAL)?;
        Ok(Self { jid, account })
    }
}

/// What became of one person.
#[derive(Clone)]
pub struct Outcome {
    /// The person.
    pub who: Asked,
    /// 200, or why not.
    pub code: u16,
    /// The invitation that somebody gets who cannot be added: secret and end.
    pub invitation: Option<Invitation>,
}

impl Outcome {
    fn new(who: &Asked, code: u16) -> Self {
        Self { who: who.clone(), code, invitation: None }
    }

    /// It worked.
    pub fn done(who: Asked) -> Self {
        Self::new(&who, code::OK)
    }

    /// It concerned nobody known.
    pub fn not_found(who: Asked) -> Self {
        Self::new(&who, code::NOT_FOUND)
    }

    /// Returns whether it worked.
    pub fn is_ok(&self) -> bool {
        self.code == code::OK
    }

    /// Builds the element that says so.
    pub fn to_node(&self, mode: Mode) -> Node {
        let mut named = match &self.who.account {
            Some(account) => describe::participant(account, mode, None),
            None => NodeBuilder::new("participant").attr("jid", self.who.jid.clone()).build(),
        };
        let key = if self.is_ok() { "type" } else { "error" };
        named.attrs.insert(key, self.code.to_string());
        if let Some(invitation) = &self.invitation {
            let request = NodeBuilder::new("add_request")
                .attr("code", invitation.code.clone())
                .attr("expiration", invitation.expires_at.to_string());
            named.content = Some(wacore_binary::NodeContent::Nodes(vec![request.build()]));
        }
        named
    }
}

/// Adds persons, or notes their wish where an admin has to agree.
pub fn add(change: &mut Change<'_>, asked: &[Asked]) -> Result<Vec<Outcome>, Refusal> {
    let rank = change.member()?;
    if rank < Rank::Admin && !change.facts.settings.members_add {
        return Err(Refusal::NOT_AUTHORIZED);
    }
    if rank < Rank::Admin && change.facts.settings.approval {
        return Ok(propose(change, asked));
    }
    let before: Vec<String> = change.facts.members.keys().cloned().collect();
    let outcomes = admit(change, asked);
    let added = succeeded(&outcomes);
    welcome(change, &before, &added, None);
    Ok(outcomes)
}

/// Makes persons members without telling anybody.
pub fn admit(change: &mut Change<'_>, asked: &[Asked]) -> Vec<Outcome> {
    asked.iter().map(|who| admit_one(change, who)).collect()
}

fn admit_one(change: &mut Change<'_>, who: &Asked) -> Outcome {
    let Some(account) = &who.account else { return Outcome::new(who, code::NOT_FOUND) };
    if change.facts.members.contains_key(&account.number) {
        return Outcome::new(who, code::ALREADY);
    }
    if account.manner() == Manner::Refused {
        return Outcome { invitation: Some(invite(change, account)), ..Outcome::new(who, code::REFUSED) };
    }
    if change.facts.members.len() >= MEMBERS_MAX {
        return Outcome::new(who, code::FULL);
    }
    change.facts.requests.remove(&account.number);
    change.facts.members.insert(account.number.clone(), Rank::Member);
    Outcome::new(who, code::OK)
}

/// Gives somebody who lets nobody add them an invitation instead.
fn invite(change: &mut Change<'_>, account: &Account) -> Invitation {
    let invitation = Invitation {
        code: super::entry::new_code(),
        expires_at: clock::now_s() + INVITATION_S,
        admin: change.actor.number.clone(),
    };
    change.facts.invitations.insert(account.number.clone(), invitation.clone());
    change.quietly();
    invitation
}

/// Notes that an ordinary member wants to add persons; the admins are told.
fn propose(change: &mut Change<'_>, asked: &[Asked]) -> Vec<Outcome> {
    let mut proposed = Vec::new();
    let outcomes = asked
        .iter()
        .map(|who| match &who.account {
            None => Outcome::new(who, code::NOT_FOUND),
            Some(account) if change.facts.members.contains_key(&account.number) => {
                Outcome::new(who, code::ALREADY)
            }
            Some(account) => {
                proposed.push(account.clone());
                Outcome::new(who, code::OK)
            }
        })
        .collect();
    request(change, &proposed, "non_admin_add");
    outcomes
}

/// Notes that accounts wait for an admin, and tells the admins.
pub fn request(change: &mut Change<'_>, accounts: &[Arc<Account>], method: &'static str) {
    if accounts.is_empty() {
        return;
    }
    let at = clock::now_s();
    for account in accounts {
        let request = JoinRequest { at, method: method.to_owned() };
        change.facts.requests.insert(account.number.clone(), request);
    }
    let mode = change.facts.mode;
    let users = accounts.iter().map(|account| {
        let user = NodeBuilder::new("requested_user").attr("jid", mode.address(account, 0));
        if mode == Mode::Lid { user.attr("phone_number", account.pn(0)).build() } else { user.build() }
    });
    let news = NodeBuilder::new("created_membership_requests").attr("request_method", method).children(users);
    let admins: Vec<String> =
        change.facts.members.keys().filter(|number| change.facts.is_admin(number)).cloned().collect();
    change.tell(admins.iter().map(String::as_str), news.build());
}

/// Tells former members that somebody came, and whoever came what the group is.
pub fn welcome(
    change: &mut Change<'_>,
    before: &[String],
    added: &[Arc<Account>],
    reason: Option<&'static str>,
) {
    if added.is_empty() {
        return;
    }
    let mut news = action("add", change, added);
    let mut group = NodeBuilder::new("create").attr("type", "new");
    if let Some(reason) = reason {
        news.attrs.insert("reason", reason);
        group = group.attr("reason", reason);
    }
    change.tell(before.iter().map(String::as_str), news);
    let element = describe::element(change.world, change.group, &change.facts, &[]);
    change.tell(added.iter().map(|one| one.number.as_str()), group.children([element]).build());
}

/// Removes persons. Nobody removes whoever made the group.
pub fn remove(change: &mut Change<'_>, asked: &[Asked]) -> Result<Vec<Outcome>, Refusal> {
    change.admin()?;
    let before: Vec<String> = change.facts.members.keys().cloned().collect();
    let outcomes = each_member(change, asked, |change, number, rank| {
        if rank == Rank::Superadmin {
            return code::REFUSED;
        }
        change.facts.members.remove(number);
        code::OK
    });
    let removed = succeeded(&outcomes);
    if !removed.is_empty() {
        let news = action("remove", change, &removed);
        change.tell(before.iter().map(String::as_str), news);
    }
    Ok(outcomes)
}

/// Makes members admins, or takes that away; nobody demotes whoever made the group.
pub fn rank(change: &mut Change<'_>, asked: &[Asked], admin: bool) -> Result<Vec<Outcome>, Refusal> {
    change.admin()?;
    let outcomes = each_member(change, asked, |change, number, rank| {
        if rank == Rank::Superadmin && !admin {
            return code::REFUSED;
        }
        let wanted = if admin { Rank::Admin.max(rank) } else { Rank::Member };
        change.facts.members.insert(number.to_owned(), wanted);
        code::OK
    });
    let ranked = succeeded(&outcomes);
    if !ranked.is_empty() {
        let news = action(if admin { "promote" } else { "demote" }, change, &ranked);
        change.tell_members(news);
    }
    Ok(outcomes)
}

/// Lets the actor leave. A group never stays without an admin while somebody is in it.
pub fn leave(change: &mut Change<'_>) -> Result<(), Refusal> {
    change.member()?;
    let actor = change.actor.clone();
    let before: Vec<String> = change.facts.members.keys().cloned().collect();
    change.facts.members.remove(&actor.number);
    let news = action("remove", change, std::slice::from_ref(&actor));
    change.tell(before.iter().map(String::as_str), news);
    if change.facts.members.values().any(|rank| *rank >= Rank::Admin) {
        return Ok(());
    }
    let Some(heir) = change.facts.members.keys().next().cloned() else { return Ok(()) };
    change.facts.members.insert(heir.clone(), Rank::Admin);
    if let Some(heir) = change.world.directory.by_number(&heir) {
        let news = action("promote", change, &[heir]);
        change.tell_members(news);
    }
    Ok(())
}

fn each_member(
    change: &mut Change<'_>,
    asked: &[Asked],
    mut work: impl FnMut(&mut Change<'_>, &str, Rank) -> u16,
) -> Vec<Outcome> {
    asked
        .iter()
        .map(|who| {
            let member =
                who.account.as_ref().and_then(|account| Some((account, change.facts.rank(&account.number)?)));
            let code = match member {
                Some((account, rank)) => work(change, &account.number, rank),
                None => code::NOT_FOUND,
            };
            Outcome::new(who, code)
        })
        .collect()
}

/// Returns the accounts for which it worked.
pub fn succeeded(outcomes: &[Outcome]) -> Vec<Arc<Account>> {
    outcomes.iter().filter(|one| one.is_ok()).filter_map(|one| one.who.account.clone()).collect()
}
