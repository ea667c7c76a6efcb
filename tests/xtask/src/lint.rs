//! The gates that need no running host. What else a tidy tree needs (sizes, layers, words) is checked by tests.

use crate::run::{Outcome, run, step};
use crate::workspace::Workspace;

pub const HELP: &str = "\
cargo fmt --all --check, then clippy over the whole workspace and all its targets with every warning refused.";

/// Runs the gates.
pub fn lint(workspace: &Workspace, _: &[String]) -> Outcome {
    step("formatting", || run(workspace.cargo("fmt").args(["--all", "--check"])))?;
    step("clippy", || {
        // In the profile of the build, so that build scripts and macros are compiled once for both.
        run(workspace.quick("clippy").args(["--all-targets", "--", "-D", "warnings"]))
    })
}
