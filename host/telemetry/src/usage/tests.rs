use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;

/// 2026-11-23, noon.
fn noon() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_435_200)
}

fn receipt(principal: &str, tool: &str, day: u64, outcome: Outcome) -> Receipt {
    Receipt::builder("weather", tool, Kind::Tool, noon() + Duration::from_secs(86_400 * day))
        .principal(Some(principal))
        .outcome(outcome)
        .times(Duration::from_micros(1_600), Duration::ZERO, Duration::ZERO, Duration::ZERO)
        .cpu_ms(5)
        .bytes_in(10)
        .bytes_out(20)
        .build()
}

#[test]
fn it_survives_a_restart_and_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (Usage::new(dir.path(), 0), Usage::new(dir.path(), 0));
    one.add(&receipt("alice", "forecast", 0, Outcome::Ok));
    two.add(&receipt("alice", "forecast", 0, Outcome::ToolError));
    one.save().unwrap();
    two.save().unwrap();
    one.save().unwrap();
    drop((one, two));
    let again = Usage::new(dir.path(), 0);
    again.add(&receipt("alice", "radar", 0, Outcome::Cancelled));
    let table = again.snapshot(By::Principal, None).unwrap();
    assert_eq!(table.rows().len(), 1);
    assert_eq!(
        table.total(),
        Sums { calls: 3, errors: 1, cpu_ms: 15, wall_ms: 4, bytes_in: 30, bytes_out: 60, rest_us: 800 }
    );
    assert_eq!(
        load(dir.path(), By::Tool, None).unwrap().total().calls,
        2,
        "what another process sees is what is saved"
    );
}

#[test]
fn tables_are_by_what_was_asked_since_when_it_was_asked() {
    let dir = tempfile::tempdir().unwrap();
    let usage = Usage::new(dir.path(), 0);
    usage.add(&receipt("alice", "forecast", 0, Outcome::Ok));
    usage.add(&receipt("bob\u{1b}[2J", "forecast", 1, Outcome::Ok));
    usage.add(&receipt("bob\u{1b}[2J", "radar", 1, Outcome::Ok));
    usage.save().unwrap();
    let names = |by, since| -> Vec<String> {
        load(dir.path(), by, since).unwrap().rows().iter().map(|row| row.name.clone()).collect()
    };
    assert_eq!(names(By::Principal, None), ["bob\u{1b}[2J", "alice"], "the dearest first");
    assert_eq!(names(By::Plugin, None), ["weather"]);
    assert_eq!(names(By::Tool, None), ["weather/forecast", "weather/radar"]);
    assert_eq!(names(By::Day, None), ["2026-11-23", "2026-11-24"]);
    assert_eq!(names(By::Principal, Some("2026-11-24")), ["bob\u{1b}[2J"]);
    assert!(matches!(load(dir.path(), By::Day, Some("yesterday")), Err(UsageError::Day(_))));

    let table = load(dir.path(), By::Principal, None).unwrap();
    assert_eq!(
        table.text(),
        "principal     calls  errors  cpu ms  wall ms  bytes in  bytes out\n\
         bob\\u{1b}[2J      2       0      10        3        20         40\n\
         alice             1       0       5        1        10         20\n\
         total             3       0      15        4        30         60\n"
    );
    assert_eq!(table.json()["rows"][0]["calls"], 2);
    assert_eq!(table.json()["total"]["cpu_ms"], 15);
}

#[test]
fn days_beyond_what_is_kept_go() {
    let dir = tempfile::tempdir().unwrap();
    let usage = Usage::new(dir.path(), 2);
    for day in 0..4 {
        usage.add(&receipt("alice", "forecast", day, Outcome::Ok));
        usage.save().unwrap();
    }
    let table = load(dir.path(), By::Day, None).unwrap();
    assert_eq!(table.rows().iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["2026-11-25", "2026-11-26"]);
}

#[test]
fn principals_beyond_the_bound_are_other() {
    let dir = tempfile::tempdir().unwrap();
    let usage = Usage::new(dir.path(), 0);
    for n in 0..MAX_PRINCIPALS + 5 {
        usage.add(&receipt(&format!("p{n}"), "forecast", 0, Outcome::Ok));
    }
    let table = usage.snapshot(By::Principal, None).unwrap();
    assert_eq!(table.rows().len(), MAX_PRINCIPALS + 1);
    assert_eq!(table.rows()[0].name, OTHER);
    assert_eq!(table.rows()[0].sums.calls, 5);
}

#[test]
fn a_spoilt_file_is_not_overwritten_and_nothing_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("usage-2026-11-23.json");
    std::fs::write(&path, "{").unwrap();
    let usage = Usage::new(dir.path(), 0);
    usage.add(&receipt("alice", "forecast", 0, Outcome::Ok));
    assert!(matches!(usage.save(), Err(UsageError::Bad { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{");
    std::fs::remove_file(&path).unwrap();
    usage.save().unwrap();
    assert_eq!(load(dir.path(), By::Plugin, None).unwrap().total().calls, 1);
}
