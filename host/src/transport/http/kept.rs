//! Streams of the handshake era that a client may come back to.
//!
//! Every event has a number in its stream and every stream one in its session; together they are the event's
//! identifier. What was said is kept, within limits, until the session ends or newer streams need the room.
//! Source: 2025-11-25, transports, "Resumability and Redelivery".

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// The streams of one session.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Streams>);

#[derive(Debug, Default)]
struct Streams {
    last: u64,
    streams: VecDeque<Arc<KeptStream>>,
}

/// What one request has said so far.
#[derive(Debug)]
pub(super) struct KeptStream {
    number: u64,
    limit: usize,
    log: Mutex<Log>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Log {
    /// The number of the first event that is still here.
    first: u64,
    events: VecDeque<Bytes>,
    bytes: usize,
    over: bool,
}

/// Someone who reads a stream.
#[derive(Debug)]
pub(super) struct Reader {
    stream: Arc<KeptStream>,
    next: u64,
}

impl Kept {
    /// Opens a stream of at most `bytes`, and gives up the oldest ones beyond `streams`. If `primed`, it begins with an
    /// event without data, so that a client has something to come back to from the start.
    pub(super) fn open(&self, primed: bool, streams: usize, bytes: usize) -> Arc<KeptStream> {
        let mut kept = lock(&self.0);
        kept.last += 1;
        let stream =
            Arc::new(KeptStream { number: kept.last, limit: bytes, log: Mutex::default(), news: Notify::new() });
        if primed {
            stream.push(Bytes::new());
        }
        kept.streams.push_back(Arc::clone(&stream));
        while kept.streams.len() > streams.max(1) {
            kept.streams.pop_front();
        }
        stream
    }

    /// A reader for what came after an event; none if the stream is no longer here.
    pub(super) fn after(&self, stream: u64, event: u64) -> Option<Reader> {
        let kept = lock(&self.0);
        let stream = kept.streams.iter().find(|kept| kept.number == stream)?;
        Some(stream.reader(event.saturating_add(1)))
    }
}

impl KeptStream {
    /// Adds what was said. The newest is always kept: the last one is the answer.
    pub(super) fn push(&self, message: Bytes) {
        let mut log = lock(&self.log);
        log.bytes += message.len();
        log.events.push_back(message);
        while log.bytes > self.limit && log.events.len() > 1 {
            let gone = log.events.pop_front().map_or(0, |event| event.len());
            log.bytes -= gone;
            log.first += 1;
        }
        drop(log);
        self.news.notify_waiters();
    }

    /// Nothing more will be said.
    pub(super) fn end(&self) {
        lock(&self.log).over = true;
        self.news.notify_waiters();
    }

    /// A reader that begins with the event of that number.
    pub(super) fn reader(self: &Arc<Self>, next: u64) -> Reader {
        Reader { stream: Arc::clone(self), next }
    }
}

impl Reader {
    /// The number of the stream.
    pub(super) fn stream(&self) -> u64 {
        self.stream.number
    }

    /// The next event and its number; none at the end. Events that are no longer kept are skipped.
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Option<(u64, Bytes)> {
        loop {
            let news = self.stream.news.notified();
            tokio::pin!(news);
            // Before looking, or what comes between looking and waiting would be missed.
            news.as_mut().enable();
            {
                let log = lock(&self.stream.log);
                let number = self.next.max(log.first);
                let place = usize::try_from(number - log.first).ok()?;
                if let Some(event) = log.events.get(place) {
                    self.next = number + 1;
                    return Some((number, event.clone()));
                }
                if log.over {
                    return None;
                }
            }
            news.await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Kept, Reader};

    async fn rest(mut reader: Reader) -> Vec<(u64, Bytes)> {
        let mut events = Vec::new();
        while let Some(event) = reader.next().await {
            events.push(event);
        }
        events
    }

    #[tokio::test]
    async fn a_reader_gets_what_came_after_its_event_and_only_of_its_stream() {
        let kept = Kept::default();
        let (one, two) = (kept.open(true, 4, 100), kept.open(false, 4, 100));
        for message in ["a", "b"] {
            one.push(Bytes::from(message));
            two.push(Bytes::from("other"));
        }
        one.end();
        let events = |from: u64| [(1, Bytes::from("a")), (2, Bytes::from("b"))].into_iter().skip(from as usize);
        assert_eq!(rest(kept.after(1, 0).unwrap()).await, events(0).collect::<Vec<_>>());
        assert_eq!(rest(kept.after(1, 1).unwrap()).await, events(1).collect::<Vec<_>>());
        assert_eq!(rest(kept.after(1, 99).unwrap()).await, []);
        assert!(kept.after(3, 0).is_none());
    }

    #[tokio::test]
    async fn what_is_too_much_goes_from_the_front() {
        let kept = Kept::default();
        let stream = kept.open(false, 1, 5);
        for message in ["aaa", "bbb", "cccccccc"] {
            stream.push(Bytes::from(message));
        }
        stream.end();
        assert_eq!(rest(stream.reader(0)).await, [(2, Bytes::from("cccccccc"))]);
        kept.open(false, 1, 5);
        assert!(kept.after(1, 0).is_none(), "the older stream should have made room");
    }

    #[tokio::test]
    async fn a_reader_waits_for_news() {
        let kept = Kept::default();
        let stream = kept.open(false, 1, 100);
        let reading = tokio::spawn(rest(stream.reader(0)));
        tokio::task::yield_now().await;
        stream.push(Bytes::from("late"));
        tokio::task::yield_now().await;
        stream.end();
        assert_eq!(reading.await.unwrap(), [(0, Bytes::from("late"))]);
    }
}
