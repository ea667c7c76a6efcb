//! Streams of the handshake era that a client may come back to.
//!
//! Every event has a number in its stream and every stream one in its session; together they are the event's
//! identifier. What was said is kept, within limits, until the session ends or newer streams need the room. One
//! connection at a time carries a stream: a client that comes back takes it from the connection it lost.
//! Source: 2025-11-25, transports, "Resumability and Redelivery", "Multiple Connections".

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::budget::Budget;
use crate::transport::Limits;

/// The streams of one session.
#[derive(Debug)]
pub(super) struct Kept {
    budget: Arc<Budget>,
    streams: Mutex<Streams>,
}

#[derive(Debug, Default)]
struct Streams {
    last: u64,
    streams: VecDeque<Arc<KeptStream>>,
}

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What one request, or one batch, says until it is answered.
    Request,
    /// What the client is told without having asked.
    News,
}

/// The identifier of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EventId {
    /// What its stream is for.
    pub(super) purpose: Purpose,
    /// The number of the stream in its session.
    pub(super) stream: u64,
    /// The number of the event in its stream.
    pub(super) event: u64,
}

/// What was said on one stream so far.
#[derive(Debug)]
pub(super) struct KeptStream {
    purpose: Purpose,
    number: u64,
    limit: usize,
    budget: Arc<Budget>,
    /// Its number among all streams of the endpoint.
    place: u64,
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
    /// Which reader has the stream now.
    reader: u64,
}

/// Someone who reads a stream.
#[derive(Debug)]
pub(super) struct Reader {
    stream: Arc<KeptStream>,
    next: u64,
    turn: u64,
}

impl EventId {
    /// Reads what its `Display` writes.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (purpose, numbers) = match id.strip_prefix('n') {
            Some(numbers) => (Purpose::News, numbers),
            None => (Purpose::Request, id),
        };
        let (stream, event) = numbers.split_once('-')?;
        Some(Self { purpose, stream: stream.parse().ok()?, event: event.parse().ok()? })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.purpose {
            Purpose::Request => "",
            Purpose::News => "n",
        };
        write!(f, "{prefix}{}-{}", self.stream, self.event)
    }
}

impl Kept {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, streams: Mutex::default() }
    }

    /// Opens a stream. The oldest ones that are over make room for it. If `primed`, it begins with an event without
    /// data, so that a client has something to come back to from the start.
    pub(super) fn open(&self, purpose: Purpose, primed: bool, limits: &Limits) -> Arc<KeptStream> {
        let mut kept = lock(&self.streams);
        kept.last += 1;
        let number = kept.last;
        let budget = Arc::clone(&self.budget);
        let stream = self.budget.enter(|place| KeptStream {
            purpose,
            number,
            limit: limits.kept_bytes,
            budget,
            place,
            log: Mutex::default(),
            news: Notify::new(),
        });
        if primed {
            stream.push(Bytes::new());
        }
        kept.streams.push_back(Arc::clone(&stream));
        let mut many = kept.streams.len().saturating_sub(limits.kept_streams.max(1));
        kept.streams.retain(|stream| {
            let gone = many > 0 && stream.is_over();
            many -= usize::from(gone);
            !gone
        });
        stream
    }

    /// A reader for what came after an event; none if that is no longer here.
    pub(super) fn after(&self, id: EventId) -> Option<Reader> {
        let streams = lock(&self.streams);
        let named = |kept: &&Arc<KeptStream>| kept.number == id.stream && kept.purpose == id.purpose;
        let stream = Arc::clone(streams.streams.iter().find(named)?);
        drop(streams);
        let next = id.event.saturating_add(1);
        // The answer comes last: without it there is nothing to come back for.
        (!stream.has_forgotten(next)).then(|| stream.reader(next))
    }
}

impl KeptStream {
    /// Adds what was said. The newest is always kept: the last one is the answer.
    pub(super) fn push(&self, message: Bytes) {
        let added = message.len();
        let mut dropped = 0;
        let mut log = lock(&self.log);
        log.events.push_back(message);
        log.bytes += added;
        while log.bytes > self.limit && log.events.len() > 1 {
            let gone = log.events.pop_front().map_or(0, |event| event.len());
            log.bytes -= gone;
            log.first += 1;
            dropped += gone;
        }
        drop(log);
        self.news.notify_waiters();
        self.budget.take(added, self.place);
        self.budget.give_back(dropped);
    }

