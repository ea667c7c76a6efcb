//! `toolcell build`.

use super::terminal::{Paint, bytes};
use super::{inspect, project, say, source, tell};
use crate::registry::{Plugin, PluginSpec, Snapshot, Source};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use toolcell_author::{Built, Error, Options, Project, Report};

#[derive(Args)]
#[command(
    after_help = "The folder's plugin.toml (for Rust, Cargo.toml) says what to build; the component goes to build/NAME.wasm and is
loaded once to see that it works. Toolchains are found on PATH, in .toolcell/tools and in the folder that TOOLCELL_TOOLS
names.

Examples:
  toolcell build                 The project in this folder
  toolcell build --get weather   Another one, getting what is missing
  toolcell build --json | jq -r .component

Exit codes: 0 it was built and loads; 1 a compiler said no, or what it made does not load; 2 it could not be tried: no
project, or a tool is missing."
)]
pub(super) struct Build {
    /// The project's folder
    #[arg(default_value = ".")]
    dir: PathBuf,

    /// Get toolchains that are missing, into the project's .toolcell/tools or TOOLCELL_TOOLS
    #[arg(long)]
    get: bool,

    /// Build for debugging: names and lines in stack traces, larger and slower
    #[arg(long)]
    debug: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(build: Build) -> anyhow::Result<ExitCode> {
    let Build { dir, get, debug, json } = build;
    let project = Project::open(&dir)?;
    let options = Options { get_tools: get, debug, ..Options::default() };
    let built = match project::build(&project, &options, show).await? {
        Ok(built) => built,
        // Nothing was tried yet.
        Err(error @ (Error::Missing(_) | Error::Project { .. })) => return Err(error.into()),
        Err(error) => {
            tell(&format!("{}: {error}", Paint::stderr().bad("error")));
            return Ok(ExitCode::FAILURE);
        }
    };
    let spec = PluginSpec::new(project.name.clone(), Source::File(built.component.clone()));
    let host = crate::Host::builder().engine(source::engine()).build().await?;
    let snapshot = host.load(&[spec]).await;
    let Some(plugin) = snapshot.plugins().first() else {
        let why = snapshot.problems().first().map_or("nothing was loaded", |problem| problem.message.as_str());
        tell(&format!("error: {} was built and does not load: {why}", built.component.display()));
        return Ok(ExitCode::FAILURE);
    };
    say(&if json { as_json(&project, &built, plugin, &snapshot)? } else { as_text(&built, plugin, &snapshot) })?;
    Ok(ExitCode::SUCCESS)
}

fn show(report: Report) {
    match report {
        Report::Step(step) => tell(&step),
        Report::Output(line) => tell(&format!("  {}", Paint::stderr().faint(&line))),
    }
}

fn as_text(built: &Built, plugin: &Plugin, snapshot: &Snapshot) -> String {
    let paint = Paint::stdout();
    let component = paint.strong(&built.component.display().to_string());
    let mut text = format!("{component} ({}) in {:.1} s\n", bytes(built.bytes), built.took.as_secs_f64());
    for (what, names) in offers(plugin) {
        if !names.is_empty() {
            text += &format!("  {what:<10}{}\n", names.join(", "));
        }
    }
    for finding in inspect::findings(plugin, snapshot) {
        text += &format!("  {}: {finding}\n", paint.doubtful("note"));
    }
    text
}

fn as_json(project: &Project, built: &Built, plugin: &Plugin, snapshot: &Snapshot) -> anyhow::Result<String> {
    let mut told = json!({
        "component": built.component,
        "bytes": built.bytes,
        "milliseconds": u64::try_from(built.took.as_millis()).unwrap_or(u64::MAX),
        "name": project.name,
        "version": project.version,
        "language": project.language.as_str(),
        "digest": plugin.digest.to_string(),
        "findings": inspect::findings(plugin, snapshot),
    });
    if let Some(told) = told.as_object_mut() {
        told.extend(offers(plugin).map(|(what, names)| (what.to_owned(), json!(names))));
    }
    Ok(serde_json::to_string_pretty(&told)?)
}

/// The names of what it offers, by kind.
fn offers(plugin: &Plugin) -> [(&'static str, Vec<&str>); 4] {
    let offers = &plugin.offers;
    [
        ("tools", offers.tools.iter().map(|tool| tool.name.as_str()).collect()),
        ("resources", offers.resources.iter().map(|resource| resource.info.uri.as_str()).collect()),
        ("templates", offers.templates.iter().map(|template| template.template.uri_template.as_str()).collect()),
        ("prompts", offers.prompts.iter().map(|prompt| prompt.name.as_str()).collect()),
    ]
}
