//! Paths inside of mounts. They are text: absolute, with single slashes, without `.` and `..`.

use std::fs;
use std::io::ErrorKind;

use crate::error::FsError;
use crate::limits;
use crate::mounts::Mount;

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
        Self { path: join(&self.path, name), mount: self.mount }
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
        Some(Self { path: parent, mount: self.mount })
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
        let escape = |link: &str| FsError::Escape { link: link.to_owned(), mount: self.mount.path.clone() };
        let rest = self.mount.rest(&self.path).unwrap_or_default();
        let mut todo: Vec<String> = rest.split('/').rev().map(str::to_owned).collect();
        let mut here = Self { path: self.mount.path.clone(), mount: self.mount };
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

/// Whether a path means something on another system only: a home directory, a Windows drive, a URL, a zero byte.
pub fn is_foreign(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    drive || path == "~" || path.starts_with("~/") || path.starts_with("file://") || path.contains('\0')
}

/// `name` in `directory`.
pub fn join(directory: &str, name: &str) -> String {
    if directory.ends_with('/') { format!("{directory}{name}") } else { format!("{directory}/{name}") }
}

/// Makes a path absolute and takes `.`, `..` and doubled slashes out of it, without asking the file system.
pub fn normalize(path: &str) -> String {
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
    use crate::mounts::{Access, Mounts};

    #[test]
    fn the_root_can_be_a_mount() {
        let mounts = Mounts::new(vec![Mount::new("/", Access::ReadWrite)]);
        let at = mounts.locate("../a/b").unwrap();
        assert_eq!(at.path, "/a/b");
        let a = at.parent().unwrap();
        assert_eq!((a.path.as_str(), a.parent().unwrap().path.as_str()), ("/a", "/"));
        assert!(a.parent().unwrap().parent().is_none());
    }

    #[test]
    fn names_are_put_together_without_asking_the_file_system() {
        for (path, expected) in [("", "/"), ("a", "/a"), ("/a//b/./c/", "/a/b/c"), ("/a/../../b", "/b")] {
            assert_eq!(normalize(path), expected, "{path}");
        }
        assert_eq!((join("/", "a"), join("/a", "b")), ("/a".into(), "/a/b".into()));
    }
}
