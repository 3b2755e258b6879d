//! The family `events`: `/api/events`, server-sent events from the outbox (contract `events.md`).
//!
//! Every event is an unnamed message with a `type`, because documented clients only listen to those. The `id` of a message is
//! its number in the outbox; `Last-Event-ID` resumes behind it.

use super::envelope::Plain;
use super::live;
use super::message_view::{MarksView, PartsView, muted_until};
use super::qr;
use super::reply::Outcome;
use super::request::Request;
use super::route::{Route, Surface, get};
use super::sightings;
use super::view::{Progress, trouble_text};
use crate::clock::iso_ms;
use crate::error::Result;
use crate::gateway::{Gateway, Sightings, Subscription, item_error};
use crate::model::change::What;
use crate::model::channel::ChannelPost;
use crate::model::chat::ChatChange;
use crate::model::device::{DeviceStatus, LinkTrouble};
use crate::model::event::{ChannelPostChange, DeviceChange, Event, Fact, ScheduleChange, StatusPostChange};
use crate::model::group::{GroupChange, Member};
use crate::model::jid::Jid;
use crate::model::job::JobStatus;
use crate::model::message::{Content, Message, MessageStatus};
use crate::model::status_post::StatusPost;
use crate::words::Lang;
use futures_util::stream;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Returns the surface.
pub fn surface() -> Surface {
    Surface {
        family: "events",
        prefix: "/api/events",
        lang: Lang::Id,
        envelope: &Plain,
        routes: routes(),
        open: false,
    }
}

fn routes() -> Vec<Route> {
    vec![
        get("/", follow)
            .uncounted()
            .raw("text/event-stream")
            .summary("Live events as a stream (text/event-stream); Last-Event-ID resumes"),
    ]
}

async fn follow(gateway: Gateway, request: Request) -> Result<Outcome> {
    let caller = request.caller().clone();
    // Browsers send the header when they reconnect; the query serves clients that cannot set headers.
    let after = request.header("last-event-id").and_then(|id| id.trim().parse().ok());
    let subscription = gateway.subscribe(&caller, after)?;
    let hello = json!({
        "type": "connected",
        "userId": caller.user.0,
        "role": caller.role.as_str(),
        "timestamp": iso_ms(gateway.clock().now()),
    });
    let follower = Follower {
        ends_at: caller.expires_at(),
        ready: VecDeque::from([(None, hello)]),
        subscription,
        sightings: gateway.sightings(&caller),
        gateway,
        lang: request.lang(),
        ended: false,
    };
    Ok(live::events(
        &request,
        stream::unfold(
            follower,
            |mut follower| async move { follower.next().await.map(|item| (item, follower)) },
        ),
    ))
}

/// One client's stream: what is ready to be sent, and where more comes from.
struct Follower {
    gateway: Gateway,
    subscription: Subscription,
    sightings: Sightings,
    ready: VecDeque<(Option<String>, Value)>,
    ends_at: Option<i64>,
    lang: Lang,
    ended: bool,
}

impl Follower {
    async fn next(&mut self) -> Option<(Option<String>, Value)> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if self.ended {
                return None;
            }
            let clock = self.gateway.clock().clone();
            let ends_at = self.ends_at;
            let expired = async {
                match ends_at {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                events = self.subscription.next() => match events {
                    Ok(events) => events.iter().for_each(|event| self.take(event)),
                    Err(error) => {
                        // The client reconnects and resumes behind what it saw.
                        tracing::error!(%error, "reading live events failed");
                        self.ended = true;
                    }
                },
                seen = self.sightings.next() => match seen {
                    Ok((device, seen)) => {
                        self.ready.push_back((None, sightings::shape(&self.gateway, &device, &seen)));
                    }
                    Err(error) => {
                        tracing::error!(%error, "reading who types and who is there failed");
                        self.ended = true;
                    }
                },
                () = expired => {
                    let bye = json!({"type": "token-expired", "timestamp": iso_ms(clock.now())});
                    self.ready.push_back((None, bye));
                    self.ended = true;
                }
            }
        }
    }

    /// Shapes an event; the last of its messages carries the id, so that a resume never skips one.
    fn take(&mut self, event: &Event) {
        let mut messages = shape(&self.gateway, event, self.lang);
        let last = messages.pop();
        self.ready.extend(messages.into_iter().map(|message| (None, message)));
        self.ready.extend(last.map(|message| (Some(event.seq.to_string()), message)));
    }
}

