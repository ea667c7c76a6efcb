//! Directories: which host directory a plugin sees at which guest path, and whether it may write there.
//!
//! Paths here are text. That no path leaves its directory, by `..` or by a symbolic link, is enforced by the sandbox,
//! which opens the directory once and resolves everything beneath it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::decision::{DenyReason, DirPermit};
use super::grant::{Grant, Requested};

/// What may be done in a directory, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// List and read.
    ReadOnly,
    /// Also create, change, rename and delete.
    ReadWrite,
}

impl Access {
    /// The word used in `toolcell.toml` and in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::ReadWrite => "read-write",
        }
    }

    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::ReadOnly => "read",
            Self::ReadWrite => "write to",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Access {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "read-only" => Ok(Self::ReadOnly),
            "read-write" => Ok(Self::ReadWrite),
            _ => Err(format!("unknown access {text:?}, write \"read-only\" or \"read-write\"")),
        }
    }
}

/// A host directory the plugin sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirGrant {
    /// Absolute path on the host.
    pub host: PathBuf,
    /// Where the guest sees it; see [`check_guest_path`].
    pub guest: String,
    /// What it may do there.
    pub access: Access,
}

/// A directory the plugin's manifest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirRequest {
    /// A guest path, which stands for everything below it too, or `/*` for whatever the operator mounts.
    pub path: String,
    /// The most it will do there.
    pub access: Access,
    /// What for, in the author's words.
    pub why: String,
}

const WHATEVER_IS_MOUNTED: &str = "/*";

impl DirRequest {
    /// Whether this request speaks of the directory mounted at `guest`. A directory around the requested path is not
    /// meant: it would show the plugin more than it asks for.
    pub(super) fn covers(&self, guest: &str) -> bool {
        self.path == WHATEVER_IS_MOUNTED || is_within(guest, &self.path)
    }

    /// A guest path to show in a line the operator could add.
    pub fn example(&self) -> &str {
        if self.path == WHATEVER_IS_MOUNTED { "/data" } else { &self.path }
    }
}

/// The widest access that any request asks for at `guest`.
pub(super) fn requested_access(requests: &[DirRequest], guest: &str) -> Option<Access> {
    requests.iter().filter(|request| request.covers(guest)).map(|request| request.access).max()
}

/// Whether `path` is `dir` or lies below it. Both are plain guest paths.
fn is_within(path: &str, dir: &str) -> bool {
    dir == "/" || path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Checks a guest path: absolute, `/` between the parts, no empty part, no `.`, no `..`, no `*`, no control character,
/// no `/` at the end (`/` alone is allowed).
///
/// # Errors
///
/// Says what is wrong and what to write instead.
pub fn check_guest_path(path: &str) -> Result<(), String> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err(format!("guest path {path:?} is not absolute, begin it with `/`"));
    };
    if rest.is_empty() {
        return Ok(());
    }
    if rest.chars().any(|c| c.is_control() || matches!(c, '\\' | '*')) {
        return Err(format!("guest path {path:?} holds a backslash, an asterisk or a control character, leave it out"));
    }
    if rest.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!("guest path {path:?} has an empty, `.` or `..` part, write it without"));
    }
    Ok(())
}

/// Checks the path of a [`DirRequest`]: `/*` or a guest path.
///
/// # Errors
///
/// Says what is wrong and what to write instead.
pub fn check_requested_path(path: &str) -> Result<(), String> {
    if path == WHATEVER_IS_MOUNTED { Ok(()) } else { check_guest_path(path) }
}

