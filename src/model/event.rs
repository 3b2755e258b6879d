//! What happened: the rows of the outbox, in the words of the core. Surfaces shape them for their clients.

use crate::model::change::What;
use crate::model::channel::ChannelPost;
use crate::model::chat::ChatChange;
use crate::model::device::{DeviceStatus, LinkStep, LinkTrouble};
use crate::model::group::GroupChange;
use crate::model::id::{DeviceId, DeviceNo, JobId, ScheduleId, UserId};
use crate::model::jid::Jid;
use crate::model::job::{ItemError, JobStatus};
use crate::model::message::{Message, MessageStatus};
use crate::model::schedule::ScheduleStatus;
use crate::model::status_post::StatusPost;
use serde::{Deserialize, Serialize};

/// A row of the outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// Position in the outbox, without gaps or repeats; the id of live events.
    pub seq: u64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Where it happened.
    pub scope: Scope,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// Where an event happened: decides who may see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scope {
    /// The device.
    pub device: DeviceNo,
    /// Its name for clients.
    pub device_id: DeviceId,
    /// Its owner when it happened.
    pub owner: UserId,
}

/// What happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// The connection of a device changed.
    Link {
        /// New state.
        status: DeviceStatus,
        /// Digits of the linked number.
        phone_number: Option<String>,
        /// How far a linking has come.
        step: Option<LinkStep>,
        /// What is wrong.
        trouble: Option<LinkTrouble>,
    },
    /// A new QR waits for a scan. Its text is a secret and is asked of the running device, so it is never on disk.
    Qr {
        /// Milliseconds since 1970 at which the next one replaces it.
        expires_at: i64,
    },
    /// A pairing code was issued; like the QR it is asked of the running device.
    PairingCode {
        /// Milliseconds since 1970.
        expires_at: i64,
    },
    /// WhatsApp asks for a passkey to finish a linking.
    PasskeyRequested,
    /// A message came in, or was written by the account on another of its devices.
    MessageReceived {
        /// The stored message.
        message: Message,
    },
    /// A message that Kurir sent was accepted by WhatsApp.
    MessageSent {
        /// The stored message.
        message: Message,
    },
    /// A message was changed: somebody reacted, rewrote it, deleted it or voted.
    MessageChanged {
        /// The message as it stands now.
        message: Message,
        /// Who changed it; the account itself when absent.
        by: Option<Jid>,
        /// What changed.
        #[serde(flatten)]
        what: What,
    },
    /// The file of an incoming message was fetched, or given up.
    MessageMedia {
        /// The stored message.
        message: Message,
    },
    /// A message came further, or failed.
    MessageStatus {
        /// WhatsApp's message id.
        message_id: String,
        /// The chat it stands in.
        chat: String,
        /// How far it came.
        status: MessageStatus,
    },
    /// The disappearing timer of a conversation was set.
    ChatTimer {
        /// The conversation.
        chat: Jid,
        /// Who set it; the account itself when absent.
        by: Option<Jid>,
        /// Seconds; 0 when messages stay.
        seconds: u32,
    },
    /// The owner set something for a chat.
    ChatSet {
        /// The chat.
        chat: Jid,
        /// What was set.
        #[serde(flatten)]
        change: ChatChange,
    },
    /// A chat that began under a hidden id now stands under the person's number.
    ChatMerged {
        /// The hidden id.
        from: Jid,
        /// The number.
        chat: Jid,
    },
    /// A status post of the account or of a contact came, went out, or went.
    StatusPost {
        /// What happened to it.
        change: StatusPostChange,
        /// The post, without the people who may see or saw it.
        post: Box<StatusPost>,
    },
    /// A post of a channel came, went out, or went.
    ChannelPost {
        /// What happened to it.
        change: ChannelPostChange,
        /// The post.
        post: Box<ChannelPost>,
    },
    /// A part of what the phone had before the linking, or was asked for later, is stored.
    History {
        /// `initial`, `recent`, `full`, `names`, `onDemand` or `other`.
        kind: String,
        /// How much of the history has come, in percent, when the phone said so.
        progress: Option<u32>,
        /// Chats of this part.
        chats: u64,
        /// Messages of this part that were not known.
        messages: u64,
    },
    /// A group changed.
    Group {
        /// The group.
        group: Jid,
        /// Who changed it, when the network said so.
        by: Option<Jid>,
        /// What changed.
        #[serde(flatten)]
        change: GroupChange,
    },
    /// A job moved on.
    Job {
        /// Its name for clients.
        job: JobId,
        /// State.
        status: JobStatus,
        /// Number of items.
        total: u32,
        /// Items that WhatsApp accepted.
        succeeded: u32,
        /// Items that were given up.
        failed: u32,
        /// True when it goes on after a pause.
        #[serde(default)]
        resumed: bool,
    },
    /// A schedule was made or changed, or one of its runs ended.
    Schedule {
        /// Its name for clients.
        schedule: ScheduleId,
        /// What happened to it.
        change: ScheduleChange,
        /// State.
        status: ScheduleStatus,
        /// WhatsApp's id of the message of the run.
        message_id: Option<String>,
        /// Why the run failed.
        error: Option<ItemError>,
    },
    /// A device was created, renamed, reassigned or deleted.
    Device {
        /// `created`, `updated` or `deleted`.
        change: DeviceChange,
    },
}

/// What happened to a status post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusPostChange {
    /// A contact posted it, or the account on another of its devices.
    Received,
    /// WhatsApp accepted it.
    Sent,
    /// It was given up.
    Failed,
    /// Its author deleted it.
    Deleted,
}

/// What happened to a post of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelPostChange {
    /// The channel posted it, or the account on another of its devices.
    Received,
    /// WhatsApp accepted it.
    Sent,
    /// It was given up.
    Failed,
    /// It was deleted for everybody.
    Deleted,
}

/// What happened to a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleChange {
    /// A person made or changed it.
    Updated,
    /// A run was accepted by WhatsApp.
    Sent,
    /// A run failed.
    Failed,
}

/// What happened to a device as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChange {
    /// It is new.
    Created,
    /// Its name or owner changed.
    Updated,
    /// It is gone.
    Deleted,
}
