//! `toolcell check`.

use super::{Check, say, source};
use crate::registry::{Plugin, Snapshot};
use std::process::ExitCode;

pub(super) async fn run(check: Check) -> anyhow::Result<ExitCode> {
    let Check { sources } = check;
    let found = sources.diagnose();
    for problem in &found.problems {
        say(problem)?;
    }
    let Some(plugins) = found.plugins else { return Ok(ExitCode::FAILURE) };
    let host = crate::Host::builder().engine(source::engine()).build().await?;
    let snapshot = host.load(&plugins).await;
    for problem in snapshot.problems() {
        say(&problem.to_string())?;
    }
    for plugin in snapshot.plugins() {
        say(&line(plugin))?;
    }
    let problems = found.problems.len() + snapshot.problems().len();
    say(&verdict(&snapshot, problems))?;
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(plugin: &Plugin) -> String {
    let mut text = format!("{}: {} tools", plugin.name(), plugin.tools.len());
    for gap in plugin.gaps() {
        text += &format!("\n  note: {gap}");
    }
    text
}

fn verdict(snapshot: &Snapshot, problems: usize) -> String {
    let (plugins, tools) = (snapshot.plugins().len(), snapshot.tools().len());
    match problems {
        0 => format!("all is well: {plugins} plugins, {tools} tools"),
        1 => format!("1 problem; {plugins} plugins and {tools} tools would be served"),
        n => format!("{n} problems; {plugins} plugins and {tools} tools would be served"),
    }
}
