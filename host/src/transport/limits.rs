//! How much one peer may have of this host. Every number is on by default.

use std::time::Duration;

/// Limits of the transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message: an HTTP body, or a line on stdio. Default is 4 MiB, as much as a tool may take as
    /// arguments.
    pub message_bytes: usize,
    /// Messages in one batch of the revisions that have them. Default is 64: a batch is answered as a whole, so it must
    /// not be a way around [`Limits::in_flight`].
    pub batch: usize,
    /// Requests one connection, or one session, may have open at once. Default is 64.
    pub in_flight: usize,
    /// Messages that may wait for a slow reader before the sender waits too. Default is 64.
    pub outbox: usize,
    /// Bytes of all headers of an HTTP request. Default is 64 KiB.
    pub header_bytes: usize,
    /// Time for the headers of an HTTP request, and for the first byte of a connection. Default is 30 s: slower is a
    /// slow loris.
    pub header_time: Duration,
    /// Time for the body of an HTTP request. Default is 30 s.
    pub body_time: Duration,
    /// HTTP connections at once; further ones wait in the system's queue. Default is 1,024.
    pub connections: usize,
    /// Sessions of the handshake era at once. Default is 10,000; an idle one costs less than a kilobyte.
    pub sessions: usize,
    /// Time after which a session that nobody used is forgotten. Default is 30 min.
    pub session_idle: Duration,
    /// Streams of one session that are kept for a client to come back to. Default is 16.
    pub kept_streams: usize,
    /// Bytes kept of one such stream; what is older is lost to a client that comes back. Default is 1 MiB.
    pub kept_bytes: usize,
    /// Time after which a silent stream says that it is still there. Default is 15 s, below what proxies usually allow.
    pub keep_alive: Duration,
    /// Time for open requests to end when the server stops. Default is 10 s.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 4 * 1024 * 1024,
            batch: 64,
            in_flight: 64,
            outbox: 64,
            header_bytes: 64 * 1024,
            header_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            connections: 1024,
            sessions: 10_000,
            session_idle: Duration::from_secs(30 * 60),
            kept_streams: 16,
            kept_bytes: 1024 * 1024,
            keep_alive: Duration::from_secs(15),
            drain: Duration::from_secs(10),
        }
    }
}
