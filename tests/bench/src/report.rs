//! What a throughput run found, for people and for programs.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::call::REVISION;
use crate::stats::{median, spread};
use crate::throughput::{Leg, Plan, Round};

/// The rounds of one server, in the order in which they ran.
pub struct LegReport {
    pub name: &'static str,
    pub rounds: Vec<Round>,
}

impl LegReport {
    /// How many calls this answered for each one of `to`: the median over rounds, each with its neighbour in time.
    pub fn ratio_to(&self, to: &Self) -> Option<f64> {
        let pairs: Vec<f64> = self.rate().iter().zip(to.rate()).map(|(of, to)| of / to).collect();
        median(&pairs)
    }

    /// Calls per second, the median over rounds, and how far the rounds lie apart.
    pub fn rates(&self) -> (Option<f64>, Option<f64>) {
        (median(&self.rate()), spread(&self.rate()))
    }

    /// The median over rounds of one of a round's numbers.
    pub fn middle(&self, of: impl Fn(&Round) -> f64) -> Option<f64> {
        self.median(|round| Some(of(round)))
    }

    fn values(&self, of: impl Fn(&Round) -> Option<f64>) -> Vec<f64> {
        self.rounds.iter().filter_map(of).collect()
    }

    fn median(&self, of: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
        median(&self.values(of))
    }

    fn rate(&self) -> Vec<f64> {
        self.values(|round| Some(round.calls_per_second))
    }
}

/// A whole run.
pub struct Report {
    setting: String,
    plan: Value,
    legs: Vec<LegReport>,
}

impl Report {
    pub fn new(plan: &Plan, legs: Vec<LegReport>) -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let (connections, rounds, seconds) = (plan.connections, plan.rounds, plan.measured.as_secs_f64());
        Self {
            setting: format!(
                "tools/call of echo over HTTP, revision {REVISION}: {connections} connections, median of {rounds} rounds of {seconds} s, {cores} cores"
            ),
            plan: json!({"revision": REVISION, "connections": connections, "rounds": rounds, "seconds": seconds, "cores": cores}),
            legs,
        }
    }

    fn leg(&self, leg: Leg) -> Option<&LegReport> {
        self.legs.iter().find(|report| report.name == leg.name())
    }

    fn ratio(&self, of: &LegReport, to: Leg) -> Option<f64> {
        of.ratio_to(self.leg(to)?)
    }

    /// The table, with a line on what was measured above it.
    pub fn table(&self) -> String {
        let mut text = format!("\n{}\n\n", self.setting);
        let head = ["server", "calls/s", "spread", "p50 µs", "p99 µs", "server µs", "client µs", "/ rmcp", "/ ceiling"];
        line(&mut text, head.map(str::to_owned));
        for leg in &self.legs {
            line(
                &mut text,
                [
                    leg.name.to_owned(),
                    cell(median(&leg.rate()), 0, ""),
                    cell(spread(&leg.rate()).map(|spread| spread * 100.0), 0, " %"),
                    cell(leg.median(|round| Some(round.p50_us)), 0, ""),
                    cell(leg.median(|round| Some(round.p99_us)), 0, ""),
                    cell(leg.median(|round| round.server_cpu_us), 1, ""),
                    cell(leg.median(|round| round.client_cpu_us), 1, ""),
                    cell(self.ratio(leg, Leg::Rmcp), 2, ""),
                    cell(self.ratio(leg, Leg::Ceiling), 2, ""),
                ],
            );
        }
        text.push_str("\nserver µs, client µs: CPU time per call. Every answer was checked.\n");
        text
    }

    /// The same as one line of JSON.
    pub fn json(&self) -> Value {
        let mut servers = Map::new();
        for leg in &self.legs {
            let calls: usize = leg.rounds.iter().map(|round| round.calls).sum();
            let report = json!({
                "calls": calls,
                "calls_per_second": median(&leg.rate()),
                "spread": spread(&leg.rate()),
                "p50_us": leg.median(|round| Some(round.p50_us)),
                "p99_us": leg.median(|round| Some(round.p99_us)),
                "server_cpu_us_per_call": leg.median(|round| round.server_cpu_us),
                "client_cpu_us_per_call": leg.median(|round| round.client_cpu_us),
                "ratio_to_rmcp": self.ratio(leg, Leg::Rmcp),
                "ratio_to_ceiling": self.ratio(leg, Leg::Ceiling),
            });
            servers.insert(leg.name.to_owned(), report);
        }
        json!({"bench": "throughput", "plan": self.plan, "servers": servers})
    }

    /// # Errors
    /// When Toolcell's share of the native server's calls is below `least`, or one of the two was not measured.
    pub fn assert_ratio(&self, least: f64) -> Result<()> {
        let toolcell = self.leg(Leg::Toolcell).context("--assert-ratio needs toolcell among --servers")?;
        let ratio = self.ratio(toolcell, Leg::Rmcp).context("--assert-ratio needs rmcp among --servers")?;
        if ratio.is_nan() || ratio < least {
            bail!("toolcell answers {ratio:.3} of the native server's calls, at least {least} is required");
        }
        Ok(())
    }
}

