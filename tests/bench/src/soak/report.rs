//! How a run went, for people and as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::load::KINDS;
use super::tally::Tally;
use super::watch::{Sample, Trend, trends};
use crate::stats::{maximum, median, percentile};

/// What must have happened at least once, or the run has shown nothing.
const NEEDED: [&str; 5] = ["plugin", "certificate", "signing key", "key taken", "key refused"];

/// A whole run.
pub struct Report {
    seconds: f64,
    right: BTreeMap<&'static str, u64>,
    wrong: u64,
    texts: Vec<String>,
    /// How often, and milliseconds to the effect: median and maximum.
    effects: BTreeMap<&'static str, (usize, f64, f64)>,
    p50_us: u32,
    p99_us: u32,
    trends: Vec<Trend>,
    exports: usize,
    audit: Result<String, String>,
}

impl Report {
    pub fn new(
        tally: &Tally,
        samples: &[Sample],
        time: Duration,
        exports: usize,
        audit: Result<String, String>,
    ) -> Self {
        let mut inner = tally.locked();
        let effects = inner.effects.iter().map(|(what, times)| {
            let middle = median(times).unwrap_or_default();
            (*what, (times.len(), middle, maximum(times).unwrap_or_default()))
        });
        let effects = effects.collect();
        let mut latency = |quantile| percentile(&mut inner.latencies, quantile).unwrap_or_default();
        let (p50_us, p99_us) = (latency(0.50), latency(0.99));
        Self {
            seconds: time.as_secs_f64(),
            right: inner.right.clone(),
            wrong: inner.wrong,
            texts: inner.texts.clone(),
            effects,
            p50_us,
            p99_us,
            trends: trends(samples),
            exports,
            audit,
        }
    }

    fn calls(&self) -> u64 {
        KINDS.iter().filter_map(|kind| self.right.get(kind)).sum()
    }

    /// What speaks against the host, or against the run.
    fn complaints(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.wrong > 0 {
            all.push(format!("{} things were not as they had to be, first: {}", self.wrong, self.texts.join("; ")));
        }
        let unseen = KINDS.iter().filter(|kind| !self.right.contains_key(*kind));
        all.extend(unseen.map(|kind| format!("no call of the kind `{kind}` was answered")));
        let missing = NEEDED.iter().filter(|what| !self.effects.contains_key(*what));
        all.extend(missing.map(|what| format!("no change of the kind `{what}` was seen; choose a longer time")));
        let grown = self.trends.iter().filter(|trend| !trend.is_flat());
        all.extend(grown.map(|trend| format!("{} grew from {:.0} to {:.0}", trend.name, trend.early, trend.late)));
        if self.trends.is_empty() {
            all.push("the host could not be watched".to_owned());
        }
        if let Err(said) = &self.audit {
            all.push(format!("the audit log is not whole: {said}"));
        }
        if self.exports == 0 {
            all.push("no telemetry was exported".to_owned());
        }
        all
    }

    /// Whether all was as it had to be.
    pub fn is_good(&self) -> bool {
        self.complaints().is_empty()
    }

    /// A table for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "\nsoak: {} calls in {:.0} s, {} wrong; latency from when a call was due: p50 {} µs, p99 {} µs\n\n",
            self.calls(),
            self.seconds,
            self.wrong,
            self.p50_us,
            self.p99_us
        );
        for (what, count) in &self.right {
            text.push_str(&format!("{what:<28} {count:>9} right\n"));
        }
        text.push_str("\nchange                        times    median       max\n");
        for (what, (count, middle, most)) in &self.effects {
            text.push_str(&format!("{what:<26} {count:>8} {middle:>6.0} ms {most:>6.0} ms\n"));
        }
        text.push_str("\nthe host           second fifth    last fifth\n");
        for trend in &self.trends {
            let (unit, name) =
                if trend.name == "memory" { (1024.0 * 1024.0, "memory (MiB)") } else { (1.0, trend.name) };
            text.push_str(&format!("{name:<18} {:>12.1} {:>13.1}\n", trend.early / unit, trend.late / unit));
        }
        let audit = self.audit.as_ref().map_or_else(|said| said.as_str(), |said| said.as_str());
        text.push_str(&format!("\n{} exports of telemetry; {audit}\n", self.exports));
        for complaint in self.complaints() {
            text.push_str(&format!("failed: {complaint}\n"));
        }
        text
    }

    /// The same as one line of JSON.
    pub fn json(&self) -> Value {
        let effects: serde_json::Map<_, _> = self
            .effects
            .iter()
            .map(|(what, (count, middle, most))| {
                ((*what).to_owned(), json!({ "count": count, "median_ms": middle, "max_ms": most }))
            })
            .collect();
        let host: serde_json::Map<_, _> = self
            .trends
            .iter()
            .map(|trend| (trend.name.to_owned(), json!({ "second_fifth": trend.early, "last_fifth": trend.late })))
            .collect();
        json!({
            "bench": "soak",
            "seconds": self.seconds,
            "calls": self.calls(),
            "wrong": self.wrong,
            "p50_us": self.p50_us,
            "p99_us": self.p99_us,
            "right": self.right,
            "changes": effects,
            "host": host,
            "audit_whole": self.audit.is_ok(),
            "failed": self.complaints(),
        })
    }

    /// # Errors
    /// When anything was wrong.
    pub fn assert_good(&self) -> Result<()> {
        match self.complaints().first() {
            Some(first) => bail!("the soak failed: {first}"),
            None => Ok(()),
        }
    }
}
