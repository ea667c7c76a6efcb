//! The world of a plugin: the interfaces it uses and offers.

use super::Cx;
use crate::Error;
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// What the world is called.
pub(super) const WORLD: &str = "app";

/// What a plugin may export, and the names of the SDK whose import suggests it.
const EXPORTS: &[(&str, &[&str])] = &[
    ("tools", &["tool"]),
    ("resources", &["resource", "list_resources"]),
    ("prompts", &["prompt"]),
    ("completions", &["complete"]),
];

/// What a plugin may import, and the module of the SDK that does.
const IMPORTS: &[(&str, &str)] = &[
    ("changes", "changes"),
    ("context", "context"),
    ("http", "http"),
    ("key-value", "key_value"),
    ("log", "log"),
    ("peers", "peers"),
    ("progress", "progress"),
];

/// Packages of WASI that `http` needs, what of them is imported, and the names their bindings get.
const HTTP: &[(&str, &str)] = &[
    ("http/types", "http_types"),
    ("http/outgoing-handler", "http_handler"),
    ("io/poll", "io_poll"),
    ("io/streams", "io_streams"),
    ("io/error", "io_error"),
    ("clocks/monotonic-clock", "monotonic_clock"),
];

/// The interfaces of a plugin, imports and exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interfaces(BTreeSet<String>);

/// A world that was written.
pub(super) struct Written {
    pub(super) folder: PathBuf,
    /// What the modules of interfaces are to be called: `interface=module`.
    pub(super) names: Vec<String>,
}

impl Interfaces {
    pub(super) fn parse(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// What the sources in a folder import from the SDK.
    pub(super) fn used_by(folder: &Path) -> Result<Self, Error> {
        let mut words = BTreeSet::new();
        read_sources(folder, &mut words)?;
        let exports = EXPORTS.iter().filter(|(_, names)| names.iter().any(|name| words.contains(*name)));
        let imports = IMPORTS.iter().filter(|(_, module)| words.contains(*module));
        let names = exports.map(|(name, _)| *name).chain(imports.map(|(name, _)| *name));
        Ok(Self(names.map(str::to_owned).collect()))
    }

    /// What an earlier build turned out to need, if the sources suggested the same then.
    pub(super) fn kept(file: &Path, guess: &Self) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let (suggested, needed) = text.split_once('\n')?;
        (Self::parse(suggested) == *guess).then(|| Self::parse(needed))
    }

    pub(super) fn keep(&self, file: &Path, guess: &Self) -> Result<(), Error> {
        fs::write(file, format!("{guess}\n{self}\n")).map_err(Error::io(file))
    }

    /// Writes the world and what it refers to.
    pub(super) fn write_world(&self, contract: &Path, folder: &Path) -> Result<Written, Error> {
        let deps = folder.join("deps");
        let plugin = deps.join("toolcell-plugin");
        fs::create_dir_all(&plugin).map_err(Error::io(&plugin))?;
        copy_wit(&contract.join("v0.1"), &plugin)?;
        copy_wit(&contract.join("deps"), &deps)?;
        let mut world = format!("package toolcell:python;\n\nworld {WORLD} {{\n");
        let mut names = vec!["toolcell:plugin/types@0.1.0=types".to_owned()];
        let plugins = |kind: &str, name: &str| format!("  {kind} toolcell:plugin/{name}@0.1.0;\n");
        for (name, _) in IMPORTS.iter().filter(|(name, _)| self.has(name) && *name != "http") {
            world += &plugins("import", name);
        }
        if self.has("http") {
            let version = version(&deps.join("http.wit"))?;
            for (interface, module) in HTTP {
                world += &format!("  import wasi:{interface}@{version};\n");
                names.push(format!("wasi:{interface}@{version}={module}"));
            }
        }
        for (name, _) in EXPORTS.iter().filter(|(name, _)| self.has(name)) {
            world += &plugins("export", name);
        }
        world += "}\n";
        let file = folder.join("world.wit");
        fs::write(&file, world).map_err(Error::io(&file))?;
        Ok(Written { folder: folder.to_owned(), names })
    }
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
    }
}

/// Says what the plugin uses without asking for it: the host would refuse it at every call.
pub(super) fn warn(cx: &Cx<'_>, interfaces: &Interfaces) {
    let Some(requests) = &cx.project.requests else { return };
    let missing = [
        ("http", requests.hosts.is_empty(), "hosts = [{ pattern = \"https://…\", why = \"…\" }]"),
        ("key-value", requests.key_value.is_none(), "key-value = { why = \"…\" }"),
        ("peers", requests.tools.is_empty(), "tools = [{ name = \"…\", why = \"…\" }]"),
    ];
    for (name, _, line) in missing.iter().filter(|(name, missing, _)| *missing && interfaces.has(name)) {
        cx.output(&format!(
            "warning: the plugin uses toolcell.{}, but plugin.toml does not ask for it; add below [requests]: {line}",
            name.replace('-', "_")
        ));
    }
}

