//! Invite links and requests to join.

use super::members::{PeopleBody, failed, texts};
use super::{FailedView, GroupView, PEOPLE_BODY_MAX, people, subject};
use crate::clock::iso_ms;
use crate::error::{Code, Result};
use crate::gateway::{Gateway, InvitedTo};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, get, post};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/devices/:deviceId/groups/:groupId/invite", show)
            .summary("The invite link of a group")
            .gives::<InviteView>(),
        post("/devices/:deviceId/groups/:groupId/invite/reset", reset)
            .summary("Makes a new invite link; the old one is void")
            .gives::<InviteView>(),
        get("/devices/:deviceId/group-invite", preview)
            .summary("The group behind an invite link, without joining it")
            .query::<LinkQuery>()
            .gives::<PreviewView>(),
        post("/devices/:deviceId/group-invite", join)
            .summary("Joins a group by its invite link; 202 when an admin has to approve")
            .takes::<LinkBody>()
            .gives::<JoinedView>(),
        get("/devices/:deviceId/groups/:groupId/requests", requests)
            .summary("Who wants to join a group")
            .gives::<RequestsView>(),
        post("/devices/:deviceId/groups/:groupId/requests/approve", approve)
            .summary("Lets people in who want to join")
            .body_max(PEOPLE_BODY_MAX)
            .takes::<PeopleBody>()
            .gives::<DecidedView>(),
        post("/devices/:deviceId/groups/:groupId/requests/reject", reject)
            .summary("Refuses people who want to join")
            .body_max(PEOPLE_BODY_MAX)
            .takes::<PeopleBody>()
            .gives::<DecidedView>(),
    ]
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let code = gateway.group_invite(&device, &group, false).await?;
    Ok(Outcome::data(InviteView::new(group.to_string(), code)))
}

async fn reset(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let code = gateway.group_invite(&device, &group, true).await?;
    Ok(Outcome::ok(Code::GroupInviteReset, InviteView::new(group.to_string(), code)))
}

async fn preview(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: LinkQuery = request.query()?;
    let shown = gateway.preview_group(&device, &query.link.unwrap_or_default()).await?;
    Ok(Outcome::data(PreviewView {
        size: shown.size,
        description: shown.group.description.clone(),
        group: GroupView::from(&shown.group),
    }))
}

async fn join(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: LinkBody = request.json().await?;
    Ok(match gateway.join_group(&device, &body.link.unwrap_or_default()).await? {
        InvitedTo::Joined(group) => {
            Outcome::ok(Code::GroupJoined, JoinedView { group_id: group.to_string(), status: "joined" })
        }
        InvitedTo::Pending(group) => Outcome::accepted(
            Code::GroupJoinPending,
            JoinedView { group_id: group.to_string(), status: "pending" },
        ),
    })
}

async fn requests(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let told = gateway.join_requests(&device, &group).await?;
    let lids = gateway.lids(device.no, told.iter().map(|(person, _)| person))?;
    let view = told.iter().map(|(person, at)| RequestView {
        jid: person.to_string(),
        lid: lids.get(person).map(|lid| lid.to_string()),
        requested_at: at.map(iso_ms),
    });
    let requests: Vec<_> = view.collect();
    Ok(Outcome::data(RequestsView { group_id: group.to_string(), total: requests.len(), requests }))
}

async fn approve(gateway: Gateway, request: Request) -> Result<Outcome> {
    decide(gateway, request, true).await
}

async fn reject(gateway: Gateway, request: Request) -> Result<Outcome> {
    decide(gateway, request, false).await
}

async fn decide(gateway: Gateway, mut request: Request, approve: bool) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let body: PeopleBody = request.json().await?;
    let people = people(&gateway, &body.participants.unwrap_or_default())?;
    let change = gateway.decide_requests(&device, &group, people, approve).await?;
    let code = if approve { Code::RequestsApproved } else { Code::RequestsRejected };
    let view = DecidedView { done: texts(&change.done), failed: failed(&change, request.lang()) };
    Ok(Outcome::ok(code, view))
}

#[derive(Deserialize, JsonSchema)]
struct LinkQuery {
    /// `https://chat.whatsapp.com/…`, or the code alone.
    link: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct LinkBody {
    /// `https://chat.whatsapp.com/…`, or the code alone.
    link: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InviteView {
    group_id: String,
    code: String,
    link: String,
}

impl InviteView {
    fn new(group_id: String, code: String) -> Self {
        Self { group_id, link: format!("https://chat.whatsapp.com/{code}"), code }
    }
}

#[derive(Serialize, JsonSchema)]
struct PreviewView {
    #[serde(flatten)]
    group: GroupView,
    description: Option<String>,
    /// How many people are in it; not all of them may be shown.
    size: u32,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct JoinedView {
    group_id: String,
    /// `joined`, or `pending` until an admin approves.
    status: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RequestsView {
    group_id: String,
    requests: Vec<RequestView>,
    total: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RequestView {
    jid: String,
    /// The hidden id, when it is known.
    lid: Option<String>,
    /// ISO 8601, UTC.
    requested_at: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct DecidedView {
    /// For whom it was done.
    done: Vec<String>,
    /// For whom it was not; absent when it was for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedView>,
}
