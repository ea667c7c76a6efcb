use super::*;
use crate::Language;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("plugin-").tempdir().unwrap();
    for (path, text) in files {
        let file = dir.path().join("todo").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    dir
}

fn open(files: &[(&str, &str)]) -> Result<Project, Error> {
    let dir = folder(files);
    Project::open(&dir.path().join("todo"))
}

/// What is said, without the folder.
fn refused(files: &[(&str, &str)]) -> String {
    let dir = folder(files);
    let root = dir.path().join("todo");
    let error = Project::open(&root).unwrap_err().to_string();
    error.replace(&format!("{}/", root.display()), "").replace(&root.display().to_string(), "DIR")
}

#[test]
fn the_least_is_a_plugin_toml_and_a_source() {
    let project = open(&[("plugin.toml", ""), ("app.py", "")]).unwrap();
    assert_eq!(
        (project.name.as_str(), project.version.as_str(), project.language),
        ("todo", "0.1.0", Language::Python)
    );
    assert_eq!(project.requests, Some(Requests::default()));
    assert!(project.component().ends_with("todo/build/todo.wasm"));
}

#[test]
fn all_that_can_be_said() {
    let text = r#"
        name = "notes"
        version = "1.2.3-rc.1"
        description = "Keeps notes."
        language = "ts"
        entry = "src/main.ts"
        world = "notes"
        engine = "starlingmonkey"
        flags = ["-O2"]
        [requests]
        key-value = { why = "keeps them" }
        hosts = [{ pattern = "GET https://*", why = "imports lists" }]
        dirs = [{ path = "/data", access = "read-only", why = "reads them" }]
        env = [{ name = "TZ", why = "local time" }]
        tools = [{ name = "weather", why = "adds the weather" }]
    "#;
    let project = open(&[("plugin.toml", text)]).unwrap();
    let Project { dir: _, name, version, description, language, entry, world, engine, flags, requests } = project;
    assert_eq!(
        (name.as_str(), version.as_str(), description.as_deref()),
        ("notes", "1.2.3-rc.1", Some("Keeps notes."))
    );
    assert_eq!((language, entry.as_deref()), (Language::TypeScript, Some(Path::new("src/main.ts"))));
    assert_eq!(
        (world.as_deref(), engine.as_deref(), flags),
        (Some("notes"), Some("starlingmonkey"), vec!["-O2".into()])
    );
    let requests = requests.unwrap();
    assert_eq!(requests.key_value.unwrap().why, "keeps them");
    assert_eq!(requests.hosts[0].pattern, "GET https://*");
    assert_eq!((requests.dirs[0].path.as_str(), requests.dirs[0].access.as_str()), ("/data", "read-only"));
    assert_eq!((requests.env[0].name.as_str(), requests.tools[0].name.as_str()), ("TZ", "weather"));
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    #[rustfmt::skip] // a table: one row, one line
    let table = [
        ("\nname = \"My Tool\"", "plugin.toml:2: name \"My Tool\" is no plugin name (`a-z 0-9 - _`, at first a letter or digit, at most 64); write \"my-tool\""),
        ("version = \"1\"", "plugin.toml:1: \"1\" is no semantic version"),
        ("\n\nlanguage = \"pyhton\"", "plugin.toml:3: \"pyhton\" is no language that is known here; use one of rust, python,"),
        ("desciption = \"\"", "plugin.toml:1: unknown key `desciption`; write `description`"),
        ("xyzzy = 1", "plugin.toml:1: unknown key `xyzzy`; leave it out or write one of name, version,"),
        ("[requests]\nkey_value = { why = \"x\" }", "plugin.toml:2: unknown key `key_value`; write `key-value`"),
        ("[requests]\nkey-value = {}", "plugin.toml:2: missing field `why`"),
        ("[requests]\nkey-value = { why = \" \" }", "plugin.toml:2: `why` is empty"),
        ("[requests]\nhosts = [\n { pattern = \"example.com\", why = \"x\" }]", "plugin.toml:3: host pattern \"example.com\": it has no scheme, write it like"),
        ("[requests]\ndirs = [{ path = \"/d\", access = \"rw\", why = \"x\" }]", "plugin.toml:2: unknown access \"rw\""),
        ("[requests]\nenv = [{ name = \"A=B\", why = \"x\" }]", "plugin.toml:2: variable name \"A=B\" holds"),
        ("name = ", "plugin.toml:1: "),
        ("entry = \"../other.py\"", "plugin.toml: `entry` lies outside of the project"),
    ];
    for (text, expected) in table {
        let said = refused(&[("plugin.toml", text), ("app.py", "")]);
        assert!(said.starts_with(expected), "{text}\n  {said}\n  {expected}");
    }
}

