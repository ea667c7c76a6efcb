//! What the tests need built and installed, and what to do if it is not there.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The built host of the profile these tests were built in.
#[must_use]
pub fn toolcell() -> PathBuf {
    let folder = profile_folder();
    existing(folder.join(format!("toolcell{}", env::consts::EXE_SUFFIX)))
}

/// The built embedding example.
#[must_use]
pub fn embed() -> PathBuf {
    existing(profile_folder().join(format!("embed{}", env::consts::EXE_SUFFIX)))
}

/// The built benchmark.
#[must_use]
pub fn bench() -> PathBuf {
    existing(profile_folder().join(format!("toolcell-bench{}", env::consts::EXE_SUFFIX)))
}

/// A first-party plugin as a component, by its folder in `plugins/`.
#[must_use]
pub fn plugin(name: &str) -> PathBuf {
    existing(target_folder().join("plugins").join(format!("{name}.wasm")))
}

/// A project of `examples/` as a component, by its name.
pub fn example(name: &str) -> PathBuf {
    existing(target_folder().join("examples").join(format!("{name}.wasm")))
}

/// A hostile guest as a component, by its file in `tests/guests/examples/`.
#[must_use]
pub fn guest(name: &str) -> PathBuf {
    existing(target_folder().join("guests").join(format!("{name}.wasm")))
}

/// A component that knows nothing of Toolcell, by its folder in `tests/foreign/`.
#[must_use]
pub fn foreign(name: &str) -> PathBuf {
    existing(target_folder().join("foreign").join(format!("{name}.wasm")))
}

/// An example of an SDK, `echo` or `todo`, by the name of its language.
#[must_use]
pub fn sdk_example(language: &str, name: &str) -> PathBuf {
    existing(target_folder().join("sdk-examples").join(language).join(format!("{name}.wasm")))
}

/// The folder with all first-party plugins.
#[must_use]
pub fn plugins() -> PathBuf {
    existing(target_folder().join("plugins"))
}

/// The folder with all hostile guests.
#[must_use]
pub fn guests() -> PathBuf {
    existing(target_folder().join("guests"))
}

/// `tests/clients` in the source tree.
#[must_use]
pub fn client_sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Where a client toolchain was installed: `node`, `js`, `oauth`, `python-mcp1`, `python-mcp2`,
/// `python-observers` or `rotel`.
///
/// # Panics
///
/// If it was not installed; the text says how.
#[must_use]
pub fn client(name: &str) -> PathBuf {
    let list = existing(target_folder().join("clients/paths"));
    let text = fs::read_to_string(&list).expect("the list of clients is readable");
    let paths: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    paths
        .get(name)
        .unwrap_or_else(|| panic!("{} does not say where {name} is; run `cargo xtask clients`", list.display()))
        .into()
}

/// The folder with the toolchains of guests, which all builds share.
#[must_use]
pub fn tools() -> PathBuf {
    env::var_os("TOOLCELL_TOOLS").map_or_else(|| target_folder().join("tools"), PathBuf::from)
}

/// A file that a test leaves behind for people to read, in `target`.
#[must_use]
pub fn report(name: &str) -> PathBuf {
    target_folder().join(name)
}

/// Such as `target/quick`: the test binary is in its `deps`.
fn profile_folder() -> PathBuf {
    let this = env::current_exe().expect("the test binary has a path");
    let deps = this.parent().expect("the test binary is in a folder");
    deps.parent().expect("deps is in the folder of a profile").to_owned()
}

fn target_folder() -> PathBuf {
    profile_folder().parent().expect("the folder of a profile is in target").to_owned()
}

fn existing(path: PathBuf) -> PathBuf {
    assert!(
        path.exists(),
        "{} is not there; `cargo xtask e2e` builds all that these tests need and runs them",
        path.display()
    );
    path
}
