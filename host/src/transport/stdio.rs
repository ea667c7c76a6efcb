//! One message a line on standard input and output. Source: 2026-07-28, transports, "stdio".
//!
//! Nothing but protocol messages goes to standard output.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::channel::{Channel, Peer, serve_peer};
use super::limits::Limits;
use super::memory;
use crate::protocol::{self, Carrier, Principal, Reply, Route, Server};

/// Serves the process at the other end of standard input and output, until it closes its end or `shutdown` is
/// cancelled, within the default [`Limits`]; requests that are open then are answered first.
///
/// Reading standard input occupies a thread of the runtime's blocking pool until a line comes. Whoever stops for
/// another reason than its end should end the process without waiting for that thread.
///
/// # Errors
/// If reading or writing fails.
pub async fn serve(server: Arc<Server>, shutdown: CancellationToken) -> io::Result<()> {
    serve_as(server, None, shutdown).await
}

/// The same for a process that is known to be run by this principal.
///
/// # Errors
/// If reading or writing fails.
pub async fn serve_as(
    server: Arc<Server>,
    principal: Option<Arc<Principal>>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
    serve_streams_as(server, input, output, principal, Limits::default(), shutdown).await
}

/// The same over any pair of byte streams, such as a Unix socket.
///
/// # Errors
/// If reading or writing fails.
pub async fn serve_streams(
    server: Arc<Server>,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    serve_streams_as(server, input, output, None, limits, shutdown).await
}

/// [`serve_streams`] for a peer that is known to be this principal.
///
/// # Errors
/// If reading or writing fails.
pub async fn serve_streams_as(
    server: Arc<Server>,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin,
    principal: Option<Arc<Principal>>,
    limits: Limits,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let (ours, theirs) = memory::pair(limits.outbox);
    let Channel { incoming: to_write, outgoing: have_read } = theirs;
    let refusals = ours.outgoing.clone();
    let over = CancellationToken::new();

    let serving = async {
        let route = Route { carrier: Some(Carrier::Pipe), ..Route::default() };
        let peer = Peer { principal, may_stand_alone: true, route };
        serve_peer(server, ours, peer, limits, shutdown).await;
        over.cancel();
    };
    let reading = async {
        let input = BufReader::with_capacity(64 * 1024, input);
        tokio::select! {
            read = read_lines(input, have_read, refusals, limits.message_bytes) => read,
            () = over.cancelled() => Ok(()),
        }
    };
    let writing = async {
        tokio::select! {
            written = write_lines(output, to_write) => written,
            // A peer that does not read its last answers must not keep the process.
            () = async { over.cancelled().await; tokio::time::sleep(limits.drain).await } => Ok(()),
        }
    };
    let (read, written, ()) = tokio::join!(reading, writing, serving);
    read.and(written)
}

/// Passes on line after line. One that is too long is answered and skipped without being kept.
async fn read_lines(
    mut input: impl AsyncBufRead + Unpin,
    lines: mpsc::Sender<Bytes>,
    refusals: mpsc::Sender<Bytes>,
    limit: usize,
) -> io::Result<()> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let buffer = input.fill_buf().await?;
        if buffer.is_empty() {
            // The last line may have no end.
            if !line.is_empty() && !too_long {
                let _ = lines.send(Bytes::from(line)).await;
            }
            return Ok(());
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        if line.len() + part.len() > limit {
            too_long = true;
            line = Vec::new();
        } else if !too_long {
            line.extend_from_slice(part);
        }
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_none() {
            continue;
        }
        let sent = if std::mem::take(&mut too_long) {
            let error = protocol::Error::InvalidRequest(format!("a message must not be longer than {limit} bytes"));
            refusals.send(Reply::failure(None, &error).bytes).await
        } else if line.trim_ascii().is_empty() {
            line.clear();
            Ok(())
        } else {
            lines.send(Bytes::from(std::mem::take(&mut line))).await
        };
        if sent.is_err() {
            return Ok(());
        }
    }
}

async fn write_lines(mut output: impl AsyncWrite + Unpin, mut messages: mpsc::Receiver<Bytes>) -> io::Result<()> {
    while let Some(message) = messages.recv().await {
        output.write_all(&message).await?;
        output.write_all(b"\n").await?;
        // Several messages that wait together leave together.
        if messages.is_empty() {
            output.flush().await?;
        }
    }
    output.flush().await
}
