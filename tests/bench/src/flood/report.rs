//! What the gentle caller saw, for people and as JSON.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Arguments;
use crate::stats::{median, percentile};

/// One round without the flood and one with it.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    alone: Latency,
    beside: Latency,
    /// The flood's answers a second.
    flood: f64,
    /// Those of them that were refusals, in all.
    refused: u64,
}

/// In milliseconds.
#[derive(Clone, Copy, Debug)]
struct Latency {
    p50: f64,
    p99: f64,
}

impl Latency {
    fn of(mut microseconds: Vec<u32>) -> Self {
        let mut at = |quantile| percentile(&mut microseconds, quantile).map_or(f64::NAN, |us| f64::from(us) / 1e3);
        Self { p50: at(0.50), p99: at(0.99) }
    }
}

impl Round {
    pub fn new(alone: Vec<u32>, beside: Vec<u32>, flood: f64, refused: u64) -> Self {
        Self { alone: Latency::of(alone), beside: Latency::of(beside), flood, refused }
    }

    fn ratio(&self) -> f64 {
        self.beside.p99 / self.alone.p99
    }

    /// For people.
    pub fn line(&self) -> String {
        format!(
            "p99 {:.1} ms alone, {:.1} ms beside a flood of {:.0} calls/s: {:.2} times (p50 {:.1} and {:.1} ms)",
            self.alone.p99,
            self.beside.p99,
            self.flood,
            self.ratio(),
            self.alone.p50,
            self.beside.p50
        )
    }
}

/// A whole run.
pub struct Report {
    pub cores: usize,
    pub per_caller: usize,
    pub connections: usize,
    pub turns: u64,
    pub rounds: Vec<Round>,
}

impl Report {
    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        median(&self.rounds.iter().map(of).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    }

    fn ratio(&self) -> f64 {
        self.median(Round::ratio)
    }

    /// A few lines for people.
    pub fn text(&self) -> String {
        let refused: u64 = self.rounds.iter().map(|round| round.refused).sum();
        format!(
            "\nflood: {} connections without a pause, {} calls of a caller at once, {} cores\n\n\
             the gentle caller       alone     beside the flood\n\
             p50 (ms)           {:>10.1} {:>20.1}\n\
             p99 (ms)           {:>10.1} {:>20.1}\n\n\
             the flood: {:.0} answers/s, {refused} refused\n\
             fairness: p99 beside the flood is {:.2} times that without it (median of {} rounds)\n",
            self.connections,
            self.per_caller,
            self.cores,
            self.median(|round| round.alone.p50),
            self.median(|round| round.beside.p50),
            self.median(|round| round.alone.p99),
            self.median(|round| round.beside.p99),
            self.median(|round| round.flood),
            self.ratio(),
            self.rounds.len()
        )
    }

    /// The same as one line of JSON.
    pub fn json(&self) -> Value {
        json!({
            "bench": "flood",
            "cores": self.cores,
            "per_caller": self.per_caller,
            "connections": self.connections,
            "turns": self.turns,
            "alone_p99_ms": self.median(|round| round.alone.p99),
            "beside_p99_ms": self.median(|round| round.beside.p99),
            "flood_per_second": self.median(|round| round.flood),
            "refused": self.rounds.iter().map(|round| round.refused).sum::<u64>(),
            "ratios": self.rounds.iter().map(Round::ratio).collect::<Vec<_>>(),
            "ratio": self.ratio(),
        })
    }

    /// # Errors
    /// When the flood made the gentle caller wait longer than asked for, or was none.
    pub fn assert_fair(&self, arguments: &Arguments) -> Result<()> {
        let Some(most) = arguments.assert_ratio else { return Ok(()) };
        // Two gentle callers would ask for as much.
        let gentle = 1e3 / arguments.every_ms as f64;
        if self.median(|round| round.flood) < gentle {
            bail!("that was no flood: {:.0} answers a second", self.median(|round| round.flood));
        }
        if self.ratio().is_nan() || self.ratio() > most {
            bail!("p99 beside the flood is {:.2} times that without it, {most} is the limit", self.ratio());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(beside_us: u32) -> Report {
        let round = Round::new(vec![1_000; 10], vec![beside_us; 10], 100.0, 0);
        Report { cores: 2, per_caller: 2, connections: 64, turns: 1, rounds: vec![round; 3] }
    }

    fn asking(ratio: f64) -> Arguments {
        use clap::Parser as _;
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            flood: Arguments,
        }
        let ratio = ratio.to_string();
        Cli::parse_from(["flood", "--assert-ratio", ratio.as_str()]).flood
    }

    #[test]
    fn the_limit_is_about_the_p99_with_and_without() {
        report(1_900).assert_fair(&asking(2.0)).unwrap();
        let error = report(2_100).assert_fair(&asking(2.0)).unwrap_err().to_string();
        assert!(error.contains("2.10 times"), "{error}");
        assert!(report(1_500).text().contains("1.50 times"), "{}", report(1_500).text());
        let none = Report { rounds: Vec::new(), ..report(1_000) };
        assert!(none.assert_fair(&asking(2.0)).is_err());
    }

    #[test]
    fn what_is_no_flood_proves_nothing() {
        let round = Round::new(vec![1_000], vec![1_000], 3.0, 0);
        let report = Report { rounds: vec![round], ..report(1_000) };
        assert!(report.assert_fair(&asking(2.0)).unwrap_err().to_string().contains("no flood"));
    }
}
