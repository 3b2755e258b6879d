//! When something happens again and again: a cron expression on the clocks of a zone.
//!
//! Five fields as in crontab (minute, hour, day, month, weekday), or six with the second in front; names such as `MON` and
//! `@daily`. Weekdays count from Sunday = 0, 7 is Sunday too. When both day and weekday are restricted, one of them is enough,
//! as in crontab.
//!
//! When the clocks change: an expression that runs in every hour follows the time that passes, so it runs in both passes of
//! a doubled hour and in no skipped one. Any other runs once for each time it names: in the first pass of a doubled hour, and
//! for a skipped time at the moment of the jump.

use super::wall;
use crate::error::{Code, Error, Result};
use chrono::{Duration, NaiveDateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use cron::TimeUnitSpec as _;
use std::str::FromStr as _;

/// The longest expression, in characters.
const TEXT_MAX_CHARS: usize = 200;
/// Names of weekdays, Sunday first, as the cron library writes them.
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
/// Short forms and what they stand for.
const SHORT: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// A cron expression on the clocks of a zone.
#[derive(Debug, Clone)]
pub struct Recurrence {
    zone: Tz,
    /// Two when either day or weekday is enough.
    patterns: Vec<cron::Schedule>,
}

impl Recurrence {
    /// Reads an expression.
    pub fn parse(text: &str, zone: Tz) -> Result<Self> {
        let refuse = || Error::new(Code::CronInvalid);
        let text = text.trim();
        if text.chars().count() > TEXT_MAX_CHARS {
            return Err(refuse());
        }
        let text = SHORT.iter().find(|(short, _)| *short == text).map_or(text, |(_, long)| long);
        let mut fields: Vec<&str> = text.split_ascii_whitespace().collect();
        if fields.len() == 5 {
            fields.insert(0, "0");
        }
        let [second, minute, hour, day, month, weekday] = fields[..] else { return Err(refuse()) };
        let weekdays = weekdays(weekday).ok_or_else(refuse)?;
        let pattern = |day: &str, weekdays: &str| {
            let text = format!("{second} {minute} {hour} {day} {month} {weekdays}");
            cron::Schedule::from_str(&text).map_err(|_| refuse())
        };
        let restricted = |field: &str| !field.starts_with(['*', '?']);
        let patterns = match restricted(day) && restricted(weekday) {
            true => vec![pattern(day, "*")?, pattern("*", &weekdays)?],
            false => vec![pattern(day, &weekdays)?],
        };
        Ok(Self { zone, patterns })
    }

    /// Returns the first time after `at`, both in milliseconds since 1970; none when it never happens again.
    pub fn next_after(&self, at: i64) -> Option<i64> {
        let every_hour = self.patterns.iter().all(|pattern| pattern.hours().is_all());
        if every_hour { self.next_passing(at) } else { self.next_named(at) }
    }

    /// For expressions that name times of the day.
    fn next_named(&self, at: i64) -> Option<i64> {
        let mut shown = self.shown(at, self.offset_ms(at))?;
        loop {
            shown = self.next_shown(shown)?;
            let moment = wall::moment(self.zone, shown)?;
            if moment > at {
                return Some(moment);
            }
        }
    }

    /// For expressions that follow the time that passes.
    fn next_passing(&self, at: i64) -> Option<i64> {
        const DAY_MS: i64 = 86_400_000;
        let (mut from, mut offset) = (at, self.offset_ms(at));
        loop {
            let next = self.next_shown(self.shown(from, offset)?)?.and_utc().timestamp_millis() - offset;
            // Day by day, so that no change of the clocks is jumped over.
            while from < next {
                let until = next.min(from + DAY_MS);
                if self.offset_ms(until) != offset {
                    break;
                }
                from = until;
            }
            if from == next {
                return Some(next);
            }
            let change = self.change_between(from, next.min(from + DAY_MS));
            offset = self.offset_ms(change);
            // The change itself may be a time of the expression.
            from = change - 1000;
        }
    }

    /// Returns the first moment with another offset than at `from`; there is one up to `until`.
    fn change_between(&self, from: i64, until: i64) -> i64 {
        let (offset, mut same, mut other) = (self.offset_ms(from), from, until);
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            if self.offset_ms(middle) == offset { same = middle } else { other = middle }
        }
        other
    }

    /// Returns the next time that the clocks have to show.
    fn next_shown(&self, shown: NaiveDateTime) -> Option<NaiveDateTime> {
        let after = shown.and_utc();
        self.patterns.iter().filter_map(|pattern| pattern.after(&after).next()).min().map(|at| at.naive_utc())
    }

    fn shown(&self, at: i64, offset_ms: i64) -> Option<NaiveDateTime> {
        let at = Utc.timestamp_millis_opt(at).single()?;
        at.naive_utc().checked_add_signed(Duration::milliseconds(offset_ms))
    }

    fn offset_ms(&self, at: i64) -> i64 {
        let at = Utc.timestamp_millis_opt(at).single().unwrap_or_default();
        i64::from(self.zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()) * 1000
    }
}

