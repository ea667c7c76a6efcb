//! A model in a loop: the same caller makes the same call with the same arguments again and again.
//!
//! Calls are counted from the first of a series on, and a series ends after `within`, so a loop is noticed at the latest in
//! its second. Where the host says what the result was, a result that changes ends the series too: a poll whose answer
//! changes is no loop.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashlink::LruCache;
use tokio::time::Instant;

use crate::config::{ConfigError, within};
use crate::facts::CallFacts;
use crate::print::{Prehashed, Print, Printer};

/// How many series are watched. Beyond that the one that went on longest ago is forgotten. 16 Ki are 2 MiB.
const MAX_SERIES: usize = 16_384;

/// When a series of equal calls is a loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatConfig {
    /// How many equal calls are let in. Default is 20, which no person and no plan needs.
    pub at_most: u32,
    /// In what time. Default is 60 s.
    pub within: Duration,
    /// How long the call is refused then; afterwards the count begins anew. Default is 10 s: enough that the model reads
    /// why, and no harm to a program that meant it.
    pub pause: Duration,
}

impl Default for RepeatConfig {
    fn default() -> Self {
        Self { at_most: 20, within: Duration::from_secs(60), pause: Duration::from_secs(10) }
    }
}

/// The call was made too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeating {
    /// How often.
    pub count: u32,
    /// In what time.
    pub over: Duration,
    /// Whether the host said that the result was the same.
    pub same_result: bool,
    /// When it is let in again, from now on.
    pub retry_after: Duration,
}

/// All series. Clones share them.
#[derive(Clone, Debug)]
pub struct Repeats {
    config: RepeatConfig,
    watched: Watched,
    printer: Printer,
}

type Watched = Arc<Mutex<LruCache<Print, State, Prehashed>>>;

#[derive(Clone, Copy, Debug)]
struct State {
    first: Instant,
    count: u32,
    /// How long the series took and until when it is refused, once it is.
    refused: Option<(Duration, Instant)>,
    result: Option<u128>,
}

impl State {
    fn new(now: Instant) -> Self {
        Self { first: now, count: 0, refused: None, result: None }
    }
}

/// The series a call belongs to.
#[derive(Clone, Debug)]
pub struct Series {
    watched: Watched,
    key: Print,
}

impl Series {
    /// Takes a call back that did not run.
    pub(crate) fn give_back(&self) {
        if let Some(state) = lock(&self.watched).peek_mut(&self.key) {
            state.count = state.count.saturating_sub(1);
        }
    }

    /// Says what the call's result was, as a hash. One that differs from the last begins a new series.
    pub fn result(&self, hash: u128) {
        if let Some(state) = lock(&self.watched).peek_mut(&self.key) {
            if state.result.is_some_and(|it| it != hash) {
                *state = State { count: 1, ..State::new(Instant::now()) };
            }
            state.result = Some(hash);
        }
    }
}

impl Repeats {
    /// Nothing seen yet.
    ///
    /// # Errors
    ///
    /// A number is 0.
    pub fn new(config: RepeatConfig) -> Result<Self, ConfigError> {
        let millis = |it: Duration| u64::try_from(it.as_millis()).unwrap_or(u64::MAX);
        const DAY_MS: u64 = 86_400_000;
        within("repeat.at-most", config.at_most.into(), u32::MAX.into())?;
        within("repeat.within", millis(config.within), DAY_MS)?;
        within("repeat.pause", millis(config.pause), DAY_MS)?;
        let watched = LruCache::with_hasher(MAX_SERIES, Prehashed::default());
        Ok(Self { config, watched: Arc::new(Mutex::new(watched)), printer: Printer::default() })
    }

