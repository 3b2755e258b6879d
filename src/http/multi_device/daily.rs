//! The chats of a day with their counters (contract section 10).

use crate::clock::iso_ms;
use crate::error::{Code, Error, Result};
use crate::gateway::{DailyChat, Gateway};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, get};
use crate::model::day::Day;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Chats of a page unless the query says otherwise.
const LIMIT: usize = 100;
/// Largest page.
const LIMIT_MAX: usize = 1000;

pub fn routes() -> Vec<Route> {
    vec![
        get("/devices/:deviceId/daily-chat-list", list)
            .summary("Chats of a day with their counters, newest activity first")
            .query::<DailyQuery>()
            .gives::<DailyView>(),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: DailyQuery = request.query()?;
    let day = query.date.as_deref().ok_or_else(|| Error::new(Code::DateRequired).with("field", "date"))?;
    let day = Day::parse("date", day)?;
    let limit = query.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Error::invalid("limit", format!("1 to {LIMIT_MAX}")));
    }
    let chats = gateway.daily_chats(&device, day, query.include_groups.unwrap_or(false)).await?;
    let (summary, total, offset) = (Summary::new(day, &chats), chats.len(), query.offset.unwrap_or(0));
    let contacts: Vec<_> = chats.into_iter().skip(offset).take(limit).map(Contact::from).collect();
    let has_more = offset.saturating_add(contacts.len()) < total;
    let pagination = Place { total, limit, offset, has_more };
    Ok(Outcome::ok(Code::DailyChatList, DailyView { contacts, summary, pagination }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DailyQuery {
    /// Required: a day in Asia/Jakarta, `YYYY-MM-DD`.
    date: Option<String>,
    /// Default false.
    include_groups: Option<bool>,
    /// 1 to 1000, default 100.
    limit: Option<usize>,
    /// From 0.
    offset: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
struct DailyView {
    contacts: Vec<Contact>,
    summary: Summary,
    pagination: Place,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Contact {
    jid: String,
    name: Option<String>,
    phone_number: Option<String>,
    message_count: u32,
    incoming_messages: u32,
    outgoing_messages: u32,
    /// Incoming messages of the day that nobody has read.
    unread_messages: u32,
    /// ISO 8601, UTC.
    last_activity: String,
    /// Percentage of the incoming messages that an outgoing one of the day followed.
    response_rate: f64,
}

impl From<DailyChat> for Contact {
    fn from(chat: DailyChat) -> Self {
        let day = chat.day;
        Self {
            jid: chat.jid.to_string(),
            name: chat.name,
            phone_number: chat.jid.phone().map(str::to_owned),
            message_count: day.incoming + day.outgoing,
            incoming_messages: day.incoming,
            outgoing_messages: day.outgoing,
            unread_messages: chat.unread,
            last_activity: iso_ms(day.last_at()),
            response_rate: day.response_rate(),
        }
    }
}

/// Sums over all chats of the day, not only those of the page.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    date: String,
    total_contacts: usize,
    individual_contacts: usize,
    group_contacts: usize,
    total_messages: u64,
    total_incoming_messages: u64,
    total_outgoing_messages: u64,
    total_unread_messages: u64,
    /// Mean over the chats in which somebody wrote to the account.
    average_response_rate: f64,
}

impl Summary {
    fn new(day: Day, chats: &[DailyChat]) -> Self {
        let groups = chats.iter().filter(|chat| chat.jid.is_group()).count();
        let sum = |of: fn(&DailyChat) -> u32| chats.iter().map(|chat| u64::from(of(chat))).sum::<u64>();
        let (incoming, outgoing) = (sum(|chat| chat.day.incoming), sum(|chat| chat.day.outgoing));
        let asked = chats.iter().filter(|chat| chat.day.incoming > 0);
        let rates: Vec<f64> = asked.map(|chat| chat.day.response_rate()).collect();
        let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
        Self {
            date: day.to_string(),
            total_contacts: chats.len(),
            individual_contacts: chats.len() - groups,
            group_contacts: groups,
            total_messages: incoming + outgoing,
            total_incoming_messages: incoming,
            total_outgoing_messages: outgoing,
            total_unread_messages: sum(|chat| chat.unread),
            average_response_rate: (mean * 100.0).round() / 100.0,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Place {
    total: usize,
    limit: usize,
    offset: usize,
    has_more: bool,
}
