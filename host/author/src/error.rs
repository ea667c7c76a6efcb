use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

/// Why a project cannot be made, read or built. Each text ends with what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The project's own files are wrong.
    #[error("{}: {message}", place(.file, *.line))]
    Project {
        /// The file that is wrong.
        file: PathBuf,
        /// Where in it, counted from 1, if that is known.
        line: Option<usize>,
        /// What is wrong and how to mend it.
        message: String,
    },
    /// A tool of the toolchain is missing, or too old.
    #[error("{0}")]
    Missing(String),
    /// A tool ran and failed.
    #[error("{tool} failed ({status}){}", ending(.last))]
    Tool {
        /// What was run.
        tool: String,
        /// Its exit status.
        status: String,
        /// The last lines it said.
        last: String,
    },
    /// What was built is no component that the host could run.
    #[error("{0}")]
    Component(String),
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Anything else; the text says what to do.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// For [`Result::map_err`]: what was done to `path` failed.
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }

    /// A failure of a kind of its own.
    pub(crate) fn other(message: impl Display) -> Self {
        Self::Other(message.to_string())
    }
}

fn place(file: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", file.display()),
        None => file.display().to_string(),
    }
}

fn ending(last: &str) -> String {
    if last.is_empty() { String::new() } else { format!(":\n{last}") }
}
