//! A server under test, as a process of its own.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What a server prints on stderr, before its URL, when it is ready.
pub const READY: &str = "listening on http://";
/// The same of one that speaks TLS.
const READY_TLS: &str = "listening on https://";
/// Long enough to compile a component on a loaded machine.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// Longer than a server drains.
const STOP_TIMEOUT: Duration = Duration::from_secs(60);
/// Variables that would make a server's speed depend on whose shell it was started from: a captured backtrace, or a line
/// logged, per call.
const SHELL_HABITS: [&str; 4] = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE", "RUST_LOG", "TOOLCELL_LOG"];
/// Lines of a server's stderr kept for a failure message.
const LOG_LINES: usize = 80;
/// Ticks per second of the CPU times in `/proc`; Linux shows this number to programs whatever its own timer does.
const TICKS_PER_SECOND: u64 = 100;

/// Where a server takes calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    pub address: SocketAddr,
    /// The MCP endpoint, with its leading slash.
    pub path: String,
    /// The API key that callers show, if they must show one.
    pub key: Option<String>,
}

impl Endpoint {
    /// Finds the endpoint in a line a server printed, if it is the one that says it is ready.
    fn from_ready_line(line: &str) -> Option<Self> {
        let (_, url) = line.split_once(READY).or_else(|| line.split_once(READY_TLS))?;
        let url = url.split_whitespace().next()?;
        let (authority, path) = url.split_once('/')?;
        Some(Self { address: authority.parse().ok()?, path: format!("/{path}"), key: None })
    }
}

/// A running server; ends when dropped.
pub struct Server {
    child: Child,
    endpoint: Endpoint,
    log: Log,
}

impl Server {
    /// Starts a server and waits until it says where it listens.
    ///
    /// # Errors
    /// When the program does not start, ends, or does not say so in two minutes; with the end of its stderr.
    pub fn start(command: &mut Command) -> Result<Self> {
        for name in SHELL_HABITS {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
        let log = Log::default();
        let (ready, wait) = mpsc::channel();
        if let Some(stderr) = child.stderr.take() {
            let log = log.clone();
            std::thread::spawn(move || follow(stderr, &log, &ready));
        }
        match wait.recv_timeout(START_TIMEOUT) {
            Ok(endpoint) => Ok(Self { child, endpoint, log }),
            Err(reason) => {
                // Both may fail only because it has already ended.
                let _ = child.kill();
                let _ = child.wait();
                let what = match reason {
                    RecvTimeoutError::Timeout => "did not say where it listens",
                    RecvTimeoutError::Disconnected => "ended before it listened",
                };
                bail!("{program} {what}; its last lines:\n{}", log.tail())
            }
        }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The same server, whose callers show this key.
    #[must_use]
    pub fn with_key(mut self, key: String) -> Self {
        self.endpoint.key = Some(key);
        self
    }

    /// The last lines the server wrote to stderr.
    pub fn log_tail(&self) -> String {
        self.log.tail()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// When it cannot be asked, or ends with an error or not at all.
    pub fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status()?;
        let begun = Instant::now();
        while asked.success() && begun.elapsed() < STOP_TIMEOUT {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("it ended with {status}; its last lines:\n{}", self.log.tail()),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        bail!("it did not end; its last lines:\n{}", self.log.tail())
    }

    /// CPU time used so far, in all its threads; `None` where there is no `/proc`.
    pub fn cpu_time(&self) -> Option<Duration> {
        cpu_time(&self.child.id().to_string())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both may fail only because it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time this program has used so far; `None` where there is no `/proc`.
pub fn own_cpu_time() -> Option<Duration> {
    cpu_time("self")
}

fn cpu_time(process: &str) -> Option<Duration> {
    cpu_time_from_stat(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// User plus system time from `/proc/<pid>/stat`, see proc_pid_stat(5).
fn cpu_time_from_stat(stat: &str) -> Option<Duration> {
    // The program's name, in parentheses, may contain anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn tail(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Reads stderr to its end, so that the server never waits for a full pipe.
fn follow(stderr: impl Read, log: &Log, ready: &Sender<Endpoint>) {
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        if let Some(endpoint) = Endpoint::from_ready_line(&line) {
            // Nobody waits for a second one.
            let _ = ready.send(endpoint);
        }
        log.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_line_is_found_in_a_log_line() {
        let cases = [
            ("listening on http://127.0.0.1:4000/mcp", Some(("127.0.0.1:4000", "/mcp"))),
            ("INFO toolcell: listening on http://[::1]:4000/mcp plugins=1", Some(("[::1]:4000", "/mcp"))),
            ("listening on https://127.0.0.1:4000/mcp", Some(("127.0.0.1:4000", "/mcp"))),
            ("listening on http://127.0.0.1:4000", None),
            ("listening on http://somewhere:4000/mcp", None),
            ("loaded echo", None),
        ];
        for (line, expected) in cases {
            let expected = expected.map(|(address, path)| Endpoint {
                address: address.parse().unwrap(),
                path: path.to_owned(),
                key: None,
            });
            assert_eq!(Endpoint::from_ready_line(line), expected, "{line}");
        }
    }

    #[test]
    fn cpu_time_is_user_plus_system() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 1000 1 2";
        assert_eq!(cpu_time_from_stat(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu_time_from_stat("42 (a) S"), None);
    }

    #[test]
    fn the_log_keeps_its_end() {
        let log = Log::default();
        let (ready, wait) = mpsc::channel();
        let text: String = (0..2 * LOG_LINES).map(|line| format!("line {line}\n")).collect();
        follow(format!("{text}listening on http://127.0.0.1:1/mcp\n").as_bytes(), &log, &ready);
        assert_eq!(wait.recv().unwrap().path, "/mcp");
        assert_eq!(log.tail().lines().count(), LOG_LINES);
        assert!(log.tail().ends_with("/mcp"));
    }
}
