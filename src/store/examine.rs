//! A look at every row of the store, for `kurir doctor`.

use super::Store;
use super::codec::decode;
use super::early;
use super::history_parts::Part;
use super::jobs::Once;
use super::media::{Upload, Wanted};
use super::seal::Seal;
use super::tables::View;
use crate::error::Result;
use crate::model::activity::Activity;
use crate::model::address_book::Contact;
use crate::model::allowed::AllowedNumber;
use crate::model::channel::{Channel, ChannelPost};
use crate::model::chat::{Chat, ChatSettings};
use crate::model::day::{ChatDay, DeviceDay};
use crate::model::device::Device;
use crate::model::device_contact::DeviceContact;
use crate::model::event::Event;
use crate::model::group::Group;
use crate::model::job::{Item, Job};
use crate::model::media::FileHash;
use crate::model::message::Message;
use crate::model::notification::Notification;
use crate::model::schedule::Schedule;
use crate::model::status_post::StatusPost;
use crate::model::template::Template;
use crate::model::token::{ApiToken, Login};
use crate::model::user::User;
use redb::{Key, ReadOnlyTable};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// What the examination found.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows per table.
    pub rows: Vec<(&'static str, u64)>,
    /// Rows that cannot be read, one sentence each.
    pub faults: Vec<String>,
}

impl Store {
    /// Decodes every row of every table of JSON and opens every sealed one.
    pub fn examine(&self) -> Result<Report> {
        let view = self.view()?;
        let mut report = Report::default();
        report.check::<_, User>("users", &view.users()?)?;
        report.check::<_, Login>("logins", &view.logins()?)?;
        report.check::<_, ApiToken>("api_tokens", &view.api_tokens()?)?;
        report.check::<_, Device>("devices", &view.devices()?)?;
        report.check::<_, Message>("messages", &view.messages()?)?;
        report.check::<_, Chat>("chats", &view.chats()?)?;
        report.check::<_, ChatSettings>("chat_settings", &view.chat_settings()?)?;
        report.check::<_, DeviceContact>("device_contacts", &view.device_contacts()?)?;
        report.check::<_, Group>("groups", &view.groups()?)?;
        report.check::<_, Job>("jobs", &view.jobs()?)?;
        report.check::<_, Item>("items", &view.items()?)?;
        report.check::<_, Schedule>("schedules", &view.schedules()?)?;
        report.check::<_, Event>("outbox", &view.outbox()?)?;
        report.check::<_, serde_json::Value>("settings", &view.settings()?)?;
        report.check::<_, ChatDay>("chat_days", &view.chat_days()?)?;
        report.check::<_, DeviceDay>("device_days", &view.device_days()?)?;
        report.check::<_, Once>("idempotency", &view.idempotency()?)?;
        report.check::<_, Contact>("contacts", &view.contacts()?)?;
        report.check::<_, Template>("templates", &view.templates()?)?;
        report.check::<_, Activity>("activity", &view.activity()?)?;
        report.check::<_, Notification>("notifications", &view.notifications()?)?;
        report.check::<_, StatusPost>("status_posts", &view.status_posts()?)?;
        report.check::<_, Channel>("channels", &view.channels()?)?;
        report.check::<_, ChannelPost>("channel_posts", &view.channel_posts()?)?;
        report.check::<_, Upload>("media_uploads", &view.media_uploads()?)?;
        report.check::<_, Wanted>("media_wanted", &view.media_wanted()?)?;
        report.check::<_, AllowedNumber>("allowed_numbers", &view.allowed_numbers()?)?;
        report.check::<_, early::Row>("early_changes", &view.early_changes()?)?;
        report.check::<_, Part>("history_parts", &view.history_parts()?)?;
        report.check_files(&view.media_files()?, self.files())?;
        let mut sealed = 0;
        for row in view.protocol()?.range::<(u32, u8, &[u8])>(..)? {
            let (at, value) = row?;
            let (device, kind, key) = at.value();
            let opened = super::sessions::open_row(self.seal(), device, kind, key, value.value());
            report.faults.extend(opened.err().map(|error| error.to_string()));
            sealed += 1;
        }
        report.rows.push(("protocol", sealed));
        report.check_secrets(&view, self.seal())?;
        Ok(report)
    }
}

impl Report {
    fn check_secrets(&mut self, view: &View, seal: &Seal) -> Result<()> {
        let mut rows = 0;
        for row in redb::ReadableTable::iter(&view.secrets()?)? {
            let (name, value) = row?;
            let opened = seal.open_value("secrets", name.value().as_bytes(), value.value());
            self.faults.extend(opened.err().map(|error| error.to_string()));
            rows += 1;
        }
        self.rows.push(("secrets", rows));
        Ok(())
    }

    /// Notes the files that a row names and that are not there.
    fn check_files(
        &mut self,
        table: &ReadOnlyTable<[u8; 32], &'static [u8]>,
        files: &super::files::Files,
    ) -> Result<()> {
        let mut rows = 0;
        for row in redb::ReadableTable::iter(table)? {
            let hash = FileHash(row?.0.value());
            if !files.path(hash).is_file() {
                self.faults.push(format!("file `{hash}` is missing from the media directory"));
            }
            rows += 1;
        }
        self.rows.push(("media_files", rows));
        Ok(())
    }

    fn check<K, T>(&mut self, name: &'static str, table: &ReadOnlyTable<K, &'static [u8]>) -> Result<()>
    where
        K: Key + 'static,
        for<'a> K::SelfType<'a>: Debug,
        T: DeserializeOwned,
    {
        let mut rows = 0;
        for row in redb::ReadableTable::iter(table)? {
            let (at, value) = row?;
            self.faults
                .extend(decode::<T>(name, at.value(), value.value()).err().map(|error| error.to_string()));
            rows += 1;
        }
        self.rows.push((name, rows));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_damaged_row_is_named_and_nothing_panics() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::for_tests(dir.path());
        assert!(store.examine().expect("examined").faults.is_empty());
        store.write(|t| Ok(t.jobs.insert("broken", b"{".as_slice()).map(drop)?)).await.expect("written");
        let report = store.examine().expect("examined");
        assert!(report.faults.len() == 1 && report.faults[0].contains("broken"), "{:?}", report.faults);
    }
}
