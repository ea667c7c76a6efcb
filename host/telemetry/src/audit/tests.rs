use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::log::Log;
use super::*;
use crate::receipt::{Kind, Outcome, Receipt};

fn event(n: u64) -> Event {
    Event::new(EventKind::Admin, UNIX_EPOCH + Duration::from_secs(n), json!({ "n": n })).principal("alice")
}

fn events(count: u64) -> Vec<Event> {
    (1..=count).map(event).collect()
}

/// Writes lines with the clock standing at the epoch, so that no age rotates anything.
fn write(config: AuditConfig, count: u64) -> Head {
    let mut log = Log::open(config, UNIX_EPOCH).unwrap();
    let progress = log.append(&events(count), UNIX_EPOCH);
    assert!(progress.error.is_none(), "{:?}", progress.error);
    assert_eq!(progress.done as u64, count);
    log.head().clone()
}

fn small(dir: &Path) -> AuditConfig {
    AuditConfig { max_bytes: 1_200, ..AuditConfig::new(dir) }
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != LOCK);
    names.sort();
    names
}

fn check(dir: &Path) -> Report {
    verify(dir, &Expect::default()).unwrap()
}

#[test]
fn a_line_is_what_the_documentation_says() {
    let dir = tempfile::tempdir().unwrap();
    let head = write(AuditConfig::new(dir.path()), 1);
    let text = fs::read_to_string(dir.path().join(ACTIVE)).unwrap();
    let body = concat!(
        r#"{"seq":1,"time":"1970-01-01T00:00:01.000000Z","event":"admin","principal":"alice","trace":null,"data":{"n":1},"#,
        r#""prev":"0000000000000000000000000000000000000000000000000000000000000000""#
    );
    use sha2::Digest;
    let hash = crate::text::hex(&sha2::Sha256::digest(body));
    assert_eq!(text, format!("{body},\"hash\":\"{hash}\"}}\n"));
    assert_eq!(head, Head { seq: 1, hash });
    serde_json::from_str::<serde_json::Value>(&text).unwrap();
}

#[test]
fn the_chain_goes_across_files_and_restarts() {
    let dir = tempfile::tempdir().unwrap();
    write(small(dir.path()), 7);
    let head = write(small(dir.path()), 7);
    let names = names(dir.path());
    assert!(names.len() > 2, "{names:?}");
    assert!(names[0] == "audit-00000000000000000001.jsonl" && names.last().unwrap() == ACTIVE, "{names:?}");
    let report = check(dir.path());
    assert!(report.ok(), "{report:?}");
    assert_eq!((report.files, report.head.clone(), report.lines), (names.len() as u64, head.clone(), head.seq));
    assert_eq!(head.seq, 14 + report.files - 1, "one rotate line for each file but the first");
    for name in &names {
        assert!(fs::metadata(dir.path().join(name)).unwrap().len() <= 1_200, "{name}");
    }
}

#[test]
fn age_begins_a_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let config = AuditConfig { max_age: Duration::from_secs(100), ..AuditConfig::new(dir.path()) };
    let mut log = Log::open(config, UNIX_EPOCH).unwrap();
    for (now, files) in [(1, 1), (100, 1), (101, 2), (150, 2), (300, 3)] {
        assert!(log.append(&[event(now)], UNIX_EPOCH + Duration::from_secs(now)).error.is_none());
        assert_eq!(names(dir.path()).len(), files, "at {now}");
    }
    assert!(check(dir.path()).ok());
}

#[test]
fn retention_is_announced_and_any_other_deletion_shows() {
    let dir = tempfile::tempdir().unwrap();
    write(AuditConfig { keep: 2, ..small(dir.path()) }, 40);
    let files = names(dir.path());
    assert_eq!(files.len(), 3, "{files:?}");
    let report = check(dir.path());
    assert!(report.ok() && report.first_seq > 1, "{report:?}");
    fs::remove_file(dir.path().join(&files[0])).unwrap();
    let bad = check(dir.path()).first_bad.unwrap();
    assert!(bad.why.contains("files were removed"), "{bad}");
}

type Tamper = fn(&mut Vec<String>);
type TamperFiles = fn(&Path, &[String]);

