//! One chunk of history → our chats and messages. Reads conversation by conversation; nothing here waits but for its reader.

use crate::error::{Context as _, Error, Result};
use crate::model::chat::PastChat;
use crate::model::id::DeviceNo;
use crate::model::jid::{Identity, Jid, Server};
use crate::model::message::{Message, MessageStatus};
use crate::wa::kinds::context::People;
use crate::wa::receive::{self, Received};
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use wacore::types::events::{InboundMessage, LazyHistorySync};
use wacore::types::message::{MessageInfo, MessageSource};
use wacore_binary::Jid as WireJid;
use waproto::whatsapp as wire;
use waproto::whatsapp::web_message_info::Status;

/// Messages that are stored in one commit.
const PIECE: usize = 500;
/// Messages of one second that keep their order.
const SECOND_MAX: i64 = 999;

/// A chunk, and whose it is.
pub(super) struct Reader {
    pub(super) device: DeviceNo,
    /// The account's own addresses, number first.
    pub(super) own: Vec<Jid>,
    pub(super) chunk: LazyHistorySync,
}

/// Some messages of some chats.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) parts: Vec<(PastChat, Vec<Message>)>,
    messages: usize,
    chats: usize,
}

impl Piece {
    /// Returns how many chats begin in this piece.
    pub(super) fn chats(&self) -> usize {
        self.chats
    }
}

/// What a chunk says beside its conversations.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pub(super) identities: Vec<Identity>,
    pub(super) push_names: Vec<(Jid, String)>,
}

impl Reader {
    /// Reads what stands beside the conversations.
    pub(super) fn rest(&self) -> Result<Rest> {
        let mut stream = self.chunk.stream();
        while stream.next_conversation_bytes().context("reading a history")?.is_some() {}
        let rest = stream.remainder().context("reading a history")?;
        let identities: Vec<_> = rest
            .phone_number_to_lid_mappings
            .iter()
            .filter_map(|pair| Identity::of(&jid(pair.lid_jid.as_deref()?)?, &jid(pair.pn_jid.as_deref()?)?))
            .collect();
        // The account is nobody's contact, under either of its addresses.
        let is_own = |person: &Jid| self.own.contains(person);
        let push_names = rest.pushnames.iter().filter_map(|name| {
            let text =
                name.pushname.as_deref().map(str::trim).filter(|text| !text.is_empty() && *text != "-")?;
            let person = jid(name.id.as_deref()?).filter(|person| !is_own(person))?;
            Some((person, text.to_owned()))
        });
        let push_names = push_names.collect();
        Ok(Rest { identities, push_names })
    }

    /// Reads the conversations and passes them on in pieces; ends early when nobody takes them any more.
    pub(super) fn read(&self, people: &People<'_>, pieces: &Sender<Piece>) -> Result<()> {
        let mut stream = self.chunk.stream();
        let mut piece = Piece::default();
        while let Some(conversation) = stream.next_conversation().context("reading a history")? {
            let Some(past) = self.past(&conversation, people) else { continue };
            piece.chats += 1;
            let mut messages = self.messages(&conversation, &past, people).into_iter().peekable();
            loop {
                let part: Vec<_> = messages.by_ref().take(PIECE - piece.messages).collect();
                piece.messages += part.len();
                piece.parts.push((past.clone(), part));
                if piece.messages >= PIECE {
                    pass(pieces, std::mem::take(&mut piece))?;
                }
                if messages.peek().is_none() {
                    break;
                }
            }
        }
        if stream.skipped_conversations() > 0 {
            let skipped = stream.skipped_conversations();
            tracing::warn!(device = %self.device, skipped, "chats of the phone's history could not be read");
        }
        if piece.parts.is_empty() { Ok(()) } else { pass(pieces, piece) }
    }

