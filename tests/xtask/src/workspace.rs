//! Where things are.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::Outcome;

/// The profile in which chores build what they run.
const PROFILE: &str = "quick";
/// The target guests are compiled for.
pub const GUEST_TARGET: &str = "wasm32-wasip2";

/// The checkout this program was started in.
pub struct Workspace {
    /// The folder with the root `Cargo.toml`.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    cargo: OsString,
}

impl Workspace {
    /// Finds it by what `cargo run` tells.
    pub fn find() -> Outcome<Self> {
        let here = env::var_os("CARGO_MANIFEST_DIR").ok_or("start it as `cargo xtask`")?;
        let root =
            Path::new(&here).ancestors().nth(2).ok_or("xtask is not where it belongs, in tests/xtask")?.to_owned();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Ok(Self { root, target, cargo })
    }

    /// `cargo SUBCOMMAND` at the root, with the lock file as it is committed.
    pub fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        command.arg(subcommand).current_dir(&self.root);
        if subcommand != "fmt" {
            command.arg("--locked");
        }
        // What cargo sets for a program it runs is about xtask, and means nothing to the builds xtask starts.
        for (name, _) in env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// `cargo SUBCOMMAND` over the whole workspace, in the profile of the chores. Always the whole workspace, even for one program of it:
    /// cargo joins the features of what it is asked to build, so another selection would compile the host and wasmtime once more.
    pub fn quick(&self, subcommand: &str) -> Command {
        let mut command = self.cargo(subcommand);
        command.args(["--profile", PROFILE, "--workspace"]);
        command
    }

    /// A program as [`Workspace::quick`] leaves it, by its name.
    pub fn program(&self, name: &str) -> PathBuf {
        self.target.join(PROFILE).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// The folders directly inside `folder` (relative to the root) that hold a package, by name, in order.
    pub fn packages_in(&self, folder: &str) -> Outcome<Vec<String>> {
        let path = self.root.join(folder);
        let mut names = Vec::new();
        if !path.is_dir() {
            return Ok(names);
        }
        for entry in fs::read_dir(&path).map_err(|why| format!("cannot read {}: {why}", path.display()))? {
            let entry = entry?;
            if entry.path().join("Cargo.toml").is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether there is a package in this folder.
    pub fn has_package(&self, folder: &str) -> bool {
        self.root.join(folder).join("Cargo.toml").is_file()
    }
}

/// Writes a file only if that changes it, and in one step, so that a host that watches it never sees half of it.
pub fn write_if_changed(path: &Path, content: &[u8]) -> Outcome<bool> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    let folder = path.parent().ok_or("a file without a folder")?;
    fs::create_dir_all(folder).map_err(|why| format!("cannot make {}: {why}", folder.display()))?;
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or("a file without a name")?);
    name.push(".new");
    let fresh = folder.join(name);
    fs::write(&fresh, content)
        .and_then(|()| fs::rename(&fresh, path))
        .map_err(|why| format!("cannot write {}: {why}", path.display()))?;
    Ok(true)
}
