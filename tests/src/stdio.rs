//! The built binary as a stdio server, spoken to line by line.

use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;

use serde_json::{Value, json};

use crate::log::{Log, Mark};
use crate::wire::Ledger;
use crate::{artifacts, mcp};

/// A host that serves its stdin and stdout. It is killed when this is dropped; if the test is failing then, what the
/// host said is printed.
pub struct Pipe {
    process: Child,
    input: Option<ChildStdin>,
    /// What it says on stdout: messages, one a line, and nothing else.
    pub output: Log,
    /// What it says on stderr.
    pub log: Log,
    read: Mark,
    ledger: Ledger,
}

impl Pipe {
    /// `toolcell serve ARGUMENTS`.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    #[must_use]
    pub fn start<'a>(arguments: impl IntoIterator<Item = &'a OsStr>) -> Self {
        let mut process = Command::new(artifacts::toolcell())
            .arg("serve")
            .args(arguments)
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the host can be started");
        let input = process.stdin.take();
        let output = Log::follow(process.stdout.take().expect("stdout is piped"));
        let log = Log::follow(process.stderr.take().expect("stderr is piped"));
        Self { process, input, output, log, read: Mark::START, ledger: Ledger::default() }
    }

    /// Sends one line as it is.
    ///
    /// # Panics
    ///
    /// If the host does not read any more.
    pub fn send_line(&mut self, line: &str) {
        if let Ok(message) = serde_json::from_str(line) {
            self.ledger.sent(&message, None);
        }
        let input = self.input.as_mut().expect("stdin is open");
        writeln!(input, "{line}").and_then(|()| input.flush()).expect("the host reads");
    }

    /// Sends a message.
    pub fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    /// The next message.
    ///
    /// # Panics
    ///
    /// If none comes, or a line that is not JSON, or a message that the revision does not allow.
    pub fn receive(&mut self) -> Value {
        let line = self.output.wait_for(self.read, &[]);
        self.read = self.read.next();
        let message = serde_json::from_str(&line)
            .unwrap_or_else(|why| panic!("stdout has a line that is not JSON ({why}): {line}"));
        self.ledger.received(&message);
        message
    }

    /// Receives messages until one is the response with this id; returns it.
    pub fn receive_response(&mut self, id: u64) -> Value {
        loop {
            let message = self.receive();
            if message["id"] == id && message["method"].is_null() {
                return message;
            }
        }
    }

    /// Sends a request of 2026-07-28 and returns its response.
    pub fn ask(&mut self, id: u64, method: &str, params: &Value) -> Value {
        self.send(&mcp::modern_request(id, method, params));
        self.receive_response(id)
    }

    /// Goes through the handshake.
    ///
    /// # Panics
    ///
    /// If the host agrees on another revision.
    pub fn shake_hands(&mut self, version: &str) {
        let params = json!({
            "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" },
        });
        self.send(&mcp::request(0, "initialize", &params));
        let answer = self.receive_response(0);
        assert_eq!(answer["result"]["protocolVersion"], version, "{answer}");
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    /// Sends a request of the handshake era and returns its response.
    pub fn ask_in_session(&mut self, id: u64, method: &str, params: &Value) -> Value {
        self.send(&mcp::request(id, method, params));
        self.receive_response(id)
    }

    /// Closes stdin and waits for the host to end, as the specification has it.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn close(&mut self) -> ExitStatus {
        self.input = None;
        self.output.wait_for_end();
        self.log.wait_for_end();
        self.process.wait().expect("the host can be waited for")
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        if thread::panicking() {
            eprintln!("---- stdout:\n{}\n---- stderr:\n{}\n----", self.output.all(), self.log.all());
        }
    }
}
