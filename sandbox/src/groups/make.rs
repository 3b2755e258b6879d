//! Making a group.

use super::members::{self, Asked, Outcome};
use super::{Change, MEMBERS_MAX, describe};
use crate::clock;
use crate::stanza::iq::Refusal;
use crate::state::account::Account;
use crate::state::group::{Description, Facts, Group, Mode, Rank, Settings, Subject};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// Longest name of a group, in characters.
pub const SUBJECT_MAX: usize = 100;
/// Longest description of a group, in characters.
pub const DESCRIPTION_MAX: usize = 2048;

/// What a new group is to be.
#[derive(Default)]
pub struct Plan {
    /// Its name.
    pub subject: String,
    /// What it is about, with the token of that text.
    pub description: Option<(String, String)>,
    /// By which address it names its members.
    pub mode: Mode,
    /// Who is in it beside the maker.
    pub invited: Vec<Asked>,
    /// How it is set up.
    pub settings: Settings,
    /// What the client calls its request; its own notification repeats it.
    pub key: Option<String>,
}

/// A group that was just made.
pub struct Made {
    /// The group.
    pub group: Arc<Group>,
    /// What became of each invited person.
    pub outcomes: Vec<Outcome>,
    /// The group's element, with the persons who could not be added.
    pub element: Node,
}

/// Makes a group and tells its members; `done` runs once it is stored.
pub fn create(
    world: &World,
    maker: &Arc<Account>,
    plan: Plan,
    done: impl FnOnce(&Made) -> Box<dyn FnOnce() + Send>,
) -> Result<Made, Refusal> {
    if !fits(&plan.subject, SUBJECT_MAX) || plan.subject.is_empty() {
        return Err(Refusal::BAD_REQUEST);
    }
    if plan.description.as_ref().is_some_and(|(_, text)| !fits(text, DESCRIPTION_MAX)) {
        return Err(Refusal::BAD_REQUEST);
    }
    if plan.invited.len() >= MEMBERS_MAX {
        return Err(Refusal::FULL);
    }
    let now = clock::now_s();
    let by = maker.number.clone();
    let facts = Facts {
        mode: plan.mode,
        creator: by.clone(),
        created_at: now,
        subject: Subject { text: plan.subject, by: by.clone(), at: now },
        description: plan.description.map(|(id, text)| Description { id, text, by: by.clone(), at: now }),
        members: [(by, Rank::Superadmin)].into(),
        settings: plan.settings,
        invite_code: super::entry::new_code(),
        invitations: BTreeMap::new(),
        requests: BTreeMap::new(),
        picture: None,
    };
    let group = Arc::new(Group::new(world.groups.free_id(), facts));
    let mut change = Change::begin(world, &group, maker);
    let outcomes = members::admit(&mut change, &plan.invited);
    let failed: Vec<Outcome> = outcomes.iter().filter(|one| !one.is_ok()).cloned().collect();
    let element = describe::element(world, &group, &change.facts, &failed);
    let told = describe::element(world, &group, &change.facts, &[]);
    let mut news = NodeBuilder::new("create").attr("type", "new");
    if let Some(key) = plan.key {
        news = news.attr("key", key);
    }
    change.tell_members(news.children([told]).build());
    world.groups.add(group.clone());
    let made = Made { group: group.clone(), outcomes, element };
    let done = done(&made);
    change.finish(done);
    Ok(made)
}

/// Returns whether a text is short enough.
pub fn fits(text: &str, max: usize) -> bool {
    text.chars().count() <= max
}