#[test]
fn every_kind_of_tampering_shows_at_its_line() {
    let table: [(&str, Tamper, u64, &str); 9] = [
        ("edited", |lines| lines[3] = lines[3].replace("\"n\":4", "\"n\":5"), 4, "its hash is not"),
        ("edited principal", |lines| lines[0] = lines[0].replace("alice", "mallo"), 1, "its hash is not"),
        ("removed", |lines| drop(lines.remove(4)), 5, "removed, inserted or put in another order"),
        ("first removed", |lines| drop(lines.remove(0)), 0, "files were removed"),
        ("reordered", |lines| lines.swap(2, 3), 3, "removed, inserted or put in another order"),
        ("repeated", |lines| lines.insert(3, lines[2].clone()), 4, "removed, inserted or put in another order"),
        ("inserted", |lines| lines.insert(3, "{\"seq\":4}".into()), 4, "too short"),
        ("blank inserted", |lines| lines.insert(3, String::new()), 4, "too short"),
        ("cut in the middle", |lines| lines[5].truncate(60), 6, "the line"),
    ];
    for (what, tamper, line, why) in table {
        let dir = tempfile::tempdir().unwrap();
        write(AuditConfig::new(dir.path()), 8);
        assert!(check(dir.path()).ok());
        let path = dir.path().join(ACTIVE);
        let mut lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        tamper(&mut lines);
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let bad = check(dir.path()).first_bad.unwrap_or_else(|| panic!("{what} does not show"));
        assert!(bad.line == line && bad.why.contains(why), "{what}: {bad}");
    }
}

/// Someone who knows the format and recomputes one line's hash breaks the next; with a key not even that.
#[test]
fn a_recomputed_line_breaks_the_next_and_with_a_key_itself() {
    for (key, line) in [(None, 5), (Some(AuditKey::new([7; 32])), 4)] {
        let dir = tempfile::tempdir().unwrap();
        write(AuditConfig { key: key.clone(), ..AuditConfig::new(dir.path()) }, 8);
        let path = dir.path().join(ACTIVE);
        let mut lines: Vec<String> = fs::read_to_string(&path).unwrap().lines().map(str::to_owned).collect();
        let edited = lines[3].replace("\"n\":4", "\"n\":5");
        let body = &edited[..edited.len() - 75];
        lines[3] = format!("{body},\"hash\":\"{}\"}}", line::seal(body.as_bytes(), None));
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let bad = verify(dir.path(), &Expect { key, head: None }).unwrap().first_bad.unwrap();
        assert_eq!(bad.line, line, "{bad}");
    }
}

#[test]
fn files_that_were_cut_exchanged_or_renamed_show() {
    let table: [(&str, TamperFiles, &str); 4] = [
        ("middle file removed", |dir, names| fs::remove_file(dir.join(&names[1])).unwrap(), "removed, inserted"),
        (
            "closed file cut at a line",
            |dir, names| {
                let text = fs::read_to_string(dir.join(&names[1])).unwrap();
                let cut = text.trim_end().rfind('\n').unwrap() + 1;
                fs::write(dir.join(&names[1]), &text[..cut]).unwrap();
            },
            "removed, inserted",
        ),
        (
            "closed file cut in a line",
            |dir, names| {
                let text = fs::read_to_string(dir.join(&names[1])).unwrap();
                fs::write(dir.join(&names[1]), &text[..text.len() - 9]).unwrap();
            },
            "in the middle of a line",
        ),
        (
            "closed file renamed",
            |dir, names| {
                fs::rename(dir.join(&names[1]), dir.join("audit-00000000000000000002.jsonl")).unwrap();
            },
            "the file's name",
        ),
    ];
    for (what, tamper, why) in table {
        let dir = tempfile::tempdir().unwrap();
        write(small(dir.path()), 20);
        tamper(dir.path(), &names(dir.path()));
        let bad = check(dir.path()).first_bad.unwrap_or_else(|| panic!("{what} does not show"));
        assert!(bad.why.contains(why), "{what}: {bad}");
    }
}

