//! Receipts of companions: they clear the reader's queue and travel to whoever wrote the message.

use super::{Device, Session, acknowledge};
use crate::node;
use crate::router;
use crate::state::queue::Kind;
use wacore_binary::Node;

/// Handles a receipt of a companion.
pub fn handle(session: &Session, device: &Device, receipt: &Node) {
    let world = &session.world;
    let ids = ids(receipt);
    let to = node::jid_attr(receipt, "to");
    let mut batch = world.batch();
    {
        let mut state = device.account.state();
        let Some(queue) = state.queue_mut(device.id) else { return };
        let cleared: Vec<u64> =
            ids.iter().flat_map(|id| queue.clear(Kind::Message, id, to.as_ref())).collect();
        state.forget(&device.account.number, device.id, &cleared, &mut batch);
    }
    router::receipt(world, &device.account, device.id, receipt, &ids, &mut batch);
    let sender = session.sender.clone();
    let ack = acknowledge("receipt", receipt, None);
    batch.then(move || sender.send(ack));
    world.commit(batch);
}

/// Returns every message id that a receipt names.
pub fn ids(receipt: &Node) -> Vec<String> {
    let listed = node::child(receipt, "list").map(node::children).unwrap_or_default();
    let listed = listed.iter().filter(|one| one.tag == "item").map(|one| node::text_attr(one, "id"));
    std::iter::once(node::text_attr(receipt, "id")).chain(listed).filter(|id| !id.is_empty()).collect()
}
