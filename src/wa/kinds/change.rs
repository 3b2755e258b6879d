//! Protocol message → change of another message, or of the chat.

use super::context::{self, People};
use super::vote::SealedVote;
use crate::model::change::{Change, What};
use crate::model::id::DeviceNo;
use crate::model::jid::Jid;
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp as wire;
use wire::KeepType;
use wire::message::ProtocolMessage;
use wire::message::pin_in_chat_message::Type as PinType;
use wire::message::protocol_message::Type;

/// How long a pin stays that does not say it, in seconds: what phones offer first.
const PIN_S: u32 = 7 * 86_400;

/// What a message says that is none of a chat.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::wa) enum Heard {
    /// A change of a message.
    Change(Change),
    /// A vote; its poll opens it.
    Vote(SealedVote),
    /// Messages of the chat disappear from now on, or stay again.
    Timer(TimerSet),
}

/// The disappearing timer of a conversation was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::wa) struct TimerSet {
    /// The device that heard it.
    pub(in crate::wa) device: DeviceNo,
    /// The conversation.
    pub(in crate::wa) chat: Jid,
    /// Who set it; the account itself when absent.
    pub(in crate::wa) by: Option<Jid>,
    /// Seconds; 0 when messages stay.
    pub(in crate::wa) seconds: u32,
    /// Milliseconds since 1970.
    pub(in crate::wa) at: i64,
}

/// Where a message came from, as far as a change has to know.
pub(in crate::wa) struct Origin<'a> {
    pub(in crate::wa) device: DeviceNo,
    pub(in crate::wa) chat: &'a Jid,
    /// Who sent it; the account itself when absent.
    pub(in crate::wa) by: Option<Jid>,
    /// Every address of who sent it.
    pub(in crate::wa) names: Vec<Jid>,
    /// The network saw that an admin of the group deletes.
    pub(in crate::wa) is_admin_deletion: bool,
    /// Milliseconds since 1970, by the network.
    pub(in crate::wa) at: i64,
}

impl Origin<'_> {
    fn change(&self, key: Option<&wire::MessageKey>, at: Option<i64>, what: What) -> Option<Change> {
        let target = key?.id.clone().filter(|id| !id.is_empty())?;
        let at = at.filter(|at| *at > 0).unwrap_or(self.at);
        Some(Change { device: self.device, chat: self.chat.clone(), target, by: self.by.clone(), at, what })
    }
}

/// Returns what a message changes; none when it is a message of the chat, or says something that Kurir does not know.
pub(in crate::wa) fn read(
    message: &wire::Message,
    origin: &Origin<'_>,
    people: &People<'_>,
) -> Option<Heard> {
    let base = message.get_base_message();
    if let Some(reaction) = base.reaction_message.as_option() {
        let emoji = reaction.text.clone().unwrap_or_default();
        let change =
            origin.change(reaction.key.as_option(), reaction.sender_timestamp_ms, What::Reaction { emoji });
        return change.map(Heard::Change);
    }
    if let Some(update) = base.poll_update_message.as_option() {
        return vote(update, origin).map(Heard::Vote);
    }
    if let Some(keep) = base.keep_in_chat_message.as_option() {
        let on = keep.keep_type == Some(KeepType::KEEP_FOR_ALL);
        return origin.change(keep.key.as_option(), keep.timestamp_ms, What::Keep { on }).map(Heard::Change);
    }
    if let Some(pin) = base.pin_in_chat_message.as_option() {
        let seconds = match pin.r#type? {
            PinType::PIN_FOR_ALL => pinned_for(base),
            _ => 0,
        };
        let what = What::Pin { seconds };
        return origin.change(pin.key.as_option(), pin.sender_timestamp_ms, what).map(Heard::Change);
    }
    protocol(base.protocol_message.as_option()?, origin, people)
}

fn pinned_for(message: &wire::Message) -> u32 {
    let context = message.message_context_info.as_option();
    let told = context.and_then(|context| context.message_add_on_duration_in_secs);
    told.filter(|seconds| *seconds > 0).unwrap_or(PIN_S)
}

fn protocol(protocol: &ProtocolMessage, origin: &Origin<'_>, people: &People<'_>) -> Option<Heard> {
    let key = protocol.key.as_option();
    match protocol.r#type? {
        Type::REVOKE => {
            let what = What::Deletion { by_admin: origin.is_admin_deletion };
            origin.change(key, None, what).map(Heard::Change)
        }
        Type::MESSAGE_EDIT => {
            let edited = protocol.edited_message.as_option()?;
            let text = edited.text_content().or_else(|| edited.get_caption()).unwrap_or_default().to_owned();
            let mentions = context::mentions(edited, people);
            origin.change(key, protocol.timestamp_ms, What::Edit { text, mentions }).map(Heard::Change)
        }
        Type::EPHEMERAL_SETTING => Some(Heard::Timer(TimerSet {
            device: origin.device,
            chat: origin.chat.clone(),
            by: origin.by.clone(),
            seconds: protocol.ephemeral_expiration.unwrap_or_default(),
            at: origin.at,
        })),
        _ => None,
    }
}

