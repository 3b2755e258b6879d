//! How live events show who types and who is there. These messages have no `id`: a resume does not bring them back.

use crate::clock::iso_ms;
use crate::gateway::Gateway;
use crate::model::id::DeviceId;
use crate::model::jid::Jid;
use crate::model::sighting::{Seen, Sighting};
use serde_json::{Value, json};

/// Returns the message that a sighting is for clients.
pub fn shape(gateway: &Gateway, device: &DeviceId, sighting: &Sighting) -> Value {
    let lid = |person: &Jid| gateway.lid_of(sighting.device, person);
    let mut body = match &sighting.seen {
        Seen::Typing { chat, by, state } => json!({
            "type": "chat.presence",
            "chatJid": chat,
            "chatLid": lid(chat),
            "from": by,
            "fromLid": lid(by),
            "state": state,
        }),
        Seen::Presence { person, presence, last_seen } => json!({
            "type": "contact.presence",
            "jid": person,
            "lid": lid(person),
            "presence": presence,
            "lastSeen": last_seen.map(iso_ms),
        }),
    };
    body["deviceId"] = device.as_str().into();
    body["timestamp"] = iso_ms(sighting.at).into();
    body
}
