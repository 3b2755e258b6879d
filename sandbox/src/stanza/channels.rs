//! Requests about channels. What a channel is and what becomes of it is asked by named queries in JSON (`w:mex`), its
//! posts by elements (`newsletter`).

use super::iq::{self, Refusal, Reply};
use super::{Device, Session};
use crate::channels::{self, plaintext};
use crate::state::channel::{Channel, Facts, Role};
use crate::{clock, node};
use serde_json::{Value, json};
use std::sync::Arc;
use wacore::iq::mex_operations::{
    create_newsletter, fetch_all_newsletters_metadata, fetch_newsletter, join_newsletter, leave_newsletter,
    update_newsletter_user_setting,
};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{JidExt as _, Node};

/// Posts that one answer holds at most.
const PAGE_MAX: usize = 100;
/// How long a client is told of reactions after it has asked for that, in seconds.
const LIVE_S: &str = "300";

/// Answers a query in JSON; a change is answered once it is stored.
pub fn query(session: &Session, device: &Device, request: &Node) -> Reply {
    let Some(query) = node::child(request, "query") else { return Refusal::BAD_REQUEST.into() };
    let asked: Value = serde_json::from_slice(&node::content(query)).unwrap_or_default();
    let variables = &asked["variables"];
    let id = node::text_attr(query, "query_id");
    let answered = match id.as_str() {
        fetch_newsletter::DOC_ID => show(session, device, &variables["input"]),
        fetch_all_newsletters_metadata::DOC_ID => Ok(list(session, device)),
        create_newsletter::DOC_ID => return create(session, device, request, &variables["input"]),
        join_newsletter::DOC_ID => return follow(session, device, request, variables),
        leave_newsletter::DOC_ID => return unfollow(session, device, request, variables),
        update_newsletter_user_setting::DOC_ID => {
            return mute(session, device, request, &variables["input"]);
        }
        _ => Err(UNKNOWN_QUERY),
    };
    Reply::Now(Ok(vec![match answered {
        Ok(data) => data_element(&data),
        Err(refusal) => error_element(&refusal),
    }]))
}

/// Answers a request about the posts of a channel.
pub fn posts(session: &Session, device: &Device, kind: &str, request: &Node) -> Reply {
    if node::child(request, "my_addons").is_some() {
        return Reply::Now(Ok(vec![node::empty("my_addons")]));
    }
    let channel = node::jid_attr(request, "to").and_then(|to| session.world.channels.get(to.user()));
    let Some(channel) = channel else { return Refusal::NOT_FOUND.into() };
    if kind == "set" && node::child(request, "live_updates").is_some() {
        let live = NodeBuilder::new("live_updates").attr("duration", LIVE_S).build();
        return Reply::Now(Ok(vec![live]));
    }
    match node::child(request, "messages").filter(|_| kind == "get") {
        Some(wish) => Reply::Now(Ok(vec![page(&channel, device, wish)])),
        None => Refusal::NOT_BUILT.into(),
    }
}

const UNKNOWN_QUERY: Refusal = Refusal { code: 400, text: "unknown query" };

fn page(channel: &Channel, device: &Device, wish: &Node) -> Node {
    let number = |key: &str| node::attr(wish, key).and_then(|text| text.parse::<u64>().ok());
    let count = number("count").map_or(PAGE_MAX, |count| (count as usize).min(PAGE_MAX));
    let facts = channel.facts();
    let before = number("before").unwrap_or(u64::MAX);
    let newest = facts.posts.range(..before).rev().take(count);
    let mut posts: Vec<Node> = newest
        .map(|(number, post)| {
            let mut element = NodeBuilder::new("message")
                .attr("id", post.id.clone())
                .attr("server_id", number.to_string())
                .attr("t", post.at.to_string())
                .attr("type", post.kind.clone());
            if post.by == device.account.number {
                element = element.attr("is_sender", "true");
            }
            element.children([plaintext(post)]).build()
        })
        .collect();
    posts.reverse();
    NodeBuilder::new("messages")
        .attr("jid", channel.jid())
        .attr("t", clock::now_s().to_string())
        .children(posts)
        .build()
}

fn show(session: &Session, device: &Device, input: &Value) -> Result<Value, Refusal> {
    let key = input["key"].as_str().ok_or(Refusal::BAD_REQUEST)?;
    let found = match input["type"].as_str() {
        Some("INVITE") => session.world.channels.by_code(key),
        _ => by_address(session, key),
    };
    let channel = found.ok_or(Refusal::NOT_FOUND)?;
    Ok(json!({"xwa2_newsletter": described(&channel, &channel.facts(), device)}))
}

