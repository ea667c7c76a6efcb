//! The examples of the SDKs: `echo` and `todo` in every language, the same in all of them.

use std::fs;
use std::process::Command;

use crate::clients::Clients;
use crate::run::{Outcome, run, step};
use crate::workspace::Workspace;
use crate::{plugins, projects};

pub const HELP: &str = "\
Builds the examples echo and todo of every SDK into target/sdk-examples/LANGUAGE/NAME.wasm: rust, python, typescript,
javascript, go, c, cpp and zig (and echo on StarlingMonkey, JavaScript's other engine), as `toolcell build --get` builds them. Toolchains that are missing are put into
target/tools. What follows names the languages; without any it is all of them. A component is not built again if
nothing it is made of has changed.";

/// The languages by their names, and where the examples of each lie; `{}` stands for the example. Some share an SDK.
const LANGUAGES: [(&str, &str); 7] = [
    ("python", "sdk/python/examples/{}"),
    ("typescript", "sdk/js/examples/{}"),
    ("javascript", "sdk/js/examples/{}-javascript"),
    ("go", "sdk/go/examples/{}"),
    ("c", "sdk/c/examples/{}"),
    ("cpp", "sdk/c/examples/{}-cpp"),
    ("zig", "sdk/zig/examples/{}"),
];

/// Rust has its own way: its examples are packages of the workspace, built with the other guests.
const RUST: &str = "rust";
pub const RUST_EXAMPLES: [(&str, &str); 2] = [("echo", "plugin-echo"), ("todo", "todo-rust")];

/// JavaScript's other engine, which has `echo` alone: what differs is the engine.
const STARLINGMONKEY: (&str, &str) = ("starlingmonkey", "sdk/js/examples/echo-starlingmonkey");

/// What every language has.
const EXAMPLES: [&str; 2] = ["echo", "todo"];

/// All languages.
pub fn languages() -> impl Iterator<Item = &'static str> {
    [RUST].into_iter().chain(LANGUAGES.iter().chain([&STARLINGMONKEY]).map(|(name, _)| *name))
}

/// Builds the examples of these languages, or of all.
pub fn build(workspace: &Workspace, languages: &[String]) -> Outcome {
    let all: Vec<&str> = self::languages().collect();
    if let Some(unknown) = languages.iter().find(|wanted| !all.contains(&wanted.as_str())) {
        return Err(format!("there is no SDK for {unknown}; there are: {}", all.join(", ")).into());
    }
    let named: Vec<&str> = languages.iter().map(String::as_str).collect();
    build_some(workspace, if named.is_empty() { &all } else { &named }, &EXAMPLES)
}

/// Builds these examples of these languages.
pub fn build_some(workspace: &Workspace, languages: &[&str], examples: &[&str]) -> Outcome {
    for language in languages {
        step(&format!("SDK examples: {language}"), || {
            if *language == RUST {
                return plugins::rust(workspace);
            }
            examples.iter().try_for_each(|example| build_one(workspace, language, example))
        })?;
    }
    Ok(())
}

/// Runs the unit tests that the SDKs and the projects made with them have in their own languages. What Rust has is tested
/// with the workspace.
pub fn test(workspace: &Workspace, clients: &Clients) -> Outcome {
    step("unit tests in Python", || {
        run(Command::new(&clients.python).args(["-m", "unittest"]).current_dir(workspace.root.join("sdk/python")))
    })?;
    step("unit tests in JavaScript", || javascript(workspace, clients))?;
    step("unit tests in Go", || {
        let go = projects::tool(workspace, "go-", "bin/go")?;
        let mut go = Command::new(go);
        go.args(["test", "./..."]).current_dir(workspace.root.join("sdk/go"));
        run(go.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod").env("GOPROXY", "off"))
    })?;
    step("unit tests of projects", || {
        let mut folders: Vec<String> =
            LANGUAGES.iter().flat_map(|(_, folder)| EXAMPLES.map(|example| folder.replace("{}", example))).collect();
        for parent in ["plugins", "examples"] {
            folders
                .extend(projects::projects_in(workspace, parent)?.into_iter().map(|name| format!("{parent}/{name}")));
        }
        folders.iter().try_for_each(|folder| projects::test(workspace, folder))
    })
}

/// The tests need zod, which authors may use and the SDK itself does without.
fn javascript(workspace: &Workspace, clients: &Clients) -> Outcome {
    let sdk = workspace.root.join("sdk/js");
    if !sdk.join("node_modules/zod/package.json").is_file() {
        let mut npm = clients.npm()?;
        npm.args(["install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
        run(npm.current_dir(&sdk))?;
    }
    let mut tests = Vec::new();
    for entry in fs::read_dir(sdk.join("tests"))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.js") {
            tests.push(path);
        }
    }
    if tests.is_empty() {
        return Err("sdk/js/tests has no *.test.js".into());
    }
    run(Command::new(&clients.node).arg("--test").args(tests).current_dir(&sdk))
}

fn build_one(workspace: &Workspace, language: &str, example: &str) -> Outcome {
    let to = workspace.target.join("sdk-examples").join(language).join(format!("{example}.wasm"));
    if language == STARLINGMONKEY.0 {
        return if example == "echo" { projects::build(workspace, STARLINGMONKEY.1, &to) } else { Ok(()) };
    }
    let folder = LANGUAGES.iter().find(|(name, _)| *name == language).map(|(_, folder)| folder.replace("{}", example));
    projects::build(workspace, &folder.ok_or("no such language")?, &to)
}
