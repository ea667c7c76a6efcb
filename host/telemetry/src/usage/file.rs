//! A day's file: one JSON object, replaced as a whole.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Day, Sums, UsageError};

/// The largest file that is read, in bytes: [`super::MAX_CELLS`] sums with names of full length.
const MAX_FILE: u64 = 64 * 1024 * 1024;
const VERSION: u32 = 1;
const LOCK: &str = "usage.lock";

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    day: String,
    rows: Vec<WrittenRow>,
}

#[derive(Serialize, Deserialize)]
struct WrittenRow {
    principal: String,
    plugin: String,
    tool: String,
    #[serde(flatten)]
    sums: Sums,
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> UsageError {
    let path = path.to_owned();
    move |source| UsageError::Io { path, source }
}

fn path(dir: &Path, day: &str) -> PathBuf {
    dir.join(format!("usage-{day}.json"))
}

/// Whether this is a day as file names have it.
pub(crate) fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

/// The days there are files of, oldest first.
pub(crate) fn days(dir: &Path) -> Result<Vec<String>, UsageError> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(dir)(error)),
    };
    let mut days = Vec::new();
    for entry in entries {
        let name = entry.map_err(io(dir))?.file_name();
        let day = name.to_str().and_then(|name| name.strip_prefix("usage-")?.strip_suffix(".json"));
        days.extend(day.filter(|day| is_day(day)).map(str::to_owned));
    }
    days.sort();
    Ok(days)
}

/// Reads a day; a day without a file is empty.
pub(crate) fn read(dir: &Path, day: &str) -> Result<Day, UsageError> {
    let path = path(dir, day);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Day::default()),
        Err(error) => return Err(io(&path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(io(&path))?;
    let bad = |why: String| UsageError::Bad { path: path.clone(), why };
    if bytes.len() as u64 > MAX_FILE {
        return Err(bad("it is too long".into()));
    }
    let written: Written = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if written.version != VERSION || written.day != day {
        return Err(bad(format!("it is of version {} and day {}", written.version, written.day)));
    }
    let mut sums = Day::default();
    for row in written.rows {
        sums.add(&row.principal, &row.plugin, &row.tool, &row.sums);
    }
    Ok(sums)
}

/// Adds sums to a day's file, and removes the files of days that are no longer kept.
pub(crate) fn merge(dir: &Path, day: &str, more: &Day, keep: usize) -> Result<(), UsageError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir).map_err(io(dir))?;
    let lock = dir.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock).map_err(io(&lock))?;
    // Let go of when the file is closed, at the end.
    file.lock().map_err(io(&lock))?;

    let mut sums = read(dir, day)?;
    sums.merge(more);
    write(dir, day, sums)?;
    if keep > 0 {
        let days = days(dir)?;
        let over = days.len().saturating_sub(keep);
        for old in days.iter().take(over) {
            let old = path(dir, old);
            std::fs::remove_file(&old).map_err(io(&old))?;
        }
    }
    Ok(())
}

fn write(dir: &Path, day: &str, sums: Day) -> Result<(), UsageError> {
    let path = path(dir, day);
    let mut rows = Vec::new();
    for (principal, plugins) in sums.principals {
        for (plugin, tools) in plugins {
            for (tool, sums) in tools {
                rows.push(WrittenRow { principal: principal.clone(), plugin: plugin.clone(), tool, sums });
            }
        }
    }
    rows.sort_by(|a, b| (&a.principal, &a.plugin, &a.tool).cmp(&(&b.principal, &b.plugin, &b.tool)));
    let written = Written { version: VERSION, day: day.to_owned(), rows };
    let mut file = tempfile::Builder::new().prefix(".usage-").tempfile_in(dir).map_err(io(dir))?;
    let json =
        serde_json::to_vec(&written).map_err(|error| UsageError::Bad { path: path.clone(), why: error.to_string() })?;
    file.write_all(&json).map_err(io(&path))?;
    file.as_file().sync_all().map_err(io(&path))?;
    file.persist(&path).map_err(|error| io(&path)(error.error))?;
    Ok(())
}