#[test]
fn a_cut_end_shows_only_against_a_head_kept_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let head = write(AuditConfig::new(dir.path()), 8);
    let kept = Expect { head: Some(head.hash.clone()), key: None };
    write(AuditConfig::new(dir.path()), 2);
    assert!(verify(dir.path(), &kept).unwrap().ok(), "a log may grow");
    let path = dir.path().join(ACTIVE);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().take(7).collect();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    assert!(check(dir.path()).ok(), "the chain alone cannot know");
    let bad = verify(dir.path(), &kept).unwrap().first_bad.unwrap();
    assert!(bad.why.contains("cut off"), "{bad}");
}

#[test]
fn a_torn_line_is_set_aside_and_told() {
    let dir = tempfile::tempdir().unwrap();
    write(AuditConfig::new(dir.path()), 3);
    let path = dir.path().join(ACTIVE);
    let torn = b"{\"seq\":4,\"time\":\"2026";
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(torn);
    fs::write(&path, &bytes).unwrap();
    let report = check(dir.path());
    assert!(report.ok() && report.torn == torn.len() as u64, "{report:?}");

    write(AuditConfig::new(dir.path()), 1);
    assert_eq!(fs::read(dir.path().join("audit.torn-00000000000000000004")).unwrap(), torn);
    let report = check(dir.path());
    assert!(report.ok() && report.torn == 0 && report.lines == 5, "{report:?}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#""event":"torn","#) && text.contains(r#""bytes":21"#), "{text}");
}

#[test]
fn a_crash_between_two_files_goes_on_from_the_closed_one() {
    let dir = tempfile::tempdir().unwrap();
    write(AuditConfig::new(dir.path()), 3);
    fs::rename(dir.path().join(ACTIVE), dir.path().join("audit-00000000000000000001.jsonl")).unwrap();
    assert_eq!(write(AuditConfig::new(dir.path()), 1).seq, 4);
    assert!(check(dir.path()).ok());
}

#[test]
fn a_log_of_another_key_or_an_edited_end_is_not_continued() {
    let dir = tempfile::tempdir().unwrap();
    let keyed = |byte| AuditConfig { key: Some(AuditKey::new([byte; 32])), ..AuditConfig::new(dir.path()) };
    write(keyed(1), 3);
    assert!(matches!(Log::open(keyed(2), UNIX_EPOCH), Err(AuditError::Broken { .. })));
    assert!(matches!(Log::open(AuditConfig::new(dir.path()), UNIX_EPOCH), Err(AuditError::Broken { .. })));
    assert_eq!(write(keyed(1), 1).seq, 4);
    assert!(!check(dir.path()).ok(), "not without the key");
    assert!(verify(dir.path(), &Expect { key: Some(AuditKey::new([1; 32])), head: None }).unwrap().ok());
    assert_eq!(format!("{:?}", AuditKey::new([1; 32])), "AuditKey(…)");
}

#[test]
fn two_processes_write_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let mut logs = [0, 1].map(|_| Log::open(small(dir.path()), UNIX_EPOCH).unwrap());
    for n in 1..=30 {
        let log = &mut logs[usize::try_from(n).unwrap() % 2];
        assert!(log.append(&[event(n)], UNIX_EPOCH).error.is_none());
    }
    let report = check(dir.path());
    assert!(report.ok() && report.files > 2, "{report:?}");
    assert_eq!(report.lines, 30 + report.files - 1);
}

#[test]
fn a_key_file_must_hold_a_key_and_be_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let put = |bytes: &[u8], mode| {
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        AuditKey::from_file(&path)
    };
    assert!(put(format!("{}\n", "Ab".repeat(32)).as_bytes(), 0o600).is_ok());
    assert!(put(&[9; 32], 0o400).is_ok());
    assert!(put(&[9; 32], 0o640).is_err(), "others can read it");
    assert!(put(b"short", 0o600).is_err());
    assert!(put(&[b'a'; 2_000], 0o600).is_err());
}

/// An event of now: the writer has the machine's clock, by which one of the epoch is old enough to begin a new file.
fn today(n: u64) -> Event {
    Event::new(EventKind::Admin, SystemTime::now(), json!({ "n": n }))
}

