//! What all sessions of an endpoint keep together, so that many small hoards make no large one.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::kept::KeptStream;

/// Bytes that may be kept, and who keeps them.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    used: AtomicUsize,
    streams: Mutex<Streams>,
}

/// Every stream there is, oldest first.
#[derive(Debug, Default)]
struct Streams {
    last: u64,
    all: BTreeMap<u64, Weak<KeptStream>>,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0), streams: Mutex::default() })
    }

    /// Makes a stream known under a number of its own.
    pub(super) fn enter(&self, make: impl FnOnce(u64) -> KeptStream) -> Arc<KeptStream> {
        let mut streams = self.lock();
        streams.last += 1;
        let number = streams.last;
        let stream = Arc::new(make(number));
        streams.all.insert(number, Arc::downgrade(&stream));
        stream
    }

    /// A stream is gone, and what it kept.
    pub(super) fn leave(&self, number: u64, bytes: usize) {
        self.lock().all.remove(&number);
        self.give_back(bytes);
    }

    /// `by` keeps that much more; if it is too much, the oldest others forget what they keep.
    pub(super) fn take(&self, bytes: usize, by: u64) {
        let mut used = self.used.fetch_add(bytes, Ordering::AcqRel) + bytes;
        let mut after = 0;
        while used > self.limit {
            // Neither lock is held while the other is taken.
            let Some((number, stream)) = self.next(after) else { return };
            after = number;
            if number != by
                && let Some(stream) = stream.upgrade()
            {
                self.give_back(stream.forget());
            }
            used = self.used.load(Ordering::Acquire);
        }
    }

    /// Something is no longer kept.
    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::AcqRel);
    }

    fn next(&self, after: u64) -> Option<(u64, Weak<KeptStream>)> {
        let streams = self.lock();
        streams.all.range((Excluded(after), Unbounded)).next().map(|(number, stream)| (*number, Weak::clone(stream)))
    }

    fn lock(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes are kept, in how many streams.
    #[cfg(test)]
    pub(super) fn used(&self) -> (usize, usize) {
        (self.used.load(Ordering::Acquire), self.lock().all.len())
    }
}
