//! Days on the clocks of [`HOME`], and what was written on one: in a chat, and on a device.

use super::wall::{HOME, moment};
use crate::error::{Code, Error, Result};
use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Days between the first of the calendar and 1970-01-01.
const EPOCH_FROM_CE: i32 = 719_163;

/// A day on the clocks of [`HOME`], as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// Returns the day that a moment (milliseconds since 1970) falls into.
    pub fn of(at: i64) -> Self {
        Self(local(at).map_or(0, |at| at.num_days_from_ce() - EPOCH_FROM_CE))
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(field: &'static str, text: &str) -> Result<Self> {
        let refuse = || Error::new(Code::DateRequired).with("field", field);
        // The calendar library takes signs and short numbers too.
        let has_form = |text: &str| {
            let fits = |(at, letter): (usize, u8)| match at {
                4 | 7 => letter == b'-',
                _ => letter.is_ascii_digit(),
            };
            text.len() == 10 && text.bytes().enumerate().all(fits)
        };
        let text = Some(text.trim()).filter(|text| has_form(text)).ok_or_else(refuse)?;
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| refuse())?;
        Ok(Self(date.num_days_from_ce() - EPOCH_FROM_CE))
    }

    /// Returns the first millisecond of the day.
    pub fn start(self) -> i64 {
        let midnight = self.date().and_then(|date| date.and_hms_opt(0, 0, 0));
        midnight.and_then(|midnight| moment(HOME, midnight)).unwrap_or(i64::MIN)
    }

    /// Returns the last millisecond of the day.
    pub fn end(self) -> i64 {
        self.plus(1).start() - 1
    }

    /// Returns the day that comes `days` later.
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    fn date(self) -> Option<NaiveDate> {
        NaiveDate::from_num_days_from_ce_opt(self.0.checked_add(EPOCH_FROM_CE)?)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let date = self.date().unwrap_or_default();
        write!(f, "{}", date.format("%Y-%m-%d"))
    }
}

/// Returns the hour of the day, 0 to 23, that a moment (milliseconds since 1970) falls into.
pub fn hour(at: i64) -> usize {
    local(at).map_or(0, |at| at.hour() as usize)
}

fn local(at: i64) -> Option<DateTime<Tz>> {
    HOME.timestamp_millis_opt(at).single()
}

/// What a message counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Somebody wrote to the account.
    Incoming,
    /// The account wrote, and WhatsApp has it.
    Outgoing,
    /// Given up.
    Failed,
    /// Still on its way.
    Nothing,
}

/// What was written in one chat on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChatDay {
    /// Messages to the account.
    pub incoming: u32,
    /// Messages of the account that WhatsApp has.
    pub outgoing: u32,
    /// Incoming messages that an outgoing one of the same day followed.
    pub answered: u32,
    /// Newest incoming one, milliseconds since 1970; 0 without one.
    pub last_in: i64,
    /// Newest outgoing one, milliseconds since 1970; 0 without one.
    pub last_out: i64,
}

impl ChatDay {
    /// Counts a message. Returns the time between which (both excluded) incoming ones became answered that still have to be
    /// counted, when an outgoing one came out of turn.
    pub fn add(&mut self, what: Counted, at: i64) -> Option<(i64, i64)> {
        match what {
            Counted::Incoming => {
                self.incoming += 1;
                self.last_in = self.last_in.max(at);
                self.answered += u32::from(at < self.last_out);
            }
            Counted::Outgoing => {
                self.outgoing += 1;
                let before = self.last_out;
                self.last_out = before.max(at);
                if at > before && at > self.last_in {
                    self.answered = self.incoming;
                } else if at > before {
                    return Some((before, at));
                }
            }
            Counted::Failed | Counted::Nothing => {}
        }
        None
    }

    /// Takes a message out; the answered ones have to be counted anew.
    pub fn subtract(&mut self, what: Counted) {
        match what {
            Counted::Incoming => self.incoming = self.incoming.saturating_sub(1),
            Counted::Outgoing => self.outgoing = self.outgoing.saturating_sub(1),
            Counted::Failed | Counted::Nothing => {}
        }
    }

    /// Returns the newest message in either direction, milliseconds since 1970.
    pub fn last_at(&self) -> i64 {
        self.last_in.max(self.last_out)
    }

