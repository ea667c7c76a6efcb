//! How much an endpoint has to do: requests answered, sessions, open streams. For whoever counts, without asking.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use http::StatusCode;

/// The counts of one endpoint or of several. Cheap to clone; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// By the first digit of the status, from 1.
    answered: [AtomicU64; 5],
    sessions: AtomicI64,
    streams: AtomicI64,
}

/// What is counted for as long as this is kept.
#[derive(Debug)]
pub(super) struct Open(Traffic, fn(&Counts) -> &AtomicI64);

impl Traffic {
    /// Requests answered so far, by the first digit of the status: from 1 to 5.
    pub fn answered(&self) -> [u64; 5] {
        let [a, b, c, d, e] = &self.0.answered;
        [a, b, c, d, e].map(|count| count.load(Ordering::Relaxed))
    }

    /// Sessions of the handshake era that are open.
    pub fn sessions(&self) -> i64 {
        self.0.sessions.load(Ordering::Relaxed)
    }

    /// Event streams that are open.
    pub fn streams(&self) -> i64 {
        self.0.streams.load(Ordering::Relaxed)
    }

    pub(super) fn answer(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).wrapping_sub(1);
        if let Some(count) = self.0.answered.get(class) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn session(&self) -> Open {
        self.open(|counts| &counts.sessions)
    }

    pub(super) fn stream(&self) -> Open {
        self.open(|counts| &counts.streams)
    }

    fn open(&self, which: fn(&Counts) -> &AtomicI64) -> Open {
        which(&self.0).fetch_add(1, Ordering::Relaxed);
        Open(self.clone(), which)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Self(Traffic(counts), which) = self;
        which(counts).fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_counts_until_it_is_dropped() {
        let traffic = Traffic::default();
        let (session, stream) = (traffic.session(), traffic.stream());
        for status in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::OK] {
            traffic.answer(status);
        }
        assert_eq!((traffic.answered(), traffic.sessions(), traffic.streams()), ([0, 2, 0, 1, 0], 1, 1));
        drop((session, stream));
        assert_eq!((traffic.sessions(), traffic.streams()), (0, 0));
    }
}
