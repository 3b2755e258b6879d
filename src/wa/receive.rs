//! Protocol message → our message. Pure: one switch, no look-ups but the one that is passed in.

use super::channels::{self, ChannelNews};
use super::kinds::change::{self, Origin};
use super::kinds::context::{self, People};
use super::kinds::status_post::{self, StatusNews, Writer};
use super::kinds::{self, Heard};
use super::media;
use crate::model::id::DeviceNo;
use crate::model::jid::{Identity, Jid, Server};
use crate::model::message::{Content, Message, MessageStatus};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wacore::proto_helpers::MessageExt as _;
use wacore::types::events::InboundMessage;
use wacore::types::message::{EditAttribute, MessageCategory, MessageSource};
use wacore_binary::Jid as WireJid;
use waproto::whatsapp as wire;

/// What became of an incoming protocol message.
#[derive(Debug, PartialEq)]
pub(super) enum Received {
    /// A message of a chat.
    Message(Box<Message>),
    /// A change of another message, or of the chat.
    Heard(Box<Heard>),
    /// Something in the status of a person.
    Status(StatusNews),
    /// Something in a channel.
    Channel(ChannelNews),
    /// Nothing for the history; the name says what it was.
    Ignored(String),
}

/// Parts of a message that carry no content of their own.
const WITHOUT_CONTENT: [&str; 4] = [
    "messageContextInfo",
    "senderKeyDistributionMessage",
    "fastRatchetKeySenderKeyDistributionMessage",
    "deviceSentMessage",
];

/// Kinds by which clients talk to each other and not people, or which speak of other messages.
const PROTOCOL_KINDS: [&str; 6] = [
    "protocolMessage",
    "keepInChatMessage",
    "reactionMessage",
    "pollUpdateMessage",
    "encReactionMessage",
    "pinInChatMessage",
];

/// Converts a message; `at` is its time in milliseconds since 1970, `phone_of` knows the phone number behind a hidden id.
pub(super) fn receive(device: DeviceNo, inbound: &InboundMessage, at: i64, people: &People<'_>) -> Received {
    let phone_of = &people.phone_of;
    let (info, source) = (&inbound.info, &inbound.info.source);
    if info.category == MessageCategory::Peer {
        return Received::Ignored("peer message".into());
    }
    let Some(chat) = chat(source, info.peer_recipient_pn.as_ref(), phone_of) else {
        return Received::Ignored("chat without a known kind of address".into());
    };
    match chat.server() {
        Server::Newsletter => {
            let news = channels::news(device, chat, inbound);
            return news.map_or_else(Received::Ignored, Received::Channel);
        }
        Server::Broadcast if chat.is_status() => return status(device, inbound, at, people),
        Server::Broadcast => return Received::Ignored("broadcast post".into()),
        Server::User | Server::Lid | Server::Group => {}
    }
    let sender = person(&source.sender, source.sender_alt.as_ref(), phone_of);
    let from_me = source.is_from_me;
    let origin = Origin {
        device,
        chat: &chat,
        by: sender.clone().filter(|_| !from_me),
        names: [address(&source.sender), source.sender_alt.as_ref().and_then(address), sender.clone()]
            .into_iter()
            .flatten()
            .collect(),
        is_admin_deletion: info.edit == EditAttribute::AdminRevoke,
        at: info.timestamp.timestamp_millis(),
    };
    if (from_me || sender.is_some())
        && let Some(heard) = change::read(&inbound.message, &origin, people)
    {
        return Received::Heard(Box::new(heard));
    }
    let content = match content(&inbound.message) {
        Ok(content) => content,
        Err(kind) => return Received::Ignored(kind),
    };
    let mentions = context::mentions(&inbound.message, people);
    let marks = context::marks(&inbound.message, people);
    Received::Message(Box::new(Message {
        device,
        id: info.id.to_string(),
        chat,
        sender,
        from_me,
        push_name: Some(info.push_name.clone()).filter(|name| !name.is_empty() && !from_me),
        content,
        mentions,
        marks,
        at,
        status: if from_me { MessageStatus::Sent } else { MessageStatus::Delivered },
        error: None,
        job: None,
    }))
}

/// Converts what came in the status of a person.
fn status(device: DeviceNo, inbound: &InboundMessage, at: i64, people: &People<'_>) -> Received {
    let (info, source) = (&inbound.info, &inbound.info.source);
    let sender = person(&source.sender, source.sender_alt.as_ref(), &people.phone_of);
    let author = sender.filter(|_| !source.is_from_me);
    if author.is_none() && !source.is_from_me {
        return Received::Ignored("status post of nobody".into());
    }
    if let Some(id) = status_post::deletion(&inbound.message) {
        return Received::Status(StatusNews::Deleted { author, id });
    }
    let content = match content(&inbound.message) {
        Ok(content) => content,
        Err(kind) => return Received::Ignored(kind),
    };
    let push_name = Some(info.push_name.clone()).filter(|name| !name.is_empty() && author.is_some());
    let writer = Writer { device, author, push_name, id: info.id.to_string(), at };
    Received::Status(StatusNews::Posted(Box::new(status_post::post(writer, content))))
}

