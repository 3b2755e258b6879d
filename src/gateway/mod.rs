//! What Kurir does: one file of verbs per subject. Handlers and loops call these; nothing here knows HTTP.

mod account_settings;
mod accounts;
mod activity;
mod address_book;
pub mod alarms;
mod allowed_numbers;
mod asked_phones;
mod base64_text;
mod caller;
mod channels;
mod chat_settings;
mod chats;
mod copies;
mod device_contacts;
mod devices;
mod group_messages;
mod groups;
mod health;
mod identities;
mod invites;
mod jobs;
pub mod links;
mod live;
mod logins;
mod media;
mod message_actions;
mod messages;
mod notifications;
mod passwords;
mod photos;
mod previews;
pub mod queue;
mod schedules;
mod search;
mod sightings;
mod signing;
mod statistics;
mod status_posts;
mod templates;
#[cfg(test)]
pub mod testing;
mod tokens;

pub use crate::store::files::Received as ReceivedFile;
pub use crate::wa::{InvitedTo, Preview, Qr, SettingChange};
pub use account_settings::{CHECK_MAX, Checked};
pub use accounts::{NewUser, ProfileChange};
pub use address_book::{CONTACTS_MAX, ContactChange, ContactFilter, SavedContacts};
pub use allowed_numbers::NewAllowed;
pub use caller::{Caller, Proof};
pub use chats::{Page, Source};
pub use devices::{DeviceStats, NewDevice};
pub use groups::{GroupList, MemberChange, NewGroup};
pub use health::Health;
pub use jobs::{JOB_MAX, JobFilter, JobPlan};
pub use live::Subscription;
pub use logins::{Credential, Tokens};
pub use media::{MediaDraft, MediaEntries, MediaEntry, MediaSource, StoredMedia};
pub use messages::{BULK_MAX, Entry, IdempotencyKey, Sent, item_error};
pub use photos::{PHOTO_MAX_BYTES, Upload};
pub use schedules::{ScheduleEdit, ScheduleFilter, When};
pub use search::{Hit, Search, SearchMark};
pub use sightings::Sightings;
pub use statistics::{DailyChat, DeviceDays, Totals};
pub use templates::{CountedTemplate, TemplateChange};

use crate::clock::Clock;
use crate::config::Config;
use crate::egress::Egress;
use crate::error::Result;
use crate::model::media::Mime;
use crate::store::{Store, allowed};
use crate::wa::Fleet;
use alarms::Alarms;
use passwords::Passwords;
use queue::Queue;
use signing::Signing;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Everything that Kurir does, for whoever asks. Clones share it.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    fleet: Fleet,
    queue: Queue,
    alarms: Alarms,
    clock: Clock,
    config: Config,
    passwords: Passwords,
    signing: Signing,
    /// True once an administrator was seen; it never becomes false again.
    claimed: AtomicBool,
    /// Whether the simulated network runs in this process.
    simulated: bool,
    started_at: i64,
    probe: health::Probe,
    diary: activity::Diary,
    /// Fetches files from addresses.
    egress: Egress,
    fetched: media::Fetched,
    /// Pages that links of texts lead to.
    looks: previews::Looks,
    asked_phones: asked_phones::AskedPhones,
    links: links::Links,
    /// Types of files that the owner accepts beyond the documented ones.
    listed_types: Vec<Mime>,
}

impl Gateway {
    /// Puts the parts together; `simulated` says whether the simulated network runs in this process.
    pub async fn new(
        store: Store,
        fleet: Fleet,
        clock: Clock,
        config: Config,
        simulated: bool,
    ) -> Result<Self> {
        let rule = config.history;
        store.write(move |t| allowed::set_rule(t, rule)).await?;
        let signing = Signing::open(&store, &config).await?;
        let links = links::Links::new(&signing::secret_or_kept(&store, "media-links", None).await?)?;
        let egress = Egress::new(config.egress.allow_private)?;
        let listed_types = config.media.extra_types.iter().filter_map(|name| Mime::parse(name)).collect();
        let started_at = clock.now();
        let inner = Inner {
            store,
            fleet,
            queue: Queue::default(),
            alarms: Alarms::default(),
            clock,
            config,
            passwords: Passwords::new(),
            signing,
            claimed: AtomicBool::new(false),
            simulated,
            started_at,
            probe: health::Probe::default(),
            diary: activity::Diary::default(),
            egress,
            fetched: media::Fetched::default(),
            looks: previews::Looks::default(),
            asked_phones: asked_phones::AskedPhones::default(),
            links,
            listed_types,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Returns the clock that all rules go by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Returns the configuration.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Returns whether the simulated network runs in this process.
    pub fn is_simulated(&self) -> bool {
        self.inner.simulated
    }

    /// Returns when the program started, in milliseconds since 1970.
    pub fn started_at(&self) -> i64 {
        self.inner.started_at
    }

    /// Returns the running devices.
    pub(super) fn fleet(&self) -> &Fleet {
        &self.inner.fleet
    }

    /// Returns the queue seen from outside.
    pub(super) fn queue(&self) -> &Queue {
        &self.inner.queue
    }

    /// Returns the wake-up of what waits for its time.
    pub(super) fn alarms(&self) -> &Alarms {
        &self.inner.alarms
    }

    /// Returns the store, for the loops of `work/`.
    pub(super) fn store(&self) -> &Store {
        &self.inner.store
    }

    fn signing(&self) -> &Signing {
        &self.inner.signing
    }
}
