//! Components that know nothing of Toolcell: those of `tests/foreign`, each in the language and with the toolchain of the
//! original.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::projects::{self, Builder, Stamp};
use crate::run::{Outcome, run, step};
use crate::workspace::{Workspace, write_if_changed};
use crate::{plugins, sdk};

pub const HELP: &str = "\
Builds the components of tests/foreign into target/foreign/NAME.wasm. The toolchains of Python, JavaScript and Go are
those the SDKs' examples are built with. A component is not built again if nothing it is made of has changed.";

/// Builds components in Go.
pub const GO_BUILDER: Builder = Builder { kind: "--bin", name: "toolcell-foreign-go" };

/// How a component that is not Rust is made.
enum Kind {
    /// componentize-py, of `main.py`.
    Python,
    /// jco with StarlingMonkey, which has `fetch`, of the file of this name.
    Starling(&'static str),
    /// jco with QuickJS, of the file of this name.
    Quick(&'static str),
    /// The Go compiler, by `tests/foreign/go-component`.
    Go,
}

struct Component {
    /// Its folder in `tests/foreign`, and its name in `target/foreign`.
    name: &'static str,
    world: &'static str,
    kind: Kind,
}

const COMPONENTS: [Component; 6] = [
    Component { name: "eval-py", world: "sandbox", kind: Kind::Python },
    Component {
        name: "get-open-meteo-weather-js",
        world: "get-open-meteo-weather-js",
        kind: Kind::Starling("weather.js"),
    },
    Component { name: "get-weather-js", world: "weather-mcp", kind: Kind::Starling("weather.js") },
    Component { name: "gomodule-go", world: "gomodule-server", kind: Kind::Go },
    Component { name: "memory-js", world: "memory", kind: Kind::Quick("memory.js") },
    Component { name: "time-server-js", world: "time-server", kind: Kind::Starling("time.js") },
];

/// Builds all of them.
pub fn build(workspace: &Workspace) -> Outcome {
    let tools = projects::tools(workspace);
    for (language, program) in [("python", "componentize-py"), ("starlingmonkey", "jco"), ("go", "go")] {
        if find(&tools, program).is_none() {
            // Building a plugin in that language gets its toolchain.
            sdk::build_some(workspace, &[language], &["echo"])?;
        }
    }
    plugins::rust(workspace)?;
    step("foreign components in other languages", || {
        COMPONENTS.iter().try_for_each(|component| make(workspace, component))
    })
}

fn make(workspace: &Workspace, component: &Component) -> Outcome {
    let source = workspace.root.join("tests/foreign").join(component.name);
    let to = workspace.target.join("foreign").join(format!("{}.wasm", component.name));
    let tools = projects::tools(workspace);
    let found = |program: &str| find(&tools, program).unwrap_or_else(|| program.into());
    let stamp = Stamp::of(&to, &[&source, &workspace.root.join("tests/foreign/go-component")], &shown(&tools))?;
    if stamp.is_fresh() {
        return Ok(());
    }
    eprintln!("    {}", component.name);
    let work = workspace.target.join("foreign").join(".work").join(component.name);
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let (wit, made) = (source.join("wit"), work.join("made.wasm"));
    let mut command = match component.kind {
        Kind::Python => {
            // Without a virtual environment it would take along whatever this machine's Python has installed.
            let empty = work.join("venv");
            fs::create_dir_all(empty.join("lib/python3.14/site-packages"))?;
            // Python leaves compiled files beside what it reads.
            let app = work.join("app");
            write_if_changed(&app.join("main.py"), &fs::read(source.join("main.py"))?)?;
            let mut command = Command::new(found("componentize-py"));
            command.env("VIRTUAL_ENV", empty).arg("-d").arg(wit).args(["-w", component.world]);
            command.args(["componentize", "main", "-p"]).arg(app);
            command
        }
        Kind::Starling(entry) | Kind::Quick(entry) => {
            let mut command = Command::new(found("jco"));
            command.arg("componentize").arg(source.join(entry)).arg("-w").arg(wit).args(["-n", component.world]);
            if matches!(component.kind, Kind::Quick(_)) {
                command.args(["--backend", "qjs", "--backend-qjs-disable-async"]);
            }
            command
        }
        Kind::Go => {
            let mut command = Command::new(projects::builder(workspace, &GO_BUILDER)?);
            command.arg(found("go")).arg(wit).arg(component.world).arg(&source).arg(work.join("go")).arg(&made);
            command
        }
    };
    if !matches!(component.kind, Kind::Go) {
        command.arg("-o").arg(&made);
    }
    run(&mut command)?;
    let bytes = fs::read(&made).map_err(|why| format!("cannot read {}: {why}", made.display()))?;
    write_if_changed(&to, &bytes)?;
    stamp.write()
}

/// A program in one of the folders of tools; the newest version if there are several.
fn find(tools: &Path, program: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(tools).ok()?.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    let places = ["bin", "node_modules/.bin"];
    let mut found = folders.iter().rev().flat_map(|folder| places.map(|place| folder.join(place).join(program)));
    found.find(|path| path.is_file())
}

/// The names of the folders of tools, which tell their versions: another version makes another component.
fn shown(tools: &Path) -> String {
    let entries = fs::read_dir(tools).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| OsStr::to_string_lossy(&entry.file_name()).into_owned()).collect();
    names.sort();
    names.join(" ")
}
