//! Wall-clock time in a zone: what people write and mean, and what the clock's changes make of it.

use crate::error::{Code, Error, Result};
use chrono::{DateTime, Duration, LocalResult, NaiveDateTime, TimeZone, Timelike};
use chrono_tz::Tz;

/// The zone of the documented clients.
pub const HOME: Tz = Tz::Asia__Jakarta;

/// Minutes that are looked at behind a time that does not exist; a zone once left a whole day out.
const GAP_MAX_MINUTES: i64 = 25 * 60;

/// Reads the name of a zone, such as `Europe/Berlin`; none is [`HOME`].
pub fn zone(name: Option<&str>) -> Result<Tz> {
    match name.map(str::trim).filter(|name| !name.is_empty()) {
        None => Ok(HOME),
        Some(name) => name.parse().map_err(|_| Error::new(Code::TimezoneUnknown)),
    }
}

/// Reads a point in time: `YYYY-MM-DD HH:mm[:ss]` on the clocks of `zone`, or ISO 8601 with an offset.
///
/// Returns milliseconds since 1970. A time that the clocks show twice is the first, one that they leave out is the moment at
/// which they jump.
pub fn point(field: &'static str, text: &str, zone: Tz) -> Result<i64> {
    let text = text.trim();
    if let Ok(point) = DateTime::parse_from_rfc3339(text) {
        return Ok(point.timestamp_millis());
    }
    let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    let written = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let refuse = || Error::invalid(field, "expected YYYY-MM-DD HH:mm:ss, or ISO 8601 with an offset");
    written.and_then(|written| moment(zone, written)).ok_or_else(refuse)
}

/// Returns when the clocks of `zone` show `time` for the first time, in milliseconds since 1970; when they leave it out, the
/// moment at which they jump over it. None beyond the calendar.
pub fn moment(zone: Tz, time: NaiveDateTime) -> Option<i64> {
    if let Some(first) = earliest(zone, time) {
        return Some(first);
    }
    let minute = time.with_second(0)?.with_nanosecond(0)?;
    (1..=GAP_MAX_MINUTES)
        .find_map(|minutes| earliest(zone, minute.checked_add_signed(Duration::minutes(minutes))?))
}

/// Returns `at` (milliseconds since 1970) as `YYYY-MM-DD HH:mm:ss` on the clocks of `zone`.
pub fn shown(at: i64, zone: Tz) -> String {
    let at = zone.timestamp_millis_opt(at).single();
    at.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

fn earliest(zone: Tz, time: NaiveDateTime) -> Option<i64> {
    match zone.from_local_datetime(&time) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.timestamp_millis()),
        LocalResult::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str, zone: Tz) -> String {
        let at = point("scheduleTime", text, zone).expect("a time");
        shown(at, Tz::UTC)
    }

    #[test]
    fn a_time_is_read_on_the_clocks_of_its_zone() {
        assert_eq!(utc("2024-01-01 12:00:00", HOME), "2024-01-01 05:00:00");
        assert_eq!(utc("2024-07-01 12:00", Tz::Europe__Berlin), "2024-07-01 10:00:00");
        assert_eq!(utc("2024-01-01T12:00:30", HOME), "2024-01-01 05:00:30");
        assert_eq!(utc("2024-01-01T12:00:00+02:00", HOME), "2024-01-01 10:00:00");
        assert_eq!(utc("2024-01-01T12:00:00.500Z", HOME), "2024-01-01 12:00:00");
        for bad in ["", "tomorrow", "2024-13-01 12:00:00", "2024-01-01", "12:00", "2024-02-30 10:00:00"] {
            assert!(point("scheduleTime", bad, HOME).is_err(), "{bad}");
        }
        assert!(zone(Some("Mars/Olympus")).is_err() && zone(Some(" ")).expect("home") == HOME);
    }

    #[test]
    fn a_doubled_time_is_the_first_and_a_skipped_one_the_jump() {
        let berlin = Tz::Europe__Berlin;
        assert_eq!(utc("2024-10-27 02:30:00", berlin), "2024-10-27 00:30:00");
        for skipped in ["2024-03-31 02:00:00", "2024-03-31 02:30:17", "2024-03-31 02:59:59"] {
            assert_eq!(utc(skipped, berlin), "2024-03-31 01:00:00", "{skipped}");
        }
        assert_eq!(utc("2024-03-31 03:00:00", berlin), "2024-03-31 01:00:00");
        assert_eq!(utc("2024-03-31 01:59:59", berlin), "2024-03-31 00:59:59");
        // Half an hour, and a day that a zone left out.
        assert_eq!(utc("2024-10-06 02:10:00", Tz::Australia__Lord_Howe), "2024-10-05 15:30:00");
        assert_eq!(utc("2011-12-30 12:00:00", Tz::Pacific__Apia), "2011-12-30 10:00:00");
    }
}
