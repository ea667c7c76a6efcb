//! The second command of the README: everything that must pass.

use std::thread;

use crate::clients::Clients;
use crate::run::{Outcome, print_times, run, step};
use crate::workspace::Workspace;
use crate::{clients, conformance, plugins, serve};

/// Part of the name of tests that measure time, and so run when nothing else does.
const ALONE: &str = "under_load";

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
    let clients = prepare(workspace)?;
    step("unit and end-to-end tests", || {
        run(workspace.release("test").args(["--tests", "--no-fail-fast", "--", "--skip", ALONE]))
    })?;
    step("tests that measure time", || run(workspace.release("test").args(["--test", "e2e", "--", ALONE])))?;
    step("documentation tests", || run(workspace.release("test").arg("--doc")))?;
    conformance::check(workspace, &clients, &[])
}

/// Runs the end-to-end tests only.
pub fn e2e(workspace: &Workspace, arguments: &[String]) -> Outcome {
    prepare(workspace)?;
    step("end-to-end tests", || run(workspace.release("test").args(["--test", "e2e", "--"]).args(arguments)))
}

/// Compiles, and downloads meanwhile: the one waits for the processor, the other for the network.
fn prepare(workspace: &Workspace) -> Outcome<Clients> {
    thread::scope(|scope| {
        let clients = scope.spawn(|| clients::install(workspace));
        plugins::build(workspace)?;
        step("host", || serve::build_host(workspace))?;
        step("embedding example", || run(workspace.release("build").args(["--bin", "embed"])))?;
        clients.join().map_err(|_| "installing the clients panicked")?
    })
}
