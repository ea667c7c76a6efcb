//! What can go wrong, in words for the model and for the operator it will ask.

use std::io::{self, ErrorKind};
use std::path::Path;

/// Why the graph could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// There is no directory to keep it in.
    #[error(
        "no directory is granted to keep the memory in; the operator can grant one in toolcell.toml with \
         `[plugins.memory] dirs = [{{ host = \"./memory\", guest = \"/memory\", access = \"read-write\" }}]`"
    )]
    NotGranted,
    /// The directory may only be looked at.
    #[error(
        "{directory} is not writable, so nothing can be added or deleted; the operator can grant writing with \
         `access = \"read-write\"` and the rights of the host's user"
    )]
    ReadOnly {
        /// The directory of the file.
        directory: String,
    },
    /// `MEMORY_FILE_PATH` names something this plugin cannot see.
    #[error(
        "MEMORY_FILE_PATH is {path:?}, and this plugin sees nothing but the directory mounted at /memory; the operator \
         can mount the directory of that file there and set MEMORY_FILE_PATH to the name of the file, or leave it out"
    )]
    Outside {
        /// What the variable says.
        path: String,
    },
    /// `MEMORY_FILE_PATH` names a subdirectory that is not there.
    #[error("{directory} does not exist; the operator can make it or change MEMORY_FILE_PATH")]
    NoDirectory {
        /// The directory.
        directory: String,
    },
    /// A line of the file is none of ours.
    #[error(
        "line {line} of {file} is damaged ({reason}); nothing was changed; the operator can repair or delete the line"
    )]
    Damaged {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// More than can be kept or loaded.
    #[error("{what} is too large: {size} bytes, the limit is {limit}; {hint}")]
    TooLarge {
        /// What.
        what: String,
        /// Bytes there are.
        size: usize,
        /// Bytes there may be.
        limit: usize,
        /// What to do instead.
        hint: &'static str,
    },
    /// More than one answer carries.
    #[error(
        "the answer is longer than {limit} bytes (nothing was changed); use search_nodes or open_nodes, or pass less"
    )]
    TooLong {
        /// Bytes it may have.
        limit: usize,
    },
    /// Others kept the file locked for as long as we were willing to wait.
    #[error("the memory is busy with other changes; nothing was changed, try again")]
    Busy,
    /// Observations about nothing.
    #[error("entity with name {name} not found; create it with create_entities first (nothing was changed)")]
    UnknownEntity {
        /// The name.
        name: String,
    },
    /// Anything else the system said.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: String,
        /// What the system said.
        source: io::Error,
    },
}

impl MemoryError {
    /// Puts what the system said while trying to `action` the file `path` into words.
    pub fn from_io(action: &'static str, path: &Path, source: io::Error) -> Self {
        let directory = path.parent().unwrap_or(path).display().to_string();
        match source.kind() {
            ErrorKind::NotFound => Self::NoDirectory { directory },
            // The sandbox answers so to any change below a read-only mount.
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem if action != "read" => {
                Self::ReadOnly { directory }
            }
            _ => Self::Io { action, path: path.display().to_string(), source },
        }
    }
}
