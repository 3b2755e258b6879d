//! Key material: companions upload their prekeys, everybody fetches bundles.

use super::iq::{self, Answer, Refusal, Reply};
use super::{Device, Session, notify};
use crate::node;
use crate::phone::bundle::{self, Bundle};
use crate::state::account::device_key;
use crate::state::companion::{Companion, SignedKey};
use crate::store::{Batch, Table};
use wacore::prekeys::compute_key_bundle_digest;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

/// One-time keys kept per device; the clients upload 812 at a time.
const PREKEYS_MAX: usize = 4096;

/// Answers an upload or a fetch once its rows are stored.
pub fn answer(session: &Session, device: &Device, request: &Node) -> Reply {
    let mut batch = session.world.batch();
    let is = |tag: &str| node::child(request, tag).is_some();
    let answer = if is("list") {
        with_companion(device, &mut batch, |companion, batch| upload(device, companion, request, batch))
    } else if let Some(rotate) = node::child(request, "rotate") {
        with_companion(device, &mut batch, |companion, batch| {
            companion.profile.signed_key = signed_key(rotate)?;
            device.account.put_companion(companion, batch);
            Ok(Vec::new())
        })
    } else if is("count") {
        with_companion(device, &mut batch, |companion, _| {
            Ok(vec![NodeBuilder::new("count").attr("value", companion.prekeys.len().to_string()).build()])
        })
    } else if is("digest") {
        with_companion(device, &mut batch, |companion, _| Ok(vec![digest(companion)]))
    } else if let Some(keys) = node::child(request, "key") {
        fetch(session, keys, &mut batch)
    } else {
        Err(Refusal::BAD_REQUEST)
    };
    let introduce = is("list") && answer.is_ok();
    let result = iq::result(request, answer);
    let sender = session.sender.clone();
    batch.then(move || sender.send(result));
    if introduce {
        // The phone can reach the device from now on.
        let (world, account) = (session.world.clone(), device.account.clone());
        batch.then(move || world.wake(&account));
    }
    session.world.commit(batch);
    Reply::Deferred
}

fn with_companion(
    device: &Device,
    batch: &mut Batch,
    work: impl FnOnce(&mut Companion, &mut Batch) -> Answer,
) -> Answer {
    let mut state = device.account.state();
    let companion = state.companions.get_mut(&device.id).ok_or(Refusal::FORBIDDEN)?;
    work(companion, batch)
}

fn upload(device: &Device, companion: &mut Companion, request: &Node, batch: &mut Batch) -> Answer {
    let list = node::child(request, "list").ok_or(Refusal::BAD_REQUEST)?;
    let keys =
        node::children(list).iter().map(prekey).collect::<Option<Vec<_>>>().ok_or(Refusal::BAD_REQUEST)?;
    companion.profile.signed_key = signed_key(request)?;
    device.account.put_companion(companion, batch);
    let owner = device_key(&device.account.number, device.id);
    for (id, value) in keys {
        if companion.prekeys.len() >= PREKEYS_MAX || companion.prekeys.iter().any(|(known, _)| *known == id) {
            continue;
        }
        batch.put(Table::CompanionPreKeys, bundle::row_key(&owner, id), || value.clone());
        companion.prekeys.push_back((id, value));
    }
    Ok(Vec::new())
}

fn prekey(key: &Node) -> Option<(u32, Vec<u8>)> {
    let id = node::number(&node::child_content(key, "id")?)?;
    let value = node::child_content(key, "value").filter(|value| value.len() == 32)?;
    Some((id, value))
}

fn signed_key(parent: &Node) -> Result<SignedKey, Refusal> {
    let read = || {
        let key = node::child(parent, "skey")?;
        let (id, value) = prekey(key)?;
        let signature = node::child_content(key, "signature").filter(|signature| signature.len() == 64)?;
        Some(SignedKey { id, value, signature })
    };
    read().ok_or(Refusal::BAD_REQUEST)
}

fn digest(companion: &Companion) -> Node {
    let profile = &companion.profile;
    let values: Vec<&[u8]> = companion.prekeys.iter().map(|(_, value)| value.as_slice()).collect();
    let hash = compute_key_bundle_digest(
        &profile.identity,
        &profile.signed_key.value,
        &profile.signed_key.signature,
        &values,
    );
    let ids = companion.prekeys.iter().map(|(id, _)| node::bytes("id", node::key_id(*id)));
    node::parent(
        "digest",
        [
            node::bytes("registration", profile.registration_id.to_be_bytes()),
            node::bytes("type", [5]),
            node::bytes("identity", profile.identity.clone()),
            bundle::signed_key_node(&profile.signed_key),
            node::parent("list", ids),
            node::bytes("hash", hash),
        ],
    )
}

fn fetch(session: &Session, keys: &Node, batch: &mut Batch) -> Answer {
    let mut users = Vec::new();
    for asked in node::children(keys).iter().filter(|one| one.tag == "user") {
        let jid = node::jid_attr(asked, "jid").ok_or(Refusal::BAD_REQUEST)?;
        let account = session
            .world
            .directory
            .resolve(&session.world.store, &jid.to_non_ad())
            .map_err(|_| Refusal::INTERNAL)?;
        let bundle = account.and_then(|account| {
            let bundle = Bundle::take(&account, jid.device, batch)?;
            notify::prekeys_low(&session.world, &account, jid.device, batch);
            Some(bundle)
        });
        users.push(match bundle {
            Some(bundle) => bundle.to_node(jid),
            None => {
                let error =
                    NodeBuilder::new("error").attr("code", "406").attr("text", "not-acceptable").build();
                NodeBuilder::new("user").attr("jid", jid).children([error]).build()
            }
        });
    }
    Ok(vec![node::parent("list", users)])
}
