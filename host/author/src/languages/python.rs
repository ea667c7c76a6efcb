//! Python: `componentize-py`, which runs the program up to the end of its imports and keeps the memory as it is then.
//!
//! A component imports and exports only what the plugin uses, and only the plugin's own run tells what that is: a resource may be
//! declared in a loop. So the sources are searched for what they import, which is right almost always; if the run shows that it
//! was not, it says what is needed, and the component is made once more. What was needed is kept for the next build.

mod failure;
mod packages;
mod world;

use super::{Builder, Cx};
use crate::Error;
use crate::tools::{From, OnPath, Tool};
use failure::Failure;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use world::Interfaces;

pub(super) struct Python;

const COMPONENTIZE: Tool = Tool {
    name: "componentize-py",
    version: "0.25.1",
    on_path: Some(OnPath { oldest: "0.25.1", before: Some("0.25.2"), ask: &["--version"] }),
    from: From::Pip { packages: &["componentize-py==0.25.1"], program: "bin/componentize-py" },
};

static TOOLS: &[Tool] = &[COMPONENTIZE];

/// The module that the component begins with; it imports the plugin's own.
const ENTRY: &str = "toolcell_entry";

impl Builder for Python {
    fn tools(&self) -> &'static [Tool] {
        TOOLS
    }

    fn build(&self, cx: &Cx<'_>) -> Result<Vec<u8>, Error> {
        let source = Source::of(cx)?;
        let packages = packages::installed(cx)?;
        let gen_dir = cx.gen_dir()?;
        let component = gen_dir.join("plugin.wasm");
        let componentize = Componentize { cx, source: &source, packages, component: &component };
        match &cx.project.world {
            Some(world) => componentize.plain(world)?,
            None => {
                let interfaces = componentize.plugin(&gen_dir)?;
                world::warn(cx, &interfaces);
            }
        }
        fs::read(&component).map_err(Error::io(&component))
    }

    fn test(&self, cx: &Cx<'_>) -> Result<Option<Command>, Error> {
        let source = Source::of(cx)?;
        let tests = [source.folder.clone(), cx.project.dir.clone(), cx.project.dir.join("tests")];
        let Some(tests) = tests.iter().find(|folder| has_tests(folder)) else { return Ok(None) };
        let mut folders = vec![source.folder, cx.sdk("python")?];
        folders.extend(packages::installed(cx)?);
        let path = std::env::join_paths(folders).map_err(|error| {
            Error::other(format_args!("{error}; move the project to a folder whose name has no such character"))
        })?;
        let mut python = Command::new("python3");
        python.args(["-m", "unittest", "discover", "--pattern", "test*.py"]);
        if let Some(below) = tests.strip_prefix(&cx.project.dir).ok().filter(|below| !below.as_os_str().is_empty()) {
            python.arg("--start-directory").arg(below);
        }
        python.env("PYTHONPATH", path);
        Ok(Some(python))
    }
}

/// Whether there are unit tests in a folder.
fn has_tests(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| {
        let name = name.to_string_lossy();
        name.starts_with("test") && name.ends_with(".py")
    })
}

/// The plugin's own module.
struct Source {
    /// The folder it lies in.
    folder: PathBuf,
    /// What it is called.
    module: String,
}

impl Source {
    fn of(cx: &Cx<'_>) -> Result<Self, Error> {
        let entry = cx.project.entry.clone().unwrap_or_else(|| PathBuf::from("app.py"));
        let file = cx.project.dir.join(&entry);
        let wrong = |message: String| Err(Error::Project { file: file.clone(), line: None, message });
        let module = entry.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_name = !module.starts_with(|c: char| c.is_ascii_digit())
            && module.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !file.is_file() {
            return wrong("there is no such file; write it, or name another as `entry` in plugin.toml".to_owned());
        }
        if module.is_empty() || !is_name || [ENTRY, "toolcell", "wit_world"].contains(&&*module) {
            return wrong(format!("a module cannot be called {module:?} here; call the file app.py"));
        }
        Ok(Self { folder: file.parent().unwrap_or(&cx.project.dir).to_owned(), module })
    }
}