/// Several servers, a line each, with the ratio of each under `heading`.
pub fn legs_table(
    plan: &Plan,
    reports: &[LegReport],
    heading: &str,
    ratio: impl Fn(&LegReport) -> Option<f64>,
) -> String {
    let mut text = format!(
        "\ntools/call of echo over HTTP: {} connections, median of {} rounds of {} s\n\n{:<20}{:>10}{:>10}{:>10}{:>10}{:>11}{:>12}\n",
        plan.connections,
        plan.rounds,
        plan.measured.as_secs_f64(),
        "server",
        "calls/s",
        "spread",
        "p50 µs",
        "p99 µs",
        "server µs",
        heading,
    );
    for leg in reports {
        let (rate, spread) = leg.rates();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<20}{:>10}{:>10}{:>10}{:>10}{:>11}{:>12}",
            leg.name,
            cell(rate, 0, ""),
            cell(spread.map(|spread| spread * 100.0), 0, " %"),
            cell(leg.middle(|round| round.p50_us), 0, ""),
            cell(leg.middle(|round| round.p99_us), 0, ""),
            cell(leg.median(|round| round.server_cpu_us), 0, ""),
            cell(ratio(leg), 2, ""),
        );
    }
    text.push_str("\nserver µs: CPU time per call. Every answer was checked.\n");
    text
}

fn line(text: &mut String, cells: [String; 9]) {
    let [name, rest @ ..] = cells;
    // Writing to a string cannot fail.
    let _ = write!(text, "{name:<10}");
    for cell in rest {
        let _ = write!(text, "{cell:>10}");
    }
    text.push('\n');
}

fn cell(value: Option<f64>, decimals: usize, unit: &str) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(name: &'static str, rates: &[f64]) -> LegReport {
        let round = |rate: &f64| Round {
            calls: *rate as usize,
            calls_per_second: *rate,
            p50_us: 100.0,
            p99_us: 200.0,
            server_cpu_us: Some(20.0),
            client_cpu_us: None,
        };
        LegReport { name, rounds: rates.iter().map(round).collect() }
    }

    fn report(toolcell: &[f64]) -> Report {
        let legs =
            vec![leg("ceiling", &[200.0, 100.0, 200.0]), leg("rmcp", &[100.0, 50.0, 100.0]), leg("toolcell", toolcell)];
        Report::new(&Plan::new(16, 3, 1.0, 0.0).unwrap(), legs)
    }

    #[test]
    fn the_ratio_is_the_median_of_pairs() {
        // The medians are 80 and 100; the slow round of the machine hits both servers.
        let json = report(&[80.0, 45.0, 90.0]).json();
        assert_eq!(json["servers"]["toolcell"]["ratio_to_rmcp"], 0.9);
        assert_eq!(json["servers"]["toolcell"]["ratio_to_ceiling"], 0.45);
        assert_eq!(json["servers"]["rmcp"]["ratio_to_rmcp"], 1.0);
        assert_eq!(json["servers"]["rmcp"]["calls_per_second"], 100.0);
        assert_eq!(json["servers"]["rmcp"]["calls"], 250);
        assert_eq!(json["servers"]["rmcp"]["client_cpu_us_per_call"], Value::Null);
    }

    #[test]
    fn a_low_ratio_fails() {
        report(&[80.0, 40.0, 80.0]).assert_ratio(0.8).unwrap();
        let error = report(&[79.0, 39.5, 79.0]).assert_ratio(0.8).unwrap_err().to_string();
        assert!(error.contains("0.790"), "{error}");
        let alone = Report::new(&Plan::new(1, 1, 1.0, 0.0).unwrap(), vec![leg("toolcell", &[1.0])]);
        assert!(alone.assert_ratio(0.8).unwrap_err().to_string().contains("needs rmcp"));
    }

    #[test]
    fn the_table_has_a_line_per_server() {
        let table = report(&[80.0, 45.0, 90.0]).table();
        let toolcell = table.lines().find(|line| line.starts_with("toolcell")).unwrap();
        let cells: Vec<&str> = toolcell.split_whitespace().collect();
        assert_eq!(cells, ["toolcell", "80", "56", "%", "100", "200", "20.0", "-", "0.90", "0.45"]);
    }
}
