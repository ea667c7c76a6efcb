//! Calls per second of one tool on several servers, closed loop: every connection sends its next call when the last one
//! has been answered.
//!
//! All servers run for the whole measurement and take turns in short rounds whose order rotates, so that a slow minute of
//! the machine hits all of them. The client runs on one thread.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::call::{Call, check_echo};
use crate::http::Connection;
use crate::process::{Endpoint, Server, own_cpu_time};
use crate::report::{LegReport, Report};
use crate::servers::Kind;
use crate::stats::percentile;

/// A server that stops answering ends the run this long after the round should have been over.
const GRACE: Duration = Duration::from_secs(10);

/// For how long the client gathers answers before it looks at them, as a network card gathers packets before it interrupts. The
/// client is on the server's machine: woken for each answer, it would take the cores from whoever it measures.
const COALESCE: Duration = Duration::from_micros(50);

/// How to measure, as it is typed.
#[derive(Args)]
pub struct PlanArgs {
    /// Connections, each with one call in flight
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Rounds per server; the median counts
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds measured per round
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds of load before each measurement
    #[arg(long, default_value_t = 0.5)]
    warmup: f64,
}

impl PlanArgs {
    /// The plan.
    ///
    /// # Errors
    /// When a number makes no sense.
    pub fn plan(&self) -> Result<Plan> {
        Plan::new(self.connections, self.rounds, self.seconds, self.warmup)
    }
}

/// How to measure.
pub struct Plan {
    pub connections: usize,
    pub rounds: usize,
    /// Measured time of one round.
    pub measured: Duration,
    /// Load before it that does not count.
    pub warmup: Duration,
}

impl Plan {
    /// A plan with at least one connection and one round; times in seconds.
    ///
    /// # Errors
    /// When a number makes no sense.
    pub fn new(connections: usize, rounds: usize, seconds: f64, warmup: f64) -> Result<Self> {
        if !(1..=64).contains(&connections) || rounds == 0 {
            bail!("choose 1 to 64 connections and at least one round");
        }
        let measured = Duration::try_from_secs_f64(seconds).context("bad --seconds")?;
        let warmup = Duration::try_from_secs_f64(warmup).context("bad --warmup")?;
        if measured.is_zero() {
            bail!("choose more than 0 seconds");
        }
        Ok(Self { connections, rounds, measured, warmup })
    }
}

/// A server to measure.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Leg {
    /// Bare hyper: parses the envelope and answers
    Ceiling,
    /// A native server on the official Rust SDK
    Rmcp,
    /// The host, with a fresh cell per call
    Toolcell,
}

impl Leg {
    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ceiling => Kind::Ceiling.name(),
            Self::Rmcp => Kind::Rmcp.name(),
            Self::Toolcell => "toolcell",
        }
    }

    fn start(self, host: &Host) -> Result<Server> {
        match self {
            Self::Ceiling => start_own(Kind::Ceiling),
            Self::Rmcp => start_own(Kind::Rmcp),
            Self::Toolcell => host.start(),
        }
    }
}

/// Where the host under test and its echo plugin lie.
pub struct Host {
    pub program: PathBuf,
    pub plugin: PathBuf,
}

impl Host {
    fn start(&self) -> Result<Server> {
        for file in [&self.program, &self.plugin] {
            if !file.is_file() {
                bail!("{} is missing; build the host (release) and the plugins first", file.display());
            }
        }
        Server::start(Command::new(&self.program).arg("serve").arg(&self.plugin).args(["--http", "127.0.0.1:0"]))
    }
}

/// One of our own servers, as a process of its own.
///
/// # Errors
/// When it does not start.
pub fn start_own(kind: Kind) -> Result<Server> {
    let program = std::env::current_exe().context("cannot tell where this program lies")?;
    Server::start(Command::new(program).args(["server", kind.name()]))
}

/// What one round on one server gave.
#[derive(Clone, Debug)]
pub struct Round {
    pub calls: usize,
    pub calls_per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// CPU time per call, microseconds; `None` where the system does not tell.
    pub server_cpu_us: Option<f64>,
    pub client_cpu_us: Option<f64>,
}

/// Starts the servers, measures them in turns and reports.
///
/// # Errors
/// When a server does not start or a single call fails.
pub fn run(plan: &Plan, legs: &[Leg], host: &Host) -> Result<Report> {
    let servers = legs.iter().map(|leg| Ok((leg.name(), leg.start(host)?))).collect::<Result<_>>()?;
    Ok(Report::new(plan, in_turns(plan, servers)?))
}

