//! Messages that are pinned on top of a chat for everyone.

use super::send::Outgoing;
use crate::clock;
use buffa::MessageField;
use serde::Deserialize;
use wa::message::PinInChatMessage;
use wa::message::pin_in_chat_message::Type;
use waproto::whatsapp as wa;

/// Edit number of the stanza.
const PINNED: &str = "2";

/// A message to pin, or to take down.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Its id.
    pub id: String,
    /// For how many seconds; 0 takes it down.
    pub seconds: u32,
}

impl Pin {
    /// Returns the message that says so; `key` names the one that is pinned.
    pub fn message(&self, key: wa::MessageKey) -> Outgoing {
        let kind = if self.seconds > 0 { Type::PinForAll } else { Type::UnpinForAll };
        let pin = PinInChatMessage {
            key: MessageField::some(key),
            r#type: Some(kind),
            sender_timestamp_ms: Some(clock::now_ms() as i64),
        };
        let context = wa::MessageContextInfo {
            message_add_on_duration_in_secs: Some(self.seconds),
            ..Default::default()
        };
        let message = wa::Message {
            pin_in_chat_message: MessageField::some(pin),
            message_context_info: MessageField::some(context),
            ..Default::default()
        };
        Outgoing { edit: Some(PINNED), ..Outgoing::new(message) }
    }
}

/// Returns for how many seconds a message pins another one; 0 when it takes it down.
pub fn seconds(pin: &PinInChatMessage, message: &wa::Message) -> u32 {
    let context = message.message_context_info.as_option();
    let told = context.and_then(|context| context.message_add_on_duration_in_secs);
    told.filter(|_| pin.r#type == Some(Type::PinForAll)).unwrap_or_default()
}
