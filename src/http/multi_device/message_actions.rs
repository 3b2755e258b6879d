//! What people do with messages of a chat: answer, react, rewrite, delete, forward (ours, in the style of the family).

use super::answers::{self, SentView};
use super::chats::chat_of;
use super::messages::idempotency_key;
use super::recipient::destination;
use crate::error::{Code, Error, Result};
use crate::gateway::{Gateway, IdempotencyKey};
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, post, put};
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::model::message::{Outgoing, Text};
use crate::model::outgoing::Around;
use schemars::JsonSchema;
use serde::Deserialize;

/// How long a message stays pinned when nobody says it, in seconds: what phones offer first.
const PIN_S: u32 = 7 * 86_400;

pub fn routes() -> Vec<Route> {
    vec![
        post("/devices/:deviceId/chats/:jid/messages/:messageId/reply", reply)
            .summary("Answers a message with a text that shows it")
            .takes::<TextBody>()
            .gives::<SentView>(),
        post("/devices/:deviceId/chats/:jid/messages/:messageId/reaction", react)
            .summary("Reacts to a message; an empty emoji takes the reaction back")
            .takes::<ReactionBody>()
            .gives::<SentView>(),
        post("/devices/:deviceId/chats/:jid/messages/:messageId/vote", vote)
            .summary("Votes in a poll; no options take the vote back")
            .takes::<VoteBody>()
            .gives::<SentView>(),
        post("/devices/:deviceId/chats/:jid/messages/:messageId/forward", forward)
            .summary("Passes a message on to a person or, as an administrator, to a group")
            .takes::<ForwardBody>()
            .gives::<SentView>(),
        put("/devices/:deviceId/chats/:jid/messages/:messageId/star", star)
            .summary("Stars a message on all devices of the account, or takes the star away")
            .takes::<StarBody>(),
        put("/devices/:deviceId/chats/:jid/messages/:messageId/pin", pin)
            .summary("Pins a message on top of the chat for everyone, for 24 hours, 7 or 30 days")
            .takes::<PinBody>()
            .gives::<SentView>(),
        delete("/devices/:deviceId/chats/:jid/messages/:messageId/pin", unpin)
            .summary("Takes a pinned message down for everyone")
            .gives::<SentView>(),
        put("/devices/:deviceId/chats/:jid/messages/:messageId", rewrite)
            .summary("Rewrites a text or caption of the device, within 15 minutes")
            .takes::<TextBody>()
            .gives::<SentView>(),
        delete("/devices/:deviceId/chats/:jid/messages/:messageId", remove)
            .summary("Deletes a message for everyone: one of the device, or as admin of a group anybody's")
            .gives::<SentView>(),
    ]
}

/// The message that a path names.
struct Subject {
    device: Device,
    chat: Jid,
    id: String,
    key: Option<IdempotencyKey>,
}

fn subject(gateway: &Gateway, request: &Request) -> Result<Subject> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let chat = gateway.person(device.no, &chat_of(request)?)?;
    Ok(Subject { device, chat, id: request.param("messageId").to_owned(), key: idempotency_key(request)? })
}

async fn reply(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, key } = subject(&gateway, &request)?;
    let body: TextBody = request.json().await?;
    let text = body.text()?;
    let around = Around { quote: Some(gateway.quoted(&device, &chat, &id)?), ..Around::default() };
    let outgoing = Outgoing { around, ..Outgoing::text(chat, text) }.with_card(body.link_preview);
    let sent = gateway.send(request.caller(), &device, outgoing, key).await?;
    Ok(answers::sent(&device, &sent))
}

async fn react(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, key } = subject(&gateway, &request)?;
    let body: ReactionBody = request.json().await?;
    let emoji = body.emoji.unwrap_or_default();
    let sent = gateway.react(request.caller(), &device, &chat, &id, &emoji, key).await?;
    Ok(answers::sent(&device, &sent))
}

async fn vote(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, key } = subject(&gateway, &request)?;
    let body: VoteBody = request.json().await?;
    let sent = gateway.vote(request.caller(), &device, &chat, &id, &body.options, key).await?;
    Ok(answers::sent(&device, &sent))
}

async fn forward(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, key } = subject(&gateway, &request)?;
    let body: ForwardBody = request.json().await?;
    let to = destination(&gateway, &request, body.to.or(body.phone))?;
    let sent = gateway.forward(request.caller(), &device, &chat, &id, to, key).await?;
    Ok(answers::sent(&device, &sent))
}

async fn star(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, .. } = subject(&gateway, &request)?;
    let body: StarBody = request.json().await?;
    gateway.star(&device, &chat, &id, body.starred).await?;
    Ok(Outcome::said(Code::Ok))
}

async fn pin(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, key } = subject(&gateway, &request)?;
    let body: PinBody = request.json().await?;
    let seconds = body.seconds.unwrap_or(PIN_S);
    if seconds == 0 {
        return Err(Error::new(Code::PinTimeInvalid));
    }
    let sent = gateway.pin(request.caller(), &device, &chat, &id, seconds, key).await?;
    Ok(answers::sent(&device, &sent))
}

async fn unpin(gateway: Gateway, request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, key } = subject(&gateway, &request)?;
    let sent = gateway.pin(request.caller(), &device, &chat, &id, 0, key).await?;
    Ok(answers::sent(&device, &sent))
}

async fn rewrite(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, key } = subject(&gateway, &request)?;
    let body: TextBody = request.json().await?;
    let sent = gateway.rewrite(request.caller(), &device, &chat, &id, &body.text()?, key).await?;
    Ok(answers::sent(&device, &sent))
}

async fn remove(gateway: Gateway, request: Request) -> Result<Outcome> {
    let Subject { device, chat, id, key } = subject(&gateway, &request)?;
    let sent = gateway.delete_message(request.caller(), &device, &chat, &id, key).await?;
    Ok(answers::sent(&device, &sent))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TextBody {
    /// 1 to 4096 characters.
    message: Option<String>,
    /// In an answer: whether the first link of the text is shown with a card of its page; absent means yes.
    link_preview: Option<bool>,
}

impl TextBody {
    fn text(&self) -> Result<Text> {
        let text = self.message.as_deref().filter(|text| !text.trim().is_empty());
        Text::parse(text.ok_or_else(|| Error::new(Code::GroupTextRequired))?)
    }
}

#[derive(Deserialize, JsonSchema)]
struct ReactionBody {
    /// One emoji; empty or absent takes the reaction back.
    emoji: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct VoteBody {
    /// Names of the chosen options; none take the vote back.
    options: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct StarBody {
    /// Whether the message is starred.
    starred: bool,
}

#[derive(Deserialize, JsonSchema)]
struct PinBody {
    /// For how long: 86400, 604800 (when absent) or 2592000.
    seconds: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
struct ForwardBody {
    /// Number or address of a person, or address of a group.
    to: Option<String>,
    /// Accepted in place of `to`.
    phone: Option<String>,
}