/// Measures running servers in turns; the reports are in the order of the servers.
///
/// # Errors
/// When a single call fails.
pub fn in_turns(plan: &Plan, servers: Vec<(&'static str, Server)>) -> Result<Vec<LegReport>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(|| std::thread::sleep(COALESCE))
        .build()?;
    let mut measured: Vec<Vec<Round>> = servers.iter().map(|_| Vec::new()).collect();
    for number in 0..plan.rounds {
        for turn in 0..servers.len() {
            let place = (number + turn) % servers.len();
            let ((name, server), rounds) = (&servers[place], &mut measured[place]);
            let round = runtime
                .block_on(measure(plan, server.endpoint(), || server.cpu_time()))
                .with_context(|| format!("{name} failed; its last lines:\n{}", server.log_tail()))?;
            eprintln!("round {}/{}: {name:>18} {:>9.0} calls/s", number + 1, plan.rounds, round.calls_per_second);
            rounds.push(round);
        }
    }
    Ok(servers.iter().zip(measured).map(|((name, _), rounds)| LegReport { name, rounds }).collect())
}

/// One round on one server, over new connections.
async fn measure(plan: &Plan, endpoint: &Endpoint, server_cpu: impl Fn() -> Option<Duration>) -> Result<Round> {
    let limit = plan.warmup + plan.measured + GRACE;
    tokio::time::timeout(limit, load(plan, endpoint, server_cpu)).await.context("the server stopped answering")?
}

async fn load(plan: &Plan, endpoint: &Endpoint, server_cpu: impl Fn() -> Option<Duration>) -> Result<Round> {
    let mut opened = Vec::new();
    for number in 0..plan.connections {
        let mut caller = Caller::open(endpoint, number).await?;
        caller.call().await?;
        opened.push(caller);
    }
    let from = Instant::now() + plan.warmup;
    let until = from + plan.measured;
    let mut callers = JoinSet::new();
    for caller in opened {
        callers.spawn(caller.call_until(from, until));
    }
    // Read at both ends of the measured time while the callers go on; a caller that fails ends the wait below.
    tokio::time::sleep_until(from).await;
    let before = (server_cpu(), own_cpu_time());
    tokio::time::sleep_until(until).await;
    let after = (server_cpu(), own_cpu_time());

    let mut latencies = Vec::new();
    while let Some(caller) = callers.join_next().await {
        latencies.append(&mut caller??);
    }
    let calls = latencies.len();
    let per_call = |before: Option<Duration>, after: Option<Duration>| {
        Some((after?.saturating_sub(before?)).as_secs_f64() * 1e6 / calls as f64)
    };
    Ok(Round {
        calls,
        calls_per_second: calls as f64 / plan.measured.as_secs_f64(),
        p50_us: microseconds(percentile(&mut latencies, 0.50).context("no call was answered")?),
        p99_us: microseconds(percentile(&mut latencies, 0.99).context("no call was answered")?),
        server_cpu_us: per_call(before.0, after.0),
        client_cpu_us: per_call(before.1, after.1),
    })
}

fn microseconds(nanoseconds: u32) -> f64 {
    f64::from(nanoseconds) / 1000.0
}

/// One connection and its calls.
struct Caller {
    connection: Connection,
    call: Call,
}

impl Caller {
    async fn open(endpoint: &Endpoint, number: usize) -> Result<Self> {
        Ok(Self { connection: Connection::open(endpoint.address).await?, call: Call::echo(endpoint, number) })
    }

    async fn call(&mut self) -> Result<()> {
        self.call.advance();
        let id = self.call.id();
        self.connection.exchange(self.call.bytes(), |response| check_echo(response, id)).await
    }

    /// Calls without a pause; gives the latency, in nanoseconds, of each call answered between `from` and `until`.
    async fn call_until(mut self, from: Instant, until: Instant) -> Result<Vec<u32>> {
        let mut latencies = Vec::new();
        let mut sent = Instant::now();
        loop {
            self.call().await?;
            let answered = Instant::now();
            if answered > until {
                return Ok(latencies);
            }
            if answered > from {
                latencies.push(u32::try_from((answered - sent).as_nanos()).unwrap_or(u32::MAX));
            }
            sent = answered;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers;

    fn plan() -> Plan {
        Plan::new(4, 1, 0.1, 0.01).unwrap()
    }

    #[tokio::test]
    async fn both_own_servers_answer_every_call() {
        for kind in [Kind::Ceiling, Kind::Rmcp] {
            let endpoint = servers::start_in_process(kind).await.unwrap();
            let round = measure(&plan(), &endpoint, || None).await.unwrap();
            assert!(round.calls > 0 && round.p50_us > 0.0 && round.p50_us <= round.p99_us, "{kind:?}: {round:?}");
            assert_eq!(round.server_cpu_us, None);
        }
    }

    #[tokio::test]
    async fn a_wrong_answer_fails_the_round() {
        let mut endpoint = servers::start_in_process(Kind::Ceiling).await.unwrap();
        let mut caller = Caller::open(&endpoint, 0).await.unwrap();
        caller.call = Call::version(&endpoint, 0);
        assert!(caller.call().await.unwrap_err().to_string().contains("status 400"));
        endpoint.address.set_port(1);
        assert!(measure(&plan(), &endpoint, || None).await.is_err());
    }

    #[test]
    fn a_plan_that_measures_nothing_is_refused() {
        for (connections, rounds, seconds) in [(0, 1, 1.0), (65, 1, 1.0), (1, 0, 1.0), (1, 1, 0.0), (1, 1, -1.0)] {
            assert!(Plan::new(connections, rounds, seconds, 0.0).is_err(), "{connections} {rounds} {seconds}");
        }
    }
}
