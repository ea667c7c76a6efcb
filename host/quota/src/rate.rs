//! How often: GCRA, the leaky bucket that needs one number for each key. The arithmetic is the crate `governor`'s; the
//! numbers are kept here, in a map of bounded size, so that a token of a call that was refused elsewhere can be given back.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use hashlink::LruCache;
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::config::ConfigError;
use crate::facts::CallFacts;
use crate::print::{Prehashed, Print, Printer};
use crate::rule::{Every, Only, Per};

/// How many keys each rate rule remembers. Beyond that the one that was heard of longest ago is forgotten, and begins
/// with a whole burst. 64 Ki callers are 4 MiB.
pub const MAX_RATE_KEYS: usize = 65_536;

/// How long a burst may take to come back. Beyond 400 days a rule is a typing error, and the arithmetic stays far from
/// the end of its 584 years.
const MAX_REFILL: Duration = Duration::from_secs(400 * 86_400);

/// Keys that are as good as new and go when a new one comes: two, so that there are fewer in the end.
const STALE_AT_ONCE: usize = 2;

/// At most so many calls in a time, evenly, and `burst` of them at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRule {
    /// What is counted together.
    pub per: Per,
    /// Whom and what it is for. Default is everybody.
    pub only: Only,
    /// How many calls. At least 1.
    pub at_most: u32,
    /// In what time.
    pub every: Every,
    /// How many of them may come at once. Default is all.
    pub burst: Option<u32>,
}

impl RateRule {
    /// A rule for everybody.
    pub fn new(per: Per, at_most: u32, every: Every) -> Self {
        Self { per, only: Only::default(), at_most, every, burst: None }
    }

    fn quota(&self) -> Result<Quota, ConfigError> {
        let wrong = |problem: &str| ConfigError::Rule { rule: self.to_string(), problem: problem.to_owned() };
        let burst = NonZeroU32::new(self.burst.unwrap_or(self.at_most));
        let (Some(at_most), Some(burst)) = (NonZeroU32::new(self.at_most), burst) else {
            return Err(wrong("0 would refuse every call; write at least 1"));
        };
        let one = self.every.duration() / at_most.get();
        let quota = Quota::with_period(one).ok_or_else(|| wrong("more than one call per nanosecond; write less"))?;
        if one.checked_mul(burst.get()).is_none_or(|it| it > MAX_REFILL) {
            return Err(wrong("the burst takes more than 400 days to come back; write a smaller burst"));
        }
        Ok(quota.allow_burst(burst))
    }
}

/// As the configuration writes it.
impl fmt::Display for RateRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { per, only, at_most, every, burst } = self;
        write!(f, "{{ per = \"{per}\", at-most = {at_most}, every = \"{every}\"")?;
        if let Some(burst) = burst {
            write!(f, ", burst = {burst}")?;
        }
        write!(f, "{only} }}")
    }
}

/// A call came too early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooFast<'a> {
    /// The rule that says so.
    pub rule: &'a RateRule,
    /// When the next call may come, from now on.
    pub retry_after: Duration,
}

/// All rate rules. Clones share what they count.
#[derive(Clone, Debug)]
pub struct Rates(Arc<[Limiter]>, Printer);

/// The tokens one call took. They stay spent, unless they are given back.
#[derive(Debug, Default)]
#[must_use]
pub struct Ticket(SmallVec<[(usize, Print); 4]>);

impl Rates {
    /// Rules that nobody has made use of yet.
    ///
    /// # Errors
    ///
    /// A rule that refuses everything, or nothing.
    pub fn new(rules: Vec<RateRule>) -> Result<Self, ConfigError> {
        Ok(Self(rules.into_iter().map(Limiter::new).collect::<Result<_, _>>()?, Printer::default()))
    }

