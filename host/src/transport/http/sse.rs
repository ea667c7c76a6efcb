//! Server-sent events: messages as events, and the streams they go out on.
//! Source: 2026-07-28, Streamable HTTP, "Receiving Messages"; the HTML standard, "Server-sent events".

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};

use super::exchange::{Exchange, Step};
use super::kept::{KeptStream, Reader};

/// One event. A message of ours has no line break, so it is one line of data.
fn event(message: &[u8]) -> Bytes {
    [b"data: ", message, b"\n\n"].concat().into()
}

/// One event a client can come back to.
fn numbered(stream: u64, number: u64, message: &[u8]) -> Bytes {
    [format!("id: {stream}-{number}\ndata: ").as_bytes(), message, b"\n\n"].concat().into()
}

/// A comment, which clients skip and proxies count as life.
const STILL_HERE: Bytes = Bytes::from_static(b":\n\n");

/// The stream and the event that an event's identifier names.
pub(super) fn parse_id(id: &str) -> Option<(u64, u64)> {
    let (stream, number) = id.split_once('-')?;
    Some((stream.parse().ok()?, number.parse().ok()?))
}

/// What a request has to say, beginning with `first`. Dropping the stream drops the request.
pub(super) fn of_exchange(
    exchange: Exchange,
    first: Bytes,
    keep_alive: Duration,
) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::unfold((exchange, Some(first), false), move |(mut exchange, first, over)| async move {
        if over {
            return None;
        }
        if let Some(first) = first {
            return Some((event(&first), (exchange, None, false)));
        }
        let (item, over) = match tokio::time::timeout(keep_alive, exchange.next()).await {
            Err(_) => (STILL_HERE, false),
            Ok(Step::Note(note)) => (event(&note), false),
            Ok(Step::Done(Some(reply))) => (event(&reply.bytes), true),
            Ok(Step::Done(None)) => return None,
        };
        Some((item, (exchange, None, over)))
    })
}

/// What is kept of a request of the handshake era, from where the reader stands, and what comes after.
pub(super) fn of_kept(reader: Reader, keep_alive: Duration) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::unfold(reader, move |mut reader| async move {
        let item = match tokio::time::timeout(keep_alive, reader.next()).await {
            Err(_) => STILL_HERE,
            Ok(Some((number, message))) => numbered(reader.stream(), number, &message),
            Ok(None) => return None,
        };
        Some((item, reader))
    })
}

/// Messages as they come, without an end of their own.
pub(super) fn of_messages<S>(messages: S, keep_alive: Duration) -> impl Stream<Item = Bytes> + Send + 'static
where
    S: Stream<Item = Bytes> + Send + 'static,
{
    use futures_util::StreamExt as _;
    stream::unfold(Box::pin(messages), move |mut messages| async move {
        let item = match tokio::time::timeout(keep_alive, messages.next()).await {
            Err(_) => STILL_HERE,
            Ok(Some(message)) => event(&message),
            Ok(None) => return None,
        };
        Some((item, messages))
    })
}

/// Passes on everything a request says, whether or not anyone listens.
pub(super) async fn keep(mut exchange: Exchange, first: Bytes, stream: Arc<KeptStream>) {
    stream.push(first);
    loop {
        match exchange.next().await {
            Step::Note(note) => stream.push(note),
            Step::Done(reply) => {
                if let Some(reply) = reply {
                    stream.push(reply.bytes);
                }
                return stream.end();
            }
        }
    }
}
