//! Figures of devices and of the caller (contract section 11).

use crate::error::Result;
use crate::gateway::{Gateway, Totals};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, get};
use crate::model::day::{Day, DeviceDay};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub fn routes() -> Vec<Route> {
    vec![
        get("/devices/:deviceId/statistics", range)
            .access(Access::Admin)
            .summary("Messages of a device per day")
            .query::<RangeQuery>()
            .gives::<RangeView>(),
        get("/devices/:deviceId/statistics/daily", daily)
            .access(Access::Admin)
            .summary("Messages of a device on one day, by hour")
            .query::<DayQuery>()
            .gives::<DailyView>(),
        get("/user/statistics", own).summary("What the caller has and did").gives::<OwnView>(),
    ]
}

async fn range(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: RangeQuery = request.query()?;
    let from = query.start_date.map(|date| Day::parse("startDate", &date)).transpose()?;
    let to = query.end_date.map(|date| Day::parse("endDate", &date)).transpose()?;
    let found = gateway.device_days(&device, from, to).await?;
    let statistics = found
        .days
        .iter()
        .map(|(day, counted)| DayView { date: day.to_string(), figures: Figures::new(counted) })
        .collect();
    Ok(Outcome::data(RangeView {
        device_id: device.id.to_string(),
        range: RangeShown { start_date: found.from.to_string(), end_date: found.to.to_string() },
        statistics,
        summary: Figures::new(&found.sum),
    }))
}

async fn daily(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: DayQuery = request.query()?;
    let day = query.date.map(|date| Day::parse("date", &date)).transpose()?;
    let (day, counted) = gateway.device_day(&device, day)?;
    let hour = |hour: usize| HourView {
        hour,
        incoming_messages: counted.hours_in[hour],
        outgoing_messages: counted.hours_out[hour],
    };
    Ok(Outcome::data(DailyView {
        device_id: device.id.to_string(),
        date: day.to_string(),
        figures: Figures::new(&counted),
        hourly: (0..24).map(hour).collect(),
    }))
}

async fn own(gateway: Gateway, request: Request) -> Result<Outcome> {
    let totals = gateway.totals(request.caller()).await?;
    Ok(Outcome::data(OwnView::from(totals)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RangeQuery {
    /// `YYYY-MM-DD`, default six days before the end.
    start_date: Option<String>,
    /// `YYYY-MM-DD`, default today. At most 366 days from the start.
    end_date: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct DayQuery {
    /// `YYYY-MM-DD`, default today.
    date: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RangeView {
    device_id: String,
    range: RangeShown,
    /// One entry per day, oldest first.
    statistics: Vec<DayView>,
    /// Sums; a chat that was active on several days counts once.
    summary: Figures,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RangeShown {
    start_date: String,
    end_date: String,
}

#[derive(Serialize, JsonSchema)]
struct DayView {
    date: String,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct DailyView {
    device_id: String,
    date: String,
    #[serde(flatten)]
    figures: Figures,
    /// 24 entries.
    hourly: Vec<HourView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Figures {
    incoming_messages: u64,
    outgoing_messages: u64,
    /// Chats in which something was written.
    active_chats: u64,
    /// Percentage of the incoming messages that an outgoing one of the same chat and day followed.
    response_rate: f64,
}

impl Figures {
    fn new(day: &DeviceDay) -> Self {
        Self {
            incoming_messages: day.incoming,
            outgoing_messages: day.outgoing,
            active_chats: day.chats,
            response_rate: day.response_rate(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct HourView {
    /// 0 to 23, on the clocks of Asia/Jakarta.
    hour: usize,
    incoming_messages: u32,
    outgoing_messages: u32,
}

#[derive(Serialize, JsonSchema)]
struct OwnView {
    devices: OwnDevices,
    messages: OwnMessages,
    /// Number of jobs per state.
    jobs: BTreeMap<&'static str, usize>,
    /// Number of scheduled messages per state.
    scheduled: BTreeMap<&'static str, usize>,
    contacts: usize,
}

#[derive(Serialize, JsonSchema)]
struct OwnDevices {
    total: usize,
    connected: usize,
}

#[derive(Serialize, JsonSchema)]
struct OwnMessages {
    sent: u64,
    received: u64,
    failed: u64,
    today: OwnToday,
}

#[derive(Serialize, JsonSchema)]
struct OwnToday {
    sent: u64,
    received: u64,
}

impl From<Totals> for OwnView {
    fn from(totals: Totals) -> Self {
        let (all, today) = (totals.all, totals.today);
        Self {
            devices: OwnDevices { total: totals.devices, connected: totals.connected },
            messages: OwnMessages {
                sent: all.outgoing,
                received: all.incoming,
                failed: all.failed,
                today: OwnToday { sent: today.outgoing, received: today.incoming },
            },
            jobs: totals.jobs,
            scheduled: totals.schedules,
            contacts: totals.contacts,
        }
    }
}