/// Returns the messages that an event is for clients; none when it has become meaningless, such as a QR that is gone.
fn shape(gateway: &Gateway, event: &Event, lang: Lang) -> Vec<Value> {
    let device = event.scope.device_id.as_str();
    let with = |kind: &str, mut body: Value| {
        body["type"] = kind.into();
        body["deviceId"] = device.into();
        if body.get("timestamp").is_none() {
            body["timestamp"] = iso_ms(event.at).into();
        }
        body
    };
    match &event.fact {
        Fact::Link { status, phone_number, step, trouble } => {
            let state = json!({
                "deviceId": device,
                "status": status,
                "isConnected": *status == DeviceStatus::Connected,
                "phoneNumber": phone_number,
                "step": step,
                "reason": trouble.as_ref().map(|trouble| trouble.name()),
                "message": trouble.as_ref().map(|trouble| trouble_text(trouble, lang)),
                "bannedUntil": trouble.as_ref().and_then(LinkTrouble::banned_until).map(iso_ms),
            });
            let mut body = state.clone();
            body["data"] = state;
            vec![with("whatsapp-status", body.clone()), with("device-status", body)]
        }
        Fact::Qr { .. } => qr_code(gateway, event).map(|body| with("qr-code", body)).into_iter().collect(),
        Fact::PairingCode { .. } => match gateway.live(event.scope.device).pairing {
            Some(pairing) => vec![with(
                "pairing-code",
                json!({"pairingCode": pairing.code, "expiresAt": iso_ms(pairing.expires_at)}),
            )],
            None => vec![],
        },
        Fact::PasskeyRequested => match gateway.live(event.scope.device).passkey {
            Some(options) => vec![with("passkey-request", json!({"options": options}))],
            None => vec![],
        },
        Fact::MessageReceived { message } => {
            vec![with("message.received", message_body(gateway, event, message))]
        }
        Fact::MessageMedia { message } => vec![with("message.media", message_body(gateway, event, message))],
        Fact::MessageSent { message } => vec![with("message.sent", message_body(gateway, event, message))],
        Fact::MessageChanged { message, by, what } => {
            let (kind, change) = message_change(what, message);
            let mut body = message_body(gateway, event, message);
            body["by"] = json!(by);
            body["byMe"] = by.is_none().into();
            body["timestamp"] = iso_ms(event.at).into();
            merge(&mut body, change);
            vec![with(kind, body)]
        }
        Fact::ChatSet { chat, change } => {
            let mut body = chat_change(*change);
            body["chatJid"] = json!(chat);
            vec![with("chat.updated", body)]
        }
        Fact::ChatTimer { chat, by, seconds } => {
            vec![with("chat.timer", json!({"chatJid": chat, "by": by, "expiresInSeconds": seconds}))]
        }
        Fact::MessageStatus { message_id, chat, status } => {
            let to = chat.strip_suffix("@s.whatsapp.net").unwrap_or(chat);
            let body = json!({"messageId": message_id, "status": status, "chatJid": chat, "to": to});
            let mut messages = vec![with("message.status", body.clone())];
            if *status == MessageStatus::Delivered {
                messages.push(with("message.delivered", body));
            }
            messages
        }
        Fact::ChatMerged { from, chat } => {
            vec![with("chat.merged", json!({"chatJid": chat, "lid": from}))]
        }
        Fact::StatusPost { change, post } => {
            let kind = match change {
                StatusPostChange::Received => "status-post.received",
                StatusPostChange::Sent => "status-post.sent",
                StatusPostChange::Failed => "status-post.failed",
                StatusPostChange::Deleted => "status-post.deleted",
            };
            vec![with(kind, status_post(gateway, event, post))]
        }
        Fact::ChannelPost { change, post } => {
            let kind = match change {
                ChannelPostChange::Received => "channel-post.received",
                ChannelPostChange::Sent => "channel-post.sent",
                ChannelPostChange::Failed => "channel-post.failed",
                ChannelPostChange::Deleted => "channel-post.deleted",
            };
            vec![with(kind, channel_post(post))]
        }
        Fact::History { kind, progress, chats, messages } => {
            let body = json!({"kind": kind, "progress": progress, "chats": chats, "messages": messages});
            vec![with("history.progress", body)]
        }
        Fact::Group { group, by, change } => {
            let (kind, mut body) = group_change(change);
            body["groupId"] = json!(group);
            body["by"] = json!(by);
            vec![with(kind, body)]
        }
        Fact::Job { job, status, total, succeeded, failed, resumed } => {
            let kind = match status {
                JobStatus::Queued | JobStatus::Processing if *resumed => "job.resumed",
                JobStatus::Paused => "job.paused",
                JobStatus::Queued | JobStatus::Processing => "job.progress",
                JobStatus::Completed => "job.completed",
                JobStatus::Failed => "job.failed",
                JobStatus::Cancelled => "job.cancelled",
            };
            let progress = Progress::new(*total, *succeeded, *failed);
            vec![with(kind, json!({"jobId": job, "status": status, "progress": progress}))]
        }
        Fact::Schedule { schedule, change, status, message_id, error } => {
            let kind = match change {
                ScheduleChange::Updated => "scheduled.updated",
                ScheduleChange::Sent => "scheduled.sent",
                ScheduleChange::Failed => "scheduled.failed",
            };
            let error = error.as_ref().map(|error| item_error(Some(error)).text(lang));
            let body = json!({
                "scheduledMessageId": schedule,
                "status": status,
                "messageId": message_id,
                "errorMessage": error,
            });
            vec![with(kind, body)]
        }
        Fact::Device { change } => {
            let kind = match change {
                DeviceChange::Created => "device.created",
                DeviceChange::Updated => "device.updated",
                DeviceChange::Deleted => "device.deleted",
            };
            vec![with(kind, json!({}))]
        }
    }
}

