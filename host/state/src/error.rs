//! What can go wrong, each with what to do about it.

use std::path::PathBuf;

use crate::task::TaskRecord;
use crate::values::Full;

/// Why the store did not do what it was asked to.
///
/// [`NotFound`](Self::NotFound), [`Conflict`](Self::Conflict), [`Fixed`](Self::Fixed), [`Final`](Self::Final) and
/// [`Differs`](Self::Differs) are about the request; [`Limit`](Self::Limit) and [`Full`](Self::Full) may be told to whoever
/// asks; the others are the operator's to mend.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// There is no task of that id.
    #[error("the task is not there: it was deleted, has expired, or never was")]
    NotFound,
    /// Somebody else wrote in between; here is what is stored now.
    #[error("the task was changed meanwhile and has version {}: decide anew on what it is now", .0.version)]
    Conflict(Box<TaskRecord>),
    /// A field differs that is decided when a task is created.
    #[error("`{field}` of a task cannot change: create another task")]
    Fixed {
        /// The field of [`TaskRecord`].
        field: &'static str,
    },
    /// The task is over and keeps its status.
    #[error("the task is already {status}, which is final")]
    Final {
        /// The status it has.
        status: &'static str,
    },
    /// It would be more than [`Limits`](crate::Limits) allow.
    #[error("the state would need {needed}, but `{setting}` allows {limit}: raise it, or let tasks expire sooner")]
    Limit {
        /// The field of [`Limits`](crate::Limits).
        setting: &'static str,
        /// What it is set to: bytes or a number of records.
        limit: u64,
        /// What it would have to be.
        needed: u64,
    },
    /// The key of a plugin has another value than the write expects.
    #[error("the key has another value by now: decide anew on what it is")]
    Differs {
        /// What it has.
        current: Option<Vec<u8>>,
    },
    /// A plugin would keep more than its [`Quota`](crate::Quota).
    #[error("the plugin would keep {needed} {}, at most {limit} are allowed", match .what { Full::Keys => "keys", Full::Bytes => "bytes" })]
    Full {
        /// What there is too much of.
        what: Full,
        /// How much is allowed.
        limit: u64,
        /// How much it would be.
        needed: u64,
    },
    /// Another process, or another [`FileStore`](crate::FileStore) of this one, has the file open.
    #[error("{} is open in another process: stop that one, or give this one a state file of its own", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A later version has written the file.
    #[error(
        "{} has schema {found}, this version knows up to {known}: start the later version again, or name another state file",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema it has.
        found: u64,
        /// The latest schema that can be read.
        known: u64,
    },
    /// The file is not what was written. Nothing in it has been changed or given up.
    #[error(
        "{} cannot be used ({detail}): put a copy of it back, or move it away to begin without tasks",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The file cannot be read or written.
    #[error("{} cannot be read or written ({detail}): see that the disk has room and the file may be written", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// The thread that writes is gone, or tokio is shutting down.
    #[error("the state is closed: open it again")]
    Closed,
    /// A record could not be written as JSON, which should not be possible.
    #[error("the task cannot be written as JSON ({detail}): report this")]
    NotText {
        /// What the writer says.
        detail: String,
    },
    /// The system gives no random bits, so no id can be made.
    #[error("the system gives no random numbers ({detail}): see that it provides its random device")]
    NoRandomness {
        /// What the system says.
        detail: String,
    },
}
