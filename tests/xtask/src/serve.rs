//! The first command of the README.

use std::process::Command;

use crate::plugins;
use crate::run::{Outcome, run, step};
use crate::workspace::Workspace;

pub const HELP: &str = "\
Builds the plugins and the host, then becomes `toolcell serve --config examples/toolcell.toml --http 127.0.0.1:8080`.
What follows is passed on to `toolcell serve`; a --config or an --http of your own takes the place of the default.";

/// Builds what is needed and serves until it is stopped.
pub fn serve(workspace: &Workspace, arguments: &[String]) -> Outcome {
    plugins::build(workspace)?;
    step("host", || build_host(workspace))?;
    let mut host = Command::new(workspace.program("toolcell"));
    host.arg("serve").current_dir(&workspace.root);
    for (option, default) in [("--config", "examples/toolcell.toml"), ("--http", "127.0.0.1:8080")] {
        if !given(arguments, option) {
            host.args([option, default]);
        }
    }
    host.args(arguments);
    become_it(host)
}

/// Builds the host.
pub fn build_host(workspace: &Workspace) -> Outcome {
    run(workspace.quick("build").args(["--bin", "toolcell"]))
}

fn given(arguments: &[String], option: &str) -> bool {
    arguments
        .iter()
        .any(|argument| argument.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
}

#[cfg(unix)]
fn become_it(mut host: Command) -> Outcome {
    use std::os::unix::process::CommandExt as _;
    // Signals and the terminal then reach the host itself.
    Err(format!("cannot start the host: {}", host.exec()).into())
}

#[cfg(not(unix))]
fn become_it(mut host: Command) -> Outcome {
    let status = host.status()?;
    std::process::exit(status.code().unwrap_or(1))
}
