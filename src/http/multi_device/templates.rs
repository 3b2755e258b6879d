//! Message templates (contract section 7; reading one with its versions is ours).

use super::messages::idempotency_key;
use crate::clock::{iso_ms, local};
use crate::error::{Code, Error, Result};
use crate::gateway::{CountedTemplate, Gateway, TemplateChange};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, get, post, put};
use crate::model::id::UserId;
use crate::model::message::{Outgoing, Text};
use crate::model::template::Template;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub fn routes() -> Vec<Route> {
    vec![
        get("/templates", list)
            .summary("Message templates, the built-in ones included")
            .query::<ListQuery>()
            .gives::<TemplateList>(),
        post("/templates", create)
            .summary("Writes a message template")
            .takes::<CreateBody>()
            .gives::<OneTemplate>()
            .status(201),
        get("/templates/:baseId", show)
            .summary("A message template with its versions")
            .gives::<TemplateWithVersions>(),
        put("/templates/:baseId", revise)
            .summary("Changes a message template, which makes a new version")
            .takes::<ChangeBody>()
            .gives::<OneTemplate>(),
        delete("/templates/:baseId", remove)
            .summary("Deletes a message template with all its versions")
            .gives::<RemovedTemplate>(),
        post("/templates/:baseId/use", apply)
            .summary("Fills a message template, and sends it when a device and a recipient are given")
            .takes::<UseBody>()
            .gives::<UsedView>(),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let query: ListQuery = request.query()?;
    let found = gateway.templates(request.caller(), query.user_id.map(UserId)).await?;
    let templates: Vec<_> = found.iter().map(TemplateView::from).collect();
    Ok(Outcome::data(TemplateList { total: templates.len(), templates }))
}

async fn create(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let body: CreateBody = request.json().await?;
    let new = TemplateChange {
        name: body.name,
        content: body.content,
        category: body.category,
        is_active: body.is_active,
    };
    let made = gateway.create_template(request.caller(), new).await?;
    Ok(Outcome::created(Code::TemplateCreated, OneTemplate { template: TemplateView::from(&made) }))
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (template, versions) = gateway.template(request.caller(), request.param("baseId"))?;
    Ok(Outcome::data(TemplateWithVersions {
        template: TemplateView::from(&template),
        versions: versions.iter().map(VersionView::from).collect(),
    }))
}

async fn revise(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    gateway.template(request.caller(), request.param("baseId"))?;
    let body: ChangeBody = request.json().await?;
    let change = TemplateChange {
        name: body.name,
        content: body.content,
        category: body.category,
        is_active: body.is_active,
    };
    let revised = gateway.revise_template(request.caller(), request.param("baseId"), change).await?;
    Ok(Outcome::ok(Code::TemplateUpdated, OneTemplate { template: TemplateView::from(&revised) }))
}

async fn remove(gateway: Gateway, request: Request) -> Result<Outcome> {
    let base_id = request.param("baseId").to_owned();
    gateway.delete_template(request.caller(), &base_id).await?;
    Ok(Outcome::ok(Code::TemplateDeleted, RemovedTemplate { success: true, base_id }))
}

async fn apply(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let base_id = request.param("baseId").to_owned();
    gateway.template(request.caller(), &base_id)?;
    let key = idempotency_key(&request)?;
    let body: UseBody = request.json().await?;
    let values = body.variables.unwrap_or_default();
    let values = values.into_iter().map(|(name, value)| text_of(value).map(|value| (name, value)));
    let message = gateway.render_template(request.caller(), &base_id, &values.collect::<Result<_>>()?)?;
    let to = body.to.or(body.phone).filter(|to| !to.trim().is_empty());
    let sent = match (body.device_id, to) {
        (None, None) => None,
        (None, Some(_)) => return Err(Error::required("deviceId")),
        (Some(_), None) => return Err(Error::required("to")),
        (Some(device), Some(to)) => {
            let device = gateway.device(request.caller(), &device)?;
            let to = gateway.config().api.phone_rule.recipient(&to)?;
            let outgoing = Outgoing::text(to, Text::parse(&message)?);
            Some((device.id.to_string(), gateway.send(request.caller(), &device, outgoing, key).await?))
        }
    };
    let used = gateway.count_template_use(request.caller(), &base_id).await?;
    let template = TemplateView::from(&used);
    let view = match sent {
        None => {
            UsedView { message, template, device_id: None, message_id: None, status: None, timestamp: None }
        }
        Some((device_id, sent)) => UsedView {
            message,
            template,
            device_id: Some(device_id),
            status: Some(sent.status()),
            message_id: Some(sent.message_id),
            timestamp: Some(iso_ms(sent.at)),
        },
    };
    Ok(Outcome::ok(Code::TemplateRendered, view))
}

/// Returns the value of a variable as it stands in the text: texts, numbers and booleans have one.
fn text_of(value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err(Error::invalid("variables", "expected texts or numbers")),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListQuery {
    /// Administrators: only templates of this user.
    user_id: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreateBody {
    /// 1 to 100 characters, unique per user.
    name: Option<String>,
    /// 1 to 4096 characters, variables written `{{name}}` or `{name}`.
    content: Option<String>,
    /// At most 50 characters.
    category: Option<String>,
    /// Default true.
    is_active: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeBody {
    /// 1 to 100 characters, unique per user.
    name: Option<String>,
    /// 1 to 4096 characters, variables written `{{name}}` or `{name}`.
    content: Option<String>,
    /// At most 50 characters; empty takes it away.
    category: Option<String>,
    is_active: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UseBody {
    /// Name to value; values are texts or numbers.
    variables: Option<BTreeMap<String, Value>>,
    /// With `to`: the device that sends the text.
    device_id: Option<String>,
    /// Number or address of the recipient.
    to: Option<String>,
    /// Accepted in place of `to`.
    phone: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct TemplateList {
    templates: Vec<TemplateView>,
    total: usize,
}

#[derive(Serialize, JsonSchema)]
struct OneTemplate {
    template: TemplateView,
}

#[derive(Serialize, JsonSchema)]
struct TemplateWithVersions {
    template: TemplateView,
    /// Newest first; up to 50 are kept.
    versions: Vec<VersionView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RemovedTemplate {
    success: bool,
    base_id: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UsedView {
    /// The text with its variables filled.
    message: String,
    template: TemplateView,
    /// The device that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    /// WhatsApp's message id, when it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// `sent`, or `pending` when WhatsApp has not answered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// ISO 8601, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TemplateView {
    /// Number of the version; 0 for built-in templates.
    id: u32,
    /// Names the template through its versions.
    base_id: String,
    version: u32,
    name: String,
    content: String,
    variables: Vec<String>,
    category: Option<String>,
    is_active: bool,
    usage_count: u64,
    /// Absent for built-in templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<u32>,
    /// True for the templates that everybody has and nobody can change.
    built_in: bool,
    /// Local time in Asia/Jakarta; none for built-in templates.
    created_at: Option<String>,
    /// Local time in Asia/Jakarta; none for built-in templates.
    updated_at: Option<String>,
}

impl From<&CountedTemplate> for TemplateView {
    fn from(counted: &CountedTemplate) -> Self {
        let template = &counted.template;
        Self {
            id: template.id,
            base_id: template.base_id.clone(),
            version: template.version,
            name: template.name.clone(),
            content: template.content.clone(),
            variables: template.variables(),
            category: template.category.clone(),
            is_active: template.is_active,
            usage_count: counted.uses,
            user_id: template.user.map(|user| user.0),
            built_in: template.user.is_none(),
            created_at: template.user.map(|_| local(template.created_at)),
            updated_at: template.user.map(|_| local(template.updated_at)),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    id: u32,
    version: u32,
    name: String,
    content: String,
    /// Local time in Asia/Jakarta.
    updated_at: String,
}

impl From<&Template> for VersionView {
    fn from(template: &Template) -> Self {
        Self {
            id: template.id,
            version: template.version,
            name: template.name.clone(),
            content: template.content.clone(),
            updated_at: local(template.updated_at),
        }
    }
}
