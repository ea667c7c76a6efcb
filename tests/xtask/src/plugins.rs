//! Guests: Rust ones built for `wasm32-wasip2`, others by their language's builder, and put where the host, the examples and the
//! tests expect them.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{Outcome, read, run, step};
use crate::workspace::{GUEST_TARGET, Workspace, write_if_changed};
use crate::{projects, sdk};

pub const HELP: &str = "\
Builds plugins/* into target/plugins/NAME.wasm, examples/*-rust and examples with a plugin.toml into
target/examples/NAME.wasm, the hostile guests of tests/guests into target/guests/NAME.wasm and the foreign components in
Rust into target/foreign/NAME.wasm. Adds the compile target wasm32-wasip2 by rustup if it is not there yet, and gets the
toolchains of other languages into target/tools. A
component whose bytes have not changed is left alone, so a running host does not reload it; one in another language
than Rust is not even built if nothing it is made of has changed.";

/// Packages whose examples are components, by their folder and by where in `target` they are put.
const EXAMPLES: [(&str, &str, &str); 2] =
    [("toolcell-guests", "tests/guests", "guests"), ("toolcell-foreign", "tests/foreign", "foreign")];

/// Builds the guests in Rust and the plugins in other languages, and copies the components.
pub fn build(workspace: &Workspace) -> Outcome {
    rust(workspace)?;
    step("plugins in other languages", || {
        for folder in ["plugins", "examples"] {
            for name in projects::projects_in(workspace, folder)? {
                let to = workspace.target.join(folder).join(format!("{name}.wasm"));
                projects::build(workspace, &format!("{folder}/{name}"), &to)?;
            }
        }
        Ok(())
    })
}

/// Builds every guest in Rust and copies the components. All in one go, whichever are wanted: cargo joins the features of what it
/// is asked to build, so another selection would compile what they share once more.
pub fn rust(workspace: &Workspace) -> Outcome {
    step("guests' compile target", || ensure_target(workspace))?;
    step("guests in Rust", || {
        let plugins = workspace.packages_in("plugins")?;
        let mut examples = workspace.packages_in("examples")?;
        examples.retain(|name| name.ends_with("-rust"));
        let others: Vec<_> = EXAMPLES.iter().filter(|(_, folder, _)| workspace.has_package(folder)).collect();
        let mut cargo = workspace.cargo("build");
        cargo.args(["--profile", "plugin", "--target", GUEST_TARGET, "--lib", "--examples"]);
        for name in &plugins {
            cargo.args(["--package", &format!("plugin-{name}")]);
        }
        for package in examples.iter().map(String::as_str).chain(others.iter().map(|(package, ..)| *package)) {
            cargo.args(["--package", package]);
        }
        run(&mut cargo)?;
        let built = workspace.target.join(GUEST_TARGET).join("plugin");
        let into = |folder: &str| workspace.target.join(folder);
        for name in &plugins {
            put(&built, &format!("plugin-{name}"), &into("plugins"), name)?;
        }
        for name in &examples {
            put(&built, name, &into("examples"), name)?;
        }
        for (name, package) in sdk::RUST_EXAMPLES {
            put(&built, package, &into("sdk-examples/rust"), name)?;
        }
        for (_, folder, to) in others {
            for name in example_names(workspace, folder)? {
                put(&built.join("examples"), &name, &into(to), &name)?;
            }
        }
        Ok(())
    })
}

/// The examples that a package's `Cargo.toml` names.
fn example_names(workspace: &Workspace, folder: &str) -> Outcome<Vec<String>> {
    let manifest = fs::read_to_string(workspace.root.join(folder).join("Cargo.toml"))?;
    let examples = manifest.split("[[example]]").skip(1);
    let name = |example: &str| Some(example.split_once("name = \"")?.1.split_once('"')?.0.to_owned());
    Ok(examples.filter_map(name).collect())
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
