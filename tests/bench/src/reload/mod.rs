//! A plugin is replaced again and again while calls come in on schedule: does one fail, and how soon does the new
//! version answer?
//!
//! Open loop: every connection sends its calls at fixed times. A call that is late because an earlier one took long is
//! still sent and its latency counts from the time it was due, so a pause of the host cannot hide.

pub mod load;
pub mod plugin;
mod report;
pub mod verdict;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout_at};

use crate::process::{Endpoint, Server};
use load::{Answer, Load};
use plugin::{Folder, Version};
pub use report::Report;
use verdict::Verdict;

/// Long enough to see that the load runs before anything is replaced.
const LEAD: Duration = Duration::from_secs(1);
/// A version that has not answered by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to measure.
pub struct Plan {
    /// Calls per second.
    pub rate: u32,
    pub connections: usize,
    pub replacements: usize,
    /// Load between the new version's first answer and the next replacement.
    pub settle: Duration,
    /// Load before the first and after the last replacement.
    lead: Duration,
    /// How long a new version may take to answer at all.
    patience: Duration,
}

impl Plan {
    /// # Errors
    /// When a number makes no sense.
    pub fn new(rate: u32, connections: usize, replacements: usize, settle: Duration) -> Result<Self> {
        if rate == 0 || !(1..=64).contains(&connections) || replacements == 0 {
            bail!("choose at least one call a second, 1 to 64 connections and at least one replacement");
        }
        Ok(Self { rate, connections, replacements, settle, lead: LEAD, patience: PATIENCE })
    }
}

/// Starts the host on a folder with the first version, loads it and replaces the plugin.
///
/// # Errors
/// When the host does not start or a new version does not come to answer. Failed calls are in the report instead.
pub fn run(plan: &Plan, program: &Path, guests: &Path) -> Result<Report> {
    if !program.is_file() {
        bail!("{} is missing; build the host (release) first", program.display());
    }
    let mut folder = Folder::new(guests, plan.replacements)?;
    let server =
        Server::start(Command::new(program).arg("serve").arg(folder.watched()).args(["--http", "127.0.0.1:0"]))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime
        .block_on(replace_under_load(plan, server.endpoint(), &mut folder))
        .with_context(|| format!("the host's last lines:\n{}", server.log_tail()))
}

async fn replace_under_load(plan: &Plan, endpoint: &Endpoint, folder: &mut Folder) -> Result<Report> {
    let mut verdict = Verdict::new(folder.current());
    let (load, mut answers) = Load::start(plan, endpoint).await?;
    let started = Instant::now();
    watch_until(started + plan.lead, &mut answers, &mut verdict).await?;
    for number in 1..=plan.replacements {
        let next = folder.current().other();
        verdict.replaced(Instant::now(), next);
        folder.replace()?;
        let took = watch_for(next, plan.patience, &mut answers, &mut verdict).await?;
        eprintln!(
            "replacement {number}/{}: {next} answers after {:.0} ms",
            plan.replacements,
            took.as_secs_f64() * 1e3
        );
        watch_until(Instant::now() + plan.settle, &mut answers, &mut verdict).await?;
    }
    watch_until(Instant::now() + plan.lead, &mut answers, &mut verdict).await?;
    load.stop();
    let stopped = Instant::now();
    while let Some(answer) = answers.recv().await {
        verdict.observe(&answer);
    }
    Ok(Report::new(plan, verdict, stopped - started))
}

/// Takes answers until the version just put in place gives one; how long after the replacement that was.
async fn watch_for(
    version: Version,
    patience: Duration,
    answers: &mut Receiver<Answer>,
    verdict: &mut Verdict,
) -> Result<Duration> {
    let limit = Instant::now() + patience;
    loop {
        let answer = timeout_at(limit, answers.recv()).await;
        let Ok(Some(answer)) = answer else {
            let failed =
                verdict.failures().first().map_or_else(String::new, |first| format!("; first failure: {first}"));
            bail!("{version} did not answer within {} s{failed}", patience.as_secs_f64());
        };
        if let Some(took) = verdict.observe(&answer) {
            return Ok(took);
        }
    }
}

/// Takes answers until a time has come.
async fn watch_until(until: Instant, answers: &mut Receiver<Answer>, verdict: &mut Verdict) -> Result<()> {
    while let Ok(answer) = timeout_at(until, answers.recv()).await {
        verdict.observe(&answer.context("the load ended early")?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
