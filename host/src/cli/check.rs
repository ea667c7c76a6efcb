//! `toolcell check`.

use super::source::Sources;
use super::terminal::Paint;
use super::{connect, say, source};
use crate::registry::{Offers, Plugin, Snapshot};
use clap::Args;
use serde_json::{Value, json};
use std::process::ExitCode;

#[derive(Args)]
#[command(after_help = "Examples:
  toolcell check                              ./toolcell.toml
  toolcell check --config production.toml
  toolcell check plugins/                     A folder of components
  toolcell check --json | jq -r '.problems[]'

Exit codes: 0 all is well, 1 there are problems, 2 it could not be tried.")]
pub(super) struct Check {
    #[command(flatten)]
    sources: Sources,

    /// Print one JSON object: `ok`, `problems`, `plugins`
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(check: Check) -> anyhow::Result<ExitCode> {
    let Check { sources, json } = check;
    let found = sources.diagnose();
    let mut problems = found.problems;
    let snapshot = match &found.plugins {
        Some(plugins) => Some(crate::Host::builder().engine(source::engine()).build().await?.load(plugins).await),
        None => None,
    };
    problems.extend(snapshot.iter().flat_map(|snapshot| snapshot.problems()).map(ToString::to_string));
    if json {
        let plugins: Vec<Value> =
            snapshot.iter().flat_map(|snapshot| snapshot.plugins()).map(|plugin| as_json(plugin)).collect();
        say(&serde_json::to_string_pretty(
            &json!({"ok": problems.is_empty(), "problems": problems, "plugins": plugins}),
        )?)?;
    } else {
        let paint = Paint::stdout();
        problems.iter().try_for_each(|problem| say(&format!("{} {problem}", paint.bad("error:"))))?;
        if let Some(snapshot) = &snapshot {
            snapshot.plugins().iter().try_for_each(|plugin| say(&line(plugin, paint)))?;
            say(&verdict(snapshot, problems.len(), paint))?;
        }
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn as_json(plugin: &Plugin) -> Value {
    let Offers { tools, resources, templates, prompts, .. } = &plugin.offers;
    let notes: Vec<String> = plugin.gaps().iter().map(ToString::to_string).collect();
    let tools: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    json!({
        "name": plugin.name(), "file": plugin.file, "digest": plugin.digest.to_string(),
        "version": plugin.manifest.version, "tools": tools, "resources": resources.len(),
        "resourceTemplates": templates.len(), "prompts": prompts.len(), "notes": notes,
    })
}

fn line(plugin: &Plugin, paint: Paint) -> String {
    let Offers { tools, resources, templates, prompts, .. } = &plugin.offers;
    let mut text = format!("{}: {} tools", plugin.name(), tools.len());
    let others = [(resources.len(), "resources"), (templates.len(), "resource templates"), (prompts.len(), "prompts")];
    for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
        text += &format!(", {count} {what}");
    }
    for gap in plugin.gaps() {
        text += &format!("\n  {} {gap}", paint.doubtful("note:"));
    }
    text
}

fn verdict(snapshot: &Snapshot, problems: usize, paint: Paint) -> String {
    let (plugins, offers) = (snapshot.plugins().len(), connect::counts(snapshot));
    match problems {
        0 => format!("{}: {plugins} plugins, {offers}", paint.good("all is well")),
        1 => format!("1 problem; {plugins} plugins and {offers} would be served"),
        n => format!("{n} problems; {plugins} plugins and {offers} would be served"),
    }
}
