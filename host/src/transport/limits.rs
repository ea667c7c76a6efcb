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
    /// Time for the handshake of TLS. Default is 10 s: it is some round trips and no person's work.
    pub handshake_time: Duration,
    /// HTTP connections at once; further ones wait in the system's queue. Default is 1,024.
    pub connections: usize,
    /// HTTP connections of one client's address at once, of an IPv6 one those of its network of 64 bits; further ones are
    /// closed. Those of trusted proxies are not counted. Default is 512: nobody takes all places alone.
    pub connections_per_address: usize,
    /// Sessions of the handshake era at once. Default is 10,000; an idle one costs less than a kilobyte.
    pub sessions: usize,
    /// The same of one caller. Default is 1,000: a gateway that serves many people with one key has room, and a client that
    /// forgets its sessions leaves others theirs. For callers without a name only [`Limits::sessions`] counts.
    pub sessions_per_caller: usize,
    /// Streams of one caller at once that have no end of their own: subscriptions, and those for what a server says
    /// unasked. Default is 256. Callers without a name have no such limit.
    pub streams_per_caller: usize,
    /// Time after which a session that nobody used is forgotten. Default is 30 min.
    pub session_idle: Duration,
    /// Streams of one session that are kept for a client to come back to; those whose request still runs are kept
    /// beyond that. Default is 16.
    pub kept_streams: usize,
    /// Bytes kept of one such stream; what is older is lost to a client that comes back. Default is 1 MiB.
    pub kept_bytes: usize,
    /// Bytes kept of the streams of all sessions together; beyond that the oldest are lost. Default is 64 MiB: sessions
    /// are free for the asking, memory is not.
    pub kept_total: usize,
    /// Time after which a request of a session that still runs is answered with a stream, so that its client has
    /// something to come back to and proxies see a sign of life. Default is 1 s.
    pub stream_after: Duration,
    /// Time after which the stream of such a request is closed, for its client to come back and fetch the rest, where
    /// the revision says that it will. Default is 5 s: a long call should not hold a connection, and some gateways cut
    /// one off after half a minute.
    pub stream_age: Duration,
    /// Time such a client is told to wait before it comes back. Default is 500 ms.
    pub retry: Duration,
    /// Time after which a silent stream says that it is still there. Default is 15 s, below what proxies usually allow.
    pub keep_alive: Duration,
    /// Time in which a client takes 64 KiB of what it is sent, or all if that is less; the connection of a slower one is
    /// closed. Default is 30 s: whoever reads no faster than that holds memory and a place for nothing.
    pub write_time: Duration,
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
            handshake_time: Duration::from_secs(10),
            connections: 1024,
            connections_per_address: 512,
            sessions: 10_000,
            sessions_per_caller: 1_000,
            streams_per_caller: 256,
            session_idle: Duration::from_secs(30 * 60),
            kept_streams: 16,
            kept_bytes: 1024 * 1024,
            kept_total: 64 * 1024 * 1024,
            stream_after: Duration::from_secs(1),
            stream_age: Duration::from_secs(5),
            retry: Duration::from_millis(500),
            keep_alive: Duration::from_secs(15),
            write_time: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}
