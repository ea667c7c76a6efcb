//! What can go wrong, in words a model can act on.

use std::io::{self, ErrorKind};

use crate::path::Located;

/// Why a tool did not do what it was asked. The text goes to the model as the tool's error.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// The operator mounted nothing.
    #[error(
        "no directory is granted to this plugin; the operator can grant one in toolcell.toml with `[plugins.filesystem] \
         dirs = [{{ host = \"./docs\", guest = \"/docs\", access = \"read-write\" }}]`"
    )]
    NothingGranted,
    /// The path is in no mount.
    #[error("access denied: {path} is outside the allowed directories ({allowed}); use a path inside one of them")]
    Outside {
        /// The path as it was understood.
        path: String,
        /// The mounts.
        allowed: String,
    },
    /// The sandbox does not follow this link.
    #[error(
        "access denied: {link} is a symbolic link whose target is absolute or outside of {mount}; links are followed \
         only inside the allowed directory they are in"
    )]
    Escape {
        /// The link, or the path it is on.
        link: String,
        /// The mount it is in.
        mount: String,
    },
    /// The mount forbids changes.
    #[error(
        "cannot change {path}: {mount} is mounted read-only; the operator can grant read-write with \
         `access = \"read-write\"`"
    )]
    ReadOnly {
        /// The path that was to change.
        path: String,
        /// The mount it is in.
        mount: String,
    },
    /// There is nothing of that name.
    #[error("{path} does not exist; look with list_directory or search_files")]
    NotFound {
        /// The path.
        path: String,
    },
    /// The directory to put something into is not there.
    #[error("parent directory does not exist: {parent}; make it with create_directory first")]
    NoParent {
        /// The directory.
        parent: String,
    },
    /// A file was expected.
    #[error("{path} is a directory, not a file; use list_directory to see what is in it")]
    IsDirectory {
        /// The path.
        path: String,
    },
    /// A directory was expected.
    #[error("{path} is not a directory, or is inside of something that is none; look with list_directory")]
    NotDirectory {
        /// The path.
        path: String,
    },
    /// Something is there already.
    #[error("{path} already exists; choose another name")]
    Exists {
        /// The path.
        path: String,
    },
    /// More than one call returns or holds.
    #[error("{what} is too large: {size} bytes, the limit is {limit}; {hint}")]
    TooLarge {
        /// What.
        what: String,
        /// Bytes there are.
        size: u64,
        /// Bytes that would be possible.
        limit: u64,
        /// What to do instead.
        hint: &'static str,
    },
    /// The request contradicts itself or the file; the text says it all.
    #[error("{0}")]
    Refused(String),
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

impl FsError {
    /// Puts what the system said about `at` while trying to `action` it into words.
    pub fn from_io(action: &'static str, at: &Located<'_>, source: io::Error) -> Self {
        let path = at.path.clone();
        match source.kind() {
            ErrorKind::NotFound => Self::NotFound { path },
            ErrorKind::AlreadyExists => Self::Exists { path },
            ErrorKind::IsADirectory => Self::IsDirectory { path },
            ErrorKind::NotADirectory => Self::NotDirectory { path },
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path, mount: at.mount.path.clone() },
            // The sandbox answers "not permitted" to a path that would leave a mount; the system does so where the
            // host's own user may not go.
            ErrorKind::PermissionDenied => match at.first_link() {
                Some(link) => Self::Escape { link, mount: at.mount.path.clone() },
                None => Self::Io { action, path, source },
            },
            _ => Self::Io { action, path, source },
        }
    }
}