    /// What the phone says of a chat; none of a kind that has no chat here.
    fn past(&self, conversation: &wire::Conversation, people: &People<'_>) -> Option<PastChat> {
        let wire: WireJid = conversation.id.parse().ok()?;
        let alt: Option<WireJid> = conversation.pn_jid.as_deref().and_then(|jid| jid.parse().ok());
        let jid = receive::person(&wire, alt.as_ref(), &people.phone_of)?;
        if !matches!(jid.server(), Server::User | Server::Lid | Server::Group) {
            return None;
        }
        let named = conversation.name.as_deref().or(conversation.display_name.as_deref());
        Some(PastChat {
            device: self.device,
            jid,
            name: named.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned),
            unread: conversation.unread_count.unwrap_or(0),
            archived: conversation.archived.unwrap_or(false),
            pinned: conversation.pinned.is_some_and(|at| at > 0),
            muted_until: conversation.mute_end_time.filter(|at| *at != 0).map(muted_until),
        })
    }

    /// The messages of a conversation, oldest first.
    fn messages(
        &self,
        conversation: &wire::Conversation,
        past: &PastChat,
        people: &People<'_>,
    ) -> Vec<Message> {
        let mut found = Vec::new();
        let (mut second, mut place) = (0, 0);
        // They come newest first.
        for row in conversation.messages.iter().rev() {
            let Some(told) = row.message.as_option() else { continue };
            let seconds = told.message_timestamp.and_then(|at| i64::try_from(at).ok()).unwrap_or(0);
            place = if seconds == second { (place + 1).min(SECOND_MAX) } else { 0 };
            second = seconds;
            found.extend(self.message(
                told,
                past,
                seconds.saturating_mul(1_000).saturating_add(place),
                people,
            ));
        }
        found
    }

    fn message(
        &self,
        told: &wire::WebMessageInfo,
        past: &PastChat,
        at: i64,
        people: &People<'_>,
    ) -> Option<Message> {
        let (key, message) = (told.key.as_option()?, told.message.as_option()?);
        let is_from_me = key.from_me.unwrap_or(false);
        let is_group = past.jid.is_group();
        let chat: WireJid = past.jid.to_string().parse().ok()?;
        let sender = match (is_from_me, is_group) {
            (true, _) => self.own.first()?.to_string().parse().ok()?,
            (false, false) => chat.clone(),
            (false, true) => told.participant.as_deref().or(key.participant.as_deref())?.parse().ok()?,
        };
        let info = MessageInfo {
            id: key.id.clone().filter(|id| !id.is_empty())?,
            push_name: told.push_name.clone().unwrap_or_default(),
            source: MessageSource { chat, sender, is_from_me, is_group, ..Default::default() },
            ..Default::default()
        };
        let inbound =
            InboundMessage::builder().message(Arc::new(message.clone())).info(Arc::new(info)).build();
        match receive::receive(self.device, &inbound, at, people) {
            Received::Message(found) => {
                let status = if is_from_me { status(told.status) } else { found.status };
                Some(Message { status, ..*found })
            }
            Received::Heard(_) | Received::Status(_) | Received::Channel(_) | Received::Ignored(_) => None,
        }
    }
}

/// How far an own message came, as the phone knows it.
fn status(told: Option<Status>) -> MessageStatus {
    match told {
        Some(Status::ERROR) => MessageStatus::Failed,
        Some(Status::DELIVERY_ACK) => MessageStatus::Delivered,
        Some(Status::READ | Status::PLAYED) => MessageStatus::Read,
        _ => MessageStatus::Sent,
    }
}

/// The phone tells milliseconds, or seconds in older versions; what lies beyond the calendar means for ever.
fn muted_until(told: u64) -> i64 {
    match i64::try_from(told) {
        Ok(at) if at < 100_000_000_000 => at * 1_000,
        Ok(at) => at,
        Err(_) => i64::MAX,
    }
}

fn jid(text: &str) -> Option<Jid> {
    receive::address(&text.parse::<WireJid>().ok()?)
}