fn list(session: &Session, device: &Device) -> Value {
    let mut own = Vec::new();
    for channel in session.world.channels.all() {
        let facts = channel.facts();
        if facts.role(&device.account.number) != Role::Guest {
            own.push(described(&channel, &facts, device));
        }
    }
    json!({"xwa2_newsletter_subscribed": own})
}

fn create(session: &Session, device: &Device, request: &Node, input: &Value) -> Reply {
    let name = input["name"].as_str().unwrap_or_default();
    let description = input["description"].as_str().map(str::to_owned);
    let made = channels::create(&session.world, &device.account, name, description, |channel| {
        answer_later(session, device, request, channel, "xwa2_newsletter_create")
    });
    made.map_or_else(|refusal| refused(&refusal), |_| Reply::Deferred)
}

fn follow(session: &Session, device: &Device, request: &Node, variables: &Value) -> Reply {
    let channel = match named(session, variables) {
        Ok(channel) => channel,
        Err(refusal) => return refused(&refusal),
    };
    let done = answer_later(session, device, request, &channel, "xwa2_newsletter_join_v2");
    channels::follow(&session.world, &channel, &device.account, done);
    Reply::Deferred
}

fn unfollow(session: &Session, device: &Device, request: &Node, variables: &Value) -> Reply {
    let left = named(session, variables).and_then(|channel| {
        let done = answer_later(session, device, request, &channel, "xwa2_newsletter_leave_v2");
        channels::unfollow(&session.world, &channel, &device.account, done)
    });
    left.map_or_else(|refusal| refused(&refusal), |()| Reply::Deferred)
}

fn mute(session: &Session, device: &Device, request: &Node, input: &Value) -> Reply {
    let muted = input["value"] == "ON";
    let set = named(session, input).and_then(|channel| {
        let done = answer_later(session, device, request, &channel, "xwa2_newsletter_update_user_setting");
        channels::mute(&session.world, &channel, &device.account, muted, done)
    });
    set.map_or_else(|refusal| refused(&refusal), |()| Reply::Deferred)
}

/// Returns what answers a change with the channel as it is then.
fn answer_later(
    session: &Session,
    device: &Device,
    request: &Node,
    channel: &Arc<Channel>,
    root: &'static str,
) -> impl FnOnce() + Send + 'static + use<> {
    let (sender, device, request, channel) =
        (session.sender.clone(), device.clone(), request.clone(), channel.clone());
    move || {
        let data = json!({root: described(&channel, &channel.facts(), &device)});
        sender.send(iq::result(&request, Ok(vec![data_element(&data)])));
    }
}

fn named(session: &Session, variables: &Value) -> Result<Arc<Channel>, Refusal> {
    let id = variables["newsletter_id"].as_str().ok_or(Refusal::BAD_REQUEST)?;
    by_address(session, id).ok_or(Refusal::NOT_FOUND)
}

fn by_address(session: &Session, address: &str) -> Option<Arc<Channel>> {
    session.world.channels.get(address.strip_suffix("@newsletter")?)
}

fn described(channel: &Channel, facts: &Facts, device: &Device) -> Value {
    let number = &device.account.number;
    let role = match facts.role(number) {
        Role::Owner => "OWNER",
        Role::Subscriber => "SUBSCRIBER",
        Role::Guest => "GUEST",
    };
    let mute = match facts.role(number) {
        Role::Owner => "MUTE_ADMIN_ACTIVITY",
        _ => "MUTE_FOLLOWER_ACTIVITY",
    };
    let value = if facts.muted.contains(number) { "ON" } else { "OFF" };
    json!({
        "id": channel.jid().to_string(),
        "state": {"type": "ACTIVE"},
        "thread_metadata": {
            "name": {"text": facts.name},
            "description": {"text": facts.description.clone().unwrap_or_default()},
            "subscribers_count": facts.followers.len().to_string(),
            "creation_time": facts.created_at.to_string(),
            "invite": facts.invite_code,
            "verification": "UNVERIFIED",
        },
        "viewer_metadata": {"role": role, "settings": [{"type": mute, "value": value}]},
    })
}

fn refused(refusal: &Refusal) -> Reply {
    Reply::Now(Ok(vec![error_element(refusal)]))
}

fn data_element(data: &Value) -> Node {
    node::bytes("result", json!({"data": data}).to_string())
}

fn error_element(refusal: &Refusal) -> Node {
    let error =
        json!({"message": refusal.text, "extensions": {"error_code": refusal.code, "is_summary": true}});
    node::bytes("result", json!({"data": null, "errors": [error]}).to_string())
}
