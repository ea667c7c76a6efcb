//! What all parts of a run say: what was right, what was wrong, and how long changes took to show.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::reload::load::Answer;
use crate::reload::plugin::Version;
use crate::reload::verdict::Verdict;

/// Wrong answers whose text is kept.
const KEPT: usize = 20;
/// Latencies kept, in turn: enough for a p99 of any run, and no more memory for a longer one.
const LATENCIES: usize = 200_000;

/// The tally of a run.
pub struct Tally(Mutex<Inner>);

/// What is in it.
pub struct Inner {
    /// Right answers, by what was asked.
    pub right: BTreeMap<&'static str, u64>,
    pub wrong: u64,
    pub texts: Vec<String>,
    /// From a change to its effect.
    pub effects: BTreeMap<&'static str, Vec<f64>>,
    pub latencies: Vec<u32>,
    pub verdict: Verdict,
    next: usize,
}

impl Tally {
    /// `version` of the plugin is in place.
    pub fn new(version: Version) -> Self {
        Self(Mutex::new(Inner {
            right: BTreeMap::new(),
            wrong: 0,
            texts: Vec::new(),
            effects: BTreeMap::new(),
            latencies: Vec::new(),
            verdict: Verdict::new(version),
            next: 0,
        }))
    }

    pub fn locked(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was as it had to be.
    pub fn right(&self, what: &'static str) {
        *self.locked().right.entry(what).or_default() += 1;
    }

    /// A call was answered rightly after this time.
    pub fn answered(&self, what: &'static str, latency: Duration) {
        let mut inner = self.locked();
        *inner.right.entry(what).or_default() += 1;
        let latency = u32::try_from(latency.as_micros()).unwrap_or(u32::MAX);
        let next = inner.next;
        match inner.latencies.get_mut(next) {
            Some(slot) => *slot = latency,
            None => inner.latencies.push(latency),
        }
        inner.next = (next + 1) % LATENCIES;
    }

    /// Something was not as it had to be.
    pub fn wrong(&self, text: String) {
        eprintln!("wrong: {text}");
        let mut inner = self.locked();
        inner.wrong += 1;
        if inner.texts.len() < KEPT {
            inner.texts.push(text);
        }
    }

    /// A change showed after this time, which must not be more than `limit`.
    pub fn took(&self, what: &'static str, time: Duration, limit: Duration) {
        self.locked().effects.entry(what).or_default().push(time.as_secs_f64() * 1e3);
        if time > limit {
            self.wrong(format!("{what} took {} ms, {} ms is the limit", time.as_millis(), limit.as_millis()));
        }
    }

    /// The plugin that changes has answered; whether that was a new version's first answer.
    pub fn version(&self, answer: &Answer) -> bool {
        let mut inner = self.locked();
        let failed = inner.verdict.failed();
        let first = inner.verdict.observe(answer).is_some();
        if inner.verdict.failed() > failed {
            drop(inner);
            self.wrong(format!("the plugin that changes: {:?} is not what it had to answer", answer.text));
        }
        first
    }

    /// One line on how it goes.
    pub fn line(&self) -> String {
        let inner = self.locked();
        let of = |name: &str| inner.right.get(name).copied().unwrap_or_default();
        let calls: u64 = super::load::KINDS.iter().map(|kind| of(kind)).sum();
        let changes: Vec<String> =
            inner.effects.iter().map(|(what, times)| format!("{} {what}", times.len())).collect();
        format!("{calls} calls right, {} wrong; {}", inner.wrong, changes.join(", "))
    }
}
