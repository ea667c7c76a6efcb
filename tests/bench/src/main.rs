//! The project's own benchmark: how many `tools/call` a second Toolcell answers beside a native MCP server and beside a
//! bare HTTP server, and whether calls survive a plugin being replaced under load. `README.md` says how to read it.

mod call;
mod flood;
mod http;
mod languages;
mod process;
mod production;
mod reload;
mod report;
mod servers;
mod soak;
mod stats;
mod throughput;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};

use crate::servers::Kind;

#[derive(Parser)]
#[command(about = "Measures Toolcell beside a native MCP server and a bare HTTP server")]
struct Cli {
    /// Without one: throughput, then reload, as they are by default
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Calls per second and latency of an echo tool over HTTP
    Throughput(ThroughputArgs),
    /// Calls per second of plugins in Python and JavaScript beside native servers on the official SDKs
    Languages(languages::Arguments),
    /// Calls per second with keys, rates, audit, metrics and sampled traces beside the same host without
    Production(production::Arguments),
    /// Failed calls and time to the new version while a plugin is replaced under load
    Reload(ReloadArgs),
    /// Latency of a gentle caller beside one that floods the host
    Flood(flood::Arguments),
    /// Minutes of everything at once: reloads, keys, certificates, signing keys; zero wrong answers and flat memory
    Soak(soak::Arguments),
    /// Runs one of the servers Toolcell is compared with
    #[command(hide = true)]
    Server { kind: Kind },
}

impl Command {
    /// The command of this name as if nothing else had been typed.
    fn with_defaults(name: &str) -> Result<Self> {
        Cli::try_parse_from(["toolcell-bench", name])?.command.context("no such command")
    }
}

#[derive(Args)]
struct ThroughputArgs {
    #[command(flatten)]
    plan: throughput::PlanArgs,
    /// The servers to measure
    #[arg(long, value_enum, value_delimiter = ',', default_value = "ceiling,rmcp,toolcell")]
    servers: Vec<throughput::Leg>,
    /// Fail when Toolcell answers fewer calls than this share of the native server's
    #[arg(long, value_name = "RATIO")]
    assert_ratio: Option<f64>,
    /// The host [default: `toolcell` beside this program]
    #[arg(long, value_name = "FILE")]
    toolcell: Option<PathBuf>,
    /// The echo plugin [default: target/plugins/echo.wasm]
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
}

#[derive(Args)]
struct ReloadArgs {
    /// Calls per second, sent on schedule whether or not earlier ones have been answered
    #[arg(long, default_value_t = 1000)]
    rate: u32,
    /// Connections that share the rate
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// How often the plugin is replaced
    #[arg(long, default_value_t = 20)]
    replacements: usize,
    /// Milliseconds of load between the new version's first answer and the next replacement
    #[arg(long, default_value_t = 300)]
    settle_ms: u64,
    /// Fail when the rate was not held or the median time to the new version is above 250 ms
    #[arg(long)]
    assert: bool,
    /// The host [default: `toolcell` beside this program]
    #[arg(long, value_name = "FILE")]
    toolcell: Option<PathBuf>,
    /// Folder with versioned_v1.wasm and versioned_v2.wasm [default: target/guests]
    #[arg(long, value_name = "DIR")]
    guests: Option<PathBuf>,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Some(command) => run(command),
        None => ["throughput", "reload"].into_iter().try_for_each(|name| run(Command::with_defaults(name)?)),
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Throughput(args) => throughput(args),
        Command::Languages(args) => languages::run(&args, &target_dir()?, &beside_this_program("toolcell")),
        Command::Production(args) => production::run(&args, &target_dir()?, &beside_this_program("toolcell")),
        Command::Reload(args) => reload(args),
        Command::Flood(args) => flood(&args),
        Command::Soak(args) => soak(&args),
        Command::Server { kind } => servers::run(kind),
    }
}

fn flood(args: &flood::Arguments) -> Result<()> {
    let report = flood::run(args, &beside_this_program("toolcell"), &target_dir()?)?;
    print!("{}", report.text());
    println!("{}", report.json());
    report.assert_fair(args)
}

fn soak(args: &soak::Arguments) -> Result<()> {
    let report = soak::run(args, &beside_this_program("toolcell"), &target_dir()?)?;
    print!("{}", report.text());
    println!("{}", report.json());
    report.assert_good()
}

fn throughput(args: ThroughputArgs) -> Result<()> {
    let target = target_dir()?;
    let plan = args.plan.plan()?;
    let host = throughput::Host {
        program: args.toolcell.unwrap_or_else(|| beside_this_program("toolcell")),
        plugin: args.plugin.unwrap_or_else(|| target.join("plugins/echo.wasm")),
    };
    let report = throughput::run(&plan, &args.servers, &host)?;
    print!("{}", report.table());
    println!("{}", report.json());
    if let Some(least) = args.assert_ratio {
        report.assert_ratio(least)?;
    }
    Ok(())
}

fn reload(args: ReloadArgs) -> Result<()> {
    let guests = match args.guests {
        Some(guests) => guests,
        None => target_dir()?.join("guests"),
    };
    let plan = reload::Plan::new(
        args.rate,
        args.connections,
        args.replacements,
        std::time::Duration::from_millis(args.settle_ms),
    )?;
    let program = args.toolcell.unwrap_or_else(|| beside_this_program("toolcell"));
    let report = reload::run(&plan, &program, &guests)?;
    print!("{}", report.text());
    println!("{}", report.json());
    report.assert_nothing_failed()?;
    if args.assert {
        report.assert_in_time()?;
    }
    Ok(())
}

/// Cargo's target directory: this program lies in `<target>/<profile>/`.
fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    match program.parent().and_then(Path::parent) {
        Some(target) => Ok(target.to_owned()),
        None => bail!("{} is not in a target directory; name the files with options", program.display()),
    }
}

fn beside_this_program(name: &str) -> PathBuf {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    match std::env::current_exe() {
        Ok(program) => program.with_file_name(file),
        Err(_) => PathBuf::from(file),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_measurements_run_without_arguments() {
        assert!(matches!(Command::with_defaults("throughput"), Ok(Command::Throughput(_))));
        assert!(matches!(Command::with_defaults("reload"), Ok(Command::Reload(_))));
        assert!(Command::with_defaults("cell").is_err());
    }
}