fn pass(pieces: &Sender<Piece>, piece: Piece) -> Result<()> {
    pieces.blocking_send(piece).map_err(|_| Error::broken("nobody takes the history any more"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use buffa::{Message as _, MessageField};
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use std::io::Write as _;
    use tokio::sync::mpsc;

    const ANI: &str = "6281234567890@s.whatsapp.net";
    const OWN: &str = "6281111111111@s.whatsapp.net";

    fn row(id: &str, seconds: u64, from_me: bool, participant: Option<&str>) -> wire::HistorySyncMsg {
        let key = wire::MessageKey {
            from_me: Some(from_me),
            id: Some(id.into()),
            participant: participant.map(str::to_owned),
            ..Default::default()
        };
        let message = wire::Message { conversation: Some(format!("text {id}")), ..Default::default() };
        let told = wire::WebMessageInfo {
            key: MessageField::some(key),
            message: MessageField::some(message),
            message_timestamp: Some(seconds),
            status: Some(Status::READ),
            push_name: Some("Ani".into()),
            ..Default::default()
        };
        wire::HistorySyncMsg { message: MessageField::some(told), ..Default::default() }
    }

    fn reader(history: &wire::HistorySync) -> Reader {
        let raw = history.encode_to_vec();
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&raw).expect("packed");
        let packed = packed.finish().expect("packed");
        let chunk = LazyHistorySync::new(packed.into(), raw.len(), 0, Some(1), Some(50));
        Reader {
            device: DeviceNo(1),
            own: vec![OWN.parse().expect("an address"), "200@lid".parse().expect("an address")],
            chunk,
        }
    }

    async fn pieces(history: &wire::HistorySync) -> Vec<Piece> {
        let (reader, (sender, mut receiver)) = (reader(history), mpsc::channel(1));
        let reading = tokio::task::spawn_blocking(move || {
            let people = People { phone_of: &|_: &str| None, own: &reader.own };
            reader.read(&people, &sender)
        });
        let mut pieces = Vec::new();
        while let Some(piece) = receiver.recv().await {
            pieces.push(piece);
        }
        reading.await.expect("it ends").expect("it reads");
        pieces
    }

    #[tokio::test]
    async fn chats_and_messages_become_ours_oldest_first() {
        let person = wire::Conversation {
            id: ANI.into(),
            messages: vec![row("C", 9, false, None), row("B", 5, true, None), row("A", 5, false, None)],
            name: Some("Ani Wijaya".into()),
            unread_count: Some(3),
            archived: Some(true),
            pinned: Some(7),
            mute_end_time: Some(u64::MAX),
            ..Default::default()
        };
        let group = wire::Conversation {
            id: "120363123456789012@g.us".into(),
            messages: vec![row("G", 8, false, Some(ANI)), row("lost", 8, false, None)],
            ..Default::default()
        };
        let status = wire::Conversation { id: "status@broadcast".into(), ..Default::default() };
        let history = wire::HistorySync { conversations: vec![person, status, group], ..Default::default() };
        let pieces = pieces(&history).await;
        assert_eq!((pieces.len(), pieces[0].chats()), (1, 2));
        let (past, messages) = &pieces[0].parts[0];
        let expected = PastChat {
            device: DeviceNo(1),
            jid: ANI.parse().expect("an address"),
            name: Some("Ani Wijaya".into()),
            unread: 3,
            archived: true,
            pinned: true,
            muted_until: Some(i64::MAX),
        };
        assert_eq!(*past, expected);
        let shown = |message: &Message| (message.id.clone(), message.at, message.from_me, message.status);
        let delivered = MessageStatus::Delivered;
        assert_eq!(
            messages.iter().map(shown).collect::<Vec<_>>(),
            [
                ("A".into(), 5_000, false, delivered),
                ("B".into(), 5_001, true, MessageStatus::Read),
                ("C".into(), 9_000, false, delivered)
            ]
        );
        assert_eq!(messages[0].push_name.as_deref(), Some("Ani"));
        let (past, messages) = &pieces[0].parts[1];
        assert!(past.jid.is_group() && messages.len() == 1, "who wrote `lost` is not known");
        assert_eq!(messages[0].sender.as_ref().map(Jid::to_string).as_deref(), Some(ANI));
    }

    #[tokio::test]
    async fn a_long_history_comes_in_pieces() {
        let chat = |number: u64, count: u64| wire::Conversation {
            id: format!("62812345678{number:02}@s.whatsapp.net"),
            messages: (0..count).rev().map(|n| row(&format!("{number}-{n}"), n, false, None)).collect(),
            ..Default::default()
        };
        let conversations = vec![chat(1, 1_200), chat(2, 0), chat(3, 10)];
        let pieces = pieces(&wire::HistorySync { conversations, ..Default::default() }).await;
        let sizes: Vec<_> = pieces.iter().map(|piece| piece.messages).collect();
        assert_eq!(sizes, [500, 500, 210]);
        assert_eq!(pieces.iter().map(Piece::chats).sum::<usize>(), 3);
        let ids: Vec<_> = pieces.iter().flat_map(|piece| &piece.parts).flat_map(|part| &part.1).collect();
        assert_eq!((ids.len(), ids[0].id.as_str(), ids[1_209].id.as_str()), (1_210, "1-0", "3-9"));
    }

    #[test]
    fn names_and_identities_stand_beside_the_chats() {
        let mapping = |phone: &str, lid: &str| wire::PhoneNumberToLIDMapping {
            pn_jid: Some(phone.into()),
            lid_jid: Some(lid.into()),
        };
        let named =
            |id: &str, name: &str| wire::Pushname { id: Some(id.into()), pushname: Some(name.into()) };
        let history = wire::HistorySync {
            conversations: vec![wire::Conversation { id: ANI.into(), ..Default::default() }],
            pushnames: vec![
                named(ANI, " ani "),
                named("100@lid", "-"),
                named("nonsense", "x"),
                named(OWN, "Toko"),
                named("200@lid", "Toko"),
            ],
            phone_number_to_lid_mappings: vec![mapping(ANI, "100@lid")],
            ..Default::default()
        };
        let rest = reader(&history).rest().expect("it reads");
        let ani = Identity { lid: "100".into(), phone: "6281234567890".into() };
        assert_eq!(rest.identities, [ani]);
        assert_eq!(rest.push_names, [(ANI.parse().expect("an address"), "ani".to_owned())]);
    }
}
