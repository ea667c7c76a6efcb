//! What a process says, kept for whoever waits for a line and for the report of a failed test.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::DEADLINE;

/// The lines of one stream so far. Cheap to clone; all clones are the same log.
#[derive(Clone, Default)]
pub struct Log(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    ended: bool,
}

/// A place in a log: what was said before it does not count.
#[derive(Clone, Copy)]
pub struct Mark(usize);

impl Log {
    /// Reads a stream to its end on a thread of its own.
    #[must_use]
    pub fn follow(stream: impl Read + Send + 'static) -> Self {
        let log = Self::default();
        let writer = log.clone();
        thread::spawn(move || {
            let mut lines = BufReader::new(stream);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                writer.lock().lines.push(text);
                writer.0.more.notify_all();
            }
            writer.lock().ended = true;
            writer.0.more.notify_all();
        });
        log
    }

    /// The end of what has been said so far.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.lock().lines.len())
    }

    /// The first line since the mark that has all these parts; waits for it.
    ///
    /// # Panics
    ///
    /// If the stream ends or [`DEADLINE`] passes without such a line; the text has all that was said.
    pub fn wait_for(&self, since: Mark, parts: &[&str]) -> String {
        let late = Instant::now() + DEADLINE;
        let mut state = self.lock();
        let mut next = since.0;
        loop {
            if let Some(line) = state.lines[next..].iter().find(|line| parts.iter().all(|part| line.contains(part))) {
                return line.clone();
            }
            next = state.lines.len();
            let left = late.saturating_duration_since(Instant::now());
            let why = if state.ended { "the stream ended" } else { "time is up" };
            assert!(
                !state.ended && !left.is_zero(),
                "waiting for a line with {parts:?}: {why}; it said:\n{}",
                state.lines.join("\n")
            );
            state = self.0.more.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the stream has ended.
    ///
    /// # Panics
    ///
    /// If [`DEADLINE`] passes first.
    pub fn wait_for_end(&self) {
        let late = Instant::now() + DEADLINE;
        let mut state = self.lock();
        while !state.ended {
            let left = late.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waiting for the end: time is up; it said:\n{}", state.lines.join("\n"));
            state = self.0.more.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// All that was said since the mark.
    #[must_use]
    pub fn since(&self, mark: Mark) -> String {
        self.lock().lines[mark.0..].join("\n")
    }

    /// All that was said.
    #[must_use]
    pub fn all(&self) -> String {
        self.since(Mark(0))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mark {
    /// The beginning of every log.
    pub const START: Self = Self(0);

    /// One line further.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
