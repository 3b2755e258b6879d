//! Figures of a device and of a user, from the counters that are kept with the messages.

use super::{Caller, Gateway};
use crate::error::{Code, Error, Result};
use crate::model::chat::Chat;
use crate::model::day::{ChatDay, Day, DeviceDay};
use crate::model::device::{Device, DeviceStatus};
use crate::model::id::{DeviceNo, UserId};
use crate::model::jid::Jid;
use crate::store::{View, address_book, chats, days, device_contacts, groups, jobs, schedules};
use std::collections::{BTreeMap, HashMap};

/// Longest range of statistics, in days.
const RANGE_MAX_DAYS: i32 = 366;
/// Days that are shown when nothing is asked for, today included.
const RANGE_DAYS: i32 = 7;

/// A chat in which something was written on a day.
#[derive(Debug, Clone)]
pub struct DailyChat {
    /// The person or group.
    pub jid: Jid,
    /// Name by which it is shown.
    pub name: Option<String>,
    /// What was written.
    pub day: ChatDay,
    /// Incoming messages of the day that nobody has read.
    pub unread: u32,
}

/// The days of a device in a range.
#[derive(Debug, Clone)]
pub struct DeviceDays {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// One entry per day, those without messages too.
    pub days: Vec<(Day, DeviceDay)>,
    /// The sums; `chats` counts each chat once.
    pub sum: DeviceDay,
}

/// What a user has and did.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// Own devices.
    pub devices: usize,
    /// Own devices with an open link.
    pub connected: usize,
    /// All messages of the own devices.
    pub all: DeviceDay,
    /// Those of today.
    pub today: DeviceDay,
    /// Own jobs by state.
    pub jobs: BTreeMap<&'static str, usize>,
    /// Own schedules by state.
    pub schedules: BTreeMap<&'static str, usize>,
    /// Saved contacts.
    pub contacts: usize,
}

impl Gateway {
    /// Returns the chats of a device in which something was written on a day, newest activity first; groups when wished.
    pub async fn daily_chats(
        &self,
        device: &Device,
        day: Day,
        include_groups: bool,
    ) -> Result<Vec<DailyChat>> {
        let no = device.no;
        self.store()
            .scan(move |view| {
                let mut found = Vec::new();
                for (chat, counted) in days::chats_of(view, no, day)? {
                    let jid: Jid = chat.parse()?;
                    if include_groups || !jid.is_group() {
                        found.push(daily_chat(view, no, jid, day, counted)?);
                    }
                }
                found.sort_by_key(|chat| std::cmp::Reverse(chat.day.last_at()));
                Ok(found)
            })
            .await
    }

    /// Returns what was written on a device per day; without dates on the last 7 days, at most on 366.
    pub async fn device_days(
        &self,
        device: &Device,
        from: Option<Day>,
        to: Option<Day>,
    ) -> Result<DeviceDays> {
        let (from, to) = self.range(from, to)?;
        let no = device.no;
        self.store()
            .scan(move |view| {
                let known: HashMap<Day, DeviceDay> =
                    days::of_device(view, no, from, to)?.into_iter().collect();
                let of = |day: Day| (day, known.get(&day).copied().unwrap_or_default());
                let days: Vec<_> = (from.0..=to.0).map(|day| of(Day(day))).collect();
                let mut sum = DeviceDay::default();
                days.iter().for_each(|(_, day)| sum.absorb(day));
                sum.chats = days::active_chats(view, no, from, to)? as u64;
                Ok(DeviceDays { from, to, days, sum })
            })
            .await
    }

    /// Returns what was written on a device on a day, today unless one is named.
    pub fn device_day(&self, device: &Device, day: Option<Day>) -> Result<(Day, DeviceDay)> {
        let day = day.unwrap_or_else(|| self.today());
        let mut found = days::of_device(&self.store().view()?, device.no, day, day)?;
        Ok(found.pop().unwrap_or((day, DeviceDay::default())))
    }

    /// Returns what the caller has and did.
    pub async fn totals(&self, caller: &Caller) -> Result<Totals> {
        let mut devices = self.devices(caller)?;
        devices.retain(|device| device.user == caller.user);
        let (today, user) = (self.today(), caller.user);
        self.store().scan(move |view| totals(view, &devices, user, today)).await
    }

    fn today(&self) -> Day {
        Day::of(self.clock().now())
    }

    fn range(&self, from: Option<Day>, to: Option<Day>) -> Result<(Day, Day)> {
        let to = to.unwrap_or_else(|| from.map_or(self.today(), |from| self.today().max(from)));
        let from = from.unwrap_or_else(|| to.plus(1 - RANGE_DAYS));
        let length = i64::from(to.0) - i64::from(from.0) + 1;
        if !(1..=i64::from(RANGE_MAX_DAYS)).contains(&length) {
            return Err(Error::new(Code::DateRangeInvalid).with("max", RANGE_MAX_DAYS));
        }
        Ok((from, to))
    }
}

fn totals(view: &View, devices: &[Device], user: UserId, today: Day) -> Result<Totals> {
    let mut totals = Totals {
        devices: devices.len(),
        connected: devices.iter().filter(|device| device.status == DeviceStatus::Connected).count(),
        contacts: address_book::count(view, user)?,
        ..Totals::default()
    };
    for device in devices {
        for (day, counted) in days::of_device(view, device.no, Day(i32::MIN), Day(i32::MAX))? {
            totals.all.absorb(&counted);
            if day == today {
                totals.today.absorb(&counted);
            }
        }
        for schedule in schedules::of(view, device.no, |_| true)? {
            *totals.schedules.entry(schedule.status.as_str()).or_default() += 1;
        }
    }
    jobs::each_listed(view, |_, job| {
        if devices.iter().any(|device| device.no == job.device) {
            *totals.jobs.entry(job.status.as_str()).or_default() += 1;
        }
    })?;
    Ok(totals)
}

fn daily_chat(view: &View, device: DeviceNo, jid: Jid, day: Day, counted: ChatDay) -> Result<DailyChat> {
    let key = jid.to_string();
    let chat: Option<Chat> = chats::get(view, device, &key)?;
    let unread = chat.as_ref().map_or(0, |chat| chat.unread);
    let unread = days::unread_of_day(view, device, &key, day, counted.incoming, unread)?;
    let name = match chat.and_then(|chat| chat.name) {
        Some(name) => Some(name),
        None if jid.is_group() => groups::get(view, device, &jid)?.map(|group| group.subject),
        None => device_contacts::get(view, device, &key)?
            .and_then(|contact| contact.shown_name().map(str::to_owned)),
    };
    Ok(DailyChat { jid, name, day: counted, unread })
}
