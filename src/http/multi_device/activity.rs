//! The caller's personal log (contract `conflicts.md` section 4).

use crate::clock::local;
use crate::error::Result;
use crate::gateway::Gateway;
use crate::http::paging::{Pagination, Paging};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, get};
use crate::model::activity::Activity;
use crate::words::{Code, Lang};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub fn routes() -> Vec<Route> {
    vec![
        get("/activity", list)
            .summary("What the caller did, newest first")
            .query::<ListQuery>()
            .gives::<ActivityList>(),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let query: ListQuery = request.query()?;
    let paging = Paging::new(query.page, query.limit, 20, 1..=100)?;
    let mut all = gateway.activity(request.caller()).await?;
    let mut usage = BTreeMap::new();
    for entry in &all {
        *usage.entry(entry.action.clone()).or_insert(0) += 1;
    }
    all.retain(|entry| {
        query.device_id.as_ref().is_none_or(|device| entry.device_id.as_ref() == Some(device))
            && query.action.as_ref().is_none_or(|action| entry.action == *action)
    });
    let (rows, pagination) = paging.cut(all);
    let activity = rows.into_iter().map(|entry| ActivityView::new(entry, request.lang())).collect();
    Ok(Outcome::data(ActivityList { activity, usage, pagination }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    /// Only what was done with this device.
    device_id: Option<String>,
    /// Only this action, such as `devices.connect`.
    action: Option<String>,
    /// From 1.
    page: Option<usize>,
    /// 1 to 100, default 20.
    limit: Option<usize>,
}

#[derive(Serialize, JsonSchema)]
struct ActivityList {
    activity: Vec<ActivityView>,
    /// How often each action was done; the newest 5,000 entries count.
    usage: BTreeMap<String, usize>,
    pagination: Pagination,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ActivityView {
    id: u64,
    /// Such as `devices.connect` or `contacts.delete`.
    action: String,
    device_id: Option<String>,
    /// What the caller was answered.
    message: Option<String>,
    /// Names and numbers of the things it was about.
    details: Map<String, Value>,
    /// Local time in Asia/Jakarta.
    created_at: String,
}

impl ActivityView {
    fn new(entry: Activity, lang: Lang) -> Self {
        let code = entry.code.as_deref().and_then(Code::named);
        Self {
            id: entry.id,
            action: entry.action,
            device_id: entry.device_id,
            message: code.map(|code| {
                code.filled(lang, entry.args.iter().map(|(place, value)| (place.as_str(), value.as_str())))
            }),
            details: entry.details,
            created_at: local(entry.at),
        }
    }
}
