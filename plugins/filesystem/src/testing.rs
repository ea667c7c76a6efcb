//! What the unit tests of the modules share: a directory of their own, mounted under its real path.

use std::path::PathBuf;

use crate::mounts::{Access, Mount, Mounts};

/// A temporary directory and the mounts that show it. It is deleted with this value.
pub struct Bench {
    directory: tempfile::TempDir,
    /// The directory, read-write, and its subdirectory `read-only`, so mounted.
    pub mounts: Mounts,
}

impl Bench {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().to_str().unwrap();
        let mounts = Mounts::new(vec![
            Mount::new(root, Access::ReadWrite),
            Mount::new(&format!("{root}/read-only"), Access::ReadOnly),
        ]);
        Self { directory, mounts }
    }

    pub fn host(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// As the tools print it.
    pub fn path(&self, name: &str) -> String {
        self.host(name).to_str().unwrap().to_owned()
    }

    /// Writes a file and the directories it is in.
    pub fn file(&self, name: &str, content: &str) {
        let path = self.host(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn content(&self, name: &str) -> String {
        std::fs::read_to_string(self.host(name)).unwrap()
    }
}
