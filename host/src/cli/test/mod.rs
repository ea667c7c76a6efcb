//! `toolcell test`: what every plugin must do, whatever it is for.
//!
//! In reading order: `subject` (the plugin and how it is called), `looks` (checks of what it says of itself), `behaviour`
//! (checks that run it), `generate` (arguments from schemas), `report`.

mod behaviour;
mod generate;
mod looks;
mod report;
mod subject;

use super::heard::Listening;
use super::terminal::Paint;
use super::{project, say, source, tell};
use crate::registry::{PluginSpec, Source, plugin_name};
use anyhow::{Context, bail};
use clap::Args;
use report::{Check, Report, Verdict};
use serde_json::Value;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use subject::{Subject, Terms};
use toolcell_author::{Options, Project};

#[derive(Args)]
#[command(
    after_help = "It checks that the plugin loads, that its manifest, schemas and descriptions are complete and useful, that it
lists the same every time, that its errors say what to change, that no valid arguments crash it, that results fit their
schemas, that it stays within its limits, and that it wants nothing its manifest does not ask for. Arguments are made from
the schemas. Folders it asks for are empty ones made for the test; variables come from the project's toolcell.toml; no
network is granted, and no tool is called that says it is destructive or open to the world, unless --all is given.
A project is built first, and its own unit tests run last.

Examples:
  toolcell test                       The project in this folder
  toolcell test weather.wasm          A component
  toolcell test --all                 Call every tool, with the network the plugin asks for
  toolcell test --json | jq '.checks[] | select(.verdict == \"fail\")'

Exit codes: 0 nothing failed (there may be warnings), 1 a check failed, 2 it could not be tried."
)]
pub(super) struct Test {
    /// A project's folder, or a component
    #[arg(value_name = "DIR|FILE.wasm", default_value = ".")]
    target: PathBuf,

    /// Print one JSON object: `ok`, and for each check its `name`, `verdict` and `notes`
    #[arg(long)]
    json: bool,

    /// Call tools that are destructive or open to the world too, and grant the network that is asked for
    #[arg(long)]
    all: bool,

    /// Do not run the project's own unit tests
    #[arg(long)]
    no_unit: bool,

    /// Get toolchains that are missing into the project's .toolcell/tools
    #[arg(long)]
    get: bool,
}

pub(super) async fn run(test: Test, listening: Option<Listening>) -> anyhow::Result<ExitCode> {
    let Test { target, json, all, no_unit, get } = test;
    let listening = listening.context("the log cannot be heard")?;
    if !target.exists() {
        bail!("{} does not exist; give a project's folder or a .wasm file", target.display());
    }
    let out = Out { json, paint: Paint::stdout() };
    let mut report = Report::default();
    let project = if target.is_dir() { Some(Project::open(&target)?) } else { None };
    let spec = match &project {
        Some(project) => project::spec(project)?,
        None => PluginSpec::new(plugin_name(&target), Source::File(target.clone())),
    };
    let mut built = true;
    if let Some(project) = &project {
        let check = build(project, get).await?;
        built = check.verdict() != Verdict::Fail;
        out.show(&mut report, check)?;
    }
    if built {
        check(&spec, all, listening, &mut report, &out).await?;
    }
    if let Some(project) = project.filter(|_| built && !no_unit) {
        let check = unit_tests(&project).await?;
        out.show(&mut report, check)?;
    }
    if json {
        say(&serde_json::to_string_pretty(&report.json(&spec.name))?)?;
    } else {
        say(&report.verdict(out.paint))?;
    }
    Ok(if report.count(Verdict::Fail) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where each check is shown as soon as it is done.
struct Out {
    json: bool,
    paint: Paint,
}

impl Out {
    fn show(&self, report: &mut Report, check: Check) -> anyhow::Result<()> {
        if !self.json {
            say(&check.text(self.paint))?;
        }
        report.checks.push(check);
        Ok(())
    }
}

/// Runs all checks of a component.
async fn check(
    spec: &PluginSpec,
    all: bool,
    listening: Listening,
    report: &mut Report,
    out: &Out,
) -> anyhow::Result<()> {
    // Nothing is granted here; the checks grant what they need.
    let bare = PluginSpec { grant: crate::policy::Grant::default(), prefix: None, ..spec.clone() };
    let host = crate::Host::builder().engine(source::engine()).build().await?;
    let snapshot = host.load(std::slice::from_ref(&bare)).await;
    let mut problems: Vec<String> = snapshot.problems().iter().map(|problem| problem.message.clone()).collect();
    let [plugin] = snapshot.plugins() else {
        if problems.is_empty() {
            problems.push("nothing was loaded".to_owned());
        }
        let mut check = Check::new("loads", "a host leaves out what it cannot load");
        problems.into_iter().for_each(|problem| check.fail(problem, ""));
        return out.show(report, check);
    };
    let terms = Terms { all, limits: spec.limits.clone(), env: spec.grant.env.clone() };
    let mut subject = Subject::new(Arc::clone(plugin), problems, &terms, listening)?;
    for look in
        [looks::loads, looks::manifest_of, looks::schemas, looks::examples, looks::descriptions, looks::annotations]
    {
        out.show(report, look(&subject))?;
    }
    let mut slowest_list = 0;
    out.show(report, behaviour::deterministic(&mut subject, &mut slowest_list).await)?;
    out.show(report, behaviour::errors(&mut subject).await)?;
    out.show(report, behaviour::edges(&mut subject).await)?;
    out.show(report, behaviour::output(&subject))?;
    out.show(report, behaviour::limits(&subject, slowest_list))?;
    out.show(report, behaviour::access(&subject))
}

async fn build(project: &Project, get_tools: bool) -> anyhow::Result<Check> {
    let mut check = Check::new("builds", "there is nothing to test otherwise");
    let options = Options { get_tools, ..Options::default() };
    match project::build(project, &options, |said| step(&said)).await? {
        Ok(built) => {
            check.summary = format!("{} in {:.1} s", super::terminal::bytes(built.bytes), built.took.as_secs_f64());
        }
        // Without its toolchain it is not the project that fails.
        Err(error @ toolcell_author::Error::Missing(_)) => return Err(error.into()),
        Err(error) => check.fail(error.to_string(), ""),
    }
    Ok(check)
}

async fn unit_tests(project: &Project) -> anyhow::Result<Check> {
    let mut check = Check::new("unit-tests", "the project's own tests");
    let mut said = Vec::new();
    let ran = project::unit_tests(project, |report| {
        step(&report);
        if let toolcell_author::Report::Output(line) = report {
            said.push(line);
        }
    });
    match ran.await? {
        Ok(Some(command)) => check.summary = command,
        Ok(None) => check.skip(format!("none that are known for {}", project.language)),
        Err(error) => {
            let from = said.len().saturating_sub(40);
            let last = said.get(from..).unwrap_or_default().join("\n");
            let text = if last.is_empty() { error.to_string() } else { last };
            check.fail(text, "mend what fails; --no-unit leaves them out");
        }
    }
    Ok(check)
}

/// What is being done; what the tools say is only shown if they fail.
fn step(said: &toolcell_author::Report) {
    if let toolcell_author::Report::Step(step) = said {
        tell(&Paint::stderr().faint(step));
    }
}

/// Values that fit a schema, for a message that shows how to write them.
pub(super) fn example(schema: &Value) -> Option<Value> {
    generate::Maker::new(schema).full()
}
