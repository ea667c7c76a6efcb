//! The directories the operator mounted, and which of them holds the path of a call.
//!
//! The sandbox decides what can be opened at all; nothing here is a security boundary. It makes paths predictable
//! (absolute, without `.` and `..`) and refusals understandable.

use crate::error::FsError;
use crate::path::{Located, is_foreign, join, normalize};

/// What may be done below a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Looking.
    ReadOnly,
    /// Looking and changing.
    ReadWrite,
}

/// One mounted directory.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Its path inside the sandbox: absolute, without a slash at its end unless it is `/`.
    pub path: String,
    /// What may be done there.
    pub access: Access,
}

impl Mount {
    /// A mount at `path`, which may be written carelessly (`docs`, `/docs/`).
    pub fn new(path: &str, access: Access) -> Self {
        Self { path: normalize(path), access }
    }

    /// What is left of `path` below this mount, without a slash in front; `None` if it is elsewhere.
    pub fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.path == "/" {
            return path.strip_prefix('/');
        }
        let rest = path.strip_prefix(self.path.as_str())?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }
}

/// All mounts, in the operator's order.
#[derive(Clone, Debug, Default)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// These mounts and no others.
    #[cfg(test)]
    pub fn new(mounts: Vec<Mount>) -> Self {
        Self(mounts)
    }

    /// What the operator granted to this call.
    pub fn granted() -> Self {
        let mount = |(path, writable): (String, bool)| {
            let access = if writable { Access::ReadWrite } else { Access::ReadOnly };
            Mount::new(&path, access)
        };
        Self(preopened().into_iter().map(mount).collect())
    }

    /// All mounts, for `list_allowed_directories`.
    ///
    /// # Errors
    ///
    /// `NothingGranted` without mounts.
    pub fn list(&self) -> Result<String, FsError> {
        if self.0.is_empty() {
            return Err(FsError::NothingGranted);
        }
        Ok(format!("Allowed directories:\n{}", self.paths().collect::<Vec<_>>().join("\n")))
    }

    /// The paths of the mounts, in order.
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|mount| mount.path.as_str())
    }

    /// Finds the path a caller gave. A relative one starts at the first mount.
    ///
    /// # Errors
    ///
    /// `NothingGranted` without mounts, `Outside` if no mount holds the path.
    pub fn locate(&self, requested: &str) -> Result<Located<'_>, FsError> {
        let first = self.0.first().ok_or(FsError::NothingGranted)?;
        let path = if requested.starts_with('/') || is_foreign(requested) {
            normalize(requested)
        } else {
            normalize(&join(&first.path, requested))
        };
        let holder = self.0.iter().filter(|mount| mount.rest(&path).is_some()).max_by_key(|mount| mount.path.len());
        match holder {
            Some(mount) if !is_foreign(requested) => Ok(Located { path, mount }),
            _ => {
                let path = if is_foreign(requested) { requested.escape_debug().to_string() } else { path };
                Err(FsError::Outside { path, allowed: self.paths().collect::<Vec<_>>().join(", ") })
            }
        }
    }

    /// Finds a path that is about to change.
    ///
    /// # Errors
    ///
    /// As `locate`, and `ReadOnly` if its mount forbids changes.
    pub fn locate_writable(&self, requested: &str) -> Result<Located<'_>, FsError> {
        let at = self.locate(requested)?;
        match at.mount.access {
            Access::ReadWrite => Ok(at),
            Access::ReadOnly => Err(FsError::ReadOnly { path: at.path, mount: at.mount.path.clone() }),
        }
    }
}

/// The directories the sandbox was given, and whether they may be changed.
#[cfg(target_os = "wasi")]
fn preopened() -> Vec<(String, bool)> {
    use wasip2::filesystem::preopens::get_directories;
    use wasip2::filesystem::types::DescriptorFlags;

    let changeable = DescriptorFlags::MUTATE_DIRECTORY;
    get_directories()
        .into_iter()
        .map(|(directory, path)| (path, directory.get_flags().is_ok_and(|flags| flags.contains(changeable))))
        .collect()
}

/// Without a sandbox, the working directory stands in for what an operator would mount.
#[cfg(not(target_os = "wasi"))]
fn preopened() -> Vec<(String, bool)> {
    let here = std::env::current_dir().unwrap_or_default();
    let writable = std::fs::metadata(&here).is_ok_and(|found| !found.permissions().readonly());
    vec![(here.to_string_lossy().into_owned(), writable)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts() -> Mounts {
        Mounts::new(vec![
            Mount::new("/docs/", Access::ReadOnly),
            Mount::new("src", Access::ReadWrite),
            Mount::new("/docs/drafts", Access::ReadWrite),
        ])
    }

    #[test]
    fn paths_are_found_in_the_innermost_mount() {
        for (requested, path, mount) in [
            ("/docs", "/docs", "/docs"),
            ("/docs/", "/docs", "/docs"),
            ("/docs//a/./b/../c", "/docs/a/c", "/docs"),
            ("/docs/drafts/x", "/docs/drafts/x", "/docs/drafts"),
            ("/docs/draftsmen", "/docs/draftsmen", "/docs"),
            ("/docs/../src/x", "/src/x", "/src"),
            ("readme.md", "/docs/readme.md", "/docs"),
            (".", "/docs", "/docs"),
            ("", "/docs", "/docs"),
            ("../src/x", "/src/x", "/src"),
            ("a~b", "/docs/a~b", "/docs"),
        ] {
            let mounts = mounts();
            let at = mounts.locate(requested).unwrap_or_else(|e| panic!("{requested}: {e}"));
            assert_eq!((at.path.as_str(), at.mount.path.as_str()), (path, mount), "{requested}");
        }
    }

    #[test]
    fn what_is_outside_is_refused_and_the_answer_names_what_is_allowed() {
        for requested in [
            "/etc/passwd",
            "/docsy",
            "../etc",
            "/docs/../etc",
            "~/x",
            "~",
            "C:\\x",
            "c:/x",
            "file:///docs/x",
            "/docs/\0",
        ] {
            let text = mounts().locate(requested).map(|at| at.path).unwrap_err().to_string();
            assert!(text.starts_with("access denied: "), "{requested}: {text}");
            assert!(
                text.contains("outside the allowed directories (/docs, /src, /docs/drafts)"),
                "{requested}: {text}"
            );
        }
    }

    #[test]
    fn nothing_granted_says_which_line_is_missing() {
        let text = Mounts::default().locate("x").map(|at| at.path).unwrap_err().to_string();
        assert!(
            text.ends_with("dirs = [{ host = \"./docs\", guest = \"/docs\", access = \"read-write\" }]`"),
            "{text}"
        );
    }

    #[test]
    fn a_read_only_mount_is_named_with_the_way_out() {
        let mounts = mounts();
        assert!(mounts.locate_writable("/docs/drafts/x").is_ok());
        let text = mounts.locate_writable("/docs/x").map(|at| at.path).unwrap_err().to_string();
        assert!(text.contains("/docs is mounted read-only") && text.ends_with("`access = \"read-write\"`"), "{text}");
    }
}
