//! The family `notifications`: `/api/notifications`, what the caller is to be told (contract `conflicts.md` section 4).

use super::envelope::Plain;
use super::paging::{Pagination, Paging};
use super::reply::Outcome;
use super::request::Request;
use super::route::{Route, Surface, get, post};
use super::view::trouble_text;
use crate::clock::iso_ms;
use crate::error::{Error, Result};
use crate::gateway::Gateway;
use crate::model::job::JobStatus;
use crate::model::notification::{News, Notification};
use crate::words::{Code, Lang};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ids of one request to mark as read; a user has no more.
const IDS_MAX: usize = 500;

/// Returns the surface.
pub fn surface() -> Surface {
    Surface {
        family: "notifications",
        prefix: "/api/notifications",
        lang: Lang::Id,
        envelope: &Plain,
        routes: routes(),
        open: false,
    }
}

fn routes() -> Vec<Route> {
    vec![
        get("/", list)
            .summary(
                "What the caller is to be told, newest first; news of one matter are one entry while unread",
            )
            .query::<ListQuery>()
            .gives::<NotificationList>(),
        post("/read", read)
            .unnoted()
            .summary("Marks notifications as read, all without `ids`")
            .takes::<ReadBody>()
            .gives::<ReadView>(),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let query: ListQuery = request.query()?;
    let paging = Paging::new(query.page, query.limit, 20, 1..=100)?;
    let mut all = gateway.notifications(request.caller()).await?;
    let unread_count = all.iter().filter(|one| !one.read).count();
    if query.unread == Some(true) {
        all.retain(|one| !one.read);
    }
    let (rows, pagination) = paging.cut(all);
    let notifications = rows.iter().map(|one| NotificationView::new(one, request.lang())).collect();
    Ok(Outcome::data(NotificationList { notifications, unread_count, pagination }))
}

async fn read(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: ReadBody = request.json().await?;
    if body.ids.as_ref().is_some_and(|ids| ids.len() > IDS_MAX) {
        return Err(Error::invalid("ids", format!("at most {IDS_MAX}")));
    }
    let count = gateway.read_notifications(request.caller(), body.ids).await?;
    Ok(Outcome::ok(Code::NotificationsRead, ReadView { count }).with_arg("count", count))
}

#[derive(Deserialize, JsonSchema)]
struct ListQuery {
    /// True for those that were not read.
    unread: Option<bool>,
    /// From 1.
    page: Option<usize>,
    /// 1 to 100, default 20.
    limit: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
struct ReadBody {
    /// Which; all when absent.
    ids: Option<Vec<u64>>,
}

#[derive(Serialize, JsonSchema)]
struct ReadView {
    /// How many were unread.
    count: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NotificationList {
    notifications: Vec<NotificationView>,
    /// Over all pages.
    unread_count: usize,
    pagination: Pagination,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NotificationView {
    id: u64,
    /// `connection`, `message` or `job`.
    r#type: &'static str,
    /// In the language of the caller.
    message: String,
    device_id: String,
    read: bool,
    /// ISO 8601, UTC: the newest of it.
    created_at: String,
    /// Connection: state of the device. Job: how it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Messages: where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_jid: Option<String>,
    /// Messages: the beginning of the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<String>,
    /// Messages: how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_id: Option<String>,
}

impl NotificationView {
    fn new(told: &Notification, lang: Lang) -> Self {
        let device = told.device_id.to_string();
        let mut view = Self {
            id: told.id,
            r#type: "connection",
            message: String::new(),
            device_id: device.clone(),
            read: told.read,
            created_at: iso_ms(told.at),
            status: None,
            chat_jid: None,
            preview: None,
            count: None,
            job_id: None,
        };
        match &told.news {
            News::Connection { status, trouble } => {
                view.status = Some(status.as_str());
                view.message = match trouble {
                    None => Code::NewsConnected.text(lang, &[("device", device)]),
                    Some(trouble) => Code::NewsDisconnected
                        .text(lang, &[("device", device), ("reason", trouble_text(trouble, lang))]),
                };
            }
            News::Messages { chat, name, preview, count } => {
                view.r#type = "message";
                let name = name.clone().unwrap_or_else(|| chat.user().to_owned());
                view.message = Code::NewsMessages.text(lang, &[("count", count.to_string()), ("name", name)]);
                (view.chat_jid, view.preview, view.count) =
                    (Some(chat.to_string()), preview.clone(), Some(*count));
            }
            News::Job { job, status, succeeded, failed } => {
                view.r#type = "job";
                let code = match status {
                    JobStatus::Failed => Code::NewsJobFailed,
                    JobStatus::Cancelled => Code::NewsJobCancelled,
                    _ => Code::NewsJobCompleted,
                };
                view.message =
                    code.text(lang, &[("ok", succeeded.to_string()), ("failed", failed.to_string())]);
                (view.status, view.job_id) = (Some(status.as_str()), Some(job.to_string()));
            }
        }
        view
    }
}
