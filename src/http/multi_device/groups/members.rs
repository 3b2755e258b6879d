//! Who is in a group and who is an admin of it.

use super::{FailedView, PEOPLE_BODY_MAX, people, subject};
use crate::error::{Code, Result};
use crate::gateway::{Gateway, MemberChange};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, post};
use crate::model::jid::Jid;
use crate::words::Lang;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/groups/:groupId/participants", add)
            .summary("Takes people into a group; each may be refused on their own")
            .body_max(PEOPLE_BODY_MAX)
            .takes::<PeopleBody>()
            .gives::<AddedView>(),
        delete("/devices/:deviceId/groups/:groupId/participants/:participantJid", remove)
            .summary("Sends somebody away")
            .gives::<RemovedView>(),
        post("/devices/:deviceId/groups/:groupId/admins", promote)
            .summary("Makes members admins: `adminJid`, or several with `participants`")
            .body_max(PEOPLE_BODY_MAX)
            .takes::<AdminsBody>()
            .gives::<PromotedView>(),
        delete("/devices/:deviceId/groups/:groupId/admins/:adminJid", demote)
            .summary("Makes an admin a plain member")
            .gives::<DemotedView>(),
    ]
}

async fn add(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let body: PeopleBody = request.json().await?;
    let people = people(&gateway, &body.participants.unwrap_or_default())?;
    let change = gateway.add_members(&device, &group, people).await?;
    let view =
        AddedView { success: true, failed: failed(&change, request.lang()), added: texts(&change.done) };
    Ok(Outcome::ok(Code::MembersAdded, view))
}

async fn remove(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let person = gateway.config().api.phone_rule.recipient(request.param("participantJid"))?;
    let removed = gateway.remove_member(&device, &group, person).await?;
    Ok(Outcome::ok(Code::MemberRemoved, RemovedView { success: true, removed: removed.to_string() }))
}

async fn promote(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let body: AdminsBody = request.json().await?;
    let given = body.admin_jid.map(|one| vec![one]).or(body.participants).unwrap_or_default();
    let change = gateway.promote(&device, &group, people(&gateway, &given)?).await?;
    let failed = failed(&change, request.lang());
    if given.len() == 1
        && let Some((_, error)) = change.failed.into_iter().next()
    {
        return Err(error);
    }
    let view = PromotedView { success: true, promoted: texts(&change.done), failed };
    Ok(Outcome::ok(Code::AdminsAdded, view))
}

async fn demote(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, group) = subject(&gateway, &request)?;
    let person = gateway.config().api.phone_rule.recipient(request.param("adminJid"))?;
    let demoted = gateway.demote(&device, &group, person).await?;
    Ok(Outcome::ok(Code::AdminRemoved, DemotedView { success: true, demoted: demoted.to_string() }))
}

/// Returns for whom it could not be done.
pub(super) fn failed(change: &MemberChange, lang: Lang) -> Vec<FailedView> {
    let view = |(jid, error): &(Jid, crate::error::Error)| FailedView {
        jid: jid.to_string(),
        reason: error.text(lang),
    };
    change.failed.iter().map(view).collect()
}

/// Returns addresses as they are written.
pub(super) fn texts(people: &[Jid]) -> Vec<String> {
    people.iter().map(Jid::to_string).collect()
}

/// People by number or address.
#[derive(Deserialize, JsonSchema)]
pub(super) struct PeopleBody {
    /// Numbers or addresses, at least one.
    pub(super) participants: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AdminsBody {
    /// Number or address of one member.
    admin_jid: Option<String>,
    /// Numbers or addresses of several.
    participants: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
struct AddedView {
    success: bool,
    added: Vec<String>,
    /// Who was refused; absent when nobody was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedView>,
}

#[derive(Serialize, JsonSchema)]
struct RemovedView {
    success: bool,
    removed: String,
}

#[derive(Serialize, JsonSchema)]
struct PromotedView {
    success: bool,
    promoted: Vec<String>,
    /// Who was refused; absent when nobody was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedView>,
}

#[derive(Serialize, JsonSchema)]
struct DemotedView {
    success: bool,
    demoted: String,
}
