//! Judges answers as they come: which failed, when a version first answered, and whether an old one came back.

use std::time::Duration;

use tokio::time::Instant;

use super::load::Answer;
use super::plugin::Version;

/// Failures whose text is kept.
const KEPT_FAILURES: usize = 5;

/// Everything seen so far.
pub struct Verdict {
    state: State,
    calls: usize,
    failed: usize,
    failures: Vec<String>,
    latencies: Vec<u32>,
    latest_start: Duration,
    reload_times: Vec<Duration>,
}

enum State {
    /// The version answers since a time; a call sent after it that gets another answer has failed.
    Settled { version: Version, since: Option<Instant> },
    /// The file was replaced at a time; both versions may answer. Only a call sent since then tells that the next one is
    /// in place: it has been before, and a slow call may still end on it.
    Replacing { next: Version, at: Instant },
}

impl Verdict {
    /// Expects `version` from the first answer on.
    pub fn new(version: Version) -> Self {
        Self {
            state: State::Settled { version, since: None },
            calls: 0,
            failed: 0,
            failures: Vec::new(),
            latencies: Vec::new(),
            latest_start: Duration::ZERO,
            reload_times: Vec::new(),
        }
    }

    /// From now on `next` may answer too; `at` is the time just before the rename.
    pub fn replaced(&mut self, at: Instant, next: Version) {
        self.state = State::Replacing { next, at };
    }

    /// Takes one answer; the time from the replacement to this answer if it is the first one of the new version.
    pub fn observe(&mut self, answer: &Answer) -> Option<Duration> {
        self.calls += 1;
        self.latest_start = self.latest_start.max(answer.sent.saturating_duration_since(answer.due));
        let latency = answer.received.saturating_duration_since(answer.due);
        self.latencies.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        let version = match &answer.text {
            Ok(text) => Version::from_text(text).ok_or_else(|| format!("answered {text:?}")),
            Err(error) => Err(error.clone()),
        };
        let version = match version {
            Ok(version) => version,
            Err(error) => {
                self.fail(error);
                return None;
            }
        };
        match self.state {
            State::Replacing { next, at } if version == next && answer.sent >= at => {
                self.state = State::Settled { version, since: Some(answer.received) };
                let took = answer.received.saturating_duration_since(at);
                self.reload_times.push(took);
                Some(took)
            }
            State::Settled { version: expected, since }
                if version != expected && since.is_none_or(|since| answer.sent > since) =>
            {
                self.fail(format!("{version} answered a call sent after {expected} was in place"));
                None
            }
            _ => None,
        }
    }

    fn fail(&mut self, what: String) {
        self.failed += 1;
        if self.failures.len() < KEPT_FAILURES {
            self.failures.push(what);
        }
    }

    pub fn calls(&self) -> usize {
        self.calls
    }

    pub fn failed(&self) -> usize {
        self.failed
    }

    /// The first few failures.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Of every call, from when it was due to its answer, in microseconds.
    pub fn latencies(&self) -> &[u32] {
        &self.latencies
    }

    /// The longest a call was sent after it was due.
    pub fn latest_start(&self) -> Duration {
        self.latest_start
    }

    /// From each rename to the new version's first answer.
    pub fn reload_times(&self) -> &[Duration] {
        &self.reload_times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(start: Instant, sent_ms: u64, received_ms: u64, text: Result<&str, &str>) -> Answer {
        let at = |ms| start + Duration::from_millis(ms);
        let text = text.map(str::to_owned).map_err(str::to_owned);
        Answer { due: start, sent: at(sent_ms), received: at(received_ms), text }
    }

    #[test]
    fn the_first_answer_of_the_new_version_gives_the_time() {
        let start = Instant::now();
        let mut verdict = Verdict::new(Version::V1);
        assert_eq!(verdict.observe(&answer(start, 0, 1, Ok("v1"))), None);
        verdict.replaced(start + Duration::from_millis(10), Version::V2);
        assert_eq!(verdict.observe(&answer(start, 11, 12, Ok("v1"))), None);
        assert_eq!(verdict.observe(&answer(start, 13, 60, Ok("v2"))), Some(Duration::from_millis(50)));
        assert_eq!(verdict.observe(&answer(start, 61, 62, Ok("v2"))), None);
        assert_eq!((verdict.calls(), verdict.failed(), verdict.reload_times().len()), (4, 0, 1));
        assert_eq!(verdict.latest_start(), Duration::from_millis(61));
        assert_eq!(verdict.latencies(), [1000, 12000, 60000, 62000]);
    }

    #[test]
    fn a_call_in_flight_may_end_on_the_old_version_but_no_later_one() {
        let start = Instant::now();
        let mut verdict = Verdict::new(Version::V1);
        verdict.replaced(start, Version::V2);
        verdict.observe(&answer(start, 1, 20, Ok("v2")));
        verdict.observe(&answer(start, 19, 25, Ok("v1")));
        assert_eq!(verdict.failed(), 0);
        verdict.observe(&answer(start, 21, 25, Ok("v1")));
        assert_eq!(verdict.failures(), ["v1 answered a call sent after v2 was in place"]);
    }

    #[test]
    fn every_other_answer_is_a_failure() {
        let start = Instant::now();
        let mut verdict = Verdict::new(Version::V1);
        verdict.observe(&answer(start, 0, 1, Ok("v3")));
        verdict.observe(&answer(start, 0, 1, Err("connection reset")));
        verdict.observe(&answer(start, 0, 1, Ok("v2")));
        assert_eq!((verdict.calls(), verdict.failed()), (3, 3));
        assert_eq!(verdict.failures()[..2], [r#"answered "v3""#, "connection reset"]);
    }
}
