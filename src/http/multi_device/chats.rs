//! Chat history and the chat list (contract section 10; the list is ours).

use super::chat_settings::SettingsView;
use super::content::ContentView;
use crate::clock::iso_ms;
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, Source as HistorySource, item_error};
use crate::http::message_view::MarksView;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, get, post};
use crate::model::chat::{Chat, ChatMark, ChatSettings};
use crate::model::device::Device;
use crate::model::jid::{Jid, PhoneRule, Server};
use crate::model::message::{Message, MessageStatus};
use crate::words::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::time::Duration;

/// Messages of a page unless the query says otherwise.
const HISTORY_LIMIT: usize = 50;
/// Chats of a page unless the query says otherwise.
const CHATS_LIMIT: usize = 30;

pub fn routes() -> Vec<Route> {
    vec![
        get("/devices/:deviceId/chat-history/:jid", history)
            .summary("Messages of a chat, newest first")
            .query::<HistoryQuery>()
            .gives::<HistoryView>(),
        get("/devices/:deviceId/group-chat-history/:groupId", group_history)
            .access(Access::Admin)
            .summary("Messages of a group, newest first")
            .query::<HistoryQuery>()
            .gives::<GroupHistoryView>(),
        get("/devices/:deviceId/chats", list)
            .summary("Chats, newest activity first; groups for administrators only")
            .query::<ChatsQuery>()
            .gives::<ChatsView>(),
        post("/devices/:deviceId/chats/:jid/read", read).unnoted().summary("Marks a chat as read"),
    ]
}

async fn history(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let chat = gateway.person(device.no, &chat_of(&request)?)?;
    let (messages, has_more, asked) =
        page(&gateway, request.query()?, request.lang(), &device, chat.clone()).await?;
    let code = if asked { Code::HistoryFromPhone } else { Code::HistoryFromStore };
    let lid = gateway.lid_of(device.no, &chat).map(|lid| lid.to_string());
    let view = HistoryView { jid: chat.to_string(), lid, total: messages.len(), messages, has_more };
    Ok(Outcome::ok(code, view))
}

async fn group_history(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let group = Jid::group(request.param("groupId"))?;
    let (messages, has_more, asked) =
        page(&gateway, request.query()?, request.lang(), &device, group.clone()).await?;
    let code = if asked { Code::GroupHistoryFromPhone } else { Code::GroupHistoryFromStore };
    let view = GroupHistoryView { group_id: group.to_string(), total: messages.len(), messages, has_more };
    Ok(Outcome::ok(code, view))
}

/// Returns the messages that the query asks for, whether there are older ones, and whether the phone gave some of them.
async fn page(
    gateway: &Gateway,
    query: HistoryQuery,
    lang: Lang,
    device: &Device,
    chat: Jid,
) -> Result<(Vec<MessageView>, bool, bool)> {
    let limit = within("limit", query.limit, 1..=100, HISTORY_LIMIT)?;
    let wait = Duration::from_secs(within("waitSeconds", query.wait_seconds, 0..=120, 10)? as u64);
    let source = match query.source {
        Some(Source::Server | Source::Whatsapp) => HistorySource::Phone { wait },
        Some(Source::Auto) | None => HistorySource::Auto { wait },
        Some(Source::Store) => HistorySource::Store,
    };
    let (page, asked) = gateway.history_from(source, device, chat, query.before, limit).await?;
    let lids = gateway.lids(device.no, page.rows.iter().filter_map(|row| row.sender.as_ref()))?;
    let view = |row| MessageView::new(gateway, row, device, &lids, lang);
    Ok((page.rows.iter().map(view).collect(), page.has_more, asked))
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: ChatsQuery = request.query()?;
    let limit = within("limit", query.limit, 1..=100, CHATS_LIMIT)?;
    let caller = request.caller();
    let before = query.before.map(|mark| mark.parse()).transpose()?;
    let page = match query.pinned {
        Some(true) => gateway.pinned_chats(caller, &device, limit).await?,
        _ => gateway.chats(caller, &device, query.search, before, limit).await?,
    };
    let last = page.rows.last().filter(|_| page.has_more);
    let next_before = last.map(|chat| ChatMark::of(chat).to_string());
    let lids = gateway.lids(device.no, page.rows.iter().map(|chat| &chat.jid))?;
    let settings = gateway.chat_settings(&device, page.rows.iter().map(|chat| &chat.jid))?;
    let view = |chat: &Chat| ChatView::new(chat, lids.get(&chat.jid), settings.get(&chat.jid));
    let chats = page.rows.iter().map(view).collect();
    let device_id = device.id.to_string();
    Ok(Outcome::data(ChatsView { device_id, chats, has_more: page.has_more, next_before }))
}

async fn read(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    gateway.read_chat(&device, &chat_of(&request)?).await?;
    Ok(Outcome::said(Code::Ok))
}

/// Returns the chat of the path: the address of a person or group, or a number of any country. Groups are for administrators.
pub(super) fn chat_of(request: &Request) -> Result<Jid> {
    let text = request.param("jid");
    let chat = if text.contains('@') { text.parse()? } else { PhoneRule::International.recipient(text)? };
    match chat.server() {
        Server::User | Server::Lid => {}
        Server::Group => request.caller().require_admin()?,
        // These have no chat that could be read or answered.
        Server::Broadcast | Server::Newsletter => return Err(Error::new(Code::PhoneInvalid)),
    }
    Ok(chat)
}