    /// Takes a token of each rule that is for the call, or none.
    ///
    /// # Errors
    ///
    /// The first rule without a token for it.
    pub fn take(&self, call: &CallFacts<'_>) -> Result<Ticket, TooFast<'_>> {
        let mut ticket = Ticket::default();
        for (index, limiter) in self.0.iter().enumerate() {
            if !limiter.rule.only.fits(call) {
                continue;
            }
            let key = limiter.rule.per.print(&self.1, call);
            match limiter.gcra.check_key(&key) {
                Ok(()) => ticket.0.push((index, key)),
                Err(early) => {
                    let retry_after = early.wait_time_from(limiter.gcra.clock().now());
                    self.give_back(ticket);
                    return Err(TooFast { rule: &limiter.rule, retry_after });
                }
            }
        }
        Ok(ticket)
    }

    /// Takes a call back that did not run.
    pub fn give_back(&self, ticket: Ticket) {
        for (index, key) in ticket.0 {
            if let Some(limiter) = self.0.get(index) {
                limiter.arrivals.give_back(&key, limiter.one);
            }
        }
    }

    /// How many keys are remembered, of all rules.
    pub fn keys(&self) -> usize {
        self.0.iter().map(|it| it.arrivals.lock().len()).sum()
    }
}

#[derive(Debug)]
struct Limiter {
    rule: RateRule,
    gcra: RateLimiter<Print, Arrivals, Monotonic, NoOpMiddleware<Nanos>>,
    arrivals: Arrivals,
    /// What one call moves the next arrival by.
    one: Nanos,
}

impl Limiter {
    fn new(rule: RateRule) -> Result<Self, ConfigError> {
        let quota = rule.quota()?;
        let clock = Monotonic { start: Instant::now() };
        let map = LruCache::with_hasher(MAX_RATE_KEYS, Prehashed::default());
        let arrivals = Arrivals { map: Arc::new(Mutex::new(map)), clock };
        let one = quota.replenish_interval().into();
        Ok(Self { rule, gcra: RateLimiter::new(quota, arrivals.clone(), clock), arrivals, one })
    }
}

/// tokio's clock, which tests can stop.
#[derive(Clone, Copy, Debug)]
struct Monotonic {
    start: Instant,
}

impl Clock for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.start.elapsed().into()
    }
}

/// The theoretical arrival time of each key's next call, since the limiter's start.
#[derive(Clone)]
struct Arrivals {
    map: Arc<Mutex<LruCache<Print, Nanos, Prehashed>>>,
    clock: Monotonic,
}

impl Arrivals {
    fn lock(&self) -> MutexGuard<'_, LruCache<Print, Nanos, Prehashed>> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Exact: what was `max(arrival, then) + one` becomes `max(arrival, then)`, which no later call can tell from `arrival`.
    fn give_back(&self, key: &Print, one: Nanos) {
        if let Some(arrival) = self.lock().peek_mut(key) {
            *arrival = arrival.saturating_sub(one);
        }
    }
}

impl fmt::Debug for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arrivals({} keys)", self.lock().len())
    }
}

impl StateStore for Arrivals {
    type Key = Print;

    fn measure_and_replace<T, F, E>(&self, key: &Print, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut map = self.lock();
        if let Some(arrival) = map.get_mut(key) {
            let (outcome, next) = decide(Some(*arrival))?;
            *arrival = next;
            return Ok(outcome);
        }
        let (outcome, next) = decide(None)?;
        let now = self.clock.now();
        for _ in 0..STALE_AT_ONCE {
            if map.iter().next().is_none_or(|(_, oldest)| *oldest > now) {
                break;
            }
            map.remove_lru();
        }
        map.insert(*key, next);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;
    use tokio::time::advance;

    fn call(principal: &str) -> CallFacts<'_> {
        CallFacts::new(Some(principal), "p", "t", SystemTime::UNIX_EPOCH)
    }

