//! What a companion asks for when its reader goes further back than the history it was given.

use super::past::id;
use super::plan::Part;
use super::{collect, conversation, upload};
use crate::phone::Phone;
use crate::state::account::Account;
use crate::store::Batch;
use crate::world::World;
use anyhow::{Context, Result};
use std::sync::Arc;
use wa::conversation::EndOfHistoryTransferType as End;
use wa::message::peer_data_operation_request_message::HistorySyncOnDemandRequest;
use wacore_binary::{Jid, JidExt as _};
use waproto::whatsapp as wa;

/// Messages of an answer when the companion does not say how many it wants.
const USUAL: usize = 50;
/// Messages of an answer at most.
const MOST: usize = 2000;

/// Answers with the messages of a chat before the one that the companion has. `session` is the id of its question.
pub async fn answer(
    world: &World,
    account: &Arc<Account>,
    phone: &mut Phone,
    device: u16,
    asked: &HistorySyncOnDemandRequest,
    session: &str,
    batch: &mut Batch,
) -> Result<()> {
    let name = chat_name(world, asked.chat_jid.as_deref().unwrap_or_default())?;
    let mut chat = collect::one(world, account, phone, &name)?;
    let part = part(&chat, asked);
    let history = wa::HistorySync {
        sync_type: wa::history_sync::HistorySyncType::ON_DEMAND,
        chunk_order: Some(1),
        progress: Some(100),
        conversations: vec![conversation::build(world, &mut chat, &part)],
        ..Default::default()
    };
    let mut notification = upload::stored(world, account, history, batch).await?;
    notification.peer_data_request_session_id = Some(session.to_owned());
    upload::tell(world, account, phone, device, notification, batch).await
}

fn chat_name(world: &World, jid: &str) -> Result<String> {
    let jid: Jid = jid.parse().context("a request for history names no chat")?;
    if jid.is_group() {
        return Ok(jid.to_string());
    }
    let other = world.directory.resolve(&world.store, &jid.to_non_ad())?;
    Ok(other.context("a request for history names an unknown chat")?.number.clone())
}

/// Finds what was asked for: older than the named message, or than its time when the phone does not have it.
fn part(chat: &collect::Whole, asked: &HistorySyncOnDemandRequest) -> Part {
    let oldest = asked.oldest_msg_id.as_deref().unwrap_or_default();
    let known = chat.messages.iter().position(|one| id(one) == oldest);
    let before_s = asked.oldest_msg_timestamp_ms.and_then(|at| u64::try_from(at / 1000).ok());
    let by_time = || match before_s {
        Some(at) => chat.messages.partition_point(|one| one.message_timestamp.unwrap_or_default() >= at),
        None => 0,
    };
    let from = known.map_or_else(by_time, |at| at + 1);
    let count = asked.on_demand_msg_count.and_then(|count| usize::try_from(count).ok()).filter(|n| *n > 0);
    let to = (from + count.unwrap_or(USUAL).min(MOST)).min(chat.messages.len());
    let end = if to == chat.messages.len() {
        End::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY
    } else {
        End::COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY
    };
    Part { chat: 0, from, to, end: Some(end) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::history::past::Facts;
    use buffa::MessageField;

    fn chat() -> collect::Whole {
        let message = |n: u64| wa::WebMessageInfo {
            key: MessageField::some(wa::MessageKey { id: Some(n.to_string()), ..Default::default() }),
            message_timestamp: Some(1000 + n),
            ..Default::default()
        };
        let messages = (0..10).rev().map(message).collect();
        collect::Whole { name: "111".to_owned(), facts: Facts::default(), messages, newest_s: None }
    }

    #[test]
    fn older_messages_are_found_by_id_and_else_by_time() {
        let ask = |id: &str, at_ms: Option<i64>, count: Option<i32>| HistorySyncOnDemandRequest {
            oldest_msg_id: Some(id.to_owned()),
            oldest_msg_timestamp_ms: at_ms,
            on_demand_msg_count: count,
            ..Default::default()
        };
        for (asked, from, to) in [
            (ask("7", None, Some(3)), 3, 6),
            (ask("7", Some(5), None), 3, 10),
            (ask("gone", Some(1_004_000), Some(2)), 6, 8),
            (ask("gone", Some(5), Some(2)), 10, 10),
            (ask("", None, Some(-1)), 0, 10),
            (ask("0", None, Some(5)), 10, 10),
        ] {
            let part = part(&chat(), &asked);
            assert_eq!((part.from, part.to), (from, to), "{asked:?}");
            let all = End::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY;
            assert_eq!(part.end == Some(all), to == 10, "{asked:?}");
        }
    }
}