/// A writer that stands still, because whoever gets its first line does not give it back.
fn stalled(dir: &Path, full: Full) -> (Audit, mpsc::Sender<()>, mpsc::Receiver<()>) {
    let (go, wait) = mpsc::channel::<()>();
    let (tell, began) = mpsc::channel();
    let wait = Mutex::new(wait);
    let on_line: OnLine = Arc::new(move |written: Written<'_>| {
        if written.head.seq == 1 {
            let _ = tell.send(());
            let _ = wait.lock().unwrap().recv();
        }
    });
    let audit = Audit::open(AuditConfig { queue: 4, full, on_line: Some(on_line), ..AuditConfig::new(dir) }).unwrap();
    (audit, go, began)
}

#[tokio::test]
async fn a_full_queue_makes_callers_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (audit, go, began) = stalled(dir.path(), Full::Block);
    audit.record(today(1)).await.unwrap();
    began.recv().unwrap();
    for n in 2..=5 {
        audit.record(today(n)).await.unwrap();
    }
    assert!(audit.pressed());
    let mut waiting = std::pin::pin!(audit.record(today(6)));
    assert!(futures_poll(waiting.as_mut()).await.is_none(), "there was room");
    go.send(()).unwrap();
    waiting.await.unwrap();
    let head = audit.flush().await.unwrap();
    assert_eq!((head.seq, audit.counts().lines, audit.counts().lost), (6, 6, 0));
    assert!(check(dir.path()).ok());
}

async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match future.as_mut().poll(cx) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn or_drops_and_a_line_says_how_many() {
    let dir = tempfile::tempdir().unwrap();
    let (audit, go, began) = stalled(dir.path(), Full::DropAndCount);
    audit.record(today(1)).await.unwrap();
    began.recv().unwrap();
    for n in 2..=12 {
        audit.record(today(n)).await.unwrap();
    }
    assert_eq!(audit.counts().lost, 7);
    go.send(()).unwrap();
    let head = audit.flush().await.unwrap();
    assert_eq!(head.seq, 1 + 4 + 1, "five events and the line that tells of the others");
    let report = check(dir.path());
    assert!(report.ok() && report.lost == 7, "{report:?}");
}

#[tokio::test]
async fn a_wait_that_is_given_up_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (audit, go, began) = stalled(dir.path(), Full::Block);
    audit.record(today(1)).await.unwrap();
    began.recv().unwrap();
    for n in 2..=5 {
        audit.record(today(n)).await.unwrap();
    }
    {
        let mut waiting = Box::pin(audit.record(today(6)));
        assert!(futures_poll(waiting.as_mut()).await.is_none());
    }
    assert_eq!(audit.counts().lost, 1);
    go.send(()).unwrap();
    audit.flush().await.unwrap();
    tokio::task::spawn_blocking(move || audit.close()).await.unwrap();
    assert_eq!(check(dir.path()).lost, 1);
}

/// Someone cuts the file under a running host: nothing more is written, the host knows why, and goes on once it is back.
#[tokio::test]
async fn a_log_that_was_cut_under_the_writer_is_trouble_until_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(AuditConfig::new(dir.path())).unwrap();
    for n in 1..=3 {
        audit.record(today(n)).await.unwrap();
    }
    audit.flush().await.unwrap();
    let path = dir.path().join(ACTIVE);
    let whole = fs::read_to_string(&path).unwrap();
    let first = whole.lines().next().unwrap();
    fs::write(&path, format!("{first}\n")).unwrap();
    audit.record(today(4)).await.unwrap();
    let trouble = loop {
        match audit.trouble() {
            Some(trouble) => break trouble,
            None => tokio::task::yield_now().await,
        }
    };
    assert!(trouble.contains("this host wrote 3"), "{trouble}");
    fs::write(&path, whole).unwrap();
    assert_eq!(audit.flush().await.unwrap().seq, 4);
    assert_eq!(audit.trouble(), None);
    assert!(audit.counts().failures > 0 && check(dir.path()).ok());
}

