//! Allowed numbers: whose messages the history keeps.

use crate::clock;
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, NewAllowed};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, get, post, put};
use crate::model::allowed::AllowedNumber;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

pub fn routes() -> Vec<Route> {
    vec![
        get("/allowed-numbers", list)
            .summary("Numbers of devices whose messages the history keeps")
            .query::<ListQuery>()
            .gives::<ListView>(),
        post("/allowed-numbers", save)
            .summary("Allows a number; one that is there already is changed")
            .takes::<SaveBody>()
            .gives::<SavedView>()
            .status(201),
        put("/allowed-numbers/:id/status", set_status)
            .summary("Sets whether an allowed number counts")
            .takes::<StatusBody>()
            .gives::<SavedView>(),
        delete("/allowed-numbers/:id", remove).summary("Deletes an allowed number").gives::<RemovedView>(),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let query: ListQuery = request.query()?;
    let entries = gateway.allowed_numbers(request.caller(), query.whatsapp_number.as_deref())?;
    let allowed_numbers = views(&gateway, &entries)?;
    Ok(Outcome::data(ListView { total: allowed_numbers.len(), allowed_numbers }))
}

async fn save(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: SaveBody = request.json().await?;
    let number = body.whatsapp_number.filter(|number| !number.trim().is_empty());
    let number = number.ok_or_else(|| Error::required("whatsapp_number"))?;
    let active = body.status.as_deref().map_or(Ok(true), is_active)?;
    let new = NewAllowed { number, active, session: body.session_id };
    let entry = gateway.allow_number(request.caller(), new).await?;
    Ok(Outcome::created(Code::AllowedNumberSaved, saved(&gateway, entry)?))
}

async fn set_status(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: StatusBody = request.json().await?;
    let active = is_active(&body.status.ok_or_else(|| Error::required("status"))?)?;
    let entry = gateway.set_allowed(request.caller(), row(&request)?, active).await?;
    Ok(Outcome::ok(Code::AllowedNumberUpdated, saved(&gateway, entry)?))
}

async fn remove(gateway: Gateway, request: Request) -> Result<Outcome> {
    let id = row(&request)?;
    gateway.remove_allowed(request.caller(), id).await?;
    Ok(Outcome::ok(Code::AllowedNumberDeleted, RemovedView { id }))
}

fn row(request: &Request) -> Result<u32> {
    request.param("id").parse().map_err(|_| Error::new(Code::AllowedNumberNotFound))
}

fn is_active(status: &str) -> Result<bool> {
    match status.trim().to_ascii_lowercase().as_str() {
        "aktif" | "active" => Ok(true),
        "nonaktif" | "inactive" => Ok(false),
        _ => Err(Error::invalid("status", "expected aktif or nonaktif")),
    }
}

fn saved(gateway: &Gateway, entry: AllowedNumber) -> Result<SavedView> {
    let mut views = views(gateway, std::slice::from_ref(&entry))?;
    let allowed_number = views.pop().ok_or_else(|| Error::broken("an allowed number has no view"))?;
    Ok(SavedView { allowed_number })
}

fn views(gateway: &Gateway, entries: &[AllowedNumber]) -> Result<Vec<AllowedView>> {
    let names = gateway.device_names(entries)?;
    let view = |entry: &AllowedNumber| AllowedView {
        id: entry.id,
        whatsapp_number: entry.number.clone(),
        status: if entry.active { "aktif" } else { "nonaktif" },
        session_id: entry.device.and_then(|no| names.get(&no)).map(ToString::to_string),
        created_at: clock::local(entry.created_at),
        updated_at: clock::local(entry.updated_at),
    };
    Ok(entries.iter().map(view).collect())
}

/// Sessions are named by a text or by a number.
fn text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Given {
        Text(String),
        Number(u32),
    }
    let given = Option::<Given>::deserialize(deserializer)?.map(|given| match given {
        Given::Text(text) => text,
        Given::Number(number) => number.to_string(),
    });
    Ok(given.filter(|text| !text.trim().is_empty()))
}

#[derive(Deserialize, JsonSchema)]
struct ListQuery {
    /// Only this number, in any spelling.
    whatsapp_number: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct SaveBody {
    /// The number of a linked device, in any spelling. Users name those of their own devices.
    whatsapp_number: Option<String>,
    /// `aktif` (default) or `nonaktif`.
    status: Option<String>,
    /// The device: its id, or its number in the list of devices.
    #[serde(default, deserialize_with = "text_or_number")]
    session_id: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct StatusBody {
    /// `aktif` or `nonaktif`.
    status: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ListView {
    allowed_numbers: Vec<AllowedView>,
    total: usize,
}

#[derive(Serialize, JsonSchema)]
struct SavedView {
    allowed_number: AllowedView,
}

#[derive(Serialize, JsonSchema)]
struct RemovedView {
    id: u32,
}

#[derive(Serialize, JsonSchema)]
struct AllowedView {
    id: u32,
    /// Digits with country code.
    whatsapp_number: String,
    /// `aktif` or `nonaktif`.
    status: &'static str,
    /// Id of the device that stands with it.
    session_id: Option<String>,
    /// Local time, `YYYY-MM-DD HH:mm:ss`.
    created_at: String,
    /// Local time, `YYYY-MM-DD HH:mm:ss`.
    updated_at: String,
}
