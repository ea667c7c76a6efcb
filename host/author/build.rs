//! Puts the SDKs, the contract and the templates into the crate, as tables of file names and contents.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs};
use toml::{Table, Value};

/// The SDKs and what each needs beside it, in `sdk/`.
const SDKS: &[&str] = &["rust", "rust-macros", "python", "js", "go", "c", "zig"];
/// Folders that are no part of an SDK as it is used.
const NOT_FOLDERS: &[&str] = &[
    "target",
    "node_modules",
    "build",
    "dist",
    "tests",
    "test",
    "testdata",
    "examples",
    "__pycache__",
    "venv",
    "zig-out",
    "zig-cache",
    "coverage",
];
/// Endings of files that are no part of an SDK as it is used.
const NOT_ENDINGS: &[&str] =
    &[".pyc", ".wasm", ".o", ".tgz", ".whl", "_test.go", ".test.ts", ".test.js", ".test.mjs", "~"];

fn main() {
    let crate_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder"));
    let root = crate_dir.join("../..").canonicalize().expect("the crate lies in the repository");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for what is made"));

    let mut sdk = BTreeMap::new();
    for name in SDKS {
        collect(&root.join("sdk").join(name), name, &sources, &mut sdk);
    }
    // The contract, and worlds of the SDKs' own.
    collect(&root.join("wit"), "wit", &|_| true, &mut sdk);
    collect(&root.join("sdk/wit"), "worlds", &|_| true, &mut sdk);
    // What editors check toolcell.toml with.
    let schema = root.join("toolcell.schema.json");
    println!("cargo::rerun-if-changed={}", schema.display());
    sdk.insert("toolcell.schema.json".to_owned(), schema);
    let workspace = out.join("workspace.toml");
    fs::write(&workspace, workspace_of_the_rust_sdk(&root)).expect("the folder for what is made can be written");
    sdk.insert("Cargo.toml".to_owned(), workspace);
    let mut templates = BTreeMap::new();
    for folder in folders(&crate_dir.join("templates")) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        collect(&folder, &name, &|_| true, &mut templates);
    }

    let mut text =
        format!("/// Changes whenever a file of the SDKs does.\npub(crate) const STAMP: &str = {:?};\n", stamp(&sdk));
    for (what, name, files) in [("SDKs", "SDK", &sdk), ("templates", "TEMPLATES", &templates)] {
        text += &format!("/// The files of the {what}, by path.\npub(crate) const {name}: &[(&str, &[u8])] = &[\n");
        for (path, file) in files {
            text += &format!("    ({path:?}, include_bytes!({file:?})),\n");
        }
        text += "];\n";
    }
    fs::write(out.join("embedded.rs"), text).expect("the folder for what is made can be written");
    println!("cargo::rerun-if-changed=build.rs");
}

/// Whether a file or folder of this name belongs to an SDK as it is used.
fn sources(name: &str) -> bool {
    let hidden = name.starts_with('.');
    let left_out = NOT_FOLDERS.contains(&name) || name.ends_with(".egg-info");
    !hidden && !left_out && !NOT_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Collects the files below a folder and has cargo watch them. Returns whether all that lies in it was taken.
fn collect(folder: &Path, path: &str, wanted: &dyn Fn(&str) -> bool, files: &mut BTreeMap<String, PathBuf>) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        println!("cargo::rerun-if-changed={}", folder.display());
        return true;
    };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let (mut all, mut taken) = (true, Vec::new());
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = format!("{path}/{name}");
        if !wanted(&name) {
            all = false;
        } else if entry.path().is_dir() {
            all &= collect(&entry.path(), &below, wanted, files);
        } else {
            taken.push(entry.path());
            files.insert(below, entry.path());
        }
    }
    // Watching a folder means all below it, also what is made there and never taken.
    if all {
        println!("cargo::rerun-if-changed={}", folder.display());
    } else {
        for file in taken {
            println!("cargo::rerun-if-changed={}", file.display());
        }
    }
    all
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    println!("cargo::rerun-if-changed={}", dir.display());
    let entries = fs::read_dir(dir).expect("the templates are there");
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

fn stamp(files: &BTreeMap<String, PathBuf>) -> String {
    let mut hasher = DefaultHasher::new();
    for (path, file) in files {
        (path, fs::read(file).expect("a file that was listed reads")).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// The Rust SDK inherits versions and lints from the repository's workspace; unpacked, it needs a workspace of its own.
fn workspace_of_the_rust_sdk(root: &Path) -> String {
    let read = |path: PathBuf| -> Table {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).expect("a Cargo.toml of the repository reads");
        text.parse().expect("a Cargo.toml of the repository is TOML")
    };
    let mut workspace = match read(root.join("Cargo.toml")).remove("workspace") {
        Some(Value::Table(workspace)) => workspace,
        _ => panic!("the repository's Cargo.toml has a [workspace]"),
    };
    let members = ["rust", "rust-macros"];
    let used: Vec<Table> =
        members.iter().map(|member| read(root.join("sdk").join(member).join("Cargo.toml"))).collect();
    let inherits = |dependency: &str| {
        used.iter().any(|crate_| {
            crate_
                .iter()
                .filter(|(key, _)| key.ends_with("dependencies"))
                .any(|(_, table)| table.get(dependency).is_some())
        })
    };
    workspace.retain(|key, _| matches!(key, "resolver" | "package" | "lints" | "dependencies"));
    workspace.insert("members".to_owned(), members.map(Value::from).to_vec().into());
    if let Some(Value::Table(dependencies)) = workspace.get_mut("dependencies") {
        dependencies.retain(|name, _| inherits(name));
        for (name, dependency) in dependencies.iter_mut() {
            let folder = if name.ends_with("macros") { "rust-macros" } else { "rust" };
            if let Some(path) = dependency.get_mut("path") {
                *path = Value::from(folder);
            }
        }
    }
    Table::from_iter([("workspace".to_owned(), Value::Table(workspace))]).to_string()
}
