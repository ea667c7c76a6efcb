//! The project's own benchmark.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use crate::run::{Outcome, run, step};
use crate::workspace::Workspace;
use crate::{clients, plugins, sdk, serve};

pub const HELP: &str = "\
Prints calls per second of `tools/call` on an echo tool over HTTP: a bare hyper server, a native server on the
official Rust SDK, and Toolcell with a fresh cell per call. What follows is passed on to the benchmark. `bench languages`
compares plugins in Python and JavaScript with native servers on the official SDKs of these languages; with --require it
fails below the ratios that the project promises.";

/// Builds what it compares, in release, and runs it.
pub fn bench(workspace: &Workspace, arguments: &[String]) -> Outcome {
    if !workspace.has_package("tests/bench") {
        return Err("there is no benchmark in tests/bench".into());
    }
    plugins::build(workspace)?;
    step("host", || serve::build_host(workspace))?;
    step("benchmark", || run(workspace.release("build").args(["--bin", "toolcell-bench"])))?;
    let program = workspace.target.join("release").join(format!("toolcell-bench{EXE_SUFFIX}"));
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
