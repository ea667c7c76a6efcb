//! What holds between this crate and the rest of the repository, and of a component that is built with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};
use wasmparser::{ComponentExternalKind, Parser, Payload};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_copy_of_the_contract_is_the_contract() {
    let files = |folder: PathBuf| -> BTreeMap<_, _> {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let entries = entries.map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name(), fs::read_to_string(entry.path()).unwrap())).collect()
    };
    assert!(
        files(repository().join("wit/v0.1")) == files(repository().join("sdk/rust/wit")),
        "the contract changed; run `cp wit/v0.1/*.wit sdk/rust/wit/`"
    );
}

/// What the host reads of a component before it runs it.
#[derive(Default)]
struct Component {
    imports: Vec<String>,
    exports: Vec<String>,
    manifest: Option<serde_json::Value>,
}

/// Builds a plugin of this repository and reads it.
fn build(package: &str) -> Component {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["build", "--profile", "plugin", "--target", "wasm32-wasip2", "--message-format", "json", "-p", package])
        .current_dir(repository())
        .output()
        .expect("cargo runs");
    let messages = String::from_utf8_lossy(&output.stdout);
    let voice = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "run `rustup target add wasm32-wasip2` if the target is missing\n{voice}");
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut files = artifacts.filter_map(|message| Some(message.get("filenames")?.get(0)?.as_str()?.to_owned()));
    let file = files.rfind(|file| file.ends_with(".wasm")).expect("cargo names the component");
    read(&fs::read(file).expect("the component is there"))
}

fn read(bytes: &[u8]) -> Component {
    let mut component = Component::default();
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.expect("a valid component") {
            Payload::ComponentImportSection(imports) if depth == 0 => {
                component.imports.extend(imports.into_iter().map(|import| import.unwrap().name.name.to_owned()));
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                let exports = exports.into_iter().map(|export| export.unwrap());
                let interfaces = exports.filter(|export| export.kind == ComponentExternalKind::Instance);
                component.exports.extend(interfaces.map(|export| export.name.name.to_owned()));
            }
            Payload::CustomSection(section) if section.name() == "toolcell:manifest" => {
                assert!(component.manifest.is_none(), "two manifests");
                component.manifest = Some(serde_json::from_slice(section.data()).expect("the manifest is JSON"));
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) if depth > 0 => depth -= 1,
            _ => {}
        }
    }
    component
}

#[test]
fn a_component_imports_what_it_uses_and_carries_its_manifest() {
    let Component { imports, exports, manifest } = build("plugin-echo");
    let contract: Vec<_> = imports.iter().filter(|name| name.starts_with("toolcell:")).collect();
    assert_eq!(contract, ["toolcell:plugin/types@0.1.0"], "echo uses nothing but types");
    assert_eq!(exports, ["toolcell:plugin/tools@0.1.0"]);
    let unknown: Vec<_> =
        imports.iter().filter(|name| !name.starts_with("toolcell:") && !name.starts_with("wasi:")).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(
        manifest,
        Some(serde_json::json!({
            "wit": "0.1.0",
            "sdk": concat!("toolcell-sdk ", env!("CARGO_PKG_VERSION"), " (rust)"),
            "name": "echo",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Says back what it is told.",
            "requests": { "dirs": [], "hosts": [], "env": [], "tools": [] },
        }))
    );
}

#[test]
fn a_component_exports_what_the_plugin_offers() {
    let Component { imports, mut exports, .. } = build("plugin-conformance");
    exports.sort_unstable();
    assert_eq!(
        exports,
        ["completions", "prompts", "resources", "tools"].map(|name| format!("toolcell:plugin/{name}@0.1.0"))
    );
    let mut contract: Vec<_> = imports.iter().filter(|name| name.starts_with("toolcell:")).collect();
    contract.sort_unstable();
    let used = ["changes", "context", "log", "progress", "types"].map(|name| format!("toolcell:plugin/{name}@0.1.0"));
    assert_eq!(contract, used.iter().collect::<Vec<_>>());
}
