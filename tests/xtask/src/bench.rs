//! The project's own benchmark.

use std::env::consts::EXE_SUFFIX;
use std::process::Command;

use crate::run::{Outcome, run, step};
use crate::workspace::Workspace;
use crate::{plugins, serve};

pub const HELP: &str = "\
Prints calls per second of `tools/call` on an echo tool over HTTP: a bare hyper server, a native server on the
official Rust SDK, and Toolcell with a fresh cell per call. What follows is passed on to the benchmark.";

/// Builds what it compares, in release, and runs it.
pub fn bench(workspace: &Workspace, arguments: &[String]) -> Outcome {
    if !workspace.has_package("tests/bench") {
        return Err("there is no benchmark in tests/bench".into());
    }
    plugins::build(workspace)?;
    step("host", || serve::build_host(workspace))?;
    step("benchmark", || run(workspace.release("build").args(["--bin", "toolcell-bench"])))?;
    let program = workspace.target.join("release").join(format!("toolcell-bench{EXE_SUFFIX}"));
    run(Command::new(program).args(arguments).current_dir(&workspace.root))
}
