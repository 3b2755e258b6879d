//! Groups (contract section 9; subject, description, picture, settings, invites and requests are ours).

mod invites;
mod members;
mod messages;
mod settings;

pub(super) use settings::jpeg;

use crate::clock::iso_ms;
use crate::error::{Code, Error, Result};
use crate::gateway::Gateway;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Access, Route, get, post};
use crate::model::device::Device;
use crate::model::group::{Group, Member, MemberRole};
use crate::model::jid::{Jid, PhoneRule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Largest body that names people, in bytes: the most people of a group, each with a long address.
const PEOPLE_BODY_MAX: usize = 256 << 10;

pub fn routes() -> Vec<Route> {
    let own = vec![
        get("/devices/:deviceId/groups", list)
            .summary("Groups of the account, from what is known; `refresh` asks WhatsApp anew")
            .query::<RefreshQuery>()
            .gives::<GroupsView>(),
        post("/devices/:deviceId/groups", create)
            .summary("Makes a group")
            .body_max(PEOPLE_BODY_MAX)
            .takes::<CreateBody>()
            .gives::<CreatedView>()
            .status(201),
        get("/devices/:deviceId/groups/:groupId/info", info)
            .summary("One group with everybody in it")
            .query::<RefreshQuery>()
            .gives::<InfoView>(),
    ];
    let all = [own, messages::routes(), members::routes(), settings::routes(), invites::routes()];
    all.into_iter().flatten().map(|route| route.access(Access::Admin)).collect()
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: RefreshQuery = request.query()?;
    let list = gateway.groups(&device, query.refresh.unwrap_or(false)).await?;
    let groups: Vec<_> = list.groups.iter().map(GroupView::from).collect();
    Ok(Outcome::data(GroupsView {
        device_id: device.id.to_string(),
        total: groups.len(),
        groups,
        asked_at: iso_ms(list.asked_at),
    }))
}

async fn create(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: CreateBody = request.json().await?;
    let given = body.participants.unwrap_or_default();
    let people = people(&gateway, &given)?;
    let made = gateway.create_group(&device, &body.subject.unwrap_or_default(), people).await?;
    let reason = Error::new(Code::MemberNotAdded).text(request.lang());
    let failed = made.missing.iter().map(|jid| FailedView { jid: jid.to_string(), reason: reason.clone() });
    let view = CreatedView {
        group_id: made.group.jid.to_string(),
        subject: made.group.subject,
        total_participants: given.len(),
        participants: given,
        failed: failed.collect(),
    };
    Ok(Outcome::created(Code::GroupCreated, view))
}

async fn info(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let query: RefreshQuery = request.query()?;
    let group = gateway.group(&device, &group, query.refresh.unwrap_or(false)).await?;
    Ok(Outcome::data(InfoView::from(&group)))
}

/// Returns the device and the group of the path.
fn subject(gateway: &Gateway, request: &Request) -> Result<(Device, Jid)> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let group = Jid::group(request.param("groupId"))?;
    Ok((device, group))
}

/// Reads numbers and addresses of people.
fn people(gateway: &Gateway, given: &[String]) -> Result<Vec<Jid>> {
    let rule: PhoneRule = gateway.config().api.phone_rule;
    given.iter().map(|text| rule.recipient(text)).collect()
}

#[derive(Deserialize, JsonSchema)]
struct RefreshQuery {
    /// Ask WhatsApp even when the answer is known; default false.
    refresh: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
struct CreateBody {
    /// 1 to 100 characters.
    subject: Option<String>,
    /// Numbers or addresses, at least one.
    participants: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct GroupsView {
    device_id: String,
    groups: Vec<GroupView>,
    total: usize,
    /// When WhatsApp was asked, ISO 8601, UTC; what it told since is in.
    asked_at: String,
}

#[derive(Serialize, JsonSchema)]
struct GroupView {
    id: String,
    subject: String,
    /// Addresses of everybody in it.
    participants: Vec<String>,
    /// Epoch seconds.
    creation: Option<i64>,
    owner: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreatedView {
    group_id: String,
    subject: String,
    /// As given.
    participants: Vec<String>,
    total_participants: usize,
    /// Who could not be taken in; absent when everybody was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedView>,
}

/// Somebody for whom it could not be done.
#[derive(Serialize, JsonSchema)]
pub(super) struct FailedView {
    jid: String,
    reason: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InfoView {
    id: String,
    subject: String,
    /// Epoch seconds.
    creation: Option<i64>,
    owner: Option<String>,
    participants: Vec<MemberView>,
    description: Option<String>,
    /// Only admins may write.
    announce: bool,
    /// Only admins may change subject, description and picture.
    locked: bool,
    /// An admin has to let new members in.
    approval: bool,
    /// Seconds after which messages disappear; 0 when they stay.
    ephemeral_seconds: u32,
    /// When WhatsApp was asked, ISO 8601, UTC; what it told since is in.
    asked_at: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MemberView {
    /// Address: the phone number where it is known.
    id: String,
    /// The hidden id, when it is known.
    lid: Option<String>,
    is_admin: bool,
    is_super_admin: bool,
}

impl From<&Group> for GroupView {
    fn from(group: &Group) -> Self {
        Self {
            id: group.jid.to_string(),
            subject: group.subject.clone(),
            participants: group.members.iter().map(|member| member.jid.to_string()).collect(),
            creation: group.creation,
            owner: group.owner.as_ref().map(Jid::to_string),
        }
    }
}

impl From<&Group> for InfoView {
    fn from(group: &Group) -> Self {
        Self {
            id: group.jid.to_string(),
            subject: group.subject.clone(),
            creation: group.creation,
            owner: group.owner.as_ref().map(Jid::to_string),
            participants: group.members.iter().map(MemberView::from).collect(),
            description: group.description.clone(),
            announce: group.settings.announce,
            locked: group.settings.locked,
            approval: group.settings.approval,
            ephemeral_seconds: group.settings.ephemeral_s,
            asked_at: iso_ms(group.asked_at),
        }
    }
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        Self {
            id: member.jid.to_string(),
            lid: member.lid.as_ref().map(Jid::to_string),
            is_admin: member.role != MemberRole::Member,
            is_super_admin: member.role == MemberRole::Owner,
        }
    }
}