impl Grant {
    /// Whether `plugin` may touch the guest path `path`. It explains; what stops a guest is that the sandbox opens no
    /// directory but those of [`Grant::effective`].
    ///
    /// # Errors
    ///
    /// The directory is not requested, not granted, or granted for less.
    pub fn check_path(
        &self,
        plugin: &str,
        requested: Option<&Requested>,
        path: &str,
        access: Access,
    ) -> Result<DirPermit, DenyReason> {
        let denied = || (plugin.to_owned(), path.to_owned());
        let plain = check_guest_path(path).is_ok();
        let around = self.dirs.iter().filter(|dir| plain && is_within(path, &dir.guest));
        let Some(dir) = around.max_by_key(|dir| dir.guest.len()) else {
            let (plugin, path) = denied();
            return Err(match requested {
                Some(requested) if requested_access(&requested.dirs, &path) < Some(access) => {
                    DenyReason::DirNotRequested { plugin, path, access }
                }
                _ => DenyReason::DirNotGranted { plugin, path, access },
            });
        };
        let asked = match requested {
            None => Some(Access::ReadWrite),
            Some(requested) => requested_access(&requested.dirs, &dir.guest),
        };
        let Some(asked) = asked.filter(|asked| *asked >= access) else {
            return Err(DenyReason::DirNotRequested { plugin: plugin.to_owned(), path: dir.guest.clone(), access });
        };
        if dir.access < access {
            let (plugin, _) = denied();
            return Err(DenyReason::DirReadOnly { plugin, guest: dir.guest.clone(), host: dir.host.clone() });
        }
        Ok(DirPermit { host: dir.host.clone(), guest: dir.guest.clone(), access: dir.access.min(asked) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guest_paths() {
        for good in ["/", "/docs", "/docs/sub dir", "/.hidden", "/a..b", "/ünï"] {
            assert_eq!(check_guest_path(good), Ok(()), "{good}");
            assert_eq!(check_requested_path(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "docs",
            "./docs",
            "/docs/",
            "//docs",
            "/docs/../etc",
            "/./docs",
            "/..",
            "/a\0b",
            "/a\\b",
            "/docs/*",
            "C:\\x",
        ] {
            assert!(check_guest_path(bad).is_err(), "{bad}");
            assert!(check_requested_path(bad).is_err(), "{bad}");
        }
        assert!(check_guest_path("/*").is_err());
        assert_eq!(check_requested_path("/*"), Ok(()));
    }

    #[test]
    fn access_words() {
        for access in [Access::ReadOnly, Access::ReadWrite] {
            assert_eq!(access.to_string().parse(), Ok(access));
        }
        assert!("rw".parse::<Access>().unwrap_err().contains("read-write"));
    }

    #[test]
    fn paths_are_permitted_or_refused_with_the_reason() {
        use Access::{ReadOnly, ReadWrite};
        let dir = |guest: &str, access| DirGrant { host: format!("/srv{guest}").into(), guest: guest.into(), access };
        let grant = Grant { dirs: vec![dir("/docs", ReadOnly), dir("/docs/out", ReadWrite)], ..Grant::default() };
        let request = |path: &str, access| DirRequest { path: path.into(), access, why: String::new() };
        let asks = |requests: Vec<DirRequest>| Some(Requested { dirs: requests, ..Requested::default() });
        let all = || asks(vec![request("/*", ReadWrite)]);
        let table = [
            (None, "/docs", ReadOnly, Ok(("/docs", ReadOnly))),
            (None, "/docs/a/b", ReadOnly, Ok(("/docs", ReadOnly))),
            (None, "/docs/a", ReadWrite, Err("dir-read-only")),
            (None, "/docs/out/a", ReadWrite, Ok(("/docs/out", ReadWrite))),
            (None, "/docs/outer", ReadWrite, Err("dir-read-only")),
            (None, "/docsx", ReadOnly, Err("dir-not-granted")),
            (None, "/docs/../etc", ReadOnly, Err("dir-not-granted")),
            (None, "docs", ReadOnly, Err("dir-not-granted")),
            (None, "/", ReadOnly, Err("dir-not-granted")),
            (all(), "/docs/out/a", ReadWrite, Ok(("/docs/out", ReadWrite))),
            (all(), "/etc", ReadOnly, Err("dir-not-granted")),
            (asks(vec![]), "/docs", ReadOnly, Err("dir-not-requested")),
            (asks(vec![]), "/etc", ReadOnly, Err("dir-not-requested")),
            (asks(vec![request("/docs", ReadOnly)]), "/docs/out/a", ReadOnly, Ok(("/docs/out", ReadOnly))),
            (asks(vec![request("/docs", ReadOnly)]), "/docs/out/a", ReadWrite, Err("dir-not-requested")),
        ];
        for (requested, path, access, expected) in table {
            let got = grant.check_path("p", requested.as_ref(), path, access);
            let got = got.as_ref().map(|permit| (permit.guest(), permit.access())).map_err(DenyReason::code);
            assert_eq!(got, expected, "{path} {access}");
        }
        let nothing = Grant::default().check_path("p", None, "/", ReadOnly);
        assert_eq!(nothing.unwrap_err().code(), "dir-not-granted");
    }
}
