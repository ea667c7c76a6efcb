//! Times in zones, computed from a given "now".

use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, Dst, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// A zone, and the name it was asked for by.
#[derive(Debug)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// A time in a zone.
#[derive(Debug, PartialEq, Serialize)]
pub struct LocalTime {
    timezone: String,
    /// ISO 8601 with seconds and offset.
    datetime: String,
    /// English, in full.
    day_of_week: String,
    is_dst: bool,
}

/// One time in two zones.
#[derive(Debug, PartialEq, Serialize)]
pub struct Conversion {
    source: LocalTime,
    target: LocalTime,
    /// Hours from source to target, with sign, such as `-5.0h` or `+5.75h`.
    time_difference: String,
}

/// What is wrong with the arguments.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no zone of this name.
    Zone(String),
    /// This is no time of day.
    Time(String),
    /// The date is at the end of what the calendar knows.
    Range,
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zone(name) => {
                write!(f, "Invalid timezone: no zone is called '{name}'; use an IANA name such as 'Europe/London'")
            }
            Self::Time(text) => write!(f, "Invalid time format: '{text}'; expected HH:MM [24-hour format]"),
            Self::Range => f.write_str("Invalid time: the date is out of range"),
        }
    }
}

impl std::error::Error for Error {}

impl Zone {
    /// The zone of an IANA name.
    ///
    /// # Errors
    /// There is none.
    pub fn named(name: &str) -> Result<Self, Error> {
        let zone = TimeZone::get(name).map_err(|_| Error::Zone(name.to_owned()))?;
        Ok(Self { name: name.to_owned(), zone })
    }

    /// What the clocks of this zone show at a moment.
    pub fn at(&self, moment: Timestamp) -> LocalTime {
        let info = self.zone.to_offset_info(moment);
        self.local_time(info.offset().to_datetime(moment), info.offset(), info.dst())
    }

    /// What the clocks of `target` show when those of this zone show `time` on the day that is here `now`.
    ///
    /// # Errors
    /// The day is the first or last one the calendar knows.
    pub fn convert(&self, time: Time, target: &Self, now: Timestamp) -> Result<Conversion, Error> {
        let today = self.zone.to_datetime(now).date();
        let here = today.to_datetime(time);
        let (offset, dst) = self.offset_at(here)?;
        let moment = offset.to_timestamp(here).map_err(|_| Error::Range)?;
        let difference = target.zone.to_offset(moment).seconds() - offset.seconds();
        Ok(Conversion {
            source: self.local_time(here, offset, dst),
            target: target.at(moment),
            time_difference: hours(difference),
        })
    }

    /// The offset at a local time. A time that occurs twice is taken as the first; one that is skipped, when clocks go
    /// forward, is counted on with the offset from before, and so are its answers in the reference server.
    fn offset_at(&self, local: DateTime) -> Result<(Offset, Dst), Error> {
        let (offset, skipped) = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, 0),
            AmbiguousOffset::Fold { before, .. } => (before, 0),
            AmbiguousOffset::Gap { before, after } => (before, after.seconds() - before.seconds()),
        };
        // A skipped time is a moment after the change; as much earlier as was skipped, the old rules still hold.
        let moment = offset.to_timestamp(local).map_err(|_| Error::Range)?;
        let ruled = moment.checked_sub(SignedDuration::from_secs(skipped.into())).map_err(|_| Error::Range)?;
        Ok((offset, self.zone.to_offset_info(ruled).dst()))
    }

    fn local_time(&self, local: DateTime, offset: Offset, dst: Dst) -> LocalTime {
        LocalTime {
            timezone: self.name.clone(),
            datetime: format!("{}{}", local.strftime("%Y-%m-%dT%H:%M:%S"), iso_offset(offset)),
            day_of_week: local.strftime("%A").to_string(),
            is_dst: dst.is_dst(),
        }
    }
}

