//! Status posts: what an account and its contacts show for a day (ours, in the style of the family).

use super::answers::{self, SentView};
use super::messages::idempotency_key;
use crate::clock::iso_ms;
use crate::error::{Error, Result};
use crate::gateway::Gateway;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, get, post};
use crate::model::jid::Jid;
use crate::model::message::{MessageStatus, OutgoingContent, Text};
use crate::model::status_post::{Seen, StatusPost, TEXT_MAX_CHARS};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// People that a client may choose for one post.
const CHOSEN_MAX: usize = 1_000;

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/status-posts", publish)
            .summary("Posts a status text for a day: for the contacts in the account's address book, or for chosen people")
            .takes::<PostBody>()
            .gives::<SentView>(),
        get("/devices/:deviceId/status-posts", list)
            .summary("Status posts of the account and its contacts that are shown now, newest first")
            .gives::<PostsView>(),
        delete("/devices/:deviceId/status-posts/:messageId", remove)
            .summary("Deletes a status post of the account")
            .gives::<SentView>(),
    ]
}

async fn publish(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: PostBody = request.json().await?;
    let key = idempotency_key(&request)?;
    let text = body.message.as_deref().filter(|text| !text.trim().is_empty());
    let text = text.filter(|text| text.chars().count() <= TEXT_MAX_CHARS);
    let text = text.ok_or_else(|| Error::invalid("message", "1 to 700 characters"))?;
    let content = OutgoingContent::Text { text: Text::parse(text)? };
    let chosen = body.to.map(|people| chosen(&gateway, &people)).transpose()?;
    let sent = gateway.post_status(request.caller(), &device, content, chosen, key).await?;
    Ok(answers::sent(&device, &sent))
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let posts = gateway.status_posts(&device).await?;
    let posts: Vec<_> = posts.iter().map(PostView::new).collect();
    Ok(Outcome::data(PostsView { device_id: device.id.to_string(), total: posts.len(), posts }))
}

async fn remove(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let key = idempotency_key(&request)?;
    let sent = gateway.delete_status(request.caller(), &device, request.param("messageId"), key).await?;
    Ok(answers::sent(&device, &sent))
}

/// Reads the people that a client chose for one post.
pub(super) fn chosen(gateway: &Gateway, people: &[String]) -> Result<Vec<Jid>> {
    if !(1..=CHOSEN_MAX).contains(&people.len()) {
        return Err(Error::invalid("to", "1 to 1000 numbers"));
    }
    let rule = gateway.config().api.phone_rule;
    people.iter().map(|person| rule.recipient(person)).collect()
}

#[derive(Deserialize, JsonSchema)]
struct PostBody {
    /// 1 to 700 characters.
    message: Option<String>,
    /// Numbers of those who may see it, 1 to 1000; absent means everybody in the account's address book.
    to: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PostsView {
    device_id: String,
    posts: Vec<PostView>,
    total: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PostView {
    /// WhatsApp's message id.
    message_id: String,
    /// Address of who posted it; null when the account did.
    from: Option<String>,
    from_me: bool,
    /// The name that the author chose.
    push_name: Option<String>,
    /// WhatsApp's name of the kind.
    message_type: String,
    /// Text or caption.
    text: Option<String>,
    /// Of pictures and videos only.
    mimetype: Option<String>,
    /// ISO 8601, UTC.
    timestamp: String,
    /// ISO 8601, UTC: when it is no longer shown.
    expires_at: String,
    status: MessageStatus,
    /// Who looked at a post of the account, as far as they let others know.
    seen: Vec<SeenView>,
}

impl PostView {
    fn new(post: &StatusPost) -> Self {
        Self {
            message_id: post.id.clone(),
            from: post.author.as_ref().map(Jid::to_string),
            from_me: post.author.is_none(),
            push_name: post.push_name.clone(),
            message_type: post.content.kind().to_owned(),
            text: post.content.text().map(str::to_owned),
            mimetype: post.content.media().map(|media| media.mime.to_string()),
            timestamp: iso_ms(post.at),
            expires_at: iso_ms(post.ends_at()),
            status: post.status,
            seen: post.seen.iter().map(SeenView::new).collect(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct SeenView {
    /// Address of the person.
    by: String,
    /// ISO 8601, UTC.
    timestamp: String,
}

impl SeenView {
    fn new(seen: &Seen) -> Self {
        Self { by: seen.by.to_string(), timestamp: iso_ms(seen.at) }
    }
}
