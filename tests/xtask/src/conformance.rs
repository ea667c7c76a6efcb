//! The official conformance suite, against the built host that serves `target/plugins/conformance.wasm`.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::clients::{self, Clients};
use crate::run::{Outcome, run, step};
use crate::workspace::Workspace;
use crate::{plugins, serve};

pub const HELP: &str = "\
Runs `conformance server --requirements REVISION` for 2025-11-25 and 2026-07-28 (or the revisions named). What may
still fail is listed in tests/conformance/expected-failures-REVISION.yaml, check by check, each with its reason; an
entry that passes fails the run. Scenarios that the suite runs without scoring but that we claim are in
tests/conformance/verdict.mjs, which also fails the run if a scenario is missing or checked nothing.";

/// The revisions that have requirements.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];
/// How long the host may take until it listens. It compiles one component; this is for a machine under load.
const START: Duration = Duration::from_secs(60);

/// Builds what it needs, then runs the suite.
pub fn conformance(workspace: &Workspace, revisions: &[String]) -> Outcome {
    plugins::build(workspace)?;
    step("host", || serve::build_host(workspace))?;
    let clients = clients::install(workspace)?;
    check(workspace, &clients, revisions)
}

/// Runs the suite with everything in place; no revisions means all.
pub fn check(workspace: &Workspace, clients: &Clients, revisions: &[String]) -> Outcome {
    if let Some(unknown) = revisions.iter().find(|wanted| !REVISIONS.contains(&wanted.as_str())) {
        return Err(format!("no conformance requirements are known for {unknown}").into());
    }
    let results = workspace.target.join("conformance");
    fs::create_dir_all(&results)?;
    let host = Host::start(workspace, &results.join("host.log"))?;
    let mut failed = Vec::new();
    for revision in REVISIONS {
        if !revisions.is_empty() && !revisions.iter().any(|wanted| wanted == revision) {
            continue;
        }
        let outcome =
            step(&format!("conformance {revision}"), || judge(workspace, clients, &host.url, &results, revision));
        failed.extend(outcome.err().map(|_| revision));
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("conformance: {} did not pass; the host's log is {}", failed.join(", "), host.log.display()).into())
}

/// Runs the suite, and then what it does not judge itself.
fn judge(workspace: &Workspace, clients: &Clients, url: &str, results: &Path, revision: &str) -> Outcome {
    let folder = workspace.root.join("tests/conformance");
    let expected = folder.join(format!("expected-failures-{revision}.yaml"));
    let results = results.join(revision);
    // What an earlier run left must not stand in for a scenario that did not run.
    if results.exists() {
        fs::remove_dir_all(&results)?;
    }
    let mut suite = node(clients, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
    suite.args(["server", "--url", url, "--requirements", revision, "--output-dir"]).arg(&results);
    suite.arg("--expected-failures").arg(&expected);
    let scored = run(&mut suite);
    let mut verdict = node(clients, folder.join("verdict.mjs"));
    verdict.arg(revision).arg(&results).arg(&expected);
    let claimed = run(&mut verdict);
    scored.and(claimed)
}

fn node(clients: &Clients, script: impl AsRef<Path>) -> Command {
    let mut node = Command::new(&clients.node);
    node.current_dir(&clients.js).arg(script.as_ref());
    node
}

/// A running host that ends with this value.
struct Host {
    process: Child,
    url: String,
    log: PathBuf,
}

impl Host {
    /// Starts it on a free port and waits for the line that says where it listens.
    fn start(workspace: &Workspace, log: &Path) -> Outcome<Self> {
        let component = workspace.target.join("plugins/conformance.wasm");
        let mut process = Command::new(workspace.program("toolcell"))
            .arg("serve")
            .arg(&component)
            .args(["--http", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| format!("cannot start {}: {why}", workspace.program("toolcell").display()))?;
        let stderr = process.stderr.take().ok_or("the host has no stderr")?;
        let (told, telling) = mpsc::channel();
        let mut file = fs::File::create(log)?;
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some((_, url)) = line.split_once("listening on ") {
                    // Nobody waits any more once the first address is known.
                    let _ = told.send(url.trim().to_owned());
                }
                // A log that cannot be written does not stop the suite.
                let _ = writeln!(file, "{line}");
            }
        });
        let url = telling.recv_timeout(START);
        let host = Self { process, url: url.clone().unwrap_or_default(), log: log.to_owned() };
        match url {
            Ok(_) => Ok(host),
            Err(_) => Err(format!("the host did not say where it listens; its log is {}", log.display()).into()),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
