//! `toolcell check`.

use super::{Check, connect, say, source};
use crate::registry::{Offers, Plugin, Snapshot};
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
    let Offers { tools, resources, templates, prompts, .. } = &plugin.offers;
    let mut text = format!("{}: {} tools", plugin.name(), tools.len());
    let others = [(resources.len(), "resources"), (templates.len(), "resource templates"), (prompts.len(), "prompts")];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        text += &format!(", {count} {what}");
    }
    for gap in plugin.gaps() {
        text += &format!("\n  note: {gap}");
    }
    text
}

fn verdict(snapshot: &Snapshot, problems: usize) -> String {
    let (plugins, offers) = (snapshot.plugins().len(), connect::counts(snapshot));
    match problems {
        0 => format!("all is well: {plugins} plugins, {offers}"),
        1 => format!("1 problem; {plugins} plugins and {offers} would be served"),
        n => format!("{n} problems; {plugins} plugins and {offers} would be served"),
    }
}
