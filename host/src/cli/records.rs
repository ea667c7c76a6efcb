//! `toolcell audit` and `toolcell usage`: what was written down, read again.

use super::production;
use super::say;
use crate::config;
use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use toolcell_telemetry::audit::{Expect, verify};
use toolcell_telemetry::usage::{self, By};

#[derive(Args)]
#[command(after_help = "Examples:
  toolcell audit verify                              The log that [audit] in ./toolcell.toml names
  toolcell audit verify --dir /var/log/toolcell      Another one
  toolcell audit verify --expect-head 9f2c…          Also: has its end been cut off since that hash was kept?

Every line holds the hash of the one before. A line that was changed, removed or added shows, and so does a missing file; that
the end was cut off shows only against a hash that was kept elsewhere. Without a key, whoever can write the folder can write
the whole chain anew: set `key` under [audit].

Exit codes: 0 it is whole, 1 it is not, 2 it could not be read.")]
pub(super) struct AuditCommand {
    #[command(subcommand)]
    action: AuditAction,
}

#[derive(Subcommand)]
enum AuditAction {
    /// Check the chain of hashes from the first line to the last
    Verify {
        /// The folder of the log; instead of `[audit] dir`
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// The file of the key it was written with; instead of `[audit] key`
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// A hash that was its last one once
        #[arg(long, value_name = "HASH")]
        expect_head: Option<String>,
        /// The configuration to use instead of ./toolcell.toml
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
#[command(after_help = "Examples:
  toolcell usage                              What each caller's calls have cost
  toolcell usage --by tool --since 2026-11-01
  toolcell usage --by day --json

Set `usage` under [telemetry] in toolcell.toml to have it kept.

Exit codes: 0 it was printed, 2 it could not be read.")]
pub(super) struct UsageCommand {
    /// What is added up
    #[arg(long, value_enum, default_value = "principal")]
    by: ByWord,
    /// The first day, as 2026-11-23. Default is all that is kept
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    /// The folder; instead of `[telemetry] usage`
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The configuration to use instead of ./toolcell.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ByWord {
    Principal,
    Plugin,
    Tool,
    Day,
}

fn read(config: Option<PathBuf>) -> anyhow::Result<config::Config> {
    let file = config.unwrap_or_else(|| PathBuf::from("toolcell.toml"));
    Ok(config::load(&file, &|name| std::env::var(name).ok())?)
}

pub(super) fn audit(command: AuditCommand) -> anyhow::Result<ExitCode> {
    let AuditAction::Verify { dir, key, expect_head, config, json } = command.action;
    let (dir, key) = match dir {
        Some(dir) => (dir, key),
        None => {
            let Some(settings) = read(config)?.records.audit else {
                bail!("no log is named; give --dir DIR, or add to toolcell.toml: [audit] dir = \"audit\"");
            };
            (settings.dir, key.or(settings.key))
        }
    };
    let expect = Expect { key: key.as_deref().map(production::key).transpose()?, head: expect_head };
    let report = verify(&dir, &expect).with_context(|| format!("the audit log in {}", dir.display()))?;
    if json {
        say(&serde_json::to_string_pretty(&report)?)?;
    } else {
        say(&format!(
            "{} lines in {} files, from number {} on; the last hash is {}",
            report.lines, report.files, report.first_seq, report.head.hash
        ))?;
        if report.lost > 0 {
            say(&format!("the log says that it lost {} events to a full queue", report.lost))?;
        }
        match &report.first_bad {
            None => say("whole: nothing was changed, removed or added")?,
            Some(bad) => say(&format!("NOT WHOLE: {}:{}: {}", bad.file, bad.line, bad.why))?,
        }
    }
    Ok(if report.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn usage(command: UsageCommand) -> anyhow::Result<ExitCode> {
    let UsageCommand { by, since, dir, config, json } = command;
    let Some(dir) = dir.map_or_else(|| Ok(read(config)?.records.usage), |dir| anyhow::Ok(Some(dir)))? else {
        bail!("no usage is kept; add to toolcell.toml: [telemetry] usage = \"usage\"");
    };
    let by = match by {
        ByWord::Principal => By::Principal,
        ByWord::Plugin => By::Plugin,
        ByWord::Tool => By::Tool,
        ByWord::Day => By::Day,
    };
    let table = usage::load(&dir, by, since.as_deref())?;
    say(&if json { serde_json::to_string_pretty(&table.json())? } else { table.text() })?;
    Ok(ExitCode::SUCCESS)
}