/// The words behind `import` in statements that import from the SDK, in all sources of a folder.
fn read_sources(folder: &Path, words: &mut BTreeSet<String>) -> Result<(), Error> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder))?;
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            if !name.starts_with('.') && !["build", "tests", "venv", "__pycache__"].contains(&&*name) {
                read_sources(&path, words)?;
            }
        } else if name.ends_with(".py") && !name.starts_with("test") {
            // What is no text fails in Python, with a better message.
            words.extend(imported(&fs::read_to_string(&path).unwrap_or_default()));
        }
    }
    Ok(())
}

fn imported(source: &str) -> Vec<String> {
    let is_word = |c: char| !(c.is_alphanumeric() || c == '_');
    let mut words = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find("toolcell") {
        let before = rest.get(..at).unwrap_or_default().lines().next_back().unwrap_or_default().trim();
        rest = rest.get(at + "toolcell".len()..).unwrap_or_default();
        // `from toolcell import a, (b,\n c)`, `from toolcell.http import get`, `import toolcell.http`, `toolcell.tool`
        let end = match (before == "from", rest.find('(')) {
            (true, Some(open)) if rest.get(..open).is_some_and(|head| !head.contains('\n')) => rest.find(')'),
            _ => rest.find('\n'),
        };
        let statement = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let names = match before {
            "from" => statement,
            _ => statement.strip_prefix('.').and_then(|path| path.split(is_word).next()).unwrap_or_default(),
        };
        words.extend(names.split(is_word).filter(|word| !word.is_empty()).map(str::to_owned));
    }
    words
}

/// Copies the WIT files of a folder; those that did not change keep their times.
fn copy_wit(from: &Path, to: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(from).map_err(Error::io(from))?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "wit") {
            let copy = to.join(entry.file_name());
            fs::copy(&path, &copy).map_err(Error::io(&copy))?;
        }
    }
    Ok(())
}

/// The version in `package wasi:http@0.2.12;`.
fn version(file: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(file).map_err(Error::io(file))?;
    let line = text.lines().find_map(|line| line.strip_prefix("package ")?.strip_suffix(';')?.split_once('@'));
    line.map(|(_, version)| version.to_owned())
        .ok_or_else(|| Error::other(format_args!("{} names no version", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_imported_from_the_sdk_is_found() {
        let cases = [
            ("from toolcell import tool", "tool"),
            ("x = 1\nfrom toolcell import (\n    http,\n    tool,\n)\nimport log", "http tool"),
            ("from toolcell import tool, key_value as kv  # the store\ny()", "as key_value kv store the tool"),
            ("from toolcell.http import get", "get http import"),
            ("import toolcell.peers\ntoolcell.tool()", "peers tool"),
            ("import toolcell\n# http", ""),
        ];
        for (source, expected) in cases {
            let mut words = imported(source);
            words.retain(|word| word != "import" || expected.contains("import"));
            words.sort();
            words.dedup();
            assert_eq!(words.join(" "), expected, "{source}");
        }
    }

    #[test]
    fn the_world_has_what_is_used_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("app.py"), "from toolcell import tool, http, key_value\n").unwrap();
        fs::write(dir.path().join("test_app.py"), "from toolcell import prompt\n").unwrap();
        let interfaces = Interfaces::used_by(dir.path()).unwrap();
        assert_eq!(interfaces.to_string(), "http key-value tools");
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let written = interfaces.write_world(&contract, &dir.path().join("wit")).unwrap();
        let world = fs::read_to_string(written.folder.join("world.wit")).unwrap();
        for line in [
            "import toolcell:plugin/key-value@0.1.0;",
            "export toolcell:plugin/tools@0.1.0;",
            "import wasi:http/types@0.2.",
        ] {
            assert!(world.contains(line), "{world}");
        }
        assert!(!world.contains("prompts") && !world.contains("progress"), "{world}");
        assert!(written.names.iter().any(|name| name.ends_with("=http_types")));
    }

    #[test]
    fn what_an_earlier_build_needed_holds_while_the_sources_suggest_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("interfaces");
        let (guess, needed) = (Interfaces::parse("tools"), Interfaces::parse("tools completions prompts"));
        needed.keep(&file, &guess).unwrap();
        assert_eq!(Interfaces::kept(&file, &guess), Some(needed));
        assert_eq!(Interfaces::kept(&file, &Interfaces::parse("tools http")), None);
    }
}