/// Returns the weekdays of a crontab field by their names.
fn weekdays(field: &str) -> Option<String> {
    let mut named = [false; 7];
    for part in field.split(',') {
        let (days, step) = match part.split_once('/') {
            Some((days, step)) => (days, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let range = match (days, days.split_once('-')) {
            ("*" | "?", _) => 0..=6,
            (_, Some((first, last))) => weekday(first)?..=weekday(last)?,
            (one, None) if part.contains('/') => weekday(one)?..=6,
            (one, None) => weekday(one)?..=weekday(one)?,
        };
        if range.is_empty() {
            return None;
        }
        range.step_by(step).for_each(|day| named[day % 7] = true);
    }
    if named.iter().all(|named| *named) {
        return Some("*".into());
    }
    let names: Vec<_> =
        WEEKDAYS.iter().zip(named).filter(|(_, named)| *named).map(|(name, _)| *name).collect();
    Some(names.join(","))
}

/// Returns the number of a weekday, 0 to 7.
fn weekday(text: &str) -> Option<usize> {
    let by_name = || WEEKDAYS.iter().position(|name| name.eq_ignore_ascii_case(text));
    text.parse().ok().filter(|day| *day <= 7).or_else(by_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BERLIN: Tz = Tz::Europe__Berlin;

    fn at(utc: &str) -> i64 {
        wall::point("", utc, Tz::UTC).expect("a time")
    }

    /// Returns the next runs in UTC, without the date of the first.
    fn runs(cron: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
        let recurrence = Recurrence::parse(cron, zone).expect("an expression");
        let mut last = at(after);
        (0..count)
            .map_while(|_| {
                last = recurrence.next_after(last)?;
                Some(wall::shown(last, Tz::UTC)[5..16].to_owned())
            })
            .collect()
    }

    #[test]
    fn expressions_are_read_as_crontab_reads_them() {
        let monday = "2024-01-01 00:00:00";
        for (cron, expected) in [
            ("30 9 * * *", ["01-01 09:30", "01-02 09:30", "01-03 09:30"]),
            ("0 9 * * 1-5", ["01-01 09:00", "01-02 09:00", "01-03 09:00"]),
            ("0 9 * * 0", ["01-07 09:00", "01-14 09:00", "01-21 09:00"]),
            ("0 9 * * 7", ["01-07 09:00", "01-14 09:00", "01-21 09:00"]),
            ("0 9 * * sat-7", ["01-06 09:00", "01-07 09:00", "01-13 09:00"]),
            ("0 9 13 * FRI", ["01-05 09:00", "01-12 09:00", "01-13 09:00"]),
            ("*/20 * * * *", ["01-01 00:20", "01-01 00:40", "01-01 01:00"]),
            ("15 0 9 1 * *", ["02-01 09:00", "03-01 09:00", "04-01 09:00"]),
            ("@weekly", ["01-07 00:00", "01-14 00:00", "01-21 00:00"]),
            ("0 0 29 2 *", ["02-29 00:00", "02-29 00:00", "02-29 00:00"]),
        ] {
            let monday = if cron.starts_with("15 0 9") { "2024-01-02 00:00:00" } else { monday };
            assert_eq!(runs(cron, Tz::UTC, monday, 3), expected, "{cron}");
        }
        assert!(runs("0 0 31 2 *", Tz::UTC, monday, 1).is_empty());
        for bad in [
            "",
            "* * * *",
            "60 * * * *",
            "* * * * 8",
            "*/0 * * * *",
            "0 0 * * 5-2",
            "x",
            "@never",
            "0 0 0 0 0 0 0",
        ] {
            assert_eq!(Recurrence::parse(bad, Tz::UTC).expect_err(bad).code(), Code::CronInvalid);
        }
        assert!(Recurrence::parse(&"0,".repeat(150), Tz::UTC).is_err());
    }

    #[test]
    fn a_named_time_runs_once_when_its_hour_is_doubled_and_at_the_jump_when_it_is_skipped() {
        // 2024-10-27 in Berlin: 03:00 becomes 02:00 at 01:00 UTC.
        assert_eq!(runs("30 2 * * *", BERLIN, "2024-10-26 12:00:00", 2), ["10-27 00:30", "10-28 01:30"]);
        assert_eq!(
            runs("0,30 1-3 * * *", BERLIN, "2024-10-26 12:00:00", 7),
            [
                "10-26 23:00",
                "10-26 23:30",
                "10-27 00:00",
                "10-27 00:30",
                "10-27 02:00",
                "10-27 02:30",
                "10-28 00:00"
            ]
        );
        // 2024-03-31 in Berlin: 02:00 becomes 03:00 at 01:00 UTC.
        assert_eq!(
            runs("30 2 * * *", BERLIN, "2024-03-30 00:00:00", 3),
            ["03-30 01:30", "03-31 01:00", "04-01 00:30"]
        );
        assert_eq!(
            runs("0,30 2,3 * * *", BERLIN, "2024-03-30 12:00:00", 3),
            ["03-31 01:00", "03-31 01:30", "04-01 00:00"]
        );
    }

    #[test]
    fn an_expression_of_every_hour_follows_the_time_that_passes() {
        assert_eq!(
            runs("0 * * * *", BERLIN, "2024-10-26 23:30:00", 4),
            ["10-27 00:00", "10-27 01:00", "10-27 02:00", "10-27 03:00"]
        );
        assert_eq!(
            runs("*/30 * * * *", BERLIN, "2024-03-31 00:10:00", 3),
            ["03-31 00:30", "03-31 01:00", "03-31 01:30"]
        );
        // Only on the day of the change, which ends with a doubled hour in Asunción.
        assert_eq!(
            runs("30 * 23 3 *", Tz::America__Asuncion, "2024-03-24 01:45:00", 2),
            ["03-24 02:30", "03-24 03:30"]
        );
        assert_eq!(runs("0 * 1 1 *", BERLIN, "2024-06-01 00:00:00", 1), ["12-31 23:00"]);
    }

    proptest! {
        #[test]
        fn runs_go_forward_and_stand_where_the_clocks_show_them(
            start in 1_700_000_000_000i64..1_800_000_000_000,
            minute in 0u32..60,
            hour in proptest::option::of(0u32..24),
        ) {
            let hours = hour.map_or("*".to_owned(), |hour| hour.to_string());
            let recurrence = Recurrence::parse(&format!("{minute} {hours} * * *"), BERLIN).expect("an expression");
            let mut last = start;
            for _ in 0..30 {
                let next = recurrence.next_after(last).expect("for ever");
                prop_assert!(next > last && next - last <= 26 * 3_600_000);
                let shown = wall::shown(next, BERLIN);
                let jump = shown.ends_with("03:00:00");
                prop_assert!(jump || shown[14..16] == format!("{minute:02}"), "{}", shown);
                last = next;
            }
        }

        #[test]
        fn arbitrary_expressions_never_panic(text in "[-*/,?0-9A-Z@# ]{0,24}") {
            if let Ok(recurrence) = Recurrence::parse(&text, BERLIN) {
                let _ = recurrence.next_after(1_711_843_200_000);
            }
        }
    }
}
