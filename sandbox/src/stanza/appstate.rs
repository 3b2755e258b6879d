//! App-state sync: companions pull patches and push their own; the version check keeps them in step.

use super::iq::{self, Refusal, Reply};
use super::{Device, Session, notify};
use crate::node;
use crate::state::account::State;
use crate::state::appstate::{Collection, NAMES, row_key};
use crate::store::{Batch, Table};
use buffa::{Message as _, MessageField};
use serde_json::json;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp as wa;

/// Answers a pull or push once what was pushed is stored.
pub fn answer(session: &Session, device: &Device, request: &Node) -> Reply {
    let Some(sync) = node::child(request, "sync") else { return Reply::Now(Err(Refusal::BAD_REQUEST)) };
    let mut batch = session.world.batch();
    let mut changed = Vec::new();
    let mut state = device.account.state();
    let collections: Vec<Node> = node::children(sync)
        .iter()
        .filter(|one| one.tag == "collection")
        .map(|one| collection(device, &mut state, one, &mut changed, &mut batch))
        .collect();
    let result = iq::result(request, Ok(vec![node::parent("sync", collections)]));
    let sender = session.sender.clone();
    batch.then(move || sender.send(result));
    let submitted = session.world.submit(batch);
    drop(state);
    submitted.release();
    if !changed.is_empty() {
        notify::server_sync(&session.world, &device.account, Some(device.id), &changed);
        tell(session, device, &changed);
    }
    Reply::Deferred
}

fn collection(
    device: &Device,
    state: &mut State,
    asked: &Node,
    changed: &mut Vec<(String, u64)>,
    batch: &mut Batch,
) -> Node {
    let name = node::text_attr(asked, "name");
    let answer = NodeBuilder::new("collection").attr("name", name.clone());
    if !NAMES.contains(&name.as_str()) {
        return failed(answer, "400", "bad-request", None);
    }
    let known: u64 = node::attr(asked, "version").and_then(|version| version.parse().ok()).unwrap_or(0);
    let collection = state.collections.entry(name.clone()).or_default();
    if let Some(patch) = node::child(asked, "patch") {
        if known != collection.version() {
            // What it does not know yet comes along, so that it can try again at once.
            return failed(answer, "409", "conflict", news(collection, known));
        }
        let Some(patch) = stamped(&node::content(patch), known + 1) else {
            return failed(answer, "400", "bad-request", None);
        };
        let version = collection.push(patch.clone());
        batch.put(Table::Patches, row_key(&device.account.number, &name, version), || patch);
        changed.push((name, version));
        return answer.attr("version", version.to_string()).build();
    }
    let answer = answer.attr("version", collection.version().to_string());
    match news(collection, known) {
        Some(patches) => answer.children([patches]).build(),
        None => answer.build(),
    }
}

/// Builds the list of the patches after a version, if there are any.
fn news(collection: &Collection, known: u64) -> Option<Node> {
    let patches: Vec<Node> =
        collection.since(known).map(|patch| node::bytes("patch", patch.clone())).collect();
    (!patches.is_empty()).then(|| node::parent("patches", patches))
}

/// Tells whoever watches that a companion changed the app state.
fn tell(session: &Session, device: &Device, changed: &[(String, u64)]) {
    let names: Vec<&String> = changed.iter().map(|(name, _)| name).collect();
    let (phone, id) = (&device.account.number, device.id);
    session
        .world
        .events
        .tell(|| json!({"type": "appState", "phone": phone, "device": id, "collections": names}));
}

/// The sender leaves the version out of its patch; the network adds it for the readers.
fn stamped(patch: &[u8], version: u64) -> Option<Vec<u8>> {
    let mut patch = wa::SyncdPatch::decode_from_slice(patch).ok()?;
    patch.version = MessageField::some(wa::SyncdVersion { version: Some(version) });
    Some(patch.encode_to_vec())
}

fn failed(answer: NodeBuilder, code: &'static str, text: &'static str, news: Option<Node>) -> Node {
    let error = NodeBuilder::new("error").attr("code", code).attr("text", text).build();
    answer.attr("type", "error").children(std::iter::once(error).chain(news)).build()
}
