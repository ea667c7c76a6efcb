//! One builder for each language.

mod c;
mod go;
mod js;
mod python;
mod rust;
mod zig;

use crate::tools::{Found, Places, Tool};
use crate::{Error, Project, component, manifest, run, sdk, tools};
use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// What a plugin can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Language {
    Rust,
    Python,
    TypeScript,
    JavaScript,
    Go,
    C,
    Cpp,
    Zig,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 8] =
        [Self::Rust, Self::Python, Self::TypeScript, Self::JavaScript, Self::Go, Self::C, Self::Cpp, Self::Zig];

    /// What it is called on the command line and in `plugin.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Zig => "zig",
        }
    }

    /// Other words for it that are understood.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["rs"],
            Self::Python => &["py"],
            Self::TypeScript => &["ts"],
            Self::JavaScript => &["js"],
            Self::Go => &["golang"],
            Self::Cpp => &["c++", "cxx"],
            Self::C | Self::Zig => &[],
        }
    }

    fn builder(self) -> &'static dyn Builder {
        match self {
            Self::Rust => &rust::Rust,
            Self::Python => &python::Python,
            Self::TypeScript | Self::JavaScript => &js::Js,
            Self::Go => &go::Go,
            Self::C | Self::Cpp => &c::C,
            Self::Zig => &zig::Zig,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let name = text.to_ascii_lowercase();
        let is_it = |language: &Self| language.as_str() == name || language.aliases().contains(&name.as_str());
        Self::ALL.into_iter().find(is_it).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::other(format_args!("{text:?} is no language that is known here; use one of {known}"))
        })
    }
}

/// How to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Get toolchains that are missing, instead of saying how to get them.
    pub get_tools: bool,
    /// Where they are kept; default is `TOOLCELL_TOOLS`, or else `.toolcell/tools` in the project.
    pub tools_dir: Option<PathBuf>,
    /// Build for debugging: names and lines in stack traces, at the cost of size.
    pub debug: bool,
}

/// What is told while something is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// What is being done now, such as `compiling with cargo`.
    Step(String),
    /// A line of a tool that runs.
    Output(String),
}

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// How long it took.
    pub took: Duration,
}

/// What a language has to do: name its tools, and make a component of the source.
pub(crate) trait Builder {
    /// The tools it runs, pinned. They are found, or gotten, before [`build`](Self::build) is called.
    fn tools(&self) -> &'static [Tool];

    /// Makes the component, without its manifest; the caller embeds that and validates the whole.
    ///
    /// # Errors
    /// If a tool fails; what it said has been reported already.
    fn build(&self, cx: &Cx<'_>) -> Result<Vec<u8>, Error>;

    /// The command that runs the project's own unit tests, on this machine and without WebAssembly; None if it has none.
    ///
    /// # Errors
    /// If what it needs is missing.
    fn test(&self, cx: &Cx<'_>) -> Result<Option<Command>, Error> {
        let _ = cx;
        Ok(None)
    }
}

/// What a builder works with.
pub(crate) struct Cx<'a> {
    /// What is built.
    pub(crate) project: &'a Project,
    /// How.
    pub(crate) options: &'a Options,
    places: Places,
    report: RefCell<&'a mut dyn FnMut(Report)>,
}

impl<'a> Cx<'a> {
    pub(crate) fn new(project: &'a Project, options: &'a Options, report: &'a mut dyn FnMut(Report)) -> Self {
        Self { project, options, places: Places::of(project, options), report: RefCell::new(report) }
    }

    /// What is made on the way lies in one place, so there is one build at a time.
    fn lock(&self) -> Result<File, Error> {
        let made = self.project.made();
        fs::create_dir_all(&made).map_err(Error::io(&made))?;
        tools::lock(&made.join("lock"), || self.step("waiting for another build of this project"))
    }

    /// Tells what is being done now, in a few words: `compiling app.py`.
    pub(crate) fn step(&self, what: impl fmt::Display) {
        (self.report.borrow_mut())(Report::Step(what.to_string()));
    }

    /// Shows one line of a tool.
    pub(crate) fn output(&self, line: &str) {
        (self.report.borrow_mut())(Report::Output(line.to_owned()));
    }

    /// Where the tool is. Looked up anew at each call, so keep it.
    pub(crate) fn tool(&self, tool: &Tool) -> Result<Found, Error> {
        tools::find(tool, &self.places, self)
    }

    /// `.toolcell/gen`: for generated bindings, entry files and what else is made on the way. It is kept between builds.
    pub(crate) fn gen_dir(&self) -> Result<PathBuf, Error> {
        let folder = self.project.made().join("gen");
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        Ok(folder)
    }

    /// The SDK's folder as unpacked into the project: `.toolcell/sdk/<name>`; `wit` is the contract.
    pub(crate) fn sdk(&self, name: &str) -> Result<PathBuf, Error> {
        Ok(sdk::unpack(&self.project.made().join("sdk"))?.join(name))
    }

    /// Runs a tool in the project's folder (unless the command names another) and reports every line it says.
    pub(crate) fn run(&self, command: &mut Command) -> Result<(), Error> {
        run::shown(command, &self.project.dir, &|line| self.output(line))
    }

    /// Runs a tool and returns what it writes to standard output; what it says on standard error is reported.
    pub(crate) fn capture(&self, command: &mut Command) -> Result<String, Error> {
        run::captured(command, &self.project.dir, &|line| self.output(line))
    }
}

/// Makes the project's component. Blocks until it is done.
///
/// # Errors
/// If a tool is missing or fails, or if what it makes is no valid component.
pub fn build(project: &Project, options: &Options, report: &mut dyn FnMut(Report)) -> Result<Built, Error> {
    let started = Instant::now();
    let cx = Cx::new(project, options, report);
    let _lock = cx.lock()?;
    let builder = project.language.builder();
    for tool in builder.tools() {
        cx.tool(tool)?;
    }
    let mut bytes = builder.build(&cx)?;
    component::validate(&bytes)?;
    if project.world.is_some() {
        component::append_docs(&mut bytes, &project.dir.join("wit"))?;
    }
    manifest::embed(&mut bytes, project)?;
    let component = project.component();
    write(&component, &bytes)?;
    Ok(Built { component, bytes: bytes.len() as u64, took: started.elapsed() })
}

/// Runs the project's own unit tests, if it has any, and returns the command that ran them. Blocks until they are done.
///
/// # Errors
/// If a tool is missing, or a test fails; what was said has been reported.
pub fn test(project: &Project, report: &mut dyn FnMut(Report)) -> Result<Option<String>, Error> {
    let options = Options::default();
    let cx = Cx::new(project, &options, report);
    let _lock = cx.lock()?;
    let Some(mut command) = project.language.builder().test(&cx)? else { return Ok(None) };
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    let text = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    cx.step(format_args!("running {text}"));
    cx.run(&mut command)?;
    Ok(Some(text))
}

/// Puts the component in place whole: a host that watches it must never see half of one.
fn write(component: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = component.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let new = component.with_extension("wasm.tmp");
    fs::write(&new, bytes).map_err(Error::io(&new))?;
    fs::rename(&new, component).map_err(Error::io(component))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_languages() {
        for language in Language::ALL {
            for name in [language.as_str()].iter().chain(language.aliases()) {
                assert_eq!(name.to_uppercase().parse::<Language>().unwrap(), language);
            }
        }
        let error = "cobol".parse::<Language>().unwrap_err().to_string();
        assert!(error.ends_with("use one of rust, python, typescript, javascript, go, c, cpp, zig"), "{error}");
    }
}