/// `HH:MM` on a 24-hour clock; a leading zero may be missing.
///
/// # Errors
/// It is anything else.
pub fn parse_time(text: &str) -> Result<Time, Error> {
    let number = |part: &str| match (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()) {
        true => part.parse::<i8>().ok(),
        false => None,
    };
    let parse = || {
        let (hour, minute) = text.split_once(':')?;
        Time::new(number(hour)?, number(minute)?, 0, 0).ok()
    };
    parse().ok_or_else(|| Error::Time(text.to_owned()))
}

/// The name of the zone that the variable `TZ` means, or `UTC`.
pub fn local_zone(variable: Option<&str>) -> String {
    // POSIX allows a colon before the name of a zone.
    let name = variable.map(|value| value.strip_prefix(':').unwrap_or(value));
    let zone = name.and_then(|name| TimeZone::get(name).ok());
    zone.and_then(|zone| zone.iana_name().map(str::to_owned)).unwrap_or_else(|| "UTC".to_owned())
}

/// `+05:45`, with seconds only where an offset of past centuries has them.
fn iso_offset(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) = (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    match rest {
        0 => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
    }
}

/// Seconds as hours: `+1.0h` if they are whole, otherwise up to two places without trailing zeros.
fn hours(seconds: i32) -> String {
    let hours = f64::from(seconds) / 3600.0;
    match seconds % 3600 {
        0 => format!("{hours:+.1}h"),
        _ => format!("{}h", format!("{hours:+.2}").trim_end_matches('0').trim_end_matches('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn now_in_a_zone() {
        let cases = [
            ("2024-01-01T12:00:00Z", "Europe/Warsaw", "2024-01-01T13:00:00+01:00", "Monday", false),
            ("2024-01-01T12:00:00Z", "Europe/London", "2024-01-01T12:00:00+00:00", "Monday", false),
            ("2024-01-01T12:00:00Z", "America/New_York", "2024-01-01T07:00:00-05:00", "Monday", false),
            ("2024-03-31T12:00:00Z", "Europe/London", "2024-03-31T13:00:00+01:00", "Sunday", true),
            ("2024-03-31T12:00:00Z", "America/New_York", "2024-03-31T08:00:00-04:00", "Sunday", true),
            ("2024-06-30T23:59:59.9Z", "UTC", "2024-06-30T23:59:59+00:00", "Sunday", false),
        ];
        for (now, zone, datetime, day_of_week, is_dst) in cases {
            let expected = LocalTime {
                timezone: zone.to_owned(),
                datetime: datetime.to_owned(),
                day_of_week: day_of_week.to_owned(),
                is_dst,
            };
            assert_eq!(Zone::named(zone).unwrap().at(moment(now)), expected);
        }
    }

    /// Now, source zone, time, target zone; then both datetimes, whether each is daylight saving, and the difference.
    type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, bool, &'a str, bool, &'a str);

    #[rustfmt::skip]
    const CONVERSIONS: [Case<'static>; 14] = [
        ("2024-01-01T00:00:00Z", "Europe/Warsaw", "12:00", "Europe/London", "2024-01-01T12:00:00+01:00", false, "2024-01-01T11:00:00+00:00", false, "-1.0h"),
        ("2024-01-01T00:00:00Z", "Europe/London", "12:00", "Europe/Warsaw", "2024-01-01T12:00:00+00:00", false, "2024-01-01T13:00:00+01:00", false, "+1.0h"),
        // One week in which only one side of the Atlantic has left daylight saving.
        ("2024-10-28T00:00:00Z", "Europe/Warsaw", "12:00", "America/New_York", "2024-10-28T12:00:00+01:00", false, "2024-10-28T07:00:00-04:00", true, "-5.0h"),
        ("2024-11-04T00:00:00Z", "Europe/Warsaw", "12:00", "America/New_York", "2024-11-04T12:00:00+01:00", false, "2024-11-04T06:00:00-05:00", false, "-6.0h"),
        ("2024-01-01T00:00:00Z", "Europe/Warsaw", "12:00", "Asia/Kathmandu", "2024-01-01T12:00:00+01:00", false, "2024-01-01T16:45:00+05:45", false, "+4.75h"),
        ("2024-01-01T00:00:00Z", "Asia/Kathmandu", "12:00", "Europe/Warsaw", "2024-01-01T12:00:00+05:45", false, "2024-01-01T07:15:00+01:00", false, "-4.75h"),
        // Daylight saving of half an hour.
        ("2024-01-01T00:00:00Z", "Europe/Warsaw", "12:00", "Australia/Lord_Howe", "2024-01-01T12:00:00+01:00", false, "2024-01-01T22:00:00+11:00", true, "+10.0h"),
        ("2024-04-07T00:00:00Z", "Europe/Warsaw", "12:00", "Australia/Lord_Howe", "2024-04-07T12:00:00+02:00", true, "2024-04-07T20:30:00+10:30", false, "+8.5h"),
        // Over the date line.
        ("2024-01-01T00:00:00Z", "Europe/Warsaw", "23:00", "Pacific/Kiritimati", "2024-01-01T23:00:00+01:00", false, "2024-01-02T12:00:00+14:00", false, "+13.0h"),
        ("2016-04-30T00:00:00Z", "Europe/Warsaw", "12:00", "America/Caracas", "2016-04-30T12:00:00+02:00", true, "2016-04-30T05:30:00-04:30", false, "-6.5h"),
        // "Today" is the day in the source zone.
        ("2024-01-01T23:30:00Z", "Asia/Tokyo", "00:05", "UTC", "2024-01-02T00:05:00+09:00", false, "2024-01-01T15:05:00+00:00", false, "-9.0h"),
        // Skipped when clocks go forward, and the same clock time a second time when they go back.
        ("2024-03-31T00:00:00Z", "Europe/Berlin", "02:30", "UTC", "2024-03-31T02:30:00+01:00", false, "2024-03-31T01:30:00+00:00", false, "-1.0h"),
        ("2024-10-27T00:00:00Z", "Europe/Berlin", "02:30", "UTC", "2024-10-27T02:30:00+02:00", true, "2024-10-27T00:30:00+00:00", false, "-2.0h"),
        ("2024-01-01T00:00:00Z", "UTC", "9:5", "UTC", "2024-01-01T09:05:00+00:00", false, "2024-01-01T09:05:00+00:00", false, "+0.0h"),
    ];

    #[test]
    fn a_time_in_two_zones() {
        for (now, source, time, target, from, from_dst, to, to_dst, difference) in CONVERSIONS {
            let (source, target) = (Zone::named(source).unwrap(), Zone::named(target).unwrap());
            let found = source.convert(parse_time(time).unwrap(), &target, moment(now)).unwrap();
            assert_eq!((&*found.source.datetime, found.source.is_dst), (from, from_dst), "{now} {time}");
            assert_eq!((&*found.target.datetime, found.target.is_dst), (to, to_dst), "{now} {time}");
            assert_eq!(found.time_difference, difference, "{now} {time}");
        }
    }

    #[test]
    fn what_is_no_zone_and_what_is_no_time() {
        for name in ["", "Invalid/Timezone", "../etc/passwd", "UTC+1"] {
            assert_eq!(Zone::named(name).unwrap_err(), Error::Zone(name.to_owned()));
        }
        for text in ["", "12", "25:00", "12:60", "-1:00", "+1:00", "12:00:00", "12:00 PM", " 9:00", "012:00", "1２:00"]
        {
            assert_eq!(parse_time(text).unwrap_err(), Error::Time(text.to_owned()));
        }
    }

    #[test]
    fn the_local_zone_is_a_name_that_exists() {
        let cases = [
            (Some("Europe/Berlin"), "Europe/Berlin"),
            (Some(":Europe/Berlin"), "Europe/Berlin"),
            (Some("CET-1CEST,M3.5.0,M10.5.0/3"), "UTC"),
            (Some(""), "UTC"),
            (Some("/etc/localtime"), "UTC"),
            (None, "UTC"),
        ];
        for (variable, expected) in cases {
            assert_eq!(local_zone(variable), expected);
        }
    }
}
