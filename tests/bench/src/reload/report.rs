//! What a reload run found, for people and for programs.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Plan;
use super::verdict::Verdict;
use crate::stats::{maximum, median, percentile};

/// The median time from the rename to the new version's first answer may not be longer.
const MEDIAN_LIMIT_MS: f64 = 250.0;
/// Less of the rate than this and the load was not the one asked for.
const RATE_SHARE: f64 = 0.98;

/// A whole run.
pub struct Report {
    rate: u32,
    connections: usize,
    seconds: f64,
    calls: usize,
    failed: usize,
    failures: Vec<String>,
    p50_us: u32,
    p99_us: u32,
    max_us: u32,
    latest_start: Duration,
    reload_ms: Vec<f64>,
}

impl Report {
    pub fn new(plan: &Plan, verdict: Verdict, elapsed: Duration) -> Self {
        let mut latencies = verdict.latencies().to_vec();
        let mut latency = |quantile| percentile(&mut latencies, quantile).unwrap_or_default();
        Self {
            rate: plan.rate,
            connections: plan.connections,
            seconds: elapsed.as_secs_f64(),
            calls: verdict.calls(),
            failed: verdict.failed(),
            failures: verdict.failures().to_vec(),
            p50_us: latency(0.50),
            p99_us: latency(0.99),
            max_us: latency(1.0),
            latest_start: verdict.latest_start(),
            reload_ms: verdict.reload_times().iter().map(|time| time.as_secs_f64() * 1e3).collect(),
        }
    }

    fn calls_per_second(&self) -> f64 {
        self.calls as f64 / self.seconds
    }

    fn median_ms(&self) -> f64 {
        median(&self.reload_ms).unwrap_or(f64::NAN)
    }

    fn max_ms(&self) -> f64 {
        maximum(&self.reload_ms).unwrap_or(f64::NAN)
    }

    /// A few lines for people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "\nreload under load: {} calls/s asked for, {:.0} calls/s sent over {} connections for {:.1} s\n\n",
            self.rate,
            self.calls_per_second(),
            self.connections,
            self.seconds
        );
        text.push_str(&format!("calls         {:>8}\nfailed        {:>8}\n", self.calls, self.failed));
        text.push_str(&format!("replacements  {:>8}\n", self.reload_ms.len()));
        text.push_str(&format!(
            "rename to the new version's first answer: median {:.0} ms, max {:.0} ms\n",
            self.median_ms(),
            self.max_ms()
        ));
        text.push_str(&format!(
            "latency from when a call was due: p50 {} µs, p99 {} µs, max {} µs; latest start {} µs\n",
            self.p50_us,
            self.p99_us,
            self.max_us,
            self.latest_start.as_micros()
        ));
        for failure in &self.failures {
            text.push_str(&format!("failed: {failure}\n"));
        }
        text
    }

    /// The same as one line of JSON.
    pub fn json(&self) -> Value {
        json!({
            "bench": "reload",
            "plan": {"rate": self.rate, "connections": self.connections},
            "seconds": self.seconds,
            "calls": self.calls,
            "calls_per_second": self.calls_per_second(),
            "failed": self.failed,
            "p50_us": self.p50_us,
            "p99_us": self.p99_us,
            "max_us": self.max_us,
            "latest_start_us": self.latest_start.as_micros() as u64,
            "replacements": self.reload_ms.len(),
            "reload_ms": {"median": self.median_ms(), "max": self.max_ms(), "all": self.reload_ms},
        })
    }

    /// # Errors
    /// When a call failed.
    pub fn assert_nothing_failed(&self) -> Result<()> {
        if self.failed > 0 {
            bail!("{} of {} calls failed", self.failed, self.calls);
        }
        Ok(())
    }

    /// # Errors
    /// When the load was lower than asked for, or the new version took too long.
    pub fn assert_in_time(&self) -> Result<()> {
        if self.calls_per_second() < f64::from(self.rate) * RATE_SHARE {
            bail!("only {:.0} of {} calls per second could be sent", self.calls_per_second(), self.rate);
        }
        if self.median_ms().is_nan() || self.median_ms() > MEDIAN_LIMIT_MS {
            bail!(
                "the new version answered after {:.0} ms (median), {MEDIAN_LIMIT_MS:.0} ms is the limit",
                self.median_ms()
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            rate: 1000,
            connections: 16,
            seconds: 2.0,
            calls: 2000,
            failed: 0,
            failures: Vec::new(),
            p50_us: 300,
            p99_us: 900,
            max_us: 1200,
            latest_start: Duration::from_micros(50),
            reload_ms: vec![100.0, 900.0, 200.0],
        }
    }

    #[test]
    fn a_good_run_passes() {
        let report = report();
        report.assert_nothing_failed().unwrap();
        report.assert_in_time().unwrap();
        assert_eq!(report.json()["reload_ms"]["median"], 200.0);
        assert_eq!(report.json()["reload_ms"]["max"], 900.0);
        assert!(report.text().contains("median 200 ms, max 900 ms"), "{}", report.text());
    }

    #[test]
    fn each_limit_fails_the_run() {
        let failed = Report { failed: 1, ..report() };
        assert_eq!(failed.assert_nothing_failed().unwrap_err().to_string(), "1 of 2000 calls failed");
        let cases = [
            (Report { calls: 1900, ..report() }, "only 950 of 1000"),
            (Report { reload_ms: vec![251.0], ..report() }, "after 251 ms"),
            (Report { reload_ms: Vec::new(), ..report() }, "NaN"),
        ];
        for (report, expected) in cases {
            let error = report.assert_in_time().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
