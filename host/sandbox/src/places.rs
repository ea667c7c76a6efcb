//! Places: how many calls run at once.
//!
//! A call that waits for another tool keeps its place, so the other one must not need a place of the same kind: with one
//! place, a tool that calls itself would wait for ever. Places are counted apart for each depth of calls between tools. A call
//! of one depth waits for places of the next alone, and those of the last depth wait for none, so somebody always gets on.

use super::error::CallFailure;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How deep calls between tools go: a tool, called by a tool, called by a tool … Nobody builds more than two.
pub const MAX_PEER_DEPTH: usize = 4;

/// Places for calls of clients, and for each depth below them.
pub(super) struct Places([Semaphore; MAX_PEER_DEPTH + 1]);

impl Places {
    /// As many at each depth.
    pub(super) fn of_plugin(count: usize) -> Self {
        Self(std::array::from_fn(|_| semaphore(count)))
    }

    /// So many for clients, and a reserve for each depth.
    pub(super) fn of_engine(count: u32) -> Self {
        let count = |depth: usize| if depth == 0 { count } else { reserve(count) };
        Self(std::array::from_fn(|depth| semaphore(usize::try_from(count(depth)).unwrap_or(usize::MAX))))
    }

    /// Waits for a place.
    pub(super) async fn take(&self, depth: usize) -> Result<SemaphorePermit<'_>, CallFailure> {
        let places =
            self.0.get(depth).ok_or_else(|| CallFailure::Failed("calls between tools are too deep".to_owned()))?;
        places.acquire().await.map_err(|_| CallFailure::Internal("the engine is shut down".to_owned()))
    }
}

fn semaphore(count: usize) -> Semaphore {
    Semaphore::new(count.min(Semaphore::MAX_PERMITS))
}

/// The places of the engine at each depth below the calls of clients: few calls wait for another tool at a time.
fn reserve(count: u32) -> u32 {
    (count / 8).max(1)
}

/// All calls that can be in the engine at once.
pub(super) fn in_all(count: u32) -> u32 {
    let deeper = u32::try_from(MAX_PEER_DEPTH).unwrap_or(u32::MAX);
    count.saturating_add(reserve(count).saturating_mul(deeper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_keeps_its_place_finds_one_below() {
        for places in [Places::of_plugin(1), Places::of_engine(1)] {
            let mut kept = Vec::new();
            for depth in 0..=MAX_PEER_DEPTH {
                kept.push(places.take(depth).await.unwrap());
            }
            assert!(places.take(MAX_PEER_DEPTH + 1).await.is_err());
        }
        assert_eq!(in_all(256), 384);
        assert_eq!(in_all(u32::MAX), u32::MAX);
    }
}
