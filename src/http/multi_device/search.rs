//! Full-text search over the stored messages (ours).

use super::chats::{MessageView, within};
use crate::error::{Error, Result};
use crate::gateway::{Gateway, Hit, Search, SearchMark};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, get};
use crate::model::day::Day;
use crate::model::device::Device;
use crate::model::jid::{Jid, PhoneRule};
use crate::model::search::Question;
use crate::words::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Messages of a page unless the query says otherwise.
const LIMIT: usize = 50;

pub fn routes() -> Vec<Route> {
    vec![
        get("/messages/search", everywhere)
            .summary("Messages of all own devices that hold some words, newest first")
            .query::<SearchQuery>()
            .gives::<SearchView>(),
        get("/devices/:deviceId/messages/search", on_device)
            .summary("Messages of a device that hold some words, newest first")
            .query::<SearchQuery>()
            .gives::<SearchView>(),
    ]
}

async fn everywhere(gateway: Gateway, request: Request) -> Result<Outcome> {
    let devices = gateway.devices(request.caller())?;
    search(gateway, request, devices).await
}

async fn on_device(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    search(gateway, request, vec![device]).await
}

async fn search(gateway: Gateway, request: Request, devices: Vec<Device>) -> Result<Outcome> {
    let query: SearchQuery = request.query()?;
    let (hits, next) = gateway.search(request.caller(), devices, query.search()?).await?;
    let messages = hits.iter().map(|hit| HitView::new(&gateway, hit, request.lang()));
    Ok(Outcome::data(SearchView {
        messages: messages.collect::<Result<_>>()?,
        total: hits.len(),
        has_more: next.is_some(),
        next_before: next.map(|mark| mark.to_string()),
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SearchQuery {
    /// Required: 1 to 8 words, all of which a message holds. Case and accents do not matter; the last word may be the beginning
    /// of one.
    q: Option<String>,
    /// Only this chat: a number or an address.
    jid: Option<String>,
    /// First day, `YYYY-MM-DD` in Asia/Jakarta.
    start_date: Option<String>,
    /// Last day.
    end_date: Option<String>,
    /// 1 to 100, default 50.
    limit: Option<usize>,
    /// `nextBefore` of the page before.
    before: Option<String>,
}

impl SearchQuery {
    fn search(self) -> Result<Search> {
        let text = self.q.ok_or_else(|| Error::required("q"))?;
        let chat = self.jid.map(|jid| chat(&jid)).transpose()?;
        let from = self.start_date.map(|date| Day::parse("startDate", &date)).transpose()?;
        let to = self.end_date.map(|date| Day::parse("endDate", &date)).transpose()?;
        Ok(Search {
            question: Question::parse(&text)?,
            chat,
            from: from.map(Day::start),
            to: to.map(Day::end),
            before: self.before.map(|mark| SearchMark::parse(&mark)).transpose()?,
            limit: within("limit", self.limit, 1..=100, LIMIT)?,
        })
    }
}

fn chat(text: &str) -> Result<Jid> {
    if text.contains('@') { text.parse() } else { PhoneRule::International.recipient(text) }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SearchView {
    /// Newest first.
    messages: Vec<HitView>,
    /// Number of messages in this answer.
    total: usize,
    /// A page may be short and still have more: a search stops after a while and goes on when asked.
    has_more: bool,
    /// Give it as `before` for the next page.
    next_before: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HitView {
    device_id: String,
    /// The chat it stands in.
    jid: String,
    /// Name of the chat, when one is known.
    chat_name: Option<String>,
    #[serde(flatten)]
    message: MessageView,
}

impl HitView {
    fn new(gateway: &Gateway, hit: &Hit, lang: Lang) -> Result<Self> {
        let lids = gateway.lids(hit.device.no, hit.message.sender.iter())?;
        Ok(Self {
            device_id: hit.device.id.to_string(),
            jid: hit.message.chat.to_string(),
            chat_name: hit.chat_name.clone(),
            message: MessageView::new(gateway, &hit.message, &hit.device, &lids, lang),
        })
    }
}