/// A link in the place of the log would have the host append to any file it may write, and cut off what is no line.
#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_place_of_the_log_or_of_its_folder_is_not_followed() {
    use std::os::unix::fs::symlink;
    let outer = tempfile::tempdir().unwrap();
    let (dir, victim) = (outer.path().join("audit"), outer.path().join("victim"));
    fs::write(&victim, "precious").unwrap();
    fs::create_dir(&dir).unwrap();
    for name in [LOCK, ACTIVE] {
        symlink(&victim, dir.join(name)).unwrap();
        let refused = Log::open(AuditConfig::new(&dir), UNIX_EPOCH).map(|_| ()).unwrap_err();
        assert!(matches!(refused, AuditError::Replaced { .. }), "{refused}");
        assert!(refused.to_string().contains(name) && refused.to_string().ends_with("restart the host"), "{refused}");
        fs::remove_file(dir.join(name)).unwrap();
    }

    let audit = Audit::open(AuditConfig::new(&dir)).unwrap();
    audit.record(today(1)).await.unwrap();
    audit.flush().await.unwrap();
    let (path, aside) = (dir.join(ACTIVE), outer.path().join("aside"));
    let trouble = async || loop {
        match audit.trouble() {
            Some(trouble) => break trouble,
            None => tokio::task::yield_now().await,
        }
    };
    // The file: a link to another one, and a link to itself where it was moved to.
    for target in [&victim, &aside] {
        fs::rename(&path, &aside).unwrap();
        symlink(target, &path).unwrap();
        audit.record(today(2)).await.unwrap();
        assert!(trouble().await.contains("something else is at its place"), "{target:?}");
        fs::remove_file(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        audit.flush().await.unwrap();
        assert_eq!(audit.trouble(), None);
    }
    // The folder: a link to another one that looks the same.
    let (moved, other) = (outer.path().join("moved"), outer.path().join("other"));
    fs::rename(&dir, &moved).unwrap();
    fs::create_dir(&other).unwrap();
    symlink(&other, &dir).unwrap();
    audit.record(today(3)).await.unwrap();
    assert!(trouble().await.contains("something else is at its place"));
    assert_eq!(fs::read_dir(&other).unwrap().count(), 0, "nothing was put there");
    fs::remove_file(&dir).unwrap();
    fs::rename(&moved, &dir).unwrap();
    assert_eq!(audit.flush().await.unwrap().seq, 4);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert!(check(&dir).ok());
}

#[test]
fn a_hundred_thousand_lines_are_written_and_verified() {
    let dir = tempfile::tempdir().unwrap();
    let audit = Audit::open(AuditConfig { max_bytes: 8 * 1024 * 1024, ..AuditConfig::new(dir.path()) }).unwrap();
    let receipt = Receipt::builder("weather", "forecast", Kind::Tool, SystemTime::now())
        .component(&format!("sha256:{}", "ab".repeat(32)))
        .principal(Some("alice"))
        .outcome(Outcome::Ok)
        .build();
    let receipt = Arc::new(receipt);
    let began = std::time::Instant::now();
    for _ in 0..100_000 {
        audit.record_blocking(Event::invocation(Arc::clone(&receipt))).unwrap();
    }
    audit.close();
    let took = began.elapsed();
    let report = check(dir.path());
    assert!(report.ok(), "{report:?}");
    assert_eq!(report.lines, 100_000 + report.files - 1);
    // A debug build on a busy machine; a release build takes half a second.
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn the_largest_receipt_fits_into_a_line() {
    let long = "\u{1}".repeat(5_000);
    let mut builder = Receipt::builder(&long, &long, Kind::Tool, UNIX_EPOCH).principal(Some(&long)).component(&long);
    for n in 0..100 {
        let text = format!("{n}{long}");
        builder = builder
            .file(&text)
            .host(crate::HostUse { host: text.clone(), count: 1, sent: 1, received: 1, refused: 0 })
            .refusal(&text, &text)
            .secret(&text);
    }
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(AuditConfig::new(dir.path()), UNIX_EPOCH).unwrap();
    assert!(log.append(&[Event::invocation(Arc::new(builder.build()))], UNIX_EPOCH).error.is_none());
    let text = fs::read_to_string(dir.path().join(ACTIVE)).unwrap();
    assert!(!text.contains("omitted_bytes") && text.len() <= MAX_LINE, "{}", text.len());
    let huge = Event::new(EventKind::Admin, UNIX_EPOCH, json!("x".repeat(MAX_LINE)));
    assert!(log.append(&[huge], UNIX_EPOCH).error.is_none());
    assert!(check(dir.path()).ok());
}
