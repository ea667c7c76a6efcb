//! What is known of one file or directory.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::FsError;
use crate::mounts::{Access, Mounts};

/// What is known of a file or directory, one `name: value` a line.
///
/// # Errors
///
/// `NotFound`, or what the system says.
pub fn info(mounts: &Mounts, path: &str) -> Result<String, FsError> {
    let at = mounts.locate(path)?;
    let found = fs::metadata(&at.path).map_err(|e| FsError::from_io("look at", &at, e))?;
    let time = |time: std::io::Result<SystemTime>| time.map_or_else(|_| "unknown".to_owned(), date);
    Ok([
        format!("size: {}", found.len()),
        format!("created: {}", time(found.created())),
        format!("modified: {}", time(found.modified())),
        format!("accessed: {}", time(found.accessed())),
        format!("isDirectory: {}", found.is_dir()),
        format!("isFile: {}", found.is_file()),
        // The sandbox shows no mode bits; what the operator granted is what counts here.
        format!(
            "permissions: {}",
            match at.mount.access {
                Access::ReadOnly => "read-only",
                Access::ReadWrite => "read-write",
            }
        ),
    ]
    .join("\n"))
}

/// A time as JavaScript's `Date` prints it in UTC: `Thu Jan 01 1970 00:00:00 GMT+0000 (Coordinated Universal Time)`.
fn date(time: SystemTime) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |s| -s),
    };
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let name = |names: &[&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
    };
    format!(
        "{} {} {day:02} {year:04} {:02}:{:02}:{:02} GMT+0000 (Coordinated Universal Time)",
        name(&WEEKDAYS, days.rem_euclid(7)),
        name(&MONTHS, month),
        second / 3600,
        second / 60 % 60,
        second % 60,
    )
}

/// Year, month (0 to 11) and day (1 to 31) of a day counted from 1970-01-01, in the Gregorian calendar. Counts in years
/// that begin in March, so that a leap day is the last day of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let since_march_0 = days + 719_468;
    let (era, day_of_era) = (since_march_0.div_euclid(146_097), since_march_0.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    (era * 400 + year_of_era + i64::from(month < 2), month, day)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;
    use crate::testing::Bench;

    #[test]
    fn dates_as_javascript_prints_them() {
        for (seconds, text) in [
            (0, "Thu Jan 01 1970 00:00:00"),
            (951_782_399, "Mon Feb 28 2000 23:59:59"),
            (951_782_400, "Tue Feb 29 2000 00:00:00"),
            (1_795_478_399, "Mon Nov 23 2026 23:59:59"),
            (4_107_542_400, "Mon Mar 01 2100 00:00:00"),
        ] {
            let expected = format!("{text} GMT+0000 (Coordinated Universal Time)");
            assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
        assert!(date(UNIX_EPOCH - Duration::from_secs(1)).starts_with("Wed Dec 31 1969 23:59:59"));
    }

    #[test]
    fn info_names_all_that_is_known() {
        let bench = Bench::new();
        bench.file("b.txt", &"x".repeat(1536));
        std::fs::create_dir(bench.host("c")).unwrap();
        symlink("c", bench.host("link")).unwrap();
        let text = info(&bench.mounts, "b.txt").unwrap();
        let keys: Vec<_> = text.lines().filter_map(|line| line.split_once(": ")).map(|(key, _)| key).collect();
        assert_eq!(keys, ["size", "created", "modified", "accessed", "isDirectory", "isFile", "permissions"]);
        assert!(text.starts_with("size: 1536\n") && text.ends_with("isFile: true\npermissions: read-write"), "{text}");
        assert!(info(&bench.mounts, "link").unwrap().contains("isDirectory: true"));
        bench.file("read-only/a", "");
        assert!(info(&bench.mounts, "read-only/a").unwrap().ends_with("permissions: read-only"));
    }
}