    /// Counts a call. None where its arguments are not told.
    ///
    /// # Errors
    ///
    /// It was made too often.
    pub fn count(&self, call: &CallFacts<'_>) -> Result<Option<Series>, Repeating> {
        let Some(hash) = call.arguments_hash else { return Ok(None) };
        let key = self.printer.of((call.principal, call.plugin, call.tool, hash));
        let now = Instant::now();
        let RepeatConfig { at_most, within, pause } = self.config;

        let mut watched = lock(&self.watched);
        if watched.get(&key).is_none() {
            watched.insert(key, State::new(now));
        }
        if let Some(state) = watched.get_mut(&key) {
            let over = match state.refused {
                Some((_, until)) => until <= now,
                None => now.duration_since(state.first) > within,
            };
            if over {
                *state = State::new(now);
            }
            if state.count >= at_most {
                let refusal = (now.duration_since(state.first), now + pause);
                let (over, until) = *state.refused.get_or_insert(refusal);
                let retry_after = until.duration_since(now);
                return Err(Repeating { count: state.count, over, same_result: state.result.is_some(), retry_after });
            }
            state.count = state.count.saturating_add(1);
        }
        Ok(Some(Series { watched: Arc::clone(&self.watched), key }))
    }

    /// How many series are remembered.
    pub fn keys(&self) -> usize {
        lock(&self.watched).len()
    }
}

fn lock(watched: &Watched) -> MutexGuard<'_, LruCache<Print, State, Prehashed>> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;
    use tokio::time::advance;

    fn call(hash: u128) -> CallFacts<'static> {
        CallFacts::new(Some("ada"), "p", "t", SystemTime::UNIX_EPOCH).with_arguments_hash(hash)
    }

    fn repeats() -> Repeats {
        Repeats::new(RepeatConfig::default()).unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_call_after_the_twentieth_is_refused_for_ten_seconds() {
        let repeats = repeats();
        for _ in 0..20 {
            assert!(repeats.count(&call(1)).is_ok());
            advance(SECOND).await;
        }
        let loops = repeats.count(&call(1)).unwrap_err();
        let expected = Repeating { count: 20, over: 20 * SECOND, same_result: false, retry_after: 10 * SECOND };
        assert_eq!(loops, expected);
        // Other arguments, another tool and another caller are other calls.
        assert!(repeats.count(&call(2)).is_ok());
        assert!(repeats.count(&CallFacts { tool: "u", ..call(1) }).is_ok());
        assert!(repeats.count(&CallFacts { principal: None, ..call(1) }).is_ok());

        // Asking again does not make it longer.
        advance(9 * SECOND).await;
        assert_eq!(repeats.count(&call(1)).unwrap_err().retry_after, SECOND);
        advance(SECOND).await;
        for _ in 0..20 {
            assert!(repeats.count(&call(1)).is_ok());
        }
        assert!(repeats.count(&call(1)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn slow_repetition_is_no_loop() {
        let repeats = repeats();
        for _ in 0..200 {
            assert!(repeats.count(&call(1)).is_ok());
            advance(Duration::from_millis(3_100)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_poll_whose_result_changes_is_no_loop() {
        let repeats = repeats();
        for result in 0..100 {
            let series = repeats.count(&call(1)).unwrap().unwrap();
            series.result(result / 5);
        }
        for _ in 0..15 {
            repeats.count(&call(1)).unwrap().unwrap().result(19);
        }
        assert!(repeats.count(&call(1)).unwrap_err().same_result);
    }

    #[tokio::test(start_paused = true)]
    async fn what_did_not_run_does_not_count_and_what_is_not_told_neither() {
        let repeats = repeats();
        let untold = CallFacts::new(Some("ada"), "p", "t", SystemTime::UNIX_EPOCH);
        for _ in 0..100 {
            repeats.count(&call(1)).unwrap().unwrap().give_back();
            assert!(repeats.count(&untold).unwrap().is_none());
        }
        assert_eq!(repeats.keys(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_watched_is_bounded() {
        let repeats = repeats();
        for hash in 0..100_000 {
            assert!(repeats.count(&call(hash)).is_ok());
        }
        assert_eq!(repeats.keys(), MAX_SERIES);
        let zero = RepeatConfig { at_most: 0, ..RepeatConfig::default() };
        assert!(matches!(Repeats::new(zero), Err(ConfigError::Zero { key: "repeat.at-most" })));
    }
}