    /// Nothing more will be said.
    pub(super) fn end(&self) {
        lock(&self.log).over = true;
        self.news.notify_waiters();
    }

    /// More will be said after all.
    pub(super) fn go_on(&self) {
        lock(&self.log).over = false;
    }

    /// A reader that begins with the event of that number. The one before it gets no more.
    pub(super) fn reader(self: &Arc<Self>, next: u64) -> Reader {
        let mut log = lock(&self.log);
        log.reader += 1;
        let turn = log.reader;
        drop(log);
        self.news.notify_waiters();
        Reader { stream: Arc::clone(self), next, turn }
    }

    /// Gives up all that is kept, and says how much it was.
    pub(super) fn forget(&self) -> usize {
        let mut log = lock(&self.log);
        log.first += log.events.len() as u64;
        log.events.clear();
        std::mem::take(&mut log.bytes)
    }

    fn is_over(&self) -> bool {
        lock(&self.log).over
    }

    /// Whether all there ever was from that event on is lost.
    fn has_forgotten(&self, next: u64) -> bool {
        let log = lock(&self.log);
        log.over && log.events.is_empty() && next < log.first
    }
}

impl Drop for KeptStream {
    fn drop(&mut self) {
        let bytes = self.log.get_mut().unwrap_or_else(PoisonError::into_inner).bytes;
        self.budget.leave(self.place, bytes);
    }
}

impl Reader {
    /// The stream it reads.
    pub(super) fn stream(&self) -> &Arc<KeptStream> {
        &self.stream
    }

    /// Whether all has been said and read.
    pub(super) fn is_through(&self) -> bool {
        let log = lock(&self.stream.log);
        log.over && self.next >= log.first + log.events.len() as u64
    }