/// Returns the type and the body of a group's change.
fn group_change(change: &GroupChange) -> (&'static str, Value) {
    let people = |action: &str, members: &[Member]| {
        let people: Vec<_> =
            members.iter().map(|member| json!({"jid": member.jid, "lid": member.lid})).collect();
        ("group.participants", json!({"action": action, "participants": people}))
    };
    let updated = |body: Value| ("group.updated", body);
    match change {
        GroupChange::Added { members } => people("add", members),
        GroupChange::Removed { members } => people("remove", members),
        GroupChange::Promoted { members } => people("promote", members),
        GroupChange::Demoted { members } => people("demote", members),
        GroupChange::Requested { members } => people("request", members),
        GroupChange::Subject { subject } => updated(json!({"subject": subject})),
        GroupChange::Description { description } => updated(json!({"description": description})),
        GroupChange::Announce { on } => updated(json!({"announce": on})),
        GroupChange::Locked { on } => updated(json!({"locked": on})),
        GroupChange::Approval { on } => updated(json!({"approval": on})),
        GroupChange::Ephemeral { seconds } => updated(json!({"ephemeralSeconds": seconds})),
        GroupChange::Other { what } => updated(json!({"change": what})),
        GroupChange::Joined => ("group.joined", json!({})),
        GroupChange::Deleted => ("group.deleted", json!({})),
    }
}

