//! What running as a service costs: the same host and echo plugin with nothing on, and with keys, rates, audit, metrics, usage
//! and sampled traces, in one run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use tempfile::TempDir;

use crate::process::Server;
use crate::report::{LegReport, legs_table};
use crate::servers::Kind;
use crate::throughput::{PlanArgs, in_turns, start_own};

/// What the project promises: calls with all of it for each call without.
const PROMISED: &str = "0.8";

#[derive(Args)]
pub struct Arguments {
    #[command(flatten)]
    plan: PlanArgs,
    /// Fail when the host with all of it answers less than this share
    #[arg(long, value_name = "RATIO", num_args = 0..=1, require_equals = true, default_missing_value = PROMISED)]
    require: Option<f64>,
    /// The host [default: `toolcell` beside this program]
    #[arg(long, value_name = "FILE")]
    toolcell: Option<PathBuf>,
    /// The echo plugin [default: target/plugins/echo.wasm]
    #[arg(long, value_name = "FILE")]
    plugin: Option<PathBuf>,
}

/// Measures both in one run.
///
/// # Errors
/// When a server does not start, a single call fails, or the ratio that is required is not reached.
pub fn run(arguments: &Arguments, target: &Path, beside: &Path) -> Result<()> {
    let plan = arguments.plan.plan()?;
    let toolcell = arguments.toolcell.as_deref().unwrap_or(beside);
    let plugin = arguments.plugin.clone().unwrap_or_else(|| target.join("plugins/echo.wasm"));
    for file in [toolcell, &plugin] {
        if !file.is_file() {
            bail!("{} is missing; build the host (release) and the plugins first", file.display());
        }
    }
    let folder = TempDir::new()?;
    let collector = start_own(Kind::Collector)?;
    let bare = start(toolcell, folder.path(), "bare", &plugin, "")?;
    let all = everything(&format!("http://{}", collector.endpoint().address));
    let production = start(toolcell, folder.path(), "production", &plugin, &all)?;
    let production = production.with_key(new_key(toolcell, folder.path())?);

    let reports = in_turns(&plan, vec![("bare", bare), ("production", production)])?;
    let [bare, production] = reports.as_slice() else { bail!("two servers give two reports") };
    let ratio = production.ratio_to(bare).context("nothing was measured")?;
    print!("{}", legs_table(&plan, &reports, "/ bare", |leg| leg.ratio_to(bare)));
    println!("{}", json!({ "bench": "production", "servers": [numbers(bare), numbers(production)], "ratio": ratio }));
    match arguments.require {
        Some(least) if ratio.is_nan() || ratio < least => {
            bail!("with all of it the host answers {ratio:.3} of the calls without, at least {least} is required")
        }
        _ => Ok(()),
    }
}

/// All that a service has on: who calls, how much they may, and what is written down of it.
fn everything(collector: &str) -> String {
    format!(
        "[auth]\nkeys = 'keys.json'\n\n\
         [[allow]]\nprincipals = ['bench']\ntools = ['echo']\n\n\
         [[quotas.rates]]\nper = 'principal'\nat-most = 100000000\nevery = 'minute'\n\n\
         [[quotas.concurrency]]\nper = 'principal'\nat-most = 1000\n\n\
         [audit]\ndir = 'audit'\n\n\
         [telemetry]\nusage = 'usage'\notlp = '{collector}'\ntrace-ratio = 0.01\n\n"
    )
}

fn start(toolcell: &Path, folder: &Path, name: &str, plugin: &Path, more: &str) -> Result<Server> {
    let config = folder.join(format!("{name}.toml"));
    let admin = if more.is_empty() { "" } else { "[server]\nadmin = '127.0.0.1:0'\n\n" };
    std::fs::write(&config, format!("{admin}{more}[plugins.echo]\npath = '{}'\n", plugin.display()))?;
    Server::start(Command::new(toolcell).arg("serve").arg("--config").arg(&config).args(["--http", "127.0.0.1:0"]))
}

fn new_key(toolcell: &Path, folder: &Path) -> Result<String> {
    let config = folder.join("production.toml");
    let made = Command::new(toolcell).args(["key", "new", "bench", "--config"]).arg(config).output()?;
    if !made.status.success() {
        bail!("no key: {}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

fn numbers(leg: &LegReport) -> serde_json::Value {
    let (rate, spread) = leg.rates();
    let cpu = leg.middle(|round| round.server_cpu_us.unwrap_or(f64::NAN));
    json!({ "name": leg.name, "calls_per_second": rate, "spread": spread, "server_cpu_us_per_call": cpu })
}
