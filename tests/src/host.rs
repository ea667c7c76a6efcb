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
        let mut process = Command::new(artifacts::toolcell())
            .arg("serve")
            .args(arguments)
            .args(["--http", "127.0.0.1:0"])
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the host can be started");
        let log = Log::follow(process.stderr.take().expect("stderr is piped"));
        let line = log.wait_for(Mark::START, &["listening on http://"]);
        let address = line
            .split_once("listening on http://")
            .and_then(|(_, rest)| rest.split('/').next())
            .and_then(|address| address.parse().ok())
            .unwrap_or_else(|| panic!("the line {line:?} has no address"));
        Self { process, log, address }
    }

    /// The MCP endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
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
        let status = Command::new("kill").arg(self.process.id().to_string()).status();
        assert!(status.is_ok_and(|status| status.success()), "the host can be signalled");
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
