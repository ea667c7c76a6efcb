//! A guest's voice: its standard output, standard error and `log` import, as lines in the operator's log, up to a limit.

use super::secrets::Held;
use bytes::Bytes;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use toolcell_policy::Limits;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// How much of the last standard error is kept to explain a crash, in bytes: a panic message or a short traceback.
const TAIL_BYTES: usize = 2_048;
/// A line longer than this is written in pieces, in bytes.
const LINE_BYTES: usize = 4_096;
/// What a guest may write at a time, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// Which of its two streams a guest speaks on.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// The log of one call, shared by its streams.
#[derive(Clone)]
pub(super) struct GuestLog(Arc<Mutex<Inner>>);

struct Inner {
    plugin: Arc<str>,
    tool: String,
    request_id: String,
    bytes_left: usize,
    lines_left: usize,
    out: Vec<u8>,
    err: Vec<u8>,
    tail: Vec<u8>,
    held: Option<Arc<Held>>,
}

impl GuestLog {
    /// What `held` knows is masked in all of it.
    pub(super) fn new(
        plugin: Arc<str>,
        tool: String,
        request_id: String,
        limits: &Limits,
        held: Option<Arc<Held>>,
    ) -> Self {
        Self(Arc::new(Mutex::new(Inner::new(plugin, tool, request_id, limits, held))))
    }

    /// Begins the log of the next call of the same instance: its streams still lead here.
    pub(super) fn renew(&self, tool: String, request_id: String, limits: &Limits, held: Option<Arc<Held>>) {
        let mut inner = self.lock();
        *inner = Inner::new(Arc::clone(&inner.plugin), tool, request_id, limits, held);
    }

    /// Takes one line of `len` bytes off what may still be logged. The first time there is not enough left, the log
    /// says so.
    pub(super) fn charge(&self, len: usize) -> bool {
        self.lock().charge(len, 1)
    }

    /// The end of what the guest wrote to standard error, as text.
    pub(super) fn tail(&self) -> String {
        let inner = self.lock();
        let mut tail = inner.tail.clone();
        inner.held.iter().for_each(|held| held.mask(&mut tail));
        String::from_utf8_lossy(&tail).trim().to_owned()
    }

    /// Writes out what is left of unfinished lines.
    pub(super) fn finish(&self) {
        let mut inner = self.lock();
        inner.flush(Stream::Out);
        inner.flush(Stream::Err);
    }

    fn write(&self, stream: Stream, bytes: &[u8]) {
        self.lock().write(stream, bytes);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn new(plugin: Arc<str>, tool: String, request_id: String, limits: &Limits, held: Option<Arc<Held>>) -> Self {
        let (out, err, tail) = (Vec::new(), Vec::new(), Vec::new());
        let Limits { log_bytes: bytes_left, log_lines: lines_left, .. } = *limits;
        Self { plugin, tool, request_id, bytes_left, lines_left, out, err, tail, held }
    }

    fn charge(&mut self, len: usize, lines: usize) -> bool {
        if self.bytes_left == 0 {
            return false;
        }
        if len > self.bytes_left || lines > self.lines_left {
            self.bytes_left = 0;
            let Self { plugin, tool, request_id, .. } = &*self;
            tracing::warn!(%plugin, %tool, %request_id, "log limit reached, the rest of this call's output is dropped; raise `limits.log-bytes` and `limits.log-lines` to see it");
            return false;
        }
        self.bytes_left -= len;
        self.lines_left -= lines;
        true
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if stream == Stream::Err {
            self.keep_tail(bytes);
        }
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        if !self.charge(bytes.len(), lines) {
            return;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let buffer = self.buffer(stream);
            buffer.extend_from_slice(piece);
            if piece.ends_with(b"\n") || buffer.len() >= LINE_BYTES {
                self.flush(stream);
            }
        }
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or(bytes));
        let excess = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess);
    }

    fn buffer(&mut self, stream: Stream) -> &mut Vec<u8> {
        match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }

    fn flush(&mut self, stream: Stream) {
        let mut line = std::mem::take(self.buffer(stream));
        self.held.iter().for_each(|held| held.mask(&mut line));
        let text = printable(&line);
        if text.is_empty() {
            return;
        }
        let Self { plugin, tool, request_id, .. } = self;
        match stream {
            Stream::Out => {
                tracing::info!(target: "toolcell::guest", %plugin, %tool, %request_id, stream = "stdout", "{text}")
            }
            Stream::Err => {
                tracing::info!(target: "toolcell::guest", %plugin, %tool, %request_id, stream = "stderr", "{text}")
            }
        }
    }
}

/// A guest's line as text that cannot move a terminal's cursor or forge another line.
pub(super) fn printable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    text.trim_end().chars().map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A text of several lines, some of them in a guest's words, as one line of the log: none of them can pass for another
/// event.
pub(super) fn one_line(text: &str) -> String {
    text.lines().map(|line| printable(line.trim_start().as_bytes())).collect::<Vec<_>>().join(" | ")
}

/// One of a guest's two output streams, leading to its log.
#[derive(Clone)]
pub(super) struct Pipe {
    log: GuestLog,
    stream: Stream,
}

impl Pipe {
    pub(super) fn new(log: &GuestLog, stream: Stream) -> Self {
        Self { log: log.clone(), stream }
    }
}

impl IsTerminal for Pipe {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Pipe {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Pipe {
    async fn ready(&mut self) {}
}

impl OutputStream for Pipe {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK_BYTES)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.log.write(self.stream, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(log_bytes: usize) -> GuestLog {
        GuestLog::new("p".into(), "t".to_owned(), String::new(), &Limits { log_bytes, ..Limits::default() }, None)
    }

    #[test]
    fn the_tail_of_standard_error_survives_the_limit() {
        let log = log(10);
        log.write(Stream::Err, &[b'x'; 5_000]);
        log.write(Stream::Err, b"\nthe end\n");
        assert!(log.tail().ends_with("the end"));
        assert!(log.tail().len() <= TAIL_BYTES);
        assert!(!log.charge(1), "the limit was used up");
    }

    #[test]
    fn control_characters_cannot_reach_a_terminal() {
        assert_eq!(printable(b"a\x1b[2Jb\rc\td\n"), "a\u{fffd}[2Jb\u{fffd}c\td");
        assert_eq!(one_line("a\r\n  b\x1bc\n"), "a | b\u{fffd}c");
    }
}
