//! Ten minutes of everything at once: calls of many callers over TLS, while plugins are replaced, keys revoked, certificates and
//! signing keys changed and the configuration rewritten. Every answer is checked, and the host's memory is watched.
//!
//! In reading order: [`place`] (the folder the host is served from), [`issuer`] (who signs the callers' tokens), [`client`] (one
//! connection), [`load`] (the callers), [`changes`] and [`keys`] (what happens meanwhile), [`tally`] (what was wrong), [`watch`]
//! (memory, files and threads), [`report`].

mod changes;
mod client;
mod issuer;
mod keys;
mod load;
mod place;
mod report;
mod tally;
mod watch;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::time::{Instant, sleep, sleep_until};

use crate::process::Server;
use client::Target;
use issuer::Issuer;
use place::Place;
pub use report::Report;
use tally::Tally;
use watch::Watch;

/// How often it is said how far it is.
const PROGRESS: Duration = Duration::from_secs(10);
/// The share of calls that is traced.
const TRACED: f64 = 0.01;

#[derive(Args)]
pub struct Arguments {
    /// How long, in minutes
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Connections, of all kinds of callers in turn
    #[arg(long, default_value_t = 48)]
    connections: usize,
    /// Calls per second over all of them
    #[arg(long, default_value_t = 300)]
    rate: u32,
    /// How much longer than usual things may take, on a machine that does more than this
    #[arg(long, default_value_t = 1.0)]
    patience: f64,
    /// The host [default: `toolcell` beside this program]
    #[arg(long, value_name = "FILE")]
    toolcell: Option<PathBuf>,
}

/// What all parts of a run share.
struct Scene {
    program: PathBuf,
    place: Place,
    issuer: Arc<Issuer>,
    target: Target,
    tally: Arc<Tally>,
    until: Instant,
    /// See [`Arguments::patience`].
    patience: f64,
}

impl Scene {
    /// How long something may take that is promised within `time`.
    fn within(&self, time: Duration) -> Duration {
        time.mul_f64(self.patience)
    }

    /// Whether the run goes on for another `time`.
    fn lasts(&self, time: Duration) -> bool {
        Instant::now() + time < self.until
    }
}

/// Runs it; prints how it goes.
///
/// # Errors
/// When something cannot be started. What goes wrong later is in the report.
pub fn run(arguments: &Arguments, program: &Path, target: &Path) -> Result<Report> {
    let program = arguments.toolcell.clone().unwrap_or_else(|| program.to_owned());
    if !program.is_file() {
        bail!("{} is missing; build the host (release) first", program.display());
    }
    if !(0.1..=1440.0).contains(&arguments.minutes)
        || !(6..=512).contains(&arguments.connections)
        || arguments.rate == 0
    {
        bail!("choose 0.1 to 1440 minutes, 6 to 512 connections and at least one call a second");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(soak(arguments, program, target))
}

async fn soak(arguments: &Arguments, program: PathBuf, target: &Path) -> Result<Report> {
    let time = Duration::from_secs_f64(arguments.minutes * 60.0);
    let issuer = Issuer::start().await?;
    let place = Place::new(target, &issuer, time)?;
    place.write_config(0)?;
    // Keys that live through the run are there before it.
    let keys = (0..load::PRINCIPALS).map(|number| place.new_key(&program, &format!("person-{number}")));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    let mut command = Command::new(&program);
    command.arg("serve").arg("--config").arg(place.config()).args(["--http", "127.0.0.1:0"]);
    let server = Server::start(&mut command)?;
    let address = server.endpoint().address;
    let scene = Arc::new(Scene {
        target: Target::new(address, &place.authority())?,
        tally: Arc::new(Tally::new(place.version())),
        until: Instant::now() + time,
        patience: arguments.patience.max(1.0),
        program,
        place,
        issuer,
    });

    let watch = Watch::start(server.id(), scene.until);
    let admin = admin(&server)?;
    let mut tasks = load::start(&scene, arguments.connections, arguments.rate, &keys);
    tasks.extend(changes::start(&scene, admin));
    tasks.push(tokio::spawn(keys::come_and_go(Arc::clone(&scene))));
    tasks.push(tokio::spawn(tell(Arc::clone(&scene))));
    for task in tasks {
        task.await.context("a part of the run panicked")?;
    }
    let samples = watch.samples().await;
    let log = server.log_tail();
    let spans = scene.issuer.exports();
    server.stop().context("the host did not end as asked")?;
    let verified = scene.place.verify_audit(&scene.program)?;
    let report = Report::new(&scene.tally, &samples, time, spans, verified);
    if !report.is_good() {
        eprintln!("the host's last lines:\n{log}");
    }
    Ok(report)
}

/// Where the host is asked for its metrics: it says so before it says that it listens.
fn admin(server: &Server) -> Result<std::net::SocketAddr> {
    let said = server.log_tail();
    let url = said.lines().find_map(|line| line.split_once("health and metrics on http://"));
    let (_, address) = url.with_context(|| format!("the host does not say where its metrics are:\n{said}"))?;
    Ok(address.trim().trim_end_matches('/').parse()?)
}

/// Says how it goes until it ends.
async fn tell(scene: Arc<Scene>) {
    let begun = Instant::now();
    while scene.lasts(PROGRESS) {
        sleep(PROGRESS).await;
        eprintln!("{:>5.0} s: {}", begun.elapsed().as_secs_f64(), scene.tally.line());
    }
    sleep_until(scene.until).await;
}
