//! Guests: built for `wasm32-wasip2` and put where the host, the examples and the tests expect them.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{Outcome, read, run, step};
use crate::workspace::{GUEST_TARGET, Workspace, write_if_changed};

pub const HELP: &str = "\
Builds plugins/* into target/plugins/NAME.wasm, examples/*-rust into target/examples/NAME.wasm and the hostile
guests of tests/guests into target/guests/NAME.wasm. Adds the compile target wasm32-wasip2 by rustup if it is not
there yet. A component whose bytes have not changed is left alone, so a running host does not reload it.";

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
    step("hostile guests", || {
        if !workspace.has_package("tests/guests") {
            return Ok(());
        }
        run(guest_build(workspace).args(["--package", "toolcell-guests", "--examples"]))?;
        let built = built_guests(workspace).join("examples");
        for name in guest_names(workspace)? {
            put(&built, &name, &workspace.target.join("guests"), &name)?;
        }
        Ok(())
    })
}

/// The hostile guests: one file each.
fn guest_names(workspace: &Workspace) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace.root.join("tests/guests/examples"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(stem) = path.file_stem()
        {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
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
