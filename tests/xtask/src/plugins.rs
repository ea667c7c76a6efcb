//! Guests: Rust ones built for `wasm32-wasip2`, others by their language's builder, and put where the host, the examples and the
//! tests expect them.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::projects;
use crate::run::{Outcome, read, run, step};
use crate::workspace::{GUEST_TARGET, Workspace, write_if_changed};

pub const HELP: &str = "\
Builds plugins/* into target/plugins/NAME.wasm, examples/*-rust and examples with a plugin.toml into
target/examples/NAME.wasm and the hostile guests of tests/guests into target/guests/NAME.wasm. Adds the compile target
wasm32-wasip2 by rustup if it is not there yet, and gets the toolchains of other languages into target/tools. A
component whose bytes have not changed is left alone, so a running host does not reload it; one in another language
than Rust is not even built if nothing it is made of has changed.";

/// Builds every guest and copies the components.
pub fn build(workspace: &Workspace) -> Outcome {
    step("guests' compile target", || ensure_target(workspace))?;
    step("plugins", || {
        let plugins = workspace.packages_in("plugins")?;
        let mut examples = workspace.packages_in("examples")?;
        examples.retain(|name| name.ends_with("-rust"));
        let packages: Vec<String> =
            plugins.iter().map(|name| format!("plugin-{name}")).chain(examples.clone()).collect();
        if packages.is_empty() {
            return Ok(());
        }
        let mut cargo = guest_build(workspace);
        cargo.arg("--lib");
        for package in &packages {
            cargo.args(["--package", package]);
        }
        run(&mut cargo)?;
        let built = built_guests(workspace);
        for name in &plugins {
            put(&built, &format!("plugin-{name}"), &workspace.target.join("plugins"), name)?;
        }
        for name in &examples {
            put(&built, name, &workspace.target.join("examples"), name)?;
        }
        Ok(())
    })?;
    step("plugins in other languages", || {
        for folder in ["plugins", "examples"] {
            for name in projects::projects_in(workspace, folder)? {
                let to = workspace.target.join(folder).join(format!("{name}.wasm"));
                projects::build(workspace, &format!("{folder}/{name}"), &to)?;
            }
        }
        Ok(())
    })?;
    step("hostile guests", || {
        if !workspace.has_package("tests/guests") {
            return Ok(());
        }
        examples_of(workspace, "toolcell-guests", "tests/guests", "guests")
    })
}

/// Builds the examples of a package that are components, and puts them into `target/TO`.
pub fn examples_of(workspace: &Workspace, package: &str, folder: &str, to: &str) -> Outcome {
    run(guest_build(workspace).args(["--package", package, "--examples"]))?;
    let built = built_guests(workspace).join("examples");
    for name in example_names(workspace, folder)? {
        put(&built, &name, &workspace.target.join(to), &name)?;
    }
    Ok(())
}

/// Builds the component of one package and puts it at `to`.
pub fn package(workspace: &Workspace, package: &str, to: &Path) -> Outcome {
    run(guest_build(workspace).args(["--lib", "--package", package]))?;
    let folder = to.parent().ok_or("a file without a folder")?;
    put(&built_guests(workspace), package, folder, &to.file_stem().unwrap_or_default().to_string_lossy())
}

/// The examples that a package's `Cargo.toml` names.
fn example_names(workspace: &Workspace, folder: &str) -> Outcome<Vec<String>> {
    let manifest = fs::read_to_string(workspace.root.join(folder).join("Cargo.toml"))?;
    let examples = manifest.split("[[example]]").skip(1);
    let name = |example: &str| Some(example.split_once("name = \"")?.1.split_once('"')?.0.to_owned());
    Ok(examples.filter_map(name).collect())
}

fn guest_build(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--profile", "plugin", "--target", GUEST_TARGET]);
    cargo
}

fn built_guests(workspace: &Workspace) -> std::path::PathBuf {
    workspace.target.join(GUEST_TARGET).join("plugin")
}

fn put(built: &Path, package: &str, folder: &Path, name: &str) -> Outcome {
    let from = built.join(format!("{}.wasm", package.replace('-', "_")));
    let bytes = fs::read(&from).map_err(|why| {
        format!("{package} was built, but {} cannot be read: {why}; is its crate-type cdylib?", from.display())
    })?;
    let to = folder.join(format!("{name}.wasm"));
    if write_if_changed(&to, &bytes)? {
        eprintln!("    {} ({} KiB)", to.display(), bytes.len() / 1024);
    }
    Ok(())
}

/// Adds the guests' compile target unless the compiler has it. A `rust-toolchain.toml` fetches it only where rustup
/// may install things on its own.
fn ensure_target(workspace: &Workspace) -> Outcome {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let library = read(Command::new(rustc).current_dir(&workspace.root).args([
        "--print",
        "target-libdir",
        "--target",
        GUEST_TARGET,
    ]))?;
    if fs::read_dir(&library).is_ok_and(|mut entries| entries.next().is_some()) {
        return Ok(());
    }
    let toolchain = match env::var("RUSTUP_TOOLCHAIN") {
        Ok(toolchain) => toolchain,
        Err(_) => pinned_channel(workspace)?,
    };
    run(Command::new("rustup").args(["target", "add", "--toolchain", &toolchain, GUEST_TARGET])).map_err(|why| {
        format!("{why}; the compiler has no {GUEST_TARGET}: install it with rustup, or with your system's packages")
            .into()
    })
}

fn pinned_channel(workspace: &Workspace) -> Outcome<String> {
    let text = fs::read_to_string(workspace.root.join("rust-toolchain.toml"))?;
    let channel = text
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .ok_or("rust-toolchain.toml has no line `channel = \"…\"`")?;
    Ok(channel.trim_matches('"').to_owned())
}
