//! Whether a log is what was written.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Serialize;

use super::line::{AuditKey, GENESIS, Head, MAX_LINE, sealed, split};
use super::tail::{active, closed};
use super::{ACTIVE, AuditError, LOCK};

/// What the log is held against.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// The key it was written with.
    pub key: Option<AuditKey>,
    /// A hash that was the head once and was kept elsewhere. It must be that of some line: the log may have grown since,
    /// but not shrunk to before it.
    pub head: Option<String>,
}

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// The file's name.
    pub file: String,
    /// The line in it, from 1; 0 is the file as a whole.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.why)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Report {
    /// Files read.
    pub files: u64,
    /// Lines that are good, up to the first that is not.
    pub lines: u64,
    /// The number of the first line there is.
    pub first_seq: u64,
    /// The last good line.
    pub head: Head,
    /// Events that the log itself says it lost to a full queue.
    pub lost: u64,
    /// Bytes of an unfinished line at the very end: a crash, or a writer at work without its lock.
    pub torn: u64,
    /// The first thing that is wrong.
    pub first_bad: Option<Bad>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn ok(&self) -> bool {
        self.first_bad.is_none()
    }
}

/// Reads the whole log and checks every line's hash, the chain, the numbers, and that no file is missing before the first.
/// It stops at the first thing that is wrong.
///
/// It finds lines that were removed, edited, inserted or put in another order, files that were cut, removed or exchanged,
/// and with [`Expect::head`] also an end that was cut off. A host may go on writing meanwhile: what is read is what was
/// there at the beginning.
///
/// # Errors
///
/// If the folder or a file in it cannot be read.
pub fn verify(dir: &Path, expect: &Expect) -> Result<Report, AuditError> {
    let (files, last) = listing(dir)?;
    let mut walk = Walk {
        expect,
        report: Report::default(),
        seen: expect.head.as_deref().is_none_or(|head| head == GENESIS),
        oldest: 1,
        vanished: false,
    };
    for (number, path) in files {
        let file = match File::open(&path) {
            Ok(file) => file,
            // Retention took it since; the chain tells whether that is so.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                walk.vanished = true;
                continue;
            }
            Err(error) => return Err(AuditError::io(&path)(error)),
        };
        if !walk.file(file, &path, Some(number), u64::MAX)? {
            return Ok(walk.report);
        }
    }
    if let Some((file, size)) = last
        && !walk.file(file, &active(dir), None, size)?
    {
        return Ok(walk.report);
    }
    Ok(walk.finish())
}

type Listing = (Vec<(u64, std::path::PathBuf)>, Option<(File, u64)>);

/// What there is at one moment, taken while nobody writes.
fn listing(dir: &Path) -> Result<Listing, AuditError> {
    // Without the lock's file, or the right to open it, there is no writer to wait for.
    let lock = File::open(dir.join(LOCK)).ok();
    if let Some(lock) = &lock {
        lock.lock_shared().map_err(AuditError::io(&dir.join(LOCK)))?;
    }
    let files = closed(dir)?;
    let path = active(dir);
    let last = match File::open(&path) {
        Ok(file) => {
            let size = file.metadata().map_err(AuditError::io(&path))?.len();
            Some((file, size))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(AuditError::io(&path)(error)),
    };
    Ok((files, last))
}

struct Walk<'a> {
    expect: &'a Expect,
    report: Report,
    seen: bool,
    /// The oldest line that must still be there.
    oldest: u64,
    /// Whether a file went while this was reading.
    vanished: bool,
}

impl Walk<'_> {
    /// Reads a file; `false` when something is wrong.
    fn file(&mut self, file: File, path: &Path, number: Option<u64>, size: u64) -> Result<bool, AuditError> {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.report.files = self.report.files.saturating_add(1);
        let mut reader = BufReader::with_capacity(256 * 1024, file.take(size));
        let mut at = 0_u64;
        let mut line = Vec::new();
        loop {
            line.clear();
            let got =
                reader.by_ref().take(MAX_LINE as u64 + 2).read_until(b'\n', &mut line).map_err(AuditError::io(path))?;
            if got == 0 {
                break;
            }
            at = at.saturating_add(1);
            let why = match line.strip_suffix(b"\n") {
                Some(line) => self.line(line, if at == 1 { number } else { None }).err(),
                None if got > MAX_LINE => Some("the line is too long".to_owned()),
                None if name == ACTIVE => {
                    self.report.torn = got as u64;
                    None
                }
                None => Some("the file ends in the middle of a line".to_owned()),
            };
            if let Some(why) = why {
                self.report.first_bad = Some(Bad { file: name, line: at, why });
                return Ok(false);
            }
        }
        if at == 0 && name != ACTIVE {
            self.report.first_bad = Some(Bad { file: name, line: 0, why: "the file is empty".into() });
            return Ok(false);
        }
        Ok(true)
    }

    fn line(&mut self, line: &[u8], number: Option<u64>) -> Result<(), String> {
        let parts = split(line)?;
        if !sealed(&parts, self.expect.key.as_ref()) {
            return Err("its hash is not that of its bytes: it was edited, or written with another key".into());
        }
        let report = &mut self.report;
        if number.is_some_and(|number| number != parts.seq) {
            return Err(format!("the file's name does not say {}, its first line's number", parts.seq));
        }
        if report.lines == 0 {
            report.first_seq = parts.seq;
            if parts.seq == 1 && parts.prev != GENESIS {
                return Err("the first line follows another".into());
            }
        } else if parts.seq != report.head.seq.saturating_add(1) {
            return Err(format!(
                "line {} follows line {}: lines were removed, inserted or put in another order",
                parts.seq, report.head.seq
            ));
        } else if parts.prev != report.head.hash {
            return Err("it does not follow the line before: something between was removed or exchanged".into());
        }
        report.lines = report.lines.saturating_add(1);
        report.head = Head { seq: parts.seq, hash: parts.hash.to_owned() };
        if self.expect.head.as_deref() == Some(parts.hash) {
            self.seen = true;
        }
        self.own(line)
    }

    /// What the log's own lines say.
    fn own(&mut self, line: &[u8]) -> Result<(), String> {
        #[derive(serde::Deserialize)]
        struct Own {
            event: String,
            data: serde_json::Value,
        }
        // Only the log writes these two; the name stands right after the fields of fixed width.
        let head = line.get(..128.min(line.len())).unwrap_or_default();
        let is = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
        if !is(b"\"event\":\"rotate\",") && !is(b"\"event\":\"lost\",") {
            return Ok(());
        }
        let own: Own = serde_json::from_slice(line).map_err(|_| "it is no JSON".to_owned())?;
        let number = |name: &str| own.data.get(name).and_then(serde_json::Value::as_u64);
        match own.event.as_str() {
            "rotate" => self.oldest = number("oldest_kept").ok_or("it does not say which file is the oldest")?,
            "lost" => self.report.lost = self.report.lost.saturating_add(number("events").unwrap_or(0)),
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Report {
        let report = &mut self.report;
        if report.lines > 0 && report.first_seq > self.oldest && !self.vanished {
            report.first_bad = Some(Bad {
                file: String::new(),
                line: 0,
                why: format!(
                    "the log begins with line {} and should begin with {}: files were removed",
                    report.first_seq, self.oldest
                ),
            });
        } else if !self.seen {
            report.first_bad = Some(Bad {
                file: ACTIVE.into(),
                line: 0,
                why: "no line has the expected hash: the end was cut off, or the hash is of another log".into(),
            });
        }
        self.report
    }
}
