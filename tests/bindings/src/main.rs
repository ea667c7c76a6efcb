//! Generates `sdk/c/bindings` and `sdk/go/internal/wit` from the contract and `sdk/wit/guest.wit`:
//!
//! ```sh
//! cargo run --manifest-path tests/bindings/Cargo.toml            # writes them
//! cargo run --manifest-path tests/bindings/Cargo.toml -- check   # says whether they are what would be written
//! ```

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};
use wit_bindgen_core::{Files, WorldGenerator};
use wit_parser::{Resolve, WorldId};

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let check = env::args().nth(1).is_some_and(|word| word == "check");

    let c = wit_bindgen_c::Opts { no_object_file: true, ..Default::default() };
    put(&root.join("sdk/c/bindings"), generated(&root, c.build())?, check)?;

    let go = wit_bindgen_go::Opts {
        pkg_name: Some("toolcell.dev/sdk/internal/wit".to_owned()),
        // What gofmt does to it depends on its version.
        format: wit_bindgen_go::Format::False,
        quiet: true,
        ..Default::default()
    };
    let mut files = generated(&root, go.build())?;
    for text in files.values_mut() {
        // The runtime is part of the SDK, so that nothing has to be downloaded.
        *text = text.replace("go.bytecodealliance.org/pkg/wit/", "toolcell.dev/sdk/internal/wit/pkg/");
    }
    put(&root.join("sdk/go/internal/wit"), files, check)
}

fn resolve(root: &Path) -> Result<(Resolve, WorldId)> {
    let mut resolve = Resolve::default();
    for name in ["io", "clocks", "random", "filesystem", "sockets", "cli", "http"] {
        resolve.push_path(root.join(format!("wit/deps/{name}.wit")))?;
    }
    resolve.push_dir(root.join("wit/v0.1"))?;
    let (package, _) = resolve.push_path(root.join("sdk/wit/guest.wit"))?;
    let world = resolve.select_world(&[package], Some("guest"))?;
    Ok((resolve, world))
}

fn generated(root: &Path, mut generator: Box<dyn WorldGenerator>) -> Result<BTreeMap<PathBuf, String>> {
    let (mut resolve, world) = resolve(root)?;
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files)?;
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).context("what is generated is text");
    files.iter().map(|(name, data)| Ok((PathBuf::from(name), text(data)?))).collect()
}

fn put(folder: &Path, files: BTreeMap<PathBuf, String>, check: bool) -> Result<()> {
    for (name, text) in files {
        let file = folder.join(name);
        if fs::read_to_string(&file).is_ok_and(|there| there == text) {
            continue;
        }
        if check {
            bail!("{} is not what would be generated; run this without `check`", file.display());
        }
        fs::create_dir_all(file.parent().unwrap_or(folder))?;
        fs::write(&file, text).with_context(|| file.display().to_string())?;
        println!("{}", file.display());
    }
    Ok(())
}
