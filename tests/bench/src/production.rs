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
    /// Measure also what each part costs by itself
    #[arg(long)]
    parts: bool,
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
    let collector = start_own(Kind::Collector)?;
    let parts = parts(&format!("http://{}", collector.endpoint().address));
    let all = parts.iter().map(|(_, part)| part.as_str()).collect::<String>();
    let mut wanted = vec![("bare", ""), ("production", all.as_str())];
    if arguments.parts {
        wanted.extend(parts.iter().map(|(name, part)| (*name, part.as_str())));
    }
    let folder = TempDir::new()?;
    let start = |(name, more)| Ok((name, start(toolcell, &folder.path().join(name), &plugin, more)?));
    let servers = wanted.into_iter().map(start).collect::<Result<Vec<_>>>()?;

    let reports = in_turns(&plan, servers)?;
    let [bare, production, ..] = reports.as_slice() else { bail!("two servers give two reports") };
    let ratio = production.ratio_to(bare).context("nothing was measured")?;
    print!("{}", legs_table(&plan, &reports, "/ bare", |leg| leg.ratio_to(bare)));
    println!(
        "{}",
        json!({ "bench": "production", "servers": reports.iter().map(numbers).collect::<Vec<_>>(), "ratio": ratio })
    );
    match arguments.require {
        Some(least) if ratio.is_nan() || ratio < least => {
            bail!("with all of it the host answers {ratio:.3} of the calls without, at least {least} is required")
        }
        _ => Ok(()),
    }
}

/// The host's admin address, where metrics are read.
const METRICS: &str = "[server]\nadmin = '127.0.0.1:0'\n\n";
const KEYS: &str = "[auth]\nkeys = 'keys.json'\n\n[[allow]]\nprincipals = ['bench']\ntools = ['echo']\n\n";
const LIMITS: &str = "[[quotas.rates]]\nper = 'principal'\nat-most = 100000000\nevery = 'minute'\n\n\
                      [[quotas.concurrency]]\nper = 'principal'\nat-most = 1000\n\n";
const AUDIT: &str = "[audit]\ndir = 'audit'\n\n";

/// All that a service has on: who calls, how much they may, and what is written down of it.
fn parts(collector: &str) -> [(&'static str, String); 5] {
    let telemetry = format!("[telemetry]\nusage = 'usage'\notlp = '{collector}'\ntrace-ratio = 0.01\n\n");
    [
        ("metrics", METRICS.to_owned()),
        ("keys", KEYS.to_owned()),
        ("limits", LIMITS.to_owned()),
        ("audit", AUDIT.to_owned()),
        ("telemetry", telemetry),
    ]
}

/// A host in a folder of its own, and its caller's key where it wants one.
fn start(toolcell: &Path, folder: &Path, plugin: &Path, more: &str) -> Result<Server> {
    std::fs::create_dir(folder)?;
    let config = folder.join("toolcell.toml");
    std::fs::write(&config, format!("{more}[plugins.echo]\npath = '{}'\n", plugin.display()))?;
    let mut serve = Command::new(toolcell);
    serve.arg("serve").arg("--config").arg(&config).args(["--http", "127.0.0.1:0"]);
    let server = Server::start(&mut serve)?;
    if more.contains(KEYS) { Ok(server.with_key(new_key(toolcell, &config)?)) } else { Ok(server) }
}

fn new_key(toolcell: &Path, config: &Path) -> Result<String> {
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
