//! How a file is taken up again: its last line, its first, and what a crash left behind.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::line::{AuditKey, Head, MAX_LINE, sealed, split};
use super::{ACTIVE, AuditError};
use crate::text::parse_rfc3339;

/// What a file says about the chain.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Its last line; nothing in an empty file.
    pub head: Option<Head>,
    /// Its size in whole lines.
    pub len: u64,
    /// Bytes of an unfinished last line.
    pub torn: u64,
}

/// The number and time of a file's first line.
pub(crate) fn first(path: &Path) -> Result<Option<(u64, SystemTime)>, AuditError> {
    let file = File::open(path).map_err(AuditError::io(path))?;
    let mut line = Vec::new();
    BufReader::new(file.take(MAX_LINE as u64)).read_until(b'\n', &mut line).map_err(AuditError::io(path))?;
    let Some(line) = line.strip_suffix(b"\n") else { return Ok(None) };
    let parts = split(line).map_err(|why| broken(path, why))?;
    #[derive(serde::Deserialize)]
    struct Time {
        time: String,
    }
    let time = serde_json::from_slice::<Time>(line).map_err(|_| broken(path, "the first line is no JSON"))?;
    let time = parse_rfc3339(&time.time).ok_or_else(|| broken(path, "the first line has no time"))?;
    Ok(Some((parts.seq, time)))
}

/// Reads the last line and checks that it was sealed with this key.
pub(crate) fn last(file: &mut File, path: &Path, key: Option<&AuditKey>) -> Result<Taken, AuditError> {
    let size = file.metadata().map_err(AuditError::io(path))?.len();
    // A whole line, the end of the one before, and an unfinished one.
    let window = (MAX_LINE as u64 * 2 + 2).min(size);
    file.seek(SeekFrom::Start(size - window)).map_err(AuditError::io(path))?;
    let mut bytes = Vec::new();
    file.take(window).read_to_end(&mut bytes).map_err(AuditError::io(path))?;
    let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        if window < size {
            return Err(broken(path, "the last line is too long"));
        }
        return Ok(Taken { head: None, len: 0, torn: size });
    };
    let whole = bytes.get(..end).unwrap_or_default();
    let torn = (bytes.len() - end - 1) as u64;
    let begin = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = whole.get(begin..).unwrap_or_default();
    let parts = split(line).map_err(|why| broken(path, why))?;
    if !sealed(&parts, key) {
        return Err(broken(path, "its hash is not that of its bytes"));
    }
    Ok(Taken { head: Some(Head { seq: parts.seq, hash: parts.hash.to_owned() }), len: size - torn, torn })
}

/// Moves an unfinished last line to a file of its own, before it is cut off. Returns that file's name.
pub(crate) fn set_aside(dir: &Path, file: &mut File, path: &Path, taken: &Taken) -> Result<String, AuditError> {
    let next = taken.head.as_ref().map_or(1, |head| head.seq.saturating_add(1));
    let name = format!("audit.torn-{next:020}");
    let aside = dir.join(&name);
    file.seek(SeekFrom::Start(taken.len)).map_err(AuditError::io(path))?;
    let mut out = OpenOptions::new().create(true).append(true).open(&aside).map_err(AuditError::io(&aside))?;
    std::io::copy(&mut file.take(taken.torn), &mut out).map_err(AuditError::io(&aside))?;
    out.flush().and_then(|()| out.sync_all()).map_err(AuditError::io(&aside))?;
    file.set_len(taken.len).map_err(AuditError::io(path))?;
    Ok(name)
}

/// The closed files with the number of their first line, oldest first.
pub(crate) fn closed(dir: &Path) -> Result<Vec<(u64, PathBuf)>, AuditError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(AuditError::io(dir))? {
        let entry = entry.map_err(AuditError::io(dir))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("audit-")?.strip_suffix(".jsonl"));
        if let Some(number) = number.filter(|number| number.len() == 20).and_then(|number| number.parse().ok()) {
            files.push((number, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

/// The path of the file that is written.
pub(crate) fn active(dir: &Path) -> PathBuf {
    dir.join(ACTIVE)
}

pub(crate) fn broken(path: &Path, why: impl Into<String>) -> AuditError {
    AuditError::Broken { path: path.to_owned(), why: why.into() }
}
