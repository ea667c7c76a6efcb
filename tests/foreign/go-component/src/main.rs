//! Builds a Go component of any WIT world: bindings by `wit-bindgen-go`, then the Go compiler, then the component around the
//! core module. `go-component GO WIT WORLD SOURCE WORK OUT`; WORK is for what is made on the way.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

fn main() -> Result<()> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let [go, wit, world, source, work, out] = arguments.as_slice() else {
        bail!("usage: go-component GO WIT WORLD SOURCE WORK OUT");
    };
    let work = Path::new(work);
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit)?;
    let world = resolve.select_world(&[package], world.to_str())?;
    let mut files = Files::default();
    let mut bindings = wit_bindgen_go::Opts { format: wit_bindgen_go::Format::False, ..Default::default() }.build();
    bindings.generate(&mut resolve.clone(), world, &mut files)?;
    for (name, bytes) in files.iter() {
        write(&work.join(name), bytes)?;
    }
    copy(Path::new(source), work)?;
    let module = "module wit_component\n\ngo 1.27\n\nrequire go.bytecodealliance.org/pkg v0.0.0\n\n\
        replace go.bytecodealliance.org/pkg => ";
    write(&work.join("go.mod"), format!("{module}{}\n", runtime()?.display()).as_bytes())?;
    let core = work.join("core.wasm");
    let status = Command::new(go)
        .current_dir(work)
        .args(["build", "-buildmode=c-shared", "-ldflags=-checklinkname=0 -s -w", "-o"])
        .arg(&core)
        .arg(".")
        .envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOTOOLCHAIN", "local"), ("GOPROXY", "off")])
        .env("GOFLAGS", "-mod=mod")
        .status()
        .with_context(|| format!("cannot run {}", go.display()))?;
    ensure!(status.success(), "`go build` failed ({status})");
    let mut module = fs::read(&core)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    let component = ComponentEncoder::default().module(&module)?.adapter(ADAPTER, REACTOR)?.validate(true).encode()?;
    write(Path::new(out), &component)
}

/// The Go package that bindings need. It comes with the crate that writes them, so nothing is asked of a module proxy.
fn runtime() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let said = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(manifest)
        .output()?;
    ensure!(said.status.success(), "`cargo metadata` failed: {}", String::from_utf8_lossy(&said.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&said.stdout)?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.find(|package| package["name"] == "wit-bindgen-go");
    let manifest =
        found.and_then(|package| package["manifest_path"].as_str()).context("wit-bindgen-go is not there")?;
    Ok(Path::new(manifest).with_file_name("src").join("pkg"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let to = to.join(path.file_name().context("an entry has a name")?);
        if path.is_dir() {
            copy(&path, &to)?;
        } else if path.extension().is_some_and(|extension| extension == "go") {
            write(&to, &fs::read(&path)?)?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
