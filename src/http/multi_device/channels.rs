//! Channels: following, making and reading them, and posting in own ones (ours, in the style of the family).

use super::answers::{self, SentView};
use super::chats::within;
use super::messages::idempotency_key;
use crate::clock::iso_ms;
use crate::error::{Code, Error, Result};
use crate::gateway::Gateway;
use crate::http::reply::Outcome;
use crate::http::request::Request;
use crate::http::route::{Route, delete, get, post, put};
use crate::model::channel::{Channel, ChannelPost, ChannelRole};
use crate::model::device::Device;
use crate::model::jid::Jid;
use crate::model::message::{MessageStatus, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Posts of a page unless the query says otherwise.
const POSTS_LIMIT: usize = 50;
/// Most posts of a page: what WhatsApp gives at once.
const POSTS_MAX: usize = 99;

pub fn routes() -> Vec<Route> {
    vec![
        get("/devices/:deviceId/channels", list)
            .summary("Channels that the account follows or runs")
            .gives::<ChannelsView>(),
        post("/devices/:deviceId/channels", create)
            .summary("Makes a channel")
            .takes::<CreateBody>()
            .gives::<ChannelView>(),
        get("/devices/:deviceId/channel-invite", preview)
            .summary("The channel behind an invite link, without following it")
            .query::<LinkQuery>()
            .gives::<ChannelView>(),
        post("/devices/:deviceId/channel-invite", follow_link)
            .summary("Follows a channel by its invite link")
            .takes::<LinkBody>()
            .gives::<ChannelView>(),
        get("/devices/:deviceId/channels/:channelId", show)
            .summary("A channel, followed or not")
            .gives::<ChannelView>(),
        post("/devices/:deviceId/channels/:channelId/follow", follow)
            .summary("Follows a channel")
            .gives::<ChannelView>(),
        delete("/devices/:deviceId/channels/:channelId/follow", unfollow)
            .summary("Follows a channel no more; its posts go from the store"),
        put("/devices/:deviceId/channels/:channelId/mute", mute)
            .summary("Sets whether the account's phones tell of a channel")
            .takes::<MuteBody>()
            .gives::<ChannelView>(),
        get("/devices/:deviceId/channels/:channelId/messages", posts)
            .summary("Posts of a channel, newest first; asked of WhatsApp while the device is connected")
            .query::<PostsQuery>()
            .gives::<PostsView>(),
        post("/devices/:deviceId/channels/:channelId/messages", publish)
            .summary("Posts a text in a channel that the account runs")
            .takes::<PostBody>()
            .gives::<SentView>(),
    ]
}

async fn list(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let channels = gateway.channels(&device).await?;
    let channels: Vec<_> = channels.iter().map(ChannelView::new).collect();
    Ok(Outcome::data(ChannelsView { device_id: device.id.to_string(), total: channels.len(), channels }))
}

async fn create(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: CreateBody = request.json().await?;
    let name = body.name.unwrap_or_default();
    let made = gateway.create_channel(&device, &name, body.description.as_deref()).await?;
    Ok(Outcome::ok(Code::ChannelCreated, ChannelView::new(&made)))
}

async fn preview(gateway: Gateway, request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let query: LinkQuery = request.query()?;
    let channel = gateway.channel_behind(&device, &query.link.unwrap_or_default()).await?;
    Ok(Outcome::data(ChannelView::new(&channel)))
}

async fn follow_link(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    let body: LinkBody = request.json().await?;
    let channel = gateway.follow_channel_behind(&device, &body.link.unwrap_or_default()).await?;
    Ok(Outcome::ok(Code::ChannelFollowed, ChannelView::new(&channel)))
}

async fn show(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, channel) = subject(&gateway, &request)?;
    Ok(Outcome::data(ChannelView::new(&gateway.channel(&device, &channel).await?)))
}

async fn follow(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, channel) = subject(&gateway, &request)?;
    let channel = gateway.follow_channel(&device, &channel).await?;
    Ok(Outcome::ok(Code::ChannelFollowed, ChannelView::new(&channel)))
}

async fn unfollow(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, channel) = subject(&gateway, &request)?;
    gateway.unfollow_channel(&device, &channel).await?;
    Ok(Outcome::said(Code::ChannelUnfollowed))
}

async fn mute(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, channel) = subject(&gateway, &request)?;
    let body: MuteBody = request.json().await?;
    let muted = body.muted.ok_or_else(|| Error::invalid("muted", "true or false"))?;
    let channel = gateway.mute_channel(&device, &channel, muted).await?;
    Ok(Outcome::data(ChannelView::new(&channel)))
}

