//! Presence of clients. Only the push name that comes with it is kept; nobody is told who is online yet.

use super::{Device, Session};
use crate::node;
use wacore_binary::Node;

/// Takes note of the push name.
pub fn handle(session: &Session, device: &Device, presence: &Node) {
    let Some(name) = node::attr(presence, "name").filter(|name| !name.is_empty()) else { return };
    let mut batch = session.world.batch();
    let mut state = device.account.state();
    let Some(companion) = state.companions.get_mut(&device.id) else { return };
    if companion.profile.push_name.as_deref() == Some(&*name) {
        return;
    }
    companion.profile.push_name = Some(name.into_owned());
    device.account.put_companion(companion, &mut batch);
    let submitted = session.world.submit(batch);
    drop(state);
    submitted.release();
}
