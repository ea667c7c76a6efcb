//! The second command of the README: everything that must pass.

use std::process::Command;
use std::thread;

use crate::clients::Clients;
use crate::run::{Outcome, print_times, run, step};
use crate::workspace::Workspace;
use crate::{clients, conformance, plugins, serve};

pub const TEST_HELP: &str = "\
Builds the plugins and the host, installs the official clients (see `cargo xtask clients --help`), then runs the unit
and documentation tests, the end-to-end tests and the conformance suite. All of it in release: the host is compiled
once, and what is tested is what is shipped.";

pub const E2E_HELP: &str = "\
Builds the plugins and the host, installs the official clients and runs the end-to-end tests. What follows goes to
the test binary: a part of a test's name, or options such as --list and --nocapture.";

/// Runs everything, and prints what took how long even if something failed.
pub fn test(workspace: &Workspace, _: &[String]) -> Outcome {
    let outcome = test_all(workspace);
    print_times();
    outcome
}

fn test_all(workspace: &Workspace) -> Outcome {
    let clients = prepare(workspace, &workspace_tests(workspace))?;
    step("unit and documentation tests", || run(&mut workspace_tests(workspace)))?;
    step("end-to-end tests", || run(&mut e2e_tests(workspace)))?;
    conformance::check(workspace, &clients, &[])
}

/// Runs the end-to-end tests only.
pub fn e2e(workspace: &Workspace, arguments: &[String]) -> Outcome {
    prepare(workspace, &e2e_tests(workspace))?;
    step("end-to-end tests", || run(e2e_tests(workspace).arg("--").args(arguments)))
}

/// Compiles, and downloads meanwhile: the one waits for the processor, the other for the network.
fn prepare(workspace: &Workspace, tests: &Command) -> Outcome<Clients> {
    thread::scope(|scope| {
        let clients = scope.spawn(|| clients::install(workspace));
        plugins::build(workspace)?;
        step("host", || serve::build_host(workspace))?;
        step("tests", || {
            let mut build = Command::new(tests.get_program());
            build.args(tests.get_args()).arg("--no-run").current_dir(&workspace.root);
            run(&mut build)
        })?;
        clients.join().map_err(|_| "installing the clients panicked")?
    })
}

/// Guests compile to components only, so they have no tests of their own here.
fn workspace_tests(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo("test");
    cargo.args(["--release", "--workspace", "--exclude", "toolcell-tests", "--exclude", "toolcell-guests"]);
    cargo
}

fn e2e_tests(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo("test");
    cargo.args(["--release", "--package", "toolcell-tests"]);
    cargo
}
