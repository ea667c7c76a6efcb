//! Plugins in languages other than Rust: folders with a `plugin.toml`, built as an author builds them.
//!
//! Their toolchains are gotten into `target/tools` once. A project is built again only if one of its files, an SDK, the contract or
//! the code that builds it has changed: making a component can take ten seconds.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::run::{Outcome, run, step};
use crate::workspace::{Workspace, write_if_changed};

/// Folders inside a project that are made, and folders that editors and tools leave behind.
const MADE: [&str; 6] = [".toolcell", "build", "target", "node_modules", "__pycache__", ".venv"];

/// The variable that tells builds where toolchains are kept.
const TOOLS: &str = "TOOLCELL_TOOLS";

/// A program of the workspace that builds guests.
pub struct Builder {
    /// `--bin` or `--example`.
    pub kind: &'static str,
    pub name: &'static str,
}

/// Builds and tests projects as `toolcell build` and `toolcell test` do.
pub const AUTHOR: Builder = Builder { kind: "--example", name: "author" };

/// What every project's component depends on besides its own files.
const SHARED: [&str; 3] = ["host/author", "sdk", "wit"];

/// The folders directly inside `folder` (relative to the root) that hold a project, by name, in order.
pub fn projects_in(workspace: &Workspace, folder: &str) -> Outcome<Vec<String>> {
    let path = workspace.root.join(folder);
    let mut names = Vec::new();
    if !path.is_dir() {
        return Ok(names);
    }
    for entry in fs::read_dir(&path).map_err(|why| format!("cannot read {}: {why}", path.display()))? {
        let entry = entry?;
        if entry.path().join("plugin.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds the project in `folder` (relative to the root) and puts its component at `to`.
pub fn build(workspace: &Workspace, folder: &str, to: &Path) -> Outcome {
    let project = workspace.root.join(folder);
    let shared = SHARED.map(|shared| workspace.root.join(shared));
    let stamp = Stamp::of(to, &[&[project.as_path()], &shared.each_ref().map(PathBuf::as_path)[..]].concat(), "")?;
    if stamp.is_fresh() {
        return Ok(());
    }
    eprintln!("    {folder}");
    let mut author = Command::new(builder(workspace, &AUTHOR)?);
    run(author.arg("build").arg(&project).arg("--get").env(TOOLS, tools(workspace)))?;
    let built = component_of(&project)?;
    let bytes = fs::read(&built).map_err(|why| format!("cannot read {}: {why}", built.display()))?;
    write_if_changed(to, &bytes)?;
    stamp.write()
}

/// Runs the unit tests of the project in `folder` (relative to the root), as `toolcell test` does.
pub fn test(workspace: &Workspace, folder: &str) -> Outcome {
    eprintln!("    {folder}");
    let mut author = Command::new(builder(workspace, &AUTHOR)?);
    run(author.arg("test").arg(workspace.root.join(folder)).env(TOOLS, tools(workspace)))
}

/// Where a builder is. It is built once in a run, and before the host: cargo lets nobody else build while it does.
pub fn builder(workspace: &Workspace, Builder { kind, name }: &Builder) -> Outcome<PathBuf> {
    static BUILT: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if !built.contains(name) {
        step(&format!("builder of guests: {name}"), || run(workspace.quick("build").args([kind, name])))?;
        built.push(name);
    }
    let folder = if *kind == "--example" { "examples/" } else { "" };
    Ok(workspace.program(&format!("{folder}{name}")))
}

/// A program of the toolchain whose folder begins with `name`.
pub fn tool(workspace: &Workspace, name: &str, program: &str) -> Outcome<PathBuf> {
    for entry in fs::read_dir(tools(workspace))? {
        let entry = entry?;
        let path = entry.path().join(program);
        if entry.file_name().to_string_lossy().starts_with(name) && path.is_file() {
            return Ok(path);
        }
    }
    Err(format!("there is no {name}* with {program} in {}; run `cargo xtask sdk`", tools(workspace).display()).into())
}

/// The folder with the toolchains that all builds share.
pub fn tools(workspace: &Workspace) -> PathBuf {
    std::env::var_os(TOOLS).map_or_else(|| workspace.target.join("tools"), PathBuf::from)
}

/// What a built file was made from, kept beside it.
pub struct Stamp {
    built: PathBuf,
    key: String,
}

impl Stamp {
    /// For a file made from these folders, as far as they are there, and from whatever `more` names.
    pub fn of(built: &Path, folders: &[&Path], more: &str) -> Outcome<Self> {
        let mut hasher = DefaultHasher::new();
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            hash_folder(folder, folder, &mut hasher)?;
        }
        more.hash(&mut hasher);
        Ok(Self { built: built.to_owned(), key: format!("{:016x}\n", hasher.finish()) })
    }

    /// Whether the file is there and was made from just that.
    pub fn is_fresh(&self) -> bool {
        self.built.is_file() && fs::read_to_string(self.file()).is_ok_and(|old| old == self.key)
    }

    /// To be called when the file has been made.
    pub fn write(&self) -> Outcome {
        write_if_changed(&self.file(), self.key.as_bytes()).map(|_| ())
    }

    fn file(&self) -> PathBuf {
        self.built.with_extension("wasm.key")
    }
}

/// The newest component in the project's `build` folder: a build leaves one, under the plugin's own name.
fn component_of(project: &Path) -> Outcome<PathBuf> {
    let folder = project.join("build");
    let mut newest = None;
    for entry in fs::read_dir(&folder).map_err(|why| format!("cannot read {}: {why}", folder.display()))? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "wasm") {
            let candidate = Some((entry.metadata()?.modified()?, entry.path()));
            newest = newest.max(candidate);
        }
    }
    let (_, path) = newest.ok_or_else(|| format!("the build left no component in {}", folder.display()))?;
    Ok(path)
}

fn hash_folder(root: &Path, folder: &Path, hasher: &mut DefaultHasher) -> Outcome {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(|why| format!("cannot read {}: {why}", folder.display()))? {
        entries.push(entry?);
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !MADE.iter().any(|made| entry.file_name() == *made) {
                hash_folder(root, &path, hasher)?;
            }
        } else if kind.is_file() {
            path.strip_prefix(root).unwrap_or(&path).hash(hasher);
            fs::read(&path).map_err(|why| format!("cannot read {}: {why}", path.display()))?.hash(hasher);
        }
    }
    Ok(())
}