/// Returns the number given, or the default; refuses one outside the range.
pub(super) fn within(
    field: &'static str,
    given: Option<usize>,
    range: std::ops::RangeInclusive<usize>,
    default: usize,
) -> Result<usize> {
    match given {
        None => Ok(default),
        Some(value) if range.contains(&value) => Ok(value),
        Some(_) => Err(Error::invalid(field, format!("{} to {}", range.start(), range.end()))),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HistoryQuery {
    /// 1 to 100, default 50.
    limit: Option<usize>,
    /// Id of a message: only older ones.
    before: Option<String>,
    /// `store` answers from the store, which every message and the phone's history reach by themselves. `server` and `whatsapp`
    /// ask the phone for older messages when the store has fewer than asked for. `auto` (default) does so too, for 3 seconds at
    /// most, and not again when the phone has just said that there are none.
    source: Option<Source>,
    /// How long the phone may take to answer, 0 to 120, default 10.
    wait_seconds: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Source {
    Auto,
    Store,
    Server,
    Whatsapp,
}

#[derive(Deserialize, JsonSchema)]
struct ChatsQuery {
    /// Part of a name, a number or the newest text.
    search: Option<String>,
    /// 1 to 100, default 30.
    limit: Option<usize>,
    /// `nextBefore` of the page before; epoch milliseconds alone give what is older.
    before: Option<String>,
    /// True for the chats that are kept on top of the list, and no others; `search` and `before` do not narrow them down.
    pinned: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HistoryView {
    jid: String,
    /// The person's hidden id, when it is known.
    lid: Option<String>,
    /// Newest first.
    messages: Vec<MessageView>,
    /// Number of messages in this answer.
    total: usize,
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GroupHistoryView {
    group_id: String,
    /// Newest first.
    messages: Vec<MessageView>,
    /// Number of messages in this answer.
    total: usize,
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageView {
    id: String,
    /// Address of who wrote it.
    from: Option<String>,
    /// Their hidden id, when it is known.
    from_lid: Option<String>,
    from_me: bool,
    /// WhatsApp's name of the kind, `conversation` for texts, `deleted` for what was deleted for everyone.
    message_type: String,
    content: ContentView,
    /// Epoch milliseconds.
    timestamp: i64,
    status: MessageStatus,
    /// Name that the sender gave themselves.
    push_name: Option<String>,
    /// Why it failed.
    error: Option<String>,
    #[serde(flatten)]
    marks: MarksView,
}

impl MessageView {
    /// Shapes a message; `lids` holds the hidden ids of those who wrote.
    pub(super) fn new(
        gateway: &Gateway,
        message: &Message,
        device: &Device,
        lids: &HashMap<Jid, Jid>,
        lang: Lang,
    ) -> Self {
        let own = device.addresses().first().map(Jid::to_string);
        let sender = message.sender.as_ref();
        let (from, from_lid) = match message.from_me {
            true => (own.clone(), device.lid.clone()),
            false => {
                (sender.map(Jid::to_string), sender.and_then(|sender| lids.get(sender)).map(Jid::to_string))
            }
        };
        Self {
            id: message.id.clone(),
            from,
            from_lid,
            from_me: message.from_me,
            message_type: message.content.kind().to_owned(),
            content: ContentView::new(gateway, message, own.as_deref()),
            marks: MarksView::new(message, own.as_deref()),
            timestamp: message.at,
            status: message.status,
            push_name: message.push_name.clone(),
            error: message.error.as_ref().map(|error| item_error(Some(error)).text(lang)),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChatsView {
    device_id: String,
    chats: Vec<ChatView>,
    has_more: bool,
    /// Give it as `before` for the next page.
    next_before: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChatView {
    jid: String,
    /// The person's hidden id, when it is known.
    lid: Option<String>,
    name: Option<String>,
    phone_number: Option<String>,
    unread_count: u32,
    /// ISO 8601, UTC.
    last_activity: String,
    last_message: LastMessageView,
    #[serde(flatten)]
    settings: SettingsView,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LastMessageView {
    id: String,
    text: Option<String>,
    from_me: bool,
    /// Epoch milliseconds.
    timestamp: i64,
    message_type: String,
    status: MessageStatus,
}

impl ChatView {
    fn new(chat: &Chat, lid: Option<&Jid>, settings: Option<&ChatSettings>) -> Self {
        Self {
            jid: chat.jid.to_string(),
            lid: lid.map(Jid::to_string),
            name: chat.name.clone(),
            phone_number: chat.jid.phone().map(str::to_owned),
            unread_count: chat.unread,
            last_activity: iso_ms(chat.last_at),
            last_message: LastMessageView {
                id: chat.last.id.clone(),
                text: chat.last.text.clone(),
                from_me: chat.last.from_me,
                timestamp: chat.last_at,
                message_type: chat.last.kind.clone(),
                status: chat.last.status,
            },
            settings: settings
                .map_or_else(|| SettingsView::from(&ChatSettings::default()), SettingsView::from),
        }
    }
}