/// Returns who is who as far as a stanza says so.
pub(super) fn identities(source: &MessageSource, peer_recipient: Option<&WireJid>) -> Vec<Identity> {
    let chat_alt = source.recipient_alt.as_ref().or(peer_recipient);
    let pairs = [(&source.sender, source.sender_alt.as_ref()), (&source.chat, chat_alt)];
    let addresses = pairs.into_iter().filter_map(|(jid, alt)| Some((address(jid)?, address(alt?)?)));
    addresses.filter_map(|(jid, alt)| Identity::of(&jid, &alt)).collect()
}

/// Returns an address without the part that names a device, or none when it is of a kind that Kurir does not know.
pub(super) fn address(jid: &WireJid) -> Option<Jid> {
    jid.to_non_ad().to_string().parse().ok()
}

/// Returns the chat that a stanza belongs to, by phone number wherever that is known: one person is one chat.
pub(super) fn chat(
    source: &MessageSource,
    peer_recipient: Option<&WireJid>,
    phone_of: &dyn Fn(&str) -> Option<String>,
) -> Option<Jid> {
    // The chat of our own message is its recipient, of anybody else's in a conversation of two the sender.
    let other_name = match source.is_from_me {
        true => source.recipient_alt.as_ref().or(peer_recipient),
        false => source.sender_alt.as_ref(),
    };
    person(&source.chat, other_name, phone_of)
}

/// Returns the address of a person, by phone number when it is known, or of anything else as it is.
pub(super) fn person(
    jid: &WireJid,
    other_name: Option<&WireJid>,
    phone_of: &dyn Fn(&str) -> Option<String>,
) -> Option<Jid> {
    let address = address(jid)?;
    if address.server() != Server::Lid {
        return Some(address);
    }
    let named = other_name.and_then(self::address);
    if let Some(named) = named.filter(|named| named.server() == Server::User) {
        return Some(named);
    }
    let phone = phone_of(address.user()).and_then(|phone| format!("{phone}@s.whatsapp.net").parse().ok());
    Some(phone.unwrap_or(address))
}

/// Returns the content, or the name of what it is when it is none.
pub(super) fn content(message: &wire::Message) -> Result<Content, String> {
    let base = message.get_base_message();
    if let Some(text) = base.text_content() {
        return Ok(Content::Text { text: text.to_owned() });
    }
    if let Some(content) = kinds::content::content(message) {
        return Ok(content);
    }
    if let Some(media) = media::incoming(base, message.is_view_once()) {
        return Ok(Content::Media(Box::new(media)));
    }
    let kind = kind(base).ok_or_else(|| "message without content".to_owned())?;
    if PROTOCOL_KINDS.contains(&kind.as_str()) {
        return Err(kind);
    }
    let text = base.get_caption().filter(|caption| !caption.is_empty()).map(str::to_owned);
    let raw = STANDARD.encode(waproto::codec::message_to_vec(base));
    Ok(Content::Other { kind, text, raw })
}

/// Returns WhatsApp's name of the kind of a message that another one quotes, and its text; none without content.
pub(super) fn in_short(message: &wire::Message) -> Option<(String, Option<String>)> {
    let content = content(message).ok()?;
    Some((content.kind().to_owned(), content.text().map(str::to_owned)))
}

/// Returns WhatsApp's name of the kind: the name of the field that is set.
fn kind(message: &wire::Message) -> Option<String> {
    let fields = serde_json::to_value(message).ok()?;
    let is_set = fields.as_object()?.iter().filter(|(_, value)| !value.is_null());
    is_set.map(|(name, _)| camel_case(name)).find(|name| !WITHOUT_CONTENT.contains(&name.as_str()))
}

fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    for (position, word) in name.split('_').enumerate() {
        let mut letters = word.chars();
        match letters.next().filter(|_| position > 0) {
            Some(first) => camel.extend(first.to_uppercase().chain(letters)),
            None => camel.push_str(word),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use wacore::types::message::MessageInfo;

    const ANI: &str = "6281234567890@s.whatsapp.net";
    const ANI_LID: &str = "100000012345678@lid";

    fn jid(text: &str) -> WireJid {
        text.parse().expect("an address")
    }

    fn text(text: &str) -> wire::Message {
        wire::Message { conversation: Some(text.into()), ..Default::default() }
    }

    fn inbound(source: MessageSource, message: wire::Message) -> InboundMessage {
        let info = MessageInfo { id: "M1".into(), push_name: "Ani".into(), source, ..Default::default() };
        InboundMessage::builder().message(Arc::new(message)).info(Arc::new(info)).build()
    }

    fn from(sender: &str) -> MessageSource {
        MessageSource { chat: jid(sender).to_non_ad(), sender: jid(sender), ..Default::default() }
    }

    fn nobody(_: &str) -> Option<String> {
        None
    }

    fn received(inbound: &InboundMessage, phone_of: &dyn Fn(&str) -> Option<String>) -> Message {
        match receive(DeviceNo(1), inbound, 5_000, &People { phone_of, own: &[] }) {
            Received::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_person_is_one_chat_whichever_address_the_network_uses() {
        let known = |lid: &str| (lid == "100000012345678").then(|| "6281234567890".to_owned());
        let mut named = from("100000012345678:4@lid");
        named.sender_alt = Some(jid("6281234567890:4@s.whatsapp.net"));
        let cases = [
            (from("6281234567890:4@s.whatsapp.net"), ANI),
            (named, ANI),
            (from(ANI_LID), ANI),
            (from("200@lid"), "200@lid"),
        ];
        for (source, expected) in cases {
            let message = received(&inbound(source, text("hi")), &known);
            assert_eq!(message.chat.to_string(), expected);
            assert_eq!(message.sender.map(|sender| sender.to_string()).as_deref(), Some(expected));
            assert!(!message.from_me);
            assert_eq!((message.at, message.status), (5_000, MessageStatus::Delivered));
            assert_eq!(message.push_name.as_deref(), Some("Ani"));
        }
    }

    #[test]
    fn what_the_account_wrote_on_its_phone_stands_in_the_recipients_chat() {
        let source = MessageSource {
            chat: jid(ANI_LID),
            sender: jid("6281111111111@s.whatsapp.net"),
            is_from_me: true,
            recipient: Some(jid(ANI_LID)),
            recipient_alt: Some(jid(ANI)),
            ..Default::default()
        };
        let message = received(&inbound(source, text("typed on the phone")), &nobody);
        assert_eq!(message.chat.to_string(), ANI);
        assert!(message.from_me && message.push_name.is_none());
        assert_eq!(message.status, MessageStatus::Sent);
    }

    #[test]
    fn a_group_message_has_its_author() {
        let source = MessageSource {
            chat: jid("120363123456789012@g.us"),
            sender: jid(ANI_LID),
            sender_alt: Some(jid(ANI)),
            is_group: true,
            ..Default::default()
        };
        let message = received(&inbound(source, text("hello all")), &nobody);
        assert_eq!(message.chat.to_string(), "120363123456789012@g.us");
        assert_eq!(message.sender.map(|sender| sender.to_string()).as_deref(), Some(ANI));
    }

    #[test]
    fn a_text_keeps_whom_it_speaks_of() {
        let known = |lid: &str| (lid == "100000012345678").then(|| "6281234567890".to_owned());
        let context = wire::ContextInfo {
            mentioned_jid: vec![ANI_LID.into(), "6281111111111@s.whatsapp.net".into(), "nonsense".into()],
            ..Default::default()
        };
        let extended = wire::message::ExtendedTextMessage {
            text: Some("halo @6281234567890".into()),
            context_info: context.into(),
            ..Default::default()
        };
        let message = wire::Message { extended_text_message: extended.into(), ..Default::default() };
        let received = received(&inbound(from(ANI), message), &known);
        let mentions: Vec<_> = received.mentions.iter().map(Jid::to_string).collect();
        assert_eq!(mentions, [ANI, "6281111111111@s.whatsapp.net"]);
        assert_eq!(received.content.text(), Some("halo @6281234567890"));
    }

    #[test]
    fn a_stanza_says_who_is_who() {
        let mut source = from("100000012345678:4@lid");
        source.sender_alt = Some(jid("6281234567890:4@s.whatsapp.net"));
        let ani = Identity { lid: "100000012345678".into(), phone: "6281234567890".into() };
        assert_eq!(identities(&source, None), std::slice::from_ref(&ani));
        let typed = MessageSource {
            chat: jid(ANI_LID),
            sender: jid("6281111111111@s.whatsapp.net"),
            is_from_me: true,
            ..Default::default()
        };
        assert_eq!(identities(&typed, Some(&jid(ANI))), [ani]);
        assert!(identities(&from(ANI), None).is_empty());
    }

    #[test]
    fn kinds_are_kept_as_what_they_are() {
        let extended =
            wire::message::ExtendedTextMessage { text: Some("https://x".into()), ..Default::default() };
        let image = wire::message::ImageMessage { caption: Some("look".into()), ..Default::default() };
        let location = wire::message::LocationMessage { degrees_latitude: Some(1.0), ..Default::default() };
        let messages = [
            (text("plain"), "conversation", Some("plain")),
            (
                wire::Message { extended_text_message: extended.into(), ..Default::default() },
                "conversation",
                Some("https://x"),
            ),
            (
                wire::Message { image_message: image.into(), ..Default::default() },
                "imageMessage",
                Some("look"),
            ),
            (
                wire::Message { location_message: location.into(), ..Default::default() },
                "locationMessage",
                None,
            ),
        ];
        for (message, kind, text) in messages {
            let message = received(&inbound(from(ANI), message), &nobody);
            assert_eq!((message.content.kind(), message.content.text()), (kind, text));
            if let Content::Other { raw, .. } = &message.content {
                let bytes = STANDARD.decode(raw).expect("base64");
                assert!(waproto::codec::message_decode(bytes.as_slice()).is_ok());
            }
        }
    }

    #[test]
    fn a_status_post_is_none_of_a_chat() {
        let source = MessageSource {
            chat: jid("status@broadcast"),
            sender: jid("100000012345678:4@lid"),
            sender_alt: Some(jid("6281234567890:4@s.whatsapp.net")),
            ..Default::default()
        };
        let heard = |message| {
            let people = People { phone_of: &nobody, own: &[] };
            receive(DeviceNo(1), &inbound(source.clone(), message), 7, &people)
        };
        let Received::Status(StatusNews::Posted(post)) = heard(text("buka jam 9")) else {
            panic!("a post");
        };
        assert_eq!(post.author.as_ref().map(Jid::to_string).as_deref(), Some(ANI));
        assert_eq!((post.id.as_str(), post.content.text(), post.at), ("M1", Some("buka jam 9"), 7));
        let key = wire::MessageKey { id: Some("M0".into()), ..Default::default() };
        let kind = Some(wire::message::protocol_message::Type::REVOKE);
        let revoked = wire::message::ProtocolMessage { key: key.into(), r#type: kind, ..Default::default() };
        let deleted = heard(wire::Message { protocol_message: revoked.into(), ..Default::default() });
        let author = Some(ANI.parse().expect("an address"));
        assert_eq!(deleted, Received::Status(StatusNews::Deleted { author, id: "M0".into() }));
    }

    #[test]
    fn a_channel_post_is_none_of_a_chat() {
        const NEWS: &str = "120363000000000001@newsletter";
        let channel: Jid = NEWS.parse().expect("an address");
        let heard = |inbound: &InboundMessage| {
            receive(DeviceNo(1), inbound, 0, &People { phone_of: &nobody, own: &[] })
        };
        let mut post = inbound(from(NEWS), text("pagi"));
        Arc::make_mut(&mut post.info).server_id = 1_101;
        let Received::Channel(ChannelNews::Posted(read)) = heard(&post) else { panic!("a post") };
        assert_eq!((&read.channel, read.id.as_str(), read.number), (&channel, "M1", Some(1_101)));
        assert_eq!((read.content.text(), read.at % 1_000), (Some("pagi"), 101));
        Arc::make_mut(&mut post.info).edit = EditAttribute::AdminRevoke;
        let deleted = ChannelNews::Deleted { channel, id: "M1".into() };
        assert_eq!(heard(&post), Received::Channel(deleted));
    }

    #[test]
    fn what_is_no_message_is_ignored_by_kind() {
        let keys = wire::message::SenderKeyDistributionMessage::default();
        let protocol = wire::message::ProtocolMessage::default();
        let mut peer = inbound(from(ANI), text("keys"));
        Arc::make_mut(&mut peer.info).category = MessageCategory::Peer;
        let cases = [
            (peer, "peer message"),
            (inbound(from(ANI), wire::Message::default()), "message without content"),
            (
                inbound(
                    from(ANI),
                    wire::Message { sender_key_distribution_message: keys.into(), ..Default::default() },
                ),
                "message without content",
            ),
            (
                inbound(from(ANI), wire::Message { protocol_message: protocol.into(), ..Default::default() }),
                "protocolMessage",
            ),
            (inbound(from("4711@broadcast"), text("post")), "broadcast post"),
        ];
        for (inbound, expected) in cases {
            let people = People { phone_of: &nobody, own: &[] };
            assert_eq!(receive(DeviceNo(1), &inbound, 0, &people), Received::Ignored(expected.into()));
        }
    }
}
