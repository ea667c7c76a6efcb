//! The folder the host watches and the file that is replaced in it.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// Which of the two builds of the plugin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Version {
    V1,
    V2,
}

impl Version {
    pub fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }

    /// What its tool answers.
    pub fn text(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    pub fn from_text(text: &str) -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|version| version.text() == text)
    }
}

impl Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A watched folder with one plugin, and the builds that will replace it, staged beside it.
pub struct Folder {
    root: TempDir,
    current: Version,
    staged: std::vec::IntoIter<PathBuf>,
}

impl Folder {
    /// Puts the first version in place and stages the others.
    ///
    /// Every staged build is another file to its last byte, as it is when an author saves: a host that remembers what it
    /// has compiled gains nothing from the two builds taking turns, nor from an earlier run.
    ///
    /// # Errors
    /// When a build is missing or cannot be copied.
    pub fn new(guests: &Path, replacements: usize) -> Result<Self> {
        let root = TempDir::with_prefix("toolcell-bench-")?;
        let current = Version::V1;
        std::fs::create_dir(root.path().join("plugins"))?;
        let mut staged = Vec::new();
        let mut version = current;
        for number in 0..=replacements {
            let build = guests.join(format!("versioned_{version}.wasm"));
            let mut bytes = std::fs::read(&build)
                .with_context(|| format!("cannot read {}; build the guests first", build.display()))?;
            // The folder's name is random, so it differs from run to run.
            append_custom_section(&mut bytes, &format!("{} {number}", root.path().display()))?;
            let file = root.path().join(format!("{number}.wasm"));
            std::fs::write(&file, bytes)?;
            staged.push(file);
            version = version.other();
        }
        let mut folder = Self { root, current: current.other(), staged: staged.into_iter() };
        folder.replace()?;
        Ok(folder)
    }

    /// The folder for the host.
    pub fn watched(&self) -> PathBuf {
        self.root.path().join("plugins")
    }

    /// The version in place.
    pub fn current(&self) -> Version {
        self.current
    }

    /// Moves the next version over the one in place, in one step as seen by any reader.
    ///
    /// # Errors
    /// When all have been used or the rename fails.
    pub fn replace(&mut self) -> Result<()> {
        let Some(next) = self.staged.next() else { bail!("no build is left to put in place") };
        std::fs::rename(next, self.watched().join("versioned.wasm"))?;
        self.current = self.current.other();
        Ok(())
    }
}

/// Appends a custom section, which changes what the file is but not what it does: id 0, size, name, contents (none here).
fn append_custom_section(component: &mut Vec<u8>, name: &str) -> Result<()> {
    // Below 128 a length is a single LEB128 byte.
    let (Ok(name_length), Ok(size)) = (u8::try_from(name.len()), u8::try_from(name.len() + 1)) else {
        bail!("section name {name:?} is too long");
    };
    if size >= 128 {
        bail!("section name {name:?} is too long; set TMPDIR to a shorter path");
    }
    component.extend_from_slice(&[0, size, name_length]);
    component.extend_from_slice(name.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_well_formed() {
        let mut bytes = b"\0asm".to_vec();
        append_custom_section(&mut bytes, "abc").unwrap();
        assert_eq!(bytes, b"\0asm\x00\x04\x03abc");
        assert!(append_custom_section(&mut bytes, &"x".repeat(127)).is_err());
        assert!(append_custom_section(&mut bytes, &"x".repeat(300)).is_err());
    }

    #[test]
    fn versions_alternate_and_no_two_files_are_alike() {
        let guests = TempDir::new().unwrap();
        for version in [Version::V1, Version::V2] {
            std::fs::write(guests.path().join(format!("versioned_{version}.wasm")), version.text()).unwrap();
        }
        let mut folder = Folder::new(guests.path(), 2).unwrap();
        let mut seen = Vec::new();
        for expected in [Version::V1, Version::V2, Version::V1] {
            let bytes = std::fs::read(folder.watched().join("versioned.wasm")).unwrap();
            assert_eq!(folder.current(), expected);
            assert!(bytes.starts_with(expected.text().as_bytes()));
            assert!(!seen.contains(&bytes));
            seen.push(bytes);
            let _ = folder.replace();
        }
        assert!(folder.replace().unwrap_err().to_string().contains("no build is left"));
        assert_eq!(std::fs::read_dir(folder.watched()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_build_is_named() {
        let error = Folder::new(Path::new("/nonexistent"), 1).err().unwrap();
        assert!(error.to_string().contains("versioned_v1.wasm"), "{error}");
    }
}
