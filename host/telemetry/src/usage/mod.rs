//! What each principal, plugin and tool has cost, by UTC day.
//!
//! Sums are kept in memory until [`Usage::save`] adds them to the day's file, `usage-2026-11-23.json`, which is replaced as
//! a whole. Several processes may save into one folder: each holds only what it has not saved yet, and adds it under a
//! lock. A crash loses what was not saved.

mod file;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub use table::{By, Row, Table, load};

use crate::receipt::{Kind, Outcome, Receipt};
use crate::text::utc_day;

/// How many different principals a day tells apart, per process and in the file; the rest are `other`.
pub const MAX_PRINCIPALS: usize = 10_000;
/// How many different sums (principal, plugin, tool) a day has; beyond it a call is added to `other` of all three.
pub const MAX_CELLS: usize = 50_000;
/// How many days of a clock that jumps are held unsaved.
const MAX_DAYS: usize = 4;
/// What stands for everything beyond a bound.
pub const OTHER: &str = "other";
/// What stands for a call without a principal.
pub const NOBODY: &str = "-";

/// What calls cost together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Calls that ended, however.
    pub calls: u64,
    /// Of those, how many not with a result: tool errors, refusals, failures.
    pub errors: u64,
    /// Processor time in milliseconds.
    pub cpu_ms: u64,
    /// Time from coming in to the answer, in milliseconds.
    pub wall_ms: u64,
    /// Arguments, in bytes.
    pub bytes_in: u64,
    /// Results, in bytes.
    pub bytes_out: u64,
    /// Microseconds of `wall_ms` that do not fill one yet.
    #[serde(default)]
    rest_us: u64,
}

impl Sums {
    /// Adds what others cost.
    pub fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.errors = self.errors.saturating_add(other.errors);
        self.cpu_ms = self.cpu_ms.saturating_add(other.cpu_ms);
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
        let rest = self.rest_us.saturating_add(other.rest_us);
        self.wall_ms = self.wall_ms.saturating_add(other.wall_ms).saturating_add(rest / 1_000);
        self.rest_us = rest % 1_000;
    }

    fn of(receipt: &Receipt) -> Self {
        let error = !matches!(receipt.outcome, Outcome::Ok | Outcome::Cancelled);
        Self {
            calls: 1,
            errors: u64::from(error),
            cpu_ms: receipt.cpu_ms,
            wall_ms: receipt.wall_us / 1_000,
            bytes_in: receipt.bytes_in,
            bytes_out: receipt.bytes_out,
            rest_us: receipt.wall_us % 1_000,
        }
    }
}

/// A day's sums: principal, plugin, tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Day {
    principals: HashMap<String, HashMap<String, HashMap<String, Sums>>>,
    cells: usize,
}

impl Day {
    /// Adds without copying names that are known.
    fn add(&mut self, principal: &str, plugin: &str, tool: &str, sums: &Sums) {
        let known = |day: &mut Self, principal: &str, plugin: &str, tool: &str| {
            let cell = day.principals.get_mut(principal)?.get_mut(plugin)?.get_mut(tool)?;
            cell.add(sums);
            Some(())
        };
        if known(self, principal, plugin, tool).is_some() {
            return;
        }
        let principal = match self.principals.len() < MAX_PRINCIPALS || self.principals.contains_key(principal) {
            true => principal,
            false => OTHER,
        };
        let (principal, plugin, tool) =
            if self.cells < MAX_CELLS { (principal, plugin, tool) } else { (OTHER, OTHER, OTHER) };
        if known(self, principal, plugin, tool).is_some() {
            return;
        }
        let tools = self.principals.entry(principal.to_owned()).or_default().entry(plugin.to_owned()).or_default();
        tools.insert(tool.to_owned(), *sums);
        self.cells = self.cells.saturating_add(1);
    }

    fn merge(&mut self, other: &Self) {
        for (principal, plugins) in &other.principals {
            for (plugin, tools) in plugins {
                for (tool, sums) in tools {
                    self.add(principal, plugin, tool, sums);
                }
            }
        }
    }
}

/// Why usage cannot be kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The file system said no.
    #[error("usage {}: {source}; check the folder and its permissions", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A day's file is not what was written.
    #[error("usage {}: {why}; move the file aside", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A day that is none.
    #[error("{0:?} is no day; write it as 2026-11-23")]
    Day(String),
}

/// Collects the cost of calls.
#[derive(Debug)]
pub struct Usage {
    dir: PathBuf,
    keep_days: usize,
    /// By the number of the day since 1970 in UTC.
    unsaved: Mutex<HashMap<u64, Day>>,
}

impl Usage {
    /// Keeps its files in `dir`, those of the newest `keep_days` days; 0 keeps all. Reads and makes nothing yet.
    pub fn new(dir: impl Into<PathBuf>, keep_days: usize) -> Self {
        Self { dir: dir.into(), keep_days, unsaved: Mutex::new(HashMap::new()) }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Adds a call to the day on which it began.
    pub fn add(&self, receipt: &Receipt) {
        let principal = receipt.principal.as_deref().unwrap_or(NOBODY);
        // A resource's URI is the caller's to choose; it is counted by plugin.
        let name = if receipt.kind == Kind::Resource { "(resources)" } else { receipt.name.as_str() };
        let sums = Sums::of(receipt);
        let day = day_number(receipt.started);
        let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(day) = unsaved.get_mut(&day) {
            day.add(principal, &receipt.plugin, name, &sums);
        } else if unsaved.len() < MAX_DAYS {
            unsaved.entry(day).or_default().add(principal, &receipt.plugin, name, &sums);
        } else if let Some(day) = unsaved.values_mut().next() {
            day.add(principal, &receipt.plugin, name, &sums);
        }
    }

    /// Everything since a day (`2026-11-23`; all days if none is given): what is in the files, and what is not yet.
    ///
    /// # Errors
    ///
    /// If `since` is no day, or a file cannot be read.
    pub fn snapshot(&self, by: By, since: Option<&str>) -> Result<Table, UsageError> {
        let mut table = load(&self.dir, by, since)?;
        let unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, day) in unsaved.iter() {
            let name = day_name(*number);
            if since.is_none_or(|since| name.as_str() >= since) {
                table.add(&name, day);
            }
        }
        table.sort();
        Ok(table)
    }

    /// Adds what is not saved yet to the files. Blocks on the disk. What could not be saved is kept for the next time.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or replaced.
    pub fn save(&self) -> Result<(), UsageError> {
        let days = std::mem::take(&mut *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner));
        let mut failed = None;
        for (number, day) in days {
            let name = day_name(number);
            if let Err(error) = file::merge(&self.dir, &name, &day, self.keep_days) {
                let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
                unsaved.entry(number).or_default().merge(&day);
                failed = Some(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }
}

const SECONDS_A_DAY: u64 = 86_400;

fn day_number(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / SECONDS_A_DAY)
}

fn day_name(number: u64) -> String {
    let since = Duration::from_secs(number.saturating_mul(SECONDS_A_DAY));
    utc_day(UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH))
}
