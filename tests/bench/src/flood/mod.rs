//! One caller floods the host, another calls gently: how much longer does the gentle one wait?
//!
//! Both call the same tool, which computes for some milliseconds, with keys of their own. The flood is closed: many connections,
//! and on each the next call as soon as there is an answer. The gentle caller's load is open: a call at fixed times, and latency
//! counts from when it was due. Rounds without and with the flood take turns, and each round is compared with its neighbour, so
//! that a slow spell of the machine hits both.

mod caller;
mod report;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use toolcell_tests::site::Site;

use crate::process::{Endpoint, Server};
use caller::Caller;
pub use report::Report;
use report::Round;

/// Before the flood counts as one.
const RISE: Duration = Duration::from_millis(500);
/// Calls from which the length of the work is found.
const CALIBRATION: usize = 9;
/// Turns of the first of them.
const FIRST_TURNS: u64 = 1_000_000;

#[derive(Args)]
pub struct Arguments {
    /// Connections of the flood, each with one call in flight
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Pairs of rounds; the median of their ratios counts
    #[arg(long, default_value_t = 7)]
    pub rounds: usize,
    /// Seconds of each round
    #[arg(long, default_value_t = 6.0)]
    pub seconds: f64,
    /// Milliseconds of processor time that a call takes
    #[arg(long, default_value_t = 10.0)]
    pub work_ms: f64,
    /// Milliseconds between the gentle caller's calls; several times what one takes, or they wait for each other
    #[arg(long, default_value_t = 50)]
    pub every_ms: u64,
    /// Calls of one caller that run at once [default: one less than the machine has cores]
    #[arg(long)]
    pub per_caller: Option<usize>,
    /// Calls of one caller that wait; below the flood's connections, the rest of it is refused
    #[arg(long, default_value_t = 1000)]
    pub waiting: usize,
    /// Fail when the gentle caller's p99 is more than this many times what it is without the flood
    #[arg(long, value_name = "RATIO")]
    pub assert_ratio: Option<f64>,
    /// The host [default: `toolcell` beside this program]
    #[arg(long, value_name = "FILE")]
    pub toolcell: Option<PathBuf>,
}

/// Runs all rounds.
///
/// # Errors
/// When the host does not start, or gives a wrong answer.
pub fn run(arguments: &Arguments, program: &Path, target: &Path) -> Result<Report> {
    let program = arguments.toolcell.clone().unwrap_or_else(|| program.to_owned());
    let guest = target.join("guests/labour.wasm");
    for file in [&program, &guest] {
        if !file.is_file() {
            bail!("{} is missing; build the host and the guests (release) first", file.display());
        }
    }
    if !(1..=4096).contains(&arguments.connections) || arguments.rounds == 0 || arguments.every_ms == 0 {
        bail!("choose 1 to 4096 connections, at least one round and at least 1 ms between calls");
    }
    let seconds = Duration::try_from_secs_f64(arguments.seconds).context("bad --seconds")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let per_caller = arguments.per_caller.unwrap_or(cores.saturating_sub(1).max(1));
    let site = Site::new();
    let [flooder, gentle] = ["flooder", "gentle"].map(|name| key(&program, &site, name));
    let (flooder, gentle) = (flooder?, gentle?);
    let plugin = Site::entry("labour", &guest, "");
    let config = site.config(&format!(
        "[server.limits]\nconnections = 8192\nconnections-per-address = 8192\n[auth]\nkeys = 'keys.json'\n[audit]\ndir = 'audit'\n\
         [quotas.queue]\nper-caller = {per_caller}\nwaiting-per-caller = {}\n{plugin}",
        arguments.waiting
    ));
    let mut command = Command::new(&program);
    let server = Server::start(command.arg("serve").arg("--config").arg(config).args(["--http", "127.0.0.1:0"]))?;
    let measured = measure(arguments, server.endpoint(), &flooder, &gentle, seconds);
    let (turns, rounds) = measured.with_context(|| format!("the host's last lines:\n{}", server.log_tail()))?;
    Ok(Report { cores, per_caller, connections: arguments.connections, turns, rounds })
}

fn key(program: &Path, site: &Site, principal: &str) -> Result<String> {
    let mut command = Command::new(program);
    command.current_dir(site.path("")).args(["key", "--file", "keys.json", "new", principal]);
    let made = command.output()?;
    if !made.status.success() {
        bail!("no key could be made: {}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

fn measure(
    arguments: &Arguments,
    endpoint: &Endpoint,
    flooder: &str,
    gentle: &str,
    seconds: Duration,
) -> Result<(u64, Vec<Round>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let every = Duration::from_millis(arguments.every_ms);
    let turns = runtime.block_on(calibrate(endpoint, gentle, arguments.work_ms))?;
    let mut rounds = Vec::new();
    for number in 1..=arguments.rounds {
        let alone = runtime.block_on(caller::gently(endpoint, gentle, turns, every, seconds))?;
        let flood = Flood::start(endpoint, flooder, turns, arguments.connections)?;
        std::thread::sleep(RISE);
        let before = flood.answers();
        let beside = runtime.block_on(caller::gently(endpoint, gentle, turns, every, seconds))?;
        let answers = flood.answers() - before;
        let refused = flood.stop()?;
        let round = Round::new(alone, beside, answers as f64 / seconds.as_secs_f64(), refused);
        eprintln!("round {number}/{}: {}", arguments.rounds, round.line());
        rounds.push(round);
    }
    Ok((turns, rounds))
}

/// How many turns take so long on this machine: from the quickest of some calls.
async fn calibrate(endpoint: &Endpoint, key: &str, work_ms: f64) -> Result<u64> {
    let mut turns = FIRST_TURNS;
    for _ in 0..3 {
        let mut caller = Caller::open(endpoint, key, turns).await?;
        let mut quickest = Duration::MAX;
        for _ in 0..CALIBRATION {
            let sent = tokio::time::Instant::now();
            caller.call().await?;
            quickest = quickest.min(sent.elapsed());
        }
        turns = (turns as f64 * work_ms / (quickest.as_secs_f64() * 1e3)).max(1.0) as u64;
    }
    Ok(turns)
}

/// A flood on a thread of its own, until it is stopped.
struct Flood {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<Result<u64>>,
}

impl Flood {
    fn start(endpoint: &Endpoint, key: &str, turns: u64, connections: usize) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&answers));
        let (endpoint, key) = (endpoint.clone(), key.to_owned());
        let thread = std::thread::spawn(move || {
            runtime.block_on(caller::flood(&endpoint, &key, turns, connections, &stopped, &counted))
        });
        Ok(Self { stop, answers, thread })
    }

    /// Calls answered so far, refusals among them.
    fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Ends it; how many calls were refused.
    fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(outcome) => outcome,
            Err(_) => bail!("the flood panicked"),
        }
    }
}