async fn posts(gateway: Gateway, request: Request) -> Result<Outcome> {
    let (device, channel) = subject(&gateway, &request)?;
    let query: PostsQuery = request.query()?;
    let limit = within("limit", query.limit, 1..=POSTS_MAX, POSTS_LIMIT)?;
    let page = gateway.channel_posts(&device, &channel, query.before, limit).await?;
    let messages: Vec<_> = page.rows.iter().map(PostView::new).collect();
    let (channel_id, total) = (channel.to_string(), messages.len());
    Ok(Outcome::data(PostsView { channel_id, messages, total, has_more: page.has_more }))
}

async fn publish(gateway: Gateway, mut request: Request) -> Result<Outcome> {
    let (device, channel) = subject(&gateway, &request)?;
    let body: PostBody = request.json().await?;
    let key = idempotency_key(&request)?;
    let text = body.message.filter(|text| !text.trim().is_empty());
    let text = Text::parse(&text.ok_or_else(|| Error::invalid("message", "1 to 4096 characters"))?)?;
    let sent = gateway.post_in_channel(request.caller(), &device, &channel, text, key).await?;
    Ok(answers::sent(&device, &sent))
}

/// Returns the device and the channel of the path; whose device it is comes before how the channel is written.
fn subject(gateway: &Gateway, request: &Request) -> Result<(Device, Jid)> {
    let device = gateway.device(request.caller(), request.param("deviceId"))?;
    Ok((device, Jid::channel(request.param("channelId"))?))
}

#[derive(Deserialize, JsonSchema)]
struct CreateBody {
    /// 1 to 100 characters.
    name: Option<String>,
    /// At most 2048 characters.
    description: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct LinkQuery {
    /// `https://whatsapp.com/channel/…`, or the code alone.
    link: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct LinkBody {
    /// `https://whatsapp.com/channel/…`, or the code alone.
    link: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct MuteBody {
    /// True when the phones shall not tell of it.
    muted: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
struct PostBody {
    /// 1 to 4096 characters.
    message: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct PostsQuery {
    /// 1 to 99; absent means 50.
    limit: Option<usize>,
    /// Message id of the oldest post of the page before.
    before: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelsView {
    device_id: String,
    channels: Vec<ChannelView>,
    total: usize,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelView {
    /// Address, such as `120363123456789012@newsletter`.
    channel_id: String,
    name: String,
    description: Option<String>,
    followers: u64,
    /// What the account is to it.
    role: ChannelRole,
    /// Whether the account's phones do not tell of it.
    muted: bool,
    /// Whether WhatsApp vouches for who runs it.
    verified: bool,
    /// Its invite link, when WhatsApp tells one.
    link: Option<String>,
    /// ISO 8601, UTC.
    created_at: Option<String>,
}

impl ChannelView {
    fn new(channel: &Channel) -> Self {
        Self {
            channel_id: channel.jid.to_string(),
            name: channel.name.clone(),
            description: channel.description.clone(),
            followers: channel.followers,
            role: channel.role,
            muted: channel.muted,
            verified: channel.verified,
            link: channel.invite_code.as_ref().map(|code| format!("https://whatsapp.com/channel/{code}")),
            created_at: channel.created_at.map(iso_ms),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PostsView {
    channel_id: String,
    messages: Vec<PostView>,
    total: usize,
    has_more: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PostView {
    /// WhatsApp's message id.
    message_id: String,
    /// Its number in the channel; null until WhatsApp has told it.
    number: Option<u64>,
    /// Whether the account runs the channel, so that it speaks for it.
    from_me: bool,
    /// WhatsApp's name of the kind.
    message_type: String,
    /// Text or caption.
    text: Option<String>,
    /// Of files only.
    mimetype: Option<String>,
    /// ISO 8601, UTC.
    timestamp: String,
    /// `pending`, `failed` or `sent` of what Kurir posts, `delivered` of everything else.
    status: MessageStatus,
}

impl PostView {
    fn new(post: &ChannelPost) -> Self {
        Self {
            message_id: post.id.clone(),
            number: post.number,
            from_me: post.from_me,
            message_type: post.content.kind().to_owned(),
            text: post.content.text().map(str::to_owned),
            mimetype: post.content.media().map(|media| media.mime.to_string()),
            timestamp: iso_ms(post.at),
            status: post.status,
        }
    }
}
