//! A folder of its own for each test: a config, plugins, directories to grant. It goes when the test ends.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::artifacts;

/// A temporary folder with everything one host needs.
pub struct Site {
    folder: TempDir,
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

impl Site {
    /// An empty folder.
    ///
    /// # Panics
    ///
    /// If the system has no temporary folder to give.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("toolcell-e2e-").tempdir();
        Self { folder: folder.expect("a temporary folder can be made") }
    }

    /// The path of something in it.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a folder in it.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        path
    }

    /// Writes a file in place, in one step as seen from outside only if it is small.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("a folder can be made");
        }
        fs::write(&path, content).expect("a file can be written");
        path
    }

    /// Puts a file where another may be, in one step: written beside it, then renamed.
    pub fn replace(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let part = self.write(&format!("{name}.part"), content);
        let path = self.path(name);
        fs::rename(part, &path).expect("a file can be renamed");
        path
    }

    /// Puts a component there in one step.
    pub fn put(&self, name: &str, component: &Path) -> PathBuf {
        self.replace(name, fs::read(component).expect("a component can be read"))
    }

    /// Writes `toolcell.toml`.
    pub fn config(&self, text: &str) -> PathBuf {
        self.replace("toolcell.toml", text)
    }

    /// A config entry for a plugin that is granted nothing, with more lines if there are any.
    #[must_use]
    pub fn entry(name: &str, component: &Path, more: &str) -> String {
        format!("[plugins.{name}]\npath = {}\n{more}\n", quoted(component))
    }

    /// The config entry of a first-party plugin.
    #[must_use]
    pub fn plugin(name: &str, more: &str) -> String {
        Self::entry(name, &artifacts::plugin(name), more)
    }

    /// The config entry of a component that knows nothing of Toolcell.
    #[must_use]
    pub fn foreign(name: &str, more: &str) -> String {
        Self::entry(name, &artifacts::foreign(name), more)
    }

    /// The config entry of a hostile guest.
    #[must_use]
    pub fn guest(name: &str, more: &str) -> String {
        Self::entry(name, &artifacts::guest(name), more)
    }
}

/// A path as a TOML string.
#[must_use]
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}
