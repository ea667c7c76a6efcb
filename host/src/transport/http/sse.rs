//! Server-sent events: messages as events, and the streams they go out on.
//! Source: 2026-07-28, Streamable HTTP, "Receiving Messages"; the HTML standard, "Server-sent events".

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, Stream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::exchange::{Exchange, Step};
use super::kept::{EventId, KeptStream, Reader};

/// One event. A message of ours has no line break, so it is one line of data.
fn event(message: &[u8]) -> Bytes {
    [b"data: ", message, b"\n\n"].concat().into()
}

/// One event a client can come back to.
fn numbered(id: EventId, message: &[u8]) -> Bytes {
    [format!("id: {id}\ndata: ").as_bytes(), message, b"\n\n"].concat().into()
}

/// A comment, which clients skip and proxies count as life.
const STILL_HERE: Bytes = Bytes::from_static(b":\n\n");

/// When a connection is closed for its client to come back, and what it is told before.
/// Source: 2025-11-25, transports, "Sending Messages to the Server", number 6.
#[derive(Clone, Copy, Debug)]
pub(super) struct Polling {
    /// Time until then.
    pub(super) age: Duration,
    /// Time the client should wait.
    pub(super) retry: Duration,
}

impl Polling {
    fn retry_field(self) -> String {
        format!("retry: {}\n", self.retry.as_millis())
    }
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

/// Runs `messages` beside the connection that carries them: what makes them goes on, under its own limits, while the
/// client reads slowly, and ends when the client leaves or takes nothing for as long as `patience`.
pub(super) fn beside<S>(messages: S, patience: Duration) -> impl Stream<Item = Bytes> + Send + 'static
where
    S: Stream<Item = Bytes> + Send + 'static,
{
    let (pass, passed) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut messages = Box::pin(messages);
        loop {
            let message = tokio::select! {
                biased;
                () = pass.closed() => return,
                message = messages.next() => message,
            };
            let Some(message) = message else { return };
            if !matches!(tokio::time::timeout(patience, pass.send(message)).await, Ok(Ok(()))) {
                return;
            }
        }
    });
    stream::unfold(passed, |mut passed| async move { Some((passed.recv().await?, passed)) })
}

/// What a reader of a kept stream gets.
pub(super) fn read(reader: Reader) -> impl Stream<Item = (EventId, Bytes)> + Send + 'static {
    stream::unfold(reader, |mut reader| async move { Some((reader.next().await?, reader)) })
}

/// Events a client can come back to. With `polling` the connection ends before they do: then the client has been told
/// when to come back, and has the identifier of an event.
pub(super) fn of_kept<S>(
    events: S,
    keep_alive: Duration,
    polling: Option<Polling>,
) -> impl Stream<Item = Bytes> + Send + 'static
where
    S: Stream<Item = (EventId, Bytes)> + Send + 'static,
{
    let closing = polling.and_then(|polling| Some((Instant::now().checked_add(polling.age)?, polling)));
    stream::unfold((Box::pin(events), false), move |(mut events, over)| async move {
        if over {
            return None;
        }
        let rest = closing.map(|(close, _)| close.saturating_duration_since(Instant::now()));
        let patience = rest.map_or(keep_alive, |rest| rest.min(keep_alive));
        let (item, over) = match tokio::time::timeout(patience, events.next()).await {
            Ok(Some((id, message))) => match polling {
                Some(polling) if message.is_empty() => {
                    ([polling.retry_field().as_bytes(), &numbered(id, &message)].concat().into(), false)
                }
                _ => (numbered(id, &message), false),
            },
            Ok(None) => return None,
            Err(_) => match closing.filter(|(close, _)| *close <= Instant::now()) {
                Some((_, polling)) => (format!("{}\n", polling.retry_field()).into(), true),
                None => (STILL_HERE, false),
            },
        };
        Some((item, (events, over)))
    })
}

/// The stream of the HTTP+SSE pair: where to post, then messages under the name that transport gives them.
/// Source: 2024-11-05, transports, "HTTP with SSE".
pub(super) fn of_pair<S>(post_to: &str, messages: S, keep_alive: Duration) -> impl Stream<Item = Bytes> + Send + 'static
where
    S: Stream<Item = Bytes> + Send + 'static,
{
    let first = Bytes::from(format!("event: endpoint\ndata: {post_to}\n\n"));
    let rest = stream::unfold(Box::pin(messages), move |mut messages| async move {
        let item = match tokio::time::timeout(keep_alive, messages.next()).await {
            Err(_) => STILL_HERE,
            Ok(Some(message)) => [b"event: message\n", event(&message).as_ref()].concat().into(),
            Ok(None) => return None,
        };
        Some((item, messages))
    });
    stream::iter([first]).chain(rest)
}

/// Passes on everything a request says, whether or not anyone listens. Once it is cancelled it says no more.
pub(super) async fn keep(
    mut exchange: Exchange,
    first: Option<Bytes>,
    cancel: CancellationToken,
    stream: Arc<KeptStream>,
) {
    if let Some(first) = first {
        stream.push(first);
    }
    loop {
        match exchange.next().await {
            Step::Note(_) if cancel.is_cancelled() => {}
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
