//! When waiting makes no sense: memory is used up, or the wait would be longer than anybody waits.
//!
//! How long a wait will be follows from how long places are held, on average over the last calls, and from how many of them
//! there are: places divided by the time each is held is what the engine serves. That holds as well while all calls are
//! long and none has ended for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// When to refuse although nobody is over a limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShedConfig {
    /// Bytes of memory beyond which no call is let in. The host says how many are used, by [`MemoryGauge::set`].
    /// Default is none.
    pub memory_bytes: Option<u64>,
}

/// The shortest and the longest time a caller is told to stay away: below a second it would come back as one of many at the
/// same time, and above a minute nobody knows.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How many bytes are in use. Clones are the same gauge.
#[derive(Clone, Debug, Default)]
pub struct MemoryGauge(Arc<AtomicU64>);

impl MemoryGauge {
    /// Says how many bytes are in use now.
    pub fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long places are held: a mean in which a call counts less with each one after it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    mean_ns: u64,
    samples: u32,
}

impl Meter {
    /// How many calls must have been seen before the mean is believed.
    const ENOUGH: u32 = 16;
    /// A new call counts one part of these.
    const WEIGHT: u64 = 32;

    pub(crate) fn note(&mut self, held: Duration) {
        let held = u64::try_from(held.as_nanos()).unwrap_or(u64::MAX);
        // The first calls count alike, so that the first of all is not remembered for long.
        let weight = Self::WEIGHT.min(u64::from(self.samples) + 1);
        self.mean_ns = (self.mean_ns / weight).saturating_mul(weight - 1).saturating_add(held / weight);
        self.samples = self.samples.saturating_add(1);
    }

    /// How long it takes until `calls` are served by `places`; none as long as nobody can say.
    pub(crate) fn expected(&self, calls: usize, places: usize) -> Option<Duration> {
        if self.samples < Self::ENOUGH {
            return None;
        }
        let calls = u64::try_from(calls).unwrap_or(u64::MAX);
        let places = u64::try_from(places.max(1)).unwrap_or(u64::MAX);
        Some(Duration::from_nanos((self.mean_ns / places).saturating_mul(calls)))
    }
}

/// When to come back, if that is how long it takes until the work before is done.
pub(crate) fn retry_after(expected: Option<Duration>) -> Duration {
    let (least, most) = RETRY_AFTER;
    expected.unwrap_or(least).clamp(least, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_mean_follows_what_calls_take() {
        let mut meter = Meter::default();
        for _ in 0..15 {
            meter.note(10 * MS);
            assert_eq!(meter.expected(1, 1), None);
        }
        meter.note(10 * MS);
        let near = |expected: Duration, real: Duration| {
            let (expected, real) = (expected.as_secs_f64(), real.as_secs_f64());
            assert!((expected - real).abs() < real * 0.05, "{expected} {real}");
        };
        near(meter.expected(1, 1).unwrap(), 10 * MS);
        near(meter.expected(100, 4).unwrap(), 250 * MS);
        for _ in 0..200 {
            meter.note(1_000 * MS);
        }
        near(meter.expected(1, 1).unwrap(), 1_000 * MS);
        meter.note(Duration::MAX);
        assert!(meter.expected(usize::MAX, 0).unwrap() > Duration::from_secs(60));
    }

    #[test]
    fn nobody_is_told_to_come_back_at_once_or_never() {
        assert_eq!(retry_after(None), Duration::from_secs(1));
        assert_eq!(retry_after(Some(MS)), Duration::from_secs(1));
        assert_eq!(retry_after(Some(5_500 * MS)), Duration::from_millis(5_500));
        assert_eq!(retry_after(Some(Duration::MAX)), Duration::from_secs(60));
    }
}