/// One run of `componentize-py` or several.
struct Componentize<'a, 'b> {
    cx: &'a Cx<'b>,
    source: &'a Source,
    packages: Option<PathBuf>,
    component: &'a Path,
}

impl Componentize<'_, '_> {
    /// Makes a component of a plugin written with the SDK, and returns the interfaces it has.
    fn plugin(&self, gen_dir: &Path) -> Result<Interfaces, Error> {
        let sdk = self.cx.sdk("python")?;
        let contract = self.cx.sdk("wit")?;
        let guess = Interfaces::used_by(&self.source.folder)?;
        let kept = gen_dir.join("interfaces");
        let mut interfaces = Interfaces::kept(&kept, &guess).unwrap_or_else(|| guess.clone());
        for _ in 0..3 {
            self.cx.step("making the component with componentize-py");
            let wit = interfaces.write_world(&contract, &gen_dir.join("wit"))?;
            let entry = self.write_entry(gen_dir, &interfaces)?;
            let folders = [&*self.source.folder, &*entry, &*sdk];
            match self.run(&wit.folder, world::WORLD, &wit.names, &folders, ENTRY) {
                Ok(()) => {
                    interfaces.keep(&kept, &guess)?;
                    return Ok(interfaces);
                }
                Err(Failure::Needs(needed)) => interfaces = needed,
                Err(Failure::Failed(error)) => return Err(error),
            }
        }
        Err(Error::other(format_args!(
            "{}: what it offers changes from run to run; declare tools, resources and prompts always, not by chance",
            self.source.module
        )))
    }

    /// Makes a component that exports its own WIT and knows nothing of Toolcell.
    fn plain(&self, world: &str) -> Result<(), Error> {
        self.cx.step("making the component with componentize-py");
        let wit = self.cx.project.dir.join("wit");
        match self.run(&wit, world, &[], &[&self.source.folder], &self.source.module) {
            Ok(()) => Ok(()),
            Err(Failure::Failed(error)) => Err(error),
            Err(Failure::Needs(_)) => {
                Err(Error::other("app.py uses the SDK, but plugin.toml names a `world` of its own; keep one of them"))
            }
        }
    }

    /// Makes a component of a module. Modules are looked for in the folders, in their order.
    fn run(&self, wit: &Path, world: &str, names: &[String], folders: &[&Path], module: &str) -> Result<(), Failure> {
        let tool = self.cx.tool(&COMPONENTIZE)?;
        let mut command = Command::new(&tool.program);
        // Without a virtual environment of its own it would take packages from any Python it finds.
        let empty = self.cx.gen_dir()?.join("venv");
        let site_packages = empty.join("lib/python3.14/site-packages");
        fs::create_dir_all(&site_packages).map_err(Error::io(&site_packages))?;
        command.env("VIRTUAL_ENV", &empty).env("RUST_BACKTRACE", "0").current_dir(&self.cx.project.dir);
        command.arg("--wit-path").arg(wit).args(["--world", world]);
        for name in names {
            command.args(["--import-interface-name", name]);
        }
        command.args(["componentize", module, "--output"]).arg(self.component);
        let folders: Vec<&Path> = folders.iter().copied().chain(self.packages.as_deref()).collect();
        for folder in &folders {
            command.arg("--python-path").arg(folder);
        }
        command.args(&self.cx.project.flags);
        let output = command
            .output()
            .map_err(|error| Error::other(format_args!("componentize-py cannot be started: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Err(failure::read(self.cx, &said, &output.status.to_string(), &folders))
    }

    fn write_entry(&self, gen_dir: &Path, interfaces: &Interfaces) -> Result<PathBuf, Error> {
        let folder = gen_dir.join("entry");
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let module = &self.source.module;
        let text = format!(
            "# Made by toolcell.\nimport {module}\nfrom toolcell import _component\n\n\
             globals().update(_component.export({module}, {:?}.split()))\n",
            interfaces.to_string()
        );
        let file = folder.join(format!("{ENTRY}.py"));
        fs::write(&file, text).map_err(Error::io(&file))?;
        Ok(folder)
    }
}
