//! Rust: `cargo build` for `wasm32-wasip2`, whose linker makes the component.

use super::{Builder, Cx};
use crate::Error;
use crate::tools::{From, Tool};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-wasip2";

pub(super) struct Rust;

static TOOLS: &[Tool] = &[Tool { name: "rust", version: "1", on_path: None, from: From::RustTarget(TARGET) }];

impl Builder for Rust {
    fn tools(&self) -> &'static [Tool] {
        TOOLS
    }

    fn build(&self, cx: &Cx<'_>) -> Result<Vec<u8>, Error> {
        cx.sdk("rust")?;
        cx.step("compiling with cargo");
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
        if !cx.options.debug {
            cargo.arg("--release");
        }
        cargo.args(&cx.project.flags);
        let messages = cx.capture(&mut cargo)?;
        let component = artifact(&messages, &cx.project.dir.join("Cargo.toml"))?;
        fs::read(&component).map_err(Error::io(&component))
    }

    fn test(&self, cx: &Cx<'_>) -> Result<Option<Command>, Error> {
        cx.sdk("rust")?;
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--quiet"]);
        Ok(Some(cargo))
    }
}

/// One of the lines in which cargo reports what it made.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// The component of the crate with this manifest.
fn artifact(messages: &str, manifest: &Path) -> Result<PathBuf, Error> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    // cargo resolves links on the way to its manifests.
    let canonical = manifest.canonicalize().unwrap_or_else(|_| manifest.to_owned());
    let made = messages.filter(|message| message.reason == "compiler-artifact");
    let made = made.filter(|message| message.manifest_path == *manifest || message.manifest_path == canonical);
    let mut files = made.flat_map(|message| message.filenames);
    files.find(|file| file.extension().is_some_and(|ending| ending == "wasm")).ok_or_else(|| Error::Project {
        file: manifest.to_owned(),
        line: None,
        message: "the crate makes no component; write `crate-type = [\"cdylib\"]` below `[lib]`".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_that_of_the_crate_itself() {
        let messages = r#"
{"reason":"compiler-artifact","manifest_path":"/d/Cargo.toml","filenames":["/t/libd.rlib"]}
{"reason":"build-script-executed","package_id":"x"}
{"reason":"compiler-artifact","manifest_path":"/other/Cargo.toml","filenames":["/t/other.wasm"]}
{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","filenames":["/t/libp.rlib","/t/p.wasm"]}
{"reason":"build-finished","success":true}"#;
        assert_eq!(artifact(messages, Path::new("/p/Cargo.toml")).unwrap(), Path::new("/t/p.wasm"));
        let error = artifact(messages, Path::new("/d/Cargo.toml")).unwrap_err().to_string();
        assert!(error.contains("crate-type"), "{error}");
    }
}