#[test]
fn where_there_is_no_project_the_way_to_one_is_named() {
    assert_eq!(
        refused(&[("app.py", "")]),
        "there is no plugin.toml and no Cargo.toml in DIR; write a project with `toolcell new NAME --lang LANGUAGE`"
    );
    assert!(refused(&[]).starts_with("DIR is no folder"));
    assert!(refused(&[("plugin.toml", "")]).contains("write `language = …` into plugin.toml"));
}

#[test]
fn files_tell_the_language() {
    let table: [(&[&str], Language); 12] = [
        (&["app.py"], Language::Python),
        (&["src/main.py", "pyproject.toml"], Language::Python),
        (&["plugin.ts", "package.json", "tsconfig.json"], Language::TypeScript),
        (&["src/plugin.ts", "test.js"], Language::TypeScript),
        (&["plugin.js", "package.json"], Language::JavaScript),
        (&["plugin.mjs"], Language::JavaScript),
        (&["main.go", "go.mod"], Language::Go),
        (&["plugin.c", "plugin.h"], Language::C),
        (&["plugin.cpp", "shim.c"], Language::Cpp),
        (&["src/plugin.cc"], Language::Cpp),
        (&["plugin.zig"], Language::Zig),
        (&["build.zig", "shim.c"], Language::Zig),
    ];
    for (files, language) in table {
        let files: Vec<(&str, &str)> = files.iter().map(|file| (*file, "")).chain([("plugin.toml", "")]).collect();
        assert_eq!(open(&files).unwrap().language, language, "{files:?}");
    }
    let entry = "entry = \"a.js\"";
    assert_eq!(open(&[("plugin.toml", entry), ("b.py", "")]).unwrap().language, Language::JavaScript);
}

#[test]
fn a_rust_project_needs_no_plugin_toml() {
    let manifest = "[package]\nname = \"plugin-notes\"\nversion = \"2.0.0\"\ndescription = \"Keeps notes.\"";
    let project = open(&[("Cargo.toml", manifest)]).unwrap();
    assert_eq!((project.name.as_str(), project.version.as_str(), project.language), ("notes", "2.0.0", Language::Rust));
    assert_eq!((project.description.as_deref(), project.requests), (Some("Keeps notes."), None));

    // One that exports plain WIT says in it what it asks for.
    let project = open(&[("Cargo.toml", manifest), ("plugin.toml", "world = \"notes\"")]).unwrap();
    assert_eq!((project.name.as_str(), project.world.as_deref()), ("notes", Some("notes")));
    assert_eq!(project.requests, Some(Requests::default()));

    let said = refused(&[("Cargo.toml", "[package]\nname = \"Notes\"")]);
    assert!(said.starts_with("Cargo.toml: name \"Notes\" is no plugin name"), "{said}");
    let said = refused(&[("Cargo.toml", "[package]\nname = 1")]);
    assert!(said.starts_with("Cargo.toml:2: "), "{said}");
}

#[test]
fn a_crate_inherits_from_its_workspace() {
    let dir = folder(&[(
        "Cargo.toml",
        "[package]\nname = \"p\"\nversion.workspace = true\ndescription = { workspace = true }",
    )]);
    let root = "[workspace]\n[workspace.package]\nversion = \"3.1.4\"\ndescription = \"All of it.\"";
    fs::write(dir.path().join("Cargo.toml"), root).unwrap();
    let project = Project::open(&dir.path().join("todo")).unwrap();
    assert_eq!((project.version.as_str(), project.description.as_deref()), ("3.1.4", Some("All of it.")));
}

#[test]
fn what_is_made_is_no_source() {
    let project = open(&[("plugin.toml", ""), ("app.py", "")]).unwrap();
    #[rustfmt::skip]
    let table = [
        ("app.py", true), ("plugin.toml", true), ("Cargo.toml", true), ("src/lib.rs", true), ("wit/world.wit", true), ("data.json", true),
        ("toolcell.toml", false), ("README.md", false), ("build/todo.wasm", false), ("target/debug/x.rs", false),
        (".toolcell/gen/x.py", false), ("src/__pycache__/x.pyc", false), ("node_modules/a/b.js", false), (".git/HEAD", false),
        ("app.py~", false), (".app.py.swp", false), ("src/.#lib.rs", false), ("#app.py#", false),
    ];
    for (file, is) in table {
        assert_eq!(project.is_source(&project.dir.join(file)), is, "{file}");
    }
    assert!(!project.is_source(Path::new("/elsewhere/app.py")));
    assert!(!project.is_source(&project.dir));
}
