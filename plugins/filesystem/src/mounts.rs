//! The directories the operator mounted, and how the paths of a call are found in them.
//!
//! The sandbox decides what can be opened at all; nothing here is a security boundary. It makes paths predictable
//! (absolute, without `.` and `..`) and refusals understandable.

use std::fs;
use std::io::ErrorKind;

use crate::error::FsError;
use crate::limits;

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
        Self {
            path: normalize(path),
            access,
        }
    }

    /// What is left of `path` below this mount, without a slash in front; `None` if it is elsewhere.
    fn rest<'p>(&self, path: &'p str) -> Option<&'p str> {
        if self.path == "/" {
            return path.strip_prefix('/');
        }
        let rest = path.strip_prefix(self.path.as_str())?;
        if rest.is_empty() {
            Some(rest)
        } else {
            rest.strip_prefix('/')
        }
    }
}

/// A path and the mount it is in.
#[derive(Clone, Debug)]
pub struct Located<'m> {
    /// Absolute, without `.`, `..` and doubled slashes.
    pub path: String,
    /// The innermost mount that holds it.
    pub mount: &'m Mount,
}

impl Located<'_> {
    /// The entry `name` of this directory.
    pub fn entry(&self, name: &str) -> Self {
        Self {
            path: join(&self.path, name),
            mount: self.mount,
        }
    }

    /// The directory this is in; a mount has none.
    pub fn parent(&self) -> Option<Self> {
        if self.path == self.mount.path {
            return None;
        }
        let parent = match self.path.rsplit_once('/') {
            Some(("", _)) | None => "/".to_owned(),
            Some((parent, _)) => parent.to_owned(),
        };
        Some(Self {
            path: parent,
            mount: self.mount,
        })
    }

    /// The first symbolic link on the way from the mount to here, the last name included.
    pub fn first_link(&self) -> Option<String> {
        let mut at = self.mount.path.clone();
        for name in self.mount.rest(&self.path)?.split('/') {
            at = join(&at, name);
            if fs::symlink_metadata(&at).ok()?.is_symlink() {
                return Some(at);
            }
        }
        None
    }

    /// The same file by a path without symbolic links, so that replacing it replaces the file and not a link to it.
    /// Names that do not exist are kept as they are.
    ///
    /// # Errors
    ///
    /// `Escape` if a link leads out of the mount, `Refused` if links lead to each other in a circle.
    pub fn without_links(&self) -> Result<Self, FsError> {
        let escape = |link: &str| FsError::Escape {
            link: link.to_owned(),
            mount: self.mount.path.clone(),
        };
        let rest = self.mount.rest(&self.path).unwrap_or_default();
        let mut todo: Vec<String> = rest.split('/').rev().map(str::to_owned).collect();
        let mut here = Self {
            path: self.mount.path.clone(),
            mount: self.mount,
        };
        // The links followed so far; the last one is to blame if the way leads out of the mount.
        let mut links = vec![self.path.clone()];
        while let Some(name) = todo.pop() {
            let blame = links.last().unwrap_or(&self.path);
            let next = match name.as_str() {
                "" | "." => continue,
                ".." => {
                    here = here.parent().ok_or_else(|| escape(blame))?;
                    continue;
                }
                name => here.entry(name),
            };
            match fs::read_link(&next.path) {
                Ok(target) if target.has_root() => return Err(escape(&next.path)),
                Ok(_) if links.len() > limits::LINKS => return Err(self.too_many_links()),
                Ok(target) => {
                    let target = target.to_string_lossy();
                    todo.extend(target.split('/').rev().map(str::to_owned));
                    links.push(next.path);
                }
                Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                    return Err(escape(&next.path));
                }
                // Not a link, or not there: whatever is done with the path next will say so.
                Err(_) => here = next,
            }
        }
        Ok(here)
    }

    fn too_many_links(&self) -> FsError {
        FsError::Refused(format!(
            "{} passes through too many symbolic links; use the path of the file itself",
            self.path
        ))
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
    #[cfg(target_os = "wasi")]
    pub fn granted() -> Self {
        use wasip2::filesystem::{preopens, types::DescriptorFlags};

        let mount = |(directory, path): (wasip2::filesystem::types::Descriptor, String)| {
            let writable = directory
                .get_flags()
                .is_ok_and(|flags| flags.contains(DescriptorFlags::MUTATE_DIRECTORY));
            Mount::new(
                &path,
                if writable {
                    Access::ReadWrite
                } else {
                    Access::ReadOnly
                },
            )
        };
        Self(preopens::get_directories().into_iter().map(mount).collect())
    }

    /// Outside of a sandbox nobody grants anything.
    #[cfg(not(target_os = "wasi"))]
    pub fn granted() -> Self {
        Self::default()
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
        Ok(format!(
            "Allowed directories:\n{}",
            self.paths().collect::<Vec<_>>().join("\n")
        ))
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
        let path = if requested.starts_with('/') || foreign(requested) {
            normalize(requested)
        } else {
            normalize(&join(&first.path, requested))
        };
        let holder = self
            .0
            .iter()
            .filter(|mount| mount.rest(&path).is_some())
            .max_by_key(|mount| mount.path.len());
        match holder {
            Some(mount) if !foreign(requested) => Ok(Located { path, mount }),
            _ => {
                let path = if foreign(requested) {
                    requested.escape_debug().to_string()
                } else {
                    path
                };
                Err(FsError::Outside {
                    path,
                    allowed: self.paths().collect::<Vec<_>>().join(", "),
                })
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
            Access::ReadOnly => Err(FsError::ReadOnly {
                path: at.path,
                mount: at.mount.path.clone(),
            }),
        }
    }
}

/// Whether a path means something on another system only: a home directory, a Windows drive, a URL, a zero byte.
fn foreign(path: &str) -> bool {
    let drive =
        matches!(path.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    drive
        || path == "~"
        || path.starts_with("~/")
        || path.starts_with("file://")
        || path.contains('\0')
}

fn join(directory: &str, name: &str) -> String {
    if directory.ends_with('/') {
        format!("{directory}{name}")
    } else {
        format!("{directory}/{name}")
    }
}

/// Makes a path absolute and takes `.`, `..` and doubled slashes out of it, without asking the file system.
fn normalize(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    format!("/{}", names.join("/"))
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
            let at = mounts
                .locate(requested)
                .unwrap_or_else(|e| panic!("{requested}: {e}"));
            assert_eq!(
                (at.path.as_str(), at.mount.path.as_str()),
                (path, mount),
                "{requested}"
            );
        }
    }

    #[test]
    fn the_root_can_be_a_mount() {
        let mounts = Mounts::new(vec![Mount::new("/", Access::ReadWrite)]);
        let at = mounts.locate("../a/b").unwrap();
        assert_eq!(at.path, "/a/b");
        let a = at.parent().unwrap();
        assert_eq!(
            (a.path.as_str(), a.parent().unwrap().path.as_str()),
            ("/a", "/")
        );
        assert!(a.parent().unwrap().parent().is_none());
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
            let text = mounts()
                .locate(requested)
                .map(|at| at.path)
                .unwrap_err()
                .to_string();
            assert!(text.starts_with("access denied: "), "{requested}: {text}");
            assert!(
                text.contains("outside the allowed directories (/docs, /src, /docs/drafts)"),
                "{requested}: {text}"
            );
        }
    }

    #[test]
    fn nothing_granted_says_which_line_is_missing() {
        let text = Mounts::granted()
            .locate("x")
            .map(|at| at.path)
            .unwrap_err()
            .to_string();
        assert!(
            text.ends_with(
                "dirs = [{ host = \"./docs\", guest = \"/docs\", access = \"read-write\" }]`"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_read_only_mount_is_named_with_the_way_out() {
        let mounts = mounts();
        assert!(mounts.locate_writable("/docs/drafts/x").is_ok());
        let text = mounts
            .locate_writable("/docs/x")
            .map(|at| at.path)
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("/docs is mounted read-only")
                && text.ends_with("`access = \"read-write\"`"),
            "{text}"
        );
    }
}
