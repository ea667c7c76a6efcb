//! Plugins in Python and JavaScript beside native servers on the official SDKs of these languages, in one run: the echo
//! example of the SDK with a fresh cell for each call, and with warm ones.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use serde_json::{Map, json};
use tempfile::TempDir;

use crate::process::Server;
use crate::report::{LegReport, legs_table};
use crate::throughput::{Plan, in_turns};

/// What the project promises, over the native server of the same language.
const PROMISED: &str = "python-fresh=1.5,python-warm=10,javascript-fresh=4,javascript-warm=10";

#[derive(Args)]
pub struct Arguments {
    /// Connections, each with one call in flight
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Rounds per server; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds measured per round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds of load before each measurement
    #[arg(long, default_value_t = 1.0)]
    warmup: f64,
    /// Fail when a leg answers less than so many times the calls of its native server
    #[arg(
        long, value_name = "LEG=RATIO", value_delimiter = ',', num_args = 0..=1, require_equals = true,
        default_missing_value = PROMISED
    )]
    require: Vec<Required>,
    /// The Python that has the official SDK
    #[arg(long, value_name = "FILE")]
    python: PathBuf,
    /// The Node to run the official TypeScript SDK with
    #[arg(long, value_name = "FILE", default_value = "node")]
    node: PathBuf,
    /// The host [default: `toolcell` beside this program]
    #[arg(long, value_name = "FILE")]
    toolcell: Option<PathBuf>,
    /// The folder with `python/echo.py`
    #[arg(long, value_name = "DIR")]
    servers: PathBuf,
    /// The folder with `echo.mjs` and the modules it imports
    #[arg(long, value_name = "DIR")]
    js: PathBuf,
}

/// A ratio that must be reached.
#[derive(Clone, Debug)]
struct Required {
    leg: String,
    ratio: f64,
}

impl FromStr for Required {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (leg, ratio) = text.split_once('=').with_context(|| format!("{text:?} is not LEG=RATIO"))?;
        if !LEGS.iter().flat_map(|(_, legs)| legs).any(|known| known == &leg) {
            bail!("there is no leg {leg}; there are {PROMISED}");
        }
        Ok(Self { leg: leg.to_owned(), ratio: ratio.parse().with_context(|| format!("{ratio:?} is no number"))? })
    }
}

/// The native servers, and the legs that are compared with each.
const LEGS: [(&str, [&str; 2]); 2] = [
    ("python-native", ["python-fresh", "python-warm"]),
    ("typescript-native", ["javascript-fresh", "javascript-warm"]),
];

/// Measures all of them in one run.
///
/// # Errors
/// When a server does not start, a single call fails, or a ratio that is required is not reached.
pub fn run(arguments: &Arguments, target: &Path, beside: &Path) -> Result<()> {
    let toolcell = arguments.toolcell.as_deref().unwrap_or(beside);
    let plan = Plan::new(arguments.connections, arguments.rounds, arguments.seconds, arguments.warmup)?;
    let folder = TempDir::new()?;
    let mut servers = Vec::new();
    for (native, legs) in LEGS {
        servers.push((native, start_native(native, arguments)?));
        for leg in legs {
            servers.push((leg, start_toolcell(leg, folder.path(), target, toolcell)?));
        }
    }
    let reports = in_turns(&plan, servers)?;
    print!("{}", legs_table(&plan, &reports, "/ native", |leg| ratio(&reports, leg)));
    println!("{}", json(&reports));
    require(&reports, &arguments.require)
}

fn start_native(name: &str, arguments: &Arguments) -> Result<Server> {
    let mut command = if name == "python-native" {
        let mut command = Command::new(&arguments.python);
        command.arg("-B").arg(arguments.servers.join("python/echo.py"));
        command
    } else {
        let mut command = Command::new(&arguments.node);
        command.arg(arguments.js.join("echo.mjs"));
        command
    };
    Server::start(&mut command)
}

