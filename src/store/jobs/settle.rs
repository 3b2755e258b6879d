//! The end of an item: what it leaves in the counters, in its chat, or in the message that it changes, and who is told.

use super::rows::{existing, existing_item, put, put_item};
use super::{is_channel, is_status, leave_queue, message_of, told};
use crate::error::Result;
use crate::model::change::Change;
use crate::model::event::Fact;
use crate::model::id::JobId;
use crate::model::job::{Item, ItemError, ItemState, Job};
use crate::model::message::{MessageStatus, Outgoing, OutgoingContent};
use crate::store::tables::Tables;
use crate::store::{changes, channels, chat_settings, devices, messages, outbox, schedules, status_posts};

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// WhatsApp accepted the message.
    Sent,
    /// It is given up.
    Failed(ItemError),
    /// Its time passed before it could be tried.
    Overdue(ItemError),
}

/// Settles an item: item, job counters, message and outbox in one commit. Returns the job as it stands now.
///
/// Settling twice changes nothing. An item whose job was cancelled while it was in flight counts as what it became.
pub fn settle(tables: &mut Tables<'_>, job: &JobId, index: u32, outcome: &Outcome, now: i64) -> Result<Job> {
    let mut job = existing(tables, job)?;
    let mut item = existing_item(tables, &job.id, index)?;
    if matches!(item.state, ItemState::Sent | ItemState::Failed) {
        return Ok(job);
    }
    leave_queue(tables, &job, &mut item)?;
    let sent = matches!(outcome, Outcome::Sent);
    item.state = if sent { ItemState::Sent } else { ItemState::Failed };
    item.settled_at = Some(now);
    if let Outcome::Failed(error) | Outcome::Overdue(error) = outcome {
        item.error = Some(error.clone());
    }
    put_item(tables, &job.id, &item)?;
    let turn = job.next_at;
    job.count(sent, now);
    if matches!(outcome, Outcome::Overdue(_)) {
        // Nothing was sent that the next one would have to keep its distance from.
        job.next_at = turn;
    }
    put(tables, &job)?;
    tell_settled(tables, &job, &mut item, now)?;
    if let Some(schedule) = &job.schedule {
        schedules::run_ended(tables, schedule, &job.id, &item, now)?;
    }
    Ok(job)
}

fn tell_settled(tables: &mut Tables<'_>, job: &Job, item: &mut Item, now: i64) -> Result<()> {
    if is_status(item) {
        return status_posts::settle(tables, job, item, now);
    }
    if is_channel(item) {
        return channels::settle(tables, job, item, now);
    }
    let Some(mut message) = message_of(tables, job, item)? else {
        return tell_changed(tables, job, item, now);
    };
    message.status = if item.state == ItemState::Sent { MessageStatus::Sent } else { MessageStatus::Failed };
    message.error.clone_from(&item.error);
    let attempted = message.status;
    if !job.kind.is_single() {
        // A bulk message stands in the chat where it was sent, not where the job was made.
        message.at = now;
    }
    let message = messages::settle_outgoing(tables, &message, now)?;
    if message.marks.withheld && item.state == ItemState::Sent {
        // Until here the job was the only place that had it.
        item.to = message.chat.phone().map_or_else(|| message.chat.to_string(), str::to_owned);
        item.outgoing = None;
        put_item(tables, &job.id, item)?;
    }
    // A receipt that overtook the acceptance was told already.
    let is_news = message.status == attempted;
    let scope = devices::scope(&devices::existing(tables, job.device)?);
    let status = Fact::MessageStatus {
        message_id: message.id.clone(),
        chat: message.chat.to_string(),
        status: message.status,
    };
    if item.state == ItemState::Sent {
        outbox::append(tables, now, scope.clone(), Fact::MessageSent { message })?;
    }
    if is_news {
        outbox::append(tables, now, scope.clone(), status)?;
    }
    if job.kind.is_listed() {
        outbox::append(tables, now, scope, told(job))?;
    }
    Ok(())
}

/// Applies what WhatsApp accepted to the message or the chat that it is about; what it refused is only told.
fn tell_changed(tables: &mut Tables<'_>, job: &Job, item: &Item, now: i64) -> Result<()> {
    let Some(outgoing) = &item.outgoing else { return Ok(()) };
    if item.state == ItemState::Sent {
        return accepted(tables, job, outgoing, now);
    }
    let scope = devices::scope(&devices::existing(tables, job.device)?);
    let status = Fact::MessageStatus {
        message_id: item.message_id.clone(),
        chat: outgoing.to.to_string(),
        status: MessageStatus::Failed,
    };
    outbox::append(tables, now, scope, status)
}

fn accepted(tables: &mut Tables<'_>, job: &Job, outgoing: &Outgoing, now: i64) -> Result<()> {
    let (device, chat) = (job.device, outgoing.to.clone());
    match &outgoing.content {
        OutgoingContent::Change(own) => {
            let (target, what) = (own.target.clone(), own.what.clone());
            let change = Change { device, chat, target, by: None, at: own.at, what };
            changes::apply(tables, &change, now).map(drop)
        }
        OutgoingContent::Timer { seconds } => {
            chat_settings::set_timer(tables, device, &chat, None, *seconds, job.created_at, now)
        }
        _ => Ok(()),
    }
}
