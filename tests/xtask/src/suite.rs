//! The second command of the README: everything that must pass.

use std::error::Error;
use std::ffi::OsStr;
use std::thread;

use crate::clients::Clients;
use crate::run::{Outcome, print_times, run, step};
use crate::workspace::Workspace;
use crate::{clients, conformance, foreign, plugins, projects, sdk};

/// Part of the names of tests that measure time, and so run one by one when nothing else does.
const MEASURING: &str = "under_load";
/// Part of the names of tests that build projects for minutes; they have the machine for themselves.
const BUILDING: &str = "new_project";

pub const TEST_HELP: &str = "\
Builds the plugins and the host, installs the official clients (see `cargo xtask clients --help`), builds the examples of
the SDKs and the foreign components with toolchains of their own (`cargo xtask sdk --help`), then runs the unit
tests of the SDKs in their own languages, the unit and documentation tests of the host, the end-to-end tests and the conformance suite. All of it in the profile quick,
in which everything is compiled once.";

pub const E2E_HELP: &str = "\
Builds what `cargo xtask test` builds and runs the end-to-end tests. What follows goes to
the test binary: a part of a test's name, or options such as --list and --nocapture.";

/// Runs everything, and prints what took how long even if something failed.
pub fn test(workspace: &Workspace, _: &[String]) -> Outcome {
    let outcome = test_all(workspace);
    print_times();
    outcome
}

fn test_all(workspace: &Workspace) -> Outcome {
    let clients = prepare(workspace, &["--tests"], |clients| sdk::test(workspace, clients))?;
    step("unit and end-to-end tests", || {
        let skip = [MEASURING, BUILDING].into_iter().flat_map(|part| ["--skip", part]);
        run(workspace.quick("test").args(["--tests", "--no-fail-fast", "--"]).args(skip))
    })?;
    step("tests that measure time", || e2e_tests(workspace, &[MEASURING, "--test-threads=1"]))?;
    step("tests that build projects", || e2e_tests(workspace, &[BUILDING]))?;
    step("documentation tests", || run(workspace.quick("test").arg("--doc")))?;
    conformance::check(workspace, &clients, &[])
}

/// Runs the end-to-end tests only.
pub fn e2e(workspace: &Workspace, arguments: &[String]) -> Outcome {
    prepare(workspace, &["--test", "e2e"], |_| Ok(()))?;
    step("end-to-end tests", || e2e_tests(workspace, arguments))
}

fn e2e_tests(workspace: &Workspace, arguments: &[impl AsRef<OsStr>]) -> Outcome {
    run(workspace.quick("test").args(["--test", "e2e", "--"]).args(arguments))
}

/// Compiles the host, all other programs and these tests, and meanwhile builds the guests and does `more`: compiling keeps every
/// core busy to its end, guests in other languages wait for the network and use one core each.
fn prepare(workspace: &Workspace, tests: &[&str], more: impl FnOnce(&Clients) -> Outcome + Send) -> Outcome<Clients> {
    projects::builder(workspace, &projects::AUTHOR)?;
    projects::builder(workspace, &foreign::GO_BUILDER)?;
    thread::scope(|scope| {
        let guests = scope.spawn(|| {
            let clients = clients::install(workspace)?;
            plugins::build(workspace)?;
            sdk::build(workspace, &[])?;
            foreign::build(workspace)?;
            more(&clients)?;
            Ok::<_, Box<dyn Error + Send + Sync>>(clients)
        });
        step("host, embedding example and benchmark", || {
            run(workspace.quick("build").args(["--bin", "toolcell", "--bin", "embed", "--bin", "toolcell-bench"]))
        })?;
        step("compiling the tests", || run(workspace.quick("test").args(tests).arg("--no-run")))?;
        guests.join().map_err(|_| "preparing the guests panicked")?
    })
}