    /// The next event and its identifier; none at the end, or when someone else has taken the stream. Events that are
    /// no longer kept are skipped.
    ///
    /// Cancel safe.
    pub(super) async fn next(&mut self) -> Option<(EventId, Bytes)> {
        loop {
            let news = self.stream.news.notified();
            tokio::pin!(news);
            // Before looking, or what comes between looking and waiting would be missed.
            news.as_mut().enable();
            {
                let log = lock(&self.stream.log);
                if log.reader != self.turn {
                    return None;
                }
                let number = self.next.max(log.first);
                let place = usize::try_from(number - log.first).ok()?;
                if let Some(event) = log.events.get(place) {
                    self.next = number + 1;
                    let KeptStream { purpose, number: stream, .. } = *self.stream;
                    return Some((EventId { purpose, stream, event: number }, event.clone()));
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
    use std::sync::Arc;

    use super::{Budget, Bytes, EventId, Kept, KeptStream, Limits, Purpose, Reader};

    fn kept(total: usize) -> (Arc<Budget>, Kept) {
        let budget = Budget::new(total);
        (Arc::clone(&budget), Kept::new(budget))
    }

    fn open(kept: &Kept, primed: bool, streams: usize, bytes: usize) -> Arc<KeptStream> {
        let limits = Limits { kept_streams: streams, kept_bytes: bytes, ..Limits::default() };
        kept.open(Purpose::Request, primed, &limits)
    }

    fn id(stream: u64, event: u64) -> EventId {
        EventId { purpose: Purpose::Request, stream, event }
    }

    async fn rest(mut reader: Reader) -> Vec<(u64, Bytes)> {
        let mut events = Vec::new();
        while let Some((id, event)) = reader.next().await {
            events.push((id.event, event));
        }
        events
    }

    #[test]
    fn identifiers_are_read_as_they_are_written() {
        for (text, expected) in [
            ("1-0", Some(id(1, 0))),
            ("n12-34", Some(EventId { purpose: Purpose::News, stream: 12, event: 34 })),
            ("", None),
            ("-", None),
            ("1", None),
            ("x1-0", None),
            ("1-x", None),
            ("nn1-0", None),
            ("1-99999999999999999999", None),
        ] {
            assert_eq!(EventId::parse(text), expected, "{text}");
            assert!(expected.is_none_or(|id| id.to_string() == text), "{text}");
        }
    }

    #[tokio::test]
    async fn a_reader_gets_what_came_after_its_event_and_only_of_its_stream() {
        let (_, kept) = kept(1000);
        let (one, two) = (open(&kept, true, 4, 100), open(&kept, false, 4, 100));
        for message in ["a", "b"] {
            one.push(Bytes::from(message));
            two.push(Bytes::from("other"));
        }
        one.end();
        let events = |from: u64| [(1, Bytes::from("a")), (2, Bytes::from("b"))].into_iter().skip(from as usize);
        assert_eq!(rest(kept.after(id(1, 0)).unwrap()).await, events(0).collect::<Vec<_>>());
        assert_eq!(rest(kept.after(id(1, 1)).unwrap()).await, events(1).collect::<Vec<_>>());
        assert_eq!(rest(kept.after(id(1, 99)).unwrap()).await, []);
        assert!(kept.after(id(3, 0)).is_none());
        assert!(kept.after(EventId { purpose: Purpose::News, ..id(1, 0) }).is_none(), "a stream of another kind");
    }

    #[tokio::test]
    async fn what_is_too_much_goes_from_the_front() {
        let (budget, kept) = kept(1000);
        let stream = open(&kept, false, 1, 5);
        for message in ["aaa", "bbb", "cccccccc"] {
            stream.push(Bytes::from(message));
        }
        assert_eq!(rest_of_ended(&stream).await, [(2, Bytes::from("cccccccc"))]);
        open(&kept, false, 1, 5);
        assert!(kept.after(id(1, 0)).is_none(), "the older stream should have made room");
        assert_eq!(budget.used(), (8, 2));
        drop(stream);
        assert_eq!(budget.used(), (0, 1));
    }

    async fn rest_of_ended(stream: &Arc<KeptStream>) -> Vec<(u64, Bytes)> {
        stream.end();
        rest(stream.reader(0)).await
    }

    #[tokio::test]
    async fn what_still_runs_makes_no_room() {
        let (_, kept) = kept(1000);
        let (one, two) = (open(&kept, true, 1, 100), open(&kept, true, 1, 100));
        two.end();
        open(&kept, true, 1, 100);
        assert!(kept.after(id(1, 0)).is_some() && kept.after(id(2, 0)).is_none());
        one.end();
        open(&kept, true, 1, 100);
        assert!(kept.after(id(1, 0)).is_none() && kept.after(id(3, 0)).is_some());
    }

    #[tokio::test]
    async fn all_sessions_share_one_budget_and_the_oldest_give_way() {
        let (budget, one) = kept(10);
        let two = Kept::new(Arc::clone(&budget));
        let (old, new) = (open(&one, true, 4, 100), open(&two, true, 4, 100));
        old.push(Bytes::from("123456"));
        old.end();
        new.push(Bytes::from("1234"));
        assert_eq!(budget.used(), (10, 2));
        new.push(Bytes::from("56789"));
        assert_eq!(budget.used(), (9, 2));
        assert!(one.after(id(1, 0)).is_none(), "the older stream should have been forgotten");
        new.push(Bytes::from("longer than all that may be kept"));
        assert_eq!(rest_of_ended(&new).await.len(), 4, "whoever speaks now keeps what it says");
        drop((one, two, old, new));
        assert_eq!(budget.used(), (0, 0));
    }

    #[tokio::test]
    async fn a_reader_waits_for_news_until_another_takes_its_place() {
        let (_, kept) = kept(1000);
        let stream = open(&kept, false, 1, 100);
        let reading = tokio::spawn(rest(stream.reader(0)));
        tokio::task::yield_now().await;
        stream.push(Bytes::from("late"));
        tokio::task::yield_now().await;
        let mut second = stream.reader(1);
        assert_eq!(reading.await.unwrap(), [(0, Bytes::from("late"))]);
        stream.push(Bytes::from("later"));
        stream.end();
        assert_eq!(second.next().await, Some((id(1, 1), Bytes::from("later"))));
        assert_eq!(second.next().await, None);
    }
}
