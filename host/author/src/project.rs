//! A plugin's project: `plugin.toml`, or `Cargo.toml` for Rust.

mod cargo;
mod detect;
mod read;

use crate::Error;
use crate::languages::Language;
use read::Written;
pub use read::{DirRequest, EnvRequest, HostRequest, KeyValueRequest, Requests, ToolRequest};
use semver::Version;
use std::fs;
use std::path::{Path, PathBuf};

/// The file with the plugin's own side.
pub(crate) const PLUGIN_TOML: &str = "plugin.toml";
/// The longest name the host takes for a plugin, in characters.
const MAX_NAME_LEN: usize = 64;
/// The version of a plugin that does not say its own.
const DEFAULT_VERSION: &str = "0.1.0";
/// Folders with what was made of sources, or with other people's.
const NOT_SOURCES: &[&str] =
    &["build", "target", "node_modules", "dist", "zig-out", "zig-cache", "__pycache__", "venv", "coverage"];

/// A folder with the source of one plugin.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// The folder, absolute.
    pub dir: PathBuf,
    /// The plugin's name: `a-z 0-9 - _`, at first a letter or digit.
    pub name: String,
    /// Its semantic version.
    pub version: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it is written in.
    pub language: Language,
    /// The file to begin with, relative to the folder; each language has a default.
    pub entry: Option<PathBuf>,
    /// The world its own `wit` folder describes, for a plugin that exports plain WIT and knows nothing of Toolcell.
    pub world: Option<String>,
    /// The engine that runs the language, where there is a choice (JavaScript and TypeScript: `quickjs`, `starlingmonkey`).
    pub engine: Option<String>,
    /// Flags handed to the compiler as they are.
    pub flags: Vec<String>,
    /// What it asks for. None if there is no `plugin.toml`, as in a Rust project, whose source says it.
    pub requests: Option<Requests>,
}

impl Project {
    /// Reads the project in a folder.
    ///
    /// # Errors
    /// If there is no project, or its files are wrong; the text names file, line and remedy.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let dir = std::path::absolute(dir).map_err(Error::io(dir))?;
        if !dir.is_dir() {
            return Err(Error::other(format_args!(
                "{} is no folder; write a project with `toolcell new NAME --lang LANGUAGE`",
                dir.display()
            )));
        }
        let file = dir.join(PLUGIN_TOML);
        let written = read_if_there(&file)?.map(|text| Written::read(&file, &text)).transpose()?;
        let cargo_toml = dir.join("Cargo.toml");
        let crate_ = read_if_there(&cargo_toml)?.map(|text| cargo::read(&cargo_toml, &text)).transpose()?.flatten();
        if written.is_none() && crate_.is_none() {
            return Err(Error::other(format_args!(
                "there is no plugin.toml and no Cargo.toml in {}; write a project with `toolcell new NAME --lang LANGUAGE`",
                dir.display()
            )));
        }
        let has_plugin_toml = written.is_some();
        let Written { name, version, description, language, entry, world, engine, flags, requests } =
            written.unwrap_or_default();
        let language = match language {
            Some(language) => language,
            None => detect::language(&dir, entry.as_deref())?,
        };
        let crate_ = crate_.filter(|_| language == Language::Rust).unwrap_or_default();
        let name = match name.or(crate_.name) {
            Some(name) => name,
            None => name_of_folder(&dir)?,
        };
        let problem = |message: &str| Error::Project { file: file.clone(), line: None, message: message.to_owned() };
        if entry.as_ref().is_some_and(|entry| entry.is_absolute() || entry.starts_with("..")) {
            return Err(problem("`entry` lies outside of the project; name a file in it, such as \"app.py\""));
        }
        Ok(Self {
            dir,
            name,
            version: version.or(crate_.version).unwrap_or_else(|| DEFAULT_VERSION.to_owned()),
            description: description.or(crate_.description),
            language,
            entry,
            world,
            engine,
            flags,
            requests: has_plugin_toml.then_some(requests),
        })
    }

    /// Whether a change of this file means that the component has to be built again.
    pub fn is_source(&self, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(&self.dir) else { return false };
        let mut names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
        let Some(file) = names.pop() else { return false };
        // What editors keep beside a file while it is open, and what only the host reads.
        let not_a_source = file.starts_with(['.', '#'])
            || file.ends_with('~')
            || [".swp", ".tmp", ".wasm", ".md"].iter().any(|ending| file.ends_with(ending))
            || (names.is_empty() && file == "toolcell.toml");
        !not_a_source && !names.iter().any(|name| name.starts_with('.') || NOT_SOURCES.contains(&name.as_ref()))
    }

    /// Where [`build`](crate::build) puts the component.
    pub fn component(&self) -> PathBuf {
        self.dir.join("build").join(format!("{}.wasm", self.name))
    }

    /// The folder in which Toolcell keeps what it makes for this project.
    pub(crate) fn made(&self) -> PathBuf {
        self.dir.join(".toolcell")
    }
}

/// The plugin's name if nothing says it.
fn name_of_folder(dir: &Path) -> Result<String, Error> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    check_name(&name).map_err(|problem| {
        Error::other(format_args!("the folder's {problem}; or give the plugin a name of its own in {PLUGIN_TOML}"))
    })?;
    Ok(name.into_owned())
}

/// Whether the host takes this as a plugin's name.
///
/// # Errors
/// Says what a name may be.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if begins_well && name.len() <= MAX_NAME_LEN && name.chars().all(letters) {
        return Ok(());
    }
    let plain: String =
        name.to_lowercase().chars().map(|c| if letters(c) { c } else { '-' }).take(MAX_NAME_LEN).collect();
    let plain = plain.trim_matches(['-', '_']);
    let instead = if plain.is_empty() { "my-plugin" } else { plain };
    Err(format!(
        "name {name:?} is no plugin name (`a-z 0-9 - _`, at first a letter or digit, at most {MAX_NAME_LEN}); write {instead:?}"
    ))
}

/// Whether this is a semantic version.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn check_version(version: &str) -> Result<(), String> {
    let wrong = |error| format!("{version:?} is no semantic version ({error}); write one like \"0.1.0\"");
    Version::parse(version).map(drop).map_err(wrong)
}

fn read_if_there(file: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(file)(error)),
    }
}

#[cfg(test)]
mod tests;
