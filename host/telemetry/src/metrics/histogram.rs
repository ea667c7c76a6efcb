//! A histogram of durations without a lock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Upper bounds in seconds for whole calls; the last bucket has none. From half a millisecond, because an echo takes
/// less than one, to the longest deadline there is by default.
pub(crate) const CALLS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
/// Upper bounds in seconds for waiting and for making an instance, which are shorter.
pub(crate) const STEPS: &[f64] =
    &[0.000_01, 0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Counts durations by bucket. A clone is the same histogram.
///
/// The crate's own takes a lock for each observation, which all calls of a tool would meet in. Here each is three
/// additions; a reader between them may see a sum that is one observation ahead, which no one can tell from a call that
/// ended a moment later.
#[derive(Clone)]
pub(crate) struct Durations {
    bounds: &'static [f64],
    inner: Arc<Inner>,
}

struct Inner {
    micros: AtomicU64,
    /// One for each bound and one beyond.
    buckets: Vec<AtomicU64>,
}

impl Durations {
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, inner: Arc::new(Inner { micros: AtomicU64::new(0), buckets }) }
    }

    pub(crate) fn calls() -> Self {
        Self::new(CALLS)
    }

    pub(crate) fn steps() -> Self {
        Self::new(STEPS)
    }

    pub(crate) fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let at = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = self.inner.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.inner.micros.fetch_add(micros, Ordering::Relaxed);
    }
}

impl fmt::Debug for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Durations").finish_non_exhaustive()
    }
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder) -> Result<(), fmt::Error> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> =
            bounds.zip(&self.inner.buckets).map(|(bound, count)| (bound, count.load(Ordering::Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        // Whole microseconds stay exact up to 2^53 of them, 285 years of calls.
        #[allow(clippy::cast_precision_loss)]
        let sum = self.inner.micros.load(Ordering::Relaxed) as f64 / 1e6;
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}