    /// Returns whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.incoming == 0 && self.outgoing == 0
    }

    /// Returns how many percent of the incoming messages were answered, 0 to 100.
    pub fn response_rate(&self) -> f64 {
        rate(u64::from(self.answered), u64::from(self.incoming))
    }
}

/// What was written on one device on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeviceDay {
    /// Messages to the account.
    pub incoming: u64,
    /// Messages of the account that WhatsApp has.
    pub outgoing: u64,
    /// Messages that were given up.
    pub failed: u64,
    /// Incoming messages that an outgoing one of the same chat and day followed.
    pub answered: u64,
    /// Chats in which something was written.
    pub chats: u64,
    /// Incoming messages by hour.
    pub hours_in: [u32; 24],
    /// Outgoing messages by hour.
    pub hours_out: [u32; 24],
}

impl DeviceDay {
    /// Counts a message, or takes one out.
    pub fn count(&mut self, what: Counted, hour: usize, is_new: bool) {
        let step = |number: &mut u64| {
            *number = if is_new { *number + 1 } else { number.saturating_sub(1) };
        };
        let step_hour = |hours: &mut [u32; 24]| {
            if let Some(number) = hours.get_mut(hour) {
                *number = if is_new { *number + 1 } else { number.saturating_sub(1) };
            }
        };
        match what {
            Counted::Incoming => {
                step(&mut self.incoming);
                step_hour(&mut self.hours_in);
            }
            Counted::Outgoing => {
                step(&mut self.outgoing);
                step_hour(&mut self.hours_out);
            }
            Counted::Failed => step(&mut self.failed),
            Counted::Nothing => {}
        }
    }

    /// Adds another day or device.
    pub fn absorb(&mut self, other: &Self) {
        self.incoming += other.incoming;
        self.outgoing += other.outgoing;
        self.failed += other.failed;
        self.answered += other.answered;
        self.chats += other.chats;
        for hour in 0..24 {
            self.hours_in[hour] += other.hours_in[hour];
            self.hours_out[hour] += other.hours_out[hour];
        }
    }

    /// Returns how many percent of the incoming messages were answered, 0 to 100.
    pub fn response_rate(&self) -> f64 {
        rate(self.answered, self.incoming)
    }
}

/// Two decimals are enough for people, and the same everywhere.
fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 * 10_000.0 / whole as f64).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_jakarta() {
        let day = Day::parse("date", "2024-01-01").expect("a day");
        assert_eq!(day.start(), 1_704_042_000_000);
        assert_eq!((Day::of(day.start()), Day::of(day.start() - 1)), (day, day.plus(-1)));
        assert_eq!((Day::of(day.end()), hour(day.end())), (day, 23));
        assert_eq!(day.to_string(), "2024-01-01");
        assert_eq!(Day::of(i64::MAX), Day(0), "beyond the calendar");
        for wrong in ["", "2024-1-1", "2024-02-30", "01-01-2024", "2024-01-01T00:00", "+2024-01-1"] {
            assert!(Day::parse("date", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_followed_by_an_answer_is_answered() {
        let mut chat = ChatDay::default();
        for at in 1..=4 {
            assert_eq!(chat.add(Counted::Incoming, at), None);
        }
        assert_eq!(chat.add(Counted::Outgoing, 5), None);
        chat.add(Counted::Incoming, 7);
        assert_eq!((chat.incoming, chat.answered, chat.last_at()), (5, 4, 7));
        assert_eq!(chat.response_rate(), 80.0);
        // One that was written before the answer and came after it.
        chat.add(Counted::Incoming, 3);
        assert_eq!((chat.incoming, chat.answered), (6, 5));
        assert_eq!(chat.add(Counted::Outgoing, 2), None, "an older answer changes nothing");
        assert_eq!(chat.add(Counted::Outgoing, 6), Some((5, 6)), "between what came: has to be looked at");
        assert_eq!((chat.outgoing, chat.answered), (3, 5));
    }

    #[test]
    fn a_rate_has_two_decimals() {
        assert_eq!(rate(1, 3), 33.33);
        assert_eq!(rate(0, 0), 0.0);
    }
}
