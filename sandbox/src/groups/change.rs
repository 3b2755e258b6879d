//! One change to a group, from the look at it to the notification about it.

use super::describe;
use crate::router;
use crate::stanza::iq::Refusal;
use crate::state::account::Account;
use crate::state::group::{Facts, Group, Rank};
use crate::state::persona::Picture;
use crate::store::Batch;
use crate::world::World;
use crate::{clock, node};
use serde_json::json;
use std::sync::{Arc, MutexGuard};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// A group under its lock, and what will be stored and told. Dropping it without `finish` is only for refusals,
/// which leave the facts alone.
pub struct Change<'a> {
    /// The network.
    pub world: &'a World,
    /// The group.
    pub group: &'a Arc<Group>,
    /// Who wants the change.
    pub actor: &'a Arc<Account>,
    /// What is known about the group.
    pub facts: MutexGuard<'a, Facts>,
    batch: Batch,
    changed: bool,
}

impl<'a> Change<'a> {
    /// Locks a group for a change by somebody.
    pub fn begin(world: &'a World, group: &'a Arc<Group>, actor: &'a Arc<Account>) -> Self {
        Self { world, group, actor, facts: group.facts(), batch: world.batch(), changed: false }
    }

    /// Returns the actor's rank; refuses strangers.
    pub fn member(&self) -> Result<Rank, Refusal> {
        self.facts.rank(&self.actor.number).ok_or(Refusal::FORBIDDEN)
    }

    /// Refuses whoever is not an admin.
    pub fn admin(&self) -> Result<(), Refusal> {
        if self.member()? < Rank::Admin { Err(Refusal::NOT_AUTHORIZED) } else { Ok(()) }
    }

    /// Notes that the facts changed and tells every member what happened.
    pub fn tell_members(&mut self, what: Node) {
        let members: Vec<String> = self.facts.members.keys().cloned().collect();
        self.tell(members.iter().map(String::as_str), what);
    }

    /// Notes that the facts changed and tells these numbers what happened. Phones need no telling: they look here.
    pub fn tell<'n>(&mut self, numbers: impl IntoIterator<Item = &'n str>, what: Node) {
        self.pass_on(numbers, &self.notification(what));
    }

    /// Gives the group another picture, or none, and tells every member.
    pub fn show(&mut self, picture: Option<Picture>) {
        let author = self.facts.mode.address(self.actor, 0);
        let tag = if picture.is_some() { "set" } else { "delete" };
        let mut what = NodeBuilder::new(tag).attr("jid", self.group.jid()).attr("author", author);
        if let Some(picture) = &picture {
            what = what.attr("id", picture.id.clone());
        }
        let stanza = NodeBuilder::new("notification")
            .attr("from", self.group.jid())
            .attr("type", "picture")
            .attr("id", rand::random::<u64>().to_string())
            .attr("t", clock::now_s().to_string())
            .children([what.build()])
            .build();
        let members: Vec<String> = self.facts.members.keys().cloned().collect();
        self.facts.picture = picture;
        self.pass_on(members.iter().map(String::as_str), &stanza);
    }

    fn pass_on<'n>(&mut self, numbers: impl IntoIterator<Item = &'n str>, stanza: &Node) {
        self.changed = true;
        for account in numbers.into_iter().filter_map(|number| self.world.directory.by_number(number)) {
            let companions: Vec<u16> = account.state().companions.keys().copied().collect();
            for device in companions {
                router::enqueue(self.world, &account, device, stanza.clone(), &mut self.batch);
            }
        }
    }

    /// Notes a change that nobody is told about.
    pub fn quietly(&mut self) {
        self.changed = true;
    }

    /// Stores the change; `done` runs once that has happened.
    pub fn finish(self, done: impl FnOnce() + Send + 'static) {
        let Self { world, group, facts, mut batch, changed, .. } = self;
        if changed {
            group.put_row(&facts, &mut batch);
            world.events.tell(|| json!({"type": "group", "group": describe::view(world, group, &facts)}));
        }
        batch.then(done);
        let submitted = world.submit(batch);
        drop(facts);
        submitted.release();
    }

    fn notification(&self, what: Node) -> Node {
        let mode = self.facts.mode;
        let (twin_key, twin) = mode.twin(self.actor, 0);
        NodeBuilder::new("notification")
            .attr("from", self.group.jid())
            .attr("type", "w:gp2")
            .attr("id", rand::random::<u64>().to_string())
            .attr("t", clock::now_s().to_string())
            .attr("participant", mode.address(self.actor, 0))
            .attr(twin_key, twin)
            .attr("notify", self.actor.state().push_name(0))
            .attr("addressing_mode", mode.as_str())
            .children([what])
            .build()
    }
}

/// Builds the element of an action on accounts.
pub fn action(tag: &'static str, change: &Change<'_>, accounts: &[Arc<Account>]) -> Node {
    let facts = &change.facts;
    let named = accounts.iter().map(|one| describe::participant(one, facts.mode, facts.rank(&one.number)));
    node::parent(tag, named)
}
