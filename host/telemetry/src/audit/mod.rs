//! The audit log: one line for each thing that happened, chained by hashes, so that a removed or edited line shows.
//!
//! A line is one JSON object, and its last two fields are always the chain:
//!
//! ```text
//! {"seq":7,"time":"2026-11-23T12:00:00.000000Z","event":"invocation","principal":"alice","trace":null,"data":{…},"prev":"<64>","hash":"<64>"}
//! ```
//!
//! `hash` is the SHA-256 (or, with a key, the HMAC-SHA-256) of the line's own bytes up to `,"hash"`; `prev` is the hash
//! of the line before, 64 zeros for the very first. So nothing has to be canonical: what is hashed is what is there.
//!
//! The folder holds `audit.jsonl`, which is written, and `audit-<number of its first line, 20 digits>.jsonl`, which were:
//! names sort in the order of the chain, and no file is ever renumbered. The chain goes across files. A new file
//! begins with a `rotate` line that says which file is the oldest still kept, so that a file deleted by someone else is
//! missed. `audit.lock` is locked for every batch: several processes (two hosts during a restart, a command line) write
//! one chain. An unfinished last line, left by a crash, is moved to `audit.torn-<seq>` and told in a `torn` line.
//!
//! What the chain cannot show is that its end was cut off, or that someone without need of a key wrote all of it anew.
//! Against the first, keep the head elsewhere ([`AuditConfig::on_line`] gives it out with every line, and the OTLP logs
//! carry it) and give it to [`verify`]; against the second, use a key.
//!
//! Modules, in reading order: `event` (what is recorded), `line` (the bytes), `log` (files, rotation, locks), `tail` (how a
//! file is taken up again), `writer` (the thread and its queue), `verify`.

mod event;
mod line;
mod log;
mod tail;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use event::{Event, EventKind};
pub use line::{AuditKey, Head, MAX_LINE};
pub use verify::{Bad, Expect, Report, verify};
pub use writer::{Audit, AuditCounts};

/// The file that is written.
pub const ACTIVE: &str = "audit.jsonl";
/// The file that is locked.
pub(crate) const LOCK: &str = "audit.lock";

/// What happens to an event that finds the queue full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Full {
    /// Who records it waits. No call goes unrecorded; a full disk stops the host.
    #[default]
    Block,
    /// It is lost, and a `lost` line says later how many were.
    DropAndCount,
}

/// When lines are forced to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// At most this long after they were written.
    Every(Duration),
    /// Before anything later is written; lines that wait together share one.
    Each,
}

/// One line as it was written, for whoever keeps the head elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Written<'a> {
    /// The line, without its line feed.
    pub line: &'a str,
    /// Its number and hash: the chain's head.
    pub head: &'a Head,
    /// What it records.
    pub event: &'a Event,
}

/// Called on the writer's thread with each line.
pub type OnLine = Arc<dyn Fn(Written<'_>) + Send + Sync>;

/// Where and how. The defaults are those of [`AuditConfig::new`].
#[derive(Clone)]
pub struct AuditConfig {
    /// The folder; made if it is not there, for the owner only.
    pub dir: PathBuf,
    /// A file is closed before it grows beyond this. Default is 64 MiB.
    pub max_bytes: u64,
    /// And when its first line is this old. Default is a day.
    pub max_age: Duration,
    /// How many closed files are kept; 0 keeps all. Default is 90.
    pub keep: usize,
    /// How many events may wait to be written. Default is 8,192.
    pub queue: usize,
    /// What happens beyond. Default is to wait.
    pub full: Full,
    /// When lines are forced to the disk. Default is every second.
    pub sync: Fsync,
    /// Makes the chain one that only its holder can continue or rewrite.
    pub key: Option<AuditKey>,
    /// Gets every line. Default is nobody.
    pub on_line: Option<OnLine>,
}

impl AuditConfig {
    /// The defaults, in a folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            max_bytes: 64 * 1024 * 1024,
            max_age: Duration::from_hours(24),
            keep: 90,
            queue: 8_192,
            full: Full::Block,
            sync: Fsync::Every(Duration::from_secs(1)),
            key: None,
            on_line: None,
        }
    }
}

impl fmt::Debug for AuditConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditConfig")
            .field("dir", &self.dir)
            .field("max_bytes", &self.max_bytes)
            .field("max_age", &self.max_age)
            .field("keep", &self.keep)
            .field("queue", &self.queue)
            .field("full", &self.full)
            .field("sync", &self.sync)
            .field("keyed", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

/// Why the audit log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The file system said no.
    #[error("audit log {}: {source}; check the folder and its permissions", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A link, a folder or another file is where the log was, or should be.
    #[error(
        "audit log {}: something else is at its place, such as a link; find out who put it there, then move it away and restart the host",
        path.display()
    )]
    Replaced {
        /// The place.
        path: PathBuf,
    },
    /// The last line is not what was written, or was written with another key.
    #[error(
        "audit log {}: the last line does not belong to the chain ({why}); run `toolcell audit verify`, then move the folder aside or give the key it was written with",
        path.display()
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The key file holds no key.
    #[error("audit key {}: {why}; write 64 hexadecimal digits to it, readable by the host's user only", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The writer's thread could not be started.
    #[error("audit log: no thread for the writer: {0}; raise the limit on threads")]
    Thread(std::io::Error),
    /// The log was stopped, or did not finish in time.
    #[error("audit log: closed; nothing more is recorded")]
    Closed,
}

impl AuditError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
