//! What a call holds while it runs or waits, and what gives it back.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;

use super::Inner;
use super::lines::Granted;

/// A place in the engine. Dropping it gives it to the next.
#[must_use]
pub struct Place {
    queue: Option<Arc<Inner>>,
    line: usize,
    /// When it was given, for every eighth place: reading the clock is half of what an empty queue costs.
    since: Option<Instant>,
}

impl Place {
    pub(super) fn new(queue: Arc<Inner>, granted: Granted) -> Self {
        Self { queue: Some(queue), line: granted.line, since: granted.timed.then(Instant::now) }
    }

    /// Takes the place out of its holder, which then gives nothing back.
    fn take(&mut self) -> Option<(Arc<Inner>, usize)> {
        self.queue.take().map(|queue| (queue, self.line))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.since.map(|it| it.elapsed());
        let Some((queue, mut line)) = self.take() else { return };
        // A loop and not a place that drops a place: a storm of cancelled waits would be as deep as it is long.
        loop {
            let next = queue.lock().leave(line, held.take());
            let Some((granted, waiter)) = next else { return };
            let Err(mut place) = waiter.send(Self::new(Arc::clone(&queue), granted)) else { return };
            // Nobody waits there any more. It was never held.
            match place.take() {
                Some((_, back)) => line = back,
                None => return,
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("line", &self.line).finish_non_exhaustive()
    }
}

/// A call that waits. Dropping it leaves the line, if it has not been served.
pub(super) struct Waiting<'a> {
    pub(super) queue: &'a Inner,
    pub(super) line: usize,
    pub(super) ticket: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.queue.lock().forget(self.line, self.ticket);
    }
}
