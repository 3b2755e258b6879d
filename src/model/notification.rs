//! What a user is to be told: connection, new messages, the end of jobs.

use crate::model::device::{DeviceStatus, LinkTrouble};
use crate::model::event::Fact;
use crate::model::id::{DeviceId, JobId, UserId};
use crate::model::jid::Jid;
use crate::model::job::JobStatus;
use serde::{Deserialize, Serialize};

/// Characters of a message that a notification shows.
const PREVIEW_CHARS: usize = 100;

/// Something that a user is to be told. News of the same matter replace each other while they are unread.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Position in the user's list; given by the store.
    pub id: u64,
    /// Who is told.
    pub user: UserId,
    /// The clients' name of the device.
    pub device_id: DeviceId,
    /// Milliseconds since 1970 of the newest of it.
    pub at: i64,
    /// True once the user has seen it.
    pub read: bool,
    /// What happened.
    #[serde(flatten)]
    pub news: News,
}

/// What happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// A device is connected, or is no longer.
    Connection {
        /// State.
        status: DeviceStatus,
        /// What is wrong.
        trouble: Option<LinkTrouble>,
    },
    /// Messages came in.
    Messages {
        /// Where.
        chat: Jid,
        /// Who wrote the newest, by the name they gave themselves.
        name: Option<String>,
        /// The beginning of the newest.
        preview: Option<String>,
        /// How many.
        count: u32,
    },
    /// A job ended.
    Job {
        /// Which.
        job: JobId,
        /// How.
        status: JobStatus,
        /// Items that WhatsApp accepted.
        succeeded: u32,
        /// Items that were given up.
        failed: u32,
    },
}

impl News {
    /// Returns what a fact is for the owner of its device, if they have to be told.
    pub fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::Link { status, trouble, .. } => {
                let is_news = *status == DeviceStatus::Connected || trouble.is_some();
                is_news.then(|| Self::Connection { status: *status, trouble: trouble.clone() })
            }
            Fact::MessageReceived { message } if !message.from_me => Some(Self::Messages {
                chat: message.chat.clone(),
                name: message.push_name.clone(),
                preview: message.kept().content.text().map(|text| text.chars().take(PREVIEW_CHARS).collect()),
                count: 1,
            }),
            Fact::Job { job, status, succeeded, failed, .. } if status.is_ended() => {
                Some(Self::Job { job: job.clone(), status: *status, succeeded: *succeeded, failed: *failed })
            }
            _ => None,
        }
    }

    /// Returns the matter that it is about, among those of a device: unread news of one matter are one notification.
    pub fn subject(&self) -> String {
        match self {
            News::Connection { .. } => "connection".to_owned(),
            News::Messages { chat, .. } => subject_of_chat(chat),
            News::Job { job, .. } => format!("job:{job}"),
        }
    }

    /// Takes what was not seen yet into account.
    pub fn after(mut self, unread: &News) -> Self {
        if let (News::Messages { count, .. }, News::Messages { count: before, .. }) = (&mut self, unread) {
            *count = count.saturating_add(*before);
        }
        self
    }
}

/// Returns the matter of the messages of a chat.
pub fn subject_of_chat(chat: &Jid) -> String {
    format!("chat:{chat}")
}