fn vote(update: &wire::message::PollUpdateMessage, origin: &Origin<'_>) -> Option<SealedVote> {
    let sealed = update.vote.as_option()?;
    let key = update.poll_creation_message_key.as_option();
    Some(SealedVote {
        change: origin.change(key, update.sender_timestamp_ms, What::Vote { options: Vec::new() })?,
        voter: origin.names.clone(),
        payload: sealed.enc_payload.clone()?,
        nonce: sealed.enc_iv.clone()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::message::{
        KeepInChatMessage, PinInChatMessage, PollEncValue, PollUpdateMessage, ReactionMessage,
    };

    fn jid(text: &str) -> Jid {
        text.parse().expect("an address")
    }

    fn key() -> wire::MessageKey {
        wire::MessageKey { id: Some("M1".into()), ..Default::default() }
    }

    fn heard(message: &wire::Message) -> Option<Heard> {
        let chat = jid("6281234567890@s.whatsapp.net");
        let origin = Origin {
            device: DeviceNo(1),
            chat: &chat,
            by: Some(chat.clone()),
            names: vec![chat.clone()],
            is_admin_deletion: false,
            at: 5_000,
        };
        read(message, &origin, &People { phone_of: &|_| None, own: &[] })
    }

    fn changed(message: &wire::Message) -> Change {
        match heard(message) {
            Some(Heard::Change(change)) => change,
            other => panic!("{other:?}"),
        }
    }

    fn protocol(kind: Type) -> ProtocolMessage {
        ProtocolMessage { r#type: Some(kind), key: key().into(), ..Default::default() }
    }

    #[test]
    fn what_changes_a_message_is_read() {
        let reaction = ReactionMessage {
            key: key().into(),
            text: Some("👍".into()),
            sender_timestamp_ms: Some(7_000),
            ..Default::default()
        };
        let edited = wire::Message { conversation: Some("baru".into()), ..Default::default() };
        let edit = ProtocolMessage {
            edited_message: edited.into(),
            timestamp_ms: Some(8_000),
            ..protocol(Type::MESSAGE_EDIT)
        };
        let inner = wire::Message { protocol_message: edit.clone().into(), ..Default::default() };
        let wrapped = wire::message::FutureProofMessage { message: inner.into() };
        let keep = KeepInChatMessage {
            key: key().into(),
            keep_type: Some(KeepType::KEEP_FOR_ALL),
            ..Default::default()
        };
        let pin = |kind, seconds| wire::Message {
            pin_in_chat_message: PinInChatMessage {
                key: key().into(),
                r#type: Some(kind),
                sender_timestamp_ms: Some(9_000),
            }
            .into(),
            message_context_info: wire::MessageContextInfo {
                message_add_on_duration_in_secs: seconds,
                ..Default::default()
            }
            .into(),
            ..Default::default()
        };
        let new_text = What::Edit { text: "baru".into(), mentions: vec![] };
        let cases = [
            (
                wire::Message { reaction_message: reaction.into(), ..Default::default() },
                (7_000, What::Reaction { emoji: "👍".into() }),
            ),
            (
                wire::Message { protocol_message: edit.into(), ..Default::default() },
                (8_000, new_text.clone()),
            ),
            (wire::Message { edited_message: wrapped.into(), ..Default::default() }, (8_000, new_text)),
            (
                wire::Message { protocol_message: protocol(Type::REVOKE).into(), ..Default::default() },
                (5_000, What::Deletion { by_admin: false }),
            ),
            (
                wire::Message { keep_in_chat_message: keep.into(), ..Default::default() },
                (5_000, What::Keep { on: true }),
            ),
            (pin(PinType::PIN_FOR_ALL, Some(86_400)), (9_000, What::Pin { seconds: 86_400 })),
            (pin(PinType::PIN_FOR_ALL, None), (9_000, What::Pin { seconds: PIN_S })),
            (pin(PinType::UNPIN_FOR_ALL, None), (9_000, What::Pin { seconds: 0 })),
        ];
        for (message, (at, what)) in cases {
            let change = changed(&message);
            assert_eq!((change.target.as_str(), change.at, change.what), ("M1", at, what));
        }
    }

    #[test]
    fn a_vote_stays_sealed_and_a_timer_is_the_chats() {
        let update = PollUpdateMessage {
            poll_creation_message_key: key().into(),
            vote: PollEncValue { enc_payload: Some(vec![1]), enc_iv: Some(vec![2]) }.into(),
            ..Default::default()
        };
        let message = wire::Message { poll_update_message: update.into(), ..Default::default() };
        assert!(
            matches!(heard(&message), Some(Heard::Vote(vote)) if vote.payload == [1] && vote.nonce == [2])
        );
        let timer =
            ProtocolMessage { ephemeral_expiration: Some(86_400), ..protocol(Type::EPHEMERAL_SETTING) };
        let message = wire::Message { protocol_message: timer.into(), ..Default::default() };
        assert!(matches!(heard(&message), Some(Heard::Timer(set)) if set.seconds == 86_400));
    }

    #[test]
    fn what_changes_nothing_is_left_alone() {
        let without_id = ReactionMessage { text: Some("👍".into()), ..Default::default() };
        for message in [
            wire::Message { conversation: Some("halo".into()), ..Default::default() },
            wire::Message { reaction_message: without_id.into(), ..Default::default() },
            wire::Message {
                protocol_message: protocol(Type::APP_STATE_SYNC_KEY_SHARE).into(),
                ..Default::default()
            },
        ] {
            assert_eq!(heard(&message), None);
        }
    }
}
