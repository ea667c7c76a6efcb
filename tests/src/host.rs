//! The built binary, running.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;

use crate::http::Http;
use crate::log::{Log, Mark};
use crate::{artifacts, mcp};

/// A host that serves HTTP on a port of its own. It is killed when this is dropped; if the test is failing then, what
/// the host said is printed.
pub struct Host {
    process: Child,
    /// What it says on stderr.
    pub log: Log,
    /// Where it listens.
    pub address: SocketAddr,
    scheme: String,
}

impl Host {
    /// Serves a config over HTTP.
    #[must_use]
    pub fn serve(config: &Path) -> Self {
        Self::start(["--config".as_ref(), config.as_os_str()])
    }

    /// Serves components or folders of them over HTTP, without a config.
    #[must_use]
    pub fn serve_paths(paths: &[&Path]) -> Self {
        Self::start(paths.iter().map(|path| path.as_os_str()))
    }

    /// `toolcell serve ARGUMENTS --http 127.0.0.1:0`, ready to answer.
    ///
    /// # Panics
    ///
    /// If it does not say where it listens.
    #[must_use]
    pub fn start<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Self {
        let mut command = Self::command();
        command.args(arguments).args(["--http", "127.0.0.1:0"]);
        Self::run(command)
    }

    /// `toolcell serve`, to add arguments to.
    #[must_use]
    pub fn command() -> Command {
        let mut command = Command::new(artifacts::toolcell());
        command.arg("serve").stdin(Stdio::null());
        command
    }

    /// A command that in the end serves over HTTP or HTTPS, ready to answer.
    ///
    /// # Panics
    ///
    /// If it does not say where it listens.
    #[must_use]
    pub fn run(command: Command) -> Self {
        Self::spawn(command).ready()
    }

    /// The same, not waited for: [`address`](Self::address) means nothing until it is [`ready`](Self::ready).
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn spawn(mut command: Command) -> Self {
        let command = command.env("NO_COLOR", "1").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("the host can be started");
        let log = Log::follow(process.stderr.take().expect("stderr is piped"));
        Self { process, log, address: SocketAddr::from(([0, 0, 0, 0], 0)), scheme: String::new() }
    }

    /// Waits until it says where it listens.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[must_use]
    pub fn ready(mut self) -> Self {
        (self.scheme, self.address) = self.said("listening on ");
        self
    }

    /// Where it listens for operators.
    ///
    /// # Panics
    ///
    /// If it does not say so.
    #[must_use]
    pub fn admin(&self) -> SocketAddr {
        self.said("health and metrics on ").1
    }

    /// The scheme and the address after these words.
    fn said(&self, words: &str) -> (String, SocketAddr) {
        let line = self.log.wait_for(Mark::START, &[words, "://"]);
        let url = line.split_once(words).and_then(|(_, url)| url.split_once("://"));
        let read = url.and_then(|(scheme, rest)| Some((scheme.to_owned(), rest.split('/').next()?.parse().ok()?)));
        read.unwrap_or_else(|| panic!("the line {line:?} has no address"))
    }

    /// The MCP endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}/mcp", self.scheme, self.address)
    }

    /// A raw connection to it.
    #[must_use]
    pub fn connect(&self) -> Http {
        Http::connect(self.address)
    }

    /// A client of 2026-07-28 over a connection of its own.
    #[must_use]
    pub fn modern(&self) -> mcp::Modern {
        mcp::Modern::new(self.connect())
    }

    /// The same for a client that follows tasks and answers forms.
    #[must_use]
    pub fn tasks(&self) -> mcp::Modern {
        self.modern().declaring(mcp::tasks())
    }

    /// A client of a handshake revision, with its session.
    #[must_use]
    pub fn session(&self, version: &str) -> mcp::Session {
        mcp::Session::open(self.address, version)
    }

    /// Waits for the next time the log says that something is in service, after doing `change`. Returns what the log
    /// said meanwhile.
    pub fn reload<T>(&self, change: impl FnOnce() -> T) -> String {
        let mark = self.log.mark();
        change();
        self.log.wait_for(mark, &["INFO", "in service"]);
        self.log.since(mark)
    }

    /// Asks it to end, as a terminal or a service manager does, and waits until it has.
    ///
    /// # Panics
    ///
    /// If it does not end.
    #[cfg(unix)]
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.end()
    }

    /// Sends it a signal, such as `HUP`.
    ///
    /// # Panics
    ///
    /// If it is not there.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "the host can be signalled");
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn end(&mut self) -> ExitStatus {
        self.log.wait_for_end();
        self.process.wait().expect("the host can be waited for")
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("---- the host said:\n{}\n----", self.log.all());
        }
    }
}

/// Runs a command of the binary to its end.
///
/// # Panics
///
/// If it cannot be started.
#[must_use]
pub fn run<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Ran {
    let output = Command::new(artifacts::toolcell())
        .args(arguments)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("the host can be started");
    let Output { status, stdout, stderr } = output;
    Ran {
        status,
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}
