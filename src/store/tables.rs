//! Every table of the program, one line each with key order and value. The number in a name is its layout: another key
//! type is another name and a step in `migrate.rs`.

use crate::error::{Context, Result};
use redb::{ReadOnlyTable, ReadTransaction, Table, TableDefinition, WriteTransaction};
use std::collections::BTreeMap;

/// JSON with named fields, unless the line says raw or sealed.
pub type Bytes = &'static [u8];

macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident $name:literal $key:ty => $value:ty;)*) => {
        $(
            #[allow(non_upper_case_globals)]
            const $field: TableDefinition<$key, $value> = TableDefinition::new($name);
        )*

        /// The open tables of one write transaction.
        pub struct Tables<'t> {
            $($(#[$doc])* pub $field: Table<'t, $key, $value>,)*
            /// Highest outbox number written by this transaction; tells the readers after the commit.
            pub(super) outbox_head: Option<u64>,
            /// Counters of `meta` that this transaction moved on; written once, by [`Tables::finish`].
            pub(super) counters: BTreeMap<&'static str, u64>,
        }

        impl<'t> Tables<'t> {
            pub(super) fn open(tx: &'t WriteTransaction) -> Result<Self> {
                Ok(Self {
                    $($field: tx.open_table($field).context(concat!("opening table ", $name))?,)*
                    outbox_head: None,
                    counters: BTreeMap::new(),
                })
            }

            /// Writes what was held back; the last step before every commit.
            pub(super) fn finish(&mut self) -> Result<()> {
                for (name, number) in std::mem::take(&mut self.counters) {
                    self.meta.insert(name, number)?;
                }
                Ok(())
            }
        }

        /// A consistent view for reading; a table is opened when it is asked for.
        pub struct View {
            pub(super) tx: ReadTransaction,
        }

        impl View {
            $(
                $(#[$doc])*
                pub fn $field(&self) -> Result<ReadOnlyTable<$key, $value>> {
                    self.tx.open_table($field).context(concat!("opening table ", $name))
                }
            )*
        }
    };
}

tables! {
    /// name → number: `schema`, and the counters that hand out ids and sequence numbers.
    meta "meta-1" &'static str => u64;
    /// name → JSON of one setting.
    settings "settings-1" &'static str => Bytes;
    /// name → sealed: signing keys and other secrets of the program.
    secrets "secrets-1" &'static str => Bytes;

    /// user → `model::User`.
    users "users-1" u32 => Bytes;
    /// `u:<username>` or `e:<email>`, lower case → user.
    users_by_name "users_by_name-1" &'static str => u32;
    /// login id → `model::Login`.
    logins "logins-1" &'static str => Bytes;
    /// (user, token number) → `model::ApiToken`.
    api_tokens "api_tokens-1" (u32, u32) => Bytes;
    /// SHA-256 of the token in hex → (user, token number).
    api_tokens_by_hash "api_tokens_by_hash-1" &'static str => (u32, u32);

    /// device → `model::Device`.
    devices "devices-1" u32 => Bytes;
    /// device id of the clients → device.
    devices_by_id "devices_by_id-1" &'static str => u32;
    /// (device, kind of record, key) → sealed: the protocol library's state, see `sessions.rs`.
    protocol "protocol-1" (u32, u8, &'static [u8]) => Bytes;

    /// (device, chat, at ms, message id) → `model::Message`: the history of a chat in order.
    messages "messages-1" (u32, &'static str, i64, &'static str) => Bytes;
    /// (device, message id, chat, sender or empty when from us) → at ms: finds a message and shows what is known already.
    message_ids "message_ids-1" (u32, &'static str, &'static str, &'static str) => i64;
    /// (ends ms, device, chat, message id): when disappearing messages go.
    message_expiry "message_expiry-1" (i64, u32, &'static str, &'static str) => ();
    /// (device, number) → `history_parts::Part`: what the phone has handed over and is not stored yet, in order.
    history_parts "history_parts-1" (u32, u64) => Bytes;
    /// (device, number) → raw: the part itself, packed.
    history_packed "history_packed-1" (u32, u64) => Bytes;
    /// (device, number) → `early::Row`: changes that came before their messages, in order.
    early_changes "early_changes-1" (u32, u64) => Bytes;
    /// (device, chat, message id, number): which changes wait for a message.
    early_by_target "early_by_target-1" (u32, &'static str, &'static str, u64) => ();
    /// (device, chat) → `model::Chat`.
    chats "chats-1" (u32, &'static str) => Bytes;
    /// (device, last activity ms, chat): the chat list in order.
    chats_by_time "chats_by_time-1" (u32, i64, &'static str) => ();
    /// (device, chat) → `model::ChatSettings`: what is set for a chat.
    chat_settings "chat_settings-1" (u32, &'static str) => Bytes;

    /// (device, local day, chat) → `model::ChatDay`: what was written in a chat on a day.
    chat_days "chat_days-1" (u32, i32, &'static str) => Bytes;
    /// (device, local day) → `model::DeviceDay`: what was written on a device on a day.
    device_days "device_days-1" (u32, i32) => Bytes;

    /// (device, at ms, place within it) → (chat, message id): all messages of a device in order.
    timeline "timeline-1" (u32, i64, u16) => (&'static str, &'static str);
    /// (device, word, at ms, place within it): which messages hold a word, see `search.rs`.
    words "words-1" (u32, &'static str, i64, u16) => ();

    /// (device, digits of a hidden id) → digits of the phone number: who is who.
    phones_by_lid "phones_by_lid-1" (u32, &'static str) => &'static str;
    /// (device, digits of a phone number) → digits of the hidden id.
    lids_by_phone "lids_by_phone-1" (u32, &'static str) => &'static str;
    /// (device, person) → `model::DeviceContact`: the names that the linked account knows.
    device_contacts "device_contacts-1" (u32, &'static str) => Bytes;
    /// (device, group) → `model::Group`: what is known of a group and when it was asked.
    groups "groups-1" (u32, &'static str) => Bytes;
    /// device → ms at which the network was asked for all its groups.
    group_lists "group_lists-1" u32 => i64;

    /// job → `model::Job`.
    jobs "jobs-1" &'static str => Bytes;
    /// (1 when shown in lists, created ms, job): the job list in order, and what may be pruned.
    jobs_by_time "jobs_by_time-1" (u8, i64, &'static str) => ();
    /// (job, index) → `model::Item`.
    items "items-1" (&'static str, u32) => Bytes;
    /// (device, class, due ms, queue number) → (job, index): what waits, in the order of its turn. Class 0 are single messages,
    /// 1 to 3 bulk of high, normal and low priority.
    queue "queue-1" (u32, u8, i64, u64) => (&'static str, u32);
    /// (caller, key) → `jobs::Once`: the first answer to an `Idempotency-Key`.
    idempotency "idempotency-1" (&'static str, &'static str) => Bytes;

    /// (start ms, job): jobs whose start is still to come.
    job_starts "job_starts-1" (i64, &'static str) => ();

    /// schedule → `model::Schedule`.
    schedules "schedules-1" &'static str => Bytes;
    /// (due ms, schedule): what waits for its time.
    schedules_due "schedules_due-1" (i64, &'static str) => ();
    /// (device, created ms, schedule): the schedules of a device in order.
    schedules_by_device "schedules_by_device-1" (u32, i64, &'static str) => ();
    /// SHA-256 → `media::StoredFile`: what stands in the media directory.
    media_files "media_files-1" [u8; 32] => Bytes;
    /// (stored ms, SHA-256): the oldest first.
    media_by_age "media_by_age-1" (i64, [u8; 32]) => ();
    /// (SHA-256, job, index): waiting items that need the file.
    media_holds "media_holds-1" ([u8; 32], &'static str, u32) => ();
    /// (SHA-256, device, chat, message id): messages that show the file.
    media_uses "media_uses-1" ([u8; 32], u32, &'static str, &'static str) => ();
    /// SHA-256: files that no message shows any more.
    media_released "media_released-1" [u8; 32] => ();
    /// (device, class, SHA-256) → `media::Upload`: where WhatsApp has the file.
    media_uploads "media_uploads-1" (u32, &'static str, [u8; 32]) => Bytes;
    /// (due ms, device, message id, chat) → `media::Wanted`: incoming files that are to be fetched.
    media_wanted "media_wanted-1" (i64, u32, &'static str, &'static str) => Bytes;

    /// (device, author or empty when from us, message id) → `model::StatusPost`: what is shown for a day.
    status_posts "status_posts-1" (u32, &'static str, &'static str) => Bytes;

    /// (device, channel) → `model::Channel`: what accounts follow or run.
    channels "channels-1" (u32, &'static str) => Bytes;
    /// (device, channel, message id) → `model::ChannelPost`.
    channel_posts "channel_posts-1" (u32, &'static str, &'static str) => Bytes;
    /// (device, channel, posted ms, message id): the posts of a channel in order.
    channel_posts_by_time "channel_posts_by_time-1" (u32, &'static str, i64, &'static str) => ();
    /// row → `model::AllowedNumber`: whose messages the history keeps.
    allowed_numbers "allowed_numbers-1" u32 => Bytes;
    /// digits of a number → row.
    allowed_by_number "allowed_by_number-1" &'static str => u32;

    /// sequence number → `model::Event`: what happened, in order.
    outbox "outbox-1" u64 => Bytes;

    /// contact → `model::Contact`: the address books of all users.
    contacts "contacts-1" u32 => Bytes;
    /// (user, digits of the number) → contact.
    contacts_by_number "contacts_by_number-1" (u32, &'static str) => u32;
    /// (base id, version) → `model::Template`.
    templates "templates-1" (&'static str, u32) => Bytes;
    /// (user, name in lower case) → base id.
    templates_by_name "templates_by_name-1" (u32, &'static str) => &'static str;
    /// base id → how often the template was used.
    template_uses "template_uses-1" &'static str => u64;
    /// (user, position) → `model::Activity`: what users did, in order.
    activity "activity-1" (u32, u64) => Bytes;
    /// (user, position) → `model::Notification`: what users are to be told, in order.
    notifications "notifications-1" (u32, u64) => Bytes;
    /// (user, device and matter) → position of its newest notification.
    notifications_by_subject "notifications_by_subject-1" (u32, &'static str) => u64;
}
