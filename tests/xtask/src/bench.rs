//! The project's own benchmark.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use crate::run::{Outcome, run, step};
use crate::workspace::Workspace;
use crate::{clients, plugins, sdk};

pub const HELP: &str = "\
Prints calls per second of `tools/call` on an echo tool over HTTP: a bare hyper server, a native server on the
official Rust SDK, and Toolcell with a fresh cell per call. What follows is passed on to the benchmark. `bench languages`
compares plugins in Python and JavaScript with native servers on the official SDKs of these languages; with --require it
fails below the ratios that the project promises. `bench production` says what keys, quotas, audit and telemetry cost, `bench flood` how
much longer one caller waits while another floods the host, and `bench soak` calls for ten minutes (`--minutes`) while plugins, keys,
certificates, signing keys and the configuration change, checks every answer and watches the host's memory. All of it is built as it is
installed, in the profile `dist`, which takes longer than `release`.";

/// The profile in which the host is installed.
const PROFILE: &str = "dist";

/// Builds what it compares, all in the profile of what is installed, and runs it.
pub fn bench(workspace: &Workspace, arguments: &[String]) -> Outcome {
    if !workspace.has_package("tests/bench") {
        return Err("there is no benchmark in tests/bench".into());
    }
    plugins::build(workspace)?;
    step("host and benchmark", || {
        let mut cargo = workspace.cargo("build");
        cargo.args(["--profile", PROFILE, "--workspace", "--bin", "toolcell", "--bin", "toolcell-bench"]);
        run(&mut cargo)
    })?;
    let program = workspace.target.join(PROFILE).join(format!("toolcell-bench{EXE_SUFFIX}"));
    let mut bench = Command::new(program);
    bench.args(arguments).current_dir(&workspace.root);
    if arguments.first().is_some_and(|first| first == "languages") {
        sdk::build_some(workspace, &["python", "javascript"], &["echo"])?;
        let clients = clients::install(workspace)?;
        bench.arg("--python").arg(clients.python).arg("--node").arg(clients.node);
        bench.arg("--servers").arg(workspace.root.join("tests/bench/servers"));
        bench.arg("--js").arg(clients::bench_server(workspace)?);
    }
    run(&mut bench)
}