/// The host with the echo example of the leg's language, and instances as the leg has them.
fn start_toolcell(leg: &str, folder: &Path, target: &Path, toolcell: &Path) -> Result<Server> {
    let (language, instances) = leg.split_once('-').context("a leg has a language and a kind of instances")?;
    let component = target.join("sdk-examples").join(language).join("echo.wasm");
    if !component.is_file() {
        bail!("{} is missing; `cargo xtask sdk {language}` builds it", component.display());
    }
    let config = folder.join(format!("{leg}.toml"));
    let text = format!("[plugins.echo]\npath = '{}'\ninstances = '{instances}'\n", component.display());
    std::fs::write(&config, text)?;
    Server::start(Command::new(toolcell).arg("serve").arg("--config").arg(&config).args(["--http", "127.0.0.1:0"]))
}

/// The native server that a leg is compared with.
fn native_of(leg: &str) -> &'static str {
    LEGS.iter().find(|(_, legs)| legs.contains(&leg)).map_or("", |(native, _)| native)
}

fn find<'a>(reports: &'a [LegReport], name: &str) -> Option<&'a LegReport> {
    reports.iter().find(|report| report.name == name)
}

fn ratio(reports: &[LegReport], leg: &LegReport) -> Option<f64> {
    leg.ratio_to(find(reports, native_of(leg.name))?)
}

fn json(reports: &[LegReport]) -> serde_json::Value {
    let mut servers = Map::new();
    for leg in reports {
        let (rate, spread) = leg.rates();
        let report = json!({ "calls_per_second": rate, "spread": spread, "ratio_to_native": ratio(reports, leg) });
        servers.insert(leg.name.to_owned(), report);
    }
    json!({ "bench": "languages", "servers": servers })
}

fn require(reports: &[LegReport], required: &[Required]) -> Result<()> {
    let mut low = Vec::new();
    for Required { leg, ratio: least } in required {
        let reached = find(reports, leg).and_then(|report| ratio(reports, report));
        let reached = reached.ok_or_else(|| anyhow!("{leg} was not measured"))?;
        if reached.is_nan() || reached < *least {
            low.push(format!(
                "{leg} answers {reached:.2} times the calls of {}, at least {least} is required",
                native_of(leg)
            ));
        }
    }
    if low.is_empty() { Ok(()) } else { bail!("{}", low.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throughput::Round;

    fn report(name: &'static str, rates: &[f64]) -> LegReport {
        let round = |rate: &f64| Round {
            calls: 1,
            calls_per_second: *rate,
            p50_us: 1.0,
            p99_us: 2.0,
            server_cpu_us: None,
            client_cpu_us: None,
        };
        LegReport { name, rounds: rates.iter().map(round).collect() }
    }

    #[test]
    fn ratios_are_to_the_native_server_of_the_language() {
        let reports = [
            report("python-native", &[100.0, 50.0]),
            report("python-fresh", &[200.0, 100.0]),
            report("typescript-native", &[10.0]),
            report("javascript-warm", &[50.0]),
        ];
        assert_eq!(json(&reports)["servers"]["python-fresh"]["ratio_to_native"], 2.0);
        assert_eq!(json(&reports)["servers"]["javascript-warm"]["ratio_to_native"], 5.0);
        let needed = |text: &str| text.split(',').map(|part| part.parse().unwrap()).collect::<Vec<Required>>();
        require(&reports, &needed("python-fresh=2,javascript-warm=5")).unwrap();
        let error = require(&reports, &needed("python-fresh=2.1,javascript-warm=6")).unwrap_err().to_string();
        assert!(error.contains("python-fresh answers 2.00") && error.contains("javascript-warm"), "{error}");
        assert!(require(&reports, &needed("python-warm=1")).unwrap_err().to_string().contains("not measured"));
        assert!("rust-warm=1".parse::<Required>().is_err() && "python-warm=x".parse::<Required>().is_err());
        assert_eq!(needed(PROMISED).len(), 4);
    }
}