fn qr_code(gateway: &Gateway, event: &Event) -> Option<Value> {
    let qr = gateway.live(event.scope.device).qr?;
    let image = match qr::png_data_url(&qr.text) {
        Ok(image) => image,
        Err(error) => {
            tracing::error!(%error, "drawing a QR failed");
            return None;
        }
    };
    Some(json!({"qrCode": image, "qr": image, "qrString": qr.text, "expiresAt": iso_ms(qr.expires_at)}))
}

/// Returns the type of a message's change, and what it is.
fn message_change(what: &What, message: &Message) -> (&'static str, Value) {
    match what {
        What::Reaction { emoji } => ("message.reaction", json!({"emoji": emoji})),
        What::Edit { .. } => ("message.edited", json!({})),
        What::Deletion { by_admin } => ("message.deleted", json!({"byAdmin": by_admin})),
        What::Keep { on } => ("message.kept", json!({"kept": on})),
        What::Pin { seconds } => ("message.pinned", json!({"pinned": *seconds > 0})),
        What::Vote { options } => {
            let names: Vec<_> = match &message.content {
                Content::Poll(poll) => {
                    options.iter().filter_map(|index| poll.options.get(*index as usize)).collect()
                }
                _ => Vec::new(),
            };
            ("message.vote", json!({"options": names}))
        }
    }
}

fn status_post(gateway: &Gateway, event: &Event, post: &StatusPost) -> Value {
    let lid = post.author.as_ref().and_then(|author| gateway.lid_of(event.scope.device, author));
    json!({
        "messageId": post.id,
        "from": post.author,
        "fromLid": lid,
        "fromMe": post.author.is_none(),
        "pushName": post.push_name,
        "messageType": post.content.kind(),
        "message": post.content.text(),
        "status": post.status,
        "expiresAt": iso_ms(post.ends_at()),
        "jobId": post.job,
    })
}

fn channel_post(post: &ChannelPost) -> Value {
    json!({
        "messageId": post.id,
        "channelId": post.channel,
        "number": post.number,
        "fromMe": post.from_me,
        "messageType": post.content.kind(),
        "message": post.content.text(),
        "status": post.status,
        "jobId": post.job,
    })
}

fn chat_change(change: ChatChange) -> Value {
    match change {
        ChatChange::Archived { on } => json!({"archived": on}),
        ChatChange::Pinned { on } => json!({"pinned": on}),
        ChatChange::Muted { until } => json!({"muted": until.is_some(), "mutedUntil": muted_until(until)}),
    }
}

fn merge(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

fn message_body(gateway: &Gateway, event: &Event, message: &Message) -> Value {
    let device = event.scope.device;
    let lid = |person: Option<&Jid>| person.and_then(|person| gateway.lid_of(device, person));
    let media = message.content.media();
    let mut body = json!({
        "mimetype": media.map(|media| &media.mime),
        "fileName": media.and_then(|media| media.file_name.as_deref()),
        "mediaState": media.map(|media| media.state),
        "mediaUrl": media.and_then(|media| gateway.media_link(media)),
        "chatJid": message.chat,
        "chatLid": lid(Some(&message.chat)),
        "from": message.sender,
        "fromLid": lid(message.sender.as_ref()),
        "mentions": message.mentions,
        "to": message.from_me.then(|| message.chat.phone().map_or_else(|| message.chat.to_string(), str::to_owned)),
        "fromMe": message.from_me,
        "pushName": message.push_name,
        "message": message.content.text(),
        "messageId": message.id,
        "messageType": message.content.kind(),
        "status": message.status,
        "jobId": message.job,
        "timestamp": iso_ms(message.at),
    });
    // The stream does not tell the account's own address: `fromMe` says so.
    for more in [json!(PartsView::new(&message.content, None)), json!(MarksView::new(message, None))] {
        merge(&mut body, more);
    }
    body
}