    fn rates(rules: &[RateRule]) -> Rates {
        Rates::new(rules.to_vec()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_evenly_and_each_caller_for_itself() {
        let rule = RateRule { burst: Some(3), ..RateRule::new(Per::Principal, 60, Every::Minute) };
        let rates = rates(&[rule]);
        for _ in 0..3 {
            let _ = rates.take(&call("ada")).unwrap();
        }
        let early = rates.take(&call("ada")).unwrap_err();
        assert_eq!(early.retry_after, Duration::from_secs(1));
        assert!(rates.take(&call("bob")).is_ok());

        advance(Duration::from_millis(400)).await;
        assert_eq!(rates.take(&call("ada")).unwrap_err().retry_after, Duration::from_millis(600));
        advance(Duration::from_millis(600)).await;
        assert!(rates.take(&call("ada")).is_ok());
        assert!(rates.take(&call("ada")).is_err());
        // A refused call costs nothing, however often it comes.
        for _ in 0..100 {
            assert!(rates.take(&call("ada")).is_err());
        }
        advance(Duration::from_secs(1)).await;
        assert!(rates.take(&call("ada")).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_than_the_burst_and_the_rate() {
        let rule = RateRule { burst: Some(5), ..RateRule::new(Per::Tool, 100, Every::Second) };
        let rates = rates(&[rule]);
        let mut passed = 0;
        for _ in 0..10_000 {
            passed += u32::from(rates.take(&call("x")).is_ok());
            advance(Duration::from_millis(1)).await;
        }
        // 10 s at 100 per second, and the burst it began with.
        assert!((1_000..=1_005).contains(&passed), "{passed}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_later_rule_refuses_costs_nothing_at_the_earlier() {
        let wide = RateRule::new(Per::Principal, 10, Every::Hour);
        let narrow = RateRule::new(Per::PrincipalAndTool, 1, Every::Day);
        let rates = rates(&[wide.clone(), narrow.clone()]);
        let _ = rates.take(&call("ada")).unwrap();
        for _ in 0..50 {
            assert_eq!(rates.take(&call("ada")).unwrap_err().rule, &narrow);
        }
        let other = |tool| CallFacts::new(Some("ada"), "p", tool, SystemTime::UNIX_EPOCH);
        let tools: Vec<String> = (0..10).map(|it| format!("t{it}")).collect();
        let (last, first) = tools.split_last().unwrap();
        for tool in first {
            let _ = rates.take(&other(tool)).unwrap();
        }
        assert_eq!(rates.take(&other(last)).unwrap_err().rule, &wide);
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_given_back_is_as_if_never_taken() {
        let rates = rates(&[RateRule::new(Per::Principal, 2, Every::Minute)]);
        for _ in 0..100 {
            let ticket = rates.take(&call("ada")).unwrap();
            rates.give_back(ticket);
        }
        let _ = rates.take(&call("ada")).unwrap();
        let _ = rates.take(&call("ada")).unwrap();
        assert_eq!(rates.take(&call("ada")).unwrap_err().retry_after, Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_bounded_and_stale_ones_go() {
        let rates = rates(&[RateRule::new(Per::Principal, 1, Every::Second)]);
        for index in 0..MAX_RATE_KEYS + 1_000 {
            let _ = rates.take(&call(&index.to_string())).unwrap();
        }
        assert_eq!(rates.keys(), MAX_RATE_KEYS);
        // The oldest was forgotten, the newest not.
        assert!(rates.take(&call(&(MAX_RATE_KEYS + 999).to_string())).is_err());
        assert!(rates.take(&call("0")).is_ok());

        advance(Duration::from_secs(10)).await;
        for index in 0..1_000 {
            let _ = rates.take(&call(&format!("new {index}"))).unwrap();
        }
        assert_eq!(rates.keys(), MAX_RATE_KEYS - 1_000);
    }

    #[tokio::test]
    async fn rules_that_make_no_sense_are_refused() {
        for (rule, problem) in [
            (RateRule::new(Per::Tool, 0, Every::Day), "write at least 1"),
            (RateRule { burst: Some(0), ..RateRule::new(Per::Tool, 1, Every::Day) }, "write at least 1"),
            (RateRule::new(Per::Tool, u32::MAX, Every::Second), "write less"),
            (RateRule { burst: Some(u32::MAX), ..RateRule::new(Per::Tool, 1, Every::Day) }, "a smaller burst"),
        ] {
            let error = Rates::new(vec![rule]).unwrap_err().to_string();
            assert!(error.ends_with(problem), "{error}");
        }
    }
}
